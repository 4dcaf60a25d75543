"""Several processes that go on with one replay, and people who act meanwhile: nothing is replayed twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from replaying import ANNA, DEAD, adds_up, dead_orders
from servers import PostgresServer
from world import World

from hub import replay
from hub.pipeline.engine import Engine
from hub.replay import Request, running
from hub.store import Store, interventions, open_store, replays
from hub.store.database import Database


@pytest.fixture
def store_url(postgres: PostgresServer) -> Iterator[str]:
    url = postgres.new_database()
    yield url
    postgres.drop(url)


@pytest.fixture
def other(world: World) -> Iterator[Engine]:
    """The engine of another process."""
    store = open_store(world.url, Path())
    yield Engine(
        store, world.engine.program, world.clock, world, lambda system: world.target(system.name), "w2",
        run_apart=lambda work, _: None, chance=Random(2),
    )  # fmt: skip
    store.close()


@contextmanager
def begun(store: Store, work: Callable[[], Any]) -> Iterator[Future[Any]]:
    """Some work of which a transaction is done but not committed until the block ends."""
    done, may_commit, write = threading.Event(), threading.Event(), store.write

    def slow(job: Callable[[Database], Any], durable: bool = True) -> Any:
        def waits(db: Database) -> Any:
            result = job(db)
            done.set()
            assert may_commit.wait(30)
            return result

        return write(waits, durable)

    with ThreadPoolExecutor(1) as apart:
        store.write = slow  # type: ignore[method-assign]
        result = apart.submit(work)
        assert done.wait(30)
        store.write = write  # type: ignore[method-assign]
        try:
            yield result
        finally:
            may_commit.set()
            result.result(30)


def begin(world: World, request: Request) -> str:
    planned = replay.plan(world.engine, request, ANNA)
    world.store.write(lambda db: replays.set_state(db, planned.replay_id, "planned", "running", 1.0))
    return planned.replay_id


def is_waiting(future: Future[Any]) -> bool:
    try:
        future.result(0.3)
    except TimeoutError:
        return True
    return False


def test_two_processes_that_go_on_with_one_replay_do_each_thing_once(world: World, other: Engine) -> None:
    dead_orders(world, 1, 2, 3)
    replay_id = begin(world, DEAD)
    with ThreadPoolExecutor(1) as apart, begun(other.store, lambda: running.run_page(other, replay_id)) as first:
        second = apart.submit(running.run_page, world.engine, replay_id)
        assert is_waiting(second)
        assert not first.done()
    assert (first.result(), second.result()) == (3, None)
    assert world.rows("SELECT count(*), count(DISTINCT replay_of) FROM deliveries WHERE replay_of <> ''") == [(3, 3)]
    adds_up(world)


def test_what_somebody_else_lets_go_at_the_same_moment_is_left_to_go_by_itself(world: World, other: Engine) -> None:
    dead_orders(world, 1)
    [(delivery,)] = world.rows("SELECT delivery_id FROM deliveries")
    world.store.write(lambda db: db.execute("DROP TRIGGER deliveries_final ON deliveries"))
    world.store.write(lambda db: db.execute("UPDATE deliveries SET state = 'held', hold_reason = 'operator'"))
    replay_id = begin(world, Request(ids=(delivery,)))
    release = lambda db: interventions.release(db, delivery, 1.0)  # noqa: E731
    with ThreadPoolExecutor(1) as apart, begun(other.store, lambda: other.store.write(release)):
        page = apart.submit(running.run_page, world.engine, replay_id)
        assert is_waiting(page)
    assert page.result() == 0
    assert world.rows("SELECT count(*) FROM deliveries") == [(1,)]
    world.clock.at += 1
    assert running.run_page(world.engine, replay_id) == 1
    assert world.rows("SELECT state, note FROM replay_items") == [("skipped", "in_flight")]


def test_a_replay_that_is_cancelled_at_the_same_moment_goes_no_further(world: World, other: Engine) -> None:
    dead_orders(world, 1)
    replay_id = begin(world, DEAD)
    with ThreadPoolExecutor(1) as apart, begun(other.store, lambda: replay.cancel(other, replay_id, ANNA)):
        page = apart.submit(running.run_page, world.engine, replay_id)
        assert is_waiting(page)
    assert page.result() is None
    assert world.rows("SELECT count(*) FROM deliveries") == [(1,)]
