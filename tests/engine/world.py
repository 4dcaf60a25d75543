"""The whole engine on one thread: a real store, a clock that stands still, targets that answer as told.

Only what we own is stood in for: the clock, the wake-up and the destination.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from threading import Semaphore
from typing import Any

import msgspec
import uuid_utils

from connectors.base import ABSENT, DELIVERED, Finished, Parcel, Verdict
from hub.deploy import deploy
from hub.errors import UsageError
from hub.message import Accepted, Arrival
from hub.pipeline.engine import Engine
from hub.secret import Secret
from hub.store import Store, open_store
from hub.store.audit import Actor

START = 1_790_000_000.0
EMBEDDED = "sqlite:///hub.db"

HUB = b"""
time_zone: UTC
company: {party_id: self, name: Example GmbH}
"""
SYSTEMS = b"""
shop: {connector: webhook, format: json, verify: {method: none, unsigned: true}, event: header:x-event, ignore: [ping]}
erp:
  connector: http
  base_url: http://127.0.0.1:1/
  idempotency: {mode: native}
wms:
  connector: http
  base_url: http://127.0.0.1:1/
  idempotency: {mode: lookup, request: "GET /x?ref={key}", found: "status == 200", settle: 60s}
crm: {connector: http, base_url: "http://127.0.0.1:1/", idempotency: {mode: none}}
"""
ORDER_IN = b"""
mapping: order-in
version: 1
source: {format: json}
target: {schema: canonical/stock_level}
output:
  report_id: text(src.id)
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    each: src.lines
    as: l
    item:
      item: {name: l.name}
      available_quantity: {value: text(l.qty), unit_code: {const: C62}}
      location_id: {const: main}
"""
ORDER_OUT = b"""
mapping: order-out
version: 1
source: {schema: canonical/stock_level}
target: {format: json}
output:
  ref: src.report_id
  lines: count(src.stock_lines)
"""
ROUTES = b"""
route: orders
from: {system: shop, event: order}
map: order-in
key: src.report_id
to:
  - {system: erp, map: order-out}
retry: {attempts: 3, first: 10s, factor: 2, cap: 60s, jitter: none}
"""


class StandingClock:
    """Time moves when the test says so; ids count. ``put`` is by how much somebody has put it."""

    def __init__(self) -> None:
        self.at, self.put = START, 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.epoch(), UTC)

    def epoch(self) -> float:
        return self.at + self.put

    def monotonic(self) -> float:
        return self.at

    def new_id(self) -> str:
        return str(uuid_utils.uuid7())


class Target:
    """A system that answers as told and remembers what it was sent. ``answers`` are used up in order, then 200."""

    def __init__(self) -> None:
        self.sent: list[Parcel] = []
        self.asked: list[Parcel] = []
        self.answers: deque[Verdict] = deque()
        self.found: deque[Verdict] = deque()
        self.silent = False
        self.closed = False

    def submit(self, parcels: Sequence[Parcel], finished: Finished) -> None:
        self.sent += parcels
        if not self.silent:
            finished([(p, self.answers.popleft() if self.answers else Verdict(DELIVERED, status=200)) for p in parcels])

    def look_up(self, parcel: Parcel) -> Verdict:
        self.asked.append(parcel)
        return self.found.popleft() if self.found else Verdict(ABSENT, code="absent")

    def check(self) -> list[str]:
        return []

    def close(self) -> None:
        self.closed = True

    @property
    def bodies(self) -> list[Any]:
        return [msgspec.json.decode(parcel.body) for parcel in self.sent]


class World:
    """An engine, its store and its targets. ``run`` does all that is due now; ``wait`` lets time pass first."""

    def __init__(self, folder: Path, files: Mapping[str, bytes], worker: str = "w1", url: str = EMBEDDED) -> None:
        self.folder, self.url, self.clock = folder, url, StandingClock()
        self.calls: deque[Callable[[], None]] = deque()
        self.targets: dict[str, Target] = {}
        self.secrets: dict[str, str] = {}
        self.files = dict(files)
        self.open(worker)

    def open(self, worker: str) -> None:
        self.store: Store = open_store(self.url, self.folder)
        try:
            program = deploy(self.store, self.files, None, self.clock, Actor("test"))
        except BaseException:
            self.store.close()
            raise
        self.engine = Engine(
            self.store, program, self.clock, self, lambda system: self.target(system.name), worker,
            run_apart=lambda work, _: self.calls.append(work), chance=Random(1), secret=self.secret,
        )  # fmt: skip

    def secret(self, secret: Secret) -> str:
        if secret.name not in self.secrets:
            raise UsageError(f"{secret}: the environment variable {secret.name} is not set")
        return self.secrets[secret.name]

    def target(self, name: str) -> Target:
        return self.targets.setdefault(name, Target())

    def process(self, seqs: Sequence[int]) -> None:
        self.calls.append(lambda: self.engine.process(seqs))

    def pump(self, system: str) -> None:
        self.calls.append(lambda: self.engine.pump(system))

    def run(self) -> None:
        """Everything that can happen without time passing."""
        for _ in range(10_000):
            self.settle_writes()
            if not self.calls:
                return
            self.calls.popleft()()
        raise AssertionError("the engine never comes to rest")

    def settle_writes(self) -> None:
        """Wait until the store's writer has nothing left; a job behind all others keeps it from being patient."""
        done = Semaphore(0)
        while True:
            with self.store.committer._lock:  # the writer has no group in hand
                if not self.store.committer._jobs:
                    return
            self.store.committer.submit(lambda db: None, lambda result, error: done.release())
            done.acquire()

    def wait(self, seconds: float) -> None:
        self.clock.at += seconds
        for system in self.engine.program.settings.systems:
            self.pump(system)
        self.run()

    def send(self, *documents: Any, event: str = "order", dedupe: str | None = None) -> list[Accepted]:
        """Arrivals in one group, then everything they cause."""
        accepted = self.engine.accept([self.arrival(document, event, dedupe) for document in documents])
        self.run()
        return accepted

    def arrival(self, document: Any, event: str = "order", dedupe: str | None = None) -> Arrival:
        raw = document if isinstance(document, bytes) else msgspec.json.encode(document)
        return Arrival(self.clock.new_id(), "shop", event, raw, self.clock.epoch(), dedupe_key=dedupe)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return list(self.store.reader().execute(sql, values))

    def states(self) -> list[tuple[str, str]]:
        """(target, state) of every delivery, in order."""
        return self.rows("SELECT target, state FROM deliveries ORDER BY lane_seq, created_at, delivery_id")

    def crash(self, worker: str) -> None:
        """The process is gone; another one opens the store."""
        self.calls.clear()
        self.store.close()
        for target in self.targets.values():
            target.silent = False
        self.open(worker)

    def close(self) -> None:
        self.store.close()


def order(number: int | str, lines: int = 1) -> dict[str, Any]:
    return {"id": str(number), "lines": [{"name": f"item {n}", "qty": n + 1} for n in range(lines)]}
