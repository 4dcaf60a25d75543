"""Which of the deliveries that wait for a system go next: each route by its weight, retries within their budget."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from hub.loggers import structlog
from hub.message import Delivery
from hub.pipeline.expired import expire
from hub.pipeline.gates import Gate
from hub.store import READ_ERRORS, due, is_shared, leases
from hub.store.database import Database

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine

_log = structlog.get_logger("dispatch")
_SURE_SECONDS = 2.0  # that a claim is a worker's own: its lease goes on for longer, whenever it was renewed last
_NONE: Mapping[str, Sequence[Delivery]] = {}


def take_turns(engine: Engine, gate: Gate, system: str, room: int, now: float) -> list[Delivery]:
    """What is due, as much as there is room for: each route its part by weight, what one leaves to the others. What
    has expired is not among it. Where this raises, what was taken so far is left."""
    found = _take_turns(engine, gate, system, room, now)
    if not (late := [delivery for delivery in found if delivery.has_expired(now)]):
        return found
    try:
        expire(engine, late, now)
    except Exception:
        engine.later(partial(leave, engine, found))
        raise
    engine.wake.pump(system)  # for there is room left
    gone = {delivery.delivery_id for delivery in late}
    return [delivery for delivery in found if delivery.delivery_id not in gone]


def _take_turns(engine: Engine, gate: Gate, system: str, room: int, now: float) -> list[Delivery]:
    routes = engine.program.routes
    ready = due.routes_due(engine.store.reader(), system)
    waiting = [name for name, first_due in ready.items() if first_due <= now]
    if len(waiting) == 1:
        return _found(engine, system, {waiting[0]: room}, now)[waiting[0]]
    weights = {name: routes[name].route.weight if name in routes else 1.0 for name in waiting}
    found: dict[str, list[Delivery]] = {name: [] for name in waiting}
    left, wanted = room, dict.fromkeys(waiting, 0)
    try:
        while left > 0 and weights:
            for name, part in gate.turns.share_out(left, weights).items():
                wanted[name] += part
            more = {name: wanted[name] - len(found[name]) for name in weights if wanted[name] > len(found[name])}
            for name, some in _found(engine, system, more, now, found).items():
                found[name] += some
            weights = {name: weight for name, weight in weights.items() if len(found[name]) >= wanted[name]}
            left = room - sum(map(len, found.values()))
    except Exception:
        engine.later(partial(leave, engine, [*chain.from_iterable(found.values())]))
        raise
    return [*chain.from_iterable(found.values())]


def leave(engine: Engine, taken: Sequence[Delivery]) -> None:
    """What was taken and came to nothing is anybody's again."""
    ids = [delivery.delivery_id for delivery in taken]
    if ids and is_shared(engine.store.url):
        engine.store.write(lambda db: due.give_back(db, ids, engine.worker), durable=False)


def _found(
    engine: Engine, system: str, wanted: Mapping[str, int], now: float, known: Mapping[str, Sequence[Delivery]] = _NONE
) -> dict[str, list[Delivery]]:
    """So many more of each route that are due, beside the ``known`` ones; where other processes look for the same, a
    share of it, with one statement."""
    store = engine.store
    if not is_shared(store.url):
        before = {route: len(known.get(route, ())) for route in wanted}
        return {
            route: due.due(store.reader(), system, route, now, before[route] + more)[before[route] :]
            for route, more in wanted.items()
        }
    found: dict[str, list[Delivery]] = {route: [] for route in wanted}
    for delivery in store.write(lambda db: due.take(db, system, wanted, now, engine.worker), durable=False):
        found[delivery.route].append(delivery)
    return found


def within_budget(engine: Engine, gate: Gate, system: str, found: Sequence[Delivery], now: float) -> Sequence[Delivery]:
    """Without the retries beyond the system's retry budget: those are put off, first tries go on."""
    retries = [d for d in found if d.attempts > 0]
    late = retries[gate.budget.room(now) :] if retries else []
    if not late:
        return found
    times = [(d.delivery_id, now + gate.budget.wait_seconds()) for d in late]

    def job(db: Database) -> None:
        due.give_back(db, [d.delivery_id for d in late], engine.worker)
        due.put_off(db, times)

    engine.store.write(job, durable=False)
    engine.counts.put_off[system] += len(late)
    gone = {d.delivery_id for d in late}
    return [d for d in found if d.delivery_id not in gone]


def still_claimed(engine: Engine, tries: Mapping[str, int], claimed_at: float) -> Collection[str] | None:
    """Which of the deliveries that were claimed a while ago, on the monotonic clock, by id with the tries there were,
    are this worker's yet: one that has stood still since may have been taken for dead, and others send them now. None
    where the store cannot tell."""
    if engine.clock.monotonic() < claimed_at + _SURE_SECONDS or not is_shared(engine.store.url):
        return tries
    try:
        ours = leases.still_on_their_way(engine.store.reader(), engine.worker, tries)
    except READ_ERRORS:
        return None
    if lost := len(tries) - len(ours):
        _log.warning("deliveries are left out: this worker stood still, and others have them by now", count=lost)
    return ours
