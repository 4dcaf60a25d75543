"""Payments to a bank that others wrote, and what it answers: each comes back to the cent, by its EndToEndId."""

from __future__ import annotations

import datetime
import json
import threading
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from iso_schemas import faults
from mockbank.server import Config, make_server
from sepaxml import SepaTransfer

from hub.formats import camt053, pain
from hub.formats._statements import check

ACCOUNT = "DE02120300000000202051"
AMOUNTS = {"INV-1001": Decimal("269.33"), "INV-1002": Decimal("0.01"), "INV-1003": Decimal("99999.99")}
CREDITOR = "DE02500105170137075030"


class Bank:
    """The bank's doors, at noon on Monday, 9 March 2026."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.ask("/_mock/accounts", {"id": "US", "iban": ACCOUNT, "currency": "EUR", "balance": 20_000_000})

    def ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._address + path, raw, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def sent(self, kind: str) -> list[bytes]:
        """The messages of a kind that the bank has sent since they were asked for."""
        return [each["body"].strip().encode() for each in self.ask(f"/_mock/mailbox?type={kind}")]


@pytest.fixture
def bank() -> Iterator[Bank]:
    server = make_server(Config(port=0, clock="2026-03-09T12:00", quiet=True))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Bank(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ours() -> bytes:
    transactions = [
        {
            "end_to_end_id": reference, "amount": {"amount": amount, "currency": "EUR"},
            "creditor_name": "Bau Muster GmbH",
            "creditor_account": CREDITOR, "creditor_bic": "COBADEFFXXX", "remittance_unstructured": [reference],
        }
        for reference, amount in AMOUNTS.items()
    ]  # fmt: skip
    (payment,) = pain.EXAMPLE[1]["payments"]
    told = {"number_of_transactions": 3, "control_sum": sum(AMOUNTS.values())}
    payment = {**payment, **told, "transactions": transactions, "debtor_account": ACCOUNT}
    return pain.encode_one({**pain.EXAMPLE[1], **told, "payments": [payment]}, {})


def sepaxmls() -> bytes:
    config = {
        "name": "Hydro Schlauch GmbH", "IBAN": ACCOUNT, "BIC": "BYLADEM1001", "batch": True, "currency": "EUR",
    }  # fmt: skip
    transfer = SepaTransfer(config, schema="pain.001.001.09")
    for reference, amount in AMOUNTS.items():
        transfer.add_payment(
            {
                "name": "Bau Muster GmbH",
                "IBAN": CREDITOR,
                "BIC": "COBADEFFXXX",
                "amount": int(amount * 100),
                "execution_date": datetime.date(2026, 3, 10),
                "description": reference,
                "endtoend_id": reference,
            }
        )
    written: bytes = transfer.export()
    return written


def by_reference(statement: Any) -> dict[str, Decimal]:
    """What was paid, by the reference that the payment was given."""
    return {
        part["end_to_end_id"]: part["amount"]["amount"] * (1 if entry["credit_debit_indicator"] == "DBIT" else -1)
        for entry in statement.get("entries", ())
        for part in entry["transactions"]
    }


@pytest.mark.parametrize("payments", [ours, sepaxmls])
def test_every_payment_comes_back_to_the_cent_by_its_reference(bank: Bank, payments: Any) -> None:
    raw = payments()
    assert faults(raw) == []
    sent = pain.decode_one(raw, {})
    assert {each["end_to_end_id"]: each["amount"]["amount"] for each in sent["payments"][0]["transactions"]} == AMOUNTS
    bank.ask("/payments", raw)
    (answer,) = [pain.decode_one(each, {}) for each in bank.sent("pain.002")]
    assert answer["original"]["message_id"] == sent["message_id"]
    assert answer["original"]["status"] == "ACCP"

    bank.ask("/_mock/advance?days=2", b"")
    notices = [camt053.decode_one(each, {}) for each in bank.sent("camt.054")]
    assert [by_reference(notice) for notice in notices] == [AMOUNTS]
    statements = [camt053.decode_one(each, {}) for each in bank.sent("camt.053")]
    ours_only = [each for each in statements if each["account"]["account_id"] == ACCOUNT]
    assert [by_reference(each) for each in ours_only] == [{}, AMOUNTS]
    assert [check(each) for each in ours_only] == [[], []]
    paid = ours_only[0]["opening_balance"]["amount"] - ours_only[-1]["closing_balance"]["amount"]
    assert paid == sum(AMOUNTS.values())


def test_payments_that_come_back_are_returns_of_the_payments_and_leave_the_balance_as_it_was(bank: Bank) -> None:
    bank.ask("/_mock/accounts/US", {"behaviour": "return-later"}, "PATCH")
    bank.ask("/payments", ours())
    bank.ask("/_mock/advance?days=9", b"")
    statements = [camt053.decode_one(each, {}) for each in bank.sent("camt.053")]
    days = [each for each in statements if each["account"]["account_id"] == ACCOUNT and "entries" in each]
    paid, returned = days
    assert by_reference(paid) == AMOUNTS
    assert by_reference(returned) == {name: -amount for name, amount in AMOUNTS.items()}
    parts = [part for entry in returned["entries"] for part in entry["transactions"]]
    assert {part["return_reason_code"] for part in parts} == {"AC04"}
    assert paid["opening_balance"] == returned["closing_balance"]


def test_what_the_bank_rejects_is_told_by_payment_with_its_reason(bank: Bank) -> None:
    bank.ask("/_mock/accounts/US", {"balance": 30_000}, "PATCH")
    bank.ask("/_mock/accounts/US", {"behaviour": "insufficient-funds"}, "PATCH")
    bank.ask("/payments", ours())
    (answer,) = [pain.decode_one(each, {}) for each in bank.sent("pain.002")]
    told = {each["end_to_end_id"]: each for payment in answer["payments"] for each in payment["transactions"]}
    assert {name: each["status"] for name, each in told.items()} == {
        "INV-1001": "ACCP",
        "INV-1002": "ACCP",
        "INV-1003": "RJCT",
    }
    assert [each["reason_code"] for each in told["INV-1003"]["reasons"]] == ["AM04"]
