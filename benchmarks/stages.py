"""The ceilings of the scaled hub: each stage alone, as fast as it goes with nothing else on the cores.

``ingest``: one ``o2c serve``, nobody works. ``transform``: receipts to rows, in this process, on one core. ``store``:
the statements of an order's way on PostgreSQL, groups of 128, one connection; ``line``: those of them that hold the
lock of a target's lanes until their commit, so that no number of machines does them faster for one target. ``send``:
the HTTP connector to the sink.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cluster import Ground, cluster
from benchmarks.hub_project import Project
from benchmarks.orders import TOPIC, OrderBook
from benchmarks.trial import MANY_SENDERS, Load, Rig
from connectors.base import DELIVERED, Parcel, Verdict
from hub.clock import SystemClock
from hub.deploy import deploy
from hub.message import RAW, Accepted, Arrival, Body, Finish, Receipt
from hub.pipeline.batch import Batch
from hub.pipeline.connections import open_destination
from hub.pipeline.program import Program
from hub.pipeline.receive import as_receipt
from hub.pipeline.split import LocalTransformer, Suspect
from hub.pipeline.transformed import Transformed
from hub.project import read_files
from hub.store import Store, deliveries, open_store, payloads, receipts
from hub.store.audit import Actor

GROUP = 128
_WORKER = "bench"
_SEND_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage alone: how many a second, and its CPU an order in µs, of which so much is the database server's."""

    name: str
    per_second: float
    cpu_us: float
    server_us: float = 0.0

    def __str__(self) -> str:
        server = f", {self.server_us:.0f} µs of it PostgreSQL" if self.server_us else ""
        return f"{self.name:<10}{self.per_second:8.0f}/s {self.cpu_us:6.0f} µs CPU an order{server}"


