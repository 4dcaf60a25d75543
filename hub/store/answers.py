"""Answers to acting requests by their Idempotency-Key: a repeat gets the first answer, for 72 hours."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.store.database import Database

KEEP_SECONDS = 72 * 3600.0
_RUNNING, _UNKNOWN = 0, 1


class Answer(msgspec.Struct, frozen=True):
    """What was answered. ``status`` 0 means that the request is still being worked on, 1 that nobody knows whether it
    was done."""

    fingerprint: str
    status: int
    body: bytes

    @property
    def is_running(self) -> bool:
        return self.status == _RUNNING

    @property
    def is_unknown(self) -> bool:
        return self.status == _UNKNOWN


def begin(db: Database, scope: str, key: str, fingerprint: str, at: float) -> Answer | None:
    """Claim a key for a request; None when it is the first with it, else the earlier one's answer."""
    db.execute("DELETE FROM answers WHERE scope = ? AND key = ? AND expires_at <= ?", (scope, key, at))
    db.execute(
        "INSERT INTO answers VALUES (?, ?, ?, ?, x'', ?) ON CONFLICT DO NOTHING",
        (scope, key, fingerprint, _RUNNING, at + KEEP_SECONDS),
    )
    if db.changes() == 1:
        return None
    rows: list[tuple[Any, ...]] = db.execute(
        "SELECT fingerprint, status, body FROM answers WHERE scope = ? AND key = ?", (scope, key)
    ).fetchall()
    return Answer(*rows[0])


def finish(db: Database, scope: str, key: str, status: int, body: bytes) -> None:
    """Keep the answer for repeats."""
    db.execute("UPDATE answers SET status = ?, body = ? WHERE scope = ? AND key = ?", (status, body, scope, key))


def doubt(db: Database, scope: str, key: str, fingerprint: str, at: float) -> None:
    """Nobody knows whether the request was done: repeats are told so, and do nothing."""
    db.execute(
        """INSERT INTO answers VALUES (?, ?, ?, ?, x'', ?)
           ON CONFLICT (scope, key) DO UPDATE SET status = excluded.status WHERE answers.status = 0""",
        (scope, key, fingerprint, _UNKNOWN, at + KEEP_SECONDS),
    )


def forget(db: Database, scope: str, key: str) -> None:
    """The request came to nothing: the same key may be used again."""
    db.execute("DELETE FROM answers WHERE scope = ? AND key = ?", (scope, key))


def forget_unfinished(db: Database) -> None:
    """At start: requests that another run of the hub was working on when it ended."""
    db.execute("DELETE FROM answers WHERE status = ?", (_RUNNING,))


def forget_stuck(db: Database, before: float) -> None:
    """Where several processes answer: requests begun before then that are still worked on; whoever did it is gone."""
    db.execute("DELETE FROM answers WHERE status = ? AND expires_at < ?", (_RUNNING, before + KEEP_SECONDS))


def prune(db: Database, at: float, limit: int = 500) -> int:
    """Drop expired answers; gives how many."""
    db.execute(
        "DELETE FROM answers WHERE (scope, key) IN (SELECT scope, key FROM answers WHERE expires_at <= ? LIMIT ?)",
        (at, limit),
    )
    return db.changes()
