"""Reading the systems that things are fetched from: each by itself, apart from the sweeper's thread, and what is known
of it afterwards: when it was read, what was taken, why it cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
from msgspec.structs import replace

from connectors.base import (
    DELIVERED,
    STOPPED,
    ConnectorError,
    Leasing,
    Remembering,
    Source,
    StoppedError,
    TransientError,
    Verdict,
    verdict_of,
)
from hub.errors import HubError
from hub.loggers import structlog
from hub.pipeline.connections import open_source
from hub.pipeline.engine import Engine
from hub.schedule import DAY
from hub.store import READ_ERRORS, file_leases, scheduled, sources, switches
from hub.store.database import Database, now_of
from hub.systems import System

_log = structlog.get_logger("sweeper")
POLL_SECONDS = 5.0
RETRY_SECONDS = 60.0  # until what has times of day, or comes seldom, is read again where it has failed or is not over
_NOTE_SECONDS = 30.0  # a source that is well and has nothing new is noted no more often
_LOOK = "look"  # what stands for a delivery where a system is fetched from
_ANSWERED = Verdict(DELIVERED)
_SAYS_NOTHING = Verdict(STOPPED)  # of the system: it went wrong here


@dataclass(slots=True)
class New:
    """How much of what a source gives is new, and whether that is all for now."""

    count: int = 0
    is_over: bool = True


Take = Callable[[New], None]  # reads a source, and counts


class StoredMemory(msgspec.Struct, frozen=True):
    """What a source keeps between its fetches, in the store."""

    engine: Engine
    system: str

    def load(self) -> bytes:
        return sources.memory(self.engine.store.reader(), self.system)

    def save(self, content: bytes) -> None:
        keep = partial(sources.remember, system=self.system, content=content, at=self.engine.clock.epoch())
        self.engine.store.write(keep)


class StoredLeases(msgspec.Struct, frozen=True):
    """What a source has in hand, and what is done with, in the store; by the clock that all go by who share it."""

    engine: Engine
    system: str

    def ended(self, references: Sequence[str]) -> Mapping[str, str]:
        known = file_leases.ended(self.engine.store.reader(), self.system, references)
        if seen := file_leases.unnoted(known, now := self.engine.clock.epoch()):
            self.engine.store.write(partial(file_leases.note_seen, source=self.system, references=seen, now=now))
        return {reference: reason for reference, (reason, _) in known.items()}

    def take(self, reference: str, name: str, seconds: float) -> bool:
        worker, now = self.engine.worker, self.engine.clock.epoch()
        return bool(
            self.engine.store.write(
                lambda db: file_leases.take(db, self.system, reference, name, worker, now_of(db, now), seconds)
            )
        )

    def renew(self, reference: str, seconds: float) -> bool:
        worker, now = self.engine.worker, self.engine.clock.epoch()
        return bool(
            self.engine.store.write(
                lambda db: file_leases.renew(db, self.system, reference, worker, now_of(db, now) + seconds)
            )
        )

    def let_go(self, reference: str) -> None:
        self.engine.store.write(lambda db: file_leases.let_go(db, self.system, reference, self.engine.worker))

    def end(self, reference: str, reason: str) -> None:
        self.engine.store.write(lambda db: file_leases.end(db, self.system, reference, reason))


def opened(engine: Engine, system: System, secrets: Path, own_connectors: Path | None) -> Source:
    """A source, with what it kept. Raises HubError, ConnectorError."""
    source = open_source(system, secrets, own_connectors)
    if isinstance(source, Remembering):
        source.remember(StoredMemory(engine, system.name))
    if isinstance(source, Leasing):
        source.lease_by(StoredLeases(engine, system.name))
    return source


def is_time(engine: Engine, system: System) -> bool:
    """Whether a source may be read now: always, or where it has times of day, when the next one has come since it was
    last read. However many have passed, it is read once."""
    if system.schedule is None:
        return True
    store, now = engine.store, engine.clock.epoch()
    last = scheduled.done_at(store.reader(), system.name)
    if last is None or last > now + DAY:  # new here, or noted by a clock that was wrong
        store.write(partial(scheduled.done, name=system.name, at=now))
        return False
    zone = system.schedule.zone or engine.program.settings.time_zone
    return replace(system.schedule, zone=zone).after(last) <= now


def read_and_note(engine: Engine, name: str, take: Take, new: New) -> None:
    """Read a source with times of day; once that is done and over, when it was begun is noted."""
    began = engine.clock.epoch()
    take(new)
    if new.is_over:
        engine.store.write(partial(scheduled.done, name=name, at=began))


class Polls:
    """When each source is read, and what came of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._due: dict[str, float] = {}  # on the monotonic clock
        self._busy: set[str] = set()
        self._noted: dict[str, tuple[str, float]] = {}  # the reason noted last, and when

    def due(self, systems: Mapping[str, System]) -> list[str]:
        """The systems that are to be read now: whose time has come, that are on, whose last round is over, and whose
        circuit lets a look through."""
        engine, now = self._engine, self._engine.clock.monotonic()
        names = [name for name, system in systems.items() if system.fetches and name not in self._busy]
        names = [name for name in names if now >= self._due.get(name, 0.0) and self._may_look(name)]
        if not names:
            return []
        off = {row["name"] for row in switches.listed(engine.store.reader()) if row["kind"] == "system"}
        return [name for name in names if name not in off and not engine.pressure.holds_back(name)]

    def _may_look(self, name: str) -> bool:
        engine = self._engine
        return not self.is_left_alone(name) or engine.dispatcher.gates.of(name).may_probe(engine.clock.epoch())

    def is_left_alone(self, name: str) -> bool:
        """Whether the circuit of a system is open: it is asked for nothing, but for one look now and then. That of a
        system which is sent to as well is about what is sent, unless a person has opened it."""
        circuit = self._engine.dispatcher.gates.of(name).circuit
        return circuit is not None and (circuit.actor != "hub" or name not in self._engine.program.sent_to)

    def read(self, name: str, every: float, take: Take) -> None:
        """Read a source apart from this thread; the next time is ``every`` seconds from now, or when it asks for it.
        Where its circuit is open this is the probe, unless another worker has it."""
        if self.is_left_alone(name) and not self._engine.dispatcher.gates.take_probe(name, _LOOK):
            return
        self._due[name] = self._engine.clock.monotonic() + every
        self._busy.add(name)
        self._engine.run_apart(partial(self._read, name, take), name)

    def cannot_open(self, name: str, error: Exception, every: float) -> None:
        """A source that cannot even be opened."""
        self._due[name] = self._engine.clock.monotonic() + every
        self._failed(name, 0, error)

    def _read(self, name: str, take: Take) -> None:
        new = New()
        try:
            take(new)
        except Exception as error:  # whatever goes wrong, the source is read again, and why stands with it
            self._failed(name, new.count, error)
            self._weigh(name, verdict_of(error) if isinstance(error, ConnectorError) else _SAYS_NOTHING)
        else:
            if not new.is_over:
                self._due[name] = min(self._due[name], self._engine.clock.monotonic() + RETRY_SECONDS)
            self._note(name, new.count, "")
            self._weigh(name, _ANSWERED)
        finally:
            self._busy.discard(name)

    def answered(self, name: str) -> None:
        """A source gives something: a probe has succeeded, however long the rest takes."""
        if self._engine.dispatcher.gates.of(name).probing == _LOOK:
            self._weigh(name, _ANSWERED)

    def _weigh(self, name: str, verdict: Verdict) -> None:
        """What a look says of the system counts as what a delivery says, where none goes there: one half of a system
        may work while the other does not."""
        engine, dispatcher = self._engine, self._engine.dispatcher
        if name in engine.program.sent_to and dispatcher.gates.of(name).probing != _LOOK:
            return
        steps, opened = dispatcher.gates.note([(name, _LOOK, verdict)], engine.clock.epoch())

        def job(db: Database) -> None:
            for step in steps:
                step.store(db)

        def store() -> None:
            engine.store.write(job)
            dispatcher.gates.stored(steps)
            if not self.is_left_alone(name):
                engine.wake.pump(name)

        for system in opened:
            dispatcher.recall(system)
        if steps:
            try:
                store()
            except (HubError, *READ_ERRORS):
                engine.later(store)

    def _failed(self, name: str, taken: int, error: Exception) -> None:
        if isinstance(error, HubError | ConnectorError | OSError):
            reason = str(error) or type(error).__name__
            _log.warning("a source could not be read", system=name, reason=reason)
        else:
            reason = f"its connector failed: {type(error).__name__}, see the log"
            _log.error("a source could not be read", system=name, exc_info=error)
        if isinstance(error, TransientError) and error.retry_after_seconds:
            until = self._engine.clock.monotonic() + error.retry_after_seconds
            self._due[name] = max(self._due.get(name, 0.0), until)
        self._note(name, taken, reason, stops=isinstance(error, StoppedError))

    def _note(self, name: str, taken: int, reason: str, stops: bool = False) -> None:
        engine, now = self._engine, self._engine.clock.epoch()
        known, at = self._noted.get(name, (None, 0.0))
        if not taken and not stops and reason == known and 0 <= now - at < _NOTE_SECONDS:
            return

        def job(db: Database) -> None:
            sources.note(db, name, taken, reason, now)
            if stops:
                switches.throw(db, "system", name, "stopped", f"fetching: {reason}", now, "hub")

        try:
            engine.store.write(job, durable=stops)
            self._noted[name] = (reason, now)
        except (HubError, *READ_ERRORS) as error:
            _log.warning("what became of a source is not noted", system=name, reason=str(error))
