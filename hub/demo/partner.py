"""The partner of the demo: no shop, no API, one CSV file a day with the lines of several orders."""

from __future__ import annotations

import csv
import io
from random import Random

from hub.demo.orders import GOODS, MARKETS

NAME = "orders-2026-03-05.csv"
_HEADER = (
    "order_no", "order_date", "currency", "customer_no", "customer_name", "street", "postcode", "city", "country",
    "sku", "description", "quantity", "unit", "unit_price", "tax_rate",
)  # fmt: skip


def partner_file(orders: int) -> bytes:
    """The file: one row a line, the rows of an order together; prices with a decimal comma, as the partner has them."""
    random = Random(1)  # noqa: S311 - made-up orders, nothing to guess
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_HEADER)
    for number in range(orders):
        market = MARKETS[number % 2]
        head = (
            f"P-{2001 + number}", "2026-03-05", "EUR", f"K{100 + number}", f"Sample Trading {number + 1}",
            f"Example Street {number + 1}", market.postcode, market.city, market.country,
        )  # fmt: skip
        for title, code, cents in random.sample(GOODS, 2):
            price = f"{cents // 100},{cents % 100:02d}"
            writer.writerow((*head, f"{code}-01", title, random.randrange(1, 9), "pcs", price, "19"))
    return text.getvalue().encode()
