"""What is counted beside the rows: refused bodies and duplicates per source and reason, and what retention removed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from hub.store.database import Database

REFUSED, DUPLICATE, PRUNED = "refused", "duplicate", "pruned"
_MOST = 1000  # different names and labels held between two writes; a flood of invented ones becomes 'other'
_LONGEST = 80

_ADD = """INSERT INTO counters VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (kind, name, label) DO UPDATE SET
  count = counters.count + excluded.count, bytes = counters.bytes + excluded.bytes,
  last_at = CASE WHEN excluded.last_at > counters.last_at THEN excluded.last_at ELSE counters.last_at END"""
Key = tuple[str, str, str]


class CountBuffer:
    """Counts from any thread, written now and then: ``flush`` is a job for ``store.write``.

    What was counted since the last flush is lost with the process; so nothing here is part of conservation.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[Key, tuple[int, int, float]] = {}

    def add(self, kind: str, name: str, label: str, at: float, bytes: int = 0, count: int = 1) -> None:
        """Count something; names and labels are cut at 80 characters."""
        key = (kind, name[:_LONGEST], label[:_LONGEST])
        with self._lock:
            if key not in self._held and len(self._held) >= _MOST:
                key = (kind, "other", "other")
            before = self._held.get(key, (0, 0, 0.0))
            self._held[key] = (before[0] + count, before[1] + bytes, max(before[2], at))

    def flush(self, db: Database) -> int:
        """Write what is held; gives how many rows. If the transaction fails the counts are kept."""
        with self._lock:
            held = dict(self._held)
        add(db, [(*key, *value) for key, value in held.items()])
        with self._lock:
            for key, written in held.items():
                now = self._held.pop(key)
                if now != written:
                    self._held[key] = (now[0] - written[0], now[1] - written[1], now[2])
        return len(held)


def add(db: Database, rows: Sequence[tuple[str, str, str, int, int, float]]) -> None:
    """Increase counters: (kind, name, label, count, bytes, at) each."""
    db.executemany(_ADD, rows)


def listed(db: Database, kind: str) -> list[dict[str, Any]]:
    """The counters of a kind: name, label, count, bytes, last_at."""
    columns = ("name", "label", "count", "bytes", "last_at")
    rows = db.execute(
        "SELECT name, label, count, bytes, last_at FROM counters WHERE kind = ? ORDER BY name, label", (kind,)
    )
    return [dict(zip(columns, row, strict=True)) for row in rows]


def total(db: Database, kind: str, name: str | None = None) -> int:
    """The sum of a kind's counters, of one name or all."""
    if name is None:
        return db.execute("SELECT sum(count) FROM counters WHERE kind = ?", (kind,)).get or 0
    return db.execute("SELECT sum(count) FROM counters WHERE kind = ? AND name = ?", (kind, name)).get or 0


def put(db: Database, kind: str, name: str, value: int, at: float) -> None:
    """Set a counter that is a mark, not a sum."""
    db.execute(
        "INSERT INTO counters VALUES (?, ?, '', ?, 0, ?) ON CONFLICT (kind, name, label) "
        "DO UPDATE SET count = excluded.count, last_at = excluded.last_at",
        (kind, name, value, at),
    )
