"""Canonical documents to files of a format by the mappings that travel with the hub, and back."""

from __future__ import annotations

import re
from typing import Any

from edi_library import library, mapped

from hub.golden.compare import differences
from hub.mapping import Context

# What may differ in an invoice or a credit note that comes back from either syntax of EN 16931, and why.
OF_EN_16931 = {
    "seller.endpoint": "one that is not said is made of a GLN, DUNS or VAT number",
    "buyer.endpoint": "one that is not said is made of a GLN, DUNS or VAT number",
    "tax_subtotals[].tax_category.exemption_reason_code": "what AE, K, G and O are exempt for is said by a code",
    "prepaid_payments": "EN 16931 has their sum",
    "allowance_charges[].base_amount": "left out where the amount is not found in it to a hundredth (Peppol: two)",
    "allowance_charges[].percent": "left out with its base",
    "invoice_lines[].allowance_charges[].base_amount": "as of the whole",
    "invoice_lines[].allowance_charges[].percent": "as of the whole",
    "credit_note_lines[].allowance_charges[].base_amount": "as of the whole",
    "credit_note_lines[].allowance_charges[].percent": "as of the whole",
}


def written(format: str, kind: str, document: Any, context: Context) -> bytes:
    """The file that a canonical document becomes; nothing in it breaks the definitions of the format."""
    writer = f"{kind.replace('_', '-')}-to-{format}"
    target = library().mappings[writer].target
    tree = mapped(writer, document, context)
    assert [str(fault) for fault in library().schemas.faults(target.schema or "", tree)] == []
    return library().schemas.codec(format, target.schema).encode_one(tree, target.options)


def read(format: str, kind: str, raw: bytes, context: Context) -> Any:
    """The canonical document that a file becomes; it is valid by schema and rules."""
    reader = f"{format}-{kind.replace('_', '-')}"
    codec = library().schemas.codec(format, library().mappings[reader].source.schema)
    return mapped(reader, codec.decode_one(raw, {}), context)


def places(document: Any, back: Any) -> set[str]:
    """Where they differ, without the numbers of elements."""
    return {re.sub(r"\[\d+\]", "[]", each.path) for each in differences(document, back)}
