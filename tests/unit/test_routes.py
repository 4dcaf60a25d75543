"""Route files: what is read, with every default, and each mistake's own words."""

import pytest

from hub.fields import Located
from hub.routes import Reply, RetryPolicy, load_routes

PLAIN = """\
route: webshop-orders
from: {system: webshop, event: orders/create}
map: shopify-order
to:
  - {system: erp, map: order-to-erp}
"""


def load(text):
    """The routes of one file, and the faults as texts without the file's name."""
    routes, faults = load_routes({"routes/x.yaml": text.encode()})
    return routes, [str(fault).removeprefix("routes/x.yaml:") for fault in faults]


def test_a_plain_route_has_every_default():
    (route,), faults = load(PLAIN)
    assert faults == []
    assert (route.name, route.system, route.events, route.map) == (
        "webshop-orders", "webshop", ("orders/create",), "shopify-order",
    )  # fmt: skip
    assert (route.order, route.key, route.validate, route.on_error, route.retention) == (
        "per_key", None, "async", "dead_letter", {},
    )  # fmt: skip
    assert route.retry == RetryPolicy(attempts=8, first=10.0, factor=3.0, cap=900.0, jitter="full")
    (target,) = route.targets
    assert (target.id, target.system, target.map, target.on_error, target.retry) == (
        "erp", "erp", "order-to-erp", "dead_letter", route.retry,
    )  # fmt: skip
    assert (route.file, route.line, route.column) == ("routes/x.yaml", 1, 1)


def test_everything_can_be_said():
    (route,), faults = load(
        """\
route: webshop-orders
description: Web shop orders
from: {system: webshop, event: [orders/create, orders/edited]}
map: shopify-order
order: per_key
key: src.order_id
to:
  - {system: erp, map: order-to-erp, reply: {map: erp-order-reply}, retry: {attempts: 3}}
  - system: wms
    id: wms-main
    after: erp
    when: "src.order_lines[0].quantity"
    on_error: skip
    key: src.delivery_party.party_id
    expires: 4h
retry: {attempts: 5, first: 1s, factor: 1.5, cap: 1m, jitter: none}
on_error: block_key
validate: sync
retention: {raw: 10d}
"""
    )
    assert faults == []
    erp, wms = route.targets
    assert route.events == ("orders/create", "orders/edited")
    assert route.takes("orders/edited")
    assert not route.takes("orders/cancelled")
    assert route.key == Located("src.order_id", "routes/x.yaml", 6, 6)
    assert route.retry == RetryPolicy(5, 1.0, 1.5, 60.0, "none")
    assert erp.retry == RetryPolicy(3, 1.0, 1.5, 60.0, "none")
    assert (erp.reply, erp.on_error) == (Reply("erp-order-reply"), "block_key")
    assert (wms.id, wms.after, wms.map, wms.on_error) == ("wms-main", "erp", None, "skip")
    assert wms.when == Located("src.order_lines[0].quantity", "routes/x.yaml", 12, 12)
    assert (erp.expires, wms.expires, wms.expires_at(100.0)) == (None, 14400.0, 14500.0)
    assert route.target("wms-main") is wms
    assert route.retention == {"raw": 864000.0}


def test_a_file_may_hold_a_list_of_routes():
    listed = "- " + PLAIN.replace("\n", "\n  ").rstrip() + "\n"
    routes, faults = load(listed + listed.replace("webshop-orders", "other"))
    assert faults == []
    assert [route.name for route in routes] == ["webshop-orders", "other"]


