"""The day of the demo: the same for the same seed, exact to the cent, with every kind of trouble in it."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from hub.demo.orders import ORDERS, day_of_orders

DAY = list(day_of_orders(200))
READABLE = [json.loads(event.body, parse_float=Decimal) for event in DAY if event.fate == "delivered"]


def test_the_same_seed_gives_the_same_day() -> None:
    assert list(day_of_orders(200)) == DAY
    assert list(day_of_orders(200, seed=2)) != DAY


def test_every_event_has_its_own_number_and_id() -> None:
    assert len({event.webhook_id for event in DAY}) == len(DAY)


def test_a_day_holds_every_kind_of_trouble() -> None:
    fates = Counter(event.fate for event in DAY)
    assert set(fates) == {
        "delivered", "filtered", "unreadable", "refused at the door",
        "new unit", "item the ERP lacks", "misspelt country", "misspelt field",
    }  # fmt: skip
    assert fates["delivered"] > 150
    assert any(event.repeat for event in DAY)


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_a_short_day_has_as_many_orders_as_asked_for(count: int) -> None:
    assert sum(event.event == ORDERS and not event.forged for event in day_of_orders(count)) == count


def test_buyers_currencies_and_taxes_are_mixed() -> None:
    assert {order["currency"] for order in READABLE} >= {"EUR", "GBP", "SEK", "CHF", "USD", "JPY"}
    assert {order["taxes_included"] for order in READABLE} == {True, False}
    assert {bool(order["billing_address"]["company"]) for order in READABLE} == {True, False}
    assert any(line["discount_allocations"] for order in READABLE for line in order["line_items"])
    assert any(order["shipping_address"] is None for order in READABLE)


def test_the_total_of_every_order_is_the_sum_of_its_parts() -> None:
    assert [order["name"] for order in READABLE if _total(order) != Decimal(order["total_price"])] == []


def _total(order: dict[str, Any]) -> Decimal:
    return sum((_payable(order, part) for part in (*order["line_items"], *order["shipping_lines"])), Decimal())


def _payable(order: dict[str, Any], part: dict[str, Any]) -> Decimal:
    amount = Decimal(part["price"]) * part.get("quantity", 1)
    amount -= sum(Decimal(given["amount"]) for given in part.get("discount_allocations", []))
    if order["taxes_included"]:
        return amount
    return amount + sum(Decimal(line["price"]) for line in part["tax_lines"])


def test_yen_have_no_decimals() -> None:
    yen = [order for order in READABLE if order["currency"] == "JPY"]
    prices = [part["price"] for order in yen for part in (*order["line_items"], *order["shipping_lines"])]
    assert prices
    assert not [price for price in (*prices, *(order["total_price"] for order in yen)) if "." in price]
