"""The presets of shops, from their YAML to a server that pages as their documentation says."""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

sys.path.insert(1, str(Path(__file__).parent.parent / "conformance"))

from scripted_server import Line, Request, ScriptedServer
from shop import answer
from test_protocol_presets import FILES, opened, read

from connectors.base import ABSENT, DOUBT, FOUND, Parcel
from hub.errors import Fault
from hub.systems import load_systems
from hub.yamldoc import read_yaml

PAGE = Path(__file__).parents[2] / "docs/how-to/shops-and-payments.md"
SHOPIFY = """
shop:
  preset: shopify-admin
  base_url: {url}
  auth: {{type: key, key: secret://env/SHOP_KEY}}
  limits: {{rate: 1000/s}}
  fetch:
    request: "GET /admin/api/2026-04/orders.json?status=any&limit=2&updated_at_min={{watermark}}"
    watermark: {{start: "2026-01-01T00:00:00Z", overlap: 0s}}
"""
WOO = """
shop:
  preset: woocommerce-rest
  base_url: {url}
  auth: {{user: ck_1, password: secret://env/SHOP_KEY}}
  limits: {{rate: 1000/s}}
  fetch:
    request: "GET /wp-json/wc/v3/orders?modified_after={{watermark}}&dates_are_gmt=true&orderby=id&order=asc"
    watermark: {{start: "2026-01-01T00:00:00Z", overlap: 0s}}
"""


class Shop:
    """Five orders, two a page; where the next page is stands in the header Link."""

    def __init__(self, name: str, changed: str) -> None:
        self.name, self.changed = name, changed

    async def __call__(self, request: Request, line: Line) -> None:
        path = urlsplit(request.path)
        asked = {name: values[0] for name, values in parse_qs(path.query).items()}
        start = int(asked.get("page_info", 0))
        found: Any = [{"id": n, self.changed: f"2026-03-01T10:0{n}:00"} for n in range(1, 6)][start : start + 2]
        if self.name == "shopify":
            found = {"orders": [{**each, self.changed: each[self.changed] + "Z"} for each in found]}
        after = f"http://{request.headers['host']}{path.path}?page_info={start + 2}"
        await answer(line, found, link=f'<{after}>; rel="next"' if start < 4 else f'<{after}>; rel="previous"')


@pytest.mark.parametrize(
    ("system", "shop", "known", "since", "event"),
    [
        (SHOPIFY, Shop("shopify", "updated_at"), {"x-shopify-access-token": "s3cret"}, "updated_at_min",
         "orders/updated"),
        (WOO, Shop("woo", "date_modified_gmt"), {"authorization": "Basic " + base64.b64encode(b"ck_1:s3cret").decode()},
         "modified_after", "order.updated"),
    ],
    ids=["shopify", "woocommerce"],
)  # fmt: skip
def test_orders_are_fetched_page_by_page_and_then_from_the_last_change(
    monkeypatch: pytest.MonkeyPatch, system: str, shop: Shop, known: dict[str, str], since: str, event: str
) -> None:
    monkeypatch.setenv("SHOP_KEY", "s3cret")
    with ScriptedServer(shop) as server:
        hub = read(system.format(url=server.url), 2)
        assert hub.numbers == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]
        assert {item.event for item in hub.came} == {event}
        assert len(hub.ids) == 5, "what comes again is known"
        assert all(known.items() <= request.headers.items() for request in server.requests)
        asked = [parse_qs(urlsplit(request.path).query).get(since) for request in server.requests]
    assert asked == [["2026-01-01T00:00:00Z"], None, None, ["2026-03-01T10:05:00Z"], None, None]


def told(*fulfilments: tuple[str, str]) -> dict[str, Any]:
    """What Shopify says of the fulfilments of a fulfilment order."""
    nodes = [{"status": status, "trackingInfo": [{"number": number}]} for status, number in fulfilments]
    return {"fulfillments": {"nodes": nodes}}


def shown_systems() -> list[str]:
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [text for text in blocks if not text.startswith("route:")]


