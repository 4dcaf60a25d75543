"""EDIFACT and X12 as the formats of a mapping: named documents, with what is wrong kept apart, and their places."""

from __future__ import annotations

from typing import Any

import pytest

from hub.errors import MappingError
from hub.formats import BadRecord, Codec, Record, places_in
from hub.grammars import Grammars, codec_of
from hub.project import reference_files

UNB = "UNB+UNOC:3+5412345000013:14+4012345000009:14+261128:1015+77'"
GOOD = (
    "UNH+1+ORDERS:D:96A:UN'BGM+220+PO1+9'DTM+137:20261128:102'NAD+BY+5412345000013::9'"
    "LIN+1++4012345678901:EN'\nQTY+21:48'UNS+S'UNT+8+1'"
)
FAULTY = "UNH+2+ORDERS:D:96A:UN'BGM+220+PO2+9'DTM+137:20261328:102'UNS+S'UNT+5+2'"
OTHER = "UNH+3+INVOIC:D:96A:UN'BGM+380+R1+9'DTM+137:20261128:102'UNS+S'MOA+77:1'UNT+6+3'"
X12 = (
    "ISA*00*          *00*          *ZZ*ACME           *ZZ*US             *261128*1015*U*00401*000000007*0*P*>~"
    "GS*PO*ACME*US*20261128*1015*7*X*004010~ST*850*0001~BEG*00*SA*PO9**20261128~PO1*1*5*EA*9.95**VP*A1~CTT*1~"
    "SE*5*0001~GE*1*7~IEA*1*000000007~"
)


@pytest.fixture(scope="module")
def grammars() -> Grammars:
    return Grammars(reference_files())


def edifact(grammars: Grammars) -> Codec:
    return codec_of("edifact", "edifact/D96A/ORDERS", grammars)


def file_of(*messages: str) -> bytes:
    return (UNB + "".join(messages) + f"UNZ+{len(messages)}+77'").encode()


def test_a_message_is_a_document_with_names(grammars: Grammars) -> None:
    document = edifact(grammars).decode_one(file_of(GOOD), {})
    assert document["BGM"] == {"document": {"code": "220", "number": "PO1"}, "function": "9"}
    assert document["LIN_group"][0]["QTY"] == [{"qualifier": "21", "quantity": "48"}]
    assert (document["interchange"]["control_number"], document["message"]["reference"]) == ("77", "1")


def test_a_message_with_faults_and_one_of_another_type_spare_their_neighbours(grammars: Grammars) -> None:
    records = list(edifact(grammars).decode([file_of(FAULTY, OTHER, GOOD)], {}))
    assert [type(record) for record in records] == [BadRecord, BadRecord, Record]
    bad_date, other = (record.error for record in records if isinstance(record, BadRecord))
    assert "20261328" in str(bad_date) and "segment 3 DTM" in str(bad_date)
    assert "the message is of type INVOIC, and the mapping reads edifact/D96A/ORDERS" in str(other)


def test_a_package_is_no_message_of_the_type_that_a_mapping_reads(grammars: Grammars) -> None:
    raw = file_of(GOOD, "UNO+P1+ABO:1+1:1+5'HELLOUNP+5+P1'")
    raw = raw.replace(b"UNOC:3", b"UNOC:4").replace(b"+261128:", b"+20261128:")
    good, package = edifact(grammars).decode([raw], {})
    assert isinstance(good, Record) and isinstance(package, BadRecord)
    assert "the message is of type UNO, and the mapping reads edifact/D96A/ORDERS" in str(package.error)


def test_faults_go_along_where_the_mapping_wants_them(grammars: Grammars) -> None:
    [record] = edifact(grammars).decode([file_of(FAULTY)], {"faulty": "pass"})
    assert isinstance(record, Record)
    assert record.value["BGM"]["document"]["number"] == "PO2"
    assert [fault["severity"] for fault in record.value["faults"]] == ["error"]


