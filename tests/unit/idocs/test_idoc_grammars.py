"""IDocs by their grammars: the same document from XML and from the flat file, and everything that is wrong with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hub.errors import DecodeError, MappingError
from hub.formats import BadRecord, Place, Record, codec, idoc
from hub.formats._idoc_parts import IdocError
from hub.idocs.types import Field, Node
from hub.project import reference_files
from hub.schemas import schema_set

SCHEMAS = schema_set(reference_files())
TYPES = ("idoc/DEBMAS07", "idoc/DELVRY03", "idoc/INVOIC02", "idoc/ORDERS05")
FLAT = {"layout": "flat", "line_end": "lf"}
SHORT = {**FLAT, "trailing_blanks": False}
ORDER: dict[str, Any] = {
    "type": "ORDERS05",
    "control": {"TABNAM": "EDI_DC40", "MANDT": "100", "DOCNUM": "4711", "IDOCTYP": "ORDERS05", "MESTYP": "ORDERS"},
    "E1EDK01": {"CURCY": "EUR", "BELNR": "PO-1"},
    "E1EDK03": [{"IDDAT": "012", "DATUM": "2026-03-05", "UZEIT": "08:15:00"}],
    "E1EDKA1": [{"PARVW": "AG", "NAME1": "Müller"}],
    "E1EDP01": [
        {"POSEX": "000010", "MENGE": Decimal("2.000"), "NETWR": Decimal("-12.50"),
         "E1EDP19": [{"QUALF": "002", "IDTNR": "M-7"}]},
        {"POSEX": "000020"},
    ],
}  # fmt: skip
LINES = [
    "EDI_DC40  1004711" + " " * 22 + "ORDERS05" + " " * 52 + "ORDERS",
    "E2EDK01005                    1004711            00000100000001    EUR" + " " * 76 + "PO-1",
    "E2EDK03                       1004711            0000020000000101220260305081500",
    "E2EDKA1003                    1004711            00000300000001AG " + " " * 34 + "Müller",
    "E2EDP01007                    1004711            00000400000001000010     2.000" + " " * 62 + "12.50-",
    "E2EDP19002                    1004711            00000500000402002M-7",
    "E2EDP01007                    1004711            00000600000001000020",
]


def typed(name: str = "idoc/ORDERS05") -> Any:
    return SCHEMAS.codec("idoc", name)


def text(lines: Sequence[str]) -> bytes:
    return "\n".join([*lines, ""]).encode()


def full(nodes: Sequence[Node], repeats: int) -> dict[str, Any]:
    """Every segment, and every field at its full length."""
    made: dict[str, Any] = {}
    for node in nodes:
        value = {name: widest(field) for name, field in node.segment.fields.items()} | full(node.nodes, repeats)
        made[node.kind] = [value] * min(repeats, node.repeats) if node.is_list else value
    return made


def widest(field: Field) -> Any:
    match field.kind:
        case "date":
            return "2026-11-28"
        case "time":
            return "23:59:59"
        case "number":
            return Decimal("-" + "9" * (field.length - 1))
    return "ß" * field.length


@pytest.mark.parametrize("name", TYPES)
def test_every_field_at_its_full_length_goes_out_and_comes_back(name: str) -> None:
    type = SCHEMAS.idocs.type(name)
    control = {"TABNAM": "EDI_DC40", "IDOCTYP": type.type}
    document = {"type": type.type, "control": control, **full(type.nodes, 2)}
    assert SCHEMAS.faults(name, document) == []
    for options in (FLAT, SHORT, {}):
        raw = typed(name).encode_one(document, options)
        assert typed(name).decode_one(raw, {}) == document
    assert {len(line) for line in typed(name).encode_one(document, FLAT).decode().splitlines()} == {524, 1063}


@pytest.mark.parametrize("name", TYPES)
def test_a_character_more_than_a_field_has_is_refused_never_cut(name: str) -> None:
    type = SCHEMAS.idocs.type(name)
    document = {"control": {}, **full(type.nodes, 1)}
    for node in type.nodes:
        for field in node.segment.fields.values():
            if field.kind == "text":
                value = {**full([node], 1)[node.kind][0 if node.is_list else slice(None)]} if node.is_list else None
                value = {**(value or document[node.kind]), field.name: "x" * (field.length + 1)}
                changed = {**document, node.kind: [value] if node.is_list else value}
                [fault] = SCHEMAS.faults(name, changed)
                assert fault.code == "too_long" and fault.expected == f"at most {field.length}"
                with pytest.raises(MappingError, match="expected at most"):
                    typed(name).encode_one(changed, FLAT)


def test_the_flat_file_is_as_sap_lays_it_out() -> None:
    assert typed().encode_one(ORDER, SHORT) == text(LINES)
    assert typed().decode_one(text(LINES), {}) == ORDER


def test_xml_and_the_flat_file_give_the_same_document() -> None:
    xml = typed().encode_one(ORDER, {})
    assert b"<DATUM>20260305</DATUM><UZEIT>081500</UZEIT>" in xml and b"<NETWR>12.50-</NETWR>" in xml
    assert typed().decode_one(xml, {}) == ORDER


def test_what_sap_numbers_by_level_and_no_parent_stands_at_the_top() -> None:
    """SAP gives the segments of a header the level 02 and the parent 000000, and they stand beside E1EDK01."""
    levels = [LINES[0], LINES[1], *(line[:61] + "02" + line[63:] for line in LINES[2:])]
    assert typed().decode_one(text(levels), {}) == ORDER
    blank = [LINES[0], *(line[:49] + " " * 14 + line[63:] for line in LINES[1:])]
    assert typed().decode_one(text(blank), {}) == ORDER


def test_a_newer_definition_of_a_segment_is_known_by_its_type() -> None:
    newer = [LINES[0], LINES[1].replace("E2EDK01005", "E2EDK01006"), *LINES[2:]]
    assert typed().decode_one(text(newer), {}) == ORDER


def test_the_option_says_which_definition_is_written() -> None:
    options = {**SHORT, "segments": {"E1EDP01": {"name": "E2EDP01010"}}}
    raw = typed().encode_one(ORDER, options)
    assert raw.count(b"E2EDP01010") == 2 and b"E2EDP01007" not in raw
    assert typed().decode_one(raw, {}) == ORDER


def test_a_date_of_zeros_is_no_date_and_a_number_may_stand_to_the_right() -> None:
    item = LINES[4].replace("2.000          ", "          2.000")
    changed = [*LINES[:2], LINES[2].replace("20260305", "00000000"), LINES[3], item]
    found = typed().decode_one(text(changed), {})
    assert found["E1EDK03"] == [{"IDDAT": "012", "UZEIT": "08:15:00"}]
    assert found["E1EDP01"][0]["MENGE"] == Decimal("2.000")


def at(line: int) -> int:
    """The byte at which a line begins."""
    return len(text(LINES[: line - 1]))


BAD: list[tuple[str, list[str], list[str]]] = [
    ("a mandatory segment is missing", [LINES[0], *LINES[2:]], [
        "missing_segment: line 1: the segment E1EDK01 is missing in the IDoc; it is mandatory"]),
    ("a segment that no grammar knows", [*LINES[:2], "Z2NEW000  ".ljust(30) + LINES[2][30:], *LINES[3:]], [
        f"unknown_segment: line 3, column 1, segment 2 Z1NEW, byte {at(3)}: idoc/ORDERS05 has no segment Z1NEW"]),
    ("a segment below the wrong one", [*LINES[:3], LINES[5].replace("00000402", "00000202"), *LINES[3:5]], [
        f"misplaced_segment: line 4, column 1, segment 3 E1EDP19, byte {at(4)}: "
        "E1EDP19 stands below E1EDK03; expected below E1EDP01"]),
    ("a header segment below an item", [*LINES[:5], LINES[2].replace("00000200000001", "00000500000402"), LINES[6]], [
        f"misplaced_segment: line 6, column 1, segment 5 E1EDK03, byte {at(6)}: "
        "E1EDK03 stands below E1EDP01; expected at the top"]),
    ("a segment twice", [*LINES[:2], LINES[1], *LINES[2:]], [
        f"too_many_segments: line 3, column 1, segment 2 E1EDK01, byte {at(3)}: "
        "a second E1EDK01; it stands here once"]),
    ("a day that the calendar has not", [*LINES[:2], LINES[2].replace("20260305", "20260230"), *LINES[3:]], [
        f"wrong_date: line 3, column 67, segment 2 E1EDK03, byte {at(3)}: "
        "E1EDK03.DATUM is no date: '20260230'; expected YYYYMMDD, a day that the calendar has"]),
    ("a comma in a number", [*LINES[:4], LINES[4].replace("2.000", "2,000"), *LINES[5:]], [
        f"wrong_number: line 5, column 75, segment 4 E1EDP01, byte {at(5)}: "
        "E1EDP01.MENGE is no number: '2,000'; expected digits, with '.' before decimals"]),
    ("text behind the last field", [*LINES[:2], LINES[2] + "more", *LINES[3:]], [
        f"unknown_field: line 3, column 81, segment 2 E1EDK03, byte {at(3)}: "
        "'more' behind the last field that idoc/ORDERS05 has of E1EDK03"]),
    ("another type", [LINES[0].replace("ORDERS05", "ORDERS04"), *LINES[1:]], [
        "other_type: line 1: the IDoc is of type ORDERS04; expected ORDERS05"]),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "told"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_is_wrong_with_a_flat_idoc_is_told_with_segment_and_byte(lines: list[str], told: list[str]) -> None:
    [found] = typed().decode([text(lines)], {})
    assert isinstance(found, BadRecord) and isinstance(found.error, IdocError)
    assert [f"{each.full_code}: {each.position}: {each.message}" for each in found.error.faults] == told


@pytest.mark.parametrize(("lines", "told"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_one_bad_idoc_spares_the_others_of_its_file(lines: list[str], told: list[str]) -> None:
    found = list(typed().decode([text([*lines, *LINES])], {}))
    assert [type(each) for each in found] == [BadRecord, Record] and found[1].value == ORDER


def test_an_idoc_with_faults_can_be_passed_on_with_them() -> None:
    lines = [*LINES[:2], LINES[2].replace("20260305", "20260230"), *LINES[3:]]
    [found] = typed().decode([text(lines)], {"faulty": "pass"})
    assert isinstance(found, Record)
    [fault] = found.value.pop("faults")
    assert fault["code"] == "wrong_date" and fault["severity"] == "error"
    assert found.value == {**ORDER, "E1EDK03": [{"IDDAT": "012", "UZEIT": "08:15:00"}]}


def test_a_text_that_is_too_long_is_read_whole_and_told() -> None:
    raw = typed().encode_one(ORDER, {}).replace(b"<CURCY>EUR", b"<CURCY>EURO")
    [found] = typed().decode([raw], {})
    assert isinstance(found, Record) and found.value["E1EDK01"]["CURCY"] == "EURO"
    [fault] = found.faults
    assert (fault.severity, fault.position) == ("warning", "line 2, segment 1 E1EDK01")
    assert fault.message == "E1EDK01.CURCY is 4 long: 'EURO'; SAP cuts it at 3"


def test_a_field_that_xml_has_and_the_grammar_has_not_is_told() -> None:
    raw = typed().encode_one(ORDER, {}).replace(b"<CURCY>", b"<CUR>EUR</CUR><CURCY>")
    with pytest.raises(DecodeError, match=r"E1EDK01 has no field CUR in idoc/ORDERS05 \(line 2, segment 1 E1EDK01\)"):
        typed().decode_one(raw, {})


WRONG: list[tuple[Mapping[str, Any], str]] = [
    ({"E1EDK01": None}, "E1EDK01: the segment E1EDK01 is missing; it is mandatory"),
    ({"E1EDK01": [{}]}, "E1EDK01: is no object; expected an object with the fields of the segment"),
    ({"E1EDK03": {"IDDAT": "012"}}, "E1EDK03: is no list; expected a list, since E1EDK03 may repeat"),
    ({"E1EDK18": [{}] * 4}, "E1EDK18: E1EDK18 stands 4 times; at most 3"),
    ({"E1EDK19": [{}]}, "E1EDK19: there is no segment of this name; did you mean 'E1EDKT1'?"),
    ({"E1EDK01": {"CURRCY": "EUR"}}, "E1EDK01.CURRCY: E1EDK01 has no such field; did you mean 'CURCY'?"),
    ({"E1EDP01": [{"E1EDK03": [{}]}]}, "E1EDP01[0].E1EDK03: E1EDP01 has no field and no segment of this name; did you "
     "mean 'E1EDP03'?"),
    ({"E1EDK03": [{"DATUM": "5.3.2026"}]}, "E1EDK03[0].DATUM: is '5.3.2026'; expected a day, YYYY-MM-DD"),
    ({"E1EDK03": [{"UZEIT": "25:00:00"}]}, "E1EDK03[0].UZEIT: is '25:00:00'; expected a time of the day, HH:MM:SS"),
    ({"E1EDP01": [{"MENGE": "1e3"}]}, "E1EDP01[0].MENGE: is '1e3'; expected a number: digits, with '.' before "
     "decimals"),
    ({"E1EDP01": [{"MENGE": 1.5}]}, "E1EDP01[0].MENGE: is no value of this field; expected a text or an exact decimal"),
    ({"E1EDP01": [{"MENGE": Decimal("NaN")}]}, "E1EDP01[0].MENGE: is no value of this field; expected a finite number"),
    ({"E1EDP01": [{"MENGE": Decimal(10**15)}]}, "E1EDP01[0].MENGE: is 16 long: '1000000000000000'; expected at most "
     "15"),
    ({"E1EDKT1": [{"E1EDKT2": [{"TDLINE": "a\nb"}]}]}, "E1EDKT1[0].E1EDKT2[0].TDLINE: holds a line end; expected text "
     "of one line"),
    ({"control": {"MESTYPE": "ORDERS"}}, "control.MESTYPE: the control record has no such field; did you mean "
     "'MESTYP'?"),
    ({"control": {"IDOCTYP": "ORDERS04"}}, "control.IDOCTYP: is 'ORDERS04'; expected ORDERS05"),
    ({"control": None}, "control: is missing; expected the control record: {MESTYP: ORDERS, SNDPRN: …}"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "told"), WRONG)
def test_what_cannot_be_written_is_told_by_its_path(changed: Mapping[str, Any], told: str) -> None:
    document = {**ORDER, **changed}
    assert [str(fault) for fault in SCHEMAS.faults("idoc/ORDERS05", document)] == [told]
    with pytest.raises(MappingError) as caught:
        typed().encode_one(document, SHORT)
    assert str(caught.value) == told or "control record" in told


def test_segments_are_written_in_the_order_of_the_grammar() -> None:
    shuffled = dict(reversed(ORDER.items()))
    assert typed().encode_one(shuffled, SHORT) == text(LINES)


def test_a_field_is_found_again_in_its_file() -> None:
    find = typed().places(text(LINES), {}, 0)
    assert find(["E1EDP01", 0, "E1EDP19", 0, "IDTNR"]) == Place(6, 67, what="field IDTNR")
    assert find(["E1EDK01", "BELNR"]) == Place(2, 147, what="field BELNR")
    assert find(["control", "MESTYP"]) == Place(1, 100, what="field MESTYP")
    assert find(["E1EDP01", 7]) is None
    xml = typed().encode_one(ORDER, {})
    place = typed().places(xml, {}, 0)(["E1EDP01", 0, "E1EDP19", 0, "IDTNR"])
    assert place is not None and xml[place.offset :].startswith(b"<IDTNR>M-7")


def test_by_their_options_alone_idocs_are_read_as_before() -> None:
    found = codec("idoc").decode_one(text(LINES), {})
    assert found["E1EDK03"] == [{"SDATA": "01220260305081500"}] and found["E1EDP01"][0]["E1EDP19"]


@given(some.lists(some.tuples(some.integers(0, 6), some.integers(0, 80), some.sampled_from("0 9XZ\n\xff-"))))
def test_whatever_is_changed_in_a_file_gives_an_error_of_ours_or_a_document(
    changes: list[tuple[int, int, str]],
) -> None:
    lines = list(LINES)
    for line, column, character in changes:
        lines[line] = lines[line][:column] + character + lines[line][column + 1 :]
    for found in typed().decode([text(lines)], {}):
        assert isinstance(found, Record) or found.error.detail
        if isinstance(found, Record) and not found.faults:
            assert typed().decode_one(typed().encode_one(found.value, FLAT), {}) == found.value


def test_a_grammar_needs_no_option_and_takes_those_of_the_format() -> None:
    assert typed().OPTIONS == idoc.OPTIONS and typed().CONTENT_TYPES == idoc.CONTENT_TYPES
