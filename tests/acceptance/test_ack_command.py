"""``o2c ack``: the acknowledgement that a file deserves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from program import new_project, o2c

GOOD = (
    "UNB+UNOC:3+THEM:14+US:14+260305:0930+101'UNH+1+ORDERS:D:96A:UN'BGM+220+A+9'DTM+137:20260305:102'UNS+S'UNT+5+1'"
    "UNZ+1+101'"
)


def test_a_good_file_is_acknowledged(tmp_path: Path) -> None:
    (tmp_path / "good.edi").write_text(GOOD)
    ended = o2c(tmp_path, "ack", "good.edi")
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert lines[0].startswith("UNB+UNOC:3+US:14+THEM:14+")
    assert lines[1:] == ["UNH+1+CONTRL:D:3:UN'", "UCI+101+THEM:14+US:14+7'", "UNT+3+1'", "UNZ+1+1'"]


def test_a_file_from_standard_input_is_acknowledged_and_one_that_is_not_there_is_told(tmp_path: Path) -> None:
    ended = o2c(tmp_path, "ack", "-", stdin=GOOD.encode())
    assert (ended.returncode, ended.stdout.splitlines()[2]) == (0, "UCI+101+THEM:14+US:14+7'")
    ended = o2c(tmp_path, "ack", "none.edi")
    assert (ended.returncode, ended.stderr) == (2, "o2c: there is no file none.edi\n")


def test_one_of_a_syntax_version_that_is_none_is_rejected_in_one_that_is(tmp_path: Path) -> None:
    (tmp_path / "odd.edi").write_text(GOOD.replace("UNOC:3", "UNOC:9"))
    ended = o2c(tmp_path, "ack", "odd.edi")
    assert ended.returncode == 1
    assert ended.stdout.startswith("UNB+UNOC:3+US:14+THEM:14+")
    assert "UCI+101+THEM:14+US:14+4+2+UNB+2:2'" in ended.stdout


def test_what_is_no_interchange_is_from_nobody(tmp_path: Path) -> None:
    (tmp_path / "junk.edi").write_text("junk UNB+UNOC:3+++260305:0930+101'UNZ+0+101'")
    ended = o2c(tmp_path, "ack", "junk.edi")
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (1, "UNZ+1+1'")
    assert "5 bytes that are no interchange" in ended.stderr
    assert "unexpected" not in ended.stderr


def test_a_bad_file_is_rejected_and_its_faults_are_told(tmp_path: Path) -> None:
    (tmp_path / "bad.edi").write_text(GOOD.replace("UNT+5", "UNT+9"))
    ended = o2c(tmp_path, "ack", "bad.edi", "--json")
    assert ended.returncode == 1
    assert json.loads(ended.stdout)[0]["segments"][1] == ["UCM", "1", ["ORDERS", "D", "96A", "UN"], "4", "29", "UNT"]
    assert "UNT counts '9' segments; there are 5" in ended.stderr


@pytest.mark.parametrize(
    ("level", "charset", "name"),
    [("UNOC", "latin-1", "MÜLLER"), ("UNOY", "utf-8", "MÜLLER"), ("UNOE", "iso8859-5", "ЖУК")],
)
def test_names_beyond_ascii_are_printed_whatever_the_file_is_written_in(
    tmp_path: Path, level: str, charset: str, name: str
) -> None:
    (tmp_path / "named.edi").write_bytes(GOOD.replace("UNOC", level).replace("THEM", name).encode(charset))
    ended = o2c(tmp_path, "ack", "named.edi")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"UNB+{level}:3+US:14+{name}:14+")


def test_a_name_that_the_character_set_does_not_have_is_told(tmp_path: Path) -> None:
    (tmp_path / "named.edi").write_bytes(GOOD.replace("UNOC", "UNOA").replace("THEM", "MÜLLER").encode("latin-1"))
    ended = o2c(tmp_path, "ack", "named.edi")
    assert ended.returncode == 1
    assert "'Ü' is not of the character set UNOA" in ended.stderr


def test_a_file_that_is_no_interchange_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.edi").write_text("hello")
    ended = o2c(tmp_path, "ack", "x.edi")
    assert ended.returncode == 1
    assert "no interchange" in ended.stderr


ISA = f"ISA*00*{'':10}*00*{'':10}*ZZ*{'THEM':15}*ZZ*{'US':15}*260305*0930*U*00401*000000007*0*P*>~"
X12_PARTNER = """
them:
  system: webshop
  syntax: x12
  us: {{id: US, qualifier: ZZ}}
  them: {{id: THEM, qualifier: ZZ}}
  directory: "004010"
  charset: {charset}
