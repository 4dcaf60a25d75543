"""A replay as a job: its plan, its rate, its interruptions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from replaying import ANNA, CSV_IN, DEAD, adds_up, dead_orders, deploy, items
from world import ORDER_IN, ORDER_OUT, World

from hub import replay
from hub.errors import Conflict, PlanStale
from hub.replay import Request, running, steps
from hub.store import replays
from hub.store.search_terms import Filter


def test_a_plan_is_stale_when_something_else_would_be_done_now(world: World) -> None:
    dead_orders(world, 1)
    planned = replay.plan(world.engine, DEAD, ANNA)
    with pytest.raises(PlanStale, match="not the hash of the plan"):
        replay.start(world.engine, planned.replay_id, "x", ANNA)
    dead_orders(world, 2)
    with pytest.raises(PlanStale, match="what matches"):
        replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)
    assert len(world.target("erp").sent) == 2


def test_a_plan_is_stale_after_a_deploy_and_after_half_an_hour(world: World) -> None:
    dead_orders(world, 1)
    planned = replay.plan(world.engine, DEAD, ANNA)
    world.clock.at += 1801
    with pytest.raises(PlanStale, match="older than 30 minutes"):
        replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)
    planned = replay.plan(world.engine, DEAD, ANNA)
    deploy(world, "mappings/order-out.yaml", ORDER_OUT + b"  # changed\n")
    with pytest.raises(PlanStale, match="active set"):
        replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)


def test_a_plan_of_which_a_part_was_taken_for_lost_is_stale(world: World) -> None:
    dead_orders(world, 1, 2)
    planned = replay.plan(world.engine, DEAD, ANNA)
    world.store.write(lambda db: db.execute("DELETE FROM replay_items WHERE ordinal = 0"))
    with pytest.raises(PlanStale, match="not all of the plan is stored"):
        replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)


def test_items_of_a_plan_that_was_never_finished_are_discarded_and_no_others(world: World) -> None:
    dead_orders(world, 1, 2)
    planned = replay.plan(world.engine, DEAD, ANNA)
    for lost in ("0", "z"):
        world.store.write(lambda db, id=lost: replays.add_items(db, id, [replays.Item(0, "delivery", "d", "waiting")]))
    replay.resume(world.engine)
    assert world.rows("SELECT replay_id, count(*) FROM replay_items GROUP BY replay_id") == [(planned.replay_id, 2)]


def test_no_more_deliveries_of_a_replay_wait_than_what_comes_in_meanwhile_can_stand_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "PAGE", 4)
    monkeypatch.setattr(running, "MOST_WAITING", 6)
    dead_orders(world, *range(20))
    planned = replay.plan(world.engine, DEAD, ANNA)
    replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)
    assert items(world, planned.replay_id) == (12, 8)
    assert replay.advance(world.engine)
    assert items(world, planned.replay_id) == (12, 8)
    world.run()
    assert replay.advance(world.engine)
    assert items(world, planned.replay_id) == (4, 16)
    world.run()
    assert not replay.advance(world.engine)
    assert items(world, planned.replay_id) == (0, 20)


def test_what_stands_still_holds_no_replay_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "PAGE", 4)
    monkeypatch.setattr(running, "MOST_WAITING", 6)
    dead_orders(world, *range(20))
    steps.stop_system(world.engine, "erp", ANNA, "it is being moved")
    planned = replay.plan(world.engine, DEAD, ANNA)
    replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)
    assert items(world, planned.replay_id) == (0, 20)


def test_a_replay_is_started_once(world: World) -> None:
    dead_orders(world, 1)
    planned = replay.plan(world.engine, DEAD, ANNA)
    replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)
    with pytest.raises(Conflict, match="this replay is done, not planned"):
        replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)


def test_a_rate_is_kept_and_a_cancelled_replay_goes_no_further(world: World) -> None:
    dead_orders(world, *range(1, 11))
    planned = replay.plan(world.engine, Request(filter=Filter(state="dead"), rate_per_second=2.0), ANNA)
    replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)
    assert items(world, planned.replay_id) == (9, 1)
    assert replay.advance(world.engine)
    assert items(world, planned.replay_id) == (9, 1)
    world.clock.at += 1.0
    replay.advance(world.engine)
    assert items(world, planned.replay_id) == (7, 3)
    world.clock.at += 600.0  # away for ten minutes: no burst afterwards
    replay.advance(world.engine)
    waiting, started = items(world, planned.replay_id)
    assert started == 6
    replay.cancel(world.engine, planned.replay_id, ANNA, "enough")
    world.clock.at += 60
    assert not replay.advance(world.engine)
    assert items(world, planned.replay_id) == (waiting, started)


def test_a_replay_outlives_the_process_and_does_nothing_twice(world: World) -> None:
    dead_orders(world, *range(1, 9))
    planned = replay.plan(world.engine, Request(filter=Filter(state="dead"), rate_per_second=1.0), ANNA)
    replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)
    world.run()
    world.crash("w2")
    replay.resume(world.engine)
    for _ in range(12):
        world.clock.at += 1.0
        replay.advance(world.engine)
        world.run()
    assert replay.progress(world.engine, planned.replay_id).replay.state == "done"
    assert replay.progress(world.engine, planned.replay_id).outcomes == {"delivered": 8}
    assert [body["ref"] for body in world.target("erp").bodies[8:]] == [str(n) for n in range(1, 9)]
    adds_up(world)


def test_what_has_changed_since_the_plan_is_left_with_its_reason(world: World) -> None:
    _, second = dead_orders(world, 1, 2)
    planned = replay.plan(world.engine, Request(filter=Filter(state="dead"), rate_per_second=1.0), ANNA)
    replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)
    world.run()
    [(delivery,)] = world.rows("SELECT delivery_id FROM deliveries WHERE message_id = ?", second)
    steps.resolve(world.engine, delivery, ANNA, "entered by hand")
    world.clock.at += 5
    replay.advance(world.engine)
    replay.advance(world.engine)
    assert world.rows("SELECT state, note FROM replay_items ORDER BY ordinal") == [
        ("started", ""),
        ("skipped", "resolved"),
    ]
    assert len(world.target("erp").sent) == 3


def test_what_is_read_again_out_of_turn_waits_for_what_came_before_it(world: World) -> None:
    """After a crash the receipts of a replay may be taken up in any order."""
    for lines in (1, 2, 3):
        world.send({"id": "7", "lines": [{"name": "a", "qty": "nix"}] * lines})
    deploy(world, "mappings/order-in.yaml", ORDER_IN.replace(b"text(l.qty)", b"\"'1'\""))
    planned = replay.plan(world.engine, DEAD, ANNA)
    replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)
    world.calls.clear()
    for seq in (6, 5, 4):
        world.engine.process([seq])
        world.run()
    world.wait(1)
    assert [body["lines"] for body in world.target("erp").bodies] == [1, 2, 3]


def test_records_of_one_file_that_are_read_again_keep_their_order(make_world: Callable[..., World]) -> None:
    mapping = CSV_IN.replace(b"report_id: src.id", b"report_id: {const: same}")
    world = make_world(order_in=mapping)
    world.send(b"id,qty\n1,nix\n2,nix\n3,nix\n")
    deploy(world, "mappings/order-in.yaml", mapping.replace(b"src.qty", b"src.id"))
    planned = replay.plan(world.engine, DEAD, ANNA)
    replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)
    world.calls.clear()
    for seq in (4, 3, 2):
        world.engine.process([seq])
        world.run()
    world.wait(1)
    sent = [parcel.delivery_id for parcel in world.target("erp").sent]
    order_of = dict(world.rows("SELECT delivery_id, lane_seq & 1048575 FROM deliveries"))
    assert [order_of[delivery] for delivery in sent] == [0, 1, 2]
