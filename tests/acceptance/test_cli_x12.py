"""The same commands for X12 as a user types them: decode, encode, validate, show-edi, on files and standard input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from program import new_project, o2c

ISA = "ISA*00*          *00*          *ZZ*BUYER          *01*123456789      *261128*1200*U*00401*000000001*0*P*>~"
LINES = "BEG*00*SA*{0}**20261128~PO1*1*4*EA*12.5**VN*W-1~CTT*1~"
ORDER = (
    f"{ISA}GS*PO*BUYER*SELLER*20261128*1200*1*X*004010~ST*850*0001~{LINES.format('PO1')}SE*5*0001~"
    "GE*1*1~IEA*1*000000001~"
)
BAD = ORDER.replace("PO1**20261128", "PO1**20261328").replace("*4*EA", "*4,5*EA")
TWO = ORDER.replace("GE*1*1~", f"ST*850*0002~{LINES.format('PO2')}SE*9*0002~GE*2*1~")
CUT = ORDER[: ORDER.index("CTT*")]
FILES = {"good.x12": ORDER, "bad.x12": BAD, "two.x12": TWO, "cut.x12": CUT}
OVERLAY = "title: Orders of Acme\nextends: x12/004010/850\nrestrict: {PO1_loop: 1}\n"
IN_BAD = [
    f"interchange 000000001, group 1, message 0001, segment 2 BEG, element 5, byte {BAD.index('20261328')}: ",
    f"interchange 000000001, group 1, message 0001, segment 3 PO1, element 2, byte {BAD.index('4,5')}: ",
]
SAID = [
    "date (373) is not a date: '20261328'; expected YYYYMMDD",
    "quantity (330) has ',' as its decimal mark: '4,5'; expected '.'",
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an order, one with faults, one beside one that counts wrong, one that breaks off."""
    folder = new_project(tmp_path_factory.mktemp("x12"), "shop")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    (folder / "schemas/acme").mkdir(parents=True)
    (folder / "schemas/acme/850.yaml").write_text(OVERLAY)
    return folder


@pytest.mark.parametrize("raw", [("--raw",), ()], ids=["raw", "named"])
def test_what_decode_prints_is_encoded_to_the_same_bytes(project: Path, raw: tuple[str, ...]) -> None:
    decoded = o2c(project, "decode", "x12", "good.x12", *raw)
    assert (decoded.returncode, decoded.stderr) == (0, "")
    [document] = json.loads(decoded.stdout)
    if raw:
        assert document["segments"][2] == ["PO1", "1", "4", "EA", "12.5", "", "VN", "W-1"]
    else:
        assert document["BEG"]["order_number"] == "PO1"
    encoded = o2c(project, "encode", "x12", "-", stdin=decoded.stdout.encode())
    assert (encoded.returncode, encoded.stdout, encoded.stderr) == (0, ORDER, "")
    by_name = o2c(project, "encode", "x12", "-", "--json", stdin=decoded.stdout.encode())
    assert json.loads(by_name.stdout)["text"] == ORDER


def test_standard_input_is_read_like_a_file(project: Path) -> None:
    for command in (["decode", "x12"], ["decode", "x12", "--raw"], ["validate", "x12/004010/850"], ["show-edi"]):
        from_file = o2c(project, *command, "bad.x12")
        piped = o2c(project, *command, "-", stdin=BAD.encode())
        assert (piped.returncode, piped.stdout) == (from_file.returncode, from_file.stdout), command


def test_only_what_is_wrong_is_printed_when_asked(project: Path) -> None:
    bad = o2c(project, "decode", "x12", "bad.x12", "--check")
    assert bad.returncode == 1
    assert bad.stdout.splitlines() == [
        f"bad.x12: {where}error: {said}" for where, said in zip(IN_BAD, SAID, strict=True)
    ]
    faults = json.loads(o2c(project, "decode", "x12", "bad.x12", "--check", "--json").stdout)
    assert [(fault["code"], fault["detail"]) for fault in faults] == [("723_8", SAID[0]), ("723_6", SAID[1])]
    good = o2c(project, "decode", "x12", "good.x12", "--check")
    assert (good.returncode, good.stdout, good.stderr) == (0, "", "good.x12: no faults\n")


