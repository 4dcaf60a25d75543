"""Payloads by owner and stage: raw bytes untouched, canonical document, sent bytes; large ones in chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from hub.store.compression import CHUNK, pack, pieces, unpack
from hub.store.database import Database

_INSERT = """INSERT INTO payloads
  (owner_id, stage, revision, chunk, content_type, compressed, size, stored_at, content)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""

_CHUNK = """SELECT compressed, content, size FROM payloads
  WHERE owner_id = ? AND stage = ? AND revision = ? AND chunk = ?"""

Payload = tuple[str, str, int, str, bytes]  # owner_id, stage, revision, content_type, content


class Packer:
    """Makes the rows of whole payloads, compressed, outside of the transaction. Bytes that come twice are compressed
    once. ``at`` is when they are stored."""

    def __init__(self, at: float) -> None:
        self._at = at
        self._packed: dict[bytes, tuple[int, bytes]] = {}

    def __call__(
        self, owner_id: str, stage: str, revision: int, content_type: str, content: bytes
    ) -> list[tuple[Any, ...]]:
        rows = []
        for number, piece in enumerate(pieces(content)):
            flag, packed = self._packed.get(piece) or self._packed.setdefault(piece, pack(piece))
            rows.append((owner_id, stage, revision, number, content_type, flag, len(piece), self._at, packed))
        return rows


def packed_rows(payloads: Iterable[Payload], at: float) -> list[tuple[Any, ...]]:
    """The rows of whole payloads. Compressing is done here, outside of the transaction."""
    packer = Packer(at)
    return [row for payload in payloads for row in packer(*payload)]


def insert_rows(db: Database, rows: Iterable[tuple[Any, ...]]) -> None:
    db.executemany(_INSERT, rows)


def insert_new_rows(db: Database, rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert rows but for those that are there already."""
    db.executemany(f"{_INSERT} ON CONFLICT DO NOTHING", rows)


def add_chunk(db: Database, owner_id: str, stage: str, number: int, piece: bytes, at: float) -> None:
    """One piece of a payload that arrives in a stream; it belongs to nobody until its receipt is accepted."""
    flag, packed = pack(piece)
    db.execute(_INSERT, (owner_id, stage, 1, number, "", flag, len(piece), at, packed))


def read_chunks(db: Database, owner_id: str, stage: str, revision: int | None = None) -> Iterator[bytes]:
    """The pieces of a payload in order, one in memory at a time; nothing when there is none (pruned)."""
    if revision is None:
        revision = db.execute(
            "SELECT max(revision) FROM payloads WHERE owner_id = ? AND stage = ?", (owner_id, stage)
        ).get
    size, number = CHUNK, 0
    while size >= CHUNK:  # a shorter piece is the last one
        row = db.execute(_CHUNK, (owner_id, stage, revision, number)).fetchone()
        if row is None:
            return
        flag, content, size = row
        yield unpack(flag, content)
        number += 1


def read(db: Database, owner_id: str, stage: str, revision: int | None = None) -> bytes | None:
    """A whole payload; None when there is none (pruned)."""
    chunks = list(read_chunks(db, owner_id, stage, revision))
    return b"".join(chunks) if chunks else None


_SMALL = """SELECT owner_id, compressed, content FROM payloads
  WHERE owner_id = ? AND stage = ? AND revision = 1 AND chunk = 0"""


def read_small(db: Database, owner_ids: Sequence[str], stage: str) -> dict[str, bytes]:
    """The payloads of several owners, none of them longer than a chunk; one that was pruned is left out."""
    rows = db.executemany(_SMALL, [(owner_id, stage) for owner_id in dict.fromkeys(owner_ids)])
    return {owner_id: unpack(flag, content) for owner_id, flag, content in rows}


def describe(db: Database, owner_id: str) -> list[dict[str, Any]]:
    """The stages there are for an owner: stage, revision, size in bytes, content type."""
    rows = db.execute(
        """SELECT stage, revision, sum(size), max(content_type) FROM payloads
           WHERE owner_id = ? GROUP BY stage, revision""",
        (owner_id,),
    )
    return [dict(zip(("stage", "revision", "size", "content_type"), row, strict=True)) for row in rows]


def remove_some(db: Database, owner_id: str, limit: int) -> int:
    """Take away some of the rows of an owner; gives how many went."""
    db.execute(
        "DELETE FROM payloads WHERE payload_id IN (SELECT payload_id FROM payloads WHERE owner_id = ? LIMIT ?)",
        (owner_id, limit),
    )
    return db.changes()
