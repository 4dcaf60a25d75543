"""Health: alive, ready, and numbers for monitoring."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from hub import metrics
from hub.api.alive import ready
from hub.api.auth import LocalViewer
from hub.api.bodies import Given
from hub.api.desk import AtDesk
from hub.api.operations import described

router = APIRouter(tags=["health"])
_TEXT = {"description": "Prometheus text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}
_METRICS, _READY = described("viewer"), described("viewer")


class Living(Given):
    """A process that answers."""

    status: Literal["ok"]


class Ready(Given):
    """Whether documents can be taken in. `checks` has `ok` or what is wrong; what stands behind it, only scaled out."""

    status: Literal["ready", "not ready"]
    checks: dict[str, str] | None = None
    workers: int | None = None
    sweeper: bool | None = None
    broker: Literal["ok", "away"] | None = None


_NOT_READY = {"description": "Not ready: `checks` says why.", "model": Ready}


@router.get("/healthz", operation_id="healthz", **described("none"))
def healthz() -> Living:
    """Whether the process answers. Needs no key."""
    return Living(status="ok")


@router.get(
    "/readyz", operation_id="readyz",
    **_READY | {"response_model": Ready, "responses": {**_READY["responses"], 503: _NOT_READY}},
)  # fmt: skip
def readyz(desk: AtDesk, caller: LocalViewer) -> Response:
    """Whether documents can be taken in: the store can be written and the backlog has room. Scaled out it also tells
    which workers are alive, which sweeper leads and how the broker is; none of them is needed to take documents in.
    Without a key, from elsewhere than this very machine, the status alone."""
    return ready(desk.engine, desk.others)


@router.get(
    "/metrics", operation_id="metrics", response_class=Response,
    **_METRICS | {"responses": {200: _TEXT, **_METRICS["responses"]}},
)  # fmt: skip
def get_metrics(desk: AtDesk, caller: LocalViewer) -> Response:
    """Counters and gauges. From this very machine without a key."""
    return Response(metrics.render(desk.engine, desk.tally()), media_type=CONTENT_TYPE_LATEST)
