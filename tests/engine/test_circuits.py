"""A system that fails is left alone; one delivery at a time finds out whether it is back, whoever sends it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from world import ROUTES, SYSTEMS, Target, World, order

from connectors.base import DELIVERED, DOUBT, FOUND, LATER, REFUSED, Parcel, Verdict
from hub.metrics import render
from hub.pipeline.engine import Engine
from hub.store import circuits
from hub.store.tally import Tallier

AWAY = Verdict(LATER, "connect_refused", "connection refused")
BUSY = Verdict(LATER, "http_503", "the system answered 503", status=503, retry_after_seconds=40.0, slow_down=True)
TIMEOUT = Verdict(DOUBT, "read_timeout", "no answer")


def opened(world: World) -> dict[str, str]:
    return {name: circuit.state for name, circuit in circuits.open_now(world.store.reader()).items()}


def fail(world: World, answers: int = 5, first: int = 0, verdict: Verdict = AWAY) -> None:
    erp = world.target("erp")
    erp.answers.extend([verdict] * answers)
    world.send(*(order(first + number) for number in range(answers)))


def later(world: World, seconds: float) -> None:
    world.clock.at += seconds
    world.engine.dispatcher.refresh()
    world.run()
    world.wait(0)


def test_failures_in_a_row_open_it_and_what_comes_then_waits_without_using_up_tries(world: World) -> None:
    fail(world)
    assert opened(world) == {"erp": "open"}
    world.send(*(order(10 + number) for number in range(20)))
    assert len(world.target("erp").sent) == 5
    waiting = world.rows("SELECT count(*), sum(attempts) FROM deliveries WHERE state = 'queued' AND due_at IS NOT NULL")
    assert waiting == [(20, 0)]


def test_one_probe_goes_and_its_success_lets_all_others_go(world: World) -> None:
    erp = world.target("erp")
    fail(world)
    world.send(*(order(10 + number) for number in range(20)))
    erp.silent = True
    later(world, 1.5)
    assert len(erp.sent) == 6
    assert opened(world) == {"erp": "half_open"}
    later(world, 20)
    assert len(erp.sent) == 6
    erp.silent = False
    probe = erp.sent[-1]
    world.engine.dispatcher._finished([(probe, Verdict(DELIVERED, status=200))])
    world.run()
    later(world, 30)
    assert opened(world) == {}
    assert {state for _, state in world.states()} == {"delivered"}


def test_each_probe_that_fails_doubles_the_wait_and_costs_only_its_own_delivery_a_try(world: World) -> None:
    erp = world.target("erp")
    fail(world)
    world.send(*(order(10 + number) for number in range(20)))
    erp.answers.extend([AWAY] * 100)
    sent = []
    for _ in range(32):
        later(world, 1.0)
        sent.append(len(erp.sent) - 5)
    assert sent[:3] == [1, 1, 2]
    assert sent[-1] == 5  # after 1, 2, 4, 8 and 16 seconds
    circuit = circuits.open_now(world.store.reader())["erp"]
    assert (circuit.failed_probes, circuit.reason) == (5, "the probe failed: connection refused")
    assert world.rows("SELECT max(attempts) FROM deliveries WHERE state = 'queued'") == [(0,)]


def test_a_refusal_is_a_sign_of_life(world: World) -> None:
    fail(world)
    world.send(order(10))
    world.target("erp").answers.append(Verdict(REFUSED, "http_422", status=422))
    later(world, 1.5)
    assert opened(world) == {}


def test_a_look_up_is_a_probe_too(make_world: Callable[..., World]) -> None:
    world = make_world(routes=ROUTES.replace(b"system: erp", b"system: wms"))
    wms = world.target("wms")
    wms.answers.extend([TIMEOUT] * 5)
    world.send(*(order(number) for number in range(5)))
    assert opened(world) == {"wms": "open"}
    wms.found.extend([Verdict(FOUND)] * 5)
    later(world, 61)
    later(world, 1)
    assert opened(world) == {}
    assert {state for _, state in world.states()} == {"delivered"}


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_it_stays_open_over_a_restart_and_a_probe_that_died_is_given_up(world: World) -> None:
    fail(world)
    world.send(order(10))
    world.target("erp").silent = True
    later(world, 1.5)
    assert opened(world) == {"erp": "half_open"}
    world.crash("w2")
    world.engine.dispatcher.gates.recover()
    assert opened(world) == {"erp": "open"}
    world.send(order(11))
    later(world, 0)
    assert opened(world) == {}


def test_only_one_worker_of_many_has_the_probe(world: World) -> None:
    fail(world)
    world.send(*(order(10 + number) for number in range(5)))
    other = second(world)
    erp = world.target("erp")
    erp.silent = True
    world.clock.at += 2
    other.dispatcher.refresh()
    for engine in (other, world.engine, other):
        engine.pump("erp")
    world.run()
    assert len(erp.sent) == 6
    probe = erp.sent[-1]
    other.dispatcher._finished([(probe, Verdict(DELIVERED, status=200))])
    world.settle_writes()
    assert opened(world) == {}
    erp.silent = False
    later(world, 1)
    assert {state for _, state in world.states()[5:]} == {"delivered"}


def test_what_another_worker_has_opened_is_open_here(world: World) -> None:
    other = second(world)
    fail(world)
    assert other.dispatcher.reserve([]) == set()
    other.dispatcher.refresh()
    assert not other.dispatcher.gates.of("erp").lets_through(world.clock.epoch())


def test_a_system_that_says_that_nothing_is_left_of_its_limit_is_left_alone_until_more_is(world: World) -> None:
    spent = Verdict(DELIVERED, status=201, slow_down=True, retry_after_seconds=40.0)
    world.target("erp").answers.append(spent)
    world.send(order(1))
    world.send(order(2))
    assert [state for _, state in world.states()] == ["delivered", "queued"]
    assert world.rows("SELECT reason FROM pauses") == [("it says that nothing is left of its limit",)]
    world.clock.at += 39
    world.engine.dispatcher.refresh()
    world.wait(0)
    assert len(world.target("erp").sent) == 1
    world.clock.at += 2
    world.engine.dispatcher.refresh()
    world.wait(0)
    assert [state for _, state in world.states()] == ["delivered", "delivered"]


def test_a_pause_that_the_system_asks_for_holds_for_every_worker(world: World) -> None:
    other = second(world)
    world.target("erp").answers.append(BUSY)
    world.send(order(1))
    other.dispatcher.refresh()
    gate = other.dispatcher.gates.of("erp")
    assert [gate.lets_through(world.clock.epoch() + seconds) for seconds in (0, 39, 41)] == [False, False, True]
    world.send(order(2))
    assert len(world.target("erp").sent) == 1
    later(world, 41)
    assert {state for _, state in world.states()} == {"delivered"}


def test_a_system_may_say_when_it_has_failed_too_often(make_world: Callable[..., World]) -> None:
    never = SYSTEMS.replace(
        b"idempotency: {mode: native}", b"idempotency: {mode: native}\n  breaker: {failures: 0, ratio: 0%}"
    )
    world = make_world(systems=never)
    fail(world, 40)
    assert opened(world) == {}


def test_retries_beyond_the_budget_wait_and_first_tries_go_on(make_world: Callable[..., World]) -> None:
    small = SYSTEMS.replace(
        b"idempotency: {mode: native}",
        b"idempotency: {mode: native}\n  breaker: {failures: 0, ratio: 0%}\n  retry_budget: 0%",
    )
    world = make_world(systems=small, routes=ROUTES.replace(b"attempts: 3", b"attempts: 30"))
    erp = world.target("erp")
    fail(world, 300)
    erp.answers.extend([AWAY] * 10_000)
    world.wait(20)
    assert len(erp.sent) - 300 == 100  # ten a second of the last ten
    erp.answers.clear()
    world.send(*(order(1000 + number) for number in range(50)))
    assert world.rows("SELECT count(*) FROM deliveries WHERE state = 'delivered'") == [(50,)]
    put_off = world.engine.counts.put_off["erp"]
    assert put_off > 0
    told = render(world.engine, Tallier().count(world.store.reader(), world.clock.epoch())).decode()
    assert f'o2c_retries_put_off_total{{system="erp"}} {float(put_off)}' in told
    for _ in range(60):
        world.wait(5)
    assert {state for _, state in world.states()} == {"delivered"}


class Recalled(Target):
    """A target that keeps what it is given in a queue."""

    def adjust(self, per_second: float, concurrency: int) -> None:
        pass

    def recall(self, verdict: Verdict) -> None:
        parcels, self.waiting = self.waiting, []
        self.back([(parcel, verdict) for parcel in parcels])

    def submit(self, parcels, finished) -> None:  # type: ignore[no-untyped-def]
        self.sent += parcels
        self.back = finished
        self.waiting: list[Parcel] = [*getattr(self, "waiting", []), *parcels]


def test_what_is_queued_for_it_comes_back_untried(world: World) -> None:
    erp = world.targets["erp"] = Recalled()
    world.send(*(order(number) for number in range(20)))
    failed, erp.waiting = erp.waiting[:5], erp.waiting[5:]
    erp.back([(parcel, AWAY) for parcel in failed])
    world.run()
    assert opened(world) == {"erp": "open"}
    tried = world.rows("SELECT attempts, count(*) FROM deliveries GROUP BY attempts")
    assert tried == [(0, 15), (1, 5)]
    assert world.rows("SELECT count(*) FROM deliveries WHERE due_at <= ?", world.clock.at) == [(15,)]


@pytest.mark.parametrize("by", ["another worker", "a person"])
def test_what_is_queued_comes_back_where_this_process_did_not_open_it(world: World, by: str) -> None:
    erp = world.targets["erp"] = Recalled()
    world.send(*(order(number) for number in range(20)))
    now = world.clock.epoch()
    if by == "a person":
        world.store.write(lambda db: circuits.force_open(db, "erp", "at night", "me", now))
    else:
        found = circuits.Circuit(circuits.OPEN, now, "5 tries in a row failed", "hub", now + 1)
        world.store.write(lambda db: circuits.open_circuit(db, "erp", found))
    assert len(erp.waiting) == 20
    world.engine.dispatcher.refresh()
    world.run()
    assert erp.waiting == []
    assert world.rows("SELECT state, max(attempts), count(*) FROM deliveries GROUP BY state") == [("retrying", 0, 20)]


def second(world: World) -> Engine:
    """Another worker on the same store."""
    return Engine(
        world.store, world.engine.program, world.clock, world, lambda system: world.target(system.name), "w2",
        run_apart=lambda work, _: world.calls.append(work), chance=Random(2),
    )  # fmt: skip


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_probe_of_a_worker_that_died_is_given_up_when_its_lease_ends(world: World) -> None:
    fail(world)
    world.send(order(10))
    world.target("erp").silent = True
    later(world, 1.5)
    world.crash("w2")
    world.send(order(11))
    world.target("erp").silent = False
    later(world, 80)
    assert opened(world) == {"erp": "half_open"}
    later(world, 11)
    assert opened(world) == {}
