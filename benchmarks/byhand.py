"""The mapping of the benchmarks written by hand: what ``mappings/orders/shopify-order.yaml`` says, in plain Python.

It gives the same document for every order of a shop: prices with and without tax, discounts, gift cards, orders without
addresses, currencies with any number of decimals, persons and companies. That is how someone who is careful with money
writes it: exact decimals, and no more checks than the orders of one known shop need. The compared script uses it, and
it is the mapping in the floor.
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hub.identifiers import currencies, currency_exponent
from hub.reference import reference_root

SELLER = {"party_id": "self", "party_type": "organisation", "name": "Example GmbH"}

_QUANTA = {code: Decimal(1).scaleb(-(currency_exponent(code) or 0)) for code in currencies()}
_SIX = Decimal("0.000001")
_NOTHING: dict[str, Any] = {}

Document = dict[str, Any]


def _table(name: str) -> dict[str, str]:
    with (reference_root() / f"mappings/tables/{name}.csv").open(encoding="utf-8") as file:
        return {row["key"]: row["value"] for row in csv.DictReader(file)}


_UNITS, _MEANS, _PARTIES = _table("units"), _table("payment_means"), _table("parties")


def canonical_order(order: Document, seller: Document = SELLER) -> Document:
    """The canonical order. Numbers come as Decimals. Raises ValueError when the lines do not add up to the total."""
    currency, taxed = order["currency"], order["taxes_included"]
    quantum = _QUANTA[currency]
    lines = [_line(line, number, currency, quantum, taxed) for number, line in enumerate(order["line_items"], 1)]
    net = sum([Decimal(line["line_extension_amount"]["amount"]) for line in lines], Decimal())
    freight, freight_tax = Decimal(), Decimal()
    charges = []
    for charge in order["shipping_lines"]:
        tax = sum([Decimal(part["price"]) for part in charge["tax_lines"]], Decimal())
        amount = Decimal(charge["price"]) - (tax if taxed else 0)
        freight += amount
        freight_tax += tax
        charges.append(_freight(charge["title"], _money(amount, currency, quantum)))
    total = net + freight + sum([Decimal(line["tax_amount"]["amount"]) for line in lines], freight_tax)
    if total != Decimal(order["total_price"]):
        raise ValueError(f"the total is {total}, the shop says {order['total_price']}")
    paid = total if order["financial_status"] == "paid" else Decimal()
    billing, shipping = order["billing_address"] or order["shipping_address"], order["shipping_address"]
    created = order["created_at"]
    document: Document = {
        "order_id": order["name"].lstrip("#"),
        "source_order_id": str(order["id"]),
        "channel": "ecommerce",
        "issue_date": created[:10],
        "issue_time": datetime.fromisoformat(created).astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "document_currency_code": currency,
        "buyer": _buyer(order, billing),
        "seller": seller,
        "anticipated_monetary_total": {
            "line_extension_amount": _money(net, currency, quantum),
            "charge_total_amount": _money(freight, currency, quantum),
            "tax_exclusive_amount": _money(net + freight, currency, quantum),
            "tax_inclusive_amount": _money(total, currency, quantum),
            "prepaid_amount": _money(paid, currency, quantum),
            "payable_amount": _money(total - paid, currency, quantum),
        },
        "order_lines": lines,
    }
    if shipping:
        contact = _some(("name", shipping["name"]), ("telephone", shipping["phone"]))
        document["delivery_party"] = {"name": shipping["company"] or shipping["name"], "contact": contact}
        document["delivery_location"] = {"address": _address(shipping)}
    if gateways := order["payment_gateway_names"]:
        document["payment_means"] = [{"payment_means_code": _MEANS.get(name) or "ZZZ"} for name in gateways]
    if charges:
        document["allowance_charges"] = charges
    if order["note"]:
        document["notes"] = [order["note"]]
    return document


def _line(line: Document, number: int, currency: str, quantum: Decimal, taxed: bool) -> Document:
    gross_price = Decimal(line["price"])
    factor = 1 + sum([Decimal(part["rate"]) for part in line["tax_lines"]], Decimal()) if taxed else 1
    discounts = [(part["discount_application_index"], Decimal(part["amount"])) for part in line["discount_allocations"]]
    tax = sum([Decimal(part["price"]) for part in line["tax_lines"]], Decimal())
    net = gross_price * line["quantity"] - sum([amount for _, amount in discounts], Decimal())
    net_money = _money(net - tax if taxed else net, currency, quantum)
    unit = next((entry["value"] for entry in line["properties"] if entry["name"] == "unit"), None)
    variant, sku = line["variant_title"], line["sku"]
    item = {
        "name": f"{line['title']} - {variant}" if variant else line["title"],
        "item_type": "gift_card" if line["gift_card"] else "goods" if line["requires_shipping"] else "service",
    }
    if sku:
        item["sellers_item_id"] = sku
    document: Document = {
        "line_id": str(number),
        "item": item,
        "quantity": {"value": str(line["quantity"]), "unit_code": _UNITS[unit] if unit else "C62"},
        "price": {"price_amount": {"amount": _price(gross_price / factor, quantum), "currency": currency}},
        "line_extension_amount": net_money,
        "tax_amount": _money(tax, currency, quantum),
    }
    if discounts:
        document["allowance_charges"] = [_discount(n, amount / factor, currency, quantum) for n, amount in discounts]
    if line["tax_lines"]:
        document["tax_subtotals"] = [_tax(part, net_money, currency, quantum) for part in line["tax_lines"]]
    return document


def _discount(number: int | None, amount: Decimal, currency: str, quantum: Decimal) -> Document:
    about = {} if number is None else {"id": str(number)}
    return {**about, "charge_indicator": False, "amount": _money(amount, currency, quantum), "reason_code": "95"}


def _tax(part: Document, net_money: Document, currency: str, quantum: Decimal) -> Document:
    rate = Decimal(part["rate"])
    return {
        "taxable_amount": net_money,
        "tax_amount": _money(Decimal(part["price"]), currency, quantum),
        "tax_category": {"category_code": "S" if rate else "Z", "percent": str(rate * 100)},
    }


def _freight(title: str | None, amount: Document) -> Document:
    charge = {"charge_indicator": True, "amount": amount, "reason_code": "FC"}
    return {**charge, "reason": title} if title else charge


def _buyer(order: Document, address: Document | None) -> Document:
    known = address or _NOTHING
    company, name = known.get("company"), known.get("name")
    buyer: Document = {
        "party_type": "organisation" if company else "person",
        "name": company or name or order["email"],
        "contact": _some(("name", name), ("telephone", known.get("phone")), ("electronic_mail", order["email"])),
    }
    if party := _PARTIES.get(str(order["customer"]["id"]) if order["customer"] else ""):
        buyer["party_id"] = party
    if address:
        buyer["postal_address"] = _address(address)
    return buyer


def _address(address: Document) -> Document:
    return {
        **_some(
            ("street_name", address["address1"]), ("additional_street_name", address["address2"]),
            ("city_name", address["city"]), ("postal_zone", address["zip"]),
        ),
        "country_code": address["country_code"],
    }  # fmt: skip


def _some(*fields: tuple[str, Any]) -> Document:
    return {name: value for name, value in fields if value}


def _money(amount: Decimal, currency: str, quantum: Decimal) -> Document:
    return {"amount": str(amount.quantize(quantum, ROUND_HALF_UP)), "currency": currency}


def _price(amount: Decimal, quantum: Decimal) -> str:
    """At most six decimals; those beyond the currency's own only where they are not zero."""
    rounded = amount.quantize(quantum, ROUND_HALF_UP)
    if rounded == amount:
        return str(rounded)
    head, _, decimals = str(amount.quantize(_SIX, ROUND_HALF_UP)).partition(".")
    kept = decimals.rstrip("0").ljust(len(str(quantum)) - 2, "0")
    return f"{head}.{kept}" if kept else head
