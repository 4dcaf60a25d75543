"""What a mapping read of the cross-references is kept with the message or the delivery it was read for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from replaying import replay_one
from world import ORDER_IN, ORDER_OUT, ROUTES, World, order

from connectors.base import LATER, REFUSED, Verdict
from hub import replay
from hub.replay import Request
from hub.store import messages, payloads
from hub.store.audit import Actor

Open = Callable[..., World]
ASKS_TO = ORDER_OUT + b"  number?: xref('erp', 'sales_order', src.report_id)\n  from: envelope.name\n"
NEEDS_TO = ORDER_OUT + b"  number: xref('erp', 'sales_order', src.report_id)\n"
CHANGES = ORDER_OUT + (
    b"  number: \"'new' if count(src.stock_lines) == 1 else xref('erp', 'sales_order', src.report_id)\"\n"
)
ASKS_FROM = ORDER_IN.replace(b"{const: main}", b"default(xref('erp', 'place', l.name), 'main')")
NEEDS_FROM = ORDER_IN.replace(b"{const: main}", b"xref('erp', 'place', l.name)")
AFTER = ROUTES.replace(
    b"  - {system: erp, map: order-out}", b"  - {system: crm}\n  - {system: erp, map: order-out, after: crm}"
)


def looked_up(world: World, owner: str, revision: int = 1) -> Any:
    content = payloads.read(world.store.reader(), owner, "lookups", revision)
    return msgspec.json.decode(content) if content else None


def know(world: World, kind: str, id: str, value: str) -> None:
    world.store.write(lambda db: messages.put_xrefs(db, [("erp", kind, id, value, world.clock.epoch(), "m")]))


def delivery_of(world: World, target: str) -> str:
    return str(world.rows("SELECT delivery_id FROM deliveries WHERE target = ? ORDER BY created_at", target)[-1][0])


def test_what_a_target_mapping_looked_up_is_kept_with_its_delivery(make_world: Open) -> None:
    world = make_world(order_out=ASKS_TO)
    know(world, "sales_order", "1", "SO-1")

    world.send(order(1))

    assert looked_up(world, delivery_of(world, "erp")) == [["xref", ["erp", "sales_order", "1"], "SO-1"]]


def test_a_delivery_that_is_built_later_keeps_what_it_looked_up_then(make_world: Open) -> None:
    world = make_world(order_out=ASKS_TO, routes=AFTER)
    world.target("crm").answers.append(Verdict(LATER, code="http_503", status=503))
    world.engine.accept([replace(world.arrival(order(1)), name="o.json")])
    world.run()
    know(world, "sales_order", "1", "SO-7")
    world.wait(10)

    assert world.target("erp").bodies == [{"ref": "1", "lines": 1, "number": "SO-7", "from": "o.json"}]
    assert looked_up(world, delivery_of(world, "erp")) == [["xref", ["erp", "sales_order", "1"], "SO-7"]]


def test_what_was_looked_up_for_a_message_that_died_is_kept(make_world: Open) -> None:
    world = make_world(order_in=NEEDS_FROM)

    [accepted] = world.send(order(1))

    assert world.rows("SELECT state FROM messages") == [("dead",)]
    assert looked_up(world, accepted.receipt_id) == [["xref", ["erp", "place", "item 0"], None]]


def test_what_was_looked_up_for_a_delivery_that_could_not_be_built_is_kept(make_world: Open) -> None:
    world = make_world(order_out=NEEDS_TO)

    world.send(order(1))

    assert world.states() == [("erp", "dead")]
    assert looked_up(world, delivery_of(world, "erp")) == [["xref", ["erp", "sales_order", "1"], None]]


@pytest.mark.parametrize(("is_known", "state"), [(True, "delivered"), (False, "dead")])
def test_what_was_not_found_is_looked_for_once_more_when_its_turn_comes(
    make_world: Open, is_known: bool, state: str
) -> None:
    world = make_world(order_out=CHANGES)
    world.target("erp").answers.append(Verdict(LATER, code="http_503", status=503))
    world.send(order(1))
    world.clock.at += 1
    world.send(order(1, lines=2))
    assert world.states() == [("erp", "retrying"), ("erp", "queued")]
    if is_known:
        know(world, "sales_order", "1", "SO-1")
    world.wait(10)

    assert world.states() == [("erp", "delivered"), ("erp", state)]
    assert [body["number"] for body in world.target("erp").bodies[2:]] == ["SO-1"][:is_known]
    found = "SO-1" if is_known else None
    assert looked_up(world, delivery_of(world, "erp")) == [["xref", ["erp", "sales_order", "1"], found]]


def test_bytes_that_are_replayed_as_they_ran_keep_what_was_looked_up_for_them(make_world: Open) -> None:
    world = make_world(order_out=ASKS_TO)
    know(world, "sales_order", "1", "SO-1")
    world.target("erp").answers.append(Verdict(REFUSED, code="no", detail="no"))
    world.send(order(1))
    first = delivery_of(world, "erp")

    replay_one(world.engine, first, Actor("test"), version="as_run")
    world.run()

    assert delivery_of(world, "erp") != first
    assert looked_up(world, delivery_of(world, "erp")) == [["xref", ["erp", "sales_order", "1"], "SO-1"]]


def test_a_replay_that_fails_again_keeps_what_it_looked_up(make_world: Open) -> None:
    world = make_world(order_out=NEEDS_TO)
    world.send(order(1))
    planned = replay.plan(world.engine, Request(ids=(delivery_of(world, "erp"),)), Actor("test"))

    replay.start(world.engine, planned.replay_id, planned.plan_hash, Actor("test"))
    world.run()

    assert world.states() == [("erp", "resolved"), ("erp", "dead")]
    assert looked_up(world, delivery_of(world, "erp")) == [["xref", ["erp", "sales_order", "1"], None]]


def test_a_mapping_without_cross_references_keeps_nothing_beside(make_world: Open) -> None:
    world = make_world()

    world.send(order(1))

    assert world.rows("SELECT count(*) FROM payloads WHERE stage = 'lookups'") == [(0,)]