def test_refunds_of_woocommerce_are_taken_out_of_their_orders_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOO_KEY", "s3cret")
    block = next(text for text in shown_systems() if "preset: woocommerce-rest" in text)
    order = {"id": 727, "number": "A-727", "currency": "EUR", "transaction_id": "ch_1"}
    changes = iter(["2026-03-01T10:00:00", "2026-03-01T11:00:00"])

    async def refunded(request: Request, line: Line) -> None:
        refunds = [{"id": 732, "reason": "", "total": "-5.00"}, {"id": 731, "reason": "damaged", "total": "-12.40"}]
        status = "cancelled" if (now := next(changes)).endswith("11:00:00") else "processing"
        await answer(line, [{**order, "status": status, "date_modified_gmt": now, "refunds": refunds}])

    with ScriptedServer(refunded) as server:
        system = block[block.index("shop-api:") :].replace("https://shop.example", server.url)
        hub = read(system, 2)
    refunded_twice = ["order.refunded"] * 2
    assert [item.event for item in hub.came] == ["order.updated", *refunded_twice, "order.cancelled", *refunded_twice]
    assert len(hub.ids) == 4, "the order was changed and comes again, its refunds are known"
    assert json.loads(b"".join(hub.came[1].chunks)) == {
        "id": 732, "reason": "", "total": "-5.00", "event": "order.refunded",
        "date_modified_gmt": "2026-03-01T10:00:00", "order": order,
    }  # fmt: skip


def test_cancellations_and_refunds_of_shopify_are_fetched_under_the_events_of_its_webhooks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP_SECRET", "s3cret")
    block = next(text for text in shown_systems() if "preset: shopify-admin" in text)
    ends = iter(["pending", "success"])

    async def shop(request: Request, line: Line) -> None:
        if request.path.endswith("access_token"):
            await answer(line, {"access_token": "t", "token_type": "bearer", "expires_in": 86400})
            return
        refund = {"id": 1, "order_id": 1, "transactions": [{"id": 5, "kind": "refund", "status": next(ends)}]}
        sold = {
            "id": 1,
            "name": "#1001",
            "cancelled_at": None,
            "updated_at": "2026-03-01T10:00:00Z",
            "refunds": [refund],
        }
        await answer(line, {"orders": [sold, {**sold, "id": 2, "cancelled_at": "2026-03-01T10:00:00Z", "refunds": []}]})

    with ScriptedServer(shop) as server:
        system = block[block.index("shop-fulfil:") :].replace("https://hydro.myshopify.com", server.url)
        hub = read(system, 2)
    assert [item.event for item in hub.came] == ["orders/updated", "orders/cancelled", "refunds/create"] * 2
    assert len(hub.ids) == 4, "the orders are known, and the refund has ended"
    assert json.loads(b"".join(hub.came[2].chunks))["order_name"] == "#1001"


SENT = {
    "input": {"trackingInfo": {"numbers": ["0034"]}, "lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": "gid://7"}]}
}
UNTRACKED = {"input": {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": "gid://7"}]}}


@pytest.mark.parametrize(
    ("variables", "answered", "kind"),
    [
        (SENT, {"data": {"result": told(("SUCCESS", "0099"), ("SUCCESS", "0034"))}}, FOUND),
        (SENT, {"data": {"result": told(("SUCCESS", "0099"), ("CANCELLED", "0034"))}}, ABSENT),
        (SENT, {"data": {"result": told()}}, ABSENT),
        (SENT, {"errors": [{"extensions": {"code": "THROTTLED"}}]}, DOUBT),
        (UNTRACKED, {"data": {"result": told(("SUCCESS", "0099"))}}, DOUBT),
    ],
    ids=["it is there", "it was cancelled", "there is none", "no answer", "it has no tracking number"],
)
def test_a_fulfilment_of_shopify_in_doubt_is_asked_for_by_its_tracking_number(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, Any], answered: dict[str, Any], kind: str
) -> None:
    monkeypatch.setenv("SHOP_SECRET", "s3cret")

    async def shop(request: Request, line: Line) -> None:
        if request.path.endswith("access_token"):
            await answer(line, {"access_token": "t", "token_type": "bearer", "expires_in": 86400})
            return
        assert json.loads(request.body)["variables"] == {"id": "gid://7"}
        await answer(line, answered)

    block = next(text for text in shown_systems() if "preset: shopify-admin" in text)
    with ScriptedServer(shop) as server:
        text = block[block.index("shop-fulfil:") :].replace("https://hydro.myshopify.com", server.url)
        with opened(text) as to:
            parcel = Parcel("d-1", "d-1.1", json.dumps({"query": "mutation", "variables": variables}).encode())
            assert to.look_up(parcel).kind == kind


def test_the_systems_that_the_page_shows_have_no_fault() -> None:
    faults: list[Fault] = []
    shown = shown_systems()
    for text in shown:
        root, found = read_yaml(text, "config/systems.yaml")
        faults += found
        load_systems(root, FILES, None, faults)
    assert len(shown) == 4
    assert [str(fault) for fault in faults] == []
