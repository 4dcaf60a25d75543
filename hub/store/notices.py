"""Notices: what is open and who has been told: each channel is told once when it opens and once when it is over.

Every channel has rows of its own: one that cannot be reached keeps the others neither waiting nor hearing things twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from hub.store.database import Database

_COLUMNS = "subject, kind, detail, opened_at, told_at, closed_at"


class Notice(msgspec.Struct, frozen=True):
    """Something that is open, or was, as one channel knows it. ``told_at`` None means that it has not been told yet."""

    channel: str
    subject: str
    kind: str
    detail: str
    opened_at: float
    told_at: float | None
    closed_at: float | None

    @property
    def is_over(self) -> bool:
        return self.closed_at is not None


def settle(db: Database, channel: str, open_now: Mapping[str, tuple[str, str]], at: float) -> None:
    """Bring a channel's notices up to what is open now: subject -> (kind, detail). A channel is a name without spaces.

    What is new opens; what is no longer there closes; what closed before it was told is dropped.
    """
    known = {notice.subject: notice for notice in listed(db) if notice.channel == channel}
    for subject, (kind, detail) in open_now.items():
        before = known.get(subject)
        if before is None:
            row = (_row_name(channel, subject), kind, detail, at)
            db.execute("INSERT INTO notices VALUES (?, ?, ?, ?, NULL, NULL, NULL)", row)
        elif before.is_over:
            # It came back before its end was told: for whoever was told, it never was over.
            _set(db, before, "closed_at = NULL, detail = ?", detail)
    for subject, notice in known.items():
        if subject not in open_now and not notice.is_over:
            if notice.told_at is None:
                _remove(db, notice)
            else:
                _set(db, notice, "closed_at = ?", at)


def forget_others(db: Database, channels: Collection[str]) -> None:
    """Drop the notices of channels that the configuration no longer names."""
    for notice in listed(db):
        if notice.channel not in channels:
            _remove(db, notice)


def untold(db: Database, channel: str) -> list[Notice]:
    """What a channel has to be told, the oldest first: opened and not told, or over and not told to be."""
    return [n for n in listed(db) if n.channel == channel and (n.told_at is None or n.is_over)]


def mark_told(db: Database, notice: Notice, at: float) -> None:
    """The notice's channel has been told of it as it stands. With its end told, there is nothing more to know of it."""
    if notice.is_over:
        _remove(db, notice)
    else:
        _set(db, notice, "told_at = ?", at)


def listed(db: Database) -> list[Notice]:
    """All there are, the oldest first."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM notices ORDER BY opened_at, subject")
    return [Notice(channel, subject, *rest) for name, *rest in rows for channel, _, subject in [name.partition(" ")]]


def _row_name(channel: str, subject: str) -> str:
    return f"{channel} {subject}"


def _set(db: Database, notice: Notice, change: str, value: object) -> None:
    db.execute(f"UPDATE notices SET {change} WHERE subject = ?", (value, _row_name(notice.channel, notice.subject)))


def _remove(db: Database, notice: Notice) -> None:
    db.execute("DELETE FROM notices WHERE subject = ?", (_row_name(notice.channel, notice.subject),))
