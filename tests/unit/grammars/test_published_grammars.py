"""The script that compares the shipped grammars with published definitions finds what differs, and only that."""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from grammar_files import shipped

from hub.grammars import Grammars

ROOT = Path(__file__).parents[3]
SCRIPT = runpy.run_path(str(ROOT / "tests/conformance/published_grammars.py"))
D96A = "schemas/edifact/D96A/"
FILES = {
    f"{D96A}ORDERS.yaml": b"title: order\nstructure: [BGM M 1, {SG1 C 10: [RFF M 1, DTM C 5]}]\n",
    f"{D96A}segments.yaml": b"segments: {BGM a: [1001 C a, 1225 C b], RFF b: [C506 M .], DTM c: [2005 M q]}\n",
    f"{D96A}composites.yaml": b"composites: {C506 reference: [1153 M qualifier, 1154 C number]}\n",
    f"{D96A}elements.yaml": (
        b"elements: {1001: a an..3, 1225: b an..3, 1153: c an..3, 1154: number an..35, 2005: q an..3}\n"
    ),
    f"{D96A}codes.yaml": b"codes: {1225: 4 9}\n",
}
RECORDS = """\
recorddefs = {
'BGM': [['BOTSID', 'M', 3, 'AN'], ['1001', 'C', 3, 'AN'], ['1225', 'C', 3, 'AN']],
'RFF': [['BOTSID', 'M', 3, 'AN'], ['C506', 'M', [['C506.1153', 'M', 3, 'AN'], ['C506.1154', 'C', 35, 'AN']]]],
'DTM': [['BOTSID', 'M', 3, 'AN'], ['2005', 'M', 3, 'AN']],
}
"""
STRUCTURE = """\
from somewhere import anything
structure = [{ID: 'UNH', MIN: 1, MAX: 1, LEVEL: [
    {ID: 'BGM', MIN: 1, MAX: 1},
    {ID: 'RFF', MIN: 0, MAX: 10, LEVEL: [{ID: 'DTM', MIN: 0, MAX: 5}]},
    {ID: 'UNT', MIN: 1, MAX: 1},
]}]
"""
XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'


def element(name: str, inner: str = "", attributes: str = "") -> str:
    if inner:
        inner = f"<xs:complexType><xs:sequence>{inner}</xs:sequence></xs:complexType>"
    return f'<xs:element name="{name}" {attributes}>{inner}</xs:element>'


def schema(times: int = 10, functions: str = "49") -> str:
    group = element("RFFLoop1", element("RFF", element("RFF1", element("RFF1.1") + element("RFF1.2", "", OPTIONAL)))
                    + element("DTM", element("DTM1"), f'{OPTIONAL} maxOccurs="5"'),
                    f'{OPTIONAL} maxOccurs="{times}"')  # fmt: skip
    begin = element("BGM", element("BGM1", "", OPTIONAL) + element("BGM2", "", OPTIONAL))
    codes = "".join(f'<xs:enumeration value="{code}"/>' for code in functions)
    listed = f'<xs:simpleType name="EDIFACT_ID_1225"><xs:restriction>{codes}</xs:restriction></xs:simpleType>'
    return f"<xs:schema {XS}>{element('EFACT_D96A_ORDERS', begin + group)}{listed}</xs:schema>"


OPTIONAL = 'minOccurs="0"'


@pytest.fixture
def differences(tmp_path: Path) -> Callable[[dict[str, str]], list[str]]:
    def compared(files: dict[str, str]) -> list[str]:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        mine = Grammars(FILES)
        every: list[Any] = list(SCRIPT["definitions"](tmp_path, set(mine.names())))
        assert every, "the definitions were not found"
        return [line for _, name, theirs in every for line in SCRIPT["compare"](mine.message(name), theirs)]

    return compared


