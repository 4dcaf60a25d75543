"""Content that came before under another id: the same file under a new name, or put there again.

What came is remembered as long as senders' ids are, beside them.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hub.clock import iso
from hub.message import Accepted, Arrival
from hub.outcome import Failure
from hub.store.database import Database


class First(msgspec.Struct, frozen=True):
    """The receipt that a content came with in the first place."""

    seq: int
    receipt_id: str
    name: str
    received_at: float


def repeats(db: Database, numbered: Sequence[tuple[int, Arrival]]) -> dict[int, Accepted]:
    """The arrivals that are left out since their content came before, each with the first receipt of it."""
    found = {}
    for seq, arrival in numbered:
        if arrival.content_key is not None and arrival.same_content == "skip":
            before = first(db, arrival.source, arrival.content_key)
            if before is not None:
                found[seq] = Accepted(before.receipt_id, before.seq, duplicate=True)
    return found


def first(db: Database, source: str, content_key: str) -> First | None:
    """The receipt a content came with first; None when it is new."""
    row = db.execute(
        """SELECT r.seq, r.receipt_id, r.name, r.received_at FROM dedupe d JOIN receipts r ON r.seq = d.seq
           WHERE d.source = ? AND d.dedupe_key = ?""",
        (source, content_key),
    ).fetchone()
    return None if row is None else First(int(row[0]), str(row[1]), str(row[2]), float(row[3]))


def remember(db: Database, source: str, content_key: str, seq: int) -> None:
    """The content came with this receipt, unless it came before."""
    db.execute("INSERT INTO dedupe VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (source, content_key, seq))


def failure(before: First) -> Failure:
    """Why a receipt whose content came before waits for a person."""
    named = f"'{before.name}', " if before.name else ""
    return Failure(
        "duplicate", "same_content",
        f"the same content came before: {named}receipt {before.receipt_id}, received {iso(before.received_at)}",
        step="receive", hint="if it is meant to be taken twice, replay it; else `o2c resolve` it",
    ).printed("")  # fmt: skip