def ingest(place: Rig, below: Ground, orders: int) -> Stage:
    """Taken in and acknowledged after the commit; nothing is split."""
    with cluster(place, below, workers=0, project=Project(backlog=10 * orders + 100_000)) as running:
        place.accept(running.url, Load(orders=max(orders // 10, MANY_SENDERS), connections=MANY_SENDERS))
        before = [system.cpu_seconds() for system in running.systems]
        sent = place.accept(running.url, Load(orders=orders, connections=MANY_SENDERS))
        used = [system.cpu_seconds() - was for system, was in zip(running.systems, before, strict=True)]
        server = used[running.systems.index(below.postgres.server)]
    return Stage("ingest", orders / sent, sum(used) / orders * 1e6, server / orders * 1e6)


def inside(place: Rig, below: Ground, orders: int) -> list[Stage]:
    """Transform, store and send, each measured in this process."""
    with _flow(place, below) as flow:
        work = flow.received(0, orders)
        transform, parts = flow.transform(work)
        store, line = flow.store_all(orders)
        return [transform, store, line, flow.send([body for part in parts for body in part.bodies.values()])]


@contextmanager
def _flow(place: Rig, below: Ground) -> Iterator[_Flow]:
    folder = place.folder / "stages"
    url = below.postgres.new_database()
    Project().write(folder, 1, place.sink_url)
    store = open_store(url, folder)
    try:
        yield _Flow(below, store, deploy(store, read_files(folder), None, SystemClock(), Actor(_WORKER)), folder)
    finally:
        store.close()
        below.postgres.drop(url)


@dataclass(slots=True)
class _Flow:
    """The hub's own steps on one thread, without the waits between them."""

    below: Ground
    database: Store
    program: Program
    folder: Path

    def received(self, first: int, count: int) -> list[Suspect]:
        """Receipts as they would be after so many webhooks, not stored."""
        return [Suspect(_receipt(_arrival(number), number + 1)) for number in range(first, first + count)]

    def transform(self, work: Sequence[Suspect]) -> tuple[Stage, list[Transformed]]:
        transformer = LocalTransformer(self.database, SystemClock())
        list(transformer.split(work[:GROUP], self.program))
        parts: list[Transformed] = []

        def all_of_it() -> None:
            for start in range(0, len(work), GROUP):
                for some in transformer.split(work[start : start + GROUP], self.program):
                    parts.extend(some)

        seconds, cpu = _timed(all_of_it)
        return Stage("transform", len(work) / seconds, cpu / len(work) * 1e6), parts

    def store_all(self, orders: int) -> tuple[Stage, Stage]:
        """Every statement that an order costs: taken in, claimed, read back, stored split, its end recorded."""
        self._store(_arrival(number) for number in range(GROUP))
        own, server, seconds, in_line = 0.0, self.below.postgres.server.cpu_seconds(), 0.0, 0.0
        for start in range(GROUP, GROUP + orders, GROUP):
            first, second = self._store(_arrival(number) for number in range(start, start + GROUP))
            own, seconds, in_line = own + first[1] + second[1], seconds + first[0] + second[0], in_line + second[0]
        count = -(-orders // GROUP) * GROUP
        there = (self.below.postgres.server.cpu_seconds() - server) / count * 1e6
        store = Stage("store", count / seconds, own / count * 1e6 + there, there)
        return store, Stage("line", count / in_line, 0.0)

    def _store(self, arrivals: Iterator[Arrival]) -> tuple[tuple[float, float], tuple[float, float]]:
        """Seconds and own CPU seconds of one group's statements, before and after it is transformed."""
        database, group, now = self.database, list(arrivals), time.time()
        rows = payloads.packed_rows([(a.receipt_id, RAW, 1, a.content_type, a.raw) for a in group], now)
        work: list[Suspect] = []

        def take_in() -> None:
            accepted = database.write(lambda db: receipts.accept(db, group, rows))
            seqs = [each.seq for each in accepted]
            taken = database.write(lambda db: receipts.claim(db, seqs, _WORKER), durable=False)
            work.extend(Suspect(found) for found in receipts.with_bytes(database.reader(), taken, 1_000_000))

        first = _timed(take_in)
        parts = [p for some in LocalTransformer(database, SystemClock()).split(work, self.program) for p in some]
        batch = Batch(parts, self.program, now)
        batch.going = {d.delivery_id for d in batch.deliveries}
        finishes = [
            Finish(d.delivery_id, "delivered", now, now, 1, 1, self.program.set_id, status=200)
            for d in batch.deliveries
        ]

        def carry_on() -> None:
            database.write(lambda db: batch.store(db, _WORKER))
            database.write(lambda db: deliveries.finish(db, finishes, _WORKER))

        return first, _timed(carry_on)

    def send(self, bodies: Sequence[Body]) -> Stage:
        system, count = self.program.settings.systems["erp"], len(bodies)
        destination = open_destination(system, self.folder)
        parcels = [Parcel(f"s-{n}", f"s-{n}.1", body.content) for n, body in enumerate(bodies)]
        left, done = [count], threading.Event()

        def finished(verdicts: list[tuple[Parcel, Verdict]]) -> None:
            left[0] -= sum(verdict.kind == DELIVERED for _, verdict in verdicts)
            if not left[0]:
                done.set()

        def all_of_it() -> None:
            for start in range(0, count, GROUP):
                destination.submit(parcels[start : start + GROUP], finished)
            if not done.wait(_SEND_SECONDS):
                raise RuntimeError(f"the sink did not take {left[0]} of {count} orders")

        try:
            seconds, cpu = _timed(all_of_it)
        finally:
            destination.close()
        return Stage("send", count / seconds, cpu / count * 1e6)


_BOOK = OrderBook()


def _arrival(number: int) -> Arrival:
    order = _BOOK.signed(number)
    return Arrival(
        SystemClock().new_id(), "webshop", TOPIC, order.body, time.time(), "http", "application/json",
        dedupe_key=order.webhook_id.decode(),
    )  # fmt: skip


def _receipt(arrival: Arrival, seq: int) -> Receipt:
    return as_receipt(arrival, Accepted(arrival.receipt_id, seq))


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds on the wall, and of this process's CPU, all threads."""
    wall, cpu = time.monotonic(), time.process_time()
    work()
    return time.monotonic() - wall, time.process_time() - cpu
