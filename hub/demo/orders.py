"""The day of the demo: orders of several currencies and kinds of buyers, some of which cannot go through as they are.

The same seed gives the same day. Totals are right to the cent, as a shop computes them; nothing here is a real person.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

import msgspec

ORDERS, UNWANTED = "orders/create", "carts/update"
NEW_UNIT = "pallet"  # a unit that the look-up table of the project does not know yet
DELISTED = "OLD-1990"  # an item that the ERP does not have until somebody adds it


class Market(msgspec.Struct, frozen=True):
    """Where an order comes from: its currency, its tax, an address there."""

    currency: str
    country: str
    city: str
    postcode: str
    rate: Decimal
    cent: Decimal = Decimal("0.01")


MARKETS = (
    Market("EUR", "DE", "Hamburg", "20095", Decimal("0.19")),
    Market("EUR", "FR", "Lyon", "69001", Decimal("0.20")),
    Market("EUR", "IE", "Cork", "T12 W8KP", Decimal("0.23")),
    Market("GBP", "GB", "Leeds", "LS1 4DY", Decimal("0.20")),
    Market("SEK", "SE", "Malmö", "211 20", Decimal("0.25")),
    Market("CHF", "CH", "Basel", "4001", Decimal("0.081")),
    Market("USD", "US", "Portland", "97205", Decimal("0")),
    Market("JPY", "JP", "Osaka", "530-0001", Decimal("0.10"), Decimal("1")),
)
GOODS = (
    ("Hydraulic hose", "HOSE", 1890), ("Swivel coupling", "COUP", 745), ("Ball valve", "VALV", 2380),
    ("Pressure gauge", "GAUG", 3150), ("Seal kit", "SEAL", 990), ("Filter insert", "FILT", 1275),
)  # fmt: skip
COMPANIES = ("Nordwind Anlagenbau GmbH", "Atelier du Canal SARL", "Pennine Pumps Ltd", "Kanalgatans Verkstad AB")
PERSONS = ("Alex Sample", "Robin Example", "Kim Muster", "Sam Placeholder", "Jo Doe")


class ShopEvent(msgspec.Struct, frozen=True):
    """One webhook the shop will post. ``fate`` says what is meant to become of it; ``repeat`` sends it twice."""

    number: int
    event: str
    body: bytes
    fate: str = "delivered"
    repeat: bool = False
    forged: bool = False

    @property
    def webhook_id(self) -> str:
        return f"demo-{self.number:05d}"


Spoil = Callable[[dict[str, Any]], None]


def _unknown_unit(order: dict[str, Any]) -> None:
    order["line_items"][0]["properties"] = [{"name": "unit", "value": NEW_UNIT}]


def _unknown_item(order: dict[str, Any]) -> None:
    order["line_items"][0] |= {"sku": DELISTED, "title": "Pump, series 1990"}


def _misspelt_country(order: dict[str, Any]) -> None:
    for address in ("billing_address", "shipping_address"):
        if order[address]:
            order[address]["country_code"] = "Germani"


def _missing_currency(order: dict[str, Any]) -> None:
    order["currencey"] = order.pop("currency")


# One of each kind per so many orders; the first two kinds are repaired during the demo, the others stay dead.
KINDS: tuple[tuple[str, int, int, Spoil], ...] = (
    ("new unit", 25, 7, _unknown_unit),
    ("item the ERP lacks", 33, 11, _unknown_item),
    ("misspelt country", 90, 41, _misspelt_country),
    ("misspelt field", 110, 63, _missing_currency),
)


def day_of_orders(count: int, seed: int = 1) -> Iterator[ShopEvent]:
    """``count`` orders in the order they are posted, with what else a shop posts in between."""
    random = Random(seed)  # noqa: S311 - a made-up day, nothing to guess
    number = 0
    for index in range(count):
        number += 1
        yield _order_event(number, index, random)
        if index % 40 == 17:
            number += 1
            yield ShopEvent(number, UNWANTED, b'{"token":"cart","line_items":[]}', "filtered")
        if index % 100 == 55:
            number += 1
            yield ShopEvent(number, ORDERS, _dump(order(number, random))[:-40], "unreadable")
        if index % 70 == 33:
            number += 1
            yield ShopEvent(number, ORDERS, _dump(order(number, random)), "refused at the door", forged=True)


def _order_event(number: int, index: int, random: Random) -> ShopEvent:
    document, fate = order(number, random), "delivered"
    for kind, every, offset, spoil in KINDS:
        if index % every == offset:
            spoil(document)
            fate = kind
            break
    return ShopEvent(number, ORDERS, _dump(document), fate, repeat=index % 20 == 9)


def order(number: int, random: Random) -> dict[str, Any]:
    """One order as the shop's webhook says it, all totals exact."""
    market = random.choice(MARKETS)
    inclusive = bool(market.rate) and random.random() < 0.4
    lines = [_line(random, market, inclusive) for _ in range(random.choice((1, 1, 2, 2, 3, 5)))]
    goods = all(line["requires_shipping"] for line in lines)
    freight = _freight(market, inclusive) if goods else []
    billing = _address(random, market)
    total = sum((_payable(entry, inclusive) for entry in (*lines, *freight)), Decimal())
    return {
        "id": 5_500_000_000_000 + number,
        "name": f"#D{1000 + number}",
        "email": f"buyer{number}@shop.example",
        "created_at": f"2026-03-05T{6 + number // 20 % 14:02d}:{number * 3 % 60:02d}:00+01:00",
        "currency": market.currency,
        "financial_status": random.choice(("paid", "paid", "pending")),
        "taxes_included": inclusive,
        "total_price": str(total),
        "note": random.choice((None, None, "Please ring twice", "Deliver in the morning")),
        "payment_gateway_names": [random.choice(("shopify_payments", "paypal", "manual"))],
        "customer": {"id": 7_000_000_000 + random.randrange(10_000)},
        "billing_address": billing,
        "shipping_address": billing if goods else None,
        "shipping_lines": freight,
        "line_items": lines,
    }


