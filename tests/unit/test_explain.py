"""A route in words: what is said, and every default that is not."""

from dataclasses import replace

import pytest

from hub.explain import explain, retry_text
from hub.fields import Located
from hub.routes import Reply, RetryPolicy, Route, Target
from hub.settings import Retention, Settings
from hub.systems import System

SYSTEMS = {
    "shop": System("shop", "webhook", preset="shopify"),
    "erp": System("erp", "http", idempotency={"mode": "lookup", "settle": 60.0}),
    "wms": System("wms", "http", idempotency={"mode": "native"}),
}


def test_a_full_route_in_words():
    route = Route(
        "orders", "shop", "shopify-order", description="Orders to the ERP", events=("orders/create", "orders/edited"),
        targets=(
            Target("erp", "erp", "order-to-erp", reply=Reply("erp-reply")),
            Target("box", "wms", None, when=Located("src.x > 1"), after="erp", key=Located("src.y"), on_error="skip"),
        ),
        retention={"raw": 864000.0}, file="routes/orders.yaml", line=3,
    )  # fmt: skip
    assert explain(route, Settings(systems=SYSTEMS, retention=Retention())) == (
        """\
orders: Orders to the ERP
  routes/orders.yaml:3

Takes the event 'orders/create' or 'orders/edited' from shop (webhook, preset shopify).
The mapping shopify-order makes a canonical document of it, which is checked against its schema.
The sender is answered as soon as it is stored (202); an invalid document becomes a dead letter.
Order is kept for each target by the main key of the canonical type: what waits holds back only its own key.

Sends it to 2 targets, each on its own:
  1. erp (http)
     - mapped by order-to-erp
     - in doubt after a time-out: looked up after 1m in the system, sent again only if it is not there
     - tried 8 times; waits at most 10s, 30s, 1m30s, 4m30s, 13m30s, 15m, 15m; given up after at most 50m10s of waiting
     - if it cannot succeed: it becomes a dead letter, and later documents of its key go on (on_error: dead_letter)
     - its answer becomes a new document by the mapping erp-reply
  2. wms (http) as box
     - as the canonical document itself
     - only when src.x > 1
     - only after the delivery to erp has arrived; held if that one dies
     - order kept by src.y
     - in doubt after a time-out: sent again with the same key, which the system recognises
     - tried 8 times; waits at most 10s, 30s, 1m30s, 4m30s, 13m30s, 15m, 15m; given up after at most 50m10s of waiting
     - if it cannot succeed: it is skipped, and nothing waits for it (on_error: skip)

Kept: raw bytes 10d, steps 30d, metadata 400d; dead letters until they are settled.
"""
    )


def test_quotas_and_the_backlog_are_told() -> None:
    route = Route("orders", "shop", "m", (), quota={"size": 20_000_000_000, "messages": 5}, backlog={"deliveries": 9})
    systems = {"shop": replace(SYSTEMS["shop"], quota={"messages": 7})}
    assert explain(route, Settings(systems=systems, quota={"size": 1000})).endswith(
        """\
It may store 20GB of payloads and 5 messages: beyond that the oldest that has ended goes before its time,
never what is on its way nor a dead letter; where that is not enough, its documents are answered 503.
All that comes from shop together may store 7 messages, in the same way.
All of the hub together may store 1KB of payloads, in the same way.
While more than 9 of its deliveries wait, its documents are answered 429.
"""
    )


def test_a_target_that_expires_says_so():
    route = Route("x", "shop", "m", targets=(Target("wms", "wms", expires=14400.0), Target("erp", "erp")))
    text = explain(route, Settings(systems=SYSTEMS))
    assert text.count("not sent any more") == 1
    line = "     - not sent any more 4h after it was received: then it expires, a dead letter, and later documents of "
    assert f"{line}its key go on\n" in text


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        (RetryPolicy(attempts=1), "tried once, never again"),
        (
            RetryPolicy(attempts=3, first=1.0, factor=2.0, jitter="none"),
            "tried 3 times; waits 1s, 2s; given up after 3s of waiting",
        ),
        (
            RetryPolicy(attempts=20, first=60.0, factor=1.0),
            "tried 20 times; waits at most 1m, 1m, 1m, 1m, 1m, 1m, 1m, 1m, …; given up after at most 19m of waiting",
        ),
    ],
)
def test_a_retry_policy_is_a_schedule(policy, text):
    assert retry_text(policy) == text


def test_a_route_without_order_or_answer_says_so():
    route = Route("x", "nobody", "m", targets=(Target("wms", "wms"),), order="none", validate="sync")
    text = explain(route, Settings(systems=SYSTEMS))
    assert "Takes every document from nobody (unknown system).\n" in text
    assert "The sender waits for that: an invalid document is answered 422 and is not kept.\n" in text
    assert "No order is kept (order: none).\n" in text
    assert "Sends it to 1 target:\n" in text
