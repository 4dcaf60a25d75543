"""Routes, and the switches of routes and systems."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response

from hub.api import asked, bodies
from hub.api.auth import Caller, Operator, Viewer
from hub.api.desk import AtDesk, Desk
from hub.api.gate import Gated
from hub.api.idempotency import ActingOnce, Once
from hub.api.operations import described
from hub.clock import iso
from hub.redaction import redact_text
from hub.replay import steps
from hub.store import switches

routes = APIRouter(tags=["routes"], route_class=Gated)
systems = APIRouter(tags=["systems"], route_class=Gated)
Name = Annotated[str, Path(max_length=100)]
_ACTING = described("operator", 404, acting=True) | {"response_model": bodies.SwitchState}


@routes.get("/routes", operation_id="list_routes", **described("viewer"))
def list_routes(desk: AtDesk, caller: Viewer) -> bodies.RouteList:
    """The routes in force, each with its switch if it is off."""
    return bodies.RouteList(items=route_views(desk))


def route_views(desk: Desk) -> list[bodies.RouteView]:
    """The routes in force, by name."""
    off = switched_off(desk, "route")
    found = [compiled.route for _, compiled in sorted(desk.engine.program.routes.items())]
    return [
        bodies.RouteView(
            name=route.name, description=route.description, source=route.system, events=list(route.events),
            map=route.map, order=route.order, targets=[target.id for target in route.targets], file=route.file,
            line=route.line, off=off.get(route.name),
        )
        for route in found
    ]  # fmt: skip


@routes.post("/routes/{name}/pause", operation_id="pause_route", **_ACTING)
def pause_route(desk: AtDesk, caller: Operator, once: ActingOnce, name: Name, body: asked.ReasonBody) -> Response:
    """Park what comes for a route: it is accepted and stored, and delivered when the route is resumed."""
    step = partial(steps.pause_route, desk.engine, name, caller.actor, body.reason)
    return _switch(caller, once, name, body, step, "paused")


@routes.post("/routes/{name}/resume", operation_id="resume_route", **_ACTING)
def resume_route(desk: AtDesk, caller: Operator, once: ActingOnce, name: Name, body: asked.OptionalReason) -> Response:
    """Let a paused route go on, with what was parked, in order."""
    step = partial(steps.switch_on, desk.engine, "route", name, caller.actor, body.reason)
    return _switch(caller, once, name, body, step, "on")


@systems.post("/systems/{name}/stop", operation_id="stop_system", **_ACTING)
def stop_system(desk: AtDesk, caller: Operator, once: ActingOnce, name: Name, body: asked.ReasonBody) -> Response:
    """Send nothing to a system, and fetch nothing from it, until it is started; deliveries wait and use up no tries."""
    step = partial(steps.stop_system, desk.engine, name, caller.actor, body.reason)
    return _switch(caller, once, name, body, step, "stopped")


@systems.post("/systems/{name}/start", operation_id="start_system", **_ACTING)
def start_system(desk: AtDesk, caller: Operator, once: ActingOnce, name: Name, body: asked.OptionalReason) -> Response:
    """Send to a system again that was stopped, by a person or by the hub when its credentials failed."""
    step = partial(steps.switch_on, desk.engine, "system", name, caller.actor, body.reason)
    return _switch(caller, once, name, body, step, "on")


def _switch(
    caller: Caller, once: Once, name: str, body: Any, step: Callable[[], None],
    state: Literal["on", "paused", "stopped"],
) -> Response:  # fmt: skip
    def work() -> bodies.SwitchState:
        step()
        return bodies.SwitchState(name=name, state=state)

    return once.run(caller, body, work)


def switched_off(desk: Desk, kind: str) -> dict[str, bodies.Switch]:
    """The routes or systems that are switched off, with why, in words that everybody may see."""
    rows = switches.listed(desk.engine.store.reader())
    return {
        row["name"]: bodies.Switch(
            state=row["state"], reason=redact_text(row["reason"]), since=iso(row["since"]), actor=row["actor"]
        )
        for row in rows
        if row["kind"] == kind
    }
