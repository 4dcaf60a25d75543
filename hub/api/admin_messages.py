"""Messages: found, looked at whole, their payloads read, dead ones marked as dealt with."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Response

from hub.api import asked, bodies, views
from hub.api.auth import Operator, Viewer
from hub.api.desk import AtDesk, Desk
from hub.api.filters import Wanted
from hub.api.gate import Gated
from hub.api.idempotency import ActingOnce
from hub.api.operations import described
from hub.clock import iso
from hub.errors import NotFound
from hub.message import CANONICAL
from hub.replay import steps, verdict_on
from hub.replay.judge import REASONS
from hub.store import effects, findings, message_view, payloads, replay_outcomes, search
from hub.store.database import Database

router = APIRouter(tags=["messages"], route_class=Gated)
Id = Annotated[
    str, Path(description="Of a message, of a receipt (what the door answered) or of a delivery.", max_length=100)
]
Limit = Annotated[int, Query(ge=1, le=search.MAX_LIMIT, description="How many at most.")]
Cursor = Annotated[str | None, Query(description="The `next_cursor` of the page before.", max_length=200)]


@router.get("/messages", operation_id="list_messages", **described("viewer", 422))
def list_messages(
    desk: AtDesk, caller: Viewer, wanted: Wanted, limit: Limit = 50, cursor: Cursor = None
) -> bodies.MessagePage:
    """Messages, newest first, with the state of each of their deliveries; no payload."""
    with desk.engine.store.snapshot() as db:
        page = search.find(db, wanted, limit, cursor)
        items = views.messages(db, page.items, desk.engine.program.schemas, caller.sees_personal_data)
    return bodies.MessagePage(items=items, next_cursor=page.next_cursor)


@router.get("/messages/{id}", operation_id="get_message", **described("viewer", 404, 422))
def get_message(desk: AtDesk, caller: Viewer, id: Id) -> bodies.MessageDetail:
    """One message whole: origin, keys, deliveries, attempts, payloads, replays, and whether it can be replayed."""
    with desk.engine.store.snapshot() as db:
        own, came = find_message(db, id)
        return _detail(desk, db, own, came, caller.sees_personal_data)


@router.get("/messages/{id}/attempts", operation_id="list_attempts", **described("viewer", 404, 422))
def list_attempts(desk: AtDesk, caller: Viewer, id: Id) -> bodies.AttemptList:
    """Every try of every delivery of a message."""
    with desk.engine.store.snapshot() as db:
        own, _ = find_message(db, id)
        lines = message_view.deliveries(db, own["message_id"]) if own else []
        return bodies.AttemptList(items=_attempts(db, lines, caller.sees_personal_data))


@router.get("/messages/{id}/effects", operation_id="list_effects", **described("viewer", 404, 422))
def list_effects(desk: AtDesk, caller: Viewer, id: Id) -> bodies.EffectList:
    """What is known of what each delivery of a message has caused: sent when, answered what, looked up, found."""
    with desk.engine.store.snapshot() as db:
        own, _ = find_message(db, id)
        found = effects.of_message(db, own["message_id"]) if own else []
    return bodies.EffectList(items=views.effects(found, caller.sees_personal_data))


@router.get("/findings", operation_id="list_findings", **described("viewer", 422))
def list_findings(desk: AtDesk, caller: Viewer, limit: Limit = 50) -> bodies.FindingList:
    """What was found about messages and nobody has seen to, the oldest first; resolve a message once it is settled."""
    with desk.engine.store.snapshot() as db:
        found = findings.open_now(db, limit)
    return bodies.FindingList(items=[views.finding(one, caller.sees_personal_data) for one in found])


Row = dict[str, Any]


def find_message(db: Database, id: str) -> tuple[Row | None, Row]:
    """(message, receipt) of an id: the message is None for a receipt of several, or of none. Raises NotFound."""
    place = message_view.locate(db, id)
    if place is None:
        raise NotFound(f"there is no message, receipt or delivery with the id '{id[:80]}'")
    if place[0] == "receipt":
        came = message_view.receipt(db, id)
        own = None
    else:
        message_id = id if place[0] == "message" else message_view.message_of_delivery(db, id)
        own = message_view.message(db, message_id)
        came = message_view.receipt_of(db, own["seq"]) if own else None
    if came is None:
        raise NotFound(f"what '{id[:80]}' belonged to is no longer stored")
    return own, came


def _attempts(db: Database, lines: list[Row], sees: bool) -> list[bodies.Attempt]:
    return [
        views.attempt(row, line["target"], sees)
        for line in lines
        for row in message_view.attempts(db, line["delivery_id"])
    ]


def _detail(desk: Desk, db: Database, own: Row | None, came: Row, sees: bool) -> bodies.MessageDetail:
    shown: Row = own or came
    id = own["message_id"] if own else came["receipt_id"]
    lines = message_view.deliveries(db, id) if own else []
    stages = message_view.stages(db, own, came, lines)
    return bodies.MessageDetail(
        message_id=id, receipt_id=came["receipt_id"], state=shown["state"], source=shown["source"],
        event=shown["event"], route=shown["route"], type=shown.get("type", ""),
        main_key=views.key_text(shown.get("main_key", ""), desk.engine.program.schemas, sees),
        received_at=iso(shown["received_at"]), place=shown.get("place") or None, resolved_by=shown["resolved_by"],
        replay_state=replay_outcomes.outcomes(db, [id]).get(id) if shown["resolved_by"] else None,
        replay_of=came["replay_of"] or None, issue=shown["fingerprint"] or None,
        error=views.failure(shown["failure"], sees),
        deliveries=[views.delivery(line, sees) for line in lines], seq=came["seq"],
        position=own["position"] if own else 0, door=came["door"], content_type=came["content_type"],
        size=came["size"], name=came["name"] or None, correlation_id=shown["correlation_id"] or None,
        causation_id=shown["causation_id"] or None, trace_id=_trace_id(shown["traceparent"]),
        set_id=own["set_id"] if own else None, keys=_keys(desk, db, own, sees), attempts=_attempts(db, lines, sees),
        findings=[views.finding(one, sees) for one in findings.of_message(db, id)],
        effects=views.effects(effects.of_message(db, id), sees) if own else [],
        payloads=[_stage(stage) for stage in stages],
        replays=message_view.replayed_by(db, id), messages=[] if own else message_view.messages_of(db, came["seq"]),
        message_count=came["message_count"], replay=_replayable(desk, db, id),
    )  # fmt: skip


def _stage(row: Row) -> bodies.Stage:
    return bodies.Stage(**{name: row[name] for name in ("stage", "revision", "size", "content_type")})


def _replayable(desk: Desk, db: Database, id: str) -> bodies.Replayable:
    against = verdict_on(db, id, desk.engine.program)
    return bodies.Replayable(replayable=not against, reason=against or None, detail=REASONS.get(against))


def _keys(desk: Desk, db: Database, own: Row | None, sees: bool) -> list[str]:
    """All keys a message asserts, from its canonical document; once that is pruned, the main key."""
    if own is None:
        return []
    raw, schemas = payloads.read(db, own["message_id"], CANONICAL), desk.engine.program.schemas
    texts = [own["main_key"]] if own["main_key"] else []
    if raw is not None and own["type"] in schemas.names():
        texts = [key.text for key in schemas.keys(own["type"], msgspec.json.decode(raw))]
    parts = (views.key_text(text, schemas, sees).split(":", 2) for text in texts)
    return [f"{part[0]}:{part[-1]}" for part in parts]


def _trace_id(traceparent: str) -> str | None:
    parts = traceparent.partition(" ")[0].split("-")
    return parts[1] if len(parts) == 4 else None


@router.post(
    "/messages/{id}/resolve", operation_id="resolve_message",
    **described("operator", 404, acting=True) | {"response_model": bodies.Resolved},
)  # fmt: skip
def resolve_message(desk: AtDesk, caller: Operator, once: ActingOnce, id: Id, body: asked.ReasonBody) -> Response:
    """Say that a dead message or receipt, or what was found about a message, has been dealt with by other means."""

    def work() -> bodies.Resolved:
        steps.resolve_message(desk.engine, id, caller.actor, body.reason)
        return bodies.Resolved(message_id=id, resolved_by=caller.name)

    return once.run(caller, body, work)
