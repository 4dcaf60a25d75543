"""What an operator does to one delivery or dead letter by hand: hold, try now, release, resolve, cancel. What is done
to a delivery of a batch on its way is done to all of the batch."""

from __future__ import annotations

import msgspec

from hub.message import LOOKUPS, SENT
from hub.store import batches, deliveries
from hub.store.database import Database

HOLDABLE = ("queued", "retrying")
RELEASABLE = ("held", "retrying")
RESOLVABLE = ("queued", "retrying", "unknown", "held", "dead", "expired")
CANCELLABLE = RESOLVABLE


def state_of(db: Database, delivery_id: str) -> tuple[str, str] | None:
    """(state, system) of a delivery; None when there is none."""
    row = db.execute("SELECT state, system FROM deliveries WHERE delivery_id = ?", (delivery_id,)).fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


def hold(db: Database, delivery_id: str, reason: str, at: float) -> None:
    """Keep a waiting delivery back; it keeps its lane."""
    failure = {
        "class": "business_rule", "code": "held_by_operator", "step": "deliver", "detail": "an operator holds this",
        "hint": "to send it `o2c release` it; else `o2c resolve` or `o2c cancel` it",
    }  # fmt: skip
    text = msgspec.json.encode(failure).decode()
    db.executemany(
        """UPDATE deliveries SET state = 'held', due_at = NULL, claimed_by = NULL, updated_at = ?, hold_reason = ?,
             failure = coalesce(failure, ?) WHERE delivery_id = ? AND state IN ('queued', 'retrying')""",
        [(at, reason, text, each) for each in batches.together(db, delivery_id)],
    )


def hurry(db: Database, delivery_id: str, at: float) -> None:
    """A delivery that waits for its next try is due now."""
    db.execute(
        "UPDATE deliveries SET due_at = ?, updated_at = ? WHERE delivery_id = ? AND state = 'retrying'",
        (at, at, batches.together(db, delivery_id)[0]),
    )


def in_doubt(db: Database, delivery_id: str) -> tuple[str, str] | None:
    """(route, target) of a delivery whose last try may have had its effect; None for any other."""
    row = db.execute(
        "SELECT route, target FROM deliveries WHERE delivery_id = ? AND doubt = 1", (delivery_id,)
    ).fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


def ask(db: Database, delivery_id: str, at: float) -> set[str]:
    """Of a held delivery its system is asked first whether an earlier try had its effect, and should it not have, its
    tries are counted anew and it does not expire; gives the systems that have something due."""
    ids = batches.together(db, delivery_id)
    asked = db.executemany(
        """UPDATE deliveries SET state = 'unknown', due_at = ?1, updated_at = ?2, claimed_by = NULL, hold_reason = '',
             attempts = 0, expires_at = NULL WHERE delivery_id = ?3 AND state = 'held' RETURNING system""",
        [(at if each == ids[0] else None, at, each) for each in ids],
    )
    return {str(system) for (system,) in asked}


def release(db: Database, delivery_id: str, at: float) -> set[str]:
    """A held delivery may go, its tries are counted anew, and it does not expire; gives the systems that have something
    due. What was held for the end of the one it comes after waits for that no more. Where its bytes could not be made,
    what was looked up for them is looked up anew."""
    ids = batches.together(db, delivery_id)
    db.executemany(
        f"""UPDATE deliveries SET waits_for = CASE WHEN {deliveries.HELD_BEHIND} THEN '' ELSE waits_for END,
             failure = NULL, fingerprint = '', state = 'queued', attempts = 0, expires_at = NULL
           WHERE delivery_id = ?""",
        [(each,) for each in ids],
    )
    if len(ids) == 1:  # the bytes of a batch were made, and are those of its first
        db.execute(
            """DELETE FROM payloads WHERE owner_id = ?1 AND stage = ?2 AND NOT EXISTS (SELECT 1 FROM payloads s
                 WHERE s.owner_id = ?1 AND s.stage = ?3 AND s.revision = payloads.revision)""",
            (delivery_id, LOOKUPS, SENT),
        )
    return deliveries.move(db, delivery_id, "queued", at)


def resolve_letter(db: Database, kind: str, id: str, by: str) -> bool:
    """A dead message or receipt has been dealt with; False when it is not dead or had been before."""
    table = {"message": "messages", "receipt": "receipts"}[kind]
    db.execute(
        f"UPDATE {table} SET resolved_by = ? WHERE {kind}_id = ? AND state = 'dead' AND resolved_by IS NULL", (by, id)
    )
    return db.changes() == 1


def resolve_messages(db: Database, seq: int, by: str) -> None:
    """The dead messages of a receipt have been dealt with."""
    db.execute(
        "UPDATE messages SET resolved_by = ? WHERE seq = ? AND state = 'dead' AND resolved_by IS NULL", (by, seq)
    )
