"""``on_error: stop`` pauses the route whatever it is that a delivery cannot succeed for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from batching import QUARTER, route
from replaying import ANNA, CSV_IN, adds_up, dead_orders, deploy, run
from structlog.testing import capture_logs
from world import ORDER_OUT, ROUTES, World, order

from connectors.base import DOUBT, LATER, STOPPED, Verdict
from hub import replay
from hub.loggers import structlog
from hub.pipeline import dispatch, outgoing, records
from hub.replay import Request, steps
from hub.store import messages, switches
from hub.sweeper import Sweeper

STOP = b"on_error: stop\n"
NEEDS = ORDER_OUT + b"  number: xref('erp', 'sales_order', text(count(src.stock_lines)))\n"
BUSY = Verdict(LATER, code="http_503", status=503, reference="SO-9")
TIMEOUT = Verdict(DOUBT, code="read_timeout", detail="no answer within 30 s", reference="SO-9")


def know(world: World, *counts: int) -> None:
    rows = [("erp", "sales_order", str(count), "SO", world.clock.epoch(), "m") for count in counts]
    world.store.write(lambda db: messages.put_xrefs(db, rows))


def assert_stopped(world: World, states: list[str], held_by_lane: int) -> None:
    assert [state for _, state in world.states()] == states
    assert world.rows("SELECT hold_reason FROM deliveries WHERE state = 'held'") == [("route_stopped",)]
    assert world.rows("SELECT count(*) FROM deliveries WHERE holds_lane = 1") == [(held_by_lane,)]
    assert [(s["kind"], s["name"], s["actor"]) for s in switches.listed(world.store.reader())] == [
        ("route", "orders", "hub")
    ]
    adds_up(world)


def test_bytes_that_cannot_be_made_with_their_message_pause_the_route(make_world: Callable[..., World]) -> None:
    world = make_world(routes=ROUTES + STOP, order_out=NEEDS)
    know(world, 2)
    world.send(order(1, 1))
    world.send(order(1, 2), order(5, 2))
    assert_stopped(world, ["held", "queued", "queued"], 3)
    know(world, 1)
    [(delivery,)] = world.rows("SELECT delivery_id FROM deliveries WHERE state = 'held'")
    steps.release(world.engine, delivery, ANNA, "the number is known now")
    steps.switch_on(world.engine, "route", "orders", ANNA)
    world.run()
    assert [state for _, state in world.states()] == ["delivered"] * 3
    sent = [(body["ref"], body["lines"]) for body in world.target("erp").bodies]
    assert [body for body in sent if body[0] == "1"] == [("1", 1), ("1", 2)]


def test_bytes_that_cannot_be_made_later_pause_the_route(make_world: Callable[..., World]) -> None:
    after = ROUTES.replace(b"  - {system: erp", b"  - {system: crm}\n  - {system: erp, after: crm")
    world = make_world(routes=after + STOP, order_out=NEEDS)
    world.target("crm").answers.append(BUSY)
    world.send(order(1, 1))
    assert sorted(world.states()) == [("crm", "retrying"), ("erp", "queued")]
    world.wait(10)
    assert sorted(world.states()) == [("crm", "delivered"), ("erp", "held")]
    assert_stopped(world, [state for _, state in world.states()], 1)


def test_the_log_says_once_what_the_hub_itself_has_switched_off(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "_log", structlog.get_logger("hub"))  # whatever log another test has set up
    world = make_world(routes=ROUTES + STOP, order_out=NEEDS)
    know(world, 1)
    with capture_logs() as lines:
        world.send(order(1, 7))
        steps.switch_on(world.engine, "route", "orders", ANNA)
        world.target("erp").answers += [Verdict(STOPPED, code="http_401", detail="credentials refused")] * 2
        world.send(order(3, 1), order(4, 1))
    off = [(line["event"], line["name"], line["to_go_on"]) for line in lines if "to_go_on" in line]
    assert off == [
        ("a route is paused", "orders", "o2c route orders resume"),
        ("a system is stopped", "erp", "o2c circuit erp start"),
    ]
    assert lines[-1]["reason"] == "credentials refused"


def test_what_is_collected_and_cannot_be_made_pauses_the_route(make_world: Callable[..., World]) -> None:
    world = make_world(routes=route() + STOP)
    know(world, 2)
    world.send(order(1, 1), order(2, 2))
    deploy(world, "mappings/order-out.yaml", NEEDS)
    world.wait(QUARTER)
    assert_stopped(world, ["held", "queued"], 2)
    assert world.target("erp").sent == []


def used_up(world: World, system: str, *answers: Verdict) -> str:
    """The one order is held after three tries, its route paused; gives its delivery's id."""
    world.target(system).answers.extend(answers)
    world.send(order(1))
    for _ in range(8):
        world.wait(61)
    assert_stopped(world, ["held"], 1)
    assert len(world.target(system).sent) == 3
    [(delivery,)] = world.rows("SELECT delivery_id FROM deliveries")
    return str(delivery)


