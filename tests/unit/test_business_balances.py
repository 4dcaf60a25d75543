"""Sums of everything that is about money received."""

from __future__ import annotations

import pytest

from hub.business_rules import check
from tests.unit.canonical import golden, put, type_of


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def found(name, document, severity="error"):
    return [(fault.path, fault.code) for fault in check(type_of(name), document) if fault.severity == severity]


@pytest.mark.parametrize(
    ("name", "path", "value", "fault"),
    [
        ("settlement", "net_total.amount", "269.34", ("net_total", "settlement_total")),
        ("settlement", "gross_total.amount", "286.02", ("gross_total", "settlement_total")),
        ("settlement", "fee_total.amount", "16.71", ("fee_total", "settlement_total")),
        ("settlement", "lines.3.fee_amount", ..., ("lines[3].net_amount", "net_amount")),
        ("bank_statement", "closing_balance.amount", "418.34", ("closing_balance", "balance")),
        ("bank_statement", "entries.2.credit_debit_indicator", "CRDT", ("closing_balance", "balance")),
        ("bank_statement", "entries.0.status", "PDNG", ("closing_balance", "balance")),
        ("bank_statement", "entries", [], ("closing_balance", "balance")),
        ("remittance_advice", "total_payment_amount.amount", "190.01", ("total_payment_amount", "remittance_total")),
        ("payment_applied", "unapplied_amount.amount", "19.99", ("unapplied_amount", "unapplied")),
        ("payment_applied_unmatched", "unapplied_amount.amount", "16.99", ("unapplied_amount", "unapplied")),
        ("reminder", "total_outstanding_amount.amount", "55.13", ("total_outstanding_amount", "reminder_total")),
        ("promise_to_pay", "total_amount.amount", "49.99", ("total_amount", "promise_total")),
    ],
)
def test_money_received_adds_up(name, path, value, fault):
    assert fault in found(name, put(golden(name), path, value))


def test_a_sum_that_is_off_is_explained():
    fault = check("bank_statement", put(golden("bank_statement"), "closing_balance.amount", "418.34"))[0]
    assert str(fault) == "closing_balance: seen 418.34; expected 418.33: opening_balance + booked entries"


def test_a_payout_within_a_settlement_is_where_the_sum_goes():
    document = golden("settlement")
    net = money("-269.33")
    document["lines"].append({"line_id": "txn_6", "line_type": "payout", "gross_amount": net, "net_amount": net})
    assert check("settlement", document) == []


def test_a_settlement_need_not_tell_its_fees():
    document = golden("settlement")
    del document["fee_total"]
    assert check("settlement", document) == []


def test_the_parts_of_a_bank_entry_that_do_not_add_up_are_a_warning():
    document = put(golden("bank_statement"), "entries.1.transactions.0.amount.amount", "99.00")
    assert found("bank_statement", document) == []
    assert found("bank_statement", document, "warning") == [("entries[1].amount", "entry_sum")]


def test_an_intraday_report_needs_no_balance():
    document = put(golden("bank_statement"), "report_type", "intraday")
    assert check("bank_statement", put(put(document, "opening_balance", ...), "closing_balance", ...)) == []
