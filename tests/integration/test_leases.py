"""Leases on a real server: one holder at a time, by its clock, and the claims of those whose lease has ended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from servers import PostgresServer

from hub.message import RAW, Arrival
from hub.store import Store, leases, open_store, payloads, receipts


@pytest.fixture
def store(postgres: PostgresServer, tmp_path: Path) -> Iterator[Store]:
    url = postgres.new_database()
    opened = open_store(url, tmp_path)
    yield opened
    opened.close()
    postgres.drop(url)


def hold(store: Store, name: str, holder: str, seconds: float = 60.0) -> bool:
    return bool(store.write(partial(leases.hold, name=name, holder=holder, seconds=seconds)))


def test_one_holds_a_lease_and_may_renew_it(store: Store) -> None:
    assert hold(store, leases.LEADER, "a")
    assert hold(store, leases.LEADER, "a")
    assert not hold(store, leases.LEADER, "b")
    assert leases.leader(store.reader()) == "a"


def test_a_lease_that_has_ended_or_was_given_up_is_anybodys(store: Store) -> None:
    assert hold(store, leases.LEADER, "a", seconds=0.2)
    deadline = time.monotonic() + 5
    while not hold(store, leases.LEADER, "b"):
        assert time.monotonic() < deadline
    store.write(lambda db: leases.let_go(db, leases.LEADER, "a"))  # no longer its to give up
    assert leases.leader(store.reader()) == "b"
    store.write(lambda db: leases.let_go(db, leases.LEADER, "b"))
    assert leases.leader(store.reader()) is None
    assert hold(store, leases.LEADER, "c")


def test_only_claims_of_workers_without_a_lease_are_abandoned(store: Store) -> None:
    for worker in ("alive", "dead"):
        arrival = Arrival(f"r-{worker}", "shop", "order", b"{}", 1.0)
        rows = payloads.packed_rows([(arrival.receipt_id, RAW, 1, "", b"{}")], 1.0)
        store.write(lambda db, a=arrival, r=rows, w=worker: receipts.accept(db, [a], r, w))
    assert hold(store, leases.worker_lease("alive"), "alive")
    assert leases.workers(store.reader()) == ["alive"]
    store.write(lambda db: receipts.note_read(db, receipts.read_to(db)))
    assert leases.abandoned(store.reader()) == ["dead"]
    store.write(lambda db: leases.free_claims(db, "dead"))
    assert leases.abandoned(store.reader()) == []
    claimed = store.reader().execute("SELECT receipt_id, claimed_by FROM receipts ORDER BY receipt_id").fetchall()
    assert claimed == [("r-alive", "alive"), ("r-dead", None)]


def test_a_worker_that_has_died_is_seen_by_the_lease_it_has_left(store: Store) -> None:
    assert hold(store, leases.worker_lease("alive"), "alive")
    assert hold(store, leases.LEADER, "a sweeper that is gone", seconds=-1)
    assert not leases.some_ended(store.reader())
    assert hold(store, leases.worker_lease("dead"), "dead", seconds=-1)
    assert leases.some_ended(store.reader())


def test_the_lease_of_a_dead_worker_whose_place_is_taken_has_ended_and_is_still_seen(store: Store) -> None:
    assert hold(store, leases.worker_lease("gone"), "gone")
    store.write(lambda db: leases.end(db, leases.worker_lease("gone"), "gone"))
    assert leases.workers(store.reader()) == []
    assert leases.some_ended(store.reader())
    store.write(lambda db: leases.forget_ended(db, 3600))
    assert not leases.some_ended(store.reader())


def test_leases_of_long_ago_are_forgotten(store: Store) -> None:
    assert hold(store, leases.worker_lease("old"), "old", seconds=-100)
    assert hold(store, leases.worker_lease("new"), "new", seconds=-1)
    store.write(lambda db: leases.forget_ended(db, 50))
    assert store.reader().execute("SELECT holder FROM leases").fetchall() == [("new",)]
