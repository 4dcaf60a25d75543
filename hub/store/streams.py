"""Bodies that are read into the store piece by piece, before there is a receipt they belong to.

A mark says that a body is on its way, and when its last piece came. What a crash or a full disk leaves of one is found
by it and taken away, so that reading a file again and again never fills the store with its beginnings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.errors import StoreError
from hub.message import RAW
from hub.store import counters, payloads
from hub.store.database import Database

_ARRIVING = "arriving"
_CHUNKS = 20  # of a megabyte, taken away in one transaction

Write = Callable[[Callable[[Database], Any]], Any]


def add(db: Database, receipt_id: str, number: int, piece: bytes, at: float) -> None:
    """The next piece of a body. Raises StoreError where those before it were taken away, for none came for long."""
    if number == 0:
        counters.put(db, _ARRIVING, receipt_id, 1, at)
    else:
        db.execute("UPDATE counters SET last_at = ? WHERE kind = ? AND name = ?", (at, _ARRIVING, receipt_id))
        if not db.changes():
            raise StoreError("what was read of a file is gone, for its next piece came too late; it is read again")
    payloads.add_chunk(db, receipt_id, RAW, number, piece, at)


def end(db: Database, receipt_id: str) -> None:
    """The body belongs to a receipt now, or nothing is left of it."""
    db.execute("DELETE FROM counters WHERE kind = ? AND name = ?", (_ARRIVING, receipt_id))


def abandon(write: Write, receipt_id: str) -> None:
    """Take away a body that no receipt has, in short transactions; one that has its receipt stays."""
    while write(lambda db: 0 if _has_receipt(db, receipt_id) else payloads.remove_some(db, receipt_id, _CHUNKS)):
        pass
    write(lambda db: end(db, receipt_id))


def left_over(db: Database, before: float | None = None) -> list[str]:
    """The receipt ids of bodies whose end nobody has noted; ``before``: and of which nothing came since."""
    marks = counters.listed(db, _ARRIVING)
    return [str(row["name"]) for row in marks if before is None or row["last_at"] < before]


def _has_receipt(db: Database, receipt_id: str) -> bool:
    return db.execute("SELECT 1 FROM receipts WHERE receipt_id = ?", (receipt_id,)).get is not None
