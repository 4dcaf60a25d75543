"""The mapping that is written by hand for the benchmarks does what the mapping file does; else they compare nothing."""

from __future__ import annotations

import copy
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

import pytest

from benchmarks.byhand import SELLER, canonical_order
from benchmarks.orders import OrderBook
from hub.formats import codec
from hub.mapping import Context
from tests.unit.mapping.reference import cases_of, context_of, mapping

FILE = "mappings/orders/shopify-order.yaml"
EXPECTED = [case for case in cases_of(FILE) if "error" not in case]


@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: case["name"])
def test_it_gives_what_is_expected_of_the_mapping(case: dict[str, Any]) -> None:
    context = context_of(FILE)
    assert canonical_order(case["input"], dict(context.company or {})) == mapping(FILE).apply(case["input"], context)


@pytest.mark.parametrize("number", range(16))
def test_it_gives_the_same_as_the_mapping_for_every_order_of_the_benchmark(number: int) -> None:
    order = codec("json").decode_one(OrderBook().signed(number).body, {})
    assert canonical_order(order) == mapped(order)


def test_it_gives_the_same_for_orders_with_taxes_included_discounts_and_gaps() -> None:
    random = Random(7)
    for number in range(200):
        order = codec("json").decode_one(OrderBook().signed(number).body, {})
        vary(order, random)
        assert canonical_order(order) == mapped(order)


def test_a_total_that_differs_is_refused() -> None:
    order = codec("json").decode_one(OrderBook().signed(1).body, {})
    with pytest.raises(ValueError, match=r"the shop says 1\.00"):
        canonical_order({**order, "total_price": "1.00"})


def mapped(order: Any) -> Any:
    return mapping(FILE).apply(copy.deepcopy(order), Context(company=SELLER, envelope={}))


def vary(order: dict[str, Any], random: Random) -> None:
    """Change what changes the way an order is mapped; its total follows."""
    order["taxes_included"] = random.random() < 0.5
    for line in order["line_items"]:
        line["discount_allocations"] = [
            {"amount": f"{random.randrange(1, 99)}.5", "discount_application_index": random.choice((0, 1, None))}
            for _ in range(random.choice((0, 0, 1, 2)))
        ]
        line["properties"] = random.choice(([], [{"name": "unit", "value": "kg"}], [{"name": "gift", "value": "x"}]))
        line["gift_card"], line["requires_shipping"] = random.random() < 0.1, random.random() < 0.8
        line["variant_title"], line["sku"] = random.choice((None, "", "DN8")), random.choice((None, "", "A-1"))
        if random.random() < 0.1:
            line["tax_lines"] = [{**tax, "rate": Decimal(0), "price": "0.00"} for tax in line["tax_lines"]]
    for name in ("billing_address", "shipping_address"):
        order[name] = random.choice((None, order[name], {**order[name], "company": "Nordwind GmbH", "address2": ""}))
    order["note"] = random.choice((None, "", "ring twice"))
    order["financial_status"] = random.choice(("paid", "pending"))
    order["payment_gateway_names"] = random.choice(([], ["paypal"], ["unheard of"]))
    order["customer"] = random.choice((None, {"id": 5001}, {"id": 1}))
    order["shipping_lines"] = random.choice(([], order["shipping_lines"], order["shipping_lines"] * 2))
    order["total_price"] = str(total(order))


def total(order: dict[str, Any]) -> Decimal:
    """Each line rounded by itself, with its tax on top unless the price includes it."""
    cent, taxed = Decimal("0.01"), order["taxes_included"]
    amount = Decimal()
    for line in order["line_items"]:
        tax = sum((Decimal(part["price"]) for part in line["tax_lines"]), Decimal())
        net = Decimal(line["price"]) * line["quantity"]
        net -= sum((Decimal(part["amount"]) for part in line["discount_allocations"]), Decimal())
        amount += (net - tax if taxed else net).quantize(cent, ROUND_HALF_UP) + tax.quantize(cent, ROUND_HALF_UP)
    for charge in order["shipping_lines"]:
        tax = sum((Decimal(part["price"]) for part in charge["tax_lines"]), Decimal())
        amount += Decimal(charge["price"]) + (0 if taxed else tax)
    return amount
