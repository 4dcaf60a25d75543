"""The invoice in a PDF: taken out, read, placed; everything else is refused as what it is."""

from __future__ import annotations

import random

import pytest
from pdfs import pdf

from hub.errors import DecodeError
from hub.formats import BadRecord, Place, _pdf_invoice, cii
from hub.schemas import SchemaSet

RAW, DOCUMENT = cii.EXAMPLE


@pytest.mark.parametrize("name", ["factur_x", "zugferd_invoice", "ZUGFeRD_Invoice", "xrechnung"])
def test_the_invoice_in_a_pdf_is_read_as_its_xml_is(name: str) -> None:
    whole = pdf(other=b"<no/>", **{name: RAW})
    assert cii.decode_one(whole, {}) == DOCUMENT
    assert cii.raw_of(whole, {}) == cii.raw_of(RAW, {})
    typed = SchemaSet({}).codec("cii", "cii/D22B/CrossIndustryInvoice")
    assert typed.decode_one(whole, {}) == DOCUMENT
    place = typed.places(whole, {}, 0)(["ExchangedDocument", "ID"])  # type: ignore[attr-defined]
    assert isinstance(place, Place) and RAW[place.offset :].startswith(b"<ram:ID>4711")


def test_a_fault_has_its_line_in_the_xml() -> None:
    (record,) = cii.decode([pdf(factur_x=RAW.replace(b">119.00<", b">1,19<"))], {})
    assert isinstance(record, BadRecord) and record.error.code == "number" and "line 2" in record.position


@pytest.mark.parametrize(("raw", "code", "words"), [
    (pdf(), "no_invoice", "no file at all"),
    (pdf(order_x=RAW), "no_invoice", "only order-x.xml"),
    (pdf(password="", factur_x=RAW), "encrypted", "one that is not"),
    (pdf(password="secret", factur_x=RAW), "encrypted", "one that is not"),
    (pdf(factur_x=RAW)[:300], "pdf", "broken"),
    (b"%PDF-1.7\n", "pdf", "broken"),
    (pdf(**{f"a{number}": b"<a/>" for number in range(101)}), "too_many", "more than 100 files"),
], ids=["none", "another", "no-password", "encrypted", "cut", "head", "many"])  # fmt: skip
def test_another_pdf_is_refused_as_what_it_is(raw: bytes, code: str, words: str) -> None:
    with pytest.raises(DecodeError, match=words) as caught:
        cii.decode_one(raw, {})
    assert caught.value.code == code


def test_a_pdf_that_is_too_large_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pypdf.PdfReader.__init__", None)
    with pytest.raises(DecodeError, match="at most 64,000,000"):
        _pdf_invoice.embedded(b"%PDF-" + bytes(64 * 1024 * 1024))


def test_mutated_pdfs_give_a_document_or_an_error_of_ours() -> None:
    whole, chance, ends = pdf(factur_x=RAW), random.Random(4714), set()
    for _ in range(150):
        raw = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(8, len(raw))
            raw[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        try:
            cii.decode_one(bytes(raw), {})
            ends.add("read")
        except DecodeError as error:
            ends.add(error.code)
    assert {"read", "pdf"} <= ends
