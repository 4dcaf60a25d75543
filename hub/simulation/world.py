"""The whole hub on one thread: chance picks which of the things that could happen now happens next.

The engine, the sweeper, the transformation, the SQL and the writer are those of the hub. Stood in for are time, the
broker, threads, targets, folders and senders. When nothing can happen now, time moves on to what comes next.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import TypeVar

from hub.errors import StoreError
from hub.message import RAW
from hub.pipeline.engine import Engine
from hub.rounds import TICK_SECONDS
from hub.simulation import plan
from hub.simulation.broker import SimulatedBroker
from hub.simulation.clock import SimulatedClock
from hub.simulation.faults import Crash, Faults
from hub.simulation.folder import SimulatedFolder
from hub.simulation.invariants import Rules
from hub.simulation.operators import Operators
from hub.simulation.plan import Event
from hub.simulation.process import Alone, Process
from hub.simulation.scenario import Scenario
from hub.simulation.senders import Senders
from hub.simulation.server import served
from hub.simulation.store import SimulatedStore, opened
from hub.simulation.targets import SimulatedTarget
from hub.simulation.team import Door, Working
from hub.simulation.together import Together
from hub.simulation.trace import Trace, Violation
from hub.store import due, payloads, receipts, replays, sets, switches
from hub.sweeper import LOST_AFTER

_STEP_SECONDS = 0.0005
_RESTART_SECONDS = 1.0
_OPERATOR_SECONDS = 600.0
_MOST_STEPS = 20_000
_IDLE_ROUNDS = 80  # of which most stand for many: a system that failed is left alone for minutes
_QUIET_ROUNDS, _QUIET_SECONDS = 20, 20.0
_LONGEST_TOLD = """SELECT min(coalesce(enqueued_at, 0)) FROM receipts
  WHERE state = 'received' AND claimed_by IS NULL"""
_NEXT_DUE = """SELECT min(due_at) FROM deliveries d WHERE due_at IS NOT NULL AND claimed_by IS NULL
  AND NOT EXISTS (SELECT 1 FROM switches w
    WHERE (w.kind = 'route' AND w.name = d.route) OR (w.kind = 'system' AND w.name = d.system))
  AND (d.lane = '' OR d.state = 'unknown' OR NOT EXISTS (SELECT 1 FROM deliveries e
    WHERE e.system = d.system AND e.lane = d.lane AND e.holds_lane = 1 AND e.lane_seq < d.lane_seq))
  AND (d.lane = '' OR d.state = 'unknown' OR NOT EXISTS (SELECT 1 FROM receipts r
    WHERE r.source = d.source AND r.state = 'received' AND r.seq < (d.lane_seq >> 20)))"""


_Some = TypeVar("_Some", bound=Process)


class World:
    """One run of a scenario by a plan. ``seed`` decides the order of things that could happen at once."""

    def __init__(self, scenario: Scenario, events: Sequence[Event], seed: int) -> None:
        self.scenario, self.events, self.seed = scenario, events, seed
        self.clock, self.trace, self.faults = SimulatedClock(), Trace(), Faults(events)
        self.chance = Random(f"{seed}/order")  # noqa: S311  a simulation, not a secret
        self.together = Together(self)
        self.store = self._opened()
        self.broker, self.rules, self.senders = SimulatedBroker(self), Rules(self), Senders(self)
        self.operators = Operators(self)
        self.targets = {name: SimulatedTarget(name, self._mode(name), self) for name in scenario.systems}
        self.folders = {f.source: SimulatedFolder(f.source, self) for f in scenario.feeds if f.is_folder}
        self.processes: list[Process] = []
        self.at_work: Process | None = None
        self.steps, self._started, self._order, self._idle, self._last_sweep = 0, 0, 0, 0, -1.0
        self._last_commits = -1
        self._later: list[tuple[float, int, str, Process | None, Callable[[], None]]] = []
        self._operators: set[tuple[str, str]] = set()

    def _opened(self) -> SimulatedStore:
        content, faults = self.scenario.content, self.faults
        if not self.together.working:
            return opened(content, faults, self.chance)
        return served(content, faults, self.chance, self.clock, self.together.let_others_go)

    @property
    def current(self) -> Process:
        """The process that is just at work."""
        assert self.at_work is not None
        return self.at_work

    @property
    def engine(self) -> Engine:
        """The engine of the process that is just at work."""
        return self.current.engine

    @property
    def worker(self) -> str:
        """The name of the process that is just at work."""
        return self.current.name

    def door(self) -> Process | None:
        """The process that takes in; None while there is none."""
        doors = (process for process in self.processes if isinstance(process, Alone | Door))
        return next((process for process in doors if process not in self.together.still), None)

    def _mode(self, system: str) -> str:
        return str(self.scenario.programs[0].settings.systems[system].idempotency.get("mode") or "none")

    def note(self, text: str) -> None:
        by = f"{self.at_work.name}: " if self.together.working and self.at_work else ""
        self.trace.note(self.clock.elapsed, by + text)

    def at(self, delay: float, work: Callable[[], None], of: str = "world") -> None:
        """Do something later. What is of the process ends with it; what is on the network may."""
        self._order += 1
        heapq.heappush(self._later, (self.clock.elapsed + delay, self._order, of, self.at_work, work))

    # -- running ---------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until nothing more happens. Raises Violation."""
        for event in self.events:
            if event.kind in _HAPPEN:
                self.at(event.at, lambda event=event: _HAPPEN[event.kind](self, event))  # type: ignore[misc]
        for kind in self.together.kinds() if self.together.working else [Alone]:
            self.at(0.0, partial(self._start, kind))
        try:
            while self.goes_on():
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

    def goes_on(self) -> bool:
        self.steps += 1
        if self.steps > _MOST_STEPS * (1 + len(self.processes)):
            raise Violation("every message ends", f"the hub does not come to rest in {self.steps} steps")
        self.clock.elapsed += _STEP_SECONDS
        self.together.beat()
        if self.processes and not self.run_in(self._any(self.processes), partial(self.faults.crash, "between steps")):
            return True
        return self.step() or self._time_moves_on()

    def run_in(self, process: Process | None, work: Callable[[], None]) -> bool:
        """Have a process do something, or the world itself; False where the process has died of it."""
        if process is not None and not process.is_up:
            return False
        before, self.at_work = self.at_work, process
        try:
            work()
        except Crash as crash:
            self._die(process, crash.event)
            return False
        finally:
            self.at_work = before
        return True

    def _any(self, some: Sequence[_Some]) -> _Some:
        return some[0] if len(some) == 1 else self.chance.choice(some)

    def step(self) -> bool:
        """Do something that can be done now; False where there is nothing."""
        free = [process for process in self.processes if process not in self.together.still]
        hearing: list[Process] = [process for process in free if isinstance(process, Alone | Working)]
        queues = [(self.broker.waiting, hearing)] if hearing else []
        queues += [(queue, [process]) for process in free for queue in (process.calls, process.apart)]
        writing = [process for process in free if process.store.committer.has_work]
        is_due = bool(self._later) and self._later[0][0] <= self.clock.elapsed
        choices = sum(len(queue) for queue, _ in queues) + len(writing) + is_due
        if not choices:
            return False
        choice = self.chance.randrange(choices)
        for queue, whose in queues:
            if choice < len(queue):
                self.run_in(self._any(whose), queue.pop(choice))
                return True
            choice -= len(queue)
        if choice < len(writing):
            self.run_in(writing[choice], writing[choice].store.committer.work)
        else:
            self._do_next(heapq.heappop(self._later))
        return True

    def _do_next(self, entry: tuple[float, int, str, Process | None, Callable[[], None]]) -> None:
        _, order, of, process, work = entry
        if of == "process" and process in self.together.still:
            heapq.heappush(self._later, (self.clock.elapsed + TICK_SECONDS, order, of, process, work))
            return
        self.run_in(process if of == "process" else None, work)

    def _time_moves_on(self) -> bool:
        """To what comes next; False when nothing does."""
        if self.steps % 4 == 0:
            self.rules.check_rows()
        self._operators_look()
        nexts = [self._later[0][0]] if self._later else []
        wanted = self._sweep_wanted_at() if self.processes else None
        dead = self.together.is_left_from()
        if dead is not None:
            wanted = dead if wanted is None else min(wanted, dead)
        if wanted is not None:
            is_quiet = self._idle >= _QUIET_ROUNDS and (dead is None or dead > wanted)
            tick = _QUIET_SECONDS if is_quiet else TICK_SECONDS
            nexts.append(max(wanted, self._last_sweep + tick))
        if not nexts or (not self._later and self._is_idle()):
            return False
        self.clock.elapsed = max(self.clock.elapsed, min(nexts))
        if self.processes and (wanted is not None or self.chance.random() < 0.2):
            self._last_sweep = self.clock.elapsed
            for process in self.processes:
                process.apart.append(process.round)
        return True

    def _sweep_wanted_at(self) -> float | None:
        """When the sweeper will find something; it looks several times a second, the simulation only then."""
        db, now = self.store.reader(), self.clock.elapsed
        first = db.execute(_NEXT_DUE).get
        wanted = [] if first is None else [self.clock.elapsed_at(first)]
        if any(process.wants_round() for process in self.processes):
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
        progress = hash((commits, receipts.open_count(self.store.reader()), self.together.next_end()))
        is_still = progress == self._last_commits and self.clock.elapsed > self.broker.down_until + 1.0
        self._idle = self._idle + 1 if is_still else 0
        self._last_commits = progress
        return self._idle > _IDLE_ROUNDS and self._next_later() is None

    def _next_later(self) -> float | None:
        """When the next delivery comes due that is not due now."""
        now, told = self.clock.epoch(), self.store.reader().execute(_LONGEST_TOLD).get
        if told is not None and told > now:
            return float(told)
        if (left := self.together.next_end()) is not None:
            return left
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
        if self.processes:
            self.note(f"an operator starts the {kind} {name}")
            self._write_or_not(lambda: self.store.write(lambda db: switches.release(db, kind, name)))

    def is_on_its_way(self) -> bool:
        """Whether anything on the network has still to arrive, or the hub still waits for an answer."""
        return any(of in ("network", "process") for _, _, of, *_ in self._later)

    def _write_or_not(self, work: Callable[[], object]) -> None:
        try:
            work()
        except StoreError as error:
            self.note(f"refused: {error}")

    # -- the processes ---------------------------------------------------------------------------------------------

    def _start(self, kind: type[Process]) -> None:
        self._started += 1
        process = kind(self, self.store.of_another(), f"w{self._started}")
        self.note(f"the hub starts as {process.name}")
        self.processes.append(process)
        self.run_in(process, partial(self._begin, process))

    def _begin(self, process: Process) -> None:
        try:
            process.start()
        except StoreError as error:
            self.note(f"the hub cannot start: {error}")
            self._end_process(process, power_cut=False)

    def _die(self, process: Process | None, event: Event) -> None:
        if process is None or not process.is_up:
            return  # the machine has lost its power
        power_cut = event.kind == plan.POWER_CUT
        self.note(f"the {'power fails' if power_cut else 'process dies'}: {event.subject}")
        for each in list(self.processes) if power_cut else [process]:
            self._end_process(each, power_cut)

    def _end_process(self, process: Process, power_cut: bool) -> None:
        self.processes.remove(process)
        self.store = self.store.after_crash(self.faults, self.chance, power_cut)
        process.ended()
        self.rules.process_died()
        self._later = sorted(entry for entry in self._later if self._is_kept(process, *entry[2:4]))
        self.at(_RESTART_SECONDS, partial(self._start, type(process)))

    def _is_kept(self, dead: Process, of: str, owner: Process | None) -> bool:
        """Half of what was on the network had left the machine."""
        if of == "world" or (owner is not dead and owner is not None and owner.is_up):
            return True
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
        """A hub that is alone on its store looks at its clock four times a second: it is put between two looks."""
        self.faults.happened[event.kind] += 1
        for process in [each for each in self.processes if isinstance(each, Alone)]:
            self.run_in(process, partial(self._look_at_clock, process))
        self.at(self.chance.uniform(0.0, TICK_SECONDS), lambda: self._put_clock(event.amount))

    def _look_at_clock(self, process: Alone) -> None:
        self._write_or_not(process.watch.look)
        self.at(TICK_SECONDS, lambda: process.apart.append(process.round), of="process")

    def _put_clock(self, seconds: float) -> None:
        self.note(f"the clock is put by {seconds:+g} s")
        self.clock.offset += seconds

    def _deploys(self, event: Event) -> None:
        if not self.processes or len(self.scenario.programs) < 2:
            return
        self.faults.happened[event.kind] += 1
        self.note("another set of files is deployed")
        program = self.scenario.programs[1]
        self._write_or_not(lambda: self._activate(program.set_id))
        if sets.active(self.store.reader()) == program.set_id and not self.together.working:
            self.run_in(self.processes[0], partial(self.processes[0].engine.activate, program))

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
    plan.BEATS_LATE: lambda world, event: world.together.beats_are_late(event),
}