@pytest.mark.parametrize(
    ("system", "answer"), [("erp", BUSY), ("erp", TIMEOUT), ("wms", BUSY), ("wms", TIMEOUT)]
)  # fmt: skip
def test_what_is_released_has_all_its_tries_again(
    make_world: Callable[..., World], system: str, answer: Verdict
) -> None:
    world = make_world(routes=ROUTES.replace(b"erp", system.encode()) + STOP)
    delivery = used_up(world, system, *[answer] * 5)
    steps.switch_on(world.engine, "route", "orders", ANNA)
    steps.release(world.engine, delivery, ANNA, "it is mended")
    for _ in range(8):
        world.wait(61)
    assert world.states() == [(system, "delivered")]
    names = [parcel.variables.get("reference") for parcel in world.target(system).sent]
    assert names == [None, *["SO-9"] * 5]
    adds_up(world)


def test_what_was_sent_before_it_was_released_is_replayed_as_that(make_world: Callable[..., World]) -> None:
    world = make_world(routes=ROUTES + STOP)
    delivery = used_up(world, "erp", *[BUSY] * 3)
    steps.release(world.engine, delivery, ANNA, "it is mended")
    steps.hold(world.engine, delivery, ANNA, "it is not yet")
    world.store.write(lambda db: db.execute("DELETE FROM payloads WHERE stage = 'sent'"))
    [(message,)] = world.rows("SELECT message_id FROM messages")
    as_run = replay.plan(world.engine, Request(ids=(message,), version="as_run"), ANNA)
    assert as_run.plan["not_replayable"] == {"payload_pruned": 1}
    run(world, Request(ids=(message,)))
    assert world.rows("SELECT revision FROM deliveries ORDER BY created_at") == [(1,), (2,)]


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_crash_that_uses_up_the_last_try_pauses_the_route(make_world: Callable[..., World], attempts: int) -> None:
    world = make_world(routes=ROUTES.replace(b"attempts: 3", b"attempts: %d" % attempts) + STOP)
    world.target("erp").silent = True
    world.send(order(1), order(1))
    Sweeper(world.engine, world.folder, None, {}).recover_from("w1")
    if attempts == 1:
        assert_stopped(world, ["held", "queued"], 2)
    else:
        assert ([state for _, state in world.states()], switches.listed(world.store.reader())) == (
            ["retrying", "queued"],
            [],
        )


def test_what_pauses_a_route_says_how_it_goes_on(make_world: Callable[..., World]) -> None:
    world = make_world(routes=ROUTES + STOP)
    dead_orders(world, 1)
    [(delivery, hint)] = world.rows("SELECT delivery_id, failure ->> '$.hint' FROM deliveries")
    assert hint == (
        f"the receiver refused these bytes; correct the data or the mapping, then: o2c replay {delivery}; "
        "the route is paused, and what comes for it waits, until: o2c route orders resume"
    )


def test_what_has_ended_meanwhile_pauses_no_route_though_its_bytes_cannot_be_made(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(routes=ROUTES + STOP, order_out=NEEDS)
    know(world, 1)
    world.target("erp").answers.append(BUSY)
    world.send(order(1, 1))
    [(delivery,)] = world.rows("SELECT delivery_id FROM deliveries")
    world.store.write(lambda db: db.execute("UPDATE deliveries SET rebuild = 1"))
    world.store.write(lambda db: db.execute("DELETE FROM xrefs"))
    made = outgoing.prepare

    def cancelled_meanwhile(*asked: Any) -> Any:
        found = made(*asked)
        steps.cancel(world.engine, delivery, ANNA, "not wanted any more")
        return found

    monkeypatch.setattr(dispatch, "prepare", cancelled_meanwhile)
    world.wait(20)
    assert (world.states(), switches.listed(world.store.reader())) == ([("erp", "cancelled")], [])


@pytest.mark.parametrize("begin", ["failed_step", "start"])
def test_a_replay_tells_how_many_wait_for_what_is_off(make_world: Callable[..., World], begin: str) -> None:
    world = make_world(routes=ROUTES + STOP)
    ids = tuple(dead_orders(world, 1))
    steps.stop_system(world.engine, "crm", ANNA, "not of this route")
    planned = replay.plan(world.engine, Request(ids=ids, begin=begin, reason="once more"), ANNA)
    waits = [replay.progress(world.engine, planned.replay_id).waits]
    replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)
    world.run()
    waits.append(replay.progress(world.engine, planned.replay_id).waits)
    steps.stop_system(world.engine, "erp", ANNA, "their move")
    waits.append(replay.progress(world.engine, planned.replay_id).waits)
    for kind, name in (("route", "orders"), ("system", "erp")):
        steps.switch_on(world.engine, kind, name, ANNA)
    world.run()
    waits.append(replay.progress(world.engine, planned.replay_id).waits)
    assert waits == [{}, {"route orders": 1}, {"route orders": 1, "system erp": 1}, {}]


def test_a_replay_of_a_file_tells_how_many_of_its_records_wait(world: World) -> None:
    [file] = world.send(b"id,qty\n1,1\n2,2\n")
    deploy(world, "mappings/order-in.yaml", CSV_IN)
    steps.pause_route(world.engine, "orders", ANNA, "stock-taking")
    planned = replay.plan(world.engine, Request(ids=(file.receipt_id,)), ANNA)
    replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)
    world.run()
    assert replay.progress(world.engine, planned.replay_id).waits == {"route orders": 2}
