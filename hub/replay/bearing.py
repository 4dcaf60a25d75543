"""What an operator does to a system's circuit and limits, each with a line in the audit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hub.errors import Conflict, NotFound, UsageError
from hub.store import audit, circuits, limits
from hub.store.audit import Actor
from hub.store.database import Database, now_of

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine


def open_circuit(engine: Engine, system: str, actor: Actor, reason: str) -> None:
    """Send nothing to a system and fetch nothing, not even as a probe, until the circuit is closed by hand. Raises
    NotFound, Conflict."""
    now = engine.clock.epoch()
    _step(
        engine, system, actor, "circuit_opened", reason, {},
        lambda db: circuits.force_open(db, system, reason, actor.name, now_of(db, now)), is_of_circuit=True,
    )  # fmt: skip


def close_circuit(engine: Engine, system: str, actor: Actor, reason: str) -> None:
    """Send again at once, fetch when it is time, and count failures anew. Raises Conflict when it is closed."""

    def close(db: Database) -> None:
        if not circuits.close(db, system):
            raise Conflict(f"the circuit of '{system[:80]}' is closed")

    _step(engine, system, actor, "circuit_closed", reason, {}, close, is_of_circuit=True)


def probe(engine: Engine, system: str, actor: Actor, reason: str) -> None:
    """Let the next probe go now. Raises Conflict when the circuit is closed, or one is on its way."""
    now = engine.clock.epoch()

    def hurry(db: Database) -> None:
        if not circuits.hurry_probe(db, system, now_of(db, now)):
            raise Conflict(f"the circuit of '{system[:80]}' is closed, or a probe is on its way")

    _step(engine, system, actor, "probed", reason, {}, hurry, is_of_circuit=True)


def adjust(
    engine: Engine, system: str, actor: Actor, reason: str, rate: float | None, concurrency: int | None,
    retry_budget: float | None = None,
) -> None:  # fmt: skip
    """Change what a system bears, for all workers and over restarts, until it is reset; None: as configured."""
    detail = {"rate": rate, "concurrency": concurrency, "retry_budget": retry_budget}
    if all(value is None for value in detail.values()):
        raise UsageError("say rate, concurrency or retry_budget; to go back to the configured ones use limits/reset")
    change = limits.Adjustment(rate, concurrency, reason, engine.clock.epoch(), actor.name, retry_budget)
    _step(engine, system, actor, "adjusted", reason, detail, lambda db: limits.adjust(db, system, change))


def reset(engine: Engine, system: str, actor: Actor, reason: str) -> None:
    """Go back to the configured limits. Raises Conflict when they are in force."""

    def back(db: Database) -> None:
        if not limits.reset(db, system):
            raise Conflict(f"the limits of '{system[:80]}' are the configured ones")

    _step(engine, system, actor, "limits_reset", reason, {}, back)


def _step(
    engine: Engine, system: str, actor: Actor, action: str, reason: str, detail: dict[str, Any],
    step: Callable[[Database], None], is_of_circuit: bool = False,
) -> None:  # fmt: skip
    found = engine.program.settings.systems.get(system)
    if found is None:
        raise NotFound(f"there is no system '{system[:80]}' in the active set")
    if is_of_circuit and not found.has_circuit:
        raise Conflict(f"nothing is sent to '{system}' or fetched from it")
    if not is_of_circuit and not found.sends:
        raise Conflict(f"nothing is sent to '{system}'")

    def job(db: Database) -> None:
        step(db)
        audit.append(db, engine.clock.epoch(), actor, f"system.{action}", system, detail, reason)

    engine.store.write(job)
    engine.dispatcher.refresh()
    if found.sends:
        engine.wake.pump(system)
