"""A worker that was taken for dead and is not: what it learns late is of its own try and sends nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from batching import QUARTER, route
from replaying import adds_up
from test_replies import ANSWER, CREATED, REPLYING, open_findings, replies
from world import ROUTES, World, order

from connectors.base import DELIVERED, DOUBT, FOUND, LATER, REFUSED, Parcel, Verdict
from hub.pipeline.deliver import Sent
from hub.replay import steps
from hub.store import leases, switches
from hub.store.audit import Actor
from hub.sweeper import Sweeper

ANNA = Actor("anna", "operator")
TIMEOUT = Verdict(DOUBT, code="read_timeout", detail="no answer")
BUSY = Verdict(LATER, code="http_503", status=503)
DONE = Verdict(DELIVERED, status=200)
THERE = Verdict(REFUSED, code="http_409", status=409, detail="it is there already")
STOPPING = b"on_error: stop\n"


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
    first = 0 if system == "crm" else 1  # what was released was counted anew
    assert world.rows("SELECT attempts, doubt FROM deliveries ORDER BY lane_seq") == [(first, 0), (1, 0)]
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


# -- what follows from an end ------------------------------------------------------------------------------------------


def taken_over(world: World, *orders: object) -> tuple[World, Sent]:
    """What one worker is sending is to be sent by another; gives what the first one still has in mind."""
    erp = world.target("erp")
    erp.silent = True
    world.send(*orders)
    world.wait(QUARTER)
    take_for_dead(world)
    erp.silent = False
    under_way = world.engine.dispatcher._under_way
    [late] = under_way.values()
    under_way.clear()
    return world, late


def told_late(world: World, late: Sent, verdict: Verdict) -> None:
    """The first worker hears of its try when the other one's has ended."""
    world.wait(100)
    assert {state for _, state in world.states()} == {"delivered"}
    world.engine.dispatcher._under_way[late.delivery.delivery_id] = late
    answered(world, world.target("erp").sent[0], verdict)
    assert {state for _, state in world.states()} == {"delivered"}


@pytest.mark.parametrize(("routes", "orders"), [(ROUTES, 1), (route(), 2)], ids=["alone", "collected"])
def test_what_is_told_late_of_what_has_arrived_pauses_no_route(
    make_world: Callable[..., World], routes: bytes, orders: int
) -> None:
    world, late = taken_over(make_world(routes=routes + STOPPING), *(order(number) for number in range(orders)))
    told_late(world, late, THERE)
    assert switches.listed(world.store.reader()) == []
    adds_up(world)


@pytest.mark.parametrize("told", [CREATED, DONE])
def test_an_answer_that_comes_late_is_no_second_reply_nor_one_that_is_missed(
    make_world: Callable[..., World], told: Verdict
) -> None:
    world, late = taken_over(make_world(routes=REPLYING, erp_answer=ANSWER), order(1))
    world.target("erp").answers.append(CREATED)
    told_late(world, late, told)
    assert (replies(world), open_findings(world)) == ([("erp", "orders#erp")], [])
    assert world.rows("SELECT count(*) FROM messages WHERE causation_id <> ''") == [(1,)]


def test_an_answer_that_comes_late_is_the_reply_where_none_has_come(make_world: Callable[..., World]) -> None:
    world, late = taken_over(make_world(routes=REPLYING, erp_answer=ANSWER), order(1))
    world.target("erp").answers.append(DONE)
    told_late(world, late, CREATED)
    assert (replies(world), open_findings(world)) == ([("erp", "orders#erp")], [])


@pytest.mark.parametrize("act", [steps.resolve, steps.cancel])
def test_an_answer_that_comes_after_a_person_has_settled_the_doubt_is_the_reply_once(
    make_world: Callable[..., World], act: Callable[..., object]
) -> None:
    world = make_world(routes=REPLYING.replace(b"system: erp", b"system: crm"), erp_answer=ANSWER)
    crm, under_way = world.target("crm"), world.engine.dispatcher._under_way
    crm.silent = True
    world.send(order(1))
    late = dict(under_way)
    take_for_dead(world)
    crm.silent = False
    act(world.engine, crm.sent[0].delivery_id, ANNA, "asked")
    [settled] = world.states()
    for _ in range(2):
        under_way.update(late)
        answered(world, crm.sent[0], CREATED)
        assert (world.states(), replies(world)) == ([settled], [("crm", "orders#crm")])
    assert world.rows("SELECT hold_reason, doubt FROM deliveries") == [("asked", 0)]
    adds_up(world)


def test_what_two_look_ups_tell_at_once_is_one_reply(make_world: Callable[..., World]) -> None:
    world = make_world(routes=REPLYING.replace(b"system: erp", b"system: wms"), erp_answer=ANSWER)
    wms = world.target("wms")
    wms.answers.append(TIMEOUT)
    wms.found.extend([Verdict(FOUND, response=CREATED.response, response_type=CREATED.response_type)] * 2)
    world.send(order(1))
    world.clock.at += 61
    world.engine.pump("wms")
    first = world.calls.pop()
    take_for_dead(world)
    world.engine.pump("wms")
    second = world.calls.pop()
    with world.store.committer._lock:  # so that both are stored together
        first()
        second()
    world.run()
    assert (world.states(), replies(world)) == ([("wms", "delivered")], [("wms", "orders#wms")])


def test_what_has_ended_while_its_worker_was_taken_for_dead_pauses_no_route(make_world: Callable[..., World]) -> None:
    world = make_world(routes=ROUTES.replace(b"attempts: 3", b"attempts: 1") + STOPPING)
    world.target("erp").silent = True
    world.send(order(1))
    lost = leases.on_their_way(world.store.reader(), world.engine.worker)
    world.target("erp").silent = False
    answered(world, world.target("erp").sent[0], DONE)
    Sweeper(world.engine, world.folder, None, {})._record_crash(lost)
    assert (world.states(), switches.listed(world.store.reader())) == ([("erp", "delivered")], [])


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("is_taken_for_dead", [False, True])
def test_who_stood_still_between_claim_and_request_sends_only_what_is_still_his(
    make_world: Callable[..., World], is_taken_for_dead: bool
) -> None:
    world = make_world(routes=to("crm"))
    crm, dispatcher, send = world.target("crm"), world.engine.dispatcher, world.engine.dispatcher.send

    def stand_still(going: Any, claimed_at: float) -> None:
        world.clock.at += 20
        if is_taken_for_dead:
            take_for_dead(world)
        send(going, claimed_at)

    crm.answers.append(BUSY)
    world.send(order(1))
    dispatcher.send = stand_still  # type: ignore[method-assign]
    world.wait(10)
    assert (
        (world.states(), len(crm.sent)) == ([("crm", "held")], 1) if is_taken_for_dead else ([("crm", "delivered")], 2)
    )
    at_rest(world, "crm")
