"""Payloads: what came, what was made of it, what was sent and answered. Every reading is an event of the audit."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Response

from hub.api.admin_messages import Id, Row, find_message
from hub.api.auth import Viewer
from hub.api.desk import AtDesk, Desk
from hub.api.operations import described
from hub.api.problems import Problem
from hub.errors import NotFound
from hub.message import CANONICAL
from hub.redaction import redact
from hub.store import audit, message_view, payloads
from hub.store.database import Database
from hub.yamldoc import did_you_mean

router = APIRouter(tags=["messages"])
StageName = Annotated[
    str, Path(description="raw, canonical, sent.TARGET, response.TARGET", examples=["canonical"], max_length=120)
]
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_ANSWERS = {200: {"description": "The payload as it is stored.", "content": {"application/octet-stream": _BYTES}}}


@router.get(
    "/messages/{id}/payloads/{stage}", operation_id="get_payload", response_class=Response,
    **(d := described("viewer", 404, 422)) | {"responses": {**_ANSWERS, **d["responses"]}},
)  # fmt: skip
def get_payload(desk: AtDesk, caller: Viewer, id: Id, stage: StageName) -> Response:
    """One payload of a message. A viewer gets canonical documents without personal data; the rest needs operator."""
    with desk.engine.store.snapshot() as db:
        own, came = find_message(db, id)
        content, content_type = _content(db, own, came, id, stage)
    if not caller.sees_personal_data:
        content = _for_viewer(desk, own, stage, content)
    now = desk.engine.clock.epoch()
    detail = {"stage": stage, "size": len(content), "redacted": not caller.sees_personal_data}
    desk.engine.store.write(lambda db: audit.append(db, now, caller.actor, "payload.read", id, detail))
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return Response(content, headers=headers, media_type=content_type or "application/octet-stream")


def _content(db: Database, own: Row | None, came: Row, id: str, stage: str) -> tuple[bytes, str]:
    """The bytes and content type of a stage; the id of a delivery tells it from others to the same target. Raises
    NotFound that names the stages there are."""
    lines = message_view.deliveries(db, own["message_id"]) if own else []
    there = message_view.stages(db, own, came, [line for line in lines if line["delivery_id"] == id] or lines)
    found = [entry for entry in there if entry["stage"] == stage]
    if not found:
        known = sorted({entry["stage"] for entry in there})
        raise NotFound(f"there is no stored payload '{stage[:80]}' of this message{did_you_mean(stage[:80], known)}")
    newest = found[-1]
    kind, _, _ = stage.partition(".")
    if kind == "response":
        answered = message_view.response(db, newest["owner_id"])
        return answered[1] if answered else b"", newest["content_type"]
    content = payloads.read(db, newest["owner_id"], kind, newest["revision"])
    return content or b"", newest["content_type"]


def _for_viewer(desk: Desk, own: Row | None, stage: str, content: bytes) -> bytes:
    """A canonical document without its personal data. Other stages have no schema that says where personal data is."""
    schemas = desk.engine.program.schemas
    if stage != CANONICAL or own is None or own["type"] not in schemas.names():
        detail = f"the payload '{stage[:80]}' may hold personal data; a viewer reads canonical documents, redacted"
        raise Problem(403, "forbidden", detail, hint="ask an admin for a key with the role operator")
    return msgspec.json.encode(redact(own["type"], msgspec.json.decode(content), schemas))
