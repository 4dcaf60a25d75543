"""The conditions of partial indexes, word for word: SQLite uses one only for a statement that repeats them."""

from __future__ import annotations

DEAD_STATES = ("dead", "held", "expired")
TROUBLED_STATES = ("retrying", "unknown", "held", "dead", "expired")
CLOSED_STATES = ("skipped", "resolved", "cancelled")


def is_dead(table: str = "") -> str:
    """What ``deliveries_dead`` holds; ``table`` is the name that the statement knows deliveries by."""
    return _any_of(table, DEAD_STATES)


def is_troubled(table: str = "") -> str:
    """What ``deliveries_troubled`` holds; ``table`` is the name that the statement knows deliveries by."""
    return _any_of(table, TROUBLED_STATES)


def is_closed(table: str = "") -> str:
    """What ``deliveries_closed`` holds."""
    return _any_of(table, CLOSED_STATES)


def _any_of(table: str, states: tuple[str, ...]) -> str:
    column = f"{table}.state" if table else "state"
    return "(" + " OR ".join(f"{column} = '{state}'" for state in states) + ")"