"""
PURCHASE = (
    f"{ISA}GS*PO*THEIRS*OURS*20260305*0930*7*X*004010~ST*850*0001~BEG*00*NE*A**20260305~PO1*1*2*EA*1.5**VN*4711~CTT*1~"
    "SE*5*0001~GE*1*7~IEA*1*000000007~"
)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("997", ["AK1*PO*7~", "AK2*850*0001~", "AK3*BEG*2**8~", "AK4*2**7*QQ~", "AK5*R*5~", "AK9*R*1*1*0~"]),
        ("999", ["AK1*PO*7*004010~", "AK2*850*0001~", "IK3*BEG*2**8~", "IK4*2**7*QQ~", "IK5*R*5~", "AK9*R*1*1*0~"]),
    ],
)
def test_what_the_grammar_of_the_declared_version_finds_is_told_of_a_stranger(
    tmp_path: Path, kind: str, told: list[str]
) -> None:
    (tmp_path / "bad.edi").write_text(PURCHASE.replace("*NE*", "*QQ*"))
    ended = o2c(tmp_path, "ack", "bad.edi", "--as", kind)
    assert ended.returncode == 1
    assert "segment 2 BEG, element 2" in ended.stderr
    lines = ended.stdout.splitlines()
    assert [line for line in lines if line.startswith("TA1")] == ["TA1*000000007*260305*0930*A*000~"]
    assert f"GS*FA*OURS*THEIRS*{lines[4].split('*')[4]}*" in lines[4]
    assert lines[6:12] == told


def test_only_the_interchange_is_acknowledged_where_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "good.edi").write_text(PURCHASE)
    ended = o2c(tmp_path, "ack", "good.edi", "--as", "ta1")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[1:] == ["TA1*000000007*260305*0930*A*000~", "IEA*0*000000001~"]


def test_a_segment_stands_on_each_line_also_where_a_line_end_is_the_terminator(tmp_path: Path) -> None:
    (tmp_path / "good.edi").write_text(PURCHASE.replace("~", "\n"))
    ended = o2c(tmp_path, "ack", "good.edi", "--as", "ta1")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[1:] == ["TA1*000000007*260305*0930*A*000", "IEA*0*000000001"]


def test_a_delimiter_beyond_ascii_is_printed(tmp_path: Path) -> None:
    (tmp_path / "good.edi").write_bytes(PURCHASE.replace("~", "\xa6").encode("latin-1"))
    ended = o2c(tmp_path, "ack", "good.edi", "--as", "ta1")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[1:] == ["TA1*000000007*260305*0930*A*000\xa6", "IEA*0*000000001\xa6"]


@pytest.mark.parametrize("charset", ["basic", "extended", "ascii", "latin-1", "utf-8"])
def test_a_partner_is_answered_in_the_set_of_x12_that_was_agreed(tmp_path: Path, charset: str) -> None:
    o2c(tmp_path, "init", "project")
    (tmp_path / "project/config/partners.yaml").write_text(X12_PARTNER.format(charset=charset))
    (tmp_path / "project/good.edi").write_text(PURCHASE)
    ended = o2c(tmp_path / "project", "ack", "good.edi", "--as", "ta1")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[1:] == ["TA1*000000007*260305*0930*A*000~", "IEA*0*000000001~"]


@pytest.mark.parametrize(
    ("what", "instead", "told"),
    [
        ("DTM+137:20260305:102'", "DTM+137:20269905:102'", ["UCS+3'", "UCD+12+2:2'"]),
        ("UNS+S'UNT+5", "XYZ+1'UNS+S'UNT+6", ["UCS+4+15'"]),
        ("A+9'", "A+999'", ["UCS+2'", "UCD+12+4'"]),
    ],
)
def test_what_the_grammar_finds_in_edifact_is_rejected(
    tmp_path: Path, what: str, instead: str, told: list[str]
) -> None:
    (tmp_path / "bad.edi").write_text(GOOD.replace(what, instead))
    ended = o2c(tmp_path, "ack", "bad.edi")
    assert ended.returncode == 1
    lines = ended.stdout.splitlines()
    assert lines[3] == "UCM+1+ORDERS:D:96A:UN+4'"
    assert lines[4:-2] == told


@pytest.mark.parametrize(("association", "code"), [("", 0), (":EAN008", 1)])
def test_eancom_is_read_as_eancom_which_has_fewer_segments(tmp_path: Path, association: str, code: int) -> None:
    packed = GOOD.replace(":UN'", f":UN{association}'").replace("UNS+S'UNT+5", "PAC+1'UNS+S'UNT+6")
    (tmp_path / "packed.edi").write_text(packed)
    ended = o2c(tmp_path, "ack", "packed.edi")
    assert ended.returncode == code
    assert ("segment 4 PAC" in ended.stderr) == bool(code)


def test_a_type_without_a_grammar_is_acknowledged_by_its_envelope(tmp_path: Path) -> None:
    (tmp_path / "own.edi").write_text(GOOD.replace("ORDERS", "OWNOWN"))
    ended = o2c(tmp_path, "ack", "own.edi")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_kind_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "good.edi").write_text(GOOD)
    ended = o2c(tmp_path, "ack", "good.edi", "--as", "998")
    assert ended.returncode == 2
    assert "--as: unknown kind '998'; did you mean '999'?" in ended.stderr


def test_who_is_no_partner_of_the_project_is_told_of(tmp_path: Path) -> None:
    project = new_project(tmp_path, "shop")
    (project / "config/partners.yaml").write_text(
        'acme:\n  system: webshop\n  syntax: edifact\n  us: {id: "1"}\n  them: {id: "2"}\n'
    )
    (project / "good.edi").write_text(GOOD)
    ended = o2c(project, "ack", "good.edi")
    assert ended.stdout.splitlines()[2:3] == ["UCI+101+THEM:14+US:14+7'"]
    assert (
        "interchange 101 is from 'THEM' (qualifier '14') to 'US' (qualifier '14'): no partner has these "
        "identifications, so that the hub would send it nothing"
    ) in ended.stderr
