"""Doubt outlives whatever does not settle it: a stopped system, answers that say nothing of the first try, a replay."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from replaying import DEAD, adds_up, deploy, run
from world import ORDER_OUT, ROUTES, World, order

from connectors.base import DELIVERED, DOUBT, FOUND, LATER, REFUSED, STOPPED, Parcel, Verdict
from hub import replay
from hub.replay import Request, steps
from hub.store import dead_letters, effects, switches
from hub.store.audit import Actor
from hub.store.search_terms import Filter
from hub.sweeper import Sweeper

ANNA = Actor("anna", "operator")
TIMEOUT = Verdict(DOUBT, code="read_timeout", detail="no answer")
BUSY = Verdict(LATER, code="http_503", status=503)
REFUSAL = Verdict(REFUSED, code="http_422", status=422)
UNAUTHORIZED = Verdict(STOPPED, code="http_401", status=401, detail="credentials refused")


def test_a_look_up_that_bad_credentials_stop_is_made_again_before_anything_is_sent(
    make_world: Callable[..., World],
) -> None:
    world = make_world(routes=ROUTES.replace(b"system: erp", b"system: wms"))
    wms = world.target("wms")
    wms.answers.append(TIMEOUT)
    wms.found.extend([UNAUTHORIZED, Verdict(FOUND)])
    world.send(order(1))
    world.wait(61)
    assert world.states() == [("wms", "unknown")]
    assert switches.is_off(world.store.reader(), "system", "wms")
    world.wait(10_000)
    assert len(wms.asked) == 1
    world.store.write(lambda db: switches.release(db, "system", "wms"))
    world.wait(1)
    assert world.states() == [("wms", "delivered")]
    assert (len(wms.asked), len(wms.sent)) == (2, 1)


def held_in_doubt(make_world: Callable[..., World]) -> tuple[World, str]:
    """A delivery that a look-up could tell nothing of."""
    world = make_world(routes=ROUTES.replace(b"system: erp", b"system: wms"))
    world.target("wms").answers.append(TIMEOUT)
    world.target("wms").found.append(Verdict(DOUBT, code="rule_failed", detail="the rule found: does not fit"))
    world.send(order(1), order(1))
    world.wait(61)
    assert world.states() == [("wms", "held"), ("wms", "queued")]
    [(delivery,)] = world.rows("SELECT delivery_id FROM deliveries WHERE state = 'held'")
    return world, str(delivery)


@pytest.mark.parametrize(("found", "sent"), [([Verdict(FOUND)], 2), ([], 3)])
def test_a_held_delivery_in_doubt_that_is_released_is_looked_up_before_it_is_sent_again(
    make_world: Callable[..., World], found: list[Verdict], sent: int
) -> None:
    world, delivery = held_in_doubt(make_world)
    world.target("wms").found.extend(found)
    assert steps.release(world.engine, delivery, ANNA, "the rule is right now") == "unknown"
    world.wait(1)
    assert world.states() == [("wms", "delivered"), ("wms", "delivered")]
    assert (len(world.target("wms").asked), len(world.target("wms").sent)) == (2, sent)


def test_the_command_for_what_is_held_is_one_that_is_not_refused(make_world: Callable[..., World]) -> None:
    world, delivery = held_in_doubt(make_world)
    [issue] = dead_letters.issues(world.store.reader(), Filter())
    assert issue.command == f"o2c release --issue {issue.issue} --reason 'it has not arrived'"
    assert issue.failure["hint"] == (
        f"look in the target whether this arrived; if so: o2c resolve {delivery} --reason 'it has arrived', else, to "
        f"send it again: o2c release {delivery} --reason 'it has not arrived'"
    )
    steps.cancel(world.engine, delivery, ANNA, "settled")
    world.target("wms").answers.append(BUSY)
    world.wait(1)
    [(other,)] = world.rows("SELECT delivery_id FROM deliveries WHERE state = 'retrying'")
    steps.hold(world.engine, other, ANNA, "ask first")
    [issue] = dead_letters.issues(world.store.reader(), Filter())
    assert issue.command == f"o2c replay --issue {issue.issue}"
    assert run(world, DEAD)["not_replayable"] == {}


def test_the_command_for_what_comes_after_a_dead_one_shows_what_it_comes_after(
    make_world: Callable[..., World],
) -> None:
    follows = b"map: order-out}\n  - {system: crm, map: order-out, after: erp}"
    world = make_world(routes=ROUTES.replace(b"map: order-out}", follows))
    world.target("erp").answers.append(REFUSAL)
    world.send(order(1))
    told = {issue.failure["code"]: issue for issue in dead_letters.issues(world.store.reader(), Filter())}
    assert told["predecessor_dead"].command == "o2c dead --route orders"
    assert told["http_422"].command == f"o2c replay --issue {told['http_422'].issue}"
    assert run(world, Request(filter=Filter(issue=told["http_422"].issue)))["replayable"] == 1
    assert world.states()[-2:] == [("crm", "delivered"), ("erp", "delivered")]


def test_a_look_up_that_can_never_tell_need_not_be_made_again(make_world: Callable[..., World]) -> None:
    world, delivery = held_in_doubt(make_world)
    world.target("wms").found.append(Verdict(DOUBT, code="rule_failed"))
    steps.release(world.engine, delivery, ANNA, "try")
    world.wait(1)
    assert world.states() == [("wms", "held"), ("wms", "queued")]
    assert steps.release(world.engine, delivery, ANNA, "it is not there", look_up=False) == "queued"
    world.wait(1)
    assert world.states() == [("wms", "delivered"), ("wms", "delivered")]
    assert (len(world.target("wms").asked), len(world.target("wms").sent)) == (2, 3)


@pytest.mark.parametrize(
    ("answers", "stays"),
    [
        ([TIMEOUT, TIMEOUT, TIMEOUT], True),
        ([TIMEOUT, BUSY, BUSY], True),
        ([TIMEOUT, UNAUTHORIZED, BUSY, BUSY], True),
        ([TIMEOUT, REFUSAL], False),
        ([BUSY, BUSY, BUSY], False),
    ],
)
def test_changed_bytes_never_follow_a_try_that_may_have_had_its_effect(
    world: World, answers: list[Verdict], stays: bool
) -> None:
    erp = world.target("erp")
    erp.answers.extend(answers)
    world.send(order(1))
    for _ in answers:
        world.store.write(lambda db: switches.release(db, "system", "erp"))
        world.wait(100)
    assert world.states() == [("erp", "dead")]
    sent = len(erp.sent)
    deploy(world, "mappings/order-out.yaml", ORDER_OUT.replace(b"ref: src", b"number: src"))
    run(world, DEAD)
    assert world.states()[-1] == ("erp", "dead" if stays else "delivered")
    assert len(erp.sent) == sent + (not stays)
    if stays:
        assert "doubt_unsettled" in str(world.rows("SELECT failure FROM deliveries WHERE replay_depth = 1"))


def taken_for_dead(make_world: Callable[..., World], routes: bytes = ROUTES) -> tuple[World, Parcel]:
    """A worker that is only slow: what it is sending is held, for nobody else can tell whether it arrived."""
    world = make_world(routes=routes.replace(b"system: erp", b"system: crm"))
    world.target("crm").silent = True
    world.send(order(1), order(1))
    Sweeper(world.engine, world.folder, None, {}).recover_from(world.engine.worker)
    assert world.states() == [("crm", "held"), ("crm", "queued")]
    world.target("crm").silent = False
    return world, world.target("crm").sent[0]


def answered(world: World, parcel: Parcel, verdict: Verdict) -> None:
    world.engine.dispatcher._finished([(parcel, verdict)])
    world.run()


@pytest.mark.parametrize(("verdict", "state"), [(Verdict(DELIVERED, status=200), "delivered"), (REFUSAL, "dead")])
def test_what_a_worker_that_was_taken_for_dead_learns_ends_the_doubt(
    make_world: Callable[..., World], verdict: Verdict, state: str
) -> None:
    world, parcel = taken_for_dead(make_world)
    answered(world, parcel, verdict)
    assert world.states() == [("crm", state), ("crm", "delivered")]
    assert world.rows("SELECT attempts, doubt, hold_reason FROM deliveries WHERE state = ?", state)[0] == (1, 0, "")
    tries = world.rows("SELECT number, code FROM attempts WHERE delivery_id = ? ORDER BY number", parcel.delivery_id)
    assert tries == [(1, "hub_died"), (2, verdict.code)]


@pytest.mark.parametrize("verdict", [BUSY, TIMEOUT, UNAUTHORIZED])
def test_an_answer_that_settles_nothing_leaves_the_doubt(make_world: Callable[..., World], verdict: Verdict) -> None:
    world, parcel = taken_for_dead(make_world)
    answered(world, parcel, verdict)
    assert world.states() == [("crm", "held"), ("crm", "queued")]


def test_an_answer_about_an_earlier_try_says_nothing_of_the_one_in_doubt(make_world: Callable[..., World]) -> None:
    world, parcel = taken_for_dead(make_world)
    late = world.engine.dispatcher._under_way.pop(parcel.delivery_id)
    world.target("crm").answers.append(TIMEOUT)
    steps.release(world.engine, parcel.delivery_id, ANNA, "it did not arrive")
    world.run()
    assert world.states() == [("crm", "held"), ("crm", "queued")]
    world.engine.dispatcher._under_way[parcel.delivery_id] = late
    answered(world, parcel, REFUSAL)
    assert world.states() == [("crm", "held"), ("crm", "queued")]


FOLLOWED = ROUTES.replace(b"map: order-out}", b"map: order-out}\n  - {system: crm, map: order-out, after: erp}")


@pytest.mark.parametrize(
    ("on_error", "given_up", "ended"),
    [
        ("dead_letter", ["dead", "held", "delivered", "queued"], "resolved"),
        ("block_key", ["dead", "held", "queued", "queued"], "resolved"),
        ("skip", ["skipped", "held", "delivered", "queued"], "skipped"),
    ],
)
def test_what_was_given_up_and_arrived_all_the_same_is_no_longer_in_doubt_and_followed(
    make_world: Callable[..., World], on_error: str, given_up: list[str], ended: str
) -> None:
    routes = FOLLOWED.replace(b"attempts: 3", b"attempts: 1")
    world = make_world(routes=routes + f"on_error: {on_error}\n".encode())
    world.target("erp").silent = True
    [accepted] = world.send(order(1))
    Sweeper(world.engine, world.folder, None, {}).recover_from(world.engine.worker)
    world.target("erp").silent = False
    world.send(order(1))
    assert [state for _, state in world.states()] == given_up
    answered(world, world.target("erp").sent[0], Verdict(DELIVERED, status=200))
    assert [state for _, state in world.states()] == [ended, "delivered", "delivered", "delivered"]
    assert [len(world.target(system).sent) for system in ("erp", "crm")] == [2, 2]
    assert world.rows("SELECT max(doubt), max(holds_lane), count(DISTINCT waits_for) FROM deliveries") == [(0, 0, 1)]
    assert [one.state for one in effects.of_message(world.store.reader(), accepted.receipt_id)] == ["happened"] * 2
    adds_up(world)


def test_what_is_skipped_as_it_is_there_already_and_had_arrived_is_followed_once(
    make_world: Callable[..., World],
) -> None:
    world = make_world(routes=FOLLOWED + b"on_error: skip\n")
    erp, under_way = world.target("erp"), world.engine.dispatcher._under_way
    erp.silent = True
    world.send(order(1))
    Sweeper(world.engine, world.folder, None, {}).recover_from(world.engine.worker)
    late = dict(under_way)
    under_way.clear()  # they were another worker's
    erp.silent = False
    erp.answers.append(REFUSAL)
    world.wait(10)
    assert world.states() == [("erp", "skipped"), ("crm", "held")]
    for _ in range(2):
        under_way.update(late)
        answered(world, erp.sent[0], Verdict(DELIVERED, status=200))
        assert world.states() == [("erp", "skipped"), ("crm", "delivered")]
    tries = world.rows("SELECT outcome FROM attempts WHERE delivery_id = ? ORDER BY number", erp.sent[0].delivery_id)
    assert tries == [("retrying",), ("skipped",), ("delivered",)]
    adds_up(world)
    planned = replay.plan(world.engine, Request(ids=(erp.sent[0].delivery_id,)), ANNA).plan
    assert (planned["replayable"], planned["not_replayable"]) == (0, {"already_delivered": 1})


def test_what_a_person_has_held_goes_at_its_release_where_what_it_comes_after_had_arrived(
    make_world: Callable[..., World],
) -> None:
    world = make_world(routes=FOLLOWED.replace(b"attempts: 3", b"attempts: 1"))
    world.target("erp").silent = True
    world.send(order(1))
    [(child,)] = world.rows("SELECT delivery_id FROM deliveries WHERE target = 'crm'")
    steps.hold(world.engine, child, ANNA, "ask first")
    Sweeper(world.engine, world.folder, None, {}).recover_from(world.engine.worker)
    world.target("erp").silent = False
    answered(world, world.target("erp").sent[0], Verdict(DELIVERED, status=200))
    assert world.states() == [("erp", "resolved"), ("crm", "held")]
    steps.release(world.engine, child, ANNA, "asked")
    world.run()
    assert world.states() == [("erp", "resolved"), ("crm", "delivered")]
