"""What goes through again from the start is sent under new keys: so it goes once, unless somebody wants it twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from replaying import ANNA, CSV_IN, DEAD, NO, adds_up, dead_orders, deploy, run
from world import World, order

from connectors.base import DOUBT, Verdict
from hub import replay
from hub.replay import Request, steps
from hub.store.search_terms import Filter

ROUTE = b"route: orders\nfrom: {system: shop, event: order}\nmap: order-in\nkey: src.report_id\nto:\n"
NOBODY = ROUTE + b"  - {system: erp, map: order-out, when: count(src.stock_lines) > 1}\n"
EVERYBODY = ROUTE + b"  - {system: erp, map: order-out}\n"
FILTERED = Request(filter=Filter(state="filtered"), begin="start")
ALL = Request(filter=Filter(route="orders"), begin="start")


def on_purpose(*ids: str) -> Request:
    return Request(ids=ids, begin="start", delivered="send", reason="the ERP lost its disk")


def refs(world: World) -> list[str]:
    return [body["ref"] for body in world.target("erp").bodies]


def test_filtered_messages_that_were_replayed_are_left_out_of_the_next_replay(make_world: Callable[..., World]) -> None:
    world = make_world(routes=NOBODY)
    [first] = world.send(order(1))
    deploy(world, "routes/orders.yaml", EVERYBODY)
    run(world, FILTERED)
    deploy(world, "routes/orders.yaml", NOBODY)
    world.send(order(2))
    deploy(world, "routes/orders.yaml", EVERYBODY)
    plan = run(world, FILTERED)
    assert (plan["replayable"], plan["not_replayable"]) == (1, {"already_replayed": 1})
    assert refs(world) == ["1", "2"]
    assert run(world, on_purpose(first.receipt_id))["replayable"] == 1
    assert refs(world) == ["1", "2", "1"]
    adds_up(world)


def test_one_that_was_filtered_again_is_replayed_in_the_place_of_the_first(make_world: Callable[..., World]) -> None:
    world = make_world(routes=NOBODY)
    world.send(order(1))
    run(world, FILTERED)
    deploy(world, "routes/orders.yaml", EVERYBODY)
    assert run(world, FILTERED)["not_replayable"] == {"already_replayed": 1}
    assert refs(world) == ["1"]


def test_what_arrived_by_a_replay_from_the_start_is_not_sent_once_more(world: World) -> None:
    [message] = dead_orders(world, 1)
    again = Request(ids=(message,), begin="start")
    run(world, again)
    assert run(world, again)["not_replayable"] == {"already_replayed": 1}
    assert len(world.target("erp").sent) == 2
    assert run(world, on_purpose(message))["replayable"] == 1
    assert len(world.target("erp").sent) == 3


@pytest.mark.parametrize("state", ["dead", "held"])
def test_what_may_have_arrived_does_not_go_out_under_a_new_key(make_world: Callable[..., World], state: str) -> None:
    world = make_world(routes=ROUTE + b"  - {system: crm, map: order-out}\n")
    world.target("crm").answers.append(NO if state == "dead" else Verdict(DOUBT, code="read_timeout", detail="silence"))
    [accepted] = world.send(order(1))
    world.store.write(lambda db: db.execute("UPDATE deliveries SET doubt = 1"))
    assert world.states() == [("crm", state)]
    assert run(world, ALL)["not_replayable"] == {"in_doubt": 1}
    assert len(world.target("crm").sent) == 1
    assert run(world, on_purpose(accepted.receipt_id))["replayable"] == 1
    assert len(world.target("crm").sent) == 2


@pytest.mark.parametrize("step", [steps.cancel, steps.resolve])
def test_what_a_person_has_dealt_with_is_left_alone(world: World, step: Callable[..., Any]) -> None:
    message, _ = dead_orders(world, 1, 2)
    [(delivery,)] = world.rows("SELECT delivery_id FROM deliveries WHERE message_id = ?", message)
    step(world.engine, delivery, ANNA, "entered by hand")
    plan = run(world, ALL)
    assert (plan["replayable"], plan["not_replayable"]) == (1, {"resolved": 1})
    assert refs(world) == ["1", "2", "2"]
    assert run(world, on_purpose(message))["replayable"] == 1
    assert refs(world)[3:] == ["1"]


def test_what_died_once_more_after_its_delivery_was_replayed_may_go_from_the_start(world: World) -> None:
    [message] = dead_orders(world, 1)
    world.target("erp").answers.append(NO)
    run(world, Request(ids=(message,)))
    assert [state for _, state in world.states()] == ["resolved", "dead"]
    assert run(world, Request(ids=(message,), begin="start"))["replayable"] == 1
    assert [state for _, state in world.states()] == ["resolved", "resolved", "delivered"]
    adds_up(world)


def test_neither_a_file_nor_a_record_of_it_goes_again_where_the_other_did(make_world: Callable[..., World]) -> None:
    world = make_world(order_in=CSV_IN, routes=NOBODY)
    one, other = world.send(b"id,qty\n1,5\n2,6\n", b"id,qty\n3,5\n4,6\n")
    deploy(world, "routes/orders.yaml", EVERYBODY)
    record, _ = (id for (id,) in world.rows("SELECT message_id FROM messages WHERE seq = 1 ORDER BY position"))
    run(world, Request(ids=(record,), begin="start"))
    assert run(world, Request(ids=(one.receipt_id,), begin="start"))["not_replayable"] == {"already_replayed": 1}
    run(world, Request(ids=(other.receipt_id,), begin="start"))
    plan = replay.plan(world.engine, FILTERED, ANNA).plan
    assert (plan["replayable"], plan["not_replayable"]) == (1, {"already_replayed": 3})
    assert refs(world) == ["1", "3", "4"]


def test_a_file_that_died_takes_its_dead_records_with_it(make_world: Callable[..., World]) -> None:
    world = make_world(order_in=CSV_IN)
    world.send("id,qty\n1,nix\n2,nix\n3,7\n".encode("utf-16")[:-3])
    deploy(world, "mappings/order-in.yaml", CSV_IN.replace(b"value: src.qty", b"value: \"'1'\""))
    run(world, DEAD)
    assert refs(world) == ["1", "2"]
    adds_up(world)
