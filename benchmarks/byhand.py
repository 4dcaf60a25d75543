"""The mapping of the benchmark written by hand: a Shopify order to the canonical order, 44 fields and a line loop.

Plain Python with exact decimals, as someone in a hurry but careful with money writes it. The compared script uses it,
and it is the mapping in the floor.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

SELLER = {"party_id": "self", "party_type": "organisation", "name": "Example GmbH"}

_CENT = Decimal("0.01")
_MEANS = {"shopify_payments": "48", "paypal": "68", "manual": "30"}

Document = dict[str, Any]


def canonical_order(order: Document) -> Document:
    """The canonical order. Numbers come as Decimals. Raises ValueError when the lines do not add up to the total."""
    currency = order["currency"]
    lines = [_line(line, number, currency) for number, line in enumerate(order["line_items"], 1)]
    net = sum((Decimal(line["line_extension_amount"]["amount"]) for line in lines), Decimal())
    freight = sum((Decimal(line["price"]) for line in order["shipping_lines"]), Decimal())
    tax = sum((Decimal(line["tax_amount"]["amount"]) for line in lines), _freight_tax(order))
    total = net + freight + tax
    if total != Decimal(order["total_price"]):
        raise ValueError(f"the total is {total}, the shop says {order['total_price']}")
    paid = total if order["financial_status"] == "paid" else Decimal()
    billing, shipping = order["billing_address"], order["shipping_address"]
    return {
        "order_id": order["name"].lstrip("#"),
        "source_order_id": str(order["id"]),
        "channel": "ecommerce",
        "issue_date": order["created_at"][:10],
        "issue_time": order["created_at"],
        "document_currency_code": currency,
        "buyer": _buyer(order, billing or shipping),
        "seller": SELLER,
        "delivery_party": _recipient(shipping),
        "delivery_location": {"address": _address(shipping)},
        "payment_means": [{"payment_means_code": _MEANS.get(name, "ZZZ")} for name in order["payment_gateway_names"]],
        "allowance_charges": [_freight(line, currency) for line in order["shipping_lines"]],
        "anticipated_monetary_total": {
            "line_extension_amount": _money(net, currency),
            "charge_total_amount": _money(freight, currency),
            "tax_exclusive_amount": _money(net + freight, currency),
            "tax_inclusive_amount": _money(total, currency),
            "prepaid_amount": _money(paid, currency),
            "payable_amount": _money(total - paid, currency),
        },
        "order_lines": lines,
        "notes": [order["note"]] if order["note"] else [],
    }


def _line(line: Document, number: int, currency: str) -> Document:
    net = Decimal(line["price"]) * line["quantity"]
    for part in line["discount_allocations"]:
        net -= Decimal(part["amount"])
    tax = Decimal()
    for part in line["tax_lines"]:
        tax += Decimal(part["price"])
    net_money = _money(net, currency)
    return {
        "line_id": str(number),
        "item": {
            "name": f"{line['title']} - {line['variant_title']}" if line["variant_title"] else line["title"],
            "item_type": "gift_card" if line["gift_card"] else "goods" if line["requires_shipping"] else "service",
            "sellers_item_id": line["sku"],
        },
        "quantity": {"value": str(line["quantity"]), "unit_code": "C62"},
        "price": {"price_amount": {"amount": line["price"], "currency": currency}},
        "line_extension_amount": net_money,
        "tax_amount": _money(tax, currency),
        "tax_subtotals": [_tax(part, net_money, currency) for part in line["tax_lines"]],
    }


def _tax(part: Document, net_money: Document, currency: str) -> Document:
    rate = part["rate"]
    return {
        "taxable_amount": net_money,
        "tax_amount": _money(Decimal(part["price"]), currency),
        "tax_category": {"category_code": "S" if rate else "Z", "percent": str(rate * 100)},
    }


def _freight(line: Document, currency: str) -> Document:
    amount = _money(Decimal(line["price"]), currency)
    return {"charge_indicator": True, "amount": amount, "reason_code": "FC", "reason": line["title"]}


def _freight_tax(order: Document) -> Decimal:
    taxes = (Decimal(tax["price"]) for line in order["shipping_lines"] for tax in line["tax_lines"])
    return sum(taxes, Decimal())


def _buyer(order: Document, address: Document) -> Document:
    return {
        "party_type": "organisation" if address["company"] else "person",
        "name": address["company"] or address["name"] or order["email"],
        "postal_address": _address(address),
        "contact": {
            "name": address["name"],
            "telephone": address["phone"],
            "electronic_mail": order["email"],
        },
    }


def _recipient(address: Document) -> Document:
    contact = {"name": address["name"], "telephone": address["phone"]}
    return {"name": address["company"] or address["name"], "contact": contact}


def _address(address: Document) -> Document:
    return {
        "street_name": address["address1"],
        "additional_street_name": address["address2"],
        "city_name": address["city"],
        "postal_zone": address["zip"],
        "country_code": address["country_code"],
    }


def _money(amount: Decimal, currency: str) -> Document:
    return {"amount": str(amount.quantize(_CENT, ROUND_HALF_UP)), "currency": currency}
