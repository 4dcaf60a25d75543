"""Sums of everything that is about money received: settlements, statements, advices, applications, reminders."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hub.business_rules.sums import ZERO, amount, total, wrong_sum
from hub.errors import DocumentFault


def check_settlement(document: Any) -> Iterator[DocumentFault]:
    """Net = gross − fee on each line, and the totals are the sums. A payout line is where the sum goes: not added."""
    lines = document["lines"]
    for index, line in enumerate(lines):
        seen, wanted = amount(line["net_amount"]), amount(line["gross_amount"]) - amount(line.get("fee_amount"))
        if seen != wanted:
            yield wrong_sum(f"lines[{index}].net_amount", "net_amount", seen, wanted, "gross_amount − fee_amount")
    counted = [line for line in lines if line["line_type"] != "payout"]
    for name, part in (("gross_total", "gross_amount"), ("fee_total", "fee_amount"), ("net_total", "net_amount")):
        seen, wanted = amount(document.get(name)), total(line.get(part) for line in counted)
        if seen != wanted and (name in document or name != "fee_total"):
            yield wrong_sum(name, "settlement_total", seen, wanted, f"the sum of {part} of the lines")


def check_statement(document: Any) -> Iterator[DocumentFault]:
    """Opening balance + booked entries = closing balance; the transactions of an entry add up to it (a warning, since
    banks report charges in several ways)."""
    entries = document.get("entries", ())
    for index, entry in enumerate(entries):
        if entry.get("transactions"):
            yield from _check_entry(entry, f"entries[{index}]")
    if document["report_type"] != "statement":
        return
    booked = sum((_signed(entry) for entry in entries if entry["status"] == "BOOK"), ZERO)
    seen, wanted = amount(document["closing_balance"]), amount(document["opening_balance"]) + booked
    if seen != wanted:
        yield wrong_sum("closing_balance", "balance", seen, wanted, "opening_balance + booked entries")


def check_remittance(document: Any) -> Iterator[DocumentFault]:
    """The lines add up to what was paid."""
    seen, wanted = amount(document["total_payment_amount"]), total(line["paid_amount"] for line in document["lines"])
    if seen != wanted:
        yield wrong_sum("total_payment_amount", "remittance_total", seen, wanted, "the sum of paid_amount of the lines")


def check_application(document: Any) -> Iterator[DocumentFault]:
    """What is left over = what came in − what was allocated."""
    allocated = total(part["paid_amount"] for part in document.get("allocations", ()))
    seen, wanted = amount(document["unapplied_amount"]), amount(document["received_amount"]) - allocated
    if seen != wanted:
        yield wrong_sum("unapplied_amount", "unapplied", seen, wanted, "received_amount − the allocations")


def check_reminder(document: Any) -> Iterator[DocumentFault]:
    """Open amounts + interest + fee = what is asked for."""
    lines = document["lines"]
    wanted = total(line["outstanding_amount"] for line in lines) + total(line.get("penalty_amount") for line in lines)
    wanted += amount(document.get("fee_amount"))
    seen = amount(document["total_outstanding_amount"])
    if seen != wanted:
        yield wrong_sum("total_outstanding_amount", "reminder_total", seen, wanted, "lines + penalties + fee")


def check_promise(document: Any) -> Iterator[DocumentFault]:
    """The instalments add up to what is promised."""
    seen, wanted = amount(document["total_amount"]), total(part["amount"] for part in document["instalments"])
    if seen != wanted:
        yield wrong_sum("total_amount", "promise_total", seen, wanted, "the sum of the instalments")


def _check_entry(entry: Any, path: str) -> Iterator[DocumentFault]:
    parts, direction = entry["transactions"], entry["credit_debit_indicator"]
    signs = [1 if part.get("credit_debit_indicator", direction) == direction else -1 for part in parts]
    wanted = sum((sign * amount(part["amount"]) for sign, part in zip(signs, parts, strict=True)), ZERO)
    seen = amount(entry["amount"])
    if seen != wanted:
        yield wrong_sum(f"{path}.amount", "entry_sum", seen, wanted, "the sum of its transactions", "warning")


def _signed(entry: Any) -> Decimal:
    return amount(entry["amount"]) if entry["credit_debit_indicator"] == "CRDT" else -amount(entry["amount"])
