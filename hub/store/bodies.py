"""The bytes of deliveries: stored with the first attempt, sent unchanged by every retry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.message import LOOKUPS, SENT, Body, Delivery
from hub.store import payloads
from hub.store.compression import unpack
from hub.store.database import Database

_JSON = "application/json"


def store(db: Database, rows: Sequence[tuple[Any, ...]], claimed: set[str], set_id: int) -> None:
    """The bytes of first attempts, beside their claim: every retry sends them unchanged. A delivery that was made with
    another set is pinned to the one that made its bytes. ``rows`` are packed."""
    payloads.insert_rows(db, [row for row in rows if row[0] in claimed])
    db.executemany(
        "UPDATE deliveries SET set_id = ?, rebuild = 0 WHERE delivery_id = ? AND set_id <> ?",
        [(set_id, row[0], set_id) for row in rows if row[0] in claimed and row[3] == 0],
    )


def rows(pack: payloads.Packer, delivery: Delivery, body: Body) -> list[tuple[Any, ...]]:
    """The packed rows of a delivery's bytes, and of what was looked up to make them."""
    found = pack(delivery.delivery_id, SENT, delivery.revision, body.content_type, body.content)
    if body.lookups:
        found += pack(delivery.delivery_id, LOOKUPS, delivery.revision, _JSON, body.lookups)
    return found


def rows_of(bodies: Sequence[tuple[Delivery, Body]], at: float) -> list[tuple[Any, ...]]:
    """The packed rows of bytes, made outside of any transaction."""
    pack = payloads.Packer(at)
    return [row for delivery, body in bodies for row in rows(pack, delivery, body)]


def keep_lookups(db: Database, lookups: Sequence[tuple[Delivery, bytes]], at: float) -> None:
    """What was looked up for deliveries that could not be built; another worker may have found out the same."""
    pack = payloads.Packer(at)
    payloads.insert_new_rows(
        db, [row for d, content in lookups for row in pack(d.delivery_id, LOOKUPS, d.revision, _JSON, content)]
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
