"""Messages to named documents and back: nothing is lost on the way, and what cannot be written is told by its path."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from grammar_files import edifact, grammars, matched, shipped, small, x12

from hub.formats._segments import Repeats
from hub.grammars import MessageType, Namer, Writer, outline_of
from hub.grammars.types import ElementType, SegmentNode, Slot

ORDER = (
    "BGM+220+128576+9'DTM+137:20020830:102'PAI+::42'FTX+ZZZ+1++hello:there'RFF+CT:555'NAD+BY+541::9++Shop:Two+Street 1'"
    "CTA+OC+:P'LIN+1++4000862141404:EN'PIA+1+ABC:SA++DEF:MF'QTY+21:48.50'PRI+AAA:699'UNS+S'CNT+2:1'"
)
ORDER_DOCUMENT = {
    "BGM": {"document": {"code": "220", "number": "128576"}, "function": "9"},
    "DTM": [{"qualifier": "137", "value": "20020830", "format": "102"}],
    "PAI": {"means": "42"},
    "FTX": [{"subject": "ZZZ", "function": "1", "lines": ["hello", "there"]}],
    "RFF_group": [{"RFF": {"qualifier": "CT", "number": "555"}}],
    "NAD_group": [
        {
            "NAD": {
                "qualifier": "BY",
                "party": {"id": "541", "agency": "9"},
                "name": {"lines": ["Shop", "Two"]},
                "street": {"lines": ["Street 1"]},
            },
            "CTA_group": [{"CTA": {"function": "OC", "contact": {"name": "P"}}}],
        }
    ],
    "LIN_group": [
        {
            "LIN": {"line_number": "1", "item": {"id": "4000862141404", "type": "EN"}},
            "PIA": [{"function": "1", "items": [{"id": "ABC", "type": "SA"}, {}, {"id": "DEF", "type": "MF"}]}],
            "QTY": [{"qualifier": "21", "quantity": "48.50"}],
            "PRI_group": [{"PRI": {"qualifier": "AAA", "price": "699"}}],
        }
    ],
    "UNS": {"section": "S"},
    "CNT": [{"qualifier": "2", "value": "1"}],
}
PURCHASE = (
    "BEG*00*NE*PO1**20240131~ITD*01*3*2**10**30*1050~N1*BY*Shop*92*0042~PO1*1*10*EA*9.25**UP*012345678905*VN*A1~CTT*1~"
)
PURCHASE_DOCUMENT = {
    "BEG": {"purpose": "00", "type": "NE", "order_number": "PO1", "date": "20240131"},
    "ITD": [{"type": "01", "basis": "3", "discount_percent": "2", "discount_days": "10", "net_days": "30",
             "discount_amount": "10.50"}],
    "N1_loop": [{"N1": {"entity": "BY", "name": "Shop", "id_qualifier": "92", "id": "0042"}}],
    "PO1_loop": [{"PO1": {"line_number": "1", "quantity": "10", "unit": "EA", "price": "9.25",
                          "items": [{"qualifier": "UP", "id": "012345678905"}, {"qualifier": "VN", "id": "A1"}]}}],
    "CTT_loop": {"CTT": {"line_count": "1"}},
}  # fmt: skip


def document_of(message: MessageType, segments: list[list[Any]], mark: str = ".") -> dict[str, Any]:
    return Namer(message, mark).document(matched(message, segments))


def told(message: MessageType, document: Any) -> list[str]:
    return [str(fault) for fault in Writer(message).segments(document)[1]]


@pytest.mark.parametrize(
    ("name", "segments", "document"),
    [
        ("edifact/D96A/ORDERS", edifact(ORDER), ORDER_DOCUMENT),
        ("x12/004010/850", x12(PURCHASE), PURCHASE_DOCUMENT),
    ],
)
def test_a_message_is_read_and_written(name: str, segments: list[list[Any]], document: dict[str, Any]) -> None:
    message = shipped().message(name)

    assert document_of(message, segments) == document
    assert Writer(message).segments(document) == (segments, [])


def test_one_mapping_reads_both_versions() -> None:
    """D.01B has the number of a document in a composite of its own: its name is that of D.96A."""
    older = document_of(
        shipped().message("edifact/D96A/ORDERS"), edifact("BGM+220+128576+9'DTM+137:20020830:102'UNS+S'")
    )
    newer = document_of(
        shipped().message("edifact/D01B/ORDERS"), edifact("BGM+220+128576+9'DTM+137:20020830:102'UNS+S'")
    )
    assert older == newer


def test_numbers_have_a_point_whatever_the_interchange_writes() -> None:
    segments = edifact("AAA+1'BBB+1'CCC+1,50'EEE+1'")
    document = document_of(small(), segments, ",")

    assert document["BBB_group"][0]["CCC"] == [{"quantity": "1.50"}]
    assert Writer(small(), ",").segments(document) == (segments, [])


@pytest.mark.parametrize(
    ("sent", "document"),
    [("1050", "10.50"), ("5", "0.05"), ("-5", "-0.05"), ("100", "1.00"), ("12X", "12X")],
)
def test_implied_decimals_are_written_out(sent: str, document: str) -> None:
    message = shipped().message("x12/004010/850")
    segments = [["BEG", "00", "NE", "1", "", "20240131"], ["ITD", *[""] * 7, sent], ["PO1", "1"]]
    assert document_of(message, segments)["ITD"] == [{"discount_amount": document}]


@pytest.mark.parametrize(
    ("given", "sent", "fault"),
    [
        ("10.50", "1050", None),
        (Decimal("10.5"), "1050", None),
        (7, "700", None),
        ("-0.05", "-5", None),
        ("0", "0", None),
        ("0010.50", "001050", None),
        ("00.05", "0005", None),
        ("10.505", None, "ITD[0].discount_amount: has 3 decimals; N2 has at most 2 decimals"),
        ("10,50", None, "ITD[0].discount_amount: discount_amount (362) is not a whole number: '10,50'; expected "
         "digits, of "
                        "which the last 2 are decimals"),
        (True, None, "ITD[0].discount_amount: is true/false; expected text"),
    ],
)  # fmt: skip
def test_amounts_are_written_as_their_type_says(given: Any, sent: str | None, fault: str | None) -> None:
    message = shipped().message("x12/004010/850")
    document = {**PURCHASE_DOCUMENT, "ITD": [{"type": "01", "discount_days": "5", "discount_amount": given}]}
    segments, faults = Writer(message).segments(document)

    assert [str(one) for one in faults] == ([fault] if fault else [])
    if sent is not None:
        assert segments[1] == ["ITD", "01", "", "", "", "5", "", "", sent]


def test_numbers_without_decimals_keep_their_zeros() -> None:
    message = shipped().message("x12/004010/997")
    segments = x12("AK1*PO*0007~AK9*A*1*01*1~")
    assert Writer(message).segments(document_of(message, segments)) == (segments, [])
    document = {"AK1": {"functional_id": "PO", "number": Decimal("7.0")},
                "AK9": {"acknowledgment": "A", "sent_count": 1,
                "received_count": 1, "accepted_count": 1}}  # fmt: skip
    assert Writer(message).segments(document) == (x12("AK1*PO*7~AK9*A*1*1*1~"), [])


def test_a_day_may_be_given_as_mappings_have_it() -> None:
    document = {**PURCHASE_DOCUMENT, "BEG": {**PURCHASE_DOCUMENT["BEG"], "date": "2024-01-31"}}  # type: ignore[dict-item]
    assert Writer(shipped().message("x12/004010/850")).segments(document) == (x12(PURCHASE), [])


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"AAA": None}, "AAA: the segment AAA is missing; it is mandatory"),
        ({"AAB": {}}, "AAB: unknown name 'AAB'; did you mean 'AAA'?"),
        ({"AAA": {"code": "1", "parti": {}}}, "AAA.parti: unknown name 'parti'; did you mean 'party'?"),
        ({"AAA": {"code": "1", "party": {"idd": "1"}}}, "AAA.party.idd: unknown name 'idd'; did you mean 'id'?"),
        ({"AAA": {}}, "AAA.code: code (1001) is missing; it is mandatory"),
        ({"AAA": {"code": "1", "party": {"id": "123456"}}}, "AAA.party.id: party.id (1002) is 6 long: '123456'; "
         "expected at most 5"),
        ({"AAA": {"code": "1", "party": {"agency": "ABC"}}}, "AAA.party.id: party.id (1002) is missing; it is "
         "mandatory where "
                                                             "C002 stands"),
        ({"AAA": {"code": "1", "party": "x"}}, "AAA.party: is text; expected an object"),
        ({"AAA": {"code": {"a": 1}}}, "AAA.code: is an object; expected text"),
        ({"AAA": {"code": 1.5}}, "AAA.code: is a number; expected text"),
        ({"AAA": [{"code": "1"}]}, "AAA: is a list; expected an object"),
        ({"AAA": {"code": "1", "lines": ["a", "b", "c", "d"]}}, "AAA.lines: has 4 entries; there are places for 3"),
        ({"AAA": {"code": "1", "lines": ["a", "123456789"]}}, "AAA.lines[1]: lines[1] (1004) is 9 long: "
         "'123456789'; expected "
                                                              "at most 8"),
        ({"DDD": {"qualifier": "137"}}, "DDD: is an object; expected a list, since DDD may repeat"),
        ({"DDD": [{"qualifier": "137"}] * 3}, "DDD: DDD stands 3 times; at most 2"),
        ({"DDD": [{"qualifier": "137"}, "x"]}, "DDD[1]: is text; expected an object"),
        ({"BBB_group": [{"BBB": {"number": "1"}}]}, "BBB_group[0].CCC: the segment CCC is missing; it is mandatory"),
        ({"BBB_group": [{"BBB": {"texts": "a"}, "CCC": [{"quantity": "1"}]}]},
         "BBB_group[0].BBB.texts: is text; expected a list"),
        ({"BBB_group": [{"BBB": {"texts": ["a", "abcde"]}, "CCC": [{"quantity": "1"}]}]},
         "BBB_group[0].BBB.texts[1]: texts (1005) is 5 long: 'abcde'; expected at most 4"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_told_by_its_path(changed: dict[str, Any], expected: str) -> None:
    assert told(small(), {"AAA": {"code": "1"}, "EEE": {"code": "2"}, **changed}) == [expected]


def test_the_envelope_is_no_part_of_what_is_written() -> None:
    document = {"interchange": {"sender": {"id": "x"}}, "message": {}, "group": {}, "strays": [], "AAA": {"code": "1"},
                "EEE": {"code": "1"}}  # fmt: skip
    assert Writer(small()).segments(document) == ([["AAA", "1"], ["EEE", "1"]], [])
    assert told(small(), "x") == ["(document): is text; expected an object with the segments"]


def test_what_has_no_place_is_in_the_document_all_the_same() -> None:
    document = document_of(small(), edifact("AAA+1++a+b+c+d+e'XYZ+1:2+3'EEE+1'"))
    assert document == {
        "AAA": {"code": "1", "lines": ["a", "b", "c"], "extra_elements": ["d", "e"]},
        "EEE": {"code": "1"},
        "strays": [{"number": 2, "tag": "XYZ", "elements": [["1", "2"], "3"]}],
    }


VALUES = {"n": "12", "R": "1.5", "DT": "20240131", "TM": "1230"}


def value_of(element: ElementType, codes: Any) -> str:
    if codes:
        return next(code for code in codes)
    if element.decimals is not None:
        return "1".rjust(max(element.minimum, 1), "1")
    text = VALUES.get(element.type, "A" * max(element.minimum, 1))
    return text[: element.maximum].rjust(element.minimum, "1")


def filled(slot: Slot, chance: float) -> Any:
    if not slot.is_mandatory and random.random() > chance:
        return ""
    if slot.element is not None:
        value = value_of(slot.element, slot.codes)
        return Repeats([value, value]) if slot.repeats > 1 else value
    parts = [filled(component, chance) for component in slot.components]
    while parts and parts[-1] == "":
        parts.pop()
    one = parts if len(parts) > 1 else parts[0] if parts else ""
    return Repeats([one, one]) if slot.repeats > 1 and one else one


def made(message: MessageType, chance: float) -> list[list[Any]]:
    """A message with every segment once, its elements filled or not by chance."""
    segments = []
    for _, node in message.walk():
        if isinstance(node, SegmentNode):
            segment = [node.tag, *(filled(slot, chance) for slot in node.segment.slots)]
            while len(segment) > 1 and segment[-1] == "":
                segment.pop()
            segments.append(segment)
    return segments


@pytest.mark.parametrize("name", [name for name in shipped().names() if not name.startswith("eancom/")])
def test_every_message_that_is_shipped_comes_back_as_it_was(name: str) -> None:
    """Every segment of the grammar, its elements filled by chance: named and written again, to the character."""
    random.seed(7)
    message = shipped().message(name)
    for chance in (1.0, 0.6, 0.2):
        segments = made(message, chance)
        written, faults = Writer(message).segments(document_of(message, segments))
        assert [fault for fault in faults if fault.code in ("unknown_field", "type", "repeats", "required")] == []
        assert written == segments


@pytest.mark.parametrize("name", shipped().names())
def test_the_outline_knows_every_name_of_a_document(name: str) -> None:
    """What the lint of mappings knows is what documents have: each path, and whether a list, an object or text is "
    "there."""
    random.seed(7)
    message = shipped().message(name)
    document = document_of(message, made(message, 1.0))
    assert {*document} <= {*(outline_of(message).names or ())}
    follow(document, outline_of(message), "")


