"""Deliveries: held back, let go, marked as dealt with, cancelled; each with a reason."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Response

from hub.api import asked, bodies
from hub.api.auth import Caller, Operator
from hub.api.desk import AtDesk, Desk
from hub.api.gate import Gated
from hub.api.idempotency import ActingOnce, Once
from hub.api.operations import described
from hub.pipeline.engine import Engine
from hub.replay import steps
from hub.store.audit import Actor

router = APIRouter(tags=["deliveries"], route_class=Gated)
Id = Annotated[str, Path(description="Of the delivery.", max_length=100)]
_ACTING = described("operator", 404, acting=True) | {"response_model": bodies.DeliveryState}
Step = Callable[[Engine, str, Actor, str], str]


@router.post("/deliveries/{id}/hold", operation_id="hold_delivery", **_ACTING)
def hold(desk: AtDesk, caller: Operator, once: ActingOnce, id: Id, body: asked.ReasonBody) -> Response:
    """Keep a queued or retrying delivery back; it keeps its place in its lane."""
    return _step(desk, caller, once, id, body, steps.hold)


@router.post("/deliveries/{id}/release", operation_id="release_delivery", **_ACTING)
def release(desk: AtDesk, caller: Operator, once: ActingOnce, id: Id, body: asked.ReleaseBody) -> Response:
    """Let a held delivery go; try one that waits for its next try now. Where an earlier try may have had its effect
    and the system can be asked, it is asked first, unless `look_up` is false."""
    return _step(desk, caller, once, id, body, partial(steps.release, look_up=body.look_up))


@router.post("/deliveries/{id}/resolve", operation_id="resolve_delivery", **_ACTING)
def resolve(desk: AtDesk, caller: Operator, once: ActingOnce, id: Id, body: asked.ReasonBody) -> Response:
    """Say that a delivery has been dealt with by other means; its lane goes on."""
    return _step(desk, caller, once, id, body, steps.resolve)


@router.post("/deliveries/{id}/cancel", operation_id="cancel_delivery", **_ACTING)
def cancel(desk: AtDesk, caller: Operator, once: ActingOnce, id: Id, body: asked.ReasonBody) -> Response:
    """Say that a delivery shall never be sent; its lane goes on."""
    return _step(desk, caller, once, id, body, steps.cancel)


def _step(desk: Desk, caller: Caller, once: Once, id: str, body: asked.ReasonBody, step: Step) -> Response:
    def work() -> bodies.DeliveryState:
        return bodies.DeliveryState(delivery_id=id, state=step(desk.engine, id, caller.actor, body.reason))

    return once.run(caller, body, work)
