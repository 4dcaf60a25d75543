"""The bytes of deliveries: stored with the first attempt, sent unchanged by every retry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.message import SENT, Body, Delivery
from hub.store import payloads
from hub.store.compression import unpack
from hub.store.database import Database


def keep(db: Database, rows: Sequence[tuple[Any, ...]], claimed: set[str]) -> None:
    """The bytes of those deliveries that were claimed. ``rows`` are packed."""
    payloads.insert_rows(db, [row for row in rows if row[0] in claimed])


def store(db: Database, rows: Sequence[tuple[Any, ...]], claimed: set[str], set_id: int) -> None:
    """The bytes of first attempts, beside their claim: every retry sends them unchanged. A delivery that was made with
    another set is pinned to the one that made its bytes."""
    keep(db, rows, claimed)
    db.executemany(
        "UPDATE deliveries SET set_id = ?, rebuild = 0 WHERE delivery_id = ? AND set_id <> ?",
        [(set_id, row[0], set_id) for row in rows if row[0] in claimed and row[3] == 0],
    )


def rows_of(bodies: Sequence[tuple[Delivery, Body]], at: float) -> list[tuple[Any, ...]]:
    """The packed rows of bytes, made outside of any transaction."""
    return payloads.packed_rows(
        [(d.delivery_id, SENT, d.revision, body.content_type, body.content) for d, body in bodies], at
    )


_READ = """SELECT owner_id, content_type, compressed, content FROM payloads
  WHERE owner_id = ? AND stage = 'sent' AND revision = ? ORDER BY chunk"""


def read(db: Database, delivery_id: str, revision: int) -> Body | None:
    """The stored bytes of a delivery's revision; None before its first attempt."""
    return read_many(db, [(delivery_id, revision)]).get(delivery_id)


def stored(db: Database, wanted: Sequence[tuple[str, int]]) -> set[str]:
    """Which deliveries, by (id, revision), have stored bytes."""
    sql = "SELECT owner_id FROM payloads WHERE owner_id = ? AND stage = 'sent' AND revision = ? AND chunk = 0"
    return {owner_id for (owner_id,) in db.executemany(sql, wanted)}


def read_many(db: Database, wanted: Sequence[tuple[str, int]]) -> dict[str, Body]:
    """The stored bytes of deliveries, wanted by (id, revision) and given by id; one that has none yet is left out."""
    found: dict[str, tuple[str, list[bytes]]] = {}
    for owner_id, kind, flag, content in db.executemany(_READ, wanted):
        found.setdefault(owner_id, (kind, []))[1].append(unpack(flag, content))
    return {owner_id: Body(b"".join(chunks), kind) for owner_id, (kind, chunks) in found.items()}
