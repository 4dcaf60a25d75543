"""The orders every benchmark sends: Shopify webhooks of about 3.4 KB with ten lines, each with its own id, signed.

A body is a prefix that many orders share and a tail with the order's number, so that signing one costs a copy of the
hash's state and one more block instead of the whole body: the generator must not be what is measured.
"""

from __future__ import annotations

import hashlib
import json
from binascii import b2a_base64
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from random import Random
from typing import Any

SECRET = "bench-shop-secret"  # the shop of the benchmark, not a credential of anything
TOPIC = "orders/create"
MARK = b"BENCH-"  # the sink finds an order's number behind it, wherever a mapping put the order's name
DIGITS = 10
VARIANTS = 16
LINES = 10

GOODS = (
    "Hydraulic hose",
    "Swivel coupling",
    "Ball valve",
    "Pressure gauge",
    "Seal kit",
    "Hose clamp",
    "Filter insert",
)
_TOWNS = (("Lyon", "69001", "FR"), ("Hamburg", "20095", "DE"), ("Gent", "9000", "BE"), ("Milano", "20121", "IT"))
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Signed:
    """One webhook, ready for the wire: its body and the signature of it."""

    body: bytes
    signature: bytes
    webhook_id: bytes


@dataclass(slots=True)
class OrderBook:
    """Makes the order of any number, always the same bytes for the same number. The bodies differ in VARIANTS ways."""

    secret: str = SECRET
    _prefixes: list[bytes] = field(init=False, repr=False)
    _inner: list[Any] = field(init=False, repr=False)
    _outer: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._prefixes = [_prefix(variant) for variant in range(VARIANTS)]
        block = self.secret.encode().ljust(64, b"\0")  # RFC 2104: HMAC is two hashes over the padded key
        self._inner = [hashlib.sha256(bytes(b ^ 0x36 for b in block) + prefix) for prefix in self._prefixes]
        self._outer = hashlib.sha256(bytes(b ^ 0x5C for b in block))

    def signed(self, number: int) -> Signed:
        """The webhook of order ``number``."""
        variant = number % VARIANTS
        tail = b'"id":%d,"name":"#%b%010d","order_number":%d}' % (5_500_000_000_000 + number, MARK, number, number)
        inner = self._inner[variant].copy()
        inner.update(tail)
        outer = self._outer.copy()
        outer.update(inner.digest())
        signature = b2a_base64(outer.digest(), newline=False)
        return Signed(self._prefixes[variant] + tail, signature, b"b54557e4-bdd9-4b37-8a5f-%012d" % number)

    def request(self, number: int, target: bytes, topics: int = 1) -> bytes:
        """The bytes of the whole HTTP request; ``target`` is its request line's path, ``topics`` over how many of them
        the orders are spread."""
        order = self.signed(number)
        topic = topic_bytes(number % topics)
        return _REQUEST % (target, len(order.body), topic, order.signature, order.webhook_id, order.body)


def topic(number: int) -> str:
    """The event of the shop's usual orders, or another one."""
    return TOPIC if number == 0 else f"{TOPIC}-{number}"


@cache
def topic_bytes(number: int) -> bytes:
    return topic(number).encode()


_REQUEST = (
    b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Shopify-Captain-Hook\r\nAccept: */*\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\nX-Shopify-Topic: %b\r\n"
    b"X-Shopify-Hmac-SHA256: %b\r\nX-Shopify-Shop-Domain: bench.myshopify.com\r\nX-Shopify-API-Version: 2025-07\r\n"
    b"X-Shopify-Webhook-Id: %b\r\nX-Shopify-Triggered-At: 2026-03-05T09:00:00.123456789Z\r\n\r\n%b"
)


def headers(order: Signed) -> dict[str, str]:
    """The headers of one webhook by name, for a client that wants them so."""
    return {
        "Content-Type": "application/json",
        "X-Shopify-Topic": TOPIC,
        "X-Shopify-Hmac-SHA256": order.signature.decode(),
        "X-Shopify-Webhook-Id": order.webhook_id.decode(),
    }


def _prefix(variant: int) -> bytes:
    """The order without its number, cut before the closing brace, compact as a shop sends it."""
    return json.dumps(_order(Random(variant)), separators=(",", ":")).encode()[:-1] + b","


def _order(random: Random) -> dict[str, Any]:
    town, postcode, country = random.choice(_TOWNS)
    rate = Decimal("0.19")
    lines = [_line(random, number, rate) for number in range(LINES)]
    freight = Decimal("4.90")
    net = sum((Decimal(line["price"]) * line["quantity"] for line in lines), Decimal())
    tax = sum((Decimal(line["tax_lines"][0]["price"]) for line in lines), _rounded(freight * rate))
    address = _address(random, town, postcode, country)
    return {
        "email": "erika.muster@example.com",
        "created_at": "2026-03-05T10:00:00+01:00",
        "currency": "EUR",
        "financial_status": "paid",
        "taxes_included": False,
        "total_price": str(net + freight + tax),
        "subtotal_price": str(net),
        "total_tax": str(tax),
        "note": "Please ring twice",
        "payment_gateway_names": ["shopify_payments"],
        "customer": {"id": 7_000_000_000 + random.randrange(10_000), "email": "erika.muster@example.com"},
        "billing_address": address,
        "shipping_address": address,
        "shipping_lines": [
            {"title": "DHL Standard", "price": str(freight), "tax_lines": [_tax_line(freight * rate, rate)]}
        ],
        "line_items": lines,
    }


def _line(random: Random, number: int, rate: Decimal) -> dict[str, Any]:
    price = _rounded(Decimal(random.randrange(200, 20_000)) / 100)
    quantity = random.randrange(1, 9)
    return {
        "id": 13_000_000_000 + number,
        "sku": f"SKU-{random.randrange(100_000):05d}",
        "title": random.choice(GOODS),
        "variant_title": f"DN{random.choice((6, 8, 10, 12))}",
        "quantity": quantity,
        "price": str(price),
        "gift_card": False,
        "requires_shipping": True,
        "properties": [],
        "tax_lines": [_tax_line(price * quantity * rate, rate)],
        "discount_allocations": [],
    }


def _address(random: Random, town: str, postcode: str, country: str) -> dict[str, Any]:
    return {
        "name": "Erika Muster",
        "company": None,
        "address1": f"Gartenweg {random.randrange(1, 200)}",
        "address2": "2. Etage",
        "city": town,
        "zip": postcode,
        "country_code": country,
        "phone": "+33 1 23456789",
    }


def _tax_line(amount: Decimal, rate: Decimal) -> dict[str, str | float]:
    return {"title": "VAT", "rate": float(rate), "price": str(_rounded(amount))}  # a shop sends the rate as a number


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
