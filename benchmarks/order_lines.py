"""Orders of a shop with any number of lines, each with prices, taxes and a total of its own, as documents."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

from benchmarks.orders import GOODS

_CENT = Decimal("0.01")
_RATE = Decimal("0.19")


def order_of(number: int, draw: Random, lines: int = 10) -> dict[str, Any]:
    """An order whose total is right."""
    items = [_line(place, draw) for place in range(lines)]
    net = sum((Decimal(item["price"]) * item["quantity"] for item in items), Decimal())
    tax = sum((Decimal(item["tax_lines"][0]["price"]) for item in items), Decimal())
    town = (
        f"Gartenweg {draw.randint(1, 900)}",
        draw.choice(("Lyon", "Hamburg", "Gent")),
        str(draw.randint(10000, 99999)),
    )
    address = {
        "name": "Erika Muster", "company": None, "address1": town[0], "address2": "2. Etage", "city": town[1],
        "zip": town[2], "country_code": "DE", "phone": "+33 1 23456789",
    }  # fmt: skip
    clock = f"{number % 24:02d}:{number % 60:02d}:{draw.randrange(60):02d}"
    return {
        "id": 5_500_000_000_000 + number,
        "name": f"#{number + 1000}",
        "email": "erika.muster@example.com",
        "created_at": f"2026-03-{number % 28 + 1:02d}T{clock}+01:00",
        "currency": "EUR",
        "financial_status": "paid",
        "taxes_included": False,
        "total_price": str(net + tax + Decimal("5.83")),
        "note": "Please ring twice",
        "payment_gateway_names": ["shopify_payments"],
        "customer": {"id": 7_000_000_000 + number},
        "billing_address": address,
        "shipping_address": dict(address),
        "shipping_lines": [{"title": "DHL", "price": "4.90", "tax_lines": [{"rate": _RATE, "price": "0.93"}]}],
        "line_items": items,
    }


def _line(place: int, draw: Random) -> dict[str, Any]:
    quantity, cents = draw.randint(1, 9), draw.randint(99, 25_000)
    price = Decimal(cents) / 100
    tax = (price * quantity * _RATE).quantize(_CENT, ROUND_HALF_UP)
    return {
        "id": 13_000_000_000 + place, "sku": f"SKU-{draw.randrange(100_000):05d}", "title": draw.choice(GOODS),
        "variant_title": draw.choice(("DN8", "DN10", "DN12")), "quantity": quantity, "price": f"{price:.2f}",
        "gift_card": False, "requires_shipping": True, "properties": [],
        "tax_lines": [{"title": "VAT", "rate": _RATE, "price": str(tax)}], "discount_allocations": [],
    }  # fmt: skip
