"""The audit: who did what to what, when, from where and why. Rows are chained by hash and never change.

A changed or removed row breaks the chain; only rows cut off at the very end cannot be seen from the rows themselves,
so keep ``head`` elsewhere if that matters to you.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from hub.store.database import Database, lock

_COLUMNS = ("audit_id", "at", "actor", "role", "origin", "action", "subject", "detail", "reason", "hash")
_NO_NUL = "\u2400"
_encode = msgspec.json.Encoder(order="sorted", decimal_format="string").encode


class Actor(msgspec.Struct, frozen=True):
    """Who acts: the name of a key (or of the hub itself), its role and the address it came from."""

    name: str
    role: str = "admin"
    origin: str = ""


def append(
    db: Database, at: float, actor: Actor, action: str, subject: str, detail: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:  # fmt: skip
    """One more row, inside the transaction of what it tells of."""
    lock(db, "audit")
    last = db.execute("SELECT hash FROM audit ORDER BY audit_id DESC LIMIT 1").get or ""
    texts = (actor.name, actor.role, actor.origin, action, subject, _encode(detail or {}).decode(), reason)
    # PostgreSQL's texts hold no NUL, and what is chained is what is stored.
    row = (at, *(text.replace("\0", _NO_NUL) for text in texts))
    db.execute(
        """INSERT INTO audit (at, actor, role, origin, action, subject, detail, reason, hash)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (*row, _chained(last, row)),
    )


def _chained(last: str, row: tuple[Any, ...]) -> str:
    return hashlib.sha256(last.encode() + b"\n" + _encode(row)).hexdigest()


def _is_chained(last: str, row: tuple[Any, ...]) -> bool:
    """Also one that an earlier release chained with a NUL, in whose place PostgreSQL has its picture."""
    *values, chained = row
    if chained == _chained(last, tuple(values)):
        return True
    before = (value.replace(_NO_NUL, "\0") if isinstance(value, str) else value for value in values)
    return bool(chained == _chained(last, tuple(before)))


def verify(db: Database) -> int | None:
    """The first row that is not what was written, or that follows a missing one; None when the chain holds."""
    last, expected = "", 1
    for audit_id, *row in db.execute(f"SELECT {', '.join(_COLUMNS)} FROM audit ORDER BY audit_id"):
        if audit_id != expected or not _is_chained(last, tuple(row)):
            return int(audit_id)
        last, expected = row[-1], audit_id + 1
    issued = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").get or 0
    return expected if issued >= expected else None


def head(db: Database) -> str:
    """The hash of the newest row."""
    return db.execute("SELECT hash FROM audit ORDER BY audit_id DESC LIMIT 1").get or ""


def listed(db: Database, limit: int, before: int | None = None) -> list[dict[str, Any]]:
    """Rows, the newest first, from before a row's number on."""
    rows = db.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM audit WHERE audit_id < ? ORDER BY audit_id DESC LIMIT ?",
        (before if before is not None else 2**62, limit),
    )
    found = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
    return [{**row, "detail": msgspec.json.decode(row["detail"])} for row in found]
