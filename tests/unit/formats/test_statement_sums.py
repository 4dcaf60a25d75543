"""The sums of statements, whatever format they came in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.formats._statements import Sequence, StatementError, check, parted


def money(amount: str, currency: str = "EUR") -> dict[str, Any]:
    return {"amount": Decimal(amount), "currency": currency}


def entry(number: int, amount: str, direction: str = "CRDT", status: str = "BOOK", **more: Any) -> dict[str, Any]:
    return {
        "number": number, "entry_ref": f"E{number}", "amount": money(amount), "credit_debit_indicator": direction,
        "status": status, "booking_date": "2026-03-09", **more,
    }  # fmt: skip


def statement(opening: str, closing: str, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "report_type": "statement", "statement_id": "S1", "account": {"account_id": "DE02120300000000202051"},
        "account_currency_code": "EUR", "opening_balance": money(opening), "closing_balance": money(closing),
        "entries": list(entries), **more,
    }  # fmt: skip


def total(count: int, amount: str) -> dict[str, Any]:
    return {"count": count, "sum": Decimal(amount)}


RIGHT = (
    statement("-50.00", "418.33", entry(1, "269.33"), entry(2, "300.00"), entry(3, "101.00", "DBIT")),
    statement("1.00", "1.00", entry(1, "5.00", status="PDNG"), entry(2, "5.00", status="INFO")),
    statement("0", "5", entry(1, "5.00"), entry(2, "7", status="PDNG"), summary={"credits": total(1, "5")}),
    statement("0", "5", entry(1, "5.00"), entry(2, "7", status="PDNG"), summary={"credits": total(2, "12")}),
    statement("0", "1", entry(1, "4"), entry(2, "3", "DBIT"), summary={"entries": total(2, "7"), "net": Decimal(1)}),
    statement("0", "5", entry(1, "5", transactions=[{"amount": money("2")}, {"amount": money("3")}])),
    statement(
        "0", "5",
        entry(1, "5", transactions=[{"amount": money("7")}, {"amount": money("2"), "credit_debit_indicator": "DBIT"}]),
    ),
    statement("0", "5", entry(1, "5", transactions=[{"amount": money("5.5", "USD")}])),
    statement("0", "4", entry(1, "4", charges_amount=money("1"), transactions=[{"amount": money("5")}])),
)  # fmt: skip
WRONG = (
    (statement("0", "5.01", entry(1, "5")), "balance", "0 and 1 booked entries of 5 make 5, it closes with 5.01 (+"),
    (statement("0", "5"), "balance", "0 and 0 booked entries of 0 make 0, it closes with 5"),
    (
        statement("0", "5", entry(1, "5"), summary={"credits": total(2, "5")}), "control_sum",
        "the count of its credits does not hold: it says 2, and 1 are booked",
    ),
    (
        statement("0", "5", entry(1, "5"), summary={"entries": total(1, "6")}), "control_sum",
        "the sum of its entries does not hold: it says 6, and 5 is booked",
    ),
    (
        statement("0", "5", entry(1, "5"), summary={"net": Decimal(-5)}), "control_sum",
        "the net sum does not hold: it says -5, and 5 is booked",
    ),
    (
        statement("0", "5", entry(1, "5", transactions=[{"amount": money("5")}, {"amount": money("5")}])), "entry_sum",
        "entry 1 (E1): its 2 transactions make 10, the entry is 5",
    ),
    (
        statement(
            "0", "5",
            entry(1, "5", number_of_transactions=3, transactions=[{"amount": money("2")}, {"amount": money("3")}]),
        ),
        "batch_count", "entry 1 (E1): 3 transactions are announced, 2 are there",
    ),
    (
        statement("0", "5", entry(1, "5", batches=[{"total_amount": money("6")}], transactions=[])), "batch_sum",
        "entry 1 (E1): its batch is 6, the entry 5",
    ),
    (
        statement("0", "5", {**entry(1, "5"), "amount": money("5", "USD")}), "currency",
        "entry 1 (E1) is booked in USD on an account in EUR",
    ),
)  # fmt: skip


@pytest.mark.parametrize("document", RIGHT)
def test_a_statement_that_adds_up_has_no_fault(document: dict[str, Any]) -> None:
    assert check(document) == []


@pytest.mark.parametrize(("document", "code", "message"), WRONG)
def test_what_does_not_add_up_is_an_error_that_tells_both_sums(
    document: dict[str, Any], code: str, message: str
) -> None:
    found = next(fault for fault in check(document, "line 3") if fault.code == code)
    assert message in found.message
    assert (found.severity, found.position) == ("error", "line 3")


def test_transactions_that_all_go_the_other_way_are_only_told() -> None:
    back = [
        {"amount": money("2"), "credit_debit_indicator": "DBIT"},
        {"amount": money("3"), "credit_debit_indicator": "DBIT"},
    ]
    (found,) = check(statement("0", "5", entry(1, "5", transactions=back)))
    assert (found.code, found.severity) == ("direction", "warning")
    assert "its transactions make -5, the entry is 5: they go the other way" in found.message


def test_several_batches_are_their_entry_together_which_is_only_told() -> None:
    batches = [{"total_amount": money("7")}, {"total_amount": money("2"), "credit_debit_indicator": "DBIT"}]
    assert check(statement("0", "5", entry(1, "5", batches=batches))) == []
    (found,) = check(statement("0", "5", entry(1, "5", batches=[*batches, {"total_amount": money("1")}])))
    assert (found.severity, found.message) == ("warning", "entry 1 (E1): its 3 batches make 6, the entry 5")
    abroad = [*batches, {"total_amount": money("1", "USD")}]
    assert check(statement("0", "5", entry(1, "5", batches=abroad))) == []


def test_a_notification_and_a_report_within_the_day_close_with_nothing() -> None:
    for kind in ("notification", "intraday"):
        assert check({**statement("0", "99", entry(1, "5")), "report_type": kind}) == []


def test_each_part_of_a_statement_adds_up_as_the_whole_does() -> None:
    entries = [entry(n, str(n), "DBIT" if n % 3 else "CRDT") for n in range(1, 8)]
    net = sum(n if n % 3 == 0 else -n for n in range(1, 8))
    whole = statement("100", str(100 + net), findings=[{"code": "x"}])
    parts = list(parted(whole, [entries[:3], entries[3:6], entries[6:]]))
    assert [check(part) for part in parts] == [[], [], []]
    assert [part["part"] for part in parts] == [
        {"number": 1, "is_last": False, "first_entry": 1}, {"number": 2, "is_last": False, "first_entry": 4},
        {"number": 3, "is_last": True, "first_entry": 7},
    ]  # fmt: skip
    assert parts[0]["opening_balance"] == whole["opening_balance"]
    assert parts[2]["closing_balance"] == whole["closing_balance"]
    assert [part["closing_balance"] for part in parts[:2]] == [part["opening_balance"] for part in parts[1:]]
    assert [each for part in parts for each in part["entries"]] == entries
    assert ["findings" in part for part in parts] == [True, False, False]


@pytest.mark.parametrize("pages", [[], [[]], [[entry(1, "5")]]])
def test_a_statement_of_one_page_is_whole(pages: list[Any]) -> None:
    whole = statement("0", "5")
    del whole["entries"]
    (part,) = parted(whole, pages)
    assert part == {**whole, **({"entries": pages[0]} if pages and pages[0] else {})}


def test_a_gap_in_the_numbers_of_an_account_is_told_and_so_is_a_statement_that_stands_twice() -> None:
    sequence = Sequence()
    seen = [
        [fault.message for fault in sequence.faults({**statement("0", "0"), "statement_id": id, **more})]
        for id, more in (
            ("1", {"electronic_sequence_number": 7}), ("2", {"electronic_sequence_number": 8}),
            ("3", {"electronic_sequence_number": 10}), ("3", {}), ("3", {"page": {"number": 2}}),
            ("3", {"account": {"account_id": "X"}, "electronic_sequence_number": 1}),
            ("4", {"electronic_sequence_number": 1}), ("5", {"electronic_sequence_number": 3}),
        )
    ]  # fmt: skip
    account = "DE02120300000000202051"
    assert seen == [
        [], [], [f"statement number 10 of account {account} follows 8; expected 9"],
        [f"statement 3 of account {account} stands twice in this file"], [], [], [],
        [f"statement number 3 of account {account} follows 1; expected 2"],
    ]  # fmt: skip


def test_days_without_movement_under_one_id_are_no_statement_that_stands_twice() -> None:
    sequence = Sequence()
    seen = [
        [fault.code for fault in sequence.faults({**statement("5", "5"), "balances": [{"date": day}]})]
        for day in ("2026-03-07", "2026-03-08", "2026-03-08")
    ]
    assert seen == [[], [], ["twice"]]


def test_the_error_of_a_statement_names_its_first_fault_and_counts_the_others() -> None:
    faults = check(statement("0", "9", entry(1, "5"), summary={"net": Decimal(4)}), "line 3")
    error = StatementError(faults)
    assert str(error).startswith("the balances do not add up") and "(and 1 more)" in str(error)
    assert (error.code, error.position, error.expected) == ("statement_balance", "line 3", "5")
