"""UBL: lossless in both directions for anything that is well formed, faults at their places, nothing else comes out."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.errors import DecodeError, MappingError
from hub.formats import BadRecord, Place, Record, ubl
from hub.formats._ubl_definitions import AGGREGATE, BASIC, TYPES, UBL
from hub.formats._ubl_faults import UblError, UblFault
from hub.formats._ubl_reading import read_document
from hub.formats._ubl_run import Run
from hub.formats._xml_plain import parts_as_it_came
from tests.unit.formats.ubl_texts import RandomDocuments, canonical, envelope, spoilt

each_type = pytest.mark.parametrize("type", ubl.TYPES)
TOTAL = "<cac:LegalMonetaryTotal>{}</cac:LegalMonetaryTotal>"
AMOUNT = TOTAL.format('<cbc:PayableAmount currencyID="EUR">{}</cbc:PayableAmount>')


def read(raw: bytes) -> tuple[dict[str, Any], list[UblFault]]:
    """The document, also of a file with errors, and its faults."""
    (record,) = ubl.decode([raw], {"faulty": "pass"})
    assert isinstance(record, Record)
    return record.value, list(record.faults)  # type: ignore[arg-type]


@each_type
def test_a_document_of_what_the_standard_allows_is_the_same_after_writing_and_reading(type: str) -> None:
    sizes = Counter()
    for seed in range(25):
        document = RandomDocuments(seed).document(type)
        raw = ubl.encode_one(document, {})
        assert ubl.decode_one(raw, {}) == document, seed
        indented = ubl.encode_one(document, {"indent": 3})
        again = ubl.decode_one(indented, {})
        assert canonical(ubl.encode_one(again, {})) == canonical(indented), seed
        sizes["long"] += len(raw) > 1200
    assert sizes["long"]


@each_type
def test_whatever_is_wrong_with_a_document_nothing_of_it_is_lost(type: str) -> None:
    codes: Counter[str] = Counter()
    for seed in range(60):
        chance = random.Random(f"{type} {seed}")
        written = ubl.encode_one(RandomDocuments(seed).document(type), {"indent": chance.choice([0, 2])})
        raw = spoilt(written, chance)
        document, faults = read(raw)
        back = ubl.encode_one(document, {})
        assert canonical(back) == canonical(raw), seed
        assert without(read(back)[0], "faults") == without(document, "faults"), seed
        assert all(fault.path and fault.line and fault.column for fault in faults), seed
        codes.update(fault.full_code for fault in faults)
    assert codes["unknown_element"] and codes["order"] and codes["repeated"] and codes["text_between"]


def without(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {own: value for own, value in document.items() if own != name}


def test_the_order_of_a_document_s_names_is_no_matter() -> None:
    document = RandomDocuments(1).document("Order")
    turned = dict(reversed(document.items()))
    assert ubl.encode_one(turned, {}) == ubl.encode_one(document, {})


FAULTS = [
    (AMOUNT.format("1,234.50"), "error", "number", "'1,234.50' is not a number", {"currency": "EUR"}),
    (AMOUNT.format("10.50 EUR"), "error", "number", "'10.50 EUR' is not a number", {"currency": "EUR"}),
    (AMOUNT.format("1e3"), "error", "number", "such as 1234.50", {"currency": "EUR"}),
    (AMOUNT.format("NaN"), "error", "number", "'NaN' is not a number", {"currency": "EUR"}),
    (AMOUNT.format("١٢"), "error", "number", "is not a number", {"currency": "EUR"}),
    (AMOUNT.format(""), "error", "number", "'' is not a number", {"currency": "EUR"}),
    (AMOUNT.format("9" * 41), "error", "number", "at most 40 digits", {"currency": "EUR"}),
    (AMOUNT.format("-0.00"), "warning", "negative_zero", "as zero", {"amount": Decimal("0.00"), "currency": "EUR"}),
    (TOTAL.format("<cbc:PayableAmount>1</cbc:PayableAmount>"), "error", "currency_missing", 'currencyID="EUR"',
     {"amount": Decimal(1)}),
    (TOTAL.format('<cbc:PayableAmount currencyID="">1</cbc:PayableAmount>'), "error", "currency_missing", "",
     {"amount": Decimal(1), "currency": ""}),
]  # fmt: skip


@pytest.mark.parametrize(("inside", "severity", "code", "message", "value"), FAULTS)
def test_what_is_wrong_with_an_amount_is_told_and_the_text_is_kept(
    inside: str, severity: str, code: str, message: str, value: Any
) -> None:
    raw = envelope("Invoice", inside)
    document, (fault,) = read(raw)
    assert (fault.severity, fault.full_code) == (severity, code) and message in fault.message
    assert fault.path == "/Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount" and fault.line == 1
    assert document["LegalMonetaryTotal"]["PayableAmount"] == value
    assert not str(document["LegalMonetaryTotal"]["PayableAmount"].get("amount", "")).startswith("-")
    assert canonical(ubl.encode_one(document, {})) == canonical(raw)


LEAVES = [
    ("<cbc:IssueDate>0000-01-01</cbc:IssueDate>", "date", None),
    ("<cbc:IssueDate>2026-02-29</cbc:IssueDate>", "date", None),
    ("<cbc:IssueDate>28.11.2026</cbc:IssueDate>", "date", None),
    ("<cbc:IssueDate>20261128</cbc:IssueDate>", "date", None),
    ("<cbc:IssueDate>2026-11-28Z</cbc:IssueDate>", "zone", "2026-11-28"),
    ("<cbc:IssueDate> 2026-11-28\n</cbc:IssueDate>", "", "2026-11-28"),
    ("<cbc:IssueTime>25:00:00</cbc:IssueTime>", "time", None),
    ("<cbc:IssueTime>24:00:00</cbc:IssueTime>", "", "24:00:00"),
    ("<cbc:CopyIndicator>yes</cbc:CopyIndicator>", "indicator", None),
    ("<cbc:CopyIndicator>1</cbc:CopyIndicator>", "", True),
    ("<cbc:LineCountNumeric>+01.0</cbc:LineCountNumeric>", "", Decimal("1.0")),
    ("<cbc:LineCountNumeric> 2 </cbc:LineCountNumeric>", "", Decimal(2)),
    ("<cbc:LineCountNumeric>.5</cbc:LineCountNumeric>", "", Decimal("0.5")),
    ("<cbc:LineCountNumeric/>", "number", None),
]


@pytest.mark.parametrize(("inside", "code", "value"), LEAVES)
def test_a_leaf_is_its_value_and_what_it_was_spelled_as(inside: str, code: str, value: Any) -> None:
    raw = envelope("Invoice", inside)
    document, faults = read(raw)
    assert [fault.full_code for fault in faults] == ([code] if code else [])
    (name,) = (own for own in document if own[0].isupper())
    assert document[name] == value and type(document[name]) is type(value)
    assert canonical(ubl.encode_one(document, {})) == canonical(raw)


def test_a_value_that_was_changed_is_not_written_as_it_was_spelled() -> None:
    document, _ = read(envelope("Invoice", AMOUNT.format("+12.50")))
    assert document["LegalMonetaryTotal"]["spelled"] == {"PayableAmount": "+12.50"}
    document["LegalMonetaryTotal"]["PayableAmount"]["amount"] = Decimal("13.00")
    assert b">13.00</" in ubl.encode_one(document, {})


@pytest.mark.parametrize("text", ["10<!-- -->00.00", "10<?x y?>00.00", "<![CDATA[10]]>00.00", "1&#48;&#x30;0.00"])
def test_an_amount_is_one_text_whatever_stands_in_it(text: str) -> None:
    document, faults = read(envelope("Invoice", AMOUNT.format(text)))
    assert document["LegalMonetaryTotal"]["PayableAmount"] == {"amount": Decimal("1000.00"), "currency": "EUR"}
    assert not faults


def test_every_fault_is_told_with_line_and_column_not_the_first_alone() -> None:
    raw = b"\n".join([envelope("Invoice", "")[:-10] + b"", *[b"<cbc:IssueDate>x</cbc:IssueDate>"] * 3, b"</Invoice>"])
    (bad,) = ubl.decode([raw], {})
    assert isinstance(bad, BadRecord) and isinstance(bad.error, UblError)
    assert bad.position == "line 2, column 1"
    assert [fault.position for fault in bad.error.faults] == [
        "line 2, column 1, /Invoice/cbc:IssueDate[1]", "line 3, column 1, /Invoice/cbc:IssueDate[2]",
        "line 4, column 1, /Invoice/cbc:IssueDate[3]",
    ]  # fmt: skip
    assert bad.error.detail.endswith("(and 2 more)") and bad.error.field_path == "/Invoice/cbc:IssueDate[1]"


def test_ten_thousand_wrong_values_give_a_thousand_faults_and_their_number() -> None:
    line = '<cac:InvoiceLine><cbc:LineExtensionAmount currencyID="EUR">1,5</cbc:LineExtensionAmount></cac:InvoiceLine>'
    with pytest.raises(UblError) as caught:
        ubl.decode_one(envelope("Invoice", line * 10_000), {})
    assert len(caught.value.faults) == 1001
    assert caught.value.faults[-1].message == "9,000 more of them (errors) are not told"
    assert caught.value.faults[999].path == "/Invoice/cac:InvoiceLine[1000]/cbc:LineExtensionAmount"


WIDE = "".join(f' a{number}=""' for number in range(201))
REFUSED = [
    (b"", "no_xml"),
    (b"hello", "no_xml"),
    (b"<Invoice/>", "no_ubl"),
    (b'<Invoice xmlns="urn:of-others"/>', "no_ubl"),
    (envelope("Invoice", "").replace(b"<Invoice", b"<Order").replace(b"</Invoice", b"</Order"), "unknown_type"),
    (envelope("Invoice", "").replace(b"Invoice", b"Quotation"), "unknown_type"),
    (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + envelope("Invoice", "<cbc:ID>&e;</cbc:ID>"),
     "document_type"),
    (envelope("Invoice", "<cbc:ID>&e;</cbc:ID>"), "malformed"),
    (envelope("Invoice", "<cbc:ID>1</cbc:id>"), "malformed"),
    (envelope("Invoice", "<cbc:ID>1</cbc:ID>")[:-9], "malformed"),
    (envelope("Invoice", "<cbd:ID>1</cbd:ID>"), "malformed"),
    (envelope("Invoice", '<cbc:ID a="1" a="2">1</cbc:ID>'), "malformed"),
    (envelope("Invoice", "<cbc:ID>\x01</cbc:ID>"), "malformed"),
    (envelope("Invoice", "<cbc:ID>x</cbc:ID>").replace(b"x<", b"\xff<"), "malformed"),
    (envelope("Invoice", "<a>" * 199 + "</a>" * 199), ""),
    (envelope("Invoice", "<a>" * 200 + "</a>" * 200), "too_large"),
    (envelope("Invoice", "<cbc:ID>" * 200 + "</cbc:ID>" * 200), "too_large"),
    (envelope("Invoice", "<cac:Signature><cac:SignatoryParty>" + "<cac:AgentParty>" * 200 + "</cac:AgentParty>" * 200
              + "</cac:SignatoryParty></cac:Signature>"), "too_large"),
    (envelope("Invoice", f"<cbc:ID{WIDE}>1</cbc:ID>"), "too_large"),
    (envelope("Invoice", f"<b><c{WIDE}/></b>"), "too_large"),
    (envelope("Invoice", '<cbc:ID a="' + "=" * 300 + '">1</cbc:ID>'), ""),
    (b'<?xml version="1.0" encoding="UTF-7"?>' + envelope("Invoice", ""), "encoding"),
    (b" " * 64_000_001, "too_large"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "code"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_ubl_or_too_much_is_refused(raw: bytes, code: str) -> None:
    if not code:
        read(raw)
        return
    with pytest.raises(DecodeError) as caught:
        read(raw)
    assert caught.value.code == code and (caught.value.position or caught.value.field_path or code == "too_large")


def test_text_that_looks_like_tags_without_their_brackets_stays_text() -> None:
    raw = envelope("Invoice", "<cbc:ID>1>cbc:Note>evil>/cbc:Note></cbc:ID>")
    document, faults = read(raw)
    assert document["ID"] == {"value": "1>cbc:Note>evil>/cbc:Note>"} and "Note" not in document and not faults


def test_a_misspelt_type_or_element_is_told_with_what_it_may_mean() -> None:
    with pytest.raises(DecodeError, match="did you mean 'Invoice'"):
        read(envelope("Invoice", "").replace(b"Invoice", b"Invoise"))
    _, (fault,) = read(envelope("Invoice", "<cbc:IsueDate>2026-11-28</cbc:IsueDate>"))
    assert fault.severity == "warning" and "did you mean 'IssueDate'" in fault.message
    _, (fault,) = read(envelope("Invoice", "<cac:IssueDate>2026-11-28</cac:IssueDate>"))
    assert "IssueDate is of urn:oasis" in fault.message and "BasicComponents" in fault.message


def test_namespaces_are_taken_wherever_they_are_declared() -> None:
    raw = (
        f'<i:Invoice xmlns:i="{UBL.namespace_of("Invoice")}"><ID xmlns="{BASIC}">1</ID>'
        f'<OrderReference xmlns="{AGGREGATE}"><b:ID xmlns:b="{BASIC}">2</b:ID></OrderReference>'
        "</i:Invoice>"
    ).encode()
    document, faults = read(raw)
    assert document["ID"] == {"value": "1"} and document["OrderReference"]["ID"] == {"value": "2"} and not faults
    assert canonical(ubl.encode_one(document, {})) == canonical(raw)


ENCODING = [
    ({"ID": {"value": "1"}}, "type", "the type of the document"),
    ({"type": "Invoise"}, "type", "did you mean 'Invoice'"),
    ({"type": "Invoice", "IssuDate": "x"}, "IssuDate", "did you mean 'IssueDate'"),
    ({"type": "Invoice", "ID": "1"}, "ID", "expected an object of value, scheme_id, got text"),
    ({"type": "Invoice", "ID": {"value": "1", "scheme": "x"}}, "ID.scheme", "did you mean 'scheme_id'"),
    ({"type": "Invoice", "ID": {"value": 4711}}, "ID.value", "expected text, got a number"),
    ({"type": "Invoice", "Note": "one"}, "Note", "expected a list"),
    ({"type": "Invoice", "Note": ["one", 2]}, "Note[1]", "expected text, got a number"),
    ({"type": "Invoice", "DueDate": ["2026-11-28"]}, "DueDate", "expected one alone, not a list"),
    ({"type": "Invoice", "LineCountNumeric": "3"}, "LineCountNumeric", "expected a decimal number, got text"),
    ({"type": "Invoice", "LineCountNumeric": True}, "LineCountNumeric", "expected a decimal number"),
    ({"type": "Invoice", "LineCountNumeric": Decimal("NaN")}, "LineCountNumeric", "finite"),
    ({"type": "Invoice", "LineCountNumeric": 1.5}, "LineCountNumeric", "a binary number"),
    ({"type": "Invoice", "CopyIndicator": "true"}, "CopyIndicator", "expected true or false, got text"),
    ({"type": "Invoice", "LegalMonetaryTotal": {"PayableAmount": {"amount": Decimal(1)}}},
     "LegalMonetaryTotal.PayableAmount.currency", "is missing"),
    ({"type": "Invoice", "LegalMonetaryTotal": {"PayableAmount": {"currency": "EUR"}}},
     "LegalMonetaryTotal.PayableAmount.amount", "is missing"),
    ({"type": "Invoice", "TaxTotal": [{"TaxAmount": Decimal(1)}]}, "TaxTotal[0].TaxAmount", "of amount, currency"),
    ({"type": "Invoice", "Note": ["a\x00b"]}, "Note[0]", "U+0000"),
    ({"type": "Invoice", "Note": ["a\ud800b"]}, "Note[0]", "U+D800"),
    ({"type": "Invoice", "other": ["<a>"]}, "other[0]", "not well formed"),
    ({"type": "Invoice", "other": ["</Invoice><Invoice>"]}, "other[0]", "not well formed"),
    ({"type": "Invoice", "other": ["<x:a/>"]}, "other[0]", "prefixes declared"),
    ({"type": "Invoice", "other": ['<!DOCTYPE a><a/>']}, "other[0]", "not well formed"),
    ({"type": "Invoice", "UBLExtensions": {"UBLExtension": [{"ExtensionContent": "<a>"}]}},
     "UBLExtensions.UBLExtension[0].ExtensionContent", "not well formed"),
    ({"type": "Invoice", "namespaces": {"": UBL.namespace_of("Invoice")}, "ID": {"value": "1"}},
     "namespaces", "there is no prefix"),
    ({"type": "Invoice", "namespaces": {"": ["urn:x"]}, "Note": ["a"]}, "namespaces", "an object of texts"),
    ({"type": "Invoice", "indent": "<a/>", "Note": ["a"]}, "indent", "expected blanks"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "path", "message"), ENCODING)
def test_what_ubl_cannot_carry_is_told_with_its_path(document: Any, path: str, message: str) -> None:
    with pytest.raises(MappingError) as caught:
        ubl.encode_one(document, {})
    assert caught.value.code == "encode" and caught.value.field_path == path
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ['x y="1"', "1a", "", "a>b", "x:undeclared"])
def test_no_attribute_breaks_out_of_its_tag(name: str) -> None:
    with pytest.raises(MappingError):
        ubl.encode_one({"type": "Invoice", "Note": ["a"], "attributes": {"Note": [{name: "x"}]}}, {})
    with pytest.raises(MappingError):
        ubl.encode_one({"type": "Invoice", "namespaces": {name: "urn:x"}}, {})


def test_texts_are_escaped_as_their_place_asks() -> None:
    odd = 'a & b < c > d "e" \t\n\r'
    document = {"type": "Invoice", "ID": {"value": odd, "scheme_id": odd}, "Note": ["plain", odd]}
    raw = ubl.encode_one(document, {})
    assert b'schemeID="a &amp; b &lt; c &gt; d &quot;e&quot; &#9;&#10;&#13;">' in raw
    assert raw.count(b'a &amp; b &lt; c &gt; d "e" \t\n&#13;</') == 2
    written = ubl.decode_one(raw, {})
    assert {name: written[name] for name in document} == document


def test_a_list_without_elements_writes_nothing_and_its_blanks_neither() -> None:
    for document in ({"PaymentMeans": []}, {"PaymentMeans": [{"PaymentID": []}]}):
        raw = ubl.encode_one({"type": "Invoice", **document}, {"indent": 2})
        assert raw.endswith((b"></Invoice>", b"<cac:PaymentMeans></cac:PaymentMeans>\n</Invoice>"))


def test_several_documents_are_no_file() -> None:
    with pytest.raises(MappingError, match="2 documents for one file"):
        ubl.encode([ubl.EXAMPLE[1]] * 2, {})


def test_the_place_of_a_value_is_that_of_its_element() -> None:
    raw = (Path(__file__).parents[2] / "golden/ubl/invoice.in").read_bytes()
    find = ubl.places(raw, {}, 0)
    place = find(["InvoiceLine", 0, "Price", "PriceAmount", "amount"])
    assert isinstance(place, Place) and raw[place.offset :].startswith(b'<cbc:PriceAmount currencyID="EUR">10.0000')
    assert raw.count(b"\n", 0, place.offset) + 1 == place.line
    assert raw.rfind(b"\n", 0, place.offset) + place.column == place.offset
    assert find(["InvoiceLine", 0, "attributes", "ID"]) == find(["InvoiceLine", 0])
    assert find(["NoSuchThing"]) is None
    assert ubl.places(b"<no", {}, 0)(["ID"]) is None


def test_reading_takes_no_more_definitions_than_it_needs() -> None:
    fresh = replace(UBL, _made={})
    read_document(fresh, *parts_as_it_came(ubl.EXAMPLE[0]))
    assert [name for name, is_document in fresh._made if is_document] == ["Invoice"] and len(TYPES) == 16


INSERTED = [
    b"<", b">", b"&amp;", b"&#x1F600;", b"<!-- > -->", b"<?p i?>", b"<![CDATA[<]]>", b"]]>", b"<a/>", b" xmlns=''",
    b"<cbc:ID>1</cbc:ID>", b"\r\n", b" x='1'", b"\t", b"9", b"-",
]  # fmt: skip


def test_mutated_documents_give_a_decode_error_or_a_document_that_is_written_again() -> None:
    chance, ends = random.Random(4713), Counter()
    for number in range(1500):
        raw = bytearray(ubl.encode_one(RandomDocuments(number % 40).document(ubl.TYPES[number % 16]), {}))
        for _ in range(chance.choice([1, 1, 1, 4])):
            at = chance.randrange(len(raw))
            match chance.choice([0, 1, 2, 2, 2, 3]):
                case 0:
                    raw[at] = chance.randrange(256)
                case 1:
                    del raw[at : at + chance.randrange(1, 12)]
                case 2:
                    raw[at:at] = chance.choice(INSERTED)
                case _:
                    raw[at:at] = raw[chance.randrange(len(raw)) :][:30]
        try:
            document, _ = read(bytes(raw))
        except DecodeError:
            ends["error"] += 1
            continue
        assert canonical(ubl.encode_one(document, {})) == canonical(bytes(raw)), bytes(raw)
        ends["document"] += 1
    assert ends["error"] > 100 and ends["document"] > 100, ends


LINE = (
    '<cac:InvoiceLine><cbc:ID>{0}</cbc:ID><cbc:Note>a &amp; {0}</cbc:Note><cbc:InvoicedQuantity unitCode="C62">{0}'
    '</cbc:InvoicedQuantity><cbc:LineExtensionAmount currencyID="EUR">{0}.50</cbc:LineExtensionAmount><cac:Item>'
    '<cac:StandardItemIdentification><cbc:ID schemeID="0160">{0}</cbc:ID></cac:StandardItemIdentification></cac:Item>'
    "</cac:InvoiceLine>"
)
CHANGED = [
    ("", ""), ('"C62">', '"C62">1,'), ("</cbc:Note>", "</cbc:Note> "), ("<cbc:Note>", "<cbc:Note>&lt;"), ("C62", "KGM"),
    ("<cbc:ID>", '<cbc:ID schemeID="x">'), ("<cac:Item>", "<cac:Item>text"), ("<cac:Item>", "<cac:Item><a/>"),
    ("</cac:Item>", "</cac:Item><cac:Item/>"), ("<cbc:Note>", "<cbc:Note><b/>"), (".50", ".50<!-- > -->"),
    ("<cbc:Note>", '<cbc:Note languageID="en">'), ("cbc:Note", "cbc:Notes"), ("<cac:Item>", "<cac:Price/><cac:Item>"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), CHANGED)
def test_a_part_like_those_before_is_read_as_they_are_and_one_that_is_not_is_not(
    old: str, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves: list[int] = []
    move = Run.move_to
    monkeypatch.setattr(Run, "move_to", lambda run, at: (moves.append(at), move(run, at))[1])
    lines = [LINE.format(number) for number in range(40)]
    document, faults = read(envelope("Invoice", "".join(lines)))
    assert len(moves) >= 20 and not faults
    assert [line["InvoicedQuantity"]["value"] for line in document["InvoiceLine"]] == list(map(Decimal, range(40)))
    assert document["InvoiceLine"][39]["Note"] == ["a & 39"]
    assert all(list(line) == list(document["InvoiceLine"][0]) for line in document["InvoiceLine"])
    lines[30] = lines[30].replace(old, new) if old else lines[30]
    raw = envelope("Invoice", "".join(lines))
    changed, faults = read(raw)
    assert canonical(ubl.encode_one(changed, {})) == canonical(raw)
    assert {fault.path.split("/")[2] for fault in faults} <= {"cac:InvoiceLine[31]"}
    others = [number for number in range(40) if number != 30]
    assert [changed["InvoiceLine"][n] for n in others] == [document["InvoiceLine"][n] for n in others]
