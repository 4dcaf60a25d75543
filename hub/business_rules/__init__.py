"""What a schema cannot say: currencies and their decimals, sums, check digits, code lists, calendar days.

``check`` is for documents that their schema accepts; of any other it finds what it can and leaves the rest to the
schema's faults. All arithmetic is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import DecimalException
from functools import partial
from typing import Any

from hub.business_rules.balances import (
    check_application,
    check_promise,
    check_reminder,
    check_remittance,
    check_settlement,
    check_statement,
)
from hub.business_rules.fields import tables
from hub.business_rules.totals import check_invoice, check_order
from hub.business_rules.walk import Walk, visit
from hub.codes import CodeLists, reference_codes
from hub.errors import DocumentFault
from hub.identifiers import currency_exponent

_MOST_FAULTS = 100
_CURRENCY_FAULTS = {"unknown_currency", "currency_mismatch"}  # adding up two currencies says nothing
_NOT_LIKE_ITS_SCHEMA = (KeyError, TypeError, AttributeError, ValueError, DecimalException)

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

_SUMS: dict[str, Callable[[Any], Iterator[DocumentFault]]] = {
    "order": check_order,
    "order_change": check_order,
    "invoice": partial(check_invoice, lines_name="invoice_lines"),
    "credit_note": partial(check_invoice, lines_name="credit_note_lines"),
    "settlement": check_settlement,
    "bank_statement": check_statement,
    "remittance_advice": check_remittance,
    "payment_applied": check_application,
    "reminder": check_reminder,
    "promise_to_pay": check_promise,
}


def check(type_name: str, document: Any, codes: CodeLists | None = None) -> list[DocumentFault]:
    """Every fault and warning of a canonical document, at most 100; ``type_name`` is ``order`` or ``canonical/order``.

    ``codes`` are the project's code lists; those of the hub when absent. Types that are not canonical have no rules.
    """
    kind = _kind(type_name)
    if not kind:
        return []
    walk = Walk(_currency_of(kind, document))
    rules = tables(codes or reference_codes())
    try:
        visit(walk, document, None, rules.get(kind) or rules[""])
        if kind in _SUMS and not any(fault.code in _CURRENCY_FAULTS for fault in walk.faults):
            walk.faults.extend(_SUMS[kind](document))
    except _NOT_LIKE_ITS_SCHEMA:
        return walk.faults[:_MOST_FAULTS]
    return walk.faults[:_MOST_FAULTS]


def _kind(type_name: str) -> str:
    """``order`` for ``order``, ``canonical/order`` and ``canonical/v1/order``; empty for what is not canonical."""
    folder, _, rest = type_name.rpartition("/")
    return rest if folder.partition("/")[0] in ("", "canonical") else ""


def _currency_of(kind: str, document: Any) -> str | None:
    value = document
    for name in _CURRENCY.get(kind, ()):
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) and currency_exponent(value) is not None else None
