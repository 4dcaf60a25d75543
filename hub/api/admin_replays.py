"""Replays: planned first, started with the plan's hash, followed, cancelled."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from hub import replay as replays
from hub.api import asked, bodies
from hub.api.admin_messages import Cursor, Limit
from hub.api.auth import Operator, Viewer
from hub.api.cursors import row_number
from hub.api.desk import AtDesk
from hub.api.filters import filter_from
from hub.api.gate import Gated
from hub.api.idempotency import ActingOnce
from hub.api.operations import described
from hub.api.views import iso_or_none
from hub.clock import iso
from hub.replay import REASONS, Progress, Request
from hub.store import replays as rows

router = APIRouter(tags=["replays"], route_class=Gated)
Id = Annotated[str, Path(description="Of the replay.", max_length=100)]
ItemState = Annotated[Literal["", "waiting", "started", "skipped"], Query(description="Only items in this state.")]
_MADE = described("operator", 404, acting=True) | {"response_model": bodies.ReplayView}


@router.post("/replays", operation_id="create_replay", status_code=201, **_MADE)
def create_replay(desk: AtDesk, caller: Operator, once: ActingOnce, body: asked.ReplayBody) -> Response:
    """Plan a replay. With `dry_run: false` it is started at once; without, start it with its `plan_hash`."""

    def work() -> bodies.ReplayView:
        planned = replays.plan(desk.engine, _request(body), caller.actor)
        if not body.dry_run:
            replays.start(desk.engine, planned.replay_id, planned.plan_hash, caller.actor)
        return _view(replays.progress(desk.engine, planned.replay_id))

    return once.run(caller, body, work, status=201)


def _request(body: asked.ReplayBody) -> Request:
    reason = f"{body.reason} ({body.ticket})" if body.ticket else body.reason
    return Request(
        ids=tuple(dict.fromkeys(body.select.ids)), filter=filter_from(body.select.filter), begin=body.from_,
        version=body.version, destinations=tuple(body.destinations), superseded=body.superseded,
        delivered=body.delivered, max_items=body.max_items, rate_per_second=body.rate_per_second, reason=reason,
    )  # fmt: skip


@router.get("/replays", operation_id="list_replays", **described("viewer", 422))
def list_replays(desk: AtDesk, caller: Viewer, limit: Limit = 50) -> bodies.ReplayList:
    """Replays, the newest first."""
    found = rows.listed(desk.engine.store.reader(), limit)
    return bodies.ReplayList(items=[_view(replays.progress(desk.engine, replay.replay_id)) for replay in found])


@router.get("/replays/{id}", operation_id="get_replay", **described("viewer", 404, 422))
def get_replay(desk: AtDesk, caller: Viewer, id: Id) -> bodies.ReplayView:
    """A replay: its plan, how far it is, and what has become of what it made."""
    return _view(replays.progress(desk.engine, id))


@router.post("/replays/{id}/start", operation_id="start_replay", **_MADE)
def start_replay(desk: AtDesk, caller: Operator, once: ActingOnce, id: Id, body: asked.StartBody) -> Response:
    """Start a planned replay. 409 `plan_stale` if it would no longer do what was planned."""

    def work() -> bodies.ReplayView:
        replays.start(desk.engine, id, body.plan_hash, caller.actor)
        return _view(replays.progress(desk.engine, id))

    return once.run(caller, body, work)


@router.post("/replays/{id}/cancel", operation_id="cancel_replay", **_MADE)
def cancel_replay(desk: AtDesk, caller: Operator, once: ActingOnce, id: Id, body: asked.OptionalReason) -> Response:
    """Stop a replay: what it has started goes on, the rest stays as it is."""

    def work() -> bodies.ReplayView:
        replays.cancel(desk.engine, id, caller.actor, body.reason)
        return _view(replays.progress(desk.engine, id))

    return once.run(caller, body, work)


@router.get("/replays/{id}/items", operation_id="list_replay_items", **described("viewer", 404, 422))
def list_replay_items(
    desk: AtDesk, caller: Viewer, id: Id, state: ItemState = "", limit: Limit = 100, cursor: Cursor = None
) -> bodies.ReplayItems:
    """What a replay does, in its order: each thing with what came of it, or why it was left."""
    replays.progress(desk.engine, id)
    after = row_number(cursor)
    found = rows.items(desk.engine.store.reader(), id, -1 if after is None else after, limit, state)
    items = [
        bodies.ReplayItem(
            ordinal=item.ordinal, kind=item.kind, item_id=item.item_id, state=item.state, note=item.note or None,
            detail=REASONS.get(item.note), new_id=item.new_id or None,
        )
        for item in found
    ]  # fmt: skip
    return bodies.ReplayItems(items=items, next_cursor=str(found[-1].ordinal) if len(found) == limit else None)


def _view(progress: Progress) -> bodies.ReplayView:
    replay = progress.replay
    return bodies.ReplayView(
        replay_id=replay.replay_id, state=replay.state, created_at=iso(replay.created_at),  # type: ignore[arg-type]
        started_at=iso_or_none(replay.started_at), ended_at=iso_or_none(replay.ended_at), actor=replay.actor,
        reason=replay.reason, request=_shown(replay.request), plan=replay.plan, plan_hash=replay.plan_hash,
        items=dict(progress.items), outcomes=dict(progress.outcomes), waits=dict(progress.waits),
    )  # fmt: skip


def _shown(request: dict[str, object]) -> dict[str, object]:
    """The request in the words of the API, without what was not said."""
    stored = request.get("filter")
    wanted = (
        {key: value for key, value in stored.items() if value not in ("", [], None)} if isinstance(stored, dict) else {}
    )
    rest = {
        key: value for key, value in request.items() if key not in ("filter", "begin") and value not in ([], None, "")
    }
    return (
        {"filter": wanted, "from": request.get("begin"), **rest} if wanted else {"from": request.get("begin"), **rest}
    )
