"""The engine: drives the flow with a store, a clock, a wake-up and destinations, all given to it.

Nothing here sleeps, starts a thread or opens a socket: doors call ``accept``, the worker calls ``process`` and
``pump``, the sweeper calls ``recover`` and ``pump``. So a simulation can drive the same engine on one thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from functools import partial
from random import Random
from typing import Protocol

from connectors.base import Destination
from hub.clock import Clock
from hub.errors import StoreError
from hub.loggers import structlog
from hub.message import RAW, Accepted, Arrival, Receipt
from hub.pipeline.advices import told_of_refusals
from hub.pipeline.batch import Batch
from hub.pipeline.counts import Counts
from hub.pipeline.dispatch import Dispatcher
from hub.pipeline.line import Line, Place
from hub.pipeline.outgoing import Shelf
from hub.pipeline.overtaken import bury as bury_overtaken
from hub.pipeline.pressure import Pressure
from hub.pipeline.program import Program
from hub.pipeline.proofs import Resolve, without_impostors
from hub.pipeline.receive import Answered, Intake, as_receipt
from hub.pipeline.refused import is_refusal, refusal
from hub.pipeline.split import LocalTransformer, Suspect, Transformer
from hub.pipeline.transformed import Transformed
from hub.pipeline.unbuilt import bury
from hub.store import Store, messages, payloads, receipts
from hub.store.compression import CHUNK
from hub.store.counters import DUPLICATE, REFUSED, CountBuffer
from hub.store.database import Database
from hub.systems import System

_log = structlog.get_logger("engine")
_CACHE_BYTES = 32_000_000
# The deliveries that were claimed, the systems that have something due by it, the receipts of the hub's own.
Stored = tuple[set[str], set[str], list[tuple[Arrival, Accepted]]]


class LookAgain(Protocol):
    """Told of sources, where several processes split: something of them was split, and others may have left more to
    this one; or something of them was left to others, and may be still there ``later``."""

    def __call__(self, sources: Collection[str], later: bool = False) -> None: ...


def _never(sources: Collection[str], later: bool = False) -> None:
    """Where one process splits everything."""


class WakeUp(Protocol):
    """Tells a worker that there is work. Losing a call loses nothing: the sweeper finds the rows."""

    def process(self, seqs: Sequence[int]) -> None: ...

    def pump(self, system: str) -> None: ...


class Engine:
    """One process's hold on the flow. ``worker`` names this run; claims carry it. With ``keeps`` it splits itself what
    it takes in, claimed with the commit; without, any worker does. ``secret`` gives the values of secrets; without, as
    in a trial, partners are not asked for theirs."""

    def __init__(
        self, store: Store, program: Program, clock: Clock, wake: WakeUp,
        open_destination: Callable[[System], Destination], worker: str,
        run_apart: Callable[[Callable[[], None], str], None], transformer: Transformer | None = None,
        chance: Random | None = None, keeps: bool = True, secret: Resolve | None = None,
    ) -> None:  # fmt: skip
        self.store, self.program, self.clock, self.wake, self.worker = store, program, clock, wake, worker
        self.run_apart, self.secret = run_apart, secret
        self.transformer = transformer or LocalTransformer(store, clock)
        self.counts = Counts()
        self.beside = CountBuffer()
        self._keeps = keeps
        self.intake = Intake(store, worker if keeps else None, self._received)
        self.chance = chance or Random()  # noqa: S311  jitter, not a secret
        self.dispatcher = Dispatcher(self, open_destination, self.chance)
        self.shelf = Shelf()
        self._cache: dict[int, Receipt] = {}
        self._cached_bytes = 0
        self._claimed: set[int] = set()  # taken in and not yet in hand
        self._cache_lock = threading.Lock()
        self.backlog = 0
        self.pressure = Pressure(self)
        self.progress_at = 0.0  # on the monotonic clock, for the watchdog
        self.look_again: LookAgain = _never
        self._later: list[Callable[[], None]] = []

    # -- receive ---------------------------------------------------------------------------------------------------

    def accept(self, arrivals: Sequence[Arrival]) -> list[Accepted]:
        """Store arrivals and wake the worker; durable on return."""
        return self.intake.accept(arrivals)

    def accept_soon(self, arrivals: Sequence[Arrival], answered: Answered) -> None:
        """Store arrivals in a group commit; ``answered`` is called after it."""
        self.intake.accept_soon(arrivals, answered)

    def refused(self, source: str, reason: str, size: int) -> None:
        """A body that was not kept: only counted."""
        self.counts.refused[(source, reason)] += 1
        self.beside.add(REFUSED, source, reason, self.clock.epoch(), bytes=size)

    @property
    def is_full(self) -> bool:
        """More is waiting to be split than should be taken in: the door answers 429."""
        return bool(self.pressure.at_source(""))

    def _received(self, group: Sequence[tuple[Arrival, Accepted]]) -> None:
        fresh = [(arrival, accepted) for arrival, accepted in group if not (accepted.duplicate or accepted.set_aside)]
        for arrival, accepted in group if len(fresh) < len(group) else ():
            if accepted.duplicate:
                self.beside.add(DUPLICATE, arrival.source, arrival.door, arrival.received_at, bytes=len(arrival.raw))
        self.counts.received(group)
        if not fresh:
            return
        if self._keeps:
            self._keep(fresh)
        self.wake.process([accepted.seq for _, accepted in fresh])

    def _keep(self, fresh: Sequence[tuple[Arrival, Accepted]]) -> None:
        with self._cache_lock:
            self.backlog += len(fresh)
            self._claimed.update(accepted.seq for _, accepted in fresh if accepted.claimed)
            for arrival, accepted in fresh:
                if arrival.size < 0 and not arrival.raw_owner and self._cached_bytes < _CACHE_BYTES:
                    self._cache[accepted.seq] = as_receipt(arrival, accepted)
                    self._cached_bytes += len(arrival.raw)

    # -- decode … encode -------------------------------------------------------------------------------------------

    def process(self, seqs: Sequence[int], place: Place | None = None, sources: Collection[str] = ()) -> None:
        """Split receipts into messages and deliveries, and send what may go at once; ``place`` is theirs in the line
        of those that are split. Where others split too, what waits longest of their sources, and of ``sources``, is
        split instead."""
        mine, taken = self._claim(seqs, sources)
        claimed = [*mine, *(row[1] for row in taken)]
        if not claimed:
            return
        program, place = self.program, place or Line().place()
        try:
            work = self._work(mine, taken)
            firsts = {suspect.receipt.source: suspect.receipt.seq for suspect in reversed(work)}
            place.holds(firsts)
            for parts in self.transformer.split(work, program, place.handed_over):
                place.wait()
                self.commit(parts, program, firsts)
        except Exception:
            # Whatever it was: nobody has in hand any more what is left of these, and their sources wait for them.
            self.later(lambda: self._offer_again(claimed))
            raise

    def _claim(self, seqs: Sequence[int], sources: Collection[str]) -> tuple[Sequence[int], Sequence[receipts.Row]]:
        """Those that are this process's to split: claimed when they came, or now, then with what there is of them."""
        if not self._keeps:
            db, now = self.store.reader(), self.clock.epoch()
            if not seqs and not any(receipts.oldest_free(db, source) for source in sources):
                return (), ()  # mostly nothing was left to this process: that is found out without a transaction
            job = partial(receipts.take, seqs=seqs, sources=sources, worker=self.worker, now=now)
            taken, left = self.store.write(job, durable=False)
            self.look_again(left, later=True)
            return (), taken
        with self._cache_lock:
            mine = self._claimed.intersection(seqs)
            self._claimed -= mine
        others = [seq for seq in seqs if seq not in mine]
        if not others:
            return seqs, ()
        try:
            return list(mine), self.store.write(lambda db: receipts.claim(db, others, self.worker), durable=False)
        except StoreError:
            self.later(lambda: self._offer_again(sorted(mine)))
            raise

    def commit(self, parts: Sequence[Transformed], program: Program, sources: Collection[str] = ()) -> None:
        """Store what became of receipts of these sources and claim what may go, in one transaction; then send it. A
        receipt of which the store refuses it becomes a dead letter, so that neither its neighbours nor what comes after
        it waits for it.

        More of a large receipt is taken on only when what came before is stored.
        """
        self.progress_at = self.clock.monotonic()
        if self.secret is not None:
            parts = without_impostors(parts, program, self.secret)
        if all(part.final for part in parts):
            self._submit(parts, program, sources)
        else:
            self._write(parts, program, sources)

    def _submit(
        self, parts: Sequence[Transformed], program: Program, sources: Collection[str], is_alone: bool = False
    ) -> None:
        """Have a batch stored by the store's writer. One that is refused is stored receipt by receipt, and a receipt
        that is refused once more ``is_alone``, which it may have been for others' sake, is dead."""
        batch, job = self._batch(parts, program)

        def done(result: Stored | None, error: Exception | None) -> None:
            if error is None or not is_refusal(error):
                self._committed(batch, result, sources)
                return
            self._give_back(batch)
            if is_alone:
                buried, bury = self._dead(parts[0], program, error)
                self.store.committer.submit(bury, lambda result, _: self._committed(buried, result, sources))
                return
            for part in parts:
                self._submit([part], program, sources, is_alone=True)

        self.store.committer.submit(job, done)

    def _write(
        self, parts: Sequence[Transformed], program: Program, sources: Collection[str], is_alone: bool = False
    ) -> None:
        """Store a batch in this thread, as ``_submit`` does. Raises what the store says where it is away, or where it
        refuses a slice of a large receipt, since the slices behind it must not be stored."""
        batch, job = self._batch(parts, program)
        try:
            result = self.store.write(job)
        except Exception as error:
            self._give_back(batch)
            if not is_refusal(error):
                raise
            if not is_alone:
                for part in parts:
                    self._write([part], program, sources, is_alone=True)
                return
            batch, bury = self._dead(parts[0], program, error)
            self._committed(batch, self.store.write(bury), sources)
            if not parts[0].final:
                raise
            return
        self._committed(batch, result, sources)

    def _batch(self, parts: Sequence[Transformed], program: Program) -> tuple[Batch, Callable[[Database], Stored]]:
        """A batch that has the room there is for its deliveries, and what stores it."""
        batch = Batch(parts, program, self.clock.epoch())
        batch.going = self.dispatcher.reserve(batch.ready())

        def job(db: Database) -> Stored:
            batch.claimed_at = self.clock.monotonic()
            claimed = batch.store(db, self.worker)
            return claimed, self._bury(db, batch), self._tell_of_refusals(db, batch)

        return batch, job

    def _dead(
        self, part: Transformed, program: Program, error: Exception
    ) -> tuple[Batch, Callable[[Database], Stored | None]]:
        """A receipt that the store refuses, as a dead letter. Where another worker has it by now, or has stored of it
        what was refused here, it is none: then it is offered again."""
        _log.error(
            "the store refused a document, which is a dead letter now", seq=part.seq, reason=type(error).__name__
        )
        dead = Transformed(part.seq, part.route, failure=refusal(error).printed(part.route))
        batch, job = self._batch([dead], program)
        first = min((message.position for message in part.messages), default=None)

        def bury(db: Database) -> Stored | None:
            stored_to, _ = messages.stored_to(db, part.seq)
            is_ours = receipts.is_in_hand(db, part.seq, self.worker) and (first is None or stored_to <= first)
            return job(db) if is_ours else None

        return batch, bury

    def _give_back(self, batch: Batch) -> None:
        """The room that a batch does not need, since it was not stored."""
        self.dispatcher.give_back([d for d in batch.brought if d.delivery_id in batch.going])

    def _bury(self, db: Database, batch: Batch) -> set[str]:
        """Deliveries that are superseded, or could not be mapped or encoded, nor are at their turn, end before they
        were ever tried."""
        free = bury_overtaken(db, batch.overtaken, batch.now) if batch.overtaken else set()
        left = batch.built_later | {d.delivery_id for d in batch.overtaken}
        unbuilt = [
            (delivery, batch.program.find(delivery.route, delivery.target), part.unbuilt[delivery.delivery_id])
            for part in batch.parts
            for delivery in (part.deliveries if part.unbuilt else ())
            if delivery.delivery_id in part.unbuilt and delivery.delivery_id not in left
        ]
        return free | bury(db, unbuilt, batch.now)

    def _tell_of_refusals(self, db: Database, batch: Batch) -> list[tuple[Arrival, Accepted]]:
        """Partners whose interchanges are refused are told so, by receipts of the hub's own."""
        arrivals = told_of_refusals(batch.parts, batch.program, batch.now, self.clock.new_id)
        if not arrivals:
            return []
        rows = payloads.packed_rows([(a.receipt_id, RAW, 1, a.content_type, a.raw) for a in arrivals], batch.now)
        return list(zip(arrivals, receipts.accept(db, arrivals, rows, self.intake.worker), strict=True))

    def _committed(self, batch: Batch, result: Stored | None, sources: Collection[str]) -> None:
        if result is None:
            # The disk is full or the store away: everything is as it was, and is offered again.
            self._give_back(batch)
            self.counts.store_failed()
            self.later(lambda: self._offer_again([part.seq for part in batch.parts]))
            return
        claimed, free, told = result
        if not self._keeps and sources:
            self.look_again(sources)
        with self._cache_lock:
            self.backlog -= sum(part.final for part in batch.parts) if self._keeps else 0
        self.counts.transformed(batch.parts)
        self.dispatcher.give_back([d for d in batch.brought if d.delivery_id in batch.going - claimed])
        self.dispatcher.send(list(batch.outgoing(claimed)), batch.claimed_at)
        self.shelf.put(batch.left(claimed), batch.program.set_id)
        if told:
            self.intake.received(told)
        left = {d.system for d in batch.deliveries if d.delivery_id not in claimed}
        for system in sorted(free | left | self.dispatcher.behind()):
            self.wake.pump(system)

    def _offer_again(self, seqs: Sequence[int]) -> None:
        self.store.write(lambda db: receipts.let_go(db, seqs, self.worker))
        self.wake.process(seqs)

    def later(self, work: Callable[[], None]) -> None:
        """Work that failed because the store could not write; ``catch_up`` does it again."""
        self._later.append(work)

    def catch_up(self) -> None:
        """Do what had to wait for the store. Raises StoreError while it still cannot write; what it refuses is raised
        when all else is done, and tried again."""
        refused: Exception | None = None
        for _ in range(len(self._later)):
            work = self._later[0]
            try:
                work()
            except Exception as error:
                if not is_refusal(error):
                    raise
                refused = error
                self._later.append(work)
            self._later.pop(0)
        if refused is not None:
            raise refused

    def _work(self, seqs: Sequence[int], taken: Sequence[receipts.Row] = ()) -> list[Suspect]:
        """Claimed receipts with their bytes; those of several chunks without, they are read piece by piece."""
        with self._cache_lock:
            cached = {seq: self._cache.pop(seq) for seq in seqs if seq in self._cache}
            self._cached_bytes -= sum(len(receipt.raw) for receipt in cached.values())
        work = {seq: Suspect(receipt) for seq, receipt in cached.items()}
        db = self.store.reader()
        found = receipts.with_bytes(db, taken, CHUNK)
        for receipt in [*found, *receipts.load(db, [seq for seq in seqs if seq not in cached], CHUNK)]:
            work[receipt.seq] = Suspect(receipt, *(messages.stored_to(db, receipt.seq) if receipt.begun else ()))
        return [work[seq] for seq in sorted(work)]

    # -- deliver ---------------------------------------------------------------------------------------------------

    def pump(self, system: str) -> None:
        """Claim what is due for a system, as much as it has room for, and send it."""
        self.dispatcher.pump(system)

    def activate(self, program: Program) -> None:
        """Switch to another program at once; what is in flight keeps what it was transformed with."""
        self.program = program
        self.dispatcher.reconfigure()

    def close(self) -> None:
        """Stop sending, wait for what is under way, and record it."""
        self.dispatcher.close()
        self.transformer.close()