def _line(random: Random, market: Market, inclusive: bool) -> dict[str, Any]:
    title, code, cents = random.choice(GOODS)
    price = _rounded(Decimal(cents) * random.randrange(80, 130) / 10000, market)
    quantity = random.randrange(1, 7)
    discount = _rounded(price * quantity / 10, market) if random.random() < 0.25 else Decimal(0)
    given = [{"amount": str(discount), "discount_application_index": 0}] if discount else []
    return {
        "id": random.randrange(10**12, 10**13),
        "sku": f"{code}-{random.randrange(100):02d}",
        "title": title,
        "variant_title": random.choice((None, "DN8", "DN12")),
        "quantity": quantity,
        "price": str(price),
        "gift_card": False,
        "requires_shipping": random.random() < 0.95,
        "properties": [],
        "tax_lines": _tax(price * quantity - discount, market, inclusive),
        "discount_allocations": given,
    }


def _freight(market: Market, inclusive: bool) -> list[dict[str, Any]]:
    price = _rounded(Decimal("4.90"), market)
    return [{"title": "Standard", "price": str(price), "tax_lines": _tax(price, market, inclusive)}]


def _tax(amount: Decimal, market: Market, inclusive: bool) -> list[dict[str, Any]]:
    if not market.rate:
        return []
    tax = amount - amount / (1 + market.rate) if inclusive else amount * market.rate
    return [{"title": "VAT", "rate": float(market.rate), "price": str(_rounded(tax, market))}]


def _payable(entry: Mapping[str, Any], inclusive: bool) -> Decimal:
    amount = Decimal(entry["price"]) * int(entry.get("quantity", 1))
    amount -= sum((Decimal(given["amount"]) for given in entry.get("discount_allocations", ())), Decimal())
    tax = sum((Decimal(line["price"]) for line in entry["tax_lines"]), Decimal())
    return amount if inclusive else amount + tax


def _address(random: Random, market: Market) -> dict[str, Any]:
    return {
        "name": random.choice(PERSONS),
        "company": random.choice((None, *COMPANIES)),
        "address1": f"Example Street {random.randrange(1, 200)}",
        "address2": random.choice((None, "2nd floor")),
        "city": market.city,
        "zip": market.postcode,
        "country_code": market.country,
        "phone": None,
    }


def _rounded(amount: Decimal, market: Market) -> Decimal:
    return amount.quantize(market.cent, ROUND_HALF_UP)


def _dump(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