def test_of_a_file_with_a_bad_set_the_good_one_is_printed(project: Path) -> None:
    two = o2c(project, "decode", "x12", "two.x12")
    assert two.returncode == 1
    assert [document["BEG"]["order_number"] for document in json.loads(two.stdout)] == ["PO1"]
    assert two.stderr == (
        "two.x12: interchange 000000001, group 1, message 0002, segment 5 SE, element 1, byte "
        f"{TWO.index('9*0002')}: error: SE counts '9' segments; there are 5\n"
    )


def test_a_file_that_breaks_off_tells_every_trailer_that_is_missing(project: Path) -> None:
    cut = o2c(project, "decode", "x12", "cut.x12", "--check")
    assert cut.returncode == 1
    assert [line.partition(": error: ")[2] for line in cut.stdout.splitlines()] == [
        "SE is missing: the bytes end", "GE is missing: the bytes end", "IEA is missing: the bytes end",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"hello", "'hello'; expected ISA"),
        (b"UNB+UNOC:3+A+B+260305:0930+1'", "this is EDIFACT (o2c decode edifact); it is not X12"),
        (ISA[:60].encode(), "ISA has no sixteen elements and a terminator"),
    ],
)
def test_what_is_no_x12_is_told_by_what_it_is(project: Path, sent: bytes, told: str) -> None:
    ended = o2c(project, "decode", "x12", "-", stdin=sent)
    assert (ended.returncode, ended.stdout) == (1, "[]\n")
    assert told in ended.stderr


def test_a_value_that_holds_a_separator_cannot_be_encoded(project: Path) -> None:
    [document] = json.loads(o2c(project, "decode", "x12", "good.x12").stdout)
    document["BEG"]["order_number"] = "PO*1"
    ended = o2c(project, "encode", "x12", "-", stdin=json.dumps(document).encode())
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "'PO*1' holds the delimiter '*'; X12 has no way to release one (segment 2 BEG, element 3)" in ended.stderr


def test_an_order_is_held_against_a_grammar_and_an_overlay(project: Path) -> None:
    good = o2c(project, "validate", "x12/004010/850", "good.x12")
    assert (good.returncode, good.stdout, good.stderr) == (0, "", "good.x12: valid against x12/004010/850\n")
    bad = o2c(project, "validate", "x12/004010/850", "bad.x12")
    assert bad.returncode == 1
    assert bad.stdout.splitlines() == [f"error: {where}{said}" for where, said in zip(IN_BAD, SAID, strict=True)]
    line = "PO1*1*4*EA*12.5**VN*W-1~"
    twice = ORDER.replace(line, line * 2).replace("CTT*1", "CTT*2").replace("SE*5", "SE*6")
    assert o2c(project, "validate", "x12/004010/850", "-", stdin=twice.encode()).returncode == 0
    own = o2c(project, "validate", "acme/850", "-", "--json", stdin=twice.encode())
    assert own.returncode == 1
    [fault] = json.loads(own.stdout)
    assert (fault["code"], fault["path"].split(", ")[3]) == ("720:4", "segment 4 PO1")


def test_a_set_is_shown_with_its_segments_named_and_its_faults_below_them(project: Path) -> None:
    good = o2c(project, "show-edi", "good.x12")
    assert (good.returncode, good.stderr) == (0, "")
    assert "    3   PO1 order line: line_number 1, quantity 4, unit EA, price 12.5" in good.stdout
    bad = o2c(project, "show-edi", "bad.x12")
    assert bad.returncode == 1
    assert f"^ error: element 5: {SAID[0]} [723:8]" in bad.stdout
    assert f"^ error: element 2: {SAID[1]} [723:6]" in bad.stdout
    [shown] = json.loads(o2c(project, "show-edi", "bad.x12", "--json").stdout)
    assert shown["document"]["BEG"]["order_number"] == "PO1"
    assert [(one["segment"], one["element"], one["offset"]) for one in shown["faults"]] == [
        (2, 5, BAD.index("20261328")), (3, 2, BAD.index("4,5")),
    ]  # fmt: skip
    cut = o2c(project, "show-edi", "cut.x12")
    assert cut.returncode == 1
    assert "IEA is missing: the bytes end [I18:023]" in cut.stderr
