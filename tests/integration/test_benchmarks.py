"""The benchmarks' own code: its pieces run for a moment on real servers. What they measure is not looked at.

Those marked by_hand take a minute together; `make bench` begins with them.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks import backlog, growth, soak, stages
from benchmarks.cluster import Ground, cluster, ground
from benchmarks.filling import HELD, multiply
from benchmarks.hub_project import Project
from benchmarks.trial import Load, Rig, rig

ORDERS = 200


@pytest.fixture(scope="module")
def place() -> Iterator[Rig]:
    """In a folder of its own: those of tests let no other user pass, and the database server is one."""
    before, cores = signal.getsignal(signal.SIGTERM), os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory(prefix="o2c-bench-") as folder, rig(Path(folder)) as made:
        yield made
    signal.signal(signal.SIGTERM, before)
    os.sched_setaffinity(0, cores)


@pytest.fixture(scope="module")
def below(place: Rig) -> Iterator[Ground]:
    with ground(place) as made:
        yield made


def counted(url: str, statement: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(statement.encode()).fetchone()
        assert row is not None
        return int(row[0])


def test_a_scaled_hub_delivers_every_order_once_and_its_parts_add_up(place: Rig, below: Ground) -> None:
    with cluster(place, below, workers=2) as running:
        found = place.run(running.systems, running.url, Load(orders=ORDERS))
    assert (found.accepted, found.delivered, found.duplicates) == (ORDERS, ORDERS, 0)
    assert set(found.parts) == {"serve", "work", "sweep", "postgres", "redis"}
    assert sum(found.parts.values()) == pytest.approx(found.cpu_us)


@pytest.mark.by_hand
def test_a_filled_store_is_one_that_the_hub_goes_on_with(place: Rig, below: Ground) -> None:
    with cluster(place, below, workers=1) as running:
        place.run(running.systems, running.url, Load(orders=ORDERS))
    url = running.store
    assert multiply(url, 5 * ORDERS) == 5 * ORDERS
    for table in ("receipts", "messages", "deliveries", "attempts", "dedupe"):
        assert counted(url, f"SELECT count(*) FROM {table}") == 5 * ORDERS
    assert counted(url, "SELECT count(DISTINCT lane) FROM deliveries") == 5 * ORDERS
    # Each delivery has its message, its receipt, their bytes and its try.
    whole = """SELECT count(*) FROM deliveries d JOIN messages m USING (message_id) JOIN receipts r ON r.seq = m.seq
      JOIN attempts a USING (delivery_id) JOIN payloads s ON s.owner_id = d.delivery_id AND s.stage = 'sent'
      JOIN payloads c ON c.owner_id = m.message_id AND c.stage = 'canonical'
      JOIN payloads p ON p.owner_id = r.receipt_id AND p.stage = 'raw'"""
    assert counted(url, whole) == 5 * ORDERS
    multiply(url, 6 * ORDERS, HELD)
    assert counted(url, "SELECT count(DISTINCT lane) FROM deliveries WHERE holds_lane = 1") == 5 * ORDERS
    with cluster(place, below, 1, url) as again:
        found = place.run(again.systems, again.url, Load(orders=ORDERS))
    assert (found.accepted, found.delivered, found.duplicates) == (ORDERS, ORDERS, 0)


def test_each_stage_does_its_part_of_every_order(place: Rig, below: Ground) -> None:
    before = place.sink_state()["unknown"] + place.sink_state()["orders"] + place.sink_state()["duplicates"]
    found = [stages.ingest(place, below, ORDERS), *stages.inside(place, below, 2 * stages.GROUP)]
    assert [stage.name for stage in found] == ["ingest", "transform", "store", "line", "send"]
    assert all(stage.per_second > 0 for stage in found)
    after = place.sink_state()["unknown"] + place.sink_state()["orders"] + place.sink_state()["duplicates"]
    assert after - before == 2 * stages.GROUP


def test_orders_that_are_spread_over_routes_all_arrive(place: Rig, below: Ground) -> None:
    with cluster(place, below, 1, project=Project(routes=7)) as running:
        found = place.run(running.systems, running.url, Load(orders=ORDERS, topics=7))
        assert counted(running.store, "SELECT count(DISTINCT route) FROM deliveries") == 7
    assert found.delivered == ORDERS


@pytest.mark.by_hand
def test_growth_is_told_as_a_ratio(place: Rig) -> None:
    sizes = growth.Sizes(messages=400, few=100, routes=3, lanes=300, rounds=1, orders=ORDERS)
    assert growth.routes(place, sizes, lambda line: None) > 0


@pytest.mark.by_hand
def test_a_stored_backlog_is_worked_off_whole(place: Rig, below: Ground) -> None:
    waiting = backlog.stored(place, below, ORDERS)
    assert counted(waiting[0], "SELECT count(*) FROM receipts WHERE state = 'received'") == ORDERS
    assert backlog.drain(place, below, waiting, ORDERS, workers=2).orders == ORDERS
    assert counted(waiting[0], "SELECT count(*) FROM receipts WHERE state = 'received'") == ORDERS  # it was a copy


@pytest.mark.by_hand
def test_dead_letters_are_replayed_to_the_last(place: Rig, below: Ground) -> None:
    assert backlog.replay(place, below, 50, ORDERS).letters == 50


@pytest.mark.by_hand
def test_a_soak_of_a_moment_has_a_sample_of_everything(place: Rig) -> None:
    with soak.embedded(place) as subject:
        samples = soak.soak(place, subject, seconds=3.0, full_seconds=1.0, parts=3)
    assert (samples.lost, samples.twice, len(samples.hours)) == (0, 0, 3)
    assert all(len(values) == 3 for values in samples.values.values())
    assert min(samples.values["open files"]) > 10
    assert min(samples.values["store, bytes an order"]) >= 0