def test_only_files_under_routes_are_routes():
    files = {"routes/a/b.yaml": PLAIN.encode(), "config/routes.yaml": b"x", "routes/notes.txt": b"x"}
    routes, faults = load_routes(files)
    assert [route.file for route in routes] == ["routes/a/b.yaml"]
    assert faults == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "map: shopify-order\n",
            "mapp: shopify-order\n",
            "3:1: error: unknown key 'mapp' in route 'webshop-orders'; did you mean 'map'?",
        ),
        (
            "map: shopify-order\n",
            "",
            "1:1: error: map is missing in route 'webshop-orders': the mapping from the system's document to a "
            "canonical one",
        ),
        (
            "route: webshop-orders\n",
            "",
            "1:1: error: route is missing in this route: the route's name, unique in the project",
        ),
        (
            "webshop-orders",
            "web shop",
            "1:8: error: 'web shop' cannot name a route; use letters, digits, '-', '_' and '.', starting with a "
            "letter or digit",
        ),
        ("route: webshop-orders", "route:", "1:7: error: route has no value; expected text"),
        (
            "map: order-to-erp",
            "map: order-to-erp, expire: 4h",
            "5:38: error: unknown key 'expire' in to[0] of route 'webshop-orders'; did you mean 'expires'?",
        ),
        (
            "map: order-to-erp",
            "map: order-to-erp, expires: 4",
            "5:47: error: to[0].expires: expected a duration such as 10s, 15m, 24h or 7d, got '4'; write 4s",
        ),
        (
            "map: order-to-erp",
            "map: order-to-erp, expires: 500ms",
            "5:47: error: expires: expected 1s or more, such as 4h, got 500ms",
        ),
        ("map: shopify-order\n", "map: ''\n", "3:6: error: map has no value; expected text"),
        (
            "system: webshop, ",
            "system: '', ",
            "2:7: error: system is missing in from of route 'webshop-orders': write system:, or partner: for a "
            "trading partner",
        ),
        ("{system: webshop, event: orders/create}", "webshop", "2:7: error: from: expected a mapping, got text"),
        (
            "system: webshop, ",
            "",
            "2:7: error: system is missing in from of route 'webshop-orders': write system:, or partner: for a "
            "trading partner",
        ),
        (
            "event: orders/create",
            "evnt: orders/create",
            "2:25: error: unknown key 'evnt' in from of route 'webshop-orders'; did you mean 'event'?",
        ),
        (
            "to:\n  - {system: erp, map: order-to-erp}",
            "to: {system: erp}",
            "4:5: error: to: expected a list, got a mapping; write it in [ ] or on lines that start with '- '",
        ),
        (
            "to:\n  - {system: erp, map: order-to-erp}",
            "to: []",
            "4:5: error: to: expected at least one target, e.g. - {system: erp, map: order-to-erp}",
        ),
        ("{system: erp, map: order-to-erp}", "erp", "5:5: error: to[0]: expected a mapping, got text"),
        (
            "{system: erp, map: order-to-erp}",
            "{map: order-to-erp, after: crm}",
            "5:5: error: system is missing in to of route 'webshop-orders': write system:, or partner: for a trading "
            "partner",
        ),
        (
            "{system: erp, map: order-to-erp}",
            "{sytem: erp}",
            "5:6: error: unknown key 'sytem' in to[0] of route 'webshop-orders'; did you mean 'system'?",
        ),
        (
            "order-to-erp}",
            "order-to-erp, reply: erp-order-reply}",
            "5:45: error: to[0].reply: expected a mapping, got text",
        ),
        (
            "order-to-erp}",
            "order-to-erp, reply: {}}",
            "5:45: error: map is missing in to[0].reply of route 'webshop-orders': the mapping from the answer to "
            "a canonical document",
        ),
        (
            "order-to-erp}",
            "order-to-erp, on_error: ignore}",
            "5:48: error: to[0].on_error: expected dead_letter, block_key, skip or stop, got 'ignore'",
        ),
        (
            "order-to-erp}",
            "order-to-erp, when: {a: 1}}",
            "5:44: error: to[0].when: expected an expression, got a mapping; quote an expression that holds '{' or '['",
        ),
        (
            "order-to-erp}",
            "order-to-erp, id: a/b}",
            "5:42: error: 'a/b' cannot name a target; use letters, digits, '-', '_' and '.', starting with a "
            "letter or digit",
        ),
        (
            "order-to-erp}",
            "order-to-erp}\n  - {system: erp}",
            "6:5: error: two targets are called 'erp', the first in line 5; give each its own id:",
        ),
        (
            "to:",
            "order: perkey\nto:",
            "4:8: error: order: expected per_key or none, got 'perkey'; did you mean 'per_key'?",
        ),
        (
            "to:",
            "on_error: retry\nto:",
            "4:11: error: on_error: expected dead_letter, block_key, skip or stop, got 'retry'",
        ),
        ("to:", "validate: true\nto:", "4:11: error: validate: expected async or sync, got 'true'"),
        (
            "to:",
            "retry: {attempts: 0}\nto:",
            "4:19: error: retry.attempts: expected 1 to 1000, got 0 (1 means no second try)",
        ),
        ("to:", "retry: {attempts: many}\nto:", "4:19: error: retry.attempts: expected a whole number, got 'many'"),
        (
            "to:",
            "retry: {factor: 0.5}\nto:",
            "4:17: error: retry.factor: expected 1 to 100, got 0.5 (1 means equal waits)",
        ),
        ("to:", "retry: {first: 0s}\nto:", "4:16: error: retry.first: expected a wait above zero, such as 10s"),
        (
            "to:",
            "retry: {first: 10}\nto:",
            "4:16: error: retry.first: expected a duration such as 10s, 15m, 24h or 7d, got '10'; write 10s",
        ),
        (
            "to:",
            "retry: {first: 1m, cap: 5s}\nto:",
            "4:25: error: retry.cap: the longest wait is shorter than the first (5s < 60s)",
        ),
        (
            "to:",
            "retention: {raw: ever}\nto:",
            "4:18: error: retention.raw: expected a duration such as 10s, 15m, 24h or 7d, got 'ever'",
        ),
        (
            "to:",
            "retention: {metadata: 0s}\nto:",
            "4:23: error: retention.metadata: expected a time above zero, such as 1d, got 0s",
        ),
        ("to:", "steps: []\nto:", "4:1: error: 'steps' is not in this version; take the key out"),
        ("to:", "expect: {by: 10s}\nto:", "4:1: error: 'expect' is not in this version; take the key out"),
        ("to:", "every: 5m\nto:", "4:1: error: 'every' is not in this version; take the key out"),
        ("to:", "map: shopify-order\nto:", "4:1: error: the key 'map' stands twice; the first is in line 3"),
        ("to:", "\tto:", "4:1: error: a tab in the indentation; YAML wants spaces: write two spaces"),
        (
            "to:",
            "key: [src.order_id]\nto:",
            "4:6: error: key: expected an expression, got a list; quote an expression that holds '{' or '['",
        ),
        (
            "to:",
            "description: secret://env\nto:",
            "4:14: error: description: no secret is filled in here; write the text itself",
        ),
    ],
)
def test_one_mistake_in_a_route_is_one_fault(old, new, fault):
    assert old in PLAIN
    _, faults = load(PLAIN.replace(old, new, 1))
    assert faults == [fault]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "1:1: error: expected a route or a list of routes, got nothing; a route starts with route: NAME"),
        ("orders", "1:1: error: expected a route or a list of routes, got text; a route starts with route: NAME"),
        ("- orders", "1:3: error: expected a route, got text; a route starts with route: NAME"),
    ],
)
def test_a_file_without_a_route_is_a_fault(text, fault):
    assert load(text) == ([], [fault])


