"""IDocs: the same document from XML and from the flat file, what is told of bad ones, and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hub.errors import MappingError
from hub.formats import BadRecord, Record, idoc
from hub.formats._idoc_lines import DATA
from hub.formats._idoc_parts import CONTROL, type_of

SEGMENTS: dict[str, Any] = {
    "E1EDK01": {"name": "E2EDK01005", "once": True, "fields": {"ACTION": 3, "KZABS": 1, "CURCY": 3}},
    "E1EDK02": {"name": "E2EDK02", "fields": {"QUALF": 3, "BELNR": 35}},
    "E1EDP01": {"name": "E2EDP01007", "fields": {"POSEX": 6, "ACTION": 3, "PSTYP": 1, "KZABS": 1, "MENGE": 15}},
    "E1EDP19": {"name": "E2EDP19001", "fields": {"QUALF": 3, "IDTNR": 35}},
}
FLAT = {"segments": SEGMENTS, "layout": "flat", "line_end": "lf"}
ORDER: dict[str, Any] = {
    "type": "ORDERS05",
    "control": {"TABNAM": "EDI_DC40", "MANDT": "100", "DOCNUM": "0000000000004711", "IDOCTYP": "ORDERS05"},
    "E1EDK01": {"CURCY": "EUR"},
    "E1EDK02": [{"QUALF": "001", "BELNR": "PO-1"}],
    "E1EDP01": [
        {"POSEX": "000010", "MENGE": "2.000", "E1EDP19": [{"QUALF": "002", "IDTNR": "Ä&1"}, {"QUALF": "003"}]},
        {"POSEX": "000020"},
    ],
}


def test_the_records_are_as_long_as_those_of_sap() -> None:
    assert sum(CONTROL.values()) == 524
    assert sum(DATA.values()) == 63


def test_xml_and_the_flat_file_give_the_same_document() -> None:
    flat = idoc.encode([ORDER, ORDER], FLAT)
    assert {len(line) for line in flat.decode().splitlines()} == {524, 1063}
    xml = idoc.encode([ORDER, ORDER], {"segments": SEGMENTS})
    for raw in (flat, xml):
        found = list(idoc.decode([raw], {"segments": SEGMENTS}))
        assert [each.value for each in found if isinstance(each, Record)] == [ORDER, ORDER]


def test_a_flat_file_numbers_segments_and_names_what_they_are_below() -> None:
    lines = idoc.encode_one(ORDER, {**FLAT, "trailing_blanks": False}).decode().splitlines()
    assert [(line[:30].strip(), line[49:63]) for line in lines[1:]] == [
        ("E2EDK01005", "00000100000001"), ("E2EDK02", "00000200000001"), ("E2EDP01007", "00000300000001"),
        ("E2EDP19001", "00000400000302"), ("E2EDP19001", "00000500000302"), ("E2EDP01007", "00000600000001"),
    ]  # fmt: skip
    assert idoc.decode_one("\n".join(lines).encode(), {"segments": SEGMENTS}) == ORDER


def test_without_numbers_of_parents_the_levels_count() -> None:
    lines = idoc.encode_one(ORDER, FLAT).decode().splitlines()
    without = [lines[0], *(line[:55] + "000000" + line[61:] for line in lines[1:])]
    assert idoc.decode_one("\n".join(without).encode(), {"segments": SEGMENTS}) == ORDER


def test_segments_that_nobody_described_are_kept() -> None:
    raw = idoc.encode_one(ORDER, FLAT)
    assert idoc.decode_one(raw, {})["E1EDK02"] == [{"SDATA": "001PO-1"}]
    xml = b'<A><IDOC><EDI_DC40/><Z1NEW SEGMENT="1"><X>1</X><Z1SUB SEGMENT="1"/></Z1NEW></IDOC></A>'
    assert idoc.decode_one(xml, {}) == {"type": "A", "control": {}, "Z1NEW": [{"X": "1", "Z1SUB": [{}]}]}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("E2EDK01005", "E1EDK01"), ("E2EDK03", "E1EDK03"), ("E2EDKA1003", "E1EDKA1"), ("Z2ORDER000", "Z1ORDER")],
)
def test_a_definition_is_known_as_its_segment_type(name: str, kind: str) -> None:
    assert type_of(name) == kind


HEAD = b"EDI_DC40  100"


def data(name: str, numbers: str, sdata: str = "") -> bytes:
    return f"\n{name:<30}1000000000000004711{numbers}{sdata}".encode()


BAD = [
    (data("E2EDK01005", "00000100000001")[1:], "'E2EDK01005'; expected the control record EDI_DC40 first "
     "(line 1, column 1)"),
    (HEAD + data("E2EDP19001", "00000200000902"), "PSGNUM 9; expected the SEGNUM of a segment that it is below "
     "(line 2, column 56, segment 1 E1EDP19, byte 14)"),
    (HEAD + data("E2EDK01005", "000001000000x1"), "HLEVEL 'x1'; expected a number of two digits (line 2, column 62)"),
    (HEAD + data("E2EDK01005", "00000100000001", "    EURO"), "'O' behind the last field of E1EDK01; expected what its "
     "fields hold (line 2, column 71)"),
    (HEAD + 2 * data("E2EDK01005", "00000100000001"), "a second E1EDK01; expected one (once: true) (line 3, column 1)"),
    (b"<A><IDOC><E1EDK01/></IDOC></A>", "an IDOC without EDI_DC40; expected its control record (line 1)"),
    (b"<A><IDOC><EDI_DC40/><B><C>1</C><C>2</C></B></IDOC></A>", "the field C twice in B; expected once (line 1)"),
    (b"<A><IDOC><EDI_DC40/><B><C>EU<D/>R</C></B></IDOC></A>", "the text 'EU' beside elements in C; expected fields and "
     "segments alone (line 1)"),
    (b"<A><IDOC><EDI_DC40/><B><C>EUR</C>X</B></IDOC></A>", "the text 'X' beside elements in B; expected fields and "
     "segments alone (line 1)"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "message"), BAD)
def test_a_bad_idoc_is_told_with_its_place(raw: bytes, message: str) -> None:
    found = list(idoc.decode([raw], {"segments": SEGMENTS}))
    assert [str(each.error) for each in found if isinstance(each, BadRecord)] == [message]


WRONG = [
    ({"E1EDK01": {"CURCY": "EURO"}}, "E1EDK01.CURCY: 'EURO' of 4 characters; expected at most 3"),
    ({"E1EDK01": {"CURR": "EUR"}}, "E1EDK01.CURR: a field that its segment does not have; expected one of its fields"),
    ({"E1EDKA1": [{"PARVW": "AG"}]}, "E1EDKA1[0]: a segment whose definition is not told; expected it under segments"),
    ({"E1EDK01": {"CURCY": 1.5}}, "E1EDK01.CURCY: a binary float; expected an exact decimal"),
]


@pytest.mark.parametrize(("segment", "message"), WRONG)
def test_what_does_not_fit_is_refused_never_cut(segment: dict[str, Any], message: str) -> None:
    with pytest.raises(MappingError) as caught:
        idoc.encode_one({"type": "ORDERS05", "control": {}, **segment}, FLAT)
    assert str(caught.value) == message


def test_a_field_is_found_again_in_the_flat_file() -> None:
    find = idoc.places(idoc.encode_one(ORDER, FLAT), FLAT, 0)
    assert str(find(["E1EDP01", 0, "E1EDP19", 1, "QUALF"])) == "6:64 (field QUALF)"
    assert str(find(["control", "DOCNUM"])) == "1:14 (field DOCNUM)"


def test_a_field_is_found_again_in_xml() -> None:
    raw = b"<A>\n<IDOC><EDI_DC40/></IDOC>\n<IDOC><EDI_DC40><MANDT>1</MANDT></EDI_DC40><B/>\n<B><C>2</C></B></IDOC></A>"
    find = idoc.places(raw, {}, 1)
    assert [str(find(path)).split(" ")[0] for path in (["B", 1, "C"], ["control", "MANDT"], ["B"], [], ["D"])] == [
        "4:4", "3:17", "3:44", "3:1", "None",
    ]  # fmt: skip


TEXTS = some.text("AÖ0 <&'-", min_size=1, max_size=3).filter(lambda text: text == text.rstrip())


@given(some.lists(some.lists(TEXTS, max_size=3), max_size=3))
def test_what_is_written_is_read_back_whichever_way(items: list[list[str]]) -> None:
    lines = [{"POSEX": str(at), **({"E1EDP19": [{"QUALF": text} for text in texts]} if texts else {})}
             for at, texts in enumerate(items)]  # fmt: skip
    document = {"type": "ORDERS05", "control": ORDER["control"], **({"E1EDP01": lines} if lines else {})}
    for options in (FLAT, {"segments": SEGMENTS}):
        raw = idoc.encode_one(document, options)
        assert idoc.decode_one(raw, options) == document
        assert idoc.encode_one(idoc.decode_one(raw, options), options) == raw
