"""One message whole: its receipt, deliveries, attempts, payload stages, and its replays in both directions."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.store import payloads, search
from hub.store.database import Database

_MOST = 200  # messages of one receipt that are named in its view
_RECEIPT = (
    "seq", "receipt_id", "source", "event", "door", "state", "received_at", "size", "content_type", "name",
    "reference", "traceparent", "causation_id", "correlation_id", "route", "raw_owner", "replay_of", "origin_seq",
    "origin_position", "message_count", "failure", "fingerprint", "resolved_by", "crashes",
)  # fmt: skip
_MESSAGE = (
    "seq", "position", "message_id", "place", "source", "event", "route", "type", "state", "main_key", "received_at",
    "correlation_id", "causation_id", "traceparent", "set_id", "failure", "fingerprint", "resolved_by",
)  # fmt: skip
_ATTEMPT = (
    "delivery_id", "number", "started_at", "ended_at", "worker", "set_id", "revision", "outcome", "status", "code",
    "detail", "failure",
)  # fmt: skip


def locate(db: Database, id: str) -> tuple[str, str] | None:
    """What an id is: ("message" | "receipt" | "delivery", id); a single message and its receipt share one: message."""
    for kind in ("message", "receipt", "delivery"):
        table = {"message": "messages", "receipt": "receipts", "delivery": "deliveries"}[kind]
        if db.execute(f"SELECT 1 FROM {table} WHERE {kind}_id = ?", (id,)).fetchone():
            return kind, id
    return None


def message(db: Database, message_id: str) -> dict[str, Any] | None:
    """A message's own row; None when there is none."""
    return _one(db, "messages", _MESSAGE, "message_id = ?", message_id)


def message_of_delivery(db: Database, delivery_id: str) -> str:
    """The id of a delivery's message; '' when there is no such delivery."""
    return db.execute("SELECT message_id FROM deliveries WHERE delivery_id = ?", (delivery_id,)).get or ""


def receipt(db: Database, receipt_id: str) -> dict[str, Any] | None:
    """A receipt's own row; None when there is none."""
    return _one(db, "receipts", _RECEIPT, "receipt_id = ?", receipt_id)


def receipt_of(db: Database, seq: int) -> dict[str, Any] | None:
    return _one(db, "receipts", _RECEIPT, "seq = ?", seq)


def _one(db: Database, table: str, columns: tuple[str, ...], where: str, value: Any) -> dict[str, Any] | None:
    row = db.execute(f"SELECT {', '.join(columns)} FROM {table} WHERE {where}", (value,)).fetchone()
    return None if row is None else _named(columns, row)


def _named(columns: tuple[str, ...], row: tuple[Any, ...]) -> dict[str, Any]:
    fields = dict(zip(columns, row, strict=True))
    if "failure" in fields:
        fields["failure"] = msgspec.json.decode(fields["failure"]) if fields["failure"] else None
    return fields


def deliveries(db: Database, message_id: str) -> list[dict[str, Any]]:
    """A message's deliveries, replays among them, each with its ``failure`` decoded."""
    found = search.deliveries_of(db, [message_id])
    return [{**line, "failure": msgspec.json.decode(line["failure"]) if line["failure"] else None} for line in found]


def attempts(db: Database, delivery_id: str) -> list[dict[str, Any]]:
    """The tries of a delivery, the first one first; what was answered is not among it."""
    rows = db.execute(
        f"SELECT {', '.join(_ATTEMPT)} FROM attempts WHERE delivery_id = ? ORDER BY number", (delivery_id,)
    )
    return [_named(_ATTEMPT, row) for row in rows]


def response(db: Database, delivery_id: str) -> tuple[int, bytes] | None:
    """Which try, and the beginning of what the target answered to it, of the last one that had an answer; None when
    there is none."""
    return db.execute(  # type: ignore[no-any-return]
        """SELECT number, response FROM attempts WHERE delivery_id = ? AND response IS NOT NULL
           ORDER BY number DESC LIMIT 1""",
        (delivery_id,),
    ).fetchone()


def messages_of(db: Database, seq: int) -> list[dict[str, Any]]:
    """The first messages of a receipt: id, position, place, state."""
    columns = ("message_id", "position", "place", "state")
    rows = db.execute(
        "SELECT message_id, position, place, state FROM messages WHERE seq = ? ORDER BY position LIMIT ?", (seq, _MOST)
    )
    return [dict(zip(columns, row, strict=True)) for row in rows]


def replayed_by(db: Database, id: str) -> list[str]:
    """The receipts and deliveries that are replays of this one."""
    rows = db.execute(
        """SELECT receipt_id FROM receipts WHERE replay_of = ?1 AND replay_of <> ''
           UNION ALL SELECT delivery_id FROM deliveries WHERE replay_of = ?1 AND replay_of <> ''""",
        (id,),
    )
    return [row[0] for row in rows]


def stages(
    db: Database, own: dict[str, Any] | None, came: dict[str, Any], sent: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The payloads there are: stage (``raw``, ``canonical``, ``sent.TARGET``, ``response.TARGET``), revision (of an
    answer the try), size, content type, whose."""
    owners = [(came["raw_owner"] or came["receipt_id"], "")]
    owners += [(own["message_id"], "")] if own and own["message_id"] != owners[0][0] else []
    # What was sent of a batch is its first delivery's.
    owners += [(line["batch_id"] or line["delivery_id"], f".{line['target']}") for line in sent]
    found = [
        {**payload, "stage": payload["stage"] + suffix, "owner_id": owner}
        for owner, suffix in owners
        for payload in payloads.describe(db, owner)
    ]
    for line in sent:
        if answered := response(db, line["delivery_id"]):
            said = {"stage": f"response.{line['target']}", "revision": answered[0], "size": len(answered[1])}
            found.append({**said, "content_type": "", "owner_id": line["delivery_id"]})
    return found