def follow(value: Any, outline: Any, path: str) -> None:
    if isinstance(value, dict):
        assert outline.kind == "object", path
        for key, below in value.items():
            assert outline.field(key) is not None, f"{path}.{key}"
            follow(below, outline.field(key), f"{path}.{key}")
        assert set(outline.required) <= set(value), path
    elif isinstance(value, list):
        assert outline.kind == "list", path
        for below in value:
            follow(below, outline.element, f"{path}[]")
    else:
        assert outline.kind == "text", path


def test_the_outline_has_the_codes_of_an_element() -> None:
    codes = outline_of(small()).field("AAA").field("code").codes  # type: ignore[union-attr]
    assert codes is not None
    assert (sorted(codes.values), codes.name, codes.is_open) == (["1", "2", "3"], "element 1001", False)


def test_a_group_that_stands_once_is_an_object() -> None:
    text = "title: T\nstructure: [AAA M 1, {SG1 C 1: [BBB M 1]}, {SG2 C 1 list: [CCC M 1]}, EEE C 1 list]"
    message = grammars(TEST=text).message("edifact/T1/TEST")
    segments = edifact("AAA+1'BBB+1'CCC+1'EEE+1'")
    document = document_of(message, segments)

    assert document == {
        "AAA": {"code": "1"}, "BBB_group": {"BBB": {"number": "1"}}, "CCC_group": [{"CCC": {"quantity": "1"}}],
        "EEE": [{"code": "1"}],
    }  # fmt: skip
    assert Writer(message).segments(document) == (segments, [])
