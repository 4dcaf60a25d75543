"""CII: lossless in both directions for anything that is well formed, dates by their formats, faults at their places."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from hub.errors import DecodeError, MappingError
from hub.formats import BadRecord, Place, Record, cii
from hub.formats._cii_definitions import CII
from hub.formats._ubl_faults import UblFault
from tests.unit.formats.ubl_texts import RandomDocuments, canonical, spoilt

RAW, DOCUMENT = cii.EXAMPLE
DATE = b'<udt:DateTimeString format="102">20261128</udt:DateTimeString>'


def read(raw: bytes) -> tuple[dict[str, Any], list[UblFault]]:
    """The document, also of a file with errors, and its faults."""
    (record,) = cii.decode([raw], {"faulty": "pass"})
    assert isinstance(record, Record)
    return record.value, list(record.faults)  # type: ignore[arg-type]


def dated(value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "CrossIndustryInvoice", "ExchangedDocument": {"IssueDateTime": {"DateTimeString": value}}}


def test_a_document_of_what_the_standard_allows_is_the_same_after_writing_and_reading() -> None:
    sizes = Counter()
    for seed in range(200):
        document = RandomDocuments(seed, share=0.4, standard=CII).document("CrossIndustryInvoice")
        raw = cii.encode_one(document, {})
        assert cii.decode_one(raw, {}) == document, seed
        indented = cii.encode_one(document, {"indent": 3})
        again = cii.decode_one(indented, {})
        assert canonical(cii.encode_one(again, {})) == canonical(indented), seed
        sizes["long"] += len(raw) > 1200
    assert sizes["long"] > 50


def test_whatever_is_wrong_with_a_document_nothing_of_it_is_lost() -> None:
    codes: Counter[str] = Counter()
    for seed in range(300):
        chance = random.Random(seed)
        document = RandomDocuments(seed, share=0.5, standard=CII).document("CrossIndustryInvoice")
        raw = spoilt(cii.encode_one(document, {"indent": chance.choice([0, 2])}), chance)
        document, faults = read(raw)
        assert canonical(cii.encode_one(document, {})) == canonical(raw), seed
        assert all(fault.path and fault.line and fault.column for fault in faults), seed
        codes.update(fault.full_code for fault in faults)
    assert codes["unknown_element"] and codes["order"] and codes["repeated"] and codes["text_between"]


@pytest.mark.parametrize(("format", "text", "value"), [
    ("102", "20240229", "2024-02-29"), ("203", "202611281159", "2026-11-28T11:59"),
    ("204", "20261128235959", "2026-11-28T23:59:59"), ("616", "202648", "202648"), ("102", " 20261128\n", "2026-11-28"),
])  # fmt: skip
def test_a_date_is_read_by_its_format_and_written_as_it_came(format: str, text: str, value: str) -> None:
    raw = RAW.replace(DATE, f'<udt:DateTimeString format="{format}">{text}</udt:DateTimeString>'.encode())
    document = cii.decode_one(raw, {})
    assert document["ExchangedDocument"]["IssueDateTime"]["DateTimeString"] == {"value": value, "format": format}
    assert cii.encode_one(document, {}) == raw


@pytest.mark.parametrize(("format", "text"), [
    ("102", "20260230"), ("102", "00000101"), ("102", "2026-11-28"), ("102", ""), ("102", "\u0662\u0660261128"),
    ("203", "202611282400"), ("204", "20261128"),
])  # fmt: skip
def test_a_date_that_is_none_is_told_with_line_and_path_and_kept(format: str, text: str) -> None:
    raw = RAW.replace(DATE, f'<udt:DateTimeString format="{format}">{text}</udt:DateTimeString>'.encode())
    (record,) = cii.decode([raw], {})
    assert isinstance(record, BadRecord) and record.error.code == "date"
    assert "/ram:IssueDateTime/udt:DateTimeString" in record.error.field_path and "CCYYMMDD" in record.error.detail
    document, _ = read(raw)
    assert canonical(cii.encode_one(document, {})) == canonical(raw)


@pytest.mark.parametrize("value", ["2026-02-30", "20261128", "28.11.2026", "2026-11-28T10:00", ""])
def test_a_date_that_is_none_is_not_written(value: str) -> None:
    with pytest.raises(MappingError, match="expected YYYY-MM-DD") as caught:
        cii.encode_one(dated({"value": value, "format": "102"}), {})
    assert caught.value.field_path == "ExchangedDocument.IssueDateTime.DateTimeString.value"


def test_lines_that_look_alike_are_read_like_the_first() -> None:
    line = {"AssociatedDocumentLineDocument": {"LineID": {"value": "1"}}, "SpecifiedTradeProduct": {
        "Name": ["a & b"], "ApplicableProductCharacteristic": [{"Description": ["x"], "Value": ["y"]}]},
        "SpecifiedLineTradeDelivery": {"ActualDeliverySupplyChainEvent": {"OccurrenceDateTime": {
            "DateTimeString": {"value": "2026-11-28", "format": "102"}}}}}  # fmt: skip
    document = {"type": "CrossIndustryInvoice",
                "SupplyChainTradeTransaction": {"IncludedSupplyChainTradeLineItem": [line] * 40}}  # fmt: skip
    raw = cii.encode_one(document, {"indent": 2})
    assert {**cii.decode_one(raw, {}), "indent": None} == {**document, "indent": None}
    wrong = raw.replace(b">20261128<", b">20261328<")
    assert len([fault for fault in read(wrong)[1] if fault.full_code == "date"]) == 40


def test_a_value_has_its_place_in_the_file() -> None:
    place = cii.places(RAW, {}, 0)(["ExchangedDocument", "IssueDateTime", "DateTimeString", "value"])
    assert isinstance(place, Place) and RAW[place.offset :].startswith(b'<udt:DateTimeString format="102">')


@pytest.mark.parametrize(("raw", "code"), [
    (b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>', "no_cii"),
    (b'<a:CrossIndustryDocument xmlns:a="urn:ferd:CrossIndustryDocument:invoice:1p0"/>', "no_cii"),
    (b'<CrossIndustryOrder xmlns="urn:un:unece:uncefact:data:standard:CrossIndustryOrder:100"/>', "unknown_type"),
])  # fmt: skip
def test_another_document_is_refused_as_what_it_is(raw: bytes, code: str) -> None:
    with pytest.raises(DecodeError) as caught:
        cii.decode_one(raw, {})
    assert caught.value.code == code