def test_a_message_of_a_type_without_a_grammar_that_goes_along_has_no_places(grammars: Grammars) -> None:
    raw, options = file_of(OTHER.replace("INVOIC", "NOSUCH")), {"faulty": "pass"}
    [record] = edifact(grammars).decode([raw], options)
    assert isinstance(record, Record) and record.value["segments"][1]["tag"] == "BGM"
    find = places_in(edifact(grammars), raw, options, 0)
    assert find is not None and find(["segments", 1]) is None


@pytest.mark.parametrize(
    ("path", "line", "text"),
    [
        (["BGM", "document", "number"], 1, "PO1+9"),
        (["DTM", 0, "value"], 1, "20261128:102"),
        (["NAD_group", 0, "NAD", "party", "id"], 1, "5412345000013::9"),
        (["LIN_group", 0, "QTY", 0, "quantity"], 2, "48'"),
        (["LIN_group", 0], 1, "LIN+1"),
        (["interchange", "control_number"], 1, "UNB+"),
        (["message", "type"], 1, "UNH+1"),
    ],
)
def test_a_value_has_its_place_in_the_bytes(grammars: Grammars, path: list[Any], line: int, text: str) -> None:
    raw = file_of(FAULTY, GOOD)
    places = places_in(edifact(grammars), raw, {}, 1)
    assert places is not None
    place = places(path)
    assert place is not None and place.line == line
    assert raw[place.offset :].decode().startswith(text)


@pytest.mark.parametrize("path", [["BGM", "document", "nothing"], ["LIN_group", 7, "LIN"], ["NOPE"], []])
def test_what_is_not_there_has_no_place_or_the_nearest(grammars: Grammars, path: list[Any]) -> None:
    raw = file_of(GOOD)
    places = places_in(edifact(grammars), raw, {}, 0)
    assert places is not None
    place = places(path)
    assert place is None or raw[place.offset :].startswith(b"220+PO1")


def test_x12_is_read_alike(grammars: Grammars) -> None:
    raw = X12.encode()
    chosen = codec_of("x12", "x12/004010/850", grammars)
    document = chosen.decode_one(raw, {})
    assert document["BEG"]["order_number"] == "PO9"
    assert document["PO1_loop"][0]["PO1"]["price"] == "9.95"
    places = places_in(chosen, raw, {}, 0)
    assert places is not None
    place = places(["PO1_loop", 0, "PO1", "price"])
    assert place is not None and raw[place.offset :].startswith(b"9.95")


def test_what_was_read_is_written_again(grammars: Grammars) -> None:
    raw = file_of(GOOD, GOOD.replace("UNH+1", "UNH+2").replace("+1'", "+2'"))
    chosen = edifact(grammars)
    documents = [record.value for record in chosen.decode([raw], {}) if isinstance(record, Record)]
    assert chosen.encode(documents, {}) == raw.replace(b"\n", b"")
    x12 = codec_of("x12", "x12/004010/850", grammars)
    assert x12.encode_one(x12.decode_one(X12.encode(), {}), {}) == X12.encode()


def test_what_is_missing_around_a_message_is_told_all_at_once(grammars: Grammars) -> None:
    document = edifact(grammars).decode_one(file_of(GOOD), {})
    del document["interchange"]["sender"], document["interchange"]["time"]
    with pytest.raises(MappingError) as caught:
        edifact(grammars).encode_one(document, {})
    error = caught.value
    assert str(error) == "an interchange cannot be written: interchange.sender.id and interchange.time are missing"
    assert (error.field_path, "to: {partner: NAME}" in error.hint) == ("interchange.sender.id", True)


