"""One document through the whole hub on one thread: the engine, its sweeper and its SQL, on a store in memory.

Stood in for are time, the wake-up, and the far side of every system: a connector says what it would send, and judges
the answer that the test gives. Time moves on by itself to when something is due, until all is at rest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from connectors.base import DELIVERED, FOUND, LATER, Finished, Parcel, Rehearsed, Request, Verdict
from connectors.base import Said as Answered
from hub.cases import Answers, Said
from hub.golden.bench import Bench
from hub.message import Accepted, Arrival
from hub.pipeline.connections import open_rehearsal
from hub.pipeline.engine import Engine
from hub.pipeline.program import Program
from hub.pipeline.split import LocalTransformer, Suspect
from hub.pipeline.transformed import Transformed
from hub.simulation.faults import Faults
from hub.simulation.store import opened
from hub.store import Store, deliveries, due, messages
from hub.sweeper import Sweeper
from hub.systems import System

_MOST_ROUNDS = 3000
_LONGEST = 400 * 86_400.0


class CountingClock:
    """Time that stands still until it is moved, and ids that count, in the form of a UUIDv7."""

    def __init__(self, at: float) -> None:
        self.at, self._ids = at, 0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    def epoch(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    def new_id(self) -> str:
        self._ids += 1
        return f"00000000-0000-7000-8000-{self._ids:012d}"


class QuietSweeper(Sweeper):
    """The sweeper of a hub whose folders nobody watches."""

    def _poll_sources(self) -> None:
        """What comes in comes from the test."""

    def _settle_sources(self) -> None:
        """There are no files to be filed away."""


class NotingTransformer(LocalTransformer):
    """Notes for each delivery which other one it waits for: the store forgets that when the wait is over."""

    __slots__ = ("waits_for",)

    def __init__(self, store: Store, clock: CountingClock) -> None:
        super().__init__(store, clock)
        self.waits_for: dict[str, str] = {}

    def split(
        self, work: Sequence[Suspect], program: Program, handed_over: Callable[[], None] = lambda: None
    ) -> Iterator[list[Transformed]]:
        for parts in super().split(work, program, handed_over):
            for delivery in (each for part in parts for each in part.deliveries):
                self.waits_for[delivery.delivery_id] = delivery.waits_for
            yield parts


class TestTarget:
    """The far side of one system: keeps what it would be sent, and answers as the test says."""

    __test__ = False

    def __init__(self, system: System, world: World) -> None:
        self._world = world
        self._rehearsal = open_rehearsal(system, world.bench.connectors_folder)

    def submit(self, parcels: Sequence[Parcel], finished: Finished) -> None:
        finished([(parcel, self._send(parcel)) for parcel in parcels])

    def _send(self, parcel: Parcel) -> Verdict:
        said = self._world.answer(parcel)
        found = self._tried(parcel, said)
        if found.request is not None:
            self._world.requests.setdefault(parcel.delivery_id, found.request)
        return found.verdict

    def _tried(self, parcel: Parcel, said: Said) -> Rehearsed:
        if self._rehearsal is None:
            kind = LATER if said.fails else DELIVERED
            return Rehearsed(Request("", dict(parcel.headers), parcel.body), Verdict(kind, status=said.status,
                             response=said.body))  # fmt: skip
        return self._rehearsal.send(parcel, _told(said), self._world.clock.epoch())

    def look_up(self, parcel: Parcel) -> Verdict:
        said = self._world.last_answer(parcel).look_up
        if self._rehearsal is None:
            return Verdict(FOUND)
        told = _told(said) if said is not None else None
        return self._rehearsal.look_up(parcel, told, self._world.clock.epoch()).verdict

    def check(self) -> list[str]:
        return []

    def close(self) -> None:
        """Nothing is held."""


def _told(said: Said) -> Answered:
    return Answered(said.status, dict(said.headers), said.body, said.fails)


class World:
    """A hub for one document. ``requests`` are what was sent first for each delivery."""

    def __init__(self, bench: Bench, at: float, answers: Answers) -> None:
        self.bench, self.clock, self._answers = bench, CountingClock(at), answers
        self.store = opened(bench.empty_store, Faults(()), Random(0))  # noqa: S311  nothing is left to chance
        self.requests: dict[str, Request] = {}
        self._given: dict[str, int] = {}
        self._calls: deque[Callable[[], None]] = deque()
        self.transformer = NotingTransformer(self.store, self.clock)
        self.engine = Engine(
            self.store, bench.program, self.clock, self, lambda system: TestTarget(system, self), "test",
            lambda work, _: self._calls.append(work), self.transformer, Random(0),  # noqa: S311
        )  # fmt: skip
        self._sweeper = QuietSweeper(self.engine, Path(), None, {})

    # -- what the engine calls -------------------------------------------------------------------------------------

    def process(self, seqs: Sequence[int]) -> None:
        self._calls.append(lambda: self.engine.process(seqs))

    def pump(self, system: str) -> None:
        self._calls.append(lambda: self.engine.pump(system))

    def answer(self, parcel: Parcel) -> Said:
        """What the target says to this try of a delivery."""
        number = self._given.get(parcel.delivery_id, 0)
        self._given[parcel.delivery_id] = number + 1
        return self._said(parcel, number)

    def last_answer(self, parcel: Parcel) -> Said:
        return self._said(parcel, max(self._given.get(parcel.delivery_id, 1) - 1, 0))

    def _said(self, parcel: Parcel, number: int) -> Said:
        said = self._answers.get(self._target_of(parcel.delivery_id), ())
        return said[min(number, len(said) - 1)] if said else Said()

    def _target_of(self, delivery_id: str) -> str:
        return next((found.target for found in deliveries.load(self.store.reader(), [delivery_id])), "")

    # -- what the test calls ---------------------------------------------------------------------------------------

    def know(self, xrefs: Sequence[tuple[str, str, str, str]]) -> None:
        """Cross-references that are there from the start."""
        rows = [(*xref, self.clock.epoch(), "") for xref in xrefs]
        self.store.write(lambda db: messages.put_xrefs(db, rows))

    def receive(self, arrival: Arrival) -> Accepted:
        """Take a document in and do all that it causes."""
        [accepted] = self.engine.accept([arrival])
        self._work()
        end = self.clock.at + _LONGEST
        for _ in range(_MOST_ROUNDS):
            later = self._next_due()
            if later is None or later > end:
                break
            self.clock.at = max(later, self.clock.at + 0.001)
            self._sweeper.sweep()
            self._work()
        return accepted

    def _work(self) -> None:
        for _ in range(_MOST_ROUNDS):
            if self._calls:
                self._calls.popleft()()
            elif self.store.committer.has_work:
                self.store.committer.work()
            else:
                return

    def _next_due(self) -> float | None:
        """When the next delivery is due; one that is due and did not go is looked at again in a second."""
        db, now = self.store.reader(), self.clock.epoch()
        times = [at for system in due.systems(db) if (at := due.next_due(db, system)) is not None]
        return None if not times else max(min(times), now + 1.0)

    def close(self) -> None:
        self.store.close()
