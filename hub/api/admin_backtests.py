"""Back-tests: asked for, followed, cancelled, read. They run beside the flow and send nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from hub.api import asked
from hub.api.admin_messages import Limit
from hub.api.auth import Operator, Viewer
from hub.api.backtest_bodies import BacktestBody, BacktestList, BacktestReport, BacktestView
from hub.api.desk import AtDesk, Desk
from hub.api.gate import Gated
from hub.api.idempotency import ActingOnce
from hub.api.operations import described
from hub.api.problems import Problem
from hub.api.views import iso_or_none
from hub.backtest import background
from hub.backtest.background import Order
from hub.clock import iso
from hub.errors import UsageError
from hub.store import backtests
from hub.store.backtests import Row
from hub.units import seconds_of

router = APIRouter(tags=["backtests"], route_class=Gated)
Id = Annotated[str, Path(description="Of the back-test.", max_length=100)]
Unmasked = Annotated[bool, Query(description="With personal data in samples; needs operator, and is in the audit.")]


@router.post(
    "/backtests", operation_id="create_backtest", status_code=202,
    **described("operator", 404, acting=True) | {"response_model": BacktestView},
)  # fmt: skip
def create_backtest(desk: AtDesk, caller: Operator, once: ActingOnce, body: BacktestBody) -> Response:
    """Put a back-test in line; faults of its files are told at once (422, all of them). Ask for it until it is done."""

    def work() -> BacktestView:
        row = background.put_in_line(desk.engine, _order(desk, body), desk.own_connectors, caller.actor, body.reason)
        return _view(row)

    return once.run(caller, body, work, status=202)


def _order(desk: Desk, body: BacktestBody) -> Order:
    seconds = seconds_of(body.since)
    return background.order_of(
        desk.engine, name=body.name, set_id=body.set_id, files=body.files, edited=body.edited, since_seconds=seconds,
        since=_time(body.since) if seconds is None else None,
        until=body.until.timestamp() if body.until else None, limit=body.limit, system=body.system,
        lookups=body.lookups, samples=body.samples,
    )  # fmt: skip


def _time(text: str) -> float:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise UsageError(f"since: expected a time such as 2026-11-28T12:00:00Z, or 7d, got '{text}'")
    return at.timestamp()


@router.get("/backtests", operation_id="list_backtests", **described("viewer", 422))
def list_backtests(desk: AtDesk, caller: Viewer, limit: Limit = 50) -> BacktestList:
    """Back-tests of the last week, the newest first."""
    return BacktestList(items=[_view(row) for row in backtests.listed(desk.engine.store.reader(), limit)])


@router.get("/backtests/{id}", operation_id="get_backtest", **described("viewer", 404, 422))
def get_backtest(desk: AtDesk, caller: Viewer, id: Id) -> BacktestView:
    """A back-test, and how far it is."""
    return _view(background.known(desk.engine, id))


@router.get(
    "/backtests/{id}/result", operation_id="get_backtest_result",
    **described("viewer", 404, 409, 422) | {"response_model": BacktestReport},
)  # fmt: skip
def get_backtest_result(desk: AtDesk, caller: Viewer, id: Id, unmasked: Unmasked = False) -> Response:
    """What came of a back-test; personal data in samples is masked unless an operator asks for it."""
    if unmasked and not caller.sees_personal_data:
        detail = "samples may hold personal data; a viewer reads them masked"
        raise Problem(403, "forbidden", detail, hint="leave unmasked out, or use a key with the role operator")
    found = background.result(desk.engine, id, caller.actor, unmasked)
    return Response(found, headers={"Cache-Control": "no-store"}, media_type="application/json")


@router.post(
    "/backtests/{id}/cancel", operation_id="cancel_backtest",
    **described("operator", 404, acting=True) | {"response_model": BacktestView},
)  # fmt: skip
def cancel_backtest(desk: AtDesk, caller: Operator, once: ActingOnce, id: Id, body: asked.OptionalReason) -> Response:
    """Stop a back-test that waits or runs."""
    return once.run(caller, body, lambda: _view(background.cancel(desk.engine, id, caller.actor, body.reason)))


def _view(row: Row) -> BacktestView:
    return BacktestView(
        backtest_id=row.backtest_id, state=row.state, created_at=iso(row.created_at),  # type: ignore[arg-type]
        started_at=iso_or_none(row.started_at), ended_at=iso_or_none(row.ended_at), actor=row.actor, reason=row.reason,
        request={name: value for name, value in row.request.items() if value is not None}, done=row.done,
        total=row.total, error=row.error or None,
    )  # fmt: skip
