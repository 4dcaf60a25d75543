"""The statements that make room where a quota is reached: what of a stretch may go, the oldest first, and its removal.

What retention protects is protected here: whatever is on its way, and dead letters that nobody has dealt with.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hub.store.database import Database
from hub.store.pruning import NEEDED, OPEN_MESSAGE, ROUTE, in_turn
from hub.store.usage import Limit, ends_of


class Piece(msgspec.Struct, frozen=True, gc=False):
    """A stored piece of a payload that may go. ``holder`` is the message or the receipt that it belongs to."""

    owner_id: str
    stage: str
    revision: int
    chunk: int
    bytes: int
    holder: str
    received_at: float


_COLUMNS = "p.owner_id, p.stage, p.revision, p.chunk, length(p.content)"
_STAGES = f"""SELECT {_COLUMNS}, m.message_id, m.received_at FROM messages m CROSS JOIN payloads p ON p.owner_id IN (
    SELECT m.message_id UNION ALL SELECT d.delivery_id FROM deliveries d WHERE d.message_id = m.message_id)
    AND p.stage <> 'raw'
  WHERE m.seq >= ? AND m.seq < ? AND {{0}} AND NOT {OPEN_MESSAGE} ORDER BY m.seq, m.position LIMIT ?"""
_MAY_GO = f"NOT {NEEDED}"
_RAW = f"""SELECT {_COLUMNS}, r.receipt_id, r.received_at FROM receipts r
    CROSS JOIN payloads p ON p.owner_id = r.receipt_id AND p.stage = 'raw'
  WHERE r.seq >= ? AND r.seq < ? AND {{0}} AND {_MAY_GO} ORDER BY r.seq LIMIT ?"""
# A file is filed away by what became of it: until then its receipt is needed.
_RECEIPTS = f"""SELECT r.seq, CASE WHEN r.message_count > 0 THEN r.message_count ELSE 1 END, r.received_at
  FROM receipts r WHERE r.seq >= ? AND r.seq < ? AND {{0}} AND {_MAY_GO} AND NOT (r.reference <> '' AND r.settled = 0)
  ORDER BY r.seq LIMIT ?"""
_OPEN_NOW = {
    "stages": f"SELECT m.message_id FROM messages m WHERE m.message_id IN ({{0}}) AND {OPEN_MESSAGE}",
    "raw": f"SELECT r.receipt_id FROM receipts r WHERE r.receipt_id IN ({{0}}) AND NOT ({_MAY_GO})",
}


def pieces(db: Database, limit: Limit, stretch: int, most: int) -> tuple[str, list[Piece]]:
    """("stages" | "raw", pieces of a stretch that may go): what the steps made first, then the bytes as they came."""
    for kind, statement, (condition, values) in (
        ("stages", _STAGES, limit.condition("m")), ("raw", _RAW, limit.condition("r", ROUTE)),
    ):  # fmt: skip
        rows = db.execute(statement.format(condition), (*ends_of(stretch), *values, most))
        if found := [Piece(*row) for row in rows]:
            return kind, found
    return "", []


def remove_pieces(db: Database, kind: str, found: Sequence[Piece]) -> int:
    """Remove pieces, but for what somebody has begun to replay since they were found; gives how many bytes went."""
    in_turn(db)
    holders = sorted({piece.holder for piece in found})
    kept = {holder for (holder,) in db.execute(_OPEN_NOW[kind].format(", ".join("?" * len(holders))), holders)}
    going = [piece for piece in found if piece.holder not in kept]
    db.executemany(
        "DELETE FROM payloads WHERE owner_id = ? AND stage = ? AND revision = ? AND chunk = ?",
        [(piece.owner_id, piece.stage, piece.revision, piece.chunk) for piece in going],
    )
    return sum(piece.bytes for piece in going)


def receipts(db: Database, limit: Limit, stretch: int, most: int) -> list[tuple[int, int, float]]:
    """(number, messages, received at) of the receipts of a stretch that may go with everything that came of them."""
    condition, values = limit.condition("r", ROUTE)
    rows = db.execute(_RECEIPTS.format(condition), (*ends_of(stretch), *values, most))
    return [(int(row[0]), int(row[1]), float(row[2])) for row in rows]
