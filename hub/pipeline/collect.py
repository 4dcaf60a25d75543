"""Deliveries that a target collects, put together when it is time: name and content of the batch are fixed in the one
transaction in which it comes to be. From then on it is sent like anything else, by its first delivery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hub.loggers import structlog
from hub.message import Delivery
from hub.pipeline.expired import expire
from hub.pipeline.gather import Batch, Gathered
from hub.pipeline.program import CompiledTarget
from hub.pipeline.unbuilt import bury
from hub.routes import Collect
from hub.store import batches, bodies, collecting, interchanges, is_shared
from hub.store.collecting import Place
from hub.store.database import Database

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine

_log = structlog.get_logger("collect")
_ADOPT_SECONDS = 60.0  # until what waits is looked at again for what nothing collects
_AGAIN_SECONDS = 1.0  # until what is due and may not go is looked at again


class Collector:
    """Puts together what waits to be collected: for a system one thread at a time, for a target one worker."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._not_before: dict[Place, float] = {}  # on the monotonic clock
        self._set_id: int | None = None
        self._adopted_at = 0.0

    def collect(self, system: str) -> None:
        """Make batches of all that is due for a system, or that are as many as wanted."""
        self.adopt()
        for route, target in self._ready(system):
            place = Place(system, route, target.target.id)
            while target.collect is not None and self._once(place, target, target.collect):
                pass

    def _ready(self, system: str) -> Sequence[tuple[str, CompiledTarget]]:
        """The targets at a system where there may be something to put together: a system may have one a partner."""
        those = self._engine.program.collecting.get(system, ())
        asked: dict[int, list[tuple[str, str]]] = {}
        for route, target in those:
            asked.setdefault(target.collect.most if target.collect else 0, []).append((route, target.target.id))
        db, now = self._engine.store.reader(), self._engine.clock.epoch()
        found = {each for most, some in asked.items() for each in collecting.ready(db, system, some, most, now)}
        return [(route, target) for route, target in those if (route, target.target.id) in found]

    # -- the files in force ----------------------------------------------------------------------------------------

    def adopt(self) -> None:
        """After a deploy, and now and then: what waits goes by the schedules in force, or alone where nothing collects
        it any more. What was on its way into the store at the deploy is found the next time."""
        engine, program, moment = self._engine, self._engine.program, self._engine.clock.monotonic()
        if self._set_id == program.set_id and moment < self._adopted_at + _ADOPT_SECONDS:
            return
        db, now, alone = engine.store.reader(), engine.clock.epoch(), set()
        for place in collecting.places(db):
            target = program.find(place.route, place.target)
            if target is None or target.collect is None:
                engine.store.write(partial(collecting.let_go_alone, place=place, at=now))
                alone.add(place.system)
            elif collecting.last(db, place) > (at := target.collect.schedule.after(now)):
                engine.store.write(partial(collecting.no_later, place=place, at=at), durable=False)
        self._set_id, self._adopted_at = program.set_id, moment
        for system in sorted(alone):
            engine.wake.pump(system)

    # -- one batch -------------------------------------------------------------------------------------------------

    def _once(self, place: Place, target: CompiledTarget, collect: Collect) -> bool:
        """Whether something has changed, and there may be more."""
        engine, now = self._engine, self._engine.clock.epoch()
        db = engine.store.reader()
        due = collecting.times(db, place, now)
        is_full = collecting.waiting(db, place, collect.most) >= collect.most
        if not (due or is_full) or engine.clock.monotonic() < self._not_before.get(place, 0.0):
            return False
        later = {at: then for at in due if (then := collect.schedule.at_or_after(at)) > now}
        if later:
            # It came to wait after its time: released, replayed, or under another schedule.
            engine.store.write(partial(collecting.move, place=place, times=later), durable=False)
            return True
        chosen = self._chosen(place, collect.most, now)
        if len(chosen) < collect.most and not any(d.due_at is not None and d.due_at <= now for d in chosen):
            if chosen:
                self._leave(place)
            if due:
                self._not_before[place] = engine.clock.monotonic() + _AGAIN_SECONDS
            return False
        try:
            if late := [delivery for delivery in chosen if delivery.has_expired(now)]:
                ended = expire(engine, late, now)
                self._leave(place)
                return ended > 0
            return self._put_together(place, target, chosen)
        except Exception:
            engine.later(partial(self._leave, place))
            raise

    def _chosen(self, place: Place, most: int, now: float) -> Sequence[Delivery]:
        store, worker = self._engine.store, self._engine.worker
        if not is_shared(store.url):
            return collecting.choose(store.reader(), place, most, worker)
        take = partial(collecting.take, place=place, most=most, worker=worker, at=now)
        found: Sequence[Delivery] = store.write(take, durable=False)
        return found

    def _leave(self, place: Place) -> None:
        """What was taken and came to nothing is anybody's again."""
        engine = self._engine
        if is_shared(engine.store.url):
            engine.store.write(partial(collecting.give_back, place=place, worker=engine.worker), durable=False)

    def _put_together(self, place: Place, target: CompiledTarget, chosen: Sequence[Delivery]) -> bool:
        """Whether something has changed, and there may be more: also of what the batches leave behind them."""
        engine, program = self._engine, self._engine.program
        gathered = engine.transformer.gather(chosen, program)
        if gathered.failed:
            self._bury(place, target, chosen, gathered, engine.clock.epoch())
            return True
        made = 0
        for batch in gathered.batches:
            members, now = chosen[made : made + batch.count], engine.clock.epoch()
            if not engine.store.write(partial(self._make, place, target, members, batch, program.set_id, now)):
                break
            made += batch.count
            first = members[0].delivery_id
            _log.info("collected", route=place.route, target=place.target, batch=first, count=batch.count)
        if made < len(chosen):
            self._leave(place)
        return made > 0

    def _make(
        self, place: Place, target: CompiledTarget, members: Sequence[Delivery], batch: Batch, set_id: int, now: float,
        db: Database,
    ) -> bool:  # fmt: skip
        """The batch as it is stored; False where something has come in between."""
        engine, first, body = self._engine, members[0], batch.body
        if not collecting.link(db, place, members, set_id, engine.worker, now):
            return False
        if body.stamp is not None:
            body = interchanges.stamp_together(db, members, body, now)
        by_id = {each.delivery_id: each for each in members}
        bodies.store(db, bodies.rows_of([(first, body)], now), {first.delivery_id}, set_id)
        bodies.keep_lookups(db, [(by_id[id], content) for id, content in batch.lookups], now)
        batches.add(db, first, len(members), _names(first, len(members), target, now), now)
        return True

    def _bury(
        self, place: Place, target: CompiledTarget, chosen: Sequence[Delivery], gathered: Gathered, now: float
    ) -> None:
        """Deliveries that cannot be made end; the others are looked at again."""
        engine, by_id = self._engine, {each.delivery_id: each for each in chosen}

        def job(db: Database) -> set[str]:
            bodies.keep_lookups(db, [(by_id[b.delivery_id], b.lookups) for b in gathered.failed if b.lookups], now)
            failed = [(by_id[b.delivery_id], target, b.failure) for b in gathered.failed if b.failure is not None]
            return bury(db, failed, now)

        for system in sorted(engine.store.write(job)):
            engine.wake.pump(system)
        self._leave(place)


def _names(first: Delivery, count: int, target: CompiledTarget, now: float) -> Mapping[str, str]:
    zone = target.collect.schedule.zone if target.collect else target.time_zone
    local = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone))
    values = (first.delivery_id, str(count), local.strftime("%Y-%m-%d"), local.strftime("%H%M%S"))
    return dict(zip(batches.NAMES, values, strict=True))
