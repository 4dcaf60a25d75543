"""The judge of public samples: it finds what is read wrong, and only that; its second reader agrees with the codecs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import plain_edi
import public_samples
import pytest

from hub.formats import edifact
from tests.unit.formats.edi_texts import ISA, ORDER, UNB, edifact_of, orders, sets, x12_of

GOLDEN = sorted(
    path for name in ("edifact", "x12") for path in (Path(__file__).parents[1] / "golden" / name).glob("*.in")
)


def of_no_grammar(raw: bytes) -> bytes:
    """The same in a version that none of the shipped grammars has, so that the envelope alone is judged."""
    return raw.replace(b"D:96A", b"D:99Z").replace(b"004010", b"004069")


GOOD = of_no_grammar(edifact_of(*orders(1, 2)))
WRONG = of_no_grammar(edifact_of(ORDER.format(1).replace("UNT+3", "UNT+4")))
TWICE = of_no_grammar(edifact_of(*orders(1, 1)))


@pytest.fixture(scope="module")
def judge() -> public_samples.Judge:
    return public_samples.Judge()


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_golden_files_are_read_alike_by_both_readers(path: Path, judge: public_samples.Judge) -> None:
    told = judge.judge(path.read_bytes())
    assert [one for one in told.surprises if not one.startswith("told, not expected")] == []
    assert told.messages >= len(plain_edi.read(path.read_bytes()).messages) > 0


@pytest.mark.parametrize(
    ("raw", "expected", "told", "surprises"),
    [
        (GOOD, None, "ok", []),
        (GOOD, [], "ok", []),
        (WRONG, None, "[0085:29 UNT 4]", []),
        (WRONG, ["0085:29 UNT 4"], "[0085:29 UNT 4]", []),
        (WRONG, ["0085:29 UNT 5"], "[0085:29 UNT 4]",
         ["told, not expected: interchange 4711, message 1, segment 3 UNT, element 1, byte 108: error: UNT counts '4' "
          "segments; there are 3 [0085:29]", "expected, not told: 0085:29 UNT 5"]),
        (GOOD, "refused", "ok", ["read, although it was to be refused"]),
        (b"UNH+1+ORDERS:D:96A:UN'", None, "refused", []),
        (b"UNH+1+ORDERS:D:96A:UN'", [], "refused",
         ["refused: this is a message without an interchange (UNH before any UNB); it is not EDIFACT; expected UNA or "
          "UNB (byte 0)"]),
        (TWICE, None, "[0085:26 UNH 5]",
         ["told, not expected: interchange 4711, message 1, segment 1 UNH, element 1, byte 116: error: the reference "
          "'1' stood before in the same interchange [0085:26]"]),
        (edifact_of(*orders(1)), ["0085:13 UNT 4", "0085:13 UNT 4"], "[0085:13 UNT 4, 0085:13 UNT 4]", []),
        (of_no_grammar(x12_of(*sets(1), iea="IEA*2*000000002~")), None, "[I18:021 IEA 7, I18:001 IEA 7]", []),
        (of_no_grammar(x12_of(*sets(1), ge=" ")), None, "[716:3 GE 6]", []),
        (of_no_grammar(x12_of("NTE*x~", *sets(1))), None, "[I18:024 NTE 3, 716:5 GE 7]", []),
        ((ISA + "GS*PO*A*B*20261128*1200*1*X*004069~ST*850*1~").encode(), None,
         "[718:2 ST 3, 716:3 GE 3, I18:023 IEA 3]", []),
    ],
)  # fmt: skip
def test_a_file_is_judged_by_what_is_expected_of_it_or_else_by_the_second_reader(
    raw: bytes, expected: Any, told: str, surprises: list[str], judge: public_samples.Judge
) -> None:
    verdict = judge.judge(raw, expected)
    assert (verdict.told, verdict.surprises) == (told, surprises)


@pytest.mark.parametrize(
    ("change", "surprise"),
    [
        (lambda message: message.segments.pop(1), "message 1 has 2 segments; the second reader sees 3"),
        (lambda message: message.segments[1].append("x"), "message 1, segment 2 is ['BGM', '220', 'A1', '9', 'x']; the "
         "second reader sees [[['BGM']], [['220']], [['A1']], [['9']]]"),
        (lambda message: setattr(message, "reference", "2"), "message 1 is ORDERS 2; the second reader sees ORDERS 1"),
        (lambda message: 1 / 0, "raised ZeroDivisionError: division by zero"),
    ],
)  # fmt: skip
def test_a_reader_that_reads_wrong_is_found_out(
    change: Any, surprise: str, judge: public_samples.Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(module: Any, raw: bytes, interpret: Any, **settings: Any) -> public_samples.Read:
        found = [(one, list(one.messages())) for one in edifact.read([raw], **settings)]
        change(found[0][1][0])
        return found

    monkeypatch.setattr(public_samples, "everything", wrong)
    assert surprise in judge.judge(of_no_grammar(edifact_of(*orders(1)))).surprises


def test_a_folder_ends_in_a_table_by_repository_and_with_how_many_surprised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, raw in {"acme/good.edi": GOOD, "acme/wrong.edi": WRONG, "b/deep/no.txt": b"<xml/>", "b/x.edi": GOOD,
                      "acme/twice.edi": TWICE}.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(raw)
    (tmp_path / "expected.yaml").write_text("acme/tw*: 0085:26 UNH 5\nb/x.edi: 0085:29 UNT 4\n")
    assert public_samples.main(tmp_path) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["b/x.edi: ok", "    expected, not told: 0085:29 UNT 4"]
    rows = {line.split()[0]: line.split()[1:5] + line.split()[-1:] for line in lines[3:]}
    assert rows == {"acme": ["3", "1", "2", "0", "0"], "b": ["2", "0", "0", "1", "1"], "all": ["5", "1", "2", "1", "1"]}


@pytest.mark.parametrize(("text", "told"), [("a.edi: {}\n", "expected.yaml: a.edi: expected ok, refused, a code"),
                                            ("- a\n", "expected.yaml: expected paths with what is wrong")])  # fmt: skip
def test_expectations_that_are_none_are_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "a.edi").write_bytes(GOOD)
    (tmp_path / "expected.yaml").write_text(text)
    with pytest.raises(SystemExit, match=told):
        public_samples.main(tmp_path)


def test_a_folder_without_files_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert public_samples.main(tmp_path) == 1
    assert "expected a folder of EDI samples" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("raw", "segments"),
    [
        (UNB.encode() + b"UNH+1+A:D'FTX+a?+b?:c:d??'UNT+3+1'UNZ+1+4711'", [[["FTX"]], [["a+b:c", "d?"]]]),
        (b"UNA:+,?*'\n" + UNB.encode() + b"\r\n UNH+1+A:D'\nFTX+a*b:c\n'UNT+3+1'", [[["FTX"]], [["a"], ["b", "c"]]]),
        (b"UNB=UNOA+1=A=B=261128+1200=1;UNH=1=A+D;FTX=a+b;UNT=3=1;", [[["FTX"]], [["a", "b"]]]),
        (x12_of("ST*841*1~BIN*3*A~>~SE*3*1~"), [[["BIN"]], [["3"]], [["A~>"]]]),
    ],
)
def test_the_second_reader_knows_delimiters_releases_and_objects(raw: bytes, segments: Any) -> None:
    assert plain_edi.read(raw).messages[0].segments[1] == segments