def test_the_same_message_has_no_differences(differences: Callable[[dict[str, str]], list[str]]) -> None:
    bots = "bots-grammars/edifact/D96A"

    assert differences({
        f"{bots}/ORDERSD96AUN.py": STRUCTURE, f"{bots}/recordsD96AUN.py": RECORDS,
        f"{SCRIPT['BIZTALK']}/EDIFACT/D96A/EFACT_D96A_ORDERS.xsd": schema(),
    }) == []  # fmt: skip


def test_other_repeats_lengths_and_codes_are_told(differences: Callable[[dict[str, str]], list[str]]) -> None:
    bots = "bots-grammars/edifact/D96A"

    assert differences({
        f"{bots}/ORDERSD96AUN.py": STRUCTURE.replace("MAX: 5", "MAX: 9"),
        f"{bots}/recordsD96AUN.py": RECORDS.replace("35", "70"),
        f"{SCRIPT['BIZTALK']}/EDIFACT/D96A/EFACT_D96A_ORDERS.xsd": schema(99, "45"),
    }) == [
        "theirs alone: group RFF C 99",
        "ours alone: group RFF C 10",
        "codes of 1225: 5 9 in one only",
        "theirs alone: DTM C 9",
        "ours alone: DTM C 5",
        "RFF: ours M composite, M 3, C 35; theirs M composite, M 3, C 70",
    ]  # fmt: skip


MODELS = {
    "_Segments.cs": "public class RFF_7\n{ public C506_2 A_01; public string X_02; }\nclass DTM { public string A; }",
    "_ComplexElements.cs": "class C506_2 { public string a_01; public string b_02; public string c_03; }",
    "ORDERS.cs": """namespace x { using y; public class Loop_RFF_ORDERS { public RFF_7 RFF; public DTM DTM; }
        public class TSORDERS { public UNH UNH; public List<Loop_RFF_ORDERS> RFFLoop; public UNT UNT; } }""",
}


def test_models_tell_what_may_repeat_and_of_what_segments_consist(tmp_path: Path) -> None:
    at = tmp_path / f"{SCRIPT['EDINATION']}.EAND96A"
    at.mkdir(parents=True)
    for name, text in MODELS.items():
        (at / name).write_text(text, encoding="utf-8")
    ((source, name, theirs),) = SCRIPT["definitions"](tmp_path, {"eancom/1997/ORDERS"})
    assert (source, name) == ("edination EAND96A", "eancom/1997/ORDERS")
    assert list(SCRIPT["compare"](Grammars(FILES).message("edifact/D96A/ORDERS"), theirs)) == [
        "ours alone: BGM", "theirs alone: DTM", "ours alone: DTM many",
        "RFF: ours composite of 2; theirs composite of 3, value",
    ]  # fmt: skip


USING = "title: own\nextends: edifact/D96A/ORDERS\nuses: {BGM: [a C, b C 4 9]}\n"


@pytest.mark.parametrize(
    ("used", "codes", "expected"),
    [
        ("Yes", "49", []),
        ("Yes", "45", ["uses of BGM: codes of 1225: 9 in ours only"]),
        ("Yes", "", []),
    ],
)
def test_what_is_used_at_a_place_is_compared(used: str, codes: str, expected: list[str], tmp_path: Path) -> None:
    at = tmp_path / SCRIPT["BIZTALK"] / "EANCOM/EAN97"
    at.mkdir(parents=True)
    (at / "EFACT_D96A_ORDERS.xsd").write_text(schema(10, codes), encoding="utf-8")
    ((_, _, theirs),) = SCRIPT["definitions"](tmp_path, {"eancom/1997/ORDERS"})
    own = Grammars({**FILES, "schemas/own/ORDERS.yaml": USING.encode()}).message("own/ORDERS")
    assert list(SCRIPT["compare"](own, theirs)) == expected


