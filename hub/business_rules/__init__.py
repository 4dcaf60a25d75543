"""What a schema cannot say: currencies and their decimals, sums, check digits, code lists, calendar days.

``check`` is for documents that their schema accepts; of any other it finds what it can and leaves the rest to the
schema's faults. All arithmetic is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

from hub.business_rules.balances import (
    check_application,
    check_promise,
    check_reminder,
    check_remittance,
    check_settlement,
    check_statement,
)
from hub.business_rules.totals import check_invoice, check_order
from hub.business_rules.values import NOT_LIKE_ITS_SCHEMA, are_right, collect_faults
from hub.codes import CodeLists, reference_codes
from hub.errors import DocumentFault

_MOST_FAULTS = 100
_CURRENCY_FAULTS = {"unknown_currency", "currency_mismatch"}  # adding up two currencies says nothing

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
    codes = codes or reference_codes()
    faults: list[DocumentFault] = []
    try:
        if not are_right(kind, document, codes):
            collect_faults(kind, document, codes, faults)
        if kind in _SUMS and not (faults and any(fault.code in _CURRENCY_FAULTS for fault in faults)):
            faults.extend(_SUMS[kind](document))
    except NOT_LIKE_ITS_SCHEMA:
        return faults[:_MOST_FAULTS]
    return faults[:_MOST_FAULTS]


@lru_cache(512)
def _kind(type_name: str) -> str:
    """``order`` for ``order``, ``canonical/order`` and ``canonical/v1/order``; empty for what is not canonical."""
    folder, _, rest = type_name.rpartition("/")
    return rest if folder.partition("/")[0] in ("", "canonical") else ""
