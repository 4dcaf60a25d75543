"""What comes after another delivery goes once that one has ended, whatever set of files is in force by then."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from replaying import ANNA, adds_up, run
from world import ROUTES, World, order

from connectors.base import DELIVERED, LATER, REFUSED, Verdict
from hub.chores import everything
from hub.deploy import deploy
from hub.replay import Request, steps
from hub.store import conservation, deliveries
from hub.store.audit import Actor
from hub.sweeper import Sweeper

BOTH = ROUTES.replace(b"map: order-out}", b"map: order-out}\n  - {system: wms, map: order-out}")
AFTER = BOTH.replace(b"system: wms, map: order-out", b"system: wms, map: order-out, after: erp")
BUSY, NO = Verdict(LATER, "http_503", status=503), Verdict(REFUSED, "http_422", status=422)
STRANDED = "deliveries that wait for one that has ended"


def deployed(world: World, routes: bytes) -> None:
    world.files = {**world.files, "routes/orders.yaml": routes}
    world.engine.activate(deploy(world.store, world.files, None, world.clock, Actor("test")))
    world.run()


def test_what_waits_goes_where_the_files_in_force_no_longer_let_it_wait(make_world: Callable[..., World]) -> None:
    world = make_world(routes=AFTER)
    world.target("erp").answers.append(BUSY)
    world.send(order(1))
    deployed(world, BOTH)
    world.send(order(1))
    world.wait(20)
    world.wait(0)
    assert [state for _, state in world.states()] == ["delivered"] * 4
    assert len(world.target("wms").sent) == 2


def test_what_waits_goes_where_the_worker_that_sent_the_first_had_other_files(make_world: Callable[..., World]) -> None:
    world = make_world(routes=BOTH)
    behind = world.engine.program
    world.target("erp").silent = True
    deployed(world, AFTER)
    ahead = world.engine.program
    world.target("erp").silent = False
    world.target("erp").answers.append(BUSY)
    world.send(order(1))
    world.engine.activate(behind)
    world.wait(20)
    world.engine.activate(ahead)
    world.wait(0)
    assert [state for _, state in world.states()] == ["delivered"] * 2


def test_what_waits_is_held_where_the_first_dies_under_other_files(make_world: Callable[..., World]) -> None:
    world = make_world(routes=AFTER)
    world.target("erp").answers.extend([BUSY, NO])
    world.send(order(1))
    deployed(world, BOTH)
    world.wait(20)
    assert sorted(world.states()) == [("erp", "dead"), ("wms", "held")]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_an_order_that_nothing_waits_for_costs_no_statement_to_know_it(world: World) -> None:
    seen: list[str] = []
    world.target("erp").silent = True
    world.send(*(order(number) for number in range(50)))

    def traced(parcels: list[object]) -> None:
        db = world.store._db  # type: ignore[attr-defined]
        db.exec_trace = lambda cursor, sql, bound: not seen.append(sql)
        world.engine.dispatcher._finished([(parcel, Verdict("delivered", status=200)) for parcel in parcels])
        world.run()
        db.exec_trace = None

    traced(list(world.target("erp").sent))
    assert [sql for sql in seen if "waits_for" in sql and sql.lstrip().startswith("SELECT")] == []
    assert {state for _, state in world.states()} == {"delivered"}


def strand(world: World) -> None:
    """What an older hub may have left: the first has ended, the next still waits for it."""
    ended = "UPDATE deliveries SET state = 'delivered', claimed_by = NULL, holds_lane = 0 WHERE target = 'erp'"
    world.store.write(lambda db: db.execute(ended))


def test_what_waits_for_one_that_has_ended_does_not_add_up(make_world: Callable[..., World]) -> None:
    world = make_world(routes=AFTER)
    world.target("erp").silent = True
    world.send(order(1))
    assert conservation.check(world.store.reader()) == []
    strand(world)
    found = {one.what: (one.seen, one.example) for one in conservation.check(world.store.reader())}
    [(waiting,)] = world.rows("SELECT delivery_id FROM deliveries WHERE target = 'wms'")
    assert found[STRANDED] == (1, waiting)


def test_what_waits_for_one_that_has_ended_is_found_and_goes(make_world: Callable[..., World]) -> None:
    world = make_world(routes=AFTER)
    world.target("erp").silent = True
    world.send(order(1))
    strand(world)
    assert len(deliveries.ended_before(world.store.reader())) == 1
    with ThreadPoolExecutor(1) as telling:
        everything(world.engine, world.folder, telling)["heads of lanes"][1]()
    world.wait(0)
    assert deliveries.ended_before(world.store.reader()) == []
    assert dict(world.states())["wms"] == "delivered"


# -- held by a person --------------------------------------------------------------------------------------------------


def held_follower(
    make_world: Callable[..., World], *answers: Verdict, keyed: bool = True, reason: str = "ask"
) -> tuple[World, str]:
    """The first is tried in vain at first; a person holds the one that comes after it."""
    world = make_world(routes=AFTER if keyed else AFTER.replace(b"key: src.report_id", b"order: none"))
    world.target("erp").answers.extend([BUSY, *answers])
    world.send(order(1))
    [(follower,)] = world.rows("SELECT delivery_id FROM deliveries WHERE target = 'wms'")
    steps.hold(world.engine, follower, ANNA, reason)
    return world, str(follower)


@pytest.mark.parametrize("keyed", [True, False])
def test_what_is_held_and_released_waits_on_for_the_one_before(make_world: Callable[..., World], keyed: bool) -> None:
    world, follower = held_follower(make_world, keyed=keyed)
    assert steps.release(world.engine, follower, ANNA, "it is right") == "queued"
    world.run()
    assert (dict(world.states()), world.target("wms").sent) == ({"erp": "retrying", "wms": "queued"}, [])
    adds_up(world)
    world.wait(10)
    world.wait(0)
    assert dict(world.states()) == {"erp": "delivered", "wms": "delivered"}


def test_what_is_released_after_the_one_before_has_arrived_goes(make_world: Callable[..., World]) -> None:
    world, follower = held_follower(make_world)
    world.wait(10)
    assert dict(world.states()) == {"erp": "delivered", "wms": "held"}
    steps.release(world.engine, follower, ANNA, "it is right")
    world.run()
    assert dict(world.states()) == {"erp": "delivered", "wms": "delivered"}


def test_what_is_released_after_the_one_before_has_died_is_held_for_that_and_then_goes_by_itself(
    make_world: Callable[..., World],
) -> None:
    world, follower = held_follower(make_world, NO)
    world.wait(10)
    assert steps.release(world.engine, follower, ANNA, "the address is right") == "held"
    assert world.rows("SELECT hold_reason FROM deliveries WHERE target = 'wms'") == [("predecessor",)]
    assert steps.release(world.engine, follower, ANNA, "it is to go without") == "queued"
    world.run()
    assert dict(world.states()) == {"erp": "dead", "wms": "delivered"}


def test_what_is_held_is_not_replayed_past_the_one_before(make_world: Callable[..., World]) -> None:
    world, follower = held_follower(make_world)
    plan = run(world, Request(ids=(follower,)))
    assert (plan["replayable"], plan["not_replayable"]) == (0, {"follows_predecessor": 1})
    world.wait(10)
    assert run(world, Request(ids=(follower,)))["replayable"] == 1
    assert sorted(world.states()) == [("erp", "delivered"), ("wms", "delivered"), ("wms", "resolved")]


@pytest.mark.parametrize("reason", ["the address is wrong", "predecessor"])
def test_what_is_held_waits_for_the_replay_of_the_one_before(make_world: Callable[..., World], reason: str) -> None:
    world, follower = held_follower(make_world, NO, BUSY, Verdict(DELIVERED, status=200), reason=reason)
    world.wait(10)
    [(first,)] = world.rows("SELECT delivery_id FROM deliveries WHERE state = 'dead'")
    run(world, Request(ids=(str(first),)))
    assert sorted(world.states()) == [("erp", "resolved"), ("erp", "retrying"), ("wms", "held")]
    assert steps.release(world.engine, follower, ANNA, "it is right") == "queued"
    world.run()
    assert world.target("wms").sent == []
    world.wait(10)
    world.wait(0)
    assert sorted(world.states()) == [("erp", "delivered"), ("erp", "resolved"), ("wms", "delivered")]


# -- a person's words --------------------------------------------------------------------------------------------------


def test_what_is_held_with_the_reason_predecessor_waits_for_a_person(make_world: Callable[..., World]) -> None:
    world, follower = held_follower(make_world, reason="predecessor")
    world.wait(10)
    world.wait(0)
    assert dict(world.states()) == {"erp": "delivered", "wms": "held"}
    assert run(world, Request(ids=(follower,)))["replayable"] == 1
    assert sorted(world.states())[1:] == [("wms", "delivered"), ("wms", "resolved")]


def test_what_is_resolved_in_doubt_as_replayed_by_hand_is_followed_when_it_had_arrived(
    make_world: Callable[..., World],
) -> None:
    world = make_world(routes=AFTER.replace(b"system: erp", b"system: crm").replace(b"after: erp", b"after: crm"))
    world.target("crm").silent = True
    world.send(order(1))
    Sweeper(world.engine, world.folder, None, {}).recover_from(world.engine.worker)
    world.target("crm").silent = False
    [parcel] = world.target("crm").sent
    steps.resolve(world.engine, parcel.delivery_id, ANNA, "replayed by hand")
    assert dict(world.states()) == {"crm": "resolved", "wms": "held"}
    world.engine.dispatcher._finished([(parcel, Verdict(DELIVERED, status=200))])
    world.run()
    assert dict(world.states()) == {"crm": "resolved", "wms": "delivered"}
    adds_up(world)
