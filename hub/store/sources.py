"""Sources that are fetched from: when each was last read, why one cannot be read now, and how far it was read."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from hub.store.database import Database

_LONGEST_REASON = 500
_COLUMNS = "system, tried_at, read_at, took_at, taken, failing_since, reason"


class SourceState(msgspec.Struct, frozen=True):
    """One source. ``read_at`` is when it was last read to its end, ``took_at`` when something new came of it last,
    ``taken`` how much in all. ``failing_since`` None: it can be read; else ``reason`` says why not."""

    system: str
    tried_at: float
    read_at: float | None = None
    took_at: float | None = None
    taken: int = 0
    failing_since: float | None = None
    reason: str = ""


def note(db: Database, system: str, taken: int, reason: str, at: float) -> None:
    """It was read at ``at``, and so much that is new was taken; with ``reason`` it could not be read to its end."""
    read_at, took_at = (None if reason else at), (at if taken else None)
    db.execute(
        """INSERT INTO sources (system, tried_at, read_at, took_at, taken, failing_since, reason)
           VALUES (?1, ?2, ?3, ?4, ?5, CASE WHEN ?6 = '' THEN NULL ELSE ?2 END, ?6)
           ON CONFLICT (system) DO UPDATE SET tried_at = excluded.tried_at,
             read_at = coalesce(excluded.read_at, sources.read_at),
             took_at = coalesce(excluded.took_at, sources.took_at),
             taken = sources.taken + excluded.taken,
             failing_since = CASE WHEN excluded.reason = '' THEN NULL
               ELSE coalesce(sources.failing_since, excluded.tried_at) END,
             reason = excluded.reason""",
        (system, at, read_at, took_at, taken, reason[:_LONGEST_REASON]),
    )


def states(db: Database) -> dict[str, SourceState]:
    """Every source that was ever read, by system."""
    return {str(row[0]): SourceState(*row) for row in db.execute(f"SELECT {_COLUMNS} FROM sources ORDER BY system")}


def failing(db: Database, systems: Collection[str]) -> list[SourceState]:
    """Those of these systems that cannot be read now."""
    return [state for state in states(db).values() if state.failing_since is not None and state.system in systems]


def memory(db: Database, system: str) -> bytes:
    """What the connector has kept; empty when nothing."""
    found = db.execute("SELECT memory FROM sources WHERE system = ?", (system,)).get
    return bytes(found) if found is not None else b""


def remember(db: Database, system: str, content: bytes, at: float) -> None:
    """Keep this for the connector."""
    db.execute(
        """INSERT INTO sources (system, tried_at, memory) VALUES (?, ?, ?)
           ON CONFLICT (system) DO UPDATE SET memory = excluded.memory""",
        (system, at, content),
    )
