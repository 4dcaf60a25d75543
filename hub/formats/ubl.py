"""UBL 2.1: the 16 documents from order to reminder, under UBL's own names; nothing of a file is lost.

One file is one document. What would lose meaning (an amount that is no number, or without its currency) is an error and
the document is held; what would not is a warning. Limits are those of XML here: 64 MB, 200 elements in each other, 200
attributes of one. docs/reference/ubl.md tells what a document looks like.
"""

from __future__ import annotations

from decimal import Decimal

from hub.formats._ubl_codec import CONTENT_TYPES, OPTIONS, StandardCodec
from hub.formats._ubl_definitions import TYPES, UBL

EXAMPLE = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" '
    b'xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" '
    b'xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">'
    b"<cbc:ID>4711</cbc:ID><cbc:IssueDate>2026-11-28</cbc:IssueDate><cbc:Note>Thank you</cbc:Note>"
    b'<cac:LegalMonetaryTotal><cbc:PayableAmount currencyID="EUR">119.00</cbc:PayableAmount></cac:LegalMonetaryTotal>'
    b"</Invoice>",
    {
        "type": "Invoice",
        "ID": {"value": "4711"},
        "IssueDate": "2026-11-28",
        "Note": ["Thank you"],
        "LegalMonetaryTotal": {"PayableAmount": {"amount": Decimal("119.00"), "currency": "EUR"}},
    },
)
_CODEC = StandardCodec(UBL)
decode, decode_one, encode, encode_one = _CODEC.decode, _CODEC.decode_one, _CODEC.encode, _CODEC.encode_one
places, raw_of, checked, outline = _CODEC.places, _CODEC.raw_of, _CODEC.checked, _CODEC.outline
holds_several, typed = _CODEC.holds_several, _CODEC.typed

__all__ = [
    "CONTENT_TYPES", "EXAMPLE", "OPTIONS", "TYPES", "checked", "decode", "decode_one", "encode", "encode_one",
    "holds_several", "outline", "places", "raw_of", "typed",
]  # fmt: skip
