"""Routes share a system by weight, workers share its limits, and a key with much to do fills no window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from test_circuits import later, second
from world import ROUTES, SYSTEMS, Target, World, order

from connectors.base import LATER, Finished, Parcel, Verdict
from hub.message import Delivery
from hub.pipeline.engine import Engine
from hub.store import circuits, due, limits, switches
from hub.store.database import Database

OTHER = b"""
  - {route: rush, from: {system: shop, event: rush}, map: order-in, key: src.report_id,
     to: [{system: erp, map: order-out}]}
"""
TWO = b"- " + ROUTES.strip().replace(b"\n", b"\n  ") + OTHER.replace(b"\n  -", b"\n-")
NARROW = SYSTEMS.replace(b"idempotency: {mode: native}", b"idempotency: {mode: native}\n  limits: {concurrency: 2}")


class Slow:
    """A target that answers only when it is told to."""

    def __init__(self) -> None:
        self.sent: list[Parcel] = []
        self.waiting: list[tuple[Parcel, Finished]] = []

    def submit(self, parcels: list[Parcel], finished: Finished) -> None:
        self.sent += parcels
        self.waiting += [(parcel, finished) for parcel in parcels]

    def close(self) -> None:
        pass


def routes_of(world: World, parcels: list[Parcel]) -> Counter[str]:
    route = dict(world.rows("SELECT delivery_id, route FROM deliveries"))
    return Counter(route[parcel.delivery_id] for parcel in parcels)


def stopped(world: World) -> None:
    world.store.write(lambda db: switches.throw(db, "system", "erp", "stopped", "test", 1.0, "test"))


def started(world: World) -> None:
    world.store.write(lambda db: switches.release(db, "system", "erp"))
    world.wait(0)


def test_a_route_with_much_to_send_does_not_starve_one_with_little(make_world: Callable[..., World]) -> None:
    world = make_world(routes=TWO, systems=NARROW)
    stopped(world)
    world.send(*(order(number) for number in range(1000)))
    world.clock.at += 60
    world.send(*(order(5000 + number) for number in range(10)), event="rush")
    started(world)
    assert routes_of(world, world.target("erp").sent[:24])["rush"] >= 10
    assert {state for _, state in world.states()} == {"delivered"}


def test_weights_say_how_much_each_route_gets(make_world: Callable[..., World]) -> None:
    heavy = TWO.replace(b"map: order-in, key", b"weight: 3, map: order-in, key")
    world = make_world(routes=heavy, systems=NARROW)
    stopped(world)
    world.send(*(order(number) for number in range(500)))
    world.send(*(order(5000 + number) for number in range(500)), event="rush")
    started(world)
    had = routes_of(world, world.target("erp").sent[:400])
    assert had == {"rush": 300, "orders": 100}


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_what_waits_of_many_routes_is_taken_with_one_statement(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = OTHER.rstrip().replace(b"\n  -", b"\n-").replace(b"rush", b"rush-%d")
    world = make_world(routes=TWO.rstrip() + b"".join(one % (n, n) for n in range(8)) + b"\n")
    stopped(world)
    for number in range(24):
        world.send(order(number), event=f"rush-{number % 8}")
    taken: list[dict[str, int]] = []
    take = due.take

    def noted(db: Database, system: str, wanted: dict[str, int], now: float, worker: str) -> list[Delivery]:
        taken.append(wanted)
        return take(db, system, wanted, now, worker)

    monkeypatch.setattr(due, "take", noted)
    started(world)
    assert [(len(wanted), sum(wanted.values())) for wanted in taken] == [(8, 256)]
    assert {state for _, state in world.states()} == {"delivered"}


def test_a_paused_route_takes_no_turn(make_world: Callable[..., World]) -> None:
    world = make_world(routes=TWO)
    world.store.write(lambda db: switches.throw(db, "route", "orders", "paused", "test", 1.0, "test"))
    world.send(*(order(number) for number in range(100)))
    world.send(order(5000), event="rush")
    world.wait(1)
    assert routes_of(world, world.target("erp").sent) == {"rush": 1}


def test_one_key_with_much_to_do_takes_one_place_of_the_window(make_world: Callable[..., World]) -> None:
    world = make_world(systems=NARROW)
    erp = world.targets["erp"] = Slow()  # type: ignore[assignment]
    world.send(*(order("hot") for _ in range(100)), *(order(number) for number in range(3)))
    assert len(erp.sent) == 4
    assert world.rows("SELECT count(DISTINCT lane), count(*) FROM deliveries WHERE state = 'delivering'") == [(4, 4)]


@pytest.mark.parametrize(
    ("said", "window"),
    [
        ("{mode: native}", 256),
        ("{mode: native}\n  limits: {concurrency: 64}", 512),
        ("{mode: native}\n  limits: {concurrency: 15}", 60),
        ("{mode: none}", 8),
    ],
)
def test_more_is_in_hand_where_doubt_is_cheap_and_nothing_tight_is_asked_for(
    make_world: Callable[..., World], said: str, window: int
) -> None:
    world = make_world(systems=SYSTEMS.replace(b"{mode: native}", said.encode()))
    erp = world.targets["erp"] = Slow()  # type: ignore[assignment]
    world.send(*(order(number) for number in range(window + 10)))
    assert len(erp.sent) == window


# -- limits of several workers -------------------------------------------------------------------------------------


def sharing(world: World) -> tuple[Engine, Engine]:
    """Two workers that share limits, each with something to send to the ERP, once they know of each other."""
    other = second(world)
    for engine in (world.engine, other):
        engine.dispatcher.gates.shares_limits = True
        engine.dispatcher._lane("erp").behind = True
    tick(world, other, 0)
    tick(world, other, 0)
    return world.engine, other


def tick(world: World, other: Engine, seconds: float) -> None:
    world.clock.at += seconds
    for engine in (world.engine, other):
        engine.dispatcher.refresh()


def bounds(engine: Engine) -> tuple[float, int]:
    found = engine.dispatcher._lane("erp").bounds
    return found.rate, found.concurrency


def test_workers_share_rate_and_concurrency(make_world: Callable[..., World]) -> None:
    limited = SYSTEMS.replace(
        b"idempotency: {mode: native}", b"idempotency: {mode: native}\n  limits: {rate: 20/s, concurrency: 5}"
    )
    world = make_world(systems=limited)
    first, other = sharing(world)
    tick(world, other, 2)
    assert [bounds(engine) for engine in (first, other)] == [(10.0, 3), (10.0, 2)]


def test_a_worker_that_is_new_waits_until_the_others_know_of_it(make_world: Callable[..., World]) -> None:
    world = make_world(systems=NARROW)
    first, other = sharing(world)
    assert bounds(other) == (0.0, 0)
    tick(world, other, 1.5)
    assert [bounds(engine)[1] for engine in (first, other)] == [1, 1]


def test_a_worker_without_a_place_sends_nothing(make_world: Callable[..., World]) -> None:
    world = make_world(systems=NARROW.replace(b"concurrency: 2", b"concurrency: 1"))
    first, other = sharing(world)
    tick(world, other, 2)
    assert [bounds(engine)[1] for engine in (first, other)] == [1, 0]
    assert other.dispatcher._lane("erp").bounds.window == 0


def test_a_worker_without_a_place_takes_no_probe(make_world: Callable[..., World]) -> None:
    world = make_world(systems=NARROW.replace(b"concurrency: 2", b"concurrency: 1"))
    first, other = sharing(world)
    tick(world, other, 2)
    broken = circuits.Circuit(circuits.OPEN, 1.0, "5 tries in a row failed", "hub", world.clock.epoch() + 5)
    world.store.write(lambda db: circuits.open_circuit(db, "erp", broken))
    tick(world, other, 0)
    world.send(order(1))
    tick(world, other, 6)
    other.pump("erp")
    assert circuits.open_now(world.store.reader())["erp"].state == circuits.OPEN
    first.pump("erp")
    world.run()
    assert circuits.open_now(world.store.reader()) == {}
    assert world.states() == [("erp", "delivered")]


def test_the_share_of_a_worker_that_died_comes_back_when_its_lease_ends(make_world: Callable[..., World]) -> None:
    world = make_world(systems=NARROW)
    first, _ = sharing(world)
    for seconds in (2, 6, 6):
        world.clock.at += seconds
        first.dispatcher._lane("erp").behind = True
        first.dispatcher.refresh()
    assert bounds(first)[1] == 1
    world.clock.at += 6
    first.dispatcher.refresh()
    assert bounds(first)[1] == 2


def test_a_worker_that_ends_or_is_idle_gives_its_share_back(make_world: Callable[..., World]) -> None:
    world = make_world(systems=NARROW)
    first, other = sharing(world)
    tick(world, other, 2)
    other.dispatcher.close()
    first.dispatcher.refresh()
    assert bounds(first)[1] == 2
    first.dispatcher._lane("erp").behind = False
    tick(world, other, 61)
    assert world.rows("SELECT worker FROM shares WHERE system = 'erp' AND worker = 'w1'") == []


def test_shares_are_taken_and_given_back_by_time_that_nobody_puts(make_world: Callable[..., World]) -> None:
    world = make_world(systems=NARROW)
    first, other = sharing(world)
    world.clock.put = -3600.0  # as that of a database server may be
    tick(world, other, 2)
    assert [bounds(engine)[1] for engine in (first, other)] == [1, 1]
    first.dispatcher._lane("erp").behind = False
    tick(world, other, 61)
    assert world.rows("SELECT worker FROM shares WHERE system = 'erp' AND worker = 'w1'") == []


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_one_process_that_has_the_store_to_itself_writes_no_lease(world: World) -> None:
    world.send(*(order(number) for number in range(50)))
    later(world, 10)
    assert world.engine.dispatcher.gates.shares_limits is False
    assert world.rows("SELECT * FROM shares") == []


def test_adjusted_limits_are_in_force_until_they_are_reset(world: World) -> None:
    world.send(order(1))
    change = limits.Adjustment(2.0, 3, "slow season", 1.0, "me")
    world.store.write(lambda db: limits.adjust(db, "erp", change))
    world.engine.dispatcher.refresh()
    assert bounds(world.engine) == (2.0, 3)
    world.store.write(lambda db: limits.reset(db, "erp"))
    world.engine.dispatcher.refresh()
    assert bounds(world.engine) == (0.0, 16)


class Closed(Target):
    """A target that, as a real one, does nothing any more once it is closed."""

    closed = False

    def close(self) -> None:
        self.closed = True

    def adjust(self, per_second: float, concurrency: int) -> None:
        assert not self.closed

    def recall(self, verdict: Verdict) -> None:
        assert not self.closed


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_limits_that_change_while_a_process_ends_disturb_nothing(world: World) -> None:
    target = world.targets["erp"] = Closed()
    world.send(order(1))
    world.engine.dispatcher.close()
    assert target.closed
    change = limits.Adjustment(2.0, 3, "slow season", 1.0, "me")
    world.store.write(lambda db: limits.adjust(db, "erp", change))
    world.engine.dispatcher.refresh()
    assert bounds(world.engine) == (2.0, 3)


class Counting(Target):
    """Remembers how many it was given at once."""

    def __init__(self) -> None:
        super().__init__()
        self.together: list[int] = []

    def submit(self, parcels: Sequence[Parcel], finished: Finished) -> None:
        self.together.append(len(parcels))
        super().submit(parcels, finished)


def test_both_targets_of_a_message_at_one_system_go_when_their_turn_comes(make_world: Callable[..., World]) -> None:
    twice = b"  - {system: erp, map: order-out}\n  - {system: erp, id: too, map: order-out}"
    world = make_world(routes=ROUTES.replace(b"  - {system: erp, map: order-out}", twice))
    erp = world.targets["erp"] = Counting()
    erp.answers += [Verdict(LATER, code="http_503", status=503)] * 2
    world.send(order(1))
    world.send(order(1, 2))
    world.wait(20)
    assert erp.together == [2, 2, 2]
    assert [state for _, state in world.states()] == ["delivered"] * 4
