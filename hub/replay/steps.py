"""What an operator does to one thing by hand, each with a reason and a line in the audit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hub.errors import Conflict, NotFound, UsageError
from hub.store import audit, deliveries, findings, interventions, message_view, switches
from hub.store.audit import Actor
from hub.store.database import Database
from hub.yamldoc import did_you_mean

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine

_MOST_REASON = 500


def hold(engine: Engine, delivery_id: str, actor: Actor, reason: str) -> str:
    """Keep a waiting delivery back; gives its new state."""
    now = engine.clock.epoch()

    def step(db: Database, state: str) -> set[str]:
        interventions.hold(db, delivery_id, _reason(reason), now)
        return set()

    return _step(engine, delivery_id, actor, reason, "hold", interventions.HOLDABLE, step)


def release(engine: Engine, delivery_id: str, actor: Actor, reason: str, look_up: bool = True) -> str:
    """Let a held delivery go; one that waits for its next try is tried now. Where an earlier try may have had its
    effect and its system can be asked, it is asked first; ``look_up`` False: a person has looked, and it is sent."""
    now = engine.clock.epoch()

    def step(db: Database, state: str) -> set[str]:
        if state == "held":
            asks = look_up and _can_be_asked(engine, interventions.in_doubt(db, delivery_id))
            return (interventions.ask if asks else interventions.release)(db, delivery_id, now)
        interventions.hurry(db, delivery_id, now)
        return {found[1]} if (found := interventions.state_of(db, delivery_id)) else set()

    return _step(engine, delivery_id, actor, reason, "release", interventions.RELEASABLE, step)


def _can_be_asked(engine: Engine, doubtful: tuple[str, str] | None) -> bool:
    target = engine.program.find(*doubtful) if doubtful else None
    return target is not None and target.mode == "lookup"


def resolve(engine: Engine, delivery_id: str, actor: Actor, reason: str) -> str:
    """Say that a delivery has been dealt with by other means; its lane goes on."""
    return _end(engine, delivery_id, actor, reason, "resolve", "resolved", interventions.RESOLVABLE)


def cancel(engine: Engine, delivery_id: str, actor: Actor, reason: str) -> str:
    """Say that a delivery shall never be sent; its lane goes on."""
    return _end(engine, delivery_id, actor, reason, "cancel", "cancelled", interventions.CANCELLABLE)


def _end(
    engine: Engine, delivery_id: str, actor: Actor, reason: str, action: str, state: str, allowed: tuple[str, ...]
) -> str:
    now = engine.clock.epoch()
    return _step(
        engine, delivery_id, actor, reason, action, allowed,
        lambda db, _: deliveries.move(db, delivery_id, state, now, _reason(reason)),
    )  # fmt: skip


def _step(
    engine: Engine, delivery_id: str, actor: Actor, reason: str, action: str, allowed: tuple[str, ...],
    step: Callable[[Database, str], set[str]],
) -> str:  # fmt: skip
    """Do a step if the delivery's state allows it, with its audit line, in one transaction; gives the new state."""
    text = _reason(reason)

    def job(db: Database) -> tuple[str, set[str]]:
        found = interventions.state_of(db, delivery_id)
        if found is None:
            raise NotFound(f"there is no delivery with the id '{delivery_id[:80]}'")
        if found[0] not in allowed:
            raise Conflict(f"the delivery is {found[0]}; {action} works on {', '.join(allowed)}")
        free = step(db, found[0])
        audit.append(
            db, engine.clock.epoch(), actor, f"delivery.{action}", delivery_id, {"before": found[0]}, text
        )  # fmt: skip
        after = interventions.state_of(db, delivery_id)
        return (after or found)[0], free

    state, free = engine.store.write(job)
    for system in sorted(free):
        engine.wake.pump(system)
    return str(state)


def resolve_message(engine: Engine, id: str, actor: Actor, reason: str) -> None:
    """Say that a dead message or receipt, or what was found about a message, has been dealt with by other means. Raises
    Conflict when there is no such thing."""
    text = _reason(reason)

    def job(db: Database) -> None:
        place = message_view.locate(db, id)
        if place is None or place[0] == "delivery":
            raise NotFound(f"there is no message or receipt with the id '{id[:80]}'")
        by = f"resolved by {actor.name}"
        settled = findings.settle(db, id, engine.clock.epoch(), by)
        if not interventions.resolve_letter(db, place[0], id, by) and not settled:
            raise Conflict("this is not dead and nothing was found about it, or it has been dealt with before")
        audit.append(db, engine.clock.epoch(), actor, f"{place[0]}.resolve", id, {}, text)

    engine.store.write(job)


def pause_route(engine: Engine, name: str, actor: Actor, reason: str) -> None:
    """Take in what comes for a route and park it. Raises NotFound."""
    _refuse_unknown(engine, "route", name)
    _throw(engine, "route", name, "paused", actor, _reason(reason))


def stop_system(engine: Engine, name: str, actor: Actor, reason: str) -> None:
    """Send nothing to a system and fetch nothing from it until it is started. Raises NotFound."""
    _refuse_unknown(engine, "system", name)
    _throw(engine, "system", name, "stopped", actor, _reason(reason))


def _refuse_unknown(engine: Engine, kind: str, name: str) -> None:
    known = engine.program.routes if kind == "route" else engine.program.settings.systems
    if name not in known:
        raise NotFound(f"there is no {kind} '{name[:80]}' in the active set{did_you_mean(name[:80], known)}")


def _throw(engine: Engine, kind: str, name: str, state: str, actor: Actor, reason: str) -> None:
    now = engine.clock.epoch()

    def job(db: Database) -> None:
        switches.throw(db, kind, name, state, reason, now, actor.name)
        audit.append(db, now, actor, f"{kind}.{state}", name, {}, reason)

    engine.store.write(job)


def switch_on(engine: Engine, kind: str, name: str, actor: Actor, reason: str = "") -> None:
    """Resume a route or start a system, whose secrets are read again; what waited goes on. Raises Conflict when it was
    not off, NotFound when there is none of that name either."""

    def job(db: Database) -> None:
        if not switches.release(db, kind, name):
            _refuse_unknown(engine, kind, name)
            raise Conflict(f"the {kind} '{name[:80]}' is not off")
        audit.append(
            db, engine.clock.epoch(), actor, f"{kind}.{'resumed' if kind == 'route' else 'started'}", name, {}, reason
        )

    engine.store.write(job)
    if kind == "system":
        engine.dispatcher.destinations.reopen(name)
    route = engine.program.routes.get(name) if kind == "route" else None
    systems = {target.system.name for target in route.targets} if route else {name}
    for system in sorted(systems):
        engine.wake.pump(system)


def _reason(reason: str) -> str:
    text = reason.strip()
    if not text:
        raise UsageError("reason: say why; it is kept with the audit")
    if len(text) > _MOST_REASON:
        raise UsageError(f"reason: at most {_MOST_REASON} characters, got {len(text)}")
    return text
