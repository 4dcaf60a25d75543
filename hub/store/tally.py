"""How many receipts, messages and deliveries there are in each state, exactly and without walking the tables.

What is rare or waiting is counted by its own small index, what is common (split, routed, delivered) is the rest. The
whole is counted once, then only what has come since; rows that retention removed still count.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import msgspec

from hub.states import DELIVERY_STATES, DELIVERY_WAITING
from hub.store import counters
from hub.store.database import Database, numbers_on_their_way
from hub.store.partial import is_closed, is_troubled

Pruned = dict[tuple[str, str], int]  # (table, state) -> how many rows retention removed
# A mark is forgotten long before retention could come up to it.
_REMEMBERED_SECONDS = 3600.0
_SETTLED_SECONDS = 120.0  # ids are made moments before their row is committed; older ones come no more


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts by state since the store began. The numbers of each table add up to all of its rows ever."""

    receipts: dict[str, int]
    messages: dict[str, int]
    deliveries: dict[str, int]

    @property
    def waiting(self) -> int:
        """Deliveries that are on their way, whatever they wait for."""
        return sum(count for state, count in self.deliveries.items() if state in DELIVERY_WAITING)


class _Mark(msgspec.Struct, frozen=True):
    """How many rows of a table there ever were up to a key that nothing new comes before."""

    key: str | int
    rows: int
    at: float


class Tallier:
    """Counts again and again; remembers how many there were up to a point that nothing new comes before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._marks: dict[str, _Mark] = {}

    def count(self, db: Database, now: float) -> Tally:
        """The tally of one moment: ``db`` is a snapshot."""
        pruned = _pruned(db)
        receipts, messages = _by_index(db, _RECEIPTS), _by_index(db, _MESSAGES)
        deliveries = dict.fromkeys(DELIVERY_STATES, 0) | _by_index(db, _DELIVERIES)
        newest = _first(db, "SELECT max(seq) FROM receipts") - numbers_on_their_way(db)
        # Messages come with their receipts' numbers: below the first receipt still open nothing new comes.
        settled = min(newest, _first(db, _FIRST_OPEN, newest + 1) - 1)
        rows = {
            "receipts": self._rows(db, "receipts", "seq", newest, pruned, now),
            "messages": self._rows(db, "messages", "seq", settled, pruned, now),
            "deliveries": self._rows(db, "deliveries", "delivery_id", uuid_floor(now - _SETTLED_SECONDS), pruned, now),
        }
        for table, state, found in (
            ("receipts", "split", receipts), ("messages", "routed", messages), ("deliveries", "delivered", deliveries),
        ):  # fmt: skip
            _add_pruned(found, pruned, table, state)
            found[state] = rows[table] - sum(count for name, count in found.items() if name != state)
        return Tally(receipts, messages, deliveries)

    def _rows(self, db: Database, table: str, column: str, settled: str | int, pruned: Pruned, now: float) -> int:
        """All rows of a table ever: those up to the mark, known or counted once, and those since."""
        with self._lock:
            mark = self._marks.get(table)
            if mark is None or not 0 <= now - mark.at < _REMEMBERED_SECONDS:
                gone = sum(count for (of, _), count in pruned.items() if of == table)
                total = _first(db, f"SELECT count(*) FROM {table}") + gone
            else:
                total = mark.rows + _after(db, table, column, mark.key)
            self._marks[table] = _Mark(settled, total - _after(db, table, column, settled), now)
            return total


def _after(db: Database, table: str, column: str, key: str | int) -> int:
    return db.execute(f"SELECT count(*) FROM {table} WHERE {column} > ?", (key,)).get or 0


def _first(db: Database, statement: str, default: int = 0) -> int:
    return db.execute(statement).get or default


def _by_index(db: Database, statements: tuple[str, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for statement in statements:
        for state, count in db.execute(statement):
            found[state] = found.get(state, 0) + count
    return found


def _pruned(db: Database) -> Pruned:
    return {(row["name"], row["label"]): row["count"] for row in counters.listed(db, counters.PRUNED)}


def _add_pruned(found: dict[str, int], pruned: Pruned, table: str, common: str) -> None:
    """Add what retention removed to the states that were counted by index."""
    for (of, state), count in pruned.items():
        if of == table and state != common:
            found[state] = found.get(state, 0) + count


def uuid_floor(epoch: float) -> str:
    """The least UUIDv7 of a moment."""
    digits = f"{max(0, int(epoch * 1000)):012x}"
    return f"{digits[:8]}-{digits[8:]}-7000-8000-000000000000"


# By its index: SQLite would else look for the least number by walking the table from its start.
_FIRST_OPEN = "SELECT min(+seq) FROM receipts INDEXED BY receipts_open WHERE state = 'received'"
_RECEIPTS = (
    "SELECT 'received', count(*) FROM receipts WHERE state = 'received'",
    "SELECT 'dead', count(*) FROM receipts WHERE state = 'dead'",
)
_MESSAGES = ("SELECT state, count(*) FROM messages WHERE state <> 'routed' GROUP BY state",)
_QUEUED = "SELECT 'queued', count(*) FROM deliveries"
_DELIVERIES = (
    f"SELECT state, count(*) FROM deliveries WHERE {is_troubled()} GROUP BY state",
    f"SELECT state, count(*) FROM deliveries WHERE {is_closed()} GROUP BY state",
    """SELECT 'delivering', count(*) FROM deliveries INDEXED BY deliveries_claimed
       WHERE claimed_by IS NOT NULL AND state = 'delivering'""",
    # A queued delivery is due, or waits in its lane, or waits for the target it comes after.
    f"{_QUEUED} INDEXED BY deliveries_due WHERE due_at IS NOT NULL AND state = 'queued'",
    f"{_QUEUED} INDEXED BY deliveries_lane WHERE holds_lane = 1 AND due_at IS NULL AND state = 'queued'",
    f"""{_QUEUED} INDEXED BY deliveries_waiting
        WHERE waits_for <> '' AND due_at IS NULL AND holds_lane = 0 AND state = 'queued'""",
)
