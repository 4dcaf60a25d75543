"""When what has times of day was last done: a restart neither forgets a time that has passed nor does it twice."""

from __future__ import annotations

from hub.store.database import Database


def done_at(db: Database, name: str) -> float | None:
    """When it was last done, in seconds since 1970; None where it never was."""
    found = db.execute("SELECT done_at FROM scheduled WHERE name = ?", (name,)).get
    return None if found is None else float(found)


def done(db: Database, name: str, at: float) -> None:
    """Note that it was done."""
    db.execute(
        """INSERT INTO scheduled (name, done_at) VALUES (?, ?)
           ON CONFLICT (name) DO UPDATE SET done_at = excluded.done_at""",
        (name, at),
    )
