"""Deliveries on their way out: claimed as far as their system has room, sent, and their verdicts recorded.

A system has a window, the number of its deliveries that may be in hand at once. What has no room stays a row; so a
slow target fills no memory, and a crash leaves no more in doubt than the window.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from connectors.base import Destination, Parcel, Verdict
from hub.message import Accepted, Arrival, Body, Delivery, Finish
from hub.pipeline.collect import Collector
from hub.pipeline.deliver import Sent, conclude
from hub.pipeline.destinations import ENDING, Destinations
from hub.pipeline.gates import Bounds, Gate, Gates, Step
from hub.pipeline.outgoing import Outgoing, missing_target, prepare
from hub.pipeline.parcels import parcel_of
from hub.pipeline.program import CompiledTarget
from hub.pipeline.proofs import hidden, proved
from hub.pipeline.records import Ends, Records, Stored, answers_of, stopped
from hub.pipeline.unbuilt import bury
from hub.pipeline.unsent import broke_off, cannot_ask, cannot_open, looked_up, sound
from hub.pipeline.waiting import leave, still_claimed, take_turns, within_budget
from hub.store import batches, bodies, deliveries, due, interchanges
from hub.store.commit import Part
from hub.store.database import Database
from hub.systems import System

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine

_Going = Sequence[tuple[Delivery, CompiledTarget, Body, Mapping[str, str]]]
_IDLE_SECONDS = 60.0  # until a worker gives back its share of a system it sends nothing to
_PROBES_TRIED = 3  # deliveries that a probe is tried with; the first may not head its lane


@dataclass(slots=True)
class Lane:
    """What this process has in hand for one system."""

    bounds: Bounds
    in_hand: int = 0
    used_at: float = float("-inf")  # on the monotonic clock
    behind: bool = False  # rows are due that there was no room for
    pumping: threading.Lock = field(default_factory=threading.Lock)
    again: bool = False


class Dispatcher:
    """Sends deliveries and records what became of them."""

    def __init__(self, engine: Engine, open_destination: Callable[[System], Destination], chance: Random) -> None:
        self._engine, self._chance = engine, chance
        self._lanes: dict[str, Lane] = {}
        self._lock = threading.Lock()
        self._under_way: dict[str, Sent] = {}
        self._closing = False
        self._records = Records(engine)
        self.gates, self.collector = Gates(engine), Collector(engine)
        self.destinations = Destinations(engine, open_destination, lambda system: self._lane(system).bounds)

    # -- room ------------------------------------------------------------------------------------------------------

    def reserve(self, wanted: Sequence[Delivery]) -> set[str]:
        """Those for which their system has room now; the room is taken. Nobody overtakes what is already due."""
        going = set()
        now = self._engine.clock.epoch()
        with self._lock:
            for delivery in wanted:
                lane = self._lane(delivery.system)
                full = lane.behind or lane.in_hand >= lane.bounds.window or self._closing
                full = full or self.destinations.is_ending(delivery.system) or delivery.has_expired(now)
                if delivery.waits_for or full or not self.gates.of(delivery.system).lets_through(now):
                    lane.behind = lane.behind or not delivery.waits_for
                    continue
                lane.in_hand += 1
                going.add(delivery.delivery_id)
        return going

    def give_back(self, unused: Sequence[Delivery]) -> None:
        """Room that was taken and not needed."""
        with self._lock:
            for delivery in unused:
                self._lane(delivery.system).in_hand -= 1

    def behind(self) -> set[str]:
        """The systems for which rows are due that could not go when they were last looked at."""
        with self._lock:
            return {name for name, lane in self._lanes.items() if lane.behind}

    def _lane(self, system: str) -> Lane:
        lane = self._lanes.get(system)
        if lane is None:
            lane = self._lanes[system] = Lane(self.gates.bounds(system))
        return lane

    # -- send ------------------------------------------------------------------------------------------------------

    def send(self, going: _Going, claimed_at: float) -> None:
        """Hand deliveries to their systems that were claimed then, on the monotonic clock; their verdicts come to
        ``_finished``."""
        ours = still_claimed(self._engine, {d.delivery_id: d.tries for d, *_ in going}, claimed_at)
        if ours is None:
            self._engine.later(partial(self.send, going, claimed_at))
            return
        self.give_back([d for d, *_ in going if d.delivery_id not in ours])
        by_system: dict[str, list[Parcel]] = {}
        retries: Counter[str] = Counter()
        now, set_id = self._engine.clock.epoch(), self._engine.program.set_id
        for delivery, target, body, context in (each for each in going if each[0].delivery_id in ours):
            self._under_way[delivery.delivery_id] = Sent(delivery, target, now, set_id, context=context)
            retries[delivery.system] += delivery.attempts > 0
            by_system.setdefault(delivery.system, []).append(parcel_of(delivery, body, context, self._chance))
        for system, parcels in by_system.items():
            self.gates.of(system).budget.sent(len(parcels), retries[system], now)
            self._lane(system).used_at = self._engine.clock.monotonic()
            try:
                destination = self.destinations.of(system)
            except Exception as error:
                # A connector is guarded here as a whole, a project's own one too: nothing was sent.
                self._finished([(parcel, cannot_open(error)) for parcel in parcels])
                continue
            if destination is None:
                self._finished([(parcel, ENDING) for parcel in parcels])
            else:
                self._submit(destination, parcels)

    def _submit(self, destination: Destination, parcels: Sequence[Parcel]) -> None:
        parcels, refused = proved(parcels, self._under_way, self._engine.secret)
        self._finished(refused)
        try:
            destination.submit(parcels, self._finished)
        except Exception as error:  # against what connectors promise: nobody knows how far it came
            self._finished([(parcel, broke_off(error)) for parcel in parcels])

    def pump(self, system: str) -> None:
        """Claim what is due for a system and send it; one thread at a time, a second call is remembered."""
        with self._lock:
            lane = self._lane(system)
            lane.again = True
        # Asked again after the lock is free: whoever came just before that relies on it.
        while lane.again and not self._closing and lane.pumping.acquire(blocking=False):
            try:
                lane.again = False
                self._pump(system, lane)
            finally:
                lane.pumping.release()

    def _pump(self, system: str, lane: Lane) -> None:
        self.collector.collect(system)
        now, gate = self._engine.clock.epoch(), self.gates.of(system)
        with self._lock:
            room = lane.bounds.window - lane.in_hand
        if room <= 0 or self.destinations.is_ending(system):
            lane.behind = True
            return
        if not gate.lets_through(now):
            lane.behind = True
            if gate.may_probe(now):
                self._probe(system, gate, now)
            return
        found = take_turns(self._engine, gate, system, room, now)
        lane.behind = len(found) >= room
        try:
            self._look_up([d for d in found if d.state == "unknown"])
            to_send = [d for d in found if d.state != "unknown"]
            allowed = within_budget(self._engine, gate, system, to_send, now)
            lane.again = lane.again or (lane.behind and len(allowed) < len(to_send))
            self._claim_and_send(allowed)
        except Exception:
            self._engine.later(partial(leave, self._engine, found))
            raise

    def _probe(self, system: str, gate: Gate, now: float) -> None:
        """Let one delivery through to find out whether a system is back; one for all workers."""
        found = take_turns(self._engine, gate, system, _PROBES_TRIED, now)
        try:
            self._probe_with(system, found)
            leave(self._engine, found)
        except Exception:
            self._engine.later(partial(leave, self._engine, found))
            raise

    def _probe_with(self, system: str, found: Sequence[Delivery]) -> None:
        for delivery in found:
            if not self.gates.take_probe(system, delivery.delivery_id):
                return
            go = self._look_up if delivery.state == "unknown" else self._claim_and_send
            went = False
            try:
                went = go([delivery])
            finally:
                # Also where the store was away: nothing is on its way that could tell how the system is.
                if not went:
                    self.gates.give_probe_back(system)
            if went:
                return

    def _claim_and_send(self, found: Sequence[Delivery]) -> bool:
        """Whether any of them could go. One that is still under way here, though it was freed since this worker was
        taken for dead, waits for its verdict."""
        if busy := [d for d in found if d.delivery_id in self._under_way]:
            leave(self._engine, busy)
            self._lane(busy[0].system).behind = True
            found = [d for d in found if d not in busy]
        if not found:
            return False
        engine, now = self._engine, self._engine.clock.epoch()
        prepared = prepare(engine, found)
        fresh = [(o.delivery, o.body) for o in prepared if o.fresh and o.body]
        rows = bodies.rows_of([(d, body) for d, body in fresh if body.stamp is None], now)
        same = [(d.replay_of, d.revision, d.delivery_id) for d, body in fresh if d.replay_of and body.stamp is None]

        def job(db: Database) -> tuple[set[str], set[str], dict[str, Body]]:
            if failed := [(o.delivery, o.lookups) for o in prepared if o.lookups]:
                bodies.keep_lookups(db, failed, now)
            unbuilt = [(o.delivery, o.target, o.failure) for o in prepared if o.failure is not None]
            free = bury(db, unbuilt, now)
            ready = {o.delivery.delivery_id: o.delivery.tries for o in prepared if o.body is not None}
            claimed = deliveries.claim(db, ready, engine.worker, now)
            firsts = [d.delivery_id for d in found if d.is_batch and d.delivery_id in claimed]
            batches.claim(db, firsts, engine.worker, now)
            to_stamp = [(d, body) for d, body in fresh if body.stamp and d.delivery_id in claimed]
            stamped = interchanges.stamp(db, to_stamp, now)
            interchanges.go_on(db, [again for again in same if again[2] in claimed])
            more = bodies.rows_of([(d, stamped[d.delivery_id]) for d, _ in to_stamp], now)
            bodies.store(db, [*rows, *more], claimed, engine.program.set_id)
            deliveries.pin(db, [o.delivery for o in prepared if o.delivery.delivery_id in claimed])
            due.give_back(db, sorted(ready.keys() - claimed), engine.worker)
            return claimed, free, stamped

        claimed_at = engine.clock.monotonic()
        claimed, free, stamped = engine.store.write(job)
        for outgoing in prepared:
            if outgoing.body is not None and outgoing.delivery.delivery_id not in claimed:
                self._lane(outgoing.delivery.system).behind = True  # looked at again after the next commit
        going = [o for o in prepared if o.delivery.delivery_id in claimed]
        with self._lock:
            for outgoing in going:
                self._lane(outgoing.delivery.system).in_hand += 1
        self.send([
            (o.delivery, o.target, stamped.get(o.delivery.delivery_id, o.body), o.context)
            for o in going
            if o.target and o.body
        ], claimed_at)  # fmt: skip
        for system in sorted(free):
            engine.wake.pump(system)
        return bool(going)

    # -- look up ---------------------------------------------------------------------------------------------------

    def _look_up(self, unknown: Sequence[Delivery]) -> bool:
        """Ask the receiver whether an earlier try had its effect, one request each, apart from this thread; gives
        whether any could be taken for it."""
        engine, now = self._engine, self._engine.clock.epoch()
        if not unknown:
            return False
        taken = engine.store.write(
            lambda db: [d for d in unknown if deliveries.settle_unknown(db, d.delivery_id, d.tries, engine.worker, now)]
        )
        left = {d.delivery_id: d for d in taken}
        with self._lock:
            for delivery in taken:
                self._lane(delivery.system).in_hand += 1
        try:
            for outgoing in prepare(engine, taken):
                if outgoing.target is None or outgoing.body is None:
                    self._record([(self._sent(outgoing), cannot_ask(outgoing))])
                else:
                    engine.run_apart(partial(self._ask, outgoing), outgoing.delivery.system)
                del left[outgoing.delivery.delivery_id]
        except Exception:
            self.give_back(list(left.values()))
            again = {d.delivery_id: d.tries for d in left.values()}
            engine.later(lambda: engine.store.write(partial(due.look_again, tries=again, worker=engine.worker)))
            raise
        return bool(taken)

    def _ask(self, outgoing: Outgoing) -> None:
        assert outgoing.body is not None
        parcel = parcel_of(outgoing.delivery, outgoing.body, outgoing.context, self._chance)
        asked = {parcel.delivery_id: self._sent(outgoing)}
        try:
            proved([parcel], asked, self._engine.secret)  # the answer may show what was sent
            destination = self.destinations.of(outgoing.delivery.system)
        except Exception as error:
            verdict = cannot_open(error)
        else:
            verdict = looked_up(destination, parcel) if destination is not None else ENDING
        self._record([(asked[parcel.delivery_id], verdict)])

    def _sent(self, outgoing: Outgoing) -> Sent:
        engine = self._engine
        target = outgoing.target or missing_target(outgoing.delivery)
        now, set_id = engine.clock.epoch(), engine.program.set_id
        return Sent(outgoing.delivery, target, now, set_id, looking=True, context=outgoing.context)

    # -- record ----------------------------------------------------------------------------------------------------

    def _finished(self, verdicts: list[tuple[Parcel, Verdict]]) -> None:
        """Called by a connector, from its thread, with the verdicts of a batch. The first of a parcel counts."""
        known = [(self._under_way.pop(parcel.delivery_id, None), verdict) for parcel, verdict in verdicts]
        if first := [(sent, verdict) for sent, verdict in known if sent is not None]:
            self._record(first)

    def _record(self, verdicts: Sequence[tuple[Sent, Verdict]]) -> None:
        engine, now = self._engine, self._engine.clock.epoch()
        verdicts = [(sent, sound(verdict, sent.looking)) for sent, verdict in verdicts]
        answers = answers_of(verdicts, now, engine.clock.new_id)
        verdicts = [(sent, hidden(v, sent.secrets)) for sent, v in verdicts]  # replies stay as they came
        ended = [(sent, conclude(sent, verdict, now, self._chance)) for sent, verdict in verdicts]
        steps, opened = self.gates.note([(s.delivery.system, s.delivery.delivery_id, v) for s, v in verdicts], now)
        ends = Ends(now, [(s.delivery.route, f) for s, f in ended], answers, stopped(verdicts), steps)
        job = Part(self._records.store, ends)

        def done(result: Stored | None, error: Exception | None) -> None:
            with self._lock:
                for sent, _ in ended:
                    self._lane(sent.delivery.system).in_hand -= 1
            if result is None:
                # What was sent is not recorded yet: the rows stay claimed, and are recorded when the store can write.
                engine.counts.store_failed()
                engine.later(lambda: self._recorded(ended, steps, *engine.store.write(job)))
                return
            self._recorded(ended, steps, *result)

        engine.store.committer.submit(job, done, patient=True)
        for system in opened:
            self.recall(system)

    def recall(self, system: str) -> None:
        """What is queued for a system whose circuit has opened comes back."""
        self.destinations.recall(system)

    def _recorded(
        self, ended: Sequence[tuple[Sent, Finish]], steps: Sequence[Step], free: set[str],
        replies: Sequence[tuple[Arrival, Accepted]],
    ) -> None:  # fmt: skip
        engine = self._engine
        self.gates.stored(steps)
        with self._lock:
            behind = {sent.delivery.system for sent, _ in ended if self._lane(sent.delivery.system).behind}
        engine.counts.finished(ended)
        if replies:
            engine.intake.received(replies)
        at_once = {s.delivery.system for s, finish in ended if finish.due_at is not None and finish.due_at <= finish.at}
        for system in sorted(free | behind | at_once):
            engine.wake.pump(system)

    # -- configuration, end ----------------------------------------------------------------------------------------

    def reconfigure(self) -> None:
        """Settings may have changed."""
        self.gates.reconfigure()
        self.destinations.reconfigure()
        self._bound()

    def _bound(self) -> set[str]:
        """Keep to the limits in force by now; gives the systems of which they have changed."""
        changed = set()
        with self._lock:
            for name, lane in self._lanes.items():
                bounds = self.gates.bounds(name)
                if bounds != lane.bounds:
                    lane.bounds = bounds
                    changed.add(name)
        for name in changed:
            self.destinations.adjust(name, self._lane(name).bounds)
        return changed

    def refresh(self) -> None:
        """Keep to what the rows say of systems: circuits, pauses, limits, switches. Done several times a second."""
        self.collector.adopt()
        with self._lock:
            now = self._engine.clock.monotonic()
            for lane in self._lanes.values():
                lane.used_at = now if lane.in_hand or lane.behind else lane.used_at
            using = frozenset(name for name, lane in self._lanes.items() if now < lane.used_at + _IDLE_SECONDS)
        seen = self.gates.refresh(using)
        for name in seen.shut:
            self.recall(name)
        for name in seen.switched:
            self.destinations.reopen(name)
        for name in sorted(seen.free | self._bound()):
            self._engine.wake.pump(name)

    def close(self) -> None:
        """Send nothing more, and wait for the verdicts of what is under way."""
        self._closing = True
        try:
            self.destinations.close()
        finally:
            self.gates.leave()
