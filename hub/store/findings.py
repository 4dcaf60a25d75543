"""What was found about messages that go on all the same: told on the message until it has come right or somebody has
seen to it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final, Literal

import msgspec

from hub.store.database import Database
from hub.store.pruning import forget

Code = Literal["gap", "balance", "overlap", "repeat", "no_reply"]
REPEAT: Final = "repeat"  # a statement came before, with the same content
NO_REPLY: Final = "no_reply"  # a target has it, and no answer came that could be taken in


class Found(msgspec.Struct, frozen=True):
    """One finding. ``settled_at`` None: it is open; ``settled_by`` is '' where it came right by itself."""

    message_id: str
    code: Code
    source: str
    detail: str
    found_at: float
    settled_at: float | None = None
    settled_by: str = ""


_COLUMNS = "message_id, code, source, detail, found_at, settled_at, settled_by"
# What a person has seen to stays so.
_OPEN = f"""INSERT INTO message_findings ({_COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, NULL, '')
  ON CONFLICT (message_id, code) DO UPDATE SET detail = excluded.detail, settled_at = NULL,
    found_at = CASE WHEN message_findings.settled_at IS NULL THEN message_findings.found_at ELSE excluded.found_at END
  WHERE message_findings.settled_by = ''"""
# A thing found is a line of the detail, and no line is part of another. The last one that comes right stays told.
_OPEN_ONE = _OPEN.replace(
    "detail = excluded.detail",
    """detail = CASE WHEN message_findings.settled_at IS NOT NULL THEN excluded.detail
      WHEN replace(message_findings.detail, excluded.detail, '') <> message_findings.detail THEN message_findings.detail
      ELSE message_findings.detail || '\n' || excluded.detail END""",
)
_ONE = "WHERE message_id = ? AND code = ? AND settled_at IS NULL"
_TAKE_ONE_OUT = f"""UPDATE message_findings SET detail = replace(replace(detail, ?, ''), ?, '') {_ONE}
  AND replace(detail, ?, '') <> detail"""
_SETTLE_LAST = f"UPDATE message_findings SET settled_at = ? {_ONE} AND detail = ?"


def put(db: Database, message_id: str, code: Code, source: str, detail: str, at: float) -> None:
    """What is found about a message under a code by now."""
    db.execute(_OPEN, (message_id, code, source, detail, at))


def settle_others(db: Database, message_id: str, codes: Sequence[str], found: Collection[str], at: float) -> None:
    """What is no longer found about a message, of these codes, has come right."""
    gone = [code for code in codes if code not in found]
    db.execute(
        f"""UPDATE message_findings SET settled_at = ? WHERE message_id = ? AND settled_at IS NULL
              AND code IN ({", ".join("?" * len(gone))})""",
        (at, message_id, *gone),
    )


def put_one(db: Database, message_id: str, code: Code, source: str, detail: str, at: float) -> None:
    """One of several things that may be found about a message under a code; each is told on a line of its own."""
    db.execute(_OPEN_ONE, (message_id, code, source, detail, at))


def settle_one(db: Database, message_id: str, code: Code, detail: str, at: float) -> bool:
    """One thing that was found has come right; what else was found under its code stays open. Gives whether it was."""
    db.execute(_SETTLE_LAST, (at, message_id, code, detail))
    if db.changes():
        return True
    db.execute(_TAKE_ONE_OUT, (f"{detail}\n", f"\n{detail}", message_id, code, detail))
    return db.changes() > 0


def note(db: Database, message_id: str, code: Code, source: str, detail: str, at: float) -> None:
    """Something to know about a message that nobody has to see to."""
    db.execute(
        f"INSERT INTO message_findings ({_COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?5, '') ON CONFLICT DO NOTHING",
        (message_id, code, source, detail, at),
    )


def settle(db: Database, message_id: str, at: float, by: str = "") -> int:
    """All of a message have been dealt with; gives how many were open."""
    db.execute(
        """UPDATE message_findings SET settled_at = ?, settled_by = ?
           WHERE message_id = ? AND settled_at IS NULL""",
        (at, by, message_id),
    )
    return db.changes()


def is_any_open(db: Database, codes: Sequence[str]) -> bool:
    """Whether one of these codes is open, of any message."""
    marks = ", ".join("?" * len(codes))
    sql = f"SELECT 1 FROM message_findings WHERE settled_at IS NULL AND code IN ({marks}) LIMIT 1"
    return db.execute(sql, tuple(codes)).fetchone() is not None


def of_message(db: Database, message_id: str) -> list[Found]:
    """Those of one message, the oldest first."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM message_findings WHERE message_id = ? ORDER BY found_at, code", (message_id,)
    )
    return [Found(*row) for row in rows]


def open_now(db: Database, limit: int, until: float | None = None) -> list[Found]:
    """Those that nobody has seen to, the oldest first; ``until``: found at a time or before."""
    rows: Any = db.execute(
        f"""SELECT {_COLUMNS} FROM message_findings WHERE settled_at IS NULL AND found_at <= ?
            ORDER BY found_at, message_id, code LIMIT ?""",
        (1e18 if until is None else until, limit),
    )
    return [Found(*row) for row in rows]


def count_open(db: Database) -> dict[tuple[str, str], int]:
    """How many are open, by source and code."""
    rows = db.execute("SELECT source, code, count(*) FROM message_findings WHERE settled_at IS NULL GROUP BY 1, 2")
    return {(str(source), str(code)): int(count) for source, code, count in rows}


def prune(db: Database, before: float, limit: int = 1000) -> int:
    """Forget what was found before a time, some at once; gives how many."""
    return forget(db, "message_findings", "message_id, code", "found_at", before, limit)
