"""What keeps deliveries to a system, and looks at it, back: its open circuit, the pause it asked for, its limits and
retry budget.

Rows are the truth for all processes; a gate is what this process knows of them, brought up to date several times a
second and at once by what it sees itself. So nothing here costs a statement per order.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from connectors.base import Verdict
from hub.pipeline.breaker import BAD, GOOD, Breaker, BreakerPolicy, weigh
from hub.pipeline.budget import RetryBudget
from hub.pipeline.turns import Turns
from hub.store import circuits, limits, switches
from hub.store.circuits import HALF_OPEN, OPEN, Circuit, Pause
from hub.store.database import Database, Shared, now_of
from hub.store.limits import Adjustment, Share
from hub.systems import RETRY_BUDGET, System

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine

_WINDOWS = {"native": 512, "lookup": 32, "none": 8}
_LONGEST_PAUSE = 60.0
_AT_ONCE = 16  # requests at a time, where nothing is said; tighter limits are kept to from the first request on
# In hand for each request at a time. A system that bears many takes a batch while the one before is being recorded:
# what finds no room becomes a row, which has to be found and claimed by statements of its own.
_TIGHT_ROUNDS, _ROUNDS = 4, 16
_PROBE_LEASE_SECONDS = 90.0  # a probe that is silent for longer is given up
LEASE_SECONDS, _RENEW_SECONDS = 15.0, 5.0
_SETTLE_SECONDS = 1.0  # until every worker knows of a new one that wants a share


class Step(msgspec.Struct, frozen=True):
    """Something to be stored about a system."""

    system: str
    store: Callable[[Database], None]


@dataclass(slots=True)
class Gate:
    """One system, as this process knows it."""

    breaker: Breaker
    budget: RetryBudget
    turns: Turns = field(default_factory=Turns)
    circuit: Circuit | None = None
    pause: Pause | None = None
    past: float = 0.0  # until when the last pause was that is over for good: its row tells nothing new
    adjustment: Adjustment | None = None
    share: Share = field(default_factory=Share)
    probing: str = ""  # the delivery, or look, that is this process's probe
    writing: int = 0  # steps that are not stored yet: until then rows are behind

    def lets_through(self, now: float) -> bool:
        """Whether deliveries may go as they come."""
        return self.circuit is None and (self.pause is None or now >= self.pause.until)

    def may_probe(self, now: float) -> bool:
        """Whether one delivery, or look, may go to find out how the system is."""
        if self.circuit is None or self.circuit.probe_at is None or self.probing:
            return False
        return now >= self.circuit.probe_at and (self.pause is None or now >= self.pause.until)


class _Rows(msgspec.Struct, frozen=True):
    """What the rows said when they were last read, in this machine's time."""

    circuits: dict[str, Circuit]
    pauses: dict[str, Pause]
    adjustments: dict[str, Adjustment]
    shares: dict[str, Share]
    off: frozenset[str]  # systems that are stopped


class Seen(msgspec.Struct, frozen=True):
    """What a look at the rows has shown: systems that may go on, whose circuit is open now, that were stopped or
    started."""

    free: set[str]
    shut: set[str]
    switched: frozenset[str]


class Bounds(msgspec.Struct, frozen=True):
    """What this process may use of a system: requests a second (0: any), at a time, and deliveries in hand."""

    rate: float
    concurrency: int
    window: int