def test_the_least_that_makes_an_interchange_is_enough(grammars: Grammars) -> None:
    around = {"sender": {"id": "A"}, "receiver": {"id": "B", "qualifier": "14"}, "control_number": "7",
              "date": "260305", "time": "0930"}  # fmt: skip
    body = {"BGM": {"document": {"code": "220", "number": "1"}},
            "DTM": [{"qualifier": "137", "value": "20260305", "format": "102"}], "UNS": {"section": "S"}}  # fmt: skip
    assert edifact(grammars).encode([{"interchange": around, **body}] * 2, {}) == (
        b"UNB+UNOC:3+A+B:14+260305:0930+7'UNH+1+ORDERS:D:96A:UN'BGM+220+1'DTM+137:20260305:102'UNS+S'UNT+5+1'"
        b"UNH+2+ORDERS:D:96A:UN'BGM+220+1'DTM+137:20260305:102'UNS+S'UNT+5+2'UNZ+2+7'"
    )


@pytest.mark.parametrize(
    ("change", "path", "text"),
    [
        ({"BGM": None}, "BGM", "the segment BGM is missing; it is mandatory"),
        ({"message": {"type": "INVOIC"}}, "message.type",
         "the document is of the message INVOIC, and the grammar is edifact/D96A/ORDERS"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_told_with_its_path(
    grammars: Grammars, change: dict[str, Any], path: str, text: str
) -> None:
    document = {**edifact(grammars).decode_one(file_of(GOOD), {}), **change}
    with pytest.raises(MappingError) as caught:
        edifact(grammars).encode_one(document, {})
    assert (caught.value.field_path, caught.value.detail) == (path, text)


def test_without_a_grammar_it_is_the_codec_itself(grammars: Grammars) -> None:
    assert codec_of("edifact", None, grammars) is codec_of("edifact", "shopify/order", grammars)


LINES = (
    "UNH+4+ORDERS:D:96A:UN'BGM+220+PO4+9'DTM+137:20261128:102'LIN+1++4012345678901:EN'QTY+21:48'"
    "\nLIN+2++A-7:SA'QTY+21:3'UNS+S'UNT+9+4'"
)


def test_each_element_of_a_list_becomes_a_document_with_all_that_stands_around_it(grammars: Grammars) -> None:
    records = list(edifact(grammars).decode([file_of(LINES, FAULTY, GOOD)], {"records": "LIN_group"}))
    assert [record.index for record in records] == [0, 1, 2, 3]
    assert [record.position.rpartition(", ")[2] for record in records][:2] == ["LIN_group 1", "LIN_group 2"]
    first, second, bad, _ = records
    assert isinstance(bad, BadRecord) and isinstance(first, Record) and isinstance(second, Record)
    assert [line["LIN"]["item"]["id"] for line in second.value["LIN_group"]] == ["A-7"]
    without = {key: value for key, value in second.value.items() if key != "LIN_group"}
    assert without == {key: value for key, value in first.value.items() if key != "LIN_group"}
    assert without["BGM"]["document"]["number"] == "PO4"


def test_a_list_inside_a_list_is_one_list_of_records(grammars: Grammars) -> None:
    records = list(edifact(grammars).decode([file_of(LINES)], {"records": "LIN_group.QTY"}))
    found = [(r.value["LIN_group"][0]["LIN"]["line_number"], r.value["LIN_group"][0]["QTY"]) for r in records]
    assert found == [
        ("1", [{"qualifier": "21", "quantity": "48"}]),
        ("2", [{"qualifier": "21", "quantity": "3"}]),
    ]


def test_a_value_of_such_a_document_has_its_place_in_the_bytes(grammars: Grammars) -> None:
    raw, options = file_of(GOOD, LINES), {"records": "LIN_group"}
    places = places_in(edifact(grammars), raw, options, 2)
    assert places is not None
    quantity, number = places(["LIN_group", 0, "QTY", 0, "quantity"]), places(["BGM", "document", "number"])
    assert quantity is not None and raw[quantity.offset :].startswith(b"3'")
    assert number is not None and raw[number.offset :].startswith(b"PO4")