def test_all_mistakes_of_all_files_are_told_at_once():
    bad = PLAIN.replace("map: shopify", "mpa: shopify").replace("system: erp", "sistem: erp") + "order: x\n"
    files = {"routes/a.yaml": bad.encode(), "routes/b.yaml": b"route: [", "routes/c.yaml": bad.encode()}
    _, faults = load_routes(files)
    assert [(fault.file, fault.line) for fault in faults] == [
        ("routes/a.yaml", 3), ("routes/a.yaml", 6), ("routes/a.yaml", 5), ("routes/b.yaml", 1),
        ("routes/c.yaml", 3), ("routes/c.yaml", 6), ("routes/c.yaml", 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "waits"),
    [
        (RetryPolicy(), [10, 30, 90, 270, 810, 900, 900]),
        (RetryPolicy(attempts=4, first=5, factor=1), [5, 5, 5]),
        (RetryPolicy(attempts=3, first=1, factor=100, cap=1000), [1, 100]),
    ],
)
def test_waits_grow_up_to_the_cap(policy, waits):
    assert [policy.longest_wait(attempt) for attempt in range(1, policy.attempts)] == waits


def test_a_wait_after_very_many_attempts_is_the_cap():
    assert RetryPolicy(attempts=1000, factor=100.0, cap=900).longest_wait(999) == 900
