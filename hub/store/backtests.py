"""Back-tests as rows: waiting, running, done. Results are kept for a week; samples no longer than what they are of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hub.store.compression import packed, unpacked
from hub.store.database import Database, lock

KEEP_SECONDS = 7 * 86400.0
MOST_WAITING = 10
_COLUMNS = "backtest_id, created_at, actor, reason, request, state, done, total, started_at, ended_at, error"

_STORED = """SELECT 1 FROM messages m WHERE m.message_id = ? AND (
    EXISTS (SELECT 1 FROM payloads p WHERE p.owner_id = m.message_id AND p.stage = 'canonical')
    OR m.state = 'dead' AND EXISTS (
      SELECT 1 FROM receipts r JOIN payloads p ON p.stage = 'raw'
        AND p.owner_id = CASE WHEN r.raw_owner <> '' THEN r.raw_owner ELSE r.receipt_id END
      WHERE r.seq = m.seq))"""


class Row(msgspec.Struct, frozen=True):
    """A back-test without its files and its result."""

    backtest_id: str
    created_at: float
    actor: str
    reason: str
    request: dict[str, Any]
    state: str
    done: int
    total: int | None
    started_at: float | None
    ended_at: float | None
    error: str


def add(db: Database, row: Row, work: bytes) -> bool:
    """Put a back-test in line; False where too many wait already."""
    lock(db, "backtests")
    waiting = db.execute("SELECT count(*) FROM backtests WHERE state = 'waiting' OR state = 'running'").get
    if waiting >= MOST_WAITING:
        return False
    db.execute(
        """INSERT INTO backtests (backtest_id, created_at, actor, reason, request, work, state)
           VALUES (?, ?, ?, ?, ?, ?, 'waiting')""",
        (row.backtest_id, row.created_at, row.actor, row.reason, msgspec.json.encode(row.request).decode(),
         packed(work)),
    )  # fmt: skip
    return True


def get(db: Database, backtest_id: str) -> Row | None:
    row = db.execute(f"SELECT {_COLUMNS} FROM backtests WHERE backtest_id = ?", (backtest_id,)).fetchone()
    return None if row is None else _row(row)


def listed(db: Database, limit: int = 50) -> list[Row]:
    """The newest first."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM backtests ORDER BY backtest_id DESC LIMIT ?", (limit,))
    return [_row(row) for row in rows]


def result(db: Database, backtest_id: str) -> bytes | None:
    """The report of one that is done."""
    result = db.execute("SELECT result FROM backtests WHERE backtest_id = ?", (backtest_id,)).get
    return None if result is None else unpacked(result)


def results(db: Database) -> list[tuple[str, bytes]]:
    """The reports of all that are done, by their ids."""
    rows = db.execute("SELECT backtest_id, result FROM backtests WHERE result IS NOT NULL ORDER BY backtest_id")
    return [(str(row[0]), unpacked(row[1])) for row in rows]


def put_result(db: Database, backtest_id: str, report: bytes) -> None:
    """A report in the place of the one there was."""
    db.execute("UPDATE backtests SET result = ? WHERE backtest_id = ?", (packed(report), backtest_id))


def still_stored(db: Database, message_ids: Iterable[str]) -> set[str]:
    """Those of whose content the store still has something: the canonical document, or the raw bytes of what died."""
    return {each for each in message_ids if db.execute(_STORED, (each,)).fetchone() is not None}


def take(db: Database, holder: str, at: float) -> tuple[str, bytes] | None:
    """The next one that waits, which is this process's now: (id, work). What others ran waits again: they are gone."""
    db.execute("UPDATE backtests SET state = 'waiting', done = 0 WHERE state = 'running' AND holder <> ?", (holder,))
    row = db.execute(
        "SELECT backtest_id, work FROM backtests WHERE state = 'waiting' ORDER BY backtest_id LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    db.execute(
        "UPDATE backtests SET state = 'running', holder = ?, started_at = ? WHERE backtest_id = ?", (holder, at, row[0])
    )
    return str(row[0]), unpacked(row[1])


def is_waiting(db: Database, holder: str) -> bool:
    """Whether there is something to take."""
    sql = "SELECT 1 FROM backtests WHERE state = 'waiting' OR (state = 'running' AND holder <> ?) LIMIT 1"
    return db.execute(sql, (holder,)).fetchone() is not None


def note_progress(db: Database, backtest_id: str, holder: str, done: int, total: int) -> bool:
    """How far it is; False when it is not this process's any more, or was cancelled."""
    db.execute(
        "UPDATE backtests SET done = ?, total = ? WHERE backtest_id = ? AND state = 'running' AND holder = ?",
        (done, total, backtest_id, holder),
    )
    return db.changes() == 1


def finish(db: Database, backtest_id: str, holder: str, at: float, report: bytes | None, error: str) -> bool:
    """Its end: with a report it is done, without it has failed. False where somebody has cancelled it."""
    db.execute(
        """UPDATE backtests SET state = ?, ended_at = ?, result = ?, error = ?, done = coalesce(total, done)
           WHERE backtest_id = ? AND state = 'running' AND holder = ?""",
        ("failed" if report is None else "done", at, None if report is None else packed(report), error, backtest_id,
         holder),
    )  # fmt: skip
    return db.changes() == 1


def cancel(db: Database, backtest_id: str, at: float) -> bool:
    """Stop one that is not over; False when it is."""
    db.execute(
        """UPDATE backtests SET state = 'cancelled', ended_at = ?
           WHERE backtest_id = ? AND (state = 'waiting' OR state = 'running')""",
        (at, backtest_id),
    )
    return db.changes() == 1


def prune(db: Database, before: float) -> int:
    """Drop those that ended before a time; gives how many."""
    db.execute("DELETE FROM backtests WHERE ended_at < ?", (before,))
    return db.changes()


def _row(row: tuple[Any, ...]) -> Row:
    fields = list(row)
    fields[4] = msgspec.json.decode(row[4])
    return Row(*fields)
