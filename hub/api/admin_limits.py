"""Systems: how they are, and what an operator changes of it: circuits and limits, for all workers at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Response

from hub.api import asked, system_bodies
from hub.api.admin_switches import switched_off
from hub.api.auth import Caller, Operator, Viewer
from hub.api.desk import AtDesk, Desk
from hub.api.gate import Gated
from hub.api.idempotency import ActingOnce, Once
from hub.api.operations import described
from hub.api.views import iso_or_none
from hub.clock import iso
from hub.pipeline.engine import Engine
from hub.pipeline.gates import budget_of, in_force
from hub.redaction import redact_text
from hub.replay import bearing
from hub.store import circuits, limits, quotas, search, sources, usage
from hub.store.audit import Actor
from hub.store.circuits import Circuit
from hub.store.database import now_of
from hub.store.limits import Adjustment
from hub.systems import System

router = APIRouter(tags=["systems"], route_class=Gated)
Name = Annotated[str, Path(max_length=100)]
_ACTING = described("operator", 404, acting=True) | {"response_model": system_bodies.SystemView}
Step = Callable[[Engine, str, Actor, str], None]


@router.get("/systems", operation_id="list_systems", **described("viewer"))
def list_systems(desk: AtDesk, caller: Viewer) -> system_bodies.SystemList:
    """The systems in force: how many deliveries wait for each, its switch, circuit, pause and limits."""
    return system_bodies.SystemList(items=system_views(desk))


@router.get("/quotas", operation_id="list_quotas", **described("viewer"))
def list_quotas(desk: AtDesk, caller: Viewer) -> system_bodies.QuotaList:
    """How full each quota is that the configuration and the routes in force say, as it was measured last."""
    program = desk.engine.program
    states = {(state.kind, state.name): state for state in usage.states(desk.engine.store.reader())}
    limits = quotas.limits_of(program.settings, program.route_files)
    return system_bodies.QuotaList(items=[_quota(limit, states.get((limit.kind, limit.name))) for limit in limits])


def _quota(limit: usage.Limit, known: usage.State | None) -> system_bodies.QuotaView:
    state = known or usage.State(limit.kind, limit.name)
    size, messages = (
        None if most is None else system_bodies.Room(used=used, limit=most)
        for used, most in ((state.bytes, limit.bytes), (state.messages, limit.messages))
    )
    return system_bodies.QuotaView(
        kind=limit.kind, name=limit.name, size=size, messages=messages, full_since=iso_or_none(state.full_since),  # type: ignore[arg-type]
        pruned_at=iso_or_none(state.pruned_at), pruned_to=iso_or_none(state.pruned_to),
    )  # fmt: skip


def system_views(desk: Desk) -> list[system_bodies.SystemView]:
    """The systems in force, by name."""
    off, found = switched_off(desk, "system"), []
    with desk.engine.store.snapshot() as db:
        now, waiting = now_of(db, desk.engine.clock.epoch()), search.waiting_by_system(db)
        open_now, pauses, adjusted = circuits.open_now(db), circuits.pauses(db), limits.adjusted(db)
        fetched = sources.states(db)
    for name, system in sorted(desk.engine.program.settings.systems.items()):
        pause = pauses.get(name)
        found.append(
            system_bodies.SystemView(
                name=name, description=system.description, connector=system.connector, preset=system.preset or None,
                sends=system.sends, receives=system.receives, fetches=system.fetches, waiting=waiting.get(name, 0),
                off=off.get(name), circuit=circuit_view(open_now.get(name)) if system.has_circuit else None,
                paused_until=iso(pause.until) if pause and pause.until > now else None,
                limits=_limits(system, adjusted.get(name)) if system.sends else None,
                source=_source(fetched.get(name)) if system.fetches else None,
            )
        )  # fmt: skip
    return found


def _source(state: sources.SourceState | None) -> system_bodies.SourceView:
    if state is None:
        return system_bodies.SourceView(taken=0)
    return system_bodies.SourceView(
        tried_at=iso(state.tried_at), read_at=iso_or_none(state.read_at), took_at=iso_or_none(state.took_at),
        taken=state.taken, failing_since=iso_or_none(state.failing_since), reason=redact_text(state.reason) or None,
    )  # fmt: skip


def circuit_view(circuit: Circuit | None) -> system_bodies.CircuitView:
    """A circuit as it is shown, to viewers too: its reason holds what the system answered."""
    if circuit is None:
        return system_bodies.CircuitView(state="closed")
    return system_bodies.CircuitView(
        state="half_open" if circuit.state == circuits.HALF_OPEN else "open", since=iso(circuit.since),
        reason=redact_text(circuit.reason), actor=circuit.actor, next_probe_at=iso_or_none(circuit.probe_at),
        failed_probes=circuit.failed_probes,
    )  # fmt: skip


def _limits(system: System, change: Adjustment | None) -> system_bodies.LimitsView:
    rate, concurrency = in_force(system, change)
    plain_rate, plain_concurrency = in_force(system, None)
    who = None
    if change is not None:
        who = system_bodies.Adjusted(reason=change.reason, since=iso(change.at), actor=change.actor)
    return system_bodies.LimitsView(
        rate=rate or None, concurrency=concurrency, retry_budget=budget_of(system, change), adjusted=who,
        configured=system_bodies.Bearing(
            rate=plain_rate or None, concurrency=plain_concurrency, retry_budget=budget_of(system)
        ),
    )  # fmt: skip


@router.post("/systems/{name}/circuit/open", operation_id="open_circuit", **_ACTING)
def open_circuit(desk: AtDesk, caller: Operator, once: ActingOnce, name: Name, body: asked.ReasonBody) -> Response:
    """Send nothing to a system, and fetch nothing, until the circuit is closed by hand; deliveries use up no tries."""
    return _step(desk, caller, once, name, body, bearing.open_circuit)


@router.post("/systems/{name}/circuit/close", operation_id="close_circuit", **_ACTING)
def close_circuit(desk: AtDesk, caller: Operator, once: ActingOnce, name: Name, body: asked.OptionalReason) -> Response:
    """Send to a system again at once, fetch from it when it is time, and count its failures anew."""
    return _step(desk, caller, once, name, body, bearing.close_circuit)


@router.post("/systems/{name}/circuit/probe", operation_id="probe_circuit", **_ACTING)
def probe_circuit(desk: AtDesk, caller: Operator, once: ActingOnce, name: Name, body: asked.OptionalReason) -> Response:
    """Let one delivery through now, or the next look, to find out whether the system is back."""
    return _step(desk, caller, once, name, body, bearing.probe)


@router.post("/systems/{name}/limits", operation_id="adjust_limits", **_ACTING)
def adjust_limits(desk: AtDesk, caller: Operator, once: ActingOnce, name: Name, body: asked.LimitsBody) -> Response:
    """Change what a system bears, for all workers and over restarts, until it is reset."""

    def step(engine: Engine, system: str, actor: Actor, reason: str) -> None:
        bearing.adjust(engine, system, actor, reason, body.rate, body.concurrency, body.retry_budget)

    return _step(desk, caller, once, name, body, step)


@router.post("/systems/{name}/limits/reset", operation_id="reset_limits", **_ACTING)
def reset_limits(desk: AtDesk, caller: Operator, once: ActingOnce, name: Name, body: asked.OptionalReason) -> Response:
    """Go back to the configured limits."""
    return _step(desk, caller, once, name, body, bearing.reset)


def _step(
    desk: Desk, caller: Caller, once: Once, name: str, step_body: asked.ReasonBody | asked.OptionalReason, step: Step
) -> Response:
    def work() -> system_bodies.SystemView:
        step(desk.engine, name, caller.actor, step_body.reason)
        return next(view for view in system_views(desk) if view.name == name)

    return once.run(caller, step_body, work)