class Gates:
    """The gates of all systems of an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._gates: dict[str, Gate] = {}
        self._lock = threading.Lock()
        self._renew_at = float("-inf")  # this and the next on the monotonic clock: that of a server may be put back
        self._leased: dict[str, float] = {}  # since when this worker has had a share of a system
        self.shares_limits: bool | None = None  # whether other workers may send too; None: not asked yet
        self._rows = self._read()
        self.off = self._rows.off  # systems that were stopped when the gates were last brought up to the rows

    def of(self, system: str) -> Gate:
        """A system's gate."""
        gate = self._gates.get(system)
        if gate is None:
            settings = self._engine.program.settings.systems.get(system)
            gate = Gate(Breaker(policy_of(settings)), RetryBudget(budget_of(settings)))
            self._apply(system, gate)
            self._gates[system] = gate
        return gate

    def reconfigure(self) -> None:
        """Settings may have changed; what was counted is kept."""
        for system, gate in self._gates.items():
            settings = self._engine.program.settings.systems.get(system)
            gate.breaker.policy, gate.budget.share = policy_of(settings), budget_of(settings, gate.adjustment)

    # -- what verdicts say of a system --------------------------------------------------------------------------------

    def note(self, verdicts: Iterable[tuple[str, str, Verdict]], now: float) -> tuple[list[Step], set[str]]:
        """Count verdicts, each with its system and the delivery, or look, that it is of; gives what has to be stored
        with them, and the systems whose circuit has opened. ``stored`` has to be called with the steps once they are.
        """
        steps: list[Step] = []
        opened: set[str] = set()
        with self._lock:
            for system, tried, verdict in verdicts:
                gate, sign, count = self.of(system), weigh(verdict), len(steps)
                if tried == gate.probing:
                    steps.append(self._after_probe(system, gate, sign, verdict, now))
                elif (reason := gate.breaker.note(sign, now)) and gate.circuit is None:
                    steps.append(self._open(system, gate, f"{reason}; the last: {verdict.detail}"[:500], now))
                    opened.add(system)
                if verdict.slow_down:
                    steps.append(self._pause(system, gate, verdict, now))
                elif gate.pause is not None and sign == GOOD and now >= gate.pause.until:
                    gate.past, gate.pause = gate.pause.until, None  # a success ends the doubling of pauses
                gate.writing += len(steps) - count
        return steps, opened

    def stored(self, steps: Sequence[Step]) -> None:
        """These steps are rows now."""
        with self._lock:
            for step in steps:
                self._gates[step.system].writing -= 1

    def _open(self, system: str, gate: Gate, reason: str, now: float) -> Step:
        circuit = Circuit(OPEN, now, reason, "hub", now + gate.breaker.policy.probe_wait(0))
        gate.circuit = circuit
        return Step(system, lambda db: circuits.open_circuit(db, system, circuit.moved(_ahead(db, now))))

    def _after_probe(self, system: str, gate: Gate, sign: str, verdict: Verdict, now: float) -> Step:
        worker, circuit = self._engine.worker, gate.circuit
        gate.probing = ""
        if sign == GOOD or circuit is None:
            gate.circuit, gate.pause = None, None
            gate.breaker.forget()
            return Step(system, lambda db: circuits.close_after_probe(db, system, worker))
        failed = circuit.failed_probes + (sign == BAD)
        at = now + (gate.breaker.policy.probe_wait(failed) if sign == BAD else 1.0)
        reason = f"the probe failed: {verdict.detail}"[:500] if sign == BAD else None
        gate.circuit = Circuit(OPEN, circuit.since, reason or circuit.reason, circuit.actor, at, failed_probes=failed)
        return Step(system, lambda db: circuits.end_probe(db, system, worker, at + _ahead(db, now), reason))

    def _pause(self, system: str, gate: Gate, verdict: Verdict, now: float) -> Step:
        """As long as the system asks; else a second, doubled when the next such answer comes soon after the pause."""
        last, seconds = gate.pause, verdict.retry_after_seconds
        if seconds is None:
            again = last is not None and last.until <= now < last.until + _LONGEST_PAUSE
            before = last.seconds if last else 1.0
            seconds = min(_LONGEST_PAUSE, 2 * before) if again else before if last and now < last.until else 1.0
        until = max(now + seconds, last.until if last else 0.0)
        reason = verdict.detail[:200] or "it says that nothing is left of its limit"
        pause = gate.pause = Pause(until, min(seconds, _LONGEST_PAUSE), reason)
        return Step(system, lambda db: circuits.pause(db, system, pause.moved(_ahead(db, now))))

    # -- probes -------------------------------------------------------------------------------------------------------

    def take_probe(self, system: str, tried: str) -> bool:
        """Make this delivery, or look, the one that goes to a system whose circuit is open; False if another worker has
        one."""
        engine, now, gate = self._engine, self._engine.clock.epoch(), self.of(system)

        def job(db: Database) -> bool:
            moment = now_of(db, now)
            return circuits.take_probe(db, system, engine.worker, moment, moment + _PROBE_LEASE_SECONDS)

        with self._busy(gate):
            taken = bool(engine.store.write(job))
            if taken and gate.circuit is not None:
                until = now + _PROBE_LEASE_SECONDS
                gate.circuit = msgspec.structs.replace(gate.circuit, state=HALF_OPEN, probe_at=until)
                gate.probing = tried
        return taken

    def give_probe_back(self, system: str) -> None:
        """The delivery could not go after all; another may, in a second."""
        engine, gate, now = self._engine, self.of(system), self._engine.clock.epoch()
        with self._busy(gate):
            gate.probing = ""
            engine.store.write(lambda db: circuits.end_probe(db, system, engine.worker, now_of(db, now) + 1.0, None))
        self._rows = self._read()
        with self._lock:
            if not gate.writing:
                self._apply(system, gate)

    def recover(self) -> None:
        """Give up the probes of an earlier run, where there can be no other worker that has one."""
        worker, now = self._engine.worker, self._engine.clock.epoch()
        self._engine.store.write(lambda db: None if isinstance(db, Shared) else circuits.free_probes(db, worker, now))
        self.refresh()

    @contextmanager
    def _busy(self, gate: Gate) -> Iterator[None]:
        """What is known here is newer than the rows until this ends."""
        with self._lock:
            gate.writing += 1
        try:
            yield
        finally:
            with self._lock:
                gate.writing -= 1

    # -- limits -------------------------------------------------------------------------------------------------------

    def bounds(self, name: str) -> Bounds:
        """What this process may use of a system: its share of the limits in force."""
        system = self._engine.program.settings.systems.get(name)
        if system is None:
            return Bounds(0.0, 1, 1)
        gate = self.of(name)
        rate, at_once = in_force(system, gate.adjustment)
        part = gate.share
        own = at_once // part.count + (part.place < at_once % part.count)
        if self.shares_limits and (rate or at_once < _AT_ONCE) and not self._is_settled(name, part):
            own = 0
        rounds = _TIGHT_ROUNDS if at_once < _AT_ONCE else _ROUNDS
        most = min(_WINDOWS[str(system.idempotency.get("mode") or "none")], rounds * own)
        if rate:
            wait = float(system.limits.get("wait") or 20.0)
            most = min(most, max(1, math.ceil(rate / part.count * wait / 2)))
        return Bounds(rate / part.count, own, most if own else 0)

    def _is_settled(self, name: str, part: Share) -> bool:
        """Whether every other worker knows of this one's share."""
        since = self._leased.get(name)
        return since is not None and (part.count == 1 or self._engine.clock.monotonic() >= since + _SETTLE_SECONDS)

    def clock_was_put(self, seconds: float, since: float, now: float) -> None:
        """What is known here by the clock as it was is moved along, as the rows are."""
        with self._lock:
            for gate in self._gates.values():
                if gate.pause and not since <= gate.pause.until - gate.pause.seconds <= now:
                    gate.pause = gate.pause.moved(seconds)
                gate.past += seconds if gate.past else 0.0

    def refresh(self, using: frozenset[str] = frozenset()) -> Seen:
        """Bring the gates up to the rows. ``using``: the systems that this worker sends to."""
        now = self._engine.clock.epoch()
        self._keep_shares(using, now)
        self._rows = self._read()
        free, shut = set(), set()
        with self._lock:
            for system, gate in self._gates.items():
                if gate.writing:
                    continue
                was_closed, was_free = gate.circuit is None, gate.lets_through(now)
                self._apply(system, gate)
                if was_closed and gate.circuit is not None:
                    shut.add(system)
                if not was_free and gate.lets_through(now):
                    gate.breaker.forget()
                    free.add(system)
        before, self.off = self.off, self._rows.off
        return Seen(free, shut, before ^ self.off)

    def _read(self) -> _Rows:
        now = self._engine.clock.epoch()
        with self._engine.store.snapshot() as db:
            ahead = _ahead(db, now)
            return _Rows(
                {name: circuit.moved(-ahead) for name, circuit in circuits.open_now(db).items()},
                {name: pause.moved(-ahead) for name, pause in circuits.pauses(db).items()}, limits.adjusted(db),
                limits.shares(db, self._engine.worker, now + ahead) if self.shares_limits else {},
                switches.systems_off(db),
            )  # fmt: skip

    def _apply(self, system: str, gate: Gate) -> None:
        rows = self._rows
        gate.circuit, gate.adjustment = rows.circuits.get(system), rows.adjustments.get(system)
        gate.share = rows.shares.get(system, Share())
        gate.budget.share = budget_of(self._engine.program.settings.systems.get(system), gate.adjustment)
        gate.budget.processes = gate.share.count
        pause = rows.pauses.get(system)
        known = gate.pause.until if gate.pause else gate.past
        if pause is not None and pause.until > max(self._engine.clock.epoch(), known):
            gate.pause = pause

    def _keep_shares(self, using: frozenset[str], now: float) -> None:
        """Renew the leases now and then, at once for a system that is new."""
        engine, moment = self._engine, self._engine.clock.monotonic()
        if self.shares_limits is False or (moment < self._renew_at and using <= self._leased.keys()):
            return

        def job(db: Database) -> bool:
            if self.shares_limits is None and not isinstance(db, Shared):
                return False
            limits.keep_shares(db, engine.worker, using, now_of(db, now), LEASE_SECONDS)
            return True

        self.shares_limits = bool(engine.store.write(job, durable=False))
        self._renew_at = moment + _RENEW_SECONDS
        self._leased = {name: self._leased.get(name, moment) for name in using}

    def leave(self) -> None:
        """Give the shares back; the other workers have them at once."""
        if self.shares_limits:
            self._engine.store.write(partial(limits.leave, worker=self._engine.worker), durable=False)


def _ahead(db: Database, now: float) -> float:
    """By how much the clock that rows go by is ahead of this machine's."""
    return now_of(db, now) - now


def policy_of(system: System | None) -> BreakerPolicy:
    return BreakerPolicy.of(system.breaker) if system else BreakerPolicy()


def budget_of(system: System | None, adjustment: Adjustment | None = None) -> float:
    """The part of what is sent to a system that may be retries, as configured or as adjusted."""
    if adjustment is not None and adjustment.retry_budget is not None:
        return adjustment.retry_budget
    return system.retry_budget if system else RETRY_BUDGET


def in_force(system: System, adjustment: Adjustment | None) -> tuple[float, int]:
    """(requests a second, 0 for any; requests at a time) of a system, as configured or as adjusted."""
    rate, at_once = float(system.limits.get("rate") or 0.0), int(system.limits.get("concurrency") or _AT_ONCE)
    if adjustment is not None:
        rate = rate if adjustment.rate is None else adjustment.rate
        at_once = at_once if adjustment.concurrency is None else adjustment.concurrency
    return rate, at_once
