"""The whole hub on one thread: chance picks which of the things that could happen now happens next.

The engine, the sweeper, the transformation, the SQL and the writer are those of the hub. Stood in for are time, the
broker, threads, targets, folders and senders. When nothing can happen now, time moves on to what comes next.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from connectors.base import Source
from hub import replay
from hub.chores import ClockWatch
from hub.errors import StoreError
from hub.message import RAW
from hub.pipeline.engine import Engine
from hub.pipeline.expired import expire_waiting
from hub.pipeline.receive import Intake
from hub.rounds import TICK_SECONDS
from hub.simulation import plan
from hub.simulation.broker import SimulatedBroker
from hub.simulation.clock import SimulatedClock
from hub.simulation.faults import Crash, Faults
from hub.simulation.folder import POLL_SECONDS, SimulatedFolder
from hub.simulation.invariants import Rules
from hub.simulation.operators import Operators
from hub.simulation.plan import Event
from hub.simulation.scenario import Scenario
from hub.simulation.senders import Senders
from hub.simulation.store import opened
from hub.simulation.targets import SimulatedTarget
from hub.simulation.trace import Trace, Violation
from hub.store import due, payloads, receipts, replays, sets, switches
from hub.sweeper import LOST_AFTER, Sweeper
from hub.systems import System

_STEP_SECONDS = 0.0005
_RESTART_SECONDS = 1.0
_OPERATOR_SECONDS = 600.0
_MOST_STEPS = 20_000
_IDLE_ROUNDS = 80  # of which most stand for many: a system that failed is left alone for minutes
_QUIET_ROUNDS, _QUIET_SECONDS = 20, 20.0
_LONGEST_TOLD = """SELECT min(coalesce(enqueued_at, 0)) FROM receipts
  WHERE state = 'received' AND claimed_by IS NULL"""
_OF_THE_BROKER = (plan.BROKER_LOST, plan.BROKER_DOWN)
_NEXT_DUE = """SELECT min(due_at) FROM deliveries d WHERE due_at IS NOT NULL AND claimed_by IS NULL
  AND NOT EXISTS (SELECT 1 FROM switches w
    WHERE (w.kind = 'route' AND w.name = d.route) OR (w.kind = 'system' AND w.name = d.system))
  AND (d.lane = '' OR d.state = 'unknown' OR NOT EXISTS (SELECT 1 FROM deliveries e
    WHERE e.system = d.system AND e.lane = d.lane AND e.holds_lane = 1 AND e.lane_seq < d.lane_seq))
  AND (d.lane = '' OR d.state = 'unknown' OR NOT EXISTS (SELECT 1 FROM receipts r
    WHERE r.source = d.source AND r.state = 'received' AND r.seq < (d.lane_seq >> 20)))"""


class SimulatedSweeper(Sweeper):
    """The sweeper with folders of the simulation, and without the chore that would repair what must not break."""

    def __init__(self, engine: Engine, folders: dict[str, SimulatedFolder]) -> None:
        flush = (1.0, lambda: engine.store.write(engine.beside.flush, durable=False))
        self.watch = ClockWatch(engine)
        chores = {
            "counters": flush,
            "expired deliveries": (1.0, lambda: expire_waiting(engine)),
            "clock": (0.0, self.watch.look),
            "replays": (0.25, lambda: replay.advance(engine)),
        }
        super().__init__(engine, Path(), None, chores)
        self._folders = folders

    def _source(self, name: str) -> tuple[Source | None, float]:
        return self._folders.get(name), POLL_SECONDS


class World:
    """One run of a scenario by a plan. ``seed`` decides the order of things that could happen at once."""

    def __init__(self, scenario: Scenario, events: Sequence[Event], seed: int) -> None:
        self.scenario, self._events, self._seed = scenario, events, seed
        self.clock, self.trace, self.faults = SimulatedClock(), Trace(), Faults(events)
        self.chance = Random(f"{seed}/order")  # noqa: S311  a simulation, not a secret
        self.store = opened(scenario.content, self.faults, self.chance)
        self.broker, self.rules, self.senders = SimulatedBroker(self), Rules(self), Senders(self)
        self.operators = Operators(self)
        self.targets = {name: SimulatedTarget(name, self._mode(name), self) for name in scenario.systems}
        self.folders = {f.source: SimulatedFolder(f.source, self) for f in scenario.feeds if f.is_folder}
        self.engine: Engine
        self.sweeper: SimulatedSweeper
        self.is_up, self.worker, self.steps = False, "", 0
        self._processes, self._order, self._idle, self._last_sweep = 0, 0, 0, -1.0
        self._last_commits = -1
        self._apart: list[Callable[[], None]] = []
        self._later: list[tuple[float, int, str, Callable[[], None]]] = []
        self._operators: set[tuple[str, str]] = set()

    def _mode(self, system: str) -> str:
        return str(self.scenario.programs[0].settings.systems[system].idempotency.get("mode") or "none")

    def note(self, text: str) -> None:
        self.trace.note(self.clock.elapsed, text)

    def at(self, delay: float, work: Callable[[], None], of: str = "world") -> None:
        """Do something later. What is of the process ends with it; what is on the network may."""
        self._order += 1
        heapq.heappush(self._later, (self.clock.elapsed + delay, self._order, of, work))

    # -- running ---------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until nothing more happens. Raises Violation."""
        for event in self._events:
            if event.kind in _HAPPEN:
                self.at(event.at, lambda event=event: _HAPPEN[event.kind](self, event))  # type: ignore[misc]
        self.at(0.0, self._start)
        try:
            while self._goes_on():
                pass
            self.rules.check_end()
            self.senders.check_end()
            for folder in self.folders.values():
                folder.check_end()
        except Violation as violation:
            self.note(f"BROKEN {violation}")
            raise
        finally:
            self.store.close()

    def _goes_on(self) -> bool:
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise Violation("every message ends", f"the hub does not come to rest in {_MOST_STEPS} steps")
        try:
            return self._step()
        except Crash as crash:
            self._die(crash.event)
            return True

    def _step(self) -> bool:
        self.clock.elapsed += _STEP_SECONDS
        if self.is_up:
            self.faults.crash("between steps")
        calls, apart, writes = len(self.broker.waiting), len(self._apart), self.store.committer.has_work
        is_due = bool(self._later) and self._later[0][0] <= self.clock.elapsed
        choices = calls + apart + writes + is_due
        if not choices:
            return self._time_moves_on()
        choice = self.chance.randrange(choices)
        if choice < calls:
            self.broker.waiting.pop(choice)()
        elif choice < calls + apart:
            self._apart.pop(choice - calls)()
        elif choice < calls + apart + writes:
            self.store.committer.work()
        else:
            heapq.heappop(self._later)[3]()
        return True

    def _time_moves_on(self) -> bool:
        """To what comes next; False when nothing does."""
        if self.steps % 4 == 0:
            self.rules.check_rows()
        self._operators_look()
        nexts = [self._later[0][0]] if self._later else []
        wanted = self._sweep_wanted_at() if self.is_up else None
        if wanted is not None:
            tick = TICK_SECONDS if self._idle < _QUIET_ROUNDS else _QUIET_SECONDS
            nexts.append(max(wanted, self._last_sweep + tick))
        if not nexts or (not self._later and self._is_idle()):
            return False
        self.clock.elapsed = max(self.clock.elapsed, min(nexts))
        if self.is_up and (wanted is not None or self.chance.random() < 0.2):
            self._last_sweep = self.clock.elapsed
            self._apart.append(self.sweeper.sweep)
        return True

    def _sweep_wanted_at(self) -> float | None:
        """When the sweeper will find something; it looks several times a second, the simulation only then."""
        db, now = self.store.reader(), self.clock.elapsed
        first = db.execute(_NEXT_DUE).get
        wanted = [] if first is None else [self.clock.elapsed_at(first)]
        if self.engine._later:
            wanted.append(now)
        if (expires := due.next_expiry(db)) is not None:
            wanted.append(self.clock.elapsed_at(expires) + 1.0)
        told = db.execute(_LONGEST_TOLD).get
        if told is not None:
            wanted.append(self.clock.elapsed_at(told) + LOST_AFTER)
        if replays.running(db):
            wanted.append(now + 0.25)
        if any(folder.has_new for folder in self.folders.values()):
            wanted.append(now + 1.0)
        if self.folders and not wanted and receipts.ended(db, 1):
            wanted.append(now + TICK_SECONDS)
        return min(wanted) if wanted else None

    def _is_idle(self) -> bool:
        """Round after round of the sweeper changes nothing more, and nothing is due later: what is there now stays."""
        commits = self.store.reader().execute("SELECT count(*), max(updated_at) FROM deliveries").fetchone()
        progress = hash((commits, receipts.open_count(self.store.reader())))
        is_still = progress == self._last_commits and self.clock.elapsed > self.broker.down_until + 1.0
        self._idle = self._idle + 1 if is_still else 0
        self._last_commits = progress
        return self._idle > _IDLE_ROUNDS and self._next_later() is None

    def _next_later(self) -> float | None:
        """When the next delivery comes due that is not due now."""
        now, told = self.clock.epoch(), self.store.reader().execute(_LONGEST_TOLD).get
        if told is not None and told > now:
            return float(told)
        return self.store.reader().execute(f"{_NEXT_DUE} AND due_at > ?", (now,)).get  # type: ignore[no-any-return]

    def _operators_look(self) -> None:
        """What was switched off is started again by somebody, after a while."""
        for switch in switches.listed(self.store.reader()):
            found = (switch["kind"], switch["name"])
            if found not in self._operators:
                self._operators.add(found)
                self.at(_OPERATOR_SECONDS, lambda found=found: self._operator_starts(*found))  # type: ignore[misc]

    def _operator_starts(self, kind: str, name: str) -> None:
        self._operators.discard((kind, name))
        if self.is_up:
            self.note(f"an operator starts the {kind} {name}")
            self._write_or_not(lambda: self.store.write(lambda db: switches.release(db, kind, name)))

    def is_on_its_way(self) -> bool:
        """Whether anything on the network has still to arrive, or the hub still waits for an answer."""
        return any(of in ("network", "process") for _, _, of, _ in self._later)

    def _write_or_not(self, work: Callable[[], object]) -> None:
        try:
            work()
        except StoreError as error:
            self.note(f"refused: {error}")

    # -- the process -----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._processes += 1
        self.worker, self.is_up = f"w{self._processes}", True
        self.note(f"the hub starts as {self.worker}")
        in_force = sets.active(self.store.reader())
        [program] = [program for program in self.scenario.programs if program.set_id == in_force]
        self.engine = Engine(
            self.store, program, self.clock, self.broker, self._destination, self.worker,
            lambda work, _: self._apart.append(work),
            chance=Random(f"{self._seed}/jitter/{self.worker}"),  # noqa: S311  a simulation, not a secret
        )  # fmt: skip
        if any(event.kind in _OF_THE_BROKER for event in self._events):
            # A broker apart from this process may lose calls: then a receipt is whoever's is told of it.
            self.engine.intake = Intake(self.store, None, self.engine._received)
        self.sweeper = SimulatedSweeper(self.engine, self.folders)
        try:
            self.sweeper.recover()
            replay.resume(self.engine)
        except StoreError as error:
            self.note(f"the hub cannot start: {error}")
            self._end_process(power_cut=False)

    def _destination(self, system: System) -> SimulatedTarget:
        return self.targets[system.name]

    def _die(self, event: Event) -> None:
        self.note(f"the {'power fails' if event.kind == plan.POWER_CUT else 'process dies'}: {event.subject}")
        self._end_process(event.kind == plan.POWER_CUT)

    def _end_process(self, power_cut: bool) -> None:
        self.is_up = False
        self.store = self.store.after_crash(self.faults, self.chance, power_cut)
        self.broker.lose_all()
        self._apart.clear()
        self.rules.process_died()
        kept = [entry for entry in self._later if entry[2] == "world" or self._survives(entry[2])]
        self._later = sorted(kept)
        self.at(_RESTART_SECONDS, self._start)

    def _survives(self, of: str) -> bool:
        """Half of what was on the network had left the machine."""
        return of == "network" and self.chance.random() < 0.5

    # -- what the plan has -----------------------------------------------------------------------------------------

    def _sends(self, event: Event) -> None:
        feed = next(feed for feed in self.scenario.feeds if feed.name == event.subject)
        if event.how == "again":
            self.faults.happened["duplicate"] += 1
        content = feed.document(event.number, event.key)
        if feed.is_folder:
            self.folders[feed.source].put(event.number, content, breaks_off=event.how == "half")
        else:
            self.senders.send(feed, event.number, content)

    def _broker_is_lost(self, event: Event) -> None:
        self.faults.happened[event.kind] += 1
        self.note("the broker loses what it holds")
        self.broker.lose_all()
        self.broker.down_until = self.clock.elapsed + event.amount

    def _is_out(self, event: Event) -> None:
        self.note(f"{event.subject} is out: {event.how}")
        self.faults.begin_outage(event, self.clock.elapsed)

    def _clock_is_put(self, event: Event) -> None:
        """Between two looks of the hub at its clock, which come four times a second."""
        self.faults.happened[event.kind] += 1
        if self.is_up:
            self._write_or_not(self.sweeper.watch.look)
        since = self.chance.uniform(0.0, TICK_SECONDS)
        self.at(since, lambda: self._put_clock(event.amount))
        self.at(TICK_SECONDS, lambda: self._apart.append(self.sweeper.sweep), of="process")

    def _put_clock(self, seconds: float) -> None:
        self.note(f"the clock is put by {seconds:+g} s")
        self.clock.offset += seconds

    def _deploys(self, event: Event) -> None:
        if not self.is_up or len(self.scenario.programs) < 2:
            return
        self.faults.happened[event.kind] += 1
        self.note("another set of files is deployed")
        program = self.scenario.programs[1]
        self._write_or_not(lambda: self._activate(program.set_id))
        if sets.active(self.store.reader()) == program.set_id:
            self.engine.activate(program)

    def _activate(self, set_id: int) -> None:
        self.store.write(lambda db: sets.activate(db, set_id, self.clock.epoch(), "simulation"))

    # -- what is stored --------------------------------------------------------------------------------------------

    def is_stored(self, dedupe_key: str) -> bool:
        """Whether a document is there, committed."""
        sql = "SELECT 1 FROM receipts WHERE dedupe_key = ?"
        return not self.store.is_writing and self.store.reader().execute(sql, (dedupe_key,)).fetchone() is not None

    def require_stored(self, dedupe_key: str, content: bytes) -> None:
        """Raises Violation where a document is not there, once and with its bytes, though it was acknowledged."""
        if not self.is_stored(dedupe_key):
            raise Violation("nothing acknowledged is lost", f"{dedupe_key} is acknowledged and not stored")
        db = self.store.reader()
        found = [
            str(row[0]) for row in db.execute("SELECT receipt_id FROM receipts WHERE dedupe_key = ?", (dedupe_key,))
        ]
        if len(found) != 1:
            raise Violation("received once", f"{dedupe_key} is stored {len(found)} times")
        if payloads.read(db, found[0], RAW, 1) != content:
            raise Violation("nothing acknowledged is lost", f"{dedupe_key} is stored with other bytes")


_HAPPEN: dict[str, Callable[[World, Event], None]] = {
    plan.SEND: World._sends,
    plan.BROKER_LOST: World._broker_is_lost,
    plan.BROKER_DOWN: World._broker_is_lost,
    plan.OUTAGE: World._is_out,
    plan.CLOCK_STEP: World._clock_is_put,
    plan.DEPLOY: World._deploys,
    plan.OPERATE: lambda world, event: world.operators.act(event),
}
