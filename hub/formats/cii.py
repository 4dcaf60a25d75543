"""CII: the Cross Industry Invoice of UN/CEFACT, which Factur-X, ZUGFeRD 2 and XRechnung use; nothing of a file is lost.

One file is one invoice, under the standard's own names; dates are ``{value: 2026-11-28, format: "102"}``. A PDF
that has an invoice embedded (Factur-X, ZUGFeRD) is read as that invoice, and with ``hybrid`` written. Faults and limits
are those of UBL. docs/reference/cii.md tells what a document looks like.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hub.formats import BadRecord, FileWanted, Option, Places, Record, option_faults
from hub.formats._cii_definitions import CII, TYPES
from hub.formats._pdf_hybrid import PDF, PROFILES, hybrid
from hub.formats._pdf_invoice import xml_of
from hub.formats._ubl_codec import CONTENT_TYPES as XML_TYPES
from hub.formats._ubl_codec import OPTIONS as XML_OPTIONS
from hub.formats._ubl_codec import StandardCodec
from hub.formats._xml_writing import fault

_PDF_TYPE = "application/pdf"
CONTENT_TYPES = (*XML_TYPES, _PDF_TYPE)
OPTIONS = (
    *XML_OPTIONS,
    Option("hybrid", "choice", "", ("", *PROFILES), "writing: a PDF/A-3 of this profile, which has the XML in it; its "
           "pages are those of the PDF that is an attachment of the invoice"),
    Option("visible", description="writing with `hybrid`: the id of that attachment, where several are PDFs"),
)  # fmt: skip

EXAMPLE = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100" '
    b'xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100" '
    b'xmlns:qdt="urn:un:unece:uncefact:data:standard:QualifiedDataType:100" '
    b'xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">'
    b"<rsm:ExchangedDocument><ram:ID>4711</ram:ID><ram:TypeCode>380</ram:TypeCode><ram:IssueDateTime>"
    b'<udt:DateTimeString format="102">20261128</udt:DateTimeString></ram:IssueDateTime></rsm:ExchangedDocument>'
    b"<rsm:SupplyChainTradeTransaction><ram:ApplicableHeaderTradeSettlement>"
    b"<ram:SpecifiedTradeSettlementHeaderMonetarySummation>"
    b'<ram:TaxTotalAmount currencyID="EUR">19.00</ram:TaxTotalAmount>'
    b"<ram:DuePayableAmount>119.00</ram:DuePayableAmount></ram:SpecifiedTradeSettlementHeaderMonetarySummation>"
    b"</ram:ApplicableHeaderTradeSettlement></rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>",
    {
        "type": "CrossIndustryInvoice",
        "ExchangedDocument": {
            "ID": {"value": "4711"},
            "TypeCode": "380",
            "IssueDateTime": {"DateTimeString": {"value": "2026-11-28", "format": "102"}},
        },
        "SupplyChainTradeTransaction": {
            "ApplicableHeaderTradeSettlement": {
                "SpecifiedTradeSettlementHeaderMonetarySummation": {
                    "TaxTotalAmount": [{"amount": Decimal("19.00"), "currency": "EUR"}],
                    "DuePayableAmount": [{"amount": Decimal("119.00")}],
                }
            }
        },
    },
)


class _Codec(StandardCodec):
    """The same for what is embedded in a PDF, or is to be."""

    def decode(self, chunks: Iterable[bytes], options: Mapping[str, Any]) -> Iterator[Record | BadRecord]:
        """As for XML. Raises DecodeError for a PDF without an invoice, or one that cannot be read."""
        return super().decode([xml_of(b"".join(chunks))], options)

    def encode_one(self, document: Any, options: Mapping[str, Any]) -> bytes:
        """As for XML; with ``hybrid`` the PDF that the document has as ``pdf``, in Base64, with that XML in it. Raises
        MappingError, also for an invoice of another profile and for a PDF that cannot be one of Factur-X."""
        profile = options.get("hybrid") if options else ""
        if not profile or not isinstance(document, Mapping):
            return super().encode_one(document, options)
        if PDF not in document:
            raise fault(PDF, "no PDF to put the invoice into", "the PDF that people read, in Base64")
        bare = {name: value for name, value in document.items() if name != PDF}
        xml, named = super().encode_one(bare, options), PROFILES[profile][0]
        if (seen := _guideline(bare)) != named:
            seen, path = f"'{seen}'" if seen else "no profile", ".".join(_GUIDELINE)
            raise fault(path, f"{seen}, which is not {profile}", f"'{named}', or another `hybrid`")
        return hybrid(_content(document[PDF]), xml, profile, _day(bare))

    def places(self, raw: bytes, options: Mapping[str, Any], index: int) -> Places:
        """Where the values of the document stand in its XML."""
        return super().places(xml_of(raw), options, index)

    def raw_of(self, raw: bytes, options: Mapping[str, Any]) -> Any:
        """The elements as they stand. Raises DecodeError."""
        return super().raw_of(xml_of(raw), options)


_GUIDELINE = ("ExchangedDocumentContext", "GuidelineSpecifiedDocumentContextParameter", "0", "ID", "value")
_ALONE = f"option 'visible' goes with hybrid, which is one of {', '.join(PROFILES)}"
_ISSUED = ("ExchangedDocument", "IssueDateTime", "DateTimeString", "value")


def _guideline(document: Mapping[str, Any]) -> str:
    return _at(document, _GUIDELINE)


def _day(document: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(_at(document, _ISSUED)[:10]).replace(tzinfo=UTC)
    except ValueError:  # a month or a week, or nothing
        return None


def _at(found: Any, path: Iterable[str]) -> str:
    """What stands there in a document that could be written; '' where nothing does."""
    for step in path:
        found = found[int(step)] if step.isdigit() and found else found.get(step) if found else None
    return str(found or "")


def _content(text: Any) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise fault(PDF, "what is no Base64", "the PDF in Base64") from None


def content_type(options: Mapping[str, Any]) -> str:
    """That of what is written with these options."""
    return _PDF_TYPE if options.get("hybrid") else CONTENT_TYPES[0]


def file_wanted(options: Mapping[str, Any]) -> FileWanted | None:
    """The PDF, where there is one to write."""
    return FileWanted(PDF, _PDF_TYPE, options.get("visible") or "") if options.get("hybrid") else None


def faults_of(options: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the options, by their names."""
    alone = {} if options.get("hybrid") or "visible" not in options else {"visible": _ALONE}
    return option_faults(OPTIONS, options) or alone


_CODEC = _Codec(CII)
decode, decode_one, encode, encode_one = _CODEC.decode, _CODEC.decode_one, _CODEC.encode, _CODEC.encode_one
places, raw_of, checked, outline = _CODEC.places, _CODEC.raw_of, _CODEC.checked, _CODEC.outline
holds_several, typed = _CODEC.holds_several, _CODEC.typed


__all__ = [
    "CONTENT_TYPES", "EXAMPLE", "OPTIONS", "TYPES", "checked", "content_type", "decode", "decode_one", "encode",
    "encode_one", "faults_of", "file_wanted", "holds_several", "outline", "places", "raw_of", "typed",
]  # fmt: skip
