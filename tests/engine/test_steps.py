"""What an operator does by hand: hold, release, resolve, cancel, pause."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from replaying import ANNA, BLOCKING, adds_up, dead_count, dead_orders
from world import World, order

from connectors.base import LATER, Verdict
from hub import replay
from hub.errors import Conflict, NotFound, UsageError
from hub.replay import Request, steps
from hub.store import switches


def test_a_held_delivery_waits_and_keeps_its_lane_until_it_is_released(world: World) -> None:
    world.target("erp").answers.append(Verdict(LATER, code="http_503", status=503))
    world.send(order(1))
    [(delivery,)] = world.rows("SELECT delivery_id FROM deliveries")
    assert steps.hold(world.engine, delivery, ANNA, "the customer called") == "held"
    world.send(order(1, lines=2))
    world.wait(3600)
    assert len(world.target("erp").sent) == 1
    assert steps.release(world.engine, delivery, ANNA, "go on") == "queued"
    world.run()
    assert world.states() == [("erp", "delivered"), ("erp", "delivered")]
    assert [body["lines"] for body in world.target("erp").bodies] == [1, 1, 2]
    adds_up(world)


def test_a_retrying_delivery_that_is_released_is_tried_now(world: World) -> None:
    world.target("erp").answers.append(Verdict(LATER, code="http_503", status=503))
    world.send(order(1))
    [(delivery,)] = world.rows("SELECT delivery_id FROM deliveries")
    steps.release(world.engine, delivery, ANNA, "the ERP is back")
    world.run()
    assert world.states() == [("erp", "delivered")]


def test_cancelling_or_resolving_the_head_of_a_lane_sets_the_lane_free(make_world: Callable[..., World]) -> None:
    world = make_world(routes=BLOCKING)
    dead_orders(world, 1)
    world.send(order(1, lines=2))
    [(delivery,)] = world.rows("SELECT delivery_id FROM deliveries WHERE state = 'dead'")
    assert steps.cancel(world.engine, delivery, ANNA, "the order was withdrawn") == "cancelled"
    world.run()
    assert [state for target, state in world.states() if target == "erp"] == ["cancelled", "delivered"]
    adds_up(world)


def test_a_step_that_the_state_does_not_allow_says_which_states_do(world: World) -> None:
    world.send(order(1))
    [(delivery,)] = world.rows("SELECT delivery_id FROM deliveries")
    with pytest.raises(Conflict, match="the delivery is delivered; hold works on queued, retrying"):
        steps.hold(world.engine, delivery, ANNA, "late")
    with pytest.raises(UsageError, match="reason: say why"):
        steps.resolve(world.engine, delivery, ANNA, "  ")
    with pytest.raises(NotFound):
        steps.cancel(world.engine, "nix", ANNA, "x")


def test_a_dead_message_that_was_dealt_with_is_no_dead_letter_any_more(world: World) -> None:
    [bad] = world.send({"id": "1", "lines": [{"name": "a", "qty": "nix"}]})
    steps.resolve_message(world.engine, bad.receipt_id, ANNA, "keyed in by hand")
    assert dead_count(world) == 0
    with pytest.raises(Conflict, match="dealt with before"):
        steps.resolve_message(world.engine, bad.receipt_id, ANNA, "again")
    assert replay.plan(world.engine, Request(ids=(bad.receipt_id,)), ANNA).plan["not_replayable"] == {"resolved": 1}


def test_a_paused_route_parks_what_comes_and_goes_on_in_order(world: World) -> None:
    steps.pause_route(world.engine, "orders", ANNA, "stock-taking")
    world.send(order(1), order(2))
    world.wait(60)
    assert world.target("erp").sent == []
    steps.switch_on(world.engine, "route", "orders", ANNA)
    world.run()
    assert [body["ref"] for body in world.target("erp").bodies] == ["1", "2"]
    with pytest.raises(Conflict, match="is not off"):
        steps.switch_on(world.engine, "route", "orders", ANNA)
    with pytest.raises(NotFound, match="no route 'nix'"):
        steps.pause_route(world.engine, "nix", ANNA, "x")


@pytest.mark.parametrize(("kind", "name"), [("route", "order"), ("system", "er")])
def test_a_name_that_is_none_is_told_with_the_one_that_may_be_meant(world: World, kind: str, name: str) -> None:
    meant = f"no {kind} '{name}' in the active set; did you mean '{'orders' if kind == 'route' else 'erp'}'"
    with pytest.raises(NotFound, match=meant):
        steps.switch_on(world.engine, kind, name, ANNA)
    with pytest.raises(NotFound, match=meant):
        (steps.pause_route if kind == "route" else steps.stop_system)(world.engine, name, ANNA, "x")


def test_what_is_off_is_switched_on_also_when_it_is_no_longer_there(world: World) -> None:
    world.store.write(lambda db: switches.throw(db, "system", "gone", "stopped", "", world.clock.epoch(), "hub"))
    steps.switch_on(world.engine, "system", "gone", ANNA)
    assert switches.listed(world.store.reader()) == []
