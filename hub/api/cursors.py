"""Cursors of numbered lists: the number of the last row of the page before, as a text nobody has to understand."""

from __future__ import annotations

from hub.errors import UsageError

_DIGITS = 18  # no row of the store has a longer number


def row_number(cursor: str | None) -> int | None:
    """The row that a cursor names; None without one. Raises UsageError for one that no list has given."""
    if cursor is None:
        return None
    if not cursor.isdecimal() or len(cursor) > _DIGITS:
        raise UsageError("cursor: not one that this list has given; leave it out to start at the beginning")
    return int(cursor)