SEGMENTS = {
    "Segments/UCD.cs": """public class UCD : Segment {
        [ElementInfo(0, "Syntax error, coded", "M", "1", "an..3", "")]
        public string E0085 { get; set; }
        [ElementInfo(1, "DATA ELEMENT IDENTIFICATION", "M", "1", "", "")]
        public S011 Position { get; set; }
    }""",
    "Composites/S011.cs": """public class S011 {
        [ElementInfo(0, "Element", "M", "", "n..3", "")] public string E0098 { get; set; }
        [ElementInfo(1, "Component", "C", "", "n..3", "")] public string E0104 { get; set; }
    }""",
}


@pytest.mark.parametrize(
    ("length", "expected"),
    [("n..3", []), ("n..6", ["UCD: ours M 3, M composite, M 3, C 3; theirs M 3, M composite, M 3, C 6"])],
)
def test_segments_alone_are_compared(length: str, expected: list[str], tmp_path: Path) -> None:
    for name, text in SEGMENTS.items():
        at = tmp_path / SCRIPT["CONTRL_SEGMENTS"] / name
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(length.join(text.rsplit("n..3", 1)) if "S011.cs" in name else text, encoding="utf-8")
    ((source, name, theirs),) = SCRIPT["definitions"](tmp_path, {"edifact/D3/CONTRL"})
    assert (source, name) == ("underware", "edifact/D3/CONTRL")
    assert list(SCRIPT["compare"](shipped().message(name), theirs)) == expected


def test_a_definition_of_which_no_nodes_are_found_is_told() -> None:
    told = list(SCRIPT["compare"](shipped().message("edifact/D3/CONTRL"), SCRIPT["Definition"]()))
    assert told[0] == "ours alone: UCI M 1"


def test_the_page_of_differences_holds_what_is_found(tmp_path: Path) -> None:
    at = tmp_path / SCRIPT["BIZTALK"] / "EDIFACT/D96A"
    at.mkdir(parents=True)
    (at / "EFACT_D96A_ORDERS.xsd").write_text(schema(), encoding="utf-8")
    page = tmp_path / "page.md"
    assert SCRIPT["main"](tmp_path, [], page) == 0
    text = page.read_text(encoding="utf-8")
    assert f"| edifact/D96A | BizTalk | 1 | {len(SCRIPT['known_in'](text))} |" in text
    assert run(tmp_path, SCRIPT["known_in"](text)) == 0


def run(folder: Path, known: list[str]) -> int:
    return int(SCRIPT["main"](folder, known))


def test_only_what_is_not_known_to_differ_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = tmp_path / SCRIPT["BIZTALK"] / "EDIFACT/D96A"
    at.mkdir(parents=True)
    assert run(tmp_path, []) == 1, "nothing was compared"
    (at / "EFACT_D96A_ORDERS.xsd").write_text(schema(), encoding="utf-8")
    assert run(tmp_path, []) == 1
    known = capsys.readouterr().out.partition("new: ")[0].splitlines()[2:]
    assert len(known) > 10 and run(tmp_path, known) == 0
    assert run(tmp_path, [*known, "edifact/D96A/INVOIC (xsd): of one that is not there to be compared"]) == 0
    assert run(tmp_path, [*known, "edifact/D96A/ORDERS (xsd): gone"]) == 1
    assert capsys.readouterr().out.splitlines()[-2] == "no more: edifact/D96A/ORDERS (xsd): gone"


def test_whatever_is_known_to_differ_is_in_the_reference() -> None:
    page = (ROOT / "docs/reference/edi-directories.md").read_text(encoding="utf-8")
    table = page.partition("| where | differs | here |")[2]
    rows = [re.findall(r"[\w.]+", line.partition(" | ")[0]) for line in table.splitlines() if line.startswith("|")]
    known = SCRIPT["known_in"](SCRIPT["PAGE"].read_text(encoding="utf-8"))
    assert len(known) > 40
    for line in known:
        name, what = re.fullmatch(r"(\S+) \(\w+[^)]*\): (.*)", line).groups()
        element = re.match(r"codes of (\d+)", what)
        about = element[1] if element else "BIN02" if what.startswith("BIN: ") else name.rpartition("/")[2]
        assert any(about in row for row in rows), line
        assert name in shipped().names()
