"""What the store knows that decides whether something can be replayed; and what a replay takes over from the old."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.message import SENT, Delivery
from hub.store.database import Database


@dataclass(frozen=True, slots=True)
class DeliveryFacts:
    """A delivery as far as a replay must know it."""

    state: str
    hold_reason: str
    doubt: bool
    depth: int
    attempts: int
    revision: int
    lane: str


@dataclass(frozen=True, slots=True)
class WholeFacts:
    """A message or receipt as far as a replay must know it."""

    seq: int
    raw_owner: str
    state: str
    resolved_by: str
    is_replayed: bool
    is_being_replayed: bool


def of_delivery(db: Database, delivery_id: str) -> DeliveryFacts | None:
    row = db.execute(
        """SELECT state, hold_reason, doubt, replay_depth, attempts, revision, lane FROM deliveries
           WHERE delivery_id = ?""",
        (delivery_id,),
    ).fetchone()
    if row is None:
        return None
    return DeliveryFacts(str(row[0]), str(row[1]), bool(row[2]), int(row[3]), int(row[4]), int(row[5]), str(row[6]))


def of_whole(db: Database, kind: str, id: str) -> WholeFacts | None:
    """A message or a receipt; None when there is none."""
    table = {"message": "m", "receipt": "r"}[kind]
    row = db.execute(
        f"""SELECT r.seq, CASE WHEN r.raw_owner <> '' THEN r.raw_owner ELSE r.receipt_id END, {table}.state,
              coalesce({table}.resolved_by, '')
            FROM receipts r LEFT JOIN messages m ON m.seq = r.seq WHERE {table}.{kind}_id = ? LIMIT 1""",
        (id,),
    ).fetchone()
    if row is None:
        return None
    replays = [
        state for (state,) in db.execute("SELECT state FROM receipts WHERE replay_of = ? AND replay_of <> ''", (id,))
    ]
    return WholeFacts(int(row[0]), str(row[1]), str(row[2]), str(row[3]), bool(replays), "received" in replays)


def is_replayed(db: Database, delivery_id: str) -> bool:
    """Whether a delivery has a replay, whatever became of it."""
    sql = "SELECT 1 FROM deliveries WHERE replay_of = ? AND replay_of <> '' LIMIT 1"
    return db.execute(sql, (delivery_id,)).fetchone() is not None


def has_payload(db: Database, owner_id: str, stage: str, revision: int | None = None) -> bool:
    sql, values = "SELECT 1 FROM payloads WHERE owner_id = ? AND stage = ?", (owner_id, stage)
    if revision is None:
        return db.execute(f"{sql} LIMIT 1", values).fetchone() is not None
    return db.execute(f"{sql} AND revision = ? LIMIT 1", (*values, revision)).fetchone() is not None


def is_superseded(db: Database, lane: str, system: str, order: int) -> bool:
    """Whether something newer of the same lane was delivered; to any system where ``system`` is ''."""
    row = db.execute(
        """SELECT 1 FROM deliveries WHERE lane = ?1 AND lane <> '' AND (?2 = '' OR system = ?2) AND lane_seq > ?3
             AND state = 'delivered' LIMIT 1""",
        (lane, system, order),
    ).fetchone()
    return row is not None


def delivery_states(db: Database, kind: str, id: str, seq: int) -> set[str]:
    """The states of the deliveries of a message, or of all messages of a receipt."""
    column, value = ("m.message_id", id) if kind == "message" else ("m.seq", seq)
    rows = db.execute(
        f"""SELECT DISTINCT d.state FROM messages m CROSS JOIN deliveries d ON d.message_id = m.message_id
            WHERE {column} = ?""",
        (value,),
    )
    return {str(row[0]) for row in rows}


def unfinished(db: Database, kind: str, id: str, seq: int) -> list[str]:
    """The dead and held deliveries of a message, or of all messages of a receipt."""
    column, value = ("m.message_id", id) if kind == "message" else ("m.seq", seq)
    rows = db.execute(
        f"""SELECT d.delivery_id FROM messages m CROSS JOIN deliveries d ON d.message_id = m.message_id
            WHERE {column} = ? AND d.state IN ('dead', 'held')""",
        (value,),
    )
    return [str(row[0]) for row in rows]


def depth_of(db: Database, id: str, most: int) -> int:
    """How many replays in a row have led to this message or receipt; no further than ``most``."""
    depth, at = 0, id
    while depth < most:
        row = db.execute(
            """SELECT replay_of FROM receipts WHERE receipt_id = ?1
               UNION ALL SELECT r.replay_of FROM messages m CROSS JOIN receipts r ON r.seq = m.seq
                 WHERE m.message_id = ?1 AND r.receipt_id <> ?1 LIMIT 1""",
            (at,),
        ).fetchone()
        if row is None or not row[0]:
            return depth
        depth, at = depth + 1, str(row[0])
    return depth


def copy_sent(db: Database, old: Delivery, new_id: str) -> None:
    """The bytes of a delivery become those of another one too, unchanged."""
    db.execute(
        """INSERT INTO payloads (owner_id, stage, revision, chunk, content_type, compressed, size, stored_at, content)
           SELECT ?, stage, revision, chunk, content_type, compressed, size, stored_at, content FROM payloads
           WHERE owner_id = ? AND stage = ? AND revision = ? ORDER BY chunk""",
        (new_id, old.delivery_id, SENT, old.revision),
    )


def adopt_followers(db: Database, replaced: Sequence[tuple[str, str]]) -> None:
    """What comes after old deliveries comes after the new ones, also what was held because the old one died: (old id,
    new id) each."""
    db.executemany(
        """UPDATE deliveries SET waits_for = ?2, state = 'queued', failure = NULL, fingerprint = '', hold_reason = ''
           WHERE waits_for = ?1 AND waits_for <> '' AND due_at IS NULL
             AND (state = 'queued' OR (state = 'held' AND hold_reason = 'predecessor'))""",
        replaced,
    )
