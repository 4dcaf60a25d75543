"""Whether each value of a document is right for itself, asked the quick way; and what is wrong where one is not."""

from __future__ import annotations

from decimal import DecimalException
from typing import Any

from hub.business_rules.fields import tables
from hub.business_rules.quick import passes
from hub.business_rules.walk import Walk, visit
from hub.codes import CodeLists
from hub.errors import DocumentFault
from hub.identifiers import currency_exponent

NOT_LIKE_ITS_SCHEMA = (KeyError, TypeError, AttributeError, ValueError, DecimalException)

# Which currency all amounts of a type must have, as a path; types that are not named may mix currencies.
_CURRENCY = {
    "order": ("document_currency_code",),
    "invoice": ("document_currency_code",),
    "credit_note": ("document_currency_code",),
    "settlement": ("net_total", "currency"),
    "bank_statement": ("account_currency_code",),
    "remittance_advice": ("total_payment_amount", "currency"),
    "payment_applied": ("received_amount", "currency"),
    "reminder": ("total_outstanding_amount", "currency"),
    "promise_to_pay": ("total_amount", "currency"),
}


def are_right(kind: str, document: Any, codes: CodeLists) -> bool:
    """Whether a document has no value that is wrong. Where its schema refuses it, that cannot always be told: False."""
    try:
        return passes(kind, _CURRENCY.get(kind, ()), codes)(document)
    except NOT_LIKE_ITS_SCHEMA:
        return False


def collect_faults(kind: str, document: Any, codes: CodeLists, faults: list[DocumentFault]) -> None:
    """Add a fault for each value that is wrong. May raise NOT_LIKE_ITS_SCHEMA, with what was found till then added."""
    rules = tables(codes)
    visit(Walk(_currency_of(kind, document), faults), document, None, rules.get(kind) or rules[""])


def _currency_of(kind: str, document: Any) -> str | None:
    value = document
    for name in _CURRENCY.get(kind, ()):
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) and currency_exponent(value) is not None else None
