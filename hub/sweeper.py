"""The sweeper: finds what is due, orphaned or lost, at start and several times a second. Rows, never memory, decide.

``Sweeper.sweep`` is one round and does not sleep.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from connectors.base import (
    DOUBT,
    Adjustable,
    ConnectorError,
    Incoming,
    Source,
    TransientError,
    Unhurried,
    Unsure,
    Verdict,
)
from hub.errors import HubError
from hub.loggers import structlog
from hub.message import Accepted, Arrival, Delivery, Finish
from hub.pipeline.deliver import Sent, conclude
from hub.pipeline.engine import Engine
from hub.pipeline.gates import in_force
from hub.pipeline.outgoing import missing_target
from hub.pipeline.records import paused, throw
from hub.polling import POLL_SECONDS, RETRY_SECONDS, New, Polls, is_time, opened, read_and_note
from hub.rounds import Chore, Rounds
from hub.store import READ_ERRORS, deliveries, due, leases, receipts, streams, switches
from hub.store.compression import CHUNK, regroup
from hub.store.database import Database
from hub.systems import fixed_event

_log = structlog.get_logger("sweeper")
_LOOK_SECONDS = 1.0  # how soon what was fetched from a system that is started again is filed away
LOST_AFTER = 4.0  # the broker had its chance
_BATCH = 256


class Sweeper(Rounds):
    """Recovers after a crash, then keeps things moving. ``chores`` are done now and then beside (pruning, notices)."""

    def __init__(
        self, engine: Engine, secrets: Path, environment: str | None, chores: Mapping[str, Chore],
        own_connectors: Path | None = None,
    ) -> None:  # fmt: skip
        super().__init__(engine, environment, chores, own_connectors)
        self._secrets = secrets
        self._sources: dict[str, tuple[Source, float]] = {}
        self._bounds: dict[str, tuple[float, int]] = {}  # of sources whose limits were changed
        self._doubted: set[str] = set()  # sources of which it was told why they are not sure
        self._polls = Polls(engine)
        self._settling: dict[str, float] = {}  # systems whose files are not filed away until then

    # -- at start --------------------------------------------------------------------------------------------------

    def recover(self) -> None:
        """What another run had in hand when it died: what was on its way is doubt, the rest is done again."""
        engine = self._engine
        orphans = due.orphans(engine.store.reader(), engine.worker)
        self._record_crash([delivery for delivery in orphans if delivery.state == "delivering"])
        engine.store.write(partial(due.free_orphans, worker=engine.worker))
        engine.store.write(partial(receipts.free_orphans, worker=engine.worker))
        engine.dispatcher.gates.recover()
        for receipt_id in streams.left_over(engine.store.reader()):
            self._abandon(receipt_id)

    def recover_from(self, worker: str) -> None:
        """What another worker had in hand when it died, while the rest goes on."""
        engine = self._engine
        self._record_crash(leases.on_their_way(engine.store.reader(), worker))
        engine.store.write(partial(leases.free_claims, worker=worker))

    def _record_crash(self, lost: Sequence[Delivery]) -> None:
        # Of a batch the first one was tried; the others end with it.
        tried = [delivery for delivery in lost if not delivery.batch_id or delivery.is_batch]
        ended = [(delivery.route, self._crashed(delivery)) for delivery in tried]
        for start in range(0, len(ended), _BATCH):
            self._engine.store.write(partial(self._record, ended=ended[start : start + _BATCH]))

    def _record(self, db: Database, ended: Sequence[tuple[str, Finish]]) -> None:
        _, ends = deliveries.finish(db, [finish for _, finish in ended], self._engine.worker)
        throw(db, paused(one for one in ended if one[1].end in ends), self._engine.clock.epoch())

    def _crashed(self, delivery: Delivery) -> Finish:
        engine, now = self._engine, self._engine.clock.epoch()
        target = engine.program.find(delivery.route, delivery.target) or missing_target(delivery)
        detail = "the hub died while this was on its way; it may have arrived"
        sent = Sent(delivery, target, now, delivery.set_id)
        return conclude(sent, Verdict(DOUBT, code="hub_died", detail=detail), now, engine.chance)

    # -- again and again -------------------------------------------------------------------------------------------

    def _steps(self) -> Sequence[Callable[[], None]]:
        engine = self._engine
        return (
            engine.catch_up, self._follow_deploys, engine.dispatcher.refresh, engine.pressure.refresh,
            self._wake_receipts, self._wake_deliveries, self._adjust_sources, self._poll_sources,
            self._settle_sources, self._do_chores,
        )  # fmt: skip

    def _deployed(self) -> None:
        self._close_sources()

    def _wake_receipts(self) -> None:
        engine, now = self._engine, self._engine.clock.epoch()
        lost = receipts.waiting(engine.store.reader(), now - LOST_AFTER, 20 * _BATCH)
        if lost:
            engine.store.write(lambda db: receipts.mark_enqueued(db, lost, now), durable=False)
        for start in range(0, len(lost), _BATCH):
            engine.wake.process(lost[start : start + _BATCH])

    def _wake_deliveries(self) -> None:
        engine, now = self._engine, self._engine.clock.epoch()
        db, known = engine.store.reader(), engine.program.settings.systems
        for system in due.systems(db):
            if system not in known and switches.is_off(db, "system", system):
                # Nobody could start it again; what waits for it is buried, with the reason, when it is looked at.
                engine.store.write(partial(switches.release, kind="system", name=system), durable=False)
            when = due.next_due(db, system)
            if when is not None and when <= now:
                engine.wake.pump(system)

    # -- sources that are polled -----------------------------------------------------------------------------------

    def _poll_sources(self) -> None:
        systems = self._engine.program.settings.systems
        for name in self._polls.due(systems):
            if not is_time(self._engine, systems[name]):
                continue
            try:
                source, every = self._source(name)
            except Exception as error:  # a connector may be anybody's, and the others are to be read
                self._polls.cannot_open(name, error, POLL_SECONDS)
                continue
            if source is None:
                continue
            take, schedule = partial(self._fetch, name, source), systems[name].schedule
            if schedule is not None:
                every = min(schedule.every or RETRY_SECONDS, RETRY_SECONDS)
                take = partial(read_and_note, self._engine, name, take)
            self._polls.read(name, every, take)

    def _source(self, name: str) -> tuple[Source | None, float]:
        if name not in self._sources:
            system = self._engine.program.settings.systems[name]
            fetch = system.options.get("fetch")
            every = float((fetch or {}).get("every") or POLL_SECONDS)
            if not fetch:
                return None, every
            source = opened(self._engine, system, self._secrets, self._own_connectors)
            self._sources.setdefault(name, (source, every))  # two threads may come here at a time
            self._tell_doubt(name, source)
            self._adjust(name, self._sources[name][0])
        return self._sources[name]

    def _tell_doubt(self, name: str, source: Source) -> None:
        if name not in self._doubted and isinstance(source, Unsure) and (doubt := source.doubt()):
            self._doubted.add(name)
            _log.warning("a source is not sure of what it gives", system=name, reason=doubt)

    def _adjust_sources(self) -> None:
        for name in self._engine.dispatcher.gates.off & self._sources.keys():
            self._close_source(name)  # when it is started it is opened anew, with its secrets as they are then
        for name, (source, _) in list(self._sources.items()):
            self._adjust(name, source)

    def _adjust(self, name: str, source: Source) -> None:
        """Limits that were changed hold for what is fetched too: all of them, since one process fetches."""
        system = self._engine.program.settings.systems.get(name)
        if system is None or not isinstance(source, Adjustable):
            return
        bounds = in_force(system, self._engine.dispatcher.gates.of(name).adjustment)
        if bounds != self._bounds.get(name, in_force(system, None)):
            source.adjust(*bounds)
            self._bounds[name] = bounds

    def _fetch(self, name: str, source: Source, new: New) -> None:
        source.fetch(lambda incoming: self._accept(name, source, incoming, new))
        new.is_over = not isinstance(source, Unhurried) or source.is_over

    def _accept(self, name: str, source: Source, incoming: Incoming, new: New) -> None:
        """Store one thing a source found, piece by piece; durable when this returns."""
        self._polls.answered(name)
        if self._polls.is_left_alone(name):
            raise TransientError("its circuit was opened; it goes on when that is closed", code="circuit_open")
        if self._engine.pressure.holds_back(name):
            text = "more waits to be looked into than should; it goes on when there is room"
            raise TransientError(text, code="paused")
        receipt_id = self._engine.clock.new_id()
        try:
            size, raw = self._read(receipt_id, incoming)
            accepted = self._receive(name, receipt_id, incoming, raw, size)
        except Exception:
            self._abandon(receipt_id)
            raise
        new.count += not accepted.duplicate
        if accepted.duplicate:
            # Nothing will come of this one: its chunks belong to nobody.
            self._abandon(receipt_id)
            if incoming.parts == 1:
                self._settle_repeat(name, source, incoming, accepted)
        elif size >= CHUNK:
            self._engine.store.write(partial(streams.end, receipt_id=receipt_id), durable=False)
        if 1 < incoming.parts == incoming.part:
            self._have_all_come(name, source, _reference(incoming))

    def _have_all_come(self, name: str, source: Source, reference: str) -> None:
        waits = self._engine.store.write(partial(receipts.have_all_come, source=name, reference=reference))
        if not waits:
            _log.info("a repeat is left out", system=name, reference=reference)
            source.settle(reference, failed=False)

    def _read(self, receipt_id: str, incoming: Incoming) -> tuple[int, bytes]:
        """(size, bytes); a large one is stored piece by piece, and its bytes are not given."""
        engine, size = self._engine, 0
        for number, piece in enumerate(regroup(incoming.chunks)):
            size += len(piece)
            if number == 0 and len(piece) < CHUNK:
                return size, piece
            add = partial(streams.add, receipt_id=receipt_id, number=number, piece=piece, at=engine.clock.epoch())
            engine.store.write(add)
        return size, b""

    def _receive(self, name: str, receipt_id: str, incoming: Incoming, raw: bytes, size: int) -> Accepted:
        system = self._engine.program.settings.systems[name]
        [accepted] = self._engine.accept([
            Arrival(
                receipt_id=receipt_id, source=name, event=incoming.event or fixed_event(system.event), raw=raw,
                received_at=self._engine.clock.epoch(), door=system.connector, content_type=incoming.content_type,
                dedupe_key=_dedupe_key(incoming), name=incoming.name, reference=_reference(incoming),
                size=size if size >= CHUNK else -1, content_key=_content_key(incoming),
                same_content=incoming.same_content, item=incoming.item, round=incoming.round,
                other_key=_other_key(incoming), is_part=incoming.parts > 1,
            )
        ])  # fmt: skip
        return accepted

    def _settle_repeat(self, name: str, source: Source, incoming: Incoming, first: Accepted) -> None:
        """A repeat is done with; what a crash made the source give again goes by the outcome of the first time."""
        if not incoming.reference:
            return  # nothing is filed away, and what is asked for again and again comes again and again
        reference = _reference(incoming)
        # A receipt that an earlier version of the hub stored has the reference that the source found it by.
        known = {reference, incoming.reference}
        if not receipts.waits_for_outcome(self._engine.store.reader(), first.seq, known):
            _log.info("a repeat is left out", system=name, name=incoming.name, first=first.receipt_id)
            source.settle(reference, failed=False)

    def _abandon(self, receipt_id: str) -> None:
        """Take away what was read of a body that is not accepted; where that fails, a chore does it later."""
        try:
            streams.abandon(self._engine.store.write, receipt_id)
        except (HubError, *READ_ERRORS) as error:
            _log.warning("what was read of a file stays in the store for now", reason=str(error))

    def _settle_sources(self) -> None:
        """File away what was fetched, once all that came out of it has ended; apart, since a server takes its time."""
        engine, now = self._engine, self._engine.clock.monotonic()
        wait = [name for name, until in self._settling.items() if now < until]
        ended: dict[str, list[tuple[int, str, bool]]] = {}
        for seq, name, reference, failed in receipts.ended(engine.store.reader(), _BATCH, wait):
            ended.setdefault(name, []).append((seq, reference, failed))
        known = engine.program.settings.systems
        for name, things in ended.items():
            left_alone = name in known and self._polls.is_left_alone(name)
            if left_alone or switches.is_off(engine.store.reader(), "system", name):
                self._settling[name] = now + _LOOK_SECONDS
                continue
            self._settling[name] = math.inf
            engine.run_apart(partial(self._settle, name, things), name)

    def _settle(self, name: str, things: Sequence[tuple[int, str, bool]]) -> None:
        until = self._engine.clock.monotonic() + POLL_SECONDS
        try:
            source, _ = self._source(name) if name in self._engine.program.settings.systems else (None, 0.0)
            for seq, reference, failed in things:
                if source is not None:
                    source.settle(reference, failed)
                self._engine.store.write(partial(receipts.mark_settled, seq=seq))
            until = 0.0
        except (HubError, ConnectorError, OSError) as error:
            # A source that lets the hub in no more says so at its next fetch, which stops the system.
            _log.warning("what was fetched could not be filed away", system=name, reason=str(error))
        finally:
            self._settling[name] = until

    def stop(self) -> None:
        super().stop()
        self._close_sources()

    def _close_sources(self) -> None:
        for name in list(self._sources):
            self._close_source(name)

    def _close_source(self, name: str) -> None:
        source, _ = self._sources.pop(name)
        self._bounds.pop(name, None)
        self._engine.run_apart(source.close, name)  # it waits for what is under way


def _reference(incoming: Incoming) -> str:
    return incoming.attributes.get("reference") or incoming.reference


def _dedupe_key(incoming: Incoming) -> str:
    sha256 = incoming.attributes.get("sha256") if incoming.content_tells else None
    return f"{incoming.dedupe_id}:{sha256}" if sha256 else incoming.dedupe_id


def _other_key(incoming: Incoming) -> str:
    """What it may have come under before; without the sha256 it did where its source did not have that told then."""
    return incoming.dedupe_id if incoming.content_tells else incoming.other_id


def _content_key(incoming: Incoming) -> str | None:
    """What tells that the same content came before; None where that does not matter."""
    sha256 = incoming.attributes.get("sha256")
    return f"sha256:{sha256}" if sha256 and incoming.same_content != "process" else None
