"""Batches: deliveries that a target collects and that are sent together. The first one is tried, the others follow it:
what becomes of it becomes of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.message import Delivery, Finish
from hub.store.database import Database

NAMES = ("batch_id", "count", "date", "time")  # what templates of names and addresses may use
_INSERT = "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?)"
_COLUMNS = ("batch_id", "route", "target", "system", "collected_at", "members", "names")
# The first one is not among these.
_FOLLOW = "batch_id = ? AND batch_id <> '' AND delivery_id <> batch_id"


def add(db: Database, first: Delivery, members: int, names: Mapping[str, str], at: float) -> None:
    """A new batch; ``names`` are what templates of names and addresses may use, the same at every try."""
    text = msgspec.json.encode(names).decode()
    db.execute(_INSERT, (first.delivery_id, first.route, first.target, first.system, at, members, text))


def get(db: Database, batch_id: str) -> dict[str, Any] | None:
    """A batch as it was put together; None where there is none."""
    row = db.execute(f"SELECT {', '.join(_COLUMNS)} FROM batches WHERE batch_id = ?", (batch_id,)).fetchone()
    return None if row is None else {**dict(zip(_COLUMNS, row, strict=True)), "names": msgspec.json.decode(row[-1])}


def names(db: Database, batch_id: str) -> dict[str, str]:
    """What templates may use; nothing where it is gone."""
    found = get(db, batch_id)
    return dict(found["names"]) if found else {}


def claim(db: Database, firsts: Sequence[str], worker: str, at: float) -> None:
    """The others of batches whose first one was claimed go with it."""
    db.executemany(
        f"""UPDATE deliveries SET state = 'delivering', claimed_by = ?2, claimed_at = ?3, updated_at = ?3, due_at = NULL
            WHERE {_FOLLOW.replace("?", "?1")} AND state IN ('queued', 'retrying')""",
        [(batch_id, worker, at) for batch_id in firsts],
    )


def ends(db: Database, finishes: Sequence[Finish]) -> Iterator[Finish]:
    """The ends of the others of each batch: that of its first one, but for when it is due and what was answered."""
    firsts = {finish.delivery_id: finish for finish in finishes if finish.is_batch}
    if not firsts:
        return
    rows = db.executemany(
        f"""SELECT batch_id, delivery_id, tries FROM deliveries WHERE {_FOLLOW} AND state IN ('delivering', 'unknown')
            AND EXISTS (SELECT 1 FROM deliveries f WHERE f.delivery_id = ?1 AND f.tries = ?2)""",
        [(batch_id, first.number - 1) for batch_id, first in firsts.items()],
    )
    for batch_id, delivery_id, tries in rows.fetchall():
        yield replace(firsts[batch_id], delivery_id=delivery_id, number=tries + 1, due_at=None, response=b"")


def together(db: Database, delivery_id: str) -> list[str]:
    """The deliveries that have to do what this one does: those of its batch, while that is on its way, the first one
    first; else itself alone."""
    sql = "SELECT batch_id, state FROM deliveries WHERE delivery_id = ?"
    batch_id, state = db.execute(sql, (delivery_id,)).fetchone() or (None, "")
    if not batch_id or state not in ("queued", "retrying", "unknown", "held"):
        return [delivery_id]
    rows = db.execute(
        f"SELECT delivery_id FROM deliveries WHERE {_FOLLOW} AND state = ? ORDER BY lane_seq, delivery_id",
        (batch_id, state),
    )
    return [batch_id, *(str(other) for (other,) in rows)]


def prune(db: Database, before: float, limit: int = 1000) -> int:
    """Forget batches that are older than metadata is kept and of which nothing is stored, some at a time; gives how
    many."""
    db.execute(
        """DELETE FROM batches WHERE batch_id IN (SELECT b.batch_id FROM batches b WHERE b.collected_at < ?
             AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.batch_id = b.batch_id AND d.batch_id <> '') LIMIT ?)""",
        (before, limit),
    )
    return db.changes()
