"""The machine's clock is put forward or back: whatever waits for its time waits as long as it had to, and no longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from world import World, order

from connectors.base import DOUBT, FOUND, LATER, Verdict
from hub.chores import ClockWatch
from hub.pipeline.split import LocalTransformer
from hub.pipeline.transformed import Transformed
from hub.store import due, receipts, switches

ASKED = b"""
shop: {connector: webhook, verify: {method: none, unsigned: true}, event: header:X-Event}
erp: {connector: http, base_url: http://erp.example,
      idempotency: {mode: lookup, request: "GET /x?ref={key}", found: "count(body) > 0", settle: 10s}}
"""
EXPIRES = b"""
route: orders
from: {system: shop, event: order}
map: order-in
key: src.report_id
to: [{system: erp, map: order-out, expires: 4h}, {system: crm, map: order-out, expires: 4h, after: erp}]
retry: {attempts: 40, first: 10m, jitter: none}
"""
HOUR = 3600.0
AWAY = Verdict(LATER, "connect_refused", "connection refused")
BUSY = Verdict(LATER, "http_503", "busy", status=503, retry_after_seconds=10.0, slow_down=True)
UNHEARD = Verdict(DOUBT, "read_timeout", "no answer")


@pytest.fixture
def store_url() -> str:
    return "sqlite:///hub.db"  # on a server's store it is the server's clock that counts


def pass_by(world: World, watch: ClockWatch, seconds: float) -> int:
    """Let time pass; gives how often the target was sent to or asked by then."""
    world.clock.at += seconds
    watch.look()
    world.engine.dispatcher.refresh()
    world.wait(0)
    return len(world.target("erp").sent) + len(world.target("erp").asked)


@pytest.mark.parametrize("seconds", [3600.0, -3600.0, 5.0, -5.0])
@pytest.mark.parametrize(
    ("answers", "after"), [([AWAY], 10), ([BUSY], 10), ([UNHEARD], 10), ([AWAY] * 5, 10)],
    ids=["a retry", "a pause", "a look-up", "a probe"],
)  # fmt: skip
def test_it_is_done_when_it_should_have_been(
    make_world: Callable[..., World], answers: list[Verdict], after: float, seconds: float
) -> None:
    world = make_world(systems=ASKED)
    world.target("erp").answers.extend(answers)
    world.target("erp").found.append(Verdict(FOUND, code="found"))
    watch = ClockWatch(world.engine)
    world.send(*(order(number) for number in range(len(answers))))
    assert pass_by(world, watch, 0.1) == len(answers)
    world.clock.put += seconds
    assert pass_by(world, watch, 0.2) == len(answers)
    assert pass_by(world, watch, after - 0.7) == len(answers)
    assert pass_by(world, watch, 0.5) > len(answers)


@pytest.mark.parametrize("seconds", [3600.0, -3600.0])
def test_it_is_noticed_once(world: World, seconds: float) -> None:
    world.target("erp").answers.append(AWAY)
    watch = ClockWatch(world.engine)
    world.send(order(1))
    world.clock.put += seconds
    for _ in range(3):
        watch.look()
    [(due_at,)] = world.rows("SELECT due_at FROM deliveries")
    assert due_at == world.clock.epoch() + 10
    world.clock.put += 0.2  # as a clock is that is slewed
    watch.look()
    assert world.rows("SELECT due_at FROM deliveries") == [(due_at,)]


def test_a_receipt_that_was_told_of_in_a_time_to_come_is_told_of_again(world: World) -> None:
    world.engine.accept([world.arrival(order(1))])
    [(seq,)] = world.rows("SELECT seq FROM receipts")
    world.store.write(lambda db: receipts.let_go(db, [seq], world.engine.worker))
    world.store.write(lambda db: receipts.mark_enqueued(db, [seq], world.clock.epoch()))
    watch = ClockWatch(world.engine)
    world.clock.put -= 3600
    watch.look()
    assert receipts.waiting(world.store.reader(), world.clock.epoch(), 10) == [seq]


@pytest.mark.parametrize("seconds", [3600.0, -3600.0])
def test_what_was_written_after_it_and_before_it_was_noticed_stays(world: World, seconds: float) -> None:
    world.target("erp").answers.extend([AWAY, AWAY])
    watch = ClockWatch(world.engine)
    world.send(order(1))
    world.clock.at += 20
    watch.look()
    world.clock.at += 0.1
    world.clock.put += seconds
    world.send(order(2))
    world.clock.at += 0.1
    watch.look()
    [(first,), (second,)] = world.rows("SELECT due_at FROM deliveries ORDER BY lane_seq")
    assert second == pytest.approx(world.clock.epoch() + 9.9)
    assert first <= world.clock.epoch()


class Interrupted(LocalTransformer):
    """Something happens between what it transforms and when that is stored."""

    def __init__(self, world: World, happens: Callable[[], None]) -> None:
        super().__init__(world.store, world.clock)
        self._happens = happens

    def split(self, *asked: Any) -> Iterator[list[Transformed]]:
        for parts in super().split(*asked):
            self._happens()
            yield parts


@pytest.mark.parametrize("seconds", [3600.0, -3600.0])
def test_what_was_transformed_before_it_and_is_stored_after_it_is_due_at_once(world: World, seconds: float) -> None:
    watch = ClockWatch(world.engine)

    def put_it() -> None:
        world.clock.put += seconds
        watch.look()

    world.engine.transformer = Interrupted(world, put_it)
    world.store.write(lambda db: switches.throw(db, "system", "erp", "stopped", "", world.clock.epoch(), "anna"))
    world.send(order(1))
    assert world.rows("SELECT created_at, due_at FROM deliveries") == [(world.clock.epoch(),) * 2]
    world.store.write(lambda db: switches.release(db, "system", "erp"))
    world.wait(0)
    assert world.states() == [("erp", "delivered")]


@pytest.mark.parametrize("seconds", [12 * HOUR, -12 * HOUR])
@pytest.mark.parametrize("answer", [None, AWAY, UNHEARD], ids=["on its way", "a retry", "in doubt"])
def test_nothing_that_expires_loses_time_by_it_wherever_it_waits(
    make_world: Callable[..., World], answer: Verdict | None, seconds: float
) -> None:
    world = make_world(systems=ASKED + b'crm: {connector: http, base_url: "http://crm.example"}', routes=EXPIRES)
    world.target("erp").silent = answer is None
    world.target("erp").answers.extend([answer] if answer else [])
    watch = ClockWatch(world.engine)
    world.send(order("a"), order("a", 2))  # the second behind the first; what goes to the crm after the erp
    [(before,)] = world.rows("SELECT DISTINCT expires_at FROM deliveries")
    world.clock.at += 60
    world.clock.put += seconds
    watch.look()
    assert world.rows("SELECT target, expires_at FROM deliveries ORDER BY target, delivery_id") == [
        ("crm", before + seconds), ("crm", before + seconds), ("erp", before + seconds), ("erp", before + seconds)
    ]  # fmt: skip


def test_what_waits_for_another_target_is_sent_in_its_time_after_it(make_world: Callable[..., World]) -> None:
    world = make_world(routes=EXPIRES)
    world.target("erp").answers.append(AWAY)
    watch = ClockWatch(world.engine)
    world.send(order("a"))
    pass_by(world, watch, 60)
    world.clock.put += 12 * HOUR
    assert pass_by(world, watch, 600) == 2
    assert world.states() == [("erp", "delivered"), ("crm", "delivered")]


def test_what_has_expired_by_the_clock_as_it_was_stays_so(make_world: Callable[..., World]) -> None:
    world = make_world(routes=EXPIRES)
    world.store.write(lambda db: switches.throw(db, "system", "erp", "stopped", "", world.clock.epoch(), "anna"))
    watch = ClockWatch(world.engine)
    world.send(order("a"))
    [before] = world.rows("SELECT DISTINCT expires_at FROM deliveries")
    world.clock.at += 5 * HOUR
    watch.look()
    world.clock.put += 12 * HOUR
    watch.look()
    assert world.rows("SELECT DISTINCT expires_at FROM deliveries") == [before]


def test_no_delivery_that_has_ended_is_read_for_it(world: World) -> None:
    plans = []
    world.store.write(lambda db: plans.extend(db.execute(f"EXPLAIN QUERY PLAN {due._UNSENT}").fetchall()))
    read = [str(row[-1]) for row in plans if "deliveries" in str(row[-1])]
    assert read and all(" USING " in step for step in read)
