"""What waits: a stored backlog that is drained by one worker and by two, and dead letters by the hundred thousand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg

from benchmarks.cluster import Cluster, Ground, cluster
from benchmarks.filling import multiply
from benchmarks.hub_project import Project
from benchmarks.processes import get
from benchmarks.trial import MANY_SENDERS, STALL_SECONDS, Load, Rig
from hub.broker import QUEUE, open_wire
from hub.broker.remote import RemoteBroker
from hub.client import HubClient
from hub.store import api_keys, open_store

_ANY_NUMBER = 10_000_000
_MOST_ITEMS = 100_000  # of one replay
_BASE = 2_000  # dead letters that are made by being refused; the others are copies of them


@dataclass(frozen=True, slots=True)
class Drained:
    """Deliveries a second from the first to the last that reached the sink, and CPU an order by process."""

    workers: int
    orders: int
    per_second: float
    parts: dict[str, float]

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {us:.0f}" for name, us in self.parts.items())
        return f"{self.workers} working: {self.orders:,} orders, {self.per_second:.0f}/s, µs CPU an order: {parts}"


def stored(place: Rig, below: Ground, orders: int) -> tuple[str, int]:
    """The address of a store in which so many orders wait to be split, and the number of the first."""
    first = place.next_number
    with cluster(place, below, workers=0, project=Project(backlog=_ANY_NUMBER)) as running:
        place.accept(running.url, Load(orders=orders, connections=min(orders, MANY_SENDERS)))
        found = running.store
    # Every run finds the same: rows that wait, and a broker that knows nothing of them.
    wakes = RemoteBroker(partial(open_wire, below.broker_url))
    wakes.flush(QUEUE)
    wakes.close()
    with psycopg.connect(found, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")  # as the server does by itself within a minute of such a load
    return found, first


def drain(place: Rig, below: Ground, backlog: tuple[str, int], orders: int, workers: int) -> Drained:
    """Work off a copy of a stored backlog with nothing coming in. Raises RuntimeError when not all of it arrives."""
    store, first = below.postgres.new_database(like=backlog[0]), backlog[1]
    get(f"{place.sink_url}/reset")
    before = {server.name: server.cpu_seconds() for server in below.servers}
    with cluster(place, below, workers, store, Project(backlog=_ANY_NUMBER)) as running:
        _until(place, orders)
        seen = [at for at in place.times(first, orders) if at]
        used = {system.name: system.cpu_seconds() - before.get(system.name, 0.0) for system in running.systems}
    below.postgres.drop(store)
    parts = {name: seconds / orders * 1e6 for name, seconds in used.items()}
    return Drained(workers, len(seen), len(seen) / (max(seen) - min(seen)), parts)


@dataclass(frozen=True, slots=True)
class Replayed:
    """Deliveries a second of a replay, beside those of orders that come in, on the same hub in the same run."""

    letters: int
    per_second: float
    live_per_second: float
    planning_seconds: float

    def __str__(self) -> str:
        return (
            f"{self.letters:,} dead letters replayed at {self.per_second:.0f}/s, live {self.live_per_second:.0f}/s; "
            f"planning took {self.planning_seconds:.1f} s"
        )


def replay(place: Rig, below: Ground, letters: int, live_orders: int, workers: int = 1) -> Replayed:
    """Replay so many dead letters, those beside which the live rate is measured. Copies hold the bytes of those that
    they are copies of."""
    with cluster(place, below, workers, project=Project(backlog=_ANY_NUMBER)) as running:
        _refused(place, running, min(_BASE, letters))
        multiply(running.store, letters)
        place.run(running.systems, running.url, Load(orders=live_orders // 4))
        live = place.run(running.systems, running.url, Load(orders=live_orders))
        client = HubClient(f"http://127.0.0.1:{running.port}", _key(running), timeout_seconds=900)
        get(f"{place.sink_url}/reset")
        planning, seconds, done = 0.0, 0.0, 0
        while done < letters:
            planned_at = time.monotonic()
            plan = client.post("/replays", {
                "select": {"filter": {"state": "dead"}}, "max_items": min(_MOST_ITEMS, letters - done),
                "dry_run": True, "reason": "benchmark",
            })  # fmt: skip
            planning += time.monotonic() - planned_at
            started_at = time.monotonic()
            client.post(f"/replays/{plan['replay_id']}/start", {"plan_hash": plan["plan_hash"]})
            done += int(plan["plan"]["replayable"])
            _until(place, done)
            seconds += time.monotonic() - started_at
    return Replayed(done, done / seconds, live.per_second, planning)


def _refused(place: Rig, running: Cluster, orders: int) -> None:
    """So many orders that the sink refuses for good."""
    get(f"{place.sink_url}/refuse?share=1&final=1")
    place.accept(running.url, Load(orders=orders))
    with psycopg.connect(running.store, autocommit=True) as connection:
        deadline = time.monotonic() + 120

        def dead() -> int:
            row = connection.execute("SELECT count(*) FROM deliveries WHERE state = 'dead'").fetchone()
            return int(row[0]) if row else 0

        _wait(lambda: dead() >= orders, deadline)
    get(f"{place.sink_url}/refuse?share=0")


def _key(running: Cluster) -> str:
    """An operator's key for the hub."""
    store, token = open_store(running.store, Path()), api_keys.new_token()
    try:
        store.write(lambda db: api_keys.add(db, "bench", "bench", "operator", token, time.time()))
    finally:
        store.close()
    return token


def _until(place: Rig, deliveries: int) -> None:
    """Wait until so many deliveries have reached the sink since its reset. Raises RuntimeError when no more come."""
    arrived, last_change = -1, time.monotonic()
    while arrived < deliveries:
        state = place.sink_state()
        now = state["orders"] + state["duplicates"]
        if now != arrived:
            arrived, last_change = now, time.monotonic()
        if time.monotonic() - last_change > 3 * STALL_SECONDS:
            raise RuntimeError(f"{arrived} of {deliveries} deliveries reached the sink, and no more come")
        time.sleep(0.05)


def _wait(done: Callable[[], bool], deadline: float) -> None:
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError("the orders that the sink refuses do not become dead letters")
        time.sleep(0.1)
