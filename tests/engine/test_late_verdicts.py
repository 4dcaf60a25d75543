"""A worker that was taken for dead and is not: what it learns late is of its own try and sends nothing twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from replaying import adds_up
from world import ROUTES, World, order

from connectors.base import DELIVERED, DOUBT, LATER, Parcel, Verdict
from hub.replay import steps
from hub.store.audit import Actor
from hub.sweeper import Sweeper

ANNA = Actor("anna", "operator")
TIMEOUT = Verdict(DOUBT, code="read_timeout", detail="no answer")
BUSY = Verdict(LATER, code="http_503", status=503)
DONE = Verdict(DELIVERED, status=200)


def to(system: str) -> bytes:
    return ROUTES.replace(b"system: erp", f"system: {system}".encode())


def take_for_dead(world: World) -> None:
    Sweeper(world.engine, world.folder, None, {}).recover_from(world.engine.worker)


def answered(world: World, parcel: Parcel, verdict: Verdict) -> None:
    world.engine.dispatcher._finished([(parcel, verdict)])
    world.run()


def at_rest(world: World, system: str) -> None:
    assert world.engine.dispatcher._lane(system).in_hand == 0
    assert world.rows("SELECT count(*) FROM deliveries WHERE claimed_by IS NOT NULL") == [(0,)]
    adds_up(world)


def test_a_look_up_that_is_told_late_sends_nothing_beside_what_is_on_its_way(make_world: Callable[..., World]) -> None:
    world = make_world(routes=to("wms"))
    wms = world.target("wms")
    wms.answers.append(TIMEOUT)
    world.send(order(1), order(1))
    world.clock.at += 61
    world.engine.pump("wms")
    late = world.calls.pop()  # it was taken to be looked up, and then its worker stands still
    take_for_dead(world)
    wms.silent = True
    world.wait(1)
    assert world.states() == [("wms", "delivering"), ("wms", "queued")]
    late()
    world.wait(1)
    assert world.states() == [("wms", "delivering"), ("wms", "queued")]
    assert (len(wms.asked), len(wms.sent)) == (2, 2)
    wms.silent = False
    answered(world, wms.sent[1], DONE)
    assert world.states() == [("wms", "delivered"), ("wms", "delivered")]
    assert len(wms.sent) == 3
    at_rest(world, "wms")


def test_what_is_still_under_way_is_not_sent_again_by_the_worker_that_was_taken_for_dead(world: World) -> None:
    erp = world.target("erp")
    erp.silent = True
    world.send(order(1))
    take_for_dead(world)
    world.wait(10)
    assert (world.states(), len(erp.sent)) == ([("erp", "retrying")], 1)
    erp.silent = False
    answered(world, erp.sent[0], BUSY)
    world.wait(10)
    assert (world.states(), len(erp.sent)) == ([("erp", "delivered")], 2)
    at_rest(world, "erp")


@pytest.mark.parametrize("system", ["erp", "crm"])
def test_what_was_delivered_after_all_is_not_sent_again(make_world: Callable[..., World], system: str) -> None:
    world = make_world(routes=to(system))
    target = world.target(system)
    target.silent = True
    world.send(order(1), order(1))
    take_for_dead(world)
    target.silent = False
    if system == "crm":  # nobody can be asked, and a person takes it for lost
        [(delivery,)] = world.rows("SELECT delivery_id FROM deliveries WHERE state = 'held'")
        assert steps.release(world.engine, delivery, ANNA, "it is not there") == "queued"
        world.run()
    answered(world, target.sent[0], DONE)
    world.wait(100)
    assert [state for _, state in world.states()] == ["delivered", "delivered"]
    assert [body["ref"] for body in target.bodies] == ["1", "1"]
    assert world.rows("SELECT DISTINCT attempts, doubt FROM deliveries") == [(1, 0)]
    at_rest(world, system)


@pytest.mark.parametrize("verdict", [BUSY, DONE])
def test_what_is_told_late_of_one_try_leaves_the_next_one_alone(
    make_world: Callable[..., World], verdict: Verdict
) -> None:
    world = make_world(routes=to("crm"))
    crm = world.target("crm")
    crm.silent = True
    world.send(order(1))
    take_for_dead(world)
    under_way = world.engine.dispatcher._under_way
    [(delivery, late)] = under_way.items()
    under_way.clear()  # it was another worker's
    steps.release(world.engine, delivery, ANNA, "it is not there")
    world.run()
    assert len(crm.sent) == 2
    own, under_way[delivery] = under_way[delivery], late
    answered(world, crm.sent[0], verdict)
    assert world.states() == [("crm", "delivering")]
    under_way[delivery] = own
    answered(world, crm.sent[1], DONE)
    assert (world.states(), len(crm.sent)) == ([("crm", "delivered")], 2)
    at_rest(world, "crm")
