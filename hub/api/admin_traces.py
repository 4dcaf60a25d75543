"""Traces: where each value of a message, and of what its targets were sent, came from. Every reading is an event of the
audit, as that of a payload is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from hub.api.admin_messages import Cursor, Id, Row, find_message
from hub.api.auth import Caller, Viewer
from hub.api.cursors import row_number
from hub.api.desk import AtDesk, Desk
from hub.api.operations import described
from hub.api.trace_bodies import DeliveryTrace, MessageTrace
from hub.errors import Conflict, NotFound
from hub.store import audit, message_view
from hub.tracing import Ask, trace

router = APIRouter(tags=["messages"])
DeliveryId = Annotated[str, Path(description="Of the delivery.", max_length=100)]
FieldPath = Annotated[
    str, Query(alias="field", max_length=300, description="Only this field and what is within it: `order_lines[0]`; "
               "`[]` stands for every element.", examples=["order_lines[].price"]),
]  # fmt: skip
Limit = Annotated[int, Query(ge=1, le=1000, description="How many fields at most.")]
_DESCRIBED = described("viewer", 404, 409, 410, 422, 504)


@router.get("/messages/{id}/trace", operation_id="get_message_trace", **_DESCRIBED | {"response_model": MessageTrace})
def get_message_trace(
    desk: AtDesk, caller: Viewer, id: Id, field: FieldPath = "", limit: Limit = 200, cursor: Cursor = None
) -> Response:
    """Where each field of a message's canonical document came from: expression, source paths, raw positions. A viewer
    gets it without personal data."""
    with desk.engine.store.snapshot() as db:
        own = _message(*find_message(db, id))
    return _answer(desk, caller, own["message_id"], "", field, limit, cursor)


@router.get(
    "/deliveries/{id}/trace", operation_id="get_delivery_trace", **_DESCRIBED | {"response_model": DeliveryTrace}
)
def get_delivery_trace(
    desk: AtDesk, caller: Viewer, id: DeliveryId, field: FieldPath = "", limit: Limit = 200, cursor: Cursor = None
) -> Response:
    """Where each field of what a target was sent came from, back through the canonical document to the raw bytes. A
    viewer gets the canonical fields without personal data, and no value of what was sent."""
    with desk.engine.store.snapshot() as db:
        if not message_view.message_of_delivery(db, id):
            raise NotFound(f"there is no delivery with the id '{id[:80]}'")
        own = _message(*find_message(db, id))
    return _answer(desk, caller, own["message_id"], id, field, limit, cursor)


def _message(own: Row | None, came: Row) -> Row:
    """Raises Conflict for a receipt that is not one message, and for a message that nothing was made of."""
    if own is None:
        count = came["message_count"]
        if came["state"] == "received":
            raise Conflict("no message has been made of this receipt yet; try again in a moment")
        if not count:
            raise Conflict("no message was made of this receipt; its error says why")
        raise Conflict(f"{count} messages were made of this receipt; ask for one of them: its own page names them")
    if not own["route"]:
        raise Conflict("no route takes this event, on purpose; nothing was made of it")
    return own


def _answer(
    desk: Desk, caller: Caller, message_id: str, delivery_id: str, field: str, limit: int, cursor: str | None
) -> Response:
    engine = desk.engine
    found = trace(
        Ask(
            store_url=engine.store.url, environment=engine.program.settings.environment or "",
            own_connectors=str(desk.own_connectors or ""), message_id=message_id, delivery_id=delivery_id, field=field,
            first=row_number(cursor) or 0, limit=limit,
            masked_by=None if caller.sees_personal_data else engine.program.set_id,
        )
    )  # fmt: skip
    now = engine.clock.epoch()
    detail = {"delivery": delivery_id, "redacted": not caller.sees_personal_data}
    engine.store.write(lambda db: audit.append(db, now, caller.actor, "trace.read", message_id, detail))
    return Response(found, headers={"Cache-Control": "no-store"}, media_type="application/json")
