"""Notices: what is open and has been told, so that one thing is told once when it opens and once when it is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import apsw

_COLUMNS = "subject, kind, detail, opened_at, told_at, closed_at, told_closed_at"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that is open, or was. ``told_at`` None means that nobody has been told yet."""

    subject: str
    kind: str
    detail: str
    opened_at: float
    told_at: float | None
    closed_at: float | None
    told_closed_at: float | None

    @property
    def is_over(self) -> bool:
        return self.closed_at is not None


def settle(db: apsw.Connection, open_now: Mapping[str, tuple[str, str]], at: float) -> None:
    """Bring the notices up to what is open now: subject -> (kind, detail).

    What is new opens; what is no longer there closes; what closed before anybody was told is dropped, and what comes
    back after it was told to be over opens again.
    """
    known = {notice.subject: notice for notice in listed(db)}
    for subject, (kind, detail) in open_now.items():
        before = known.get(subject)
        if before is None or (before.is_over and before.told_closed_at is not None):
            _open(db, subject, kind, detail, at)
        elif before.is_over:
            # It came back before its end was told: for whoever was told, it never was over.
            db.execute("UPDATE notices SET closed_at = NULL, detail = ? WHERE subject = ?", (detail, subject))
    for subject, notice in known.items():
        if subject not in open_now and not notice.is_over:
            _close(db, notice, at)


def _open(db: apsw.Connection, subject: str, kind: str, detail: str, at: float) -> None:
    db.execute("DELETE FROM notices WHERE subject = ?", (subject,))
    db.execute("INSERT INTO notices VALUES (?, ?, ?, ?, NULL, NULL, NULL)", (subject, kind, detail, at))


def _close(db: apsw.Connection, notice: Notice, at: float) -> None:
    if notice.told_at is None:
        db.execute("DELETE FROM notices WHERE subject = ?", (notice.subject,))
    else:
        db.execute("UPDATE notices SET closed_at = ? WHERE subject = ?", (at, notice.subject))


def untold(db: apsw.Connection) -> list[Notice]:
    """What has to be told: opened and not told, or over and not told to be."""
    rows = db.execute(
        f"""SELECT {_COLUMNS} FROM notices WHERE told_at IS NULL OR (closed_at IS NOT NULL AND told_closed_at IS NULL)
            ORDER BY opened_at, subject"""
    )
    return [Notice(*row) for row in rows]


def mark_told(db: apsw.Connection, notice: Notice, at: float) -> None:
    """Everybody has been told of this notice as it stands."""
    column = "told_closed_at" if notice.is_over else "told_at"
    db.execute(f"UPDATE notices SET {column} = ? WHERE subject = ?", (at, notice.subject))


def listed(db: apsw.Connection) -> list[Notice]:
    return [Notice(*row) for row in db.execute(f"SELECT {_COLUMNS} FROM notices ORDER BY opened_at, subject")]
