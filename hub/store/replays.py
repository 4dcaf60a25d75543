"""Replays and their items as rows: planned, running, done. What a restart finds is what there was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from hub.store.database import Database

CHUNK = 500
_COLUMNS = """replay_id, created_at, actor, reason, request, state, plan_hash, plan, started_at, ended_at, next_at,
  done_to"""


class Replay(msgspec.Struct, frozen=True):
    """A replay of one or many. ``request`` and ``plan`` are as they were asked for and worked out."""

    replay_id: str
    created_at: float
    actor: str
    reason: str
    request: dict[str, Any]
    state: str
    plan_hash: str
    plan: dict[str, Any]
    started_at: float | None
    ended_at: float | None
    next_at: float | None = None
    done_to: int = 0  # the items from this one on have their turn next, then those before it that still wait


class Item(msgspec.Struct, frozen=True):
    """One thing of a replay. ``new_id`` is the delivery or receipt that came of it; ``note`` why it was skipped."""

    ordinal: int
    kind: str
    item_id: str
    state: str
    note: str = ""
    new_id: str = ""


def add(db: Database, replay: Replay) -> None:
    db.execute(
        f"INSERT INTO replays ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            replay.replay_id, replay.created_at, replay.actor, replay.reason, _text(replay.request), replay.state,
            replay.plan_hash, _text(replay.plan), replay.started_at, replay.ended_at, replay.next_at, replay.done_to,
        ),
    )  # fmt: skip


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def add_items(db: Database, replay_id: str, items: Sequence[Item]) -> None:
    db.executemany(
        "INSERT INTO replay_items VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(replay_id, i.ordinal, i.kind, i.item_id, i.state, i.note, i.new_id) for i in items],
    )


def get(db: Database, replay_id: str) -> Replay | None:
    row = db.execute(f"SELECT {_COLUMNS} FROM replays WHERE replay_id = ?", (replay_id,)).fetchone()
    return None if row is None else _replay(row)


def listed(db: Database, limit: int = 50) -> list[Replay]:
    """The newest first."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM replays ORDER BY replay_id DESC LIMIT ?", (limit,))
    return [_replay(row) for row in rows]


def running(db: Database) -> list[str]:
    """The replays that run, by id, the oldest first."""
    rows = db.execute("SELECT replay_id FROM replays WHERE state = 'running' ORDER BY replay_id")
    return [str(replay_id) for (replay_id,) in rows]


def hold(db: Database, replay_id: str) -> Replay | None:
    """A running replay, which nobody else goes on with or cancels until this transaction ends; None when it runs no
    more."""
    rows = db.execute(
        f"UPDATE replays SET done_to = done_to WHERE replay_id = ? AND state = 'running' RETURNING {_COLUMNS}",
        (replay_id,),
    ).fetchall()
    return _replay(rows[0]) if rows else None


def _replay(row: tuple[Any, ...]) -> Replay:
    fields = list(row)
    fields[4], fields[7] = msgspec.json.decode(row[4]), msgspec.json.decode(row[7])
    return Replay(*fields)


def set_state(db: Database, replay_id: str, before: str, after: str, at: float) -> bool:
    """Move a replay on; False when it is not in the state it should be in."""
    column = "started_at" if after == "running" else "ended_at"
    db.execute(
        f"UPDATE replays SET state = ?, {column} = ? WHERE replay_id = ? AND state = ?", (after, at, replay_id, before)
    )
    return db.changes() == 1


def items(db: Database, replay_id: str, after: int = -1, limit: int = 50, state: str = "") -> list[Item]:
    """Items in their order, after an ordinal."""
    rows = db.execute(
        """SELECT ordinal, kind, item_id, state, note, new_id FROM replay_items
           WHERE replay_id = ?1 AND ordinal > ?2 AND (?4 = '' OR state = ?4) ORDER BY ordinal LIMIT ?3""",
        (replay_id, after, limit, state),
    )
    return [Item(*row) for row in rows]


def went_on(db: Database, replay_id: str, done_to: int, next_at: float | None) -> None:
    """From which of its items on a replay goes on, and when its rate lets it."""
    db.execute("UPDATE replays SET done_to = ?, next_at = ? WHERE replay_id = ?", (done_to, next_at, replay_id))


def waiting(db: Database, replay_id: str, done_to: int, limit: int) -> list[Item]:
    """The next items to be done, from an ordinal on."""
    rows = db.execute(
        """SELECT ordinal, kind, item_id, state FROM replay_items
           WHERE replay_id = ? AND ordinal >= ? AND state = 'waiting' ORDER BY ordinal LIMIT ?""",
        (replay_id, done_to, limit),
    )
    return [Item(*row) for row in rows]


# One step of the index for each replay, however many items it has.
_ORPHANED = """WITH RECURSIVE found(replay_id) AS (
    SELECT min(replay_id) FROM replay_items
    UNION ALL
    SELECT (SELECT min(i.replay_id) FROM replay_items i WHERE i.replay_id > found.replay_id) FROM found
    WHERE found.replay_id IS NOT NULL)
  SELECT replay_id FROM found
  WHERE replay_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM replays r WHERE r.replay_id = found.replay_id)"""


def discard_orphans(db: Database) -> None:
    """Items of plans that were not finished when the hub ended."""
    for (replay_id,) in db.execute(_ORPHANED).fetchall():
        db.execute("DELETE FROM replay_items WHERE replay_id = ?", (replay_id,))


def mark_items(db: Database, replay_id: str, items: Sequence[Item]) -> None:
    """The end of items, in the transaction of what came of them."""
    db.executemany(
        "UPDATE replay_items SET state = ?, note = ?, new_id = ? WHERE replay_id = ? AND ordinal = ?",
        [(item.state, item.note, item.new_id, replay_id, item.ordinal) for item in items],
    )


def progress(db: Database, replay_id: str) -> dict[str, int]:
    """Items by state: waiting, started, skipped."""
    rows = db.execute("SELECT state, count(*) FROM replay_items WHERE replay_id = ? GROUP BY state", (replay_id,))
    return {"waiting": 0, "started": 0, "skipped": 0, **dict(rows)}


def outcomes(db: Database, replay_id: str) -> dict[str, int]:
    """What has become of the deliveries that a replay made, by state; of messages without any, and of receipts that
    are no single message, by theirs."""
    rows = db.execute(
        """SELECT coalesce(d.state, own.state, m.state, r.state, 'pruned'), count(*) FROM replay_items i
             LEFT JOIN deliveries d ON d.delivery_id = i.new_id LEFT JOIN receipts r ON r.receipt_id = i.new_id
             LEFT JOIN messages m ON m.message_id = i.new_id LEFT JOIN deliveries own ON own.message_id = m.message_id
           WHERE i.replay_id = ? AND i.state = 'started' GROUP BY 1""",
        (replay_id,),
    )
    return dict(rows)


# Of an item: the delivery that it is, and those of the messages of the receipt that it is.
_MADE = (
    "deliveries d ON d.delivery_id = i.new_id",
    """receipts r ON r.receipt_id = i.new_id CROSS JOIN messages m ON m.seq = r.seq
        CROSS JOIN deliveries d ON d.message_id = m.message_id""",
)


def waits(db: Database, replay_id: str) -> dict[str, int]:
    """How many of the deliveries that a replay made wait for what is switched off: ``route orders``, ``system erp``."""
    made = """SELECT w.kind || ' ' || w.name AS what FROM switches w
        CROSS JOIN replay_items i ON i.replay_id = ?1 AND i.state = 'started'
        CROSS JOIN {0}
      WHERE d.state IN ('queued', 'retrying', 'unknown')
        AND w.name = CASE w.kind WHEN 'route' THEN d.route ELSE d.system END"""
    rows = db.execute(
        f"""SELECT what, count(*) FROM ({" UNION ALL ".join(map(made.format, _MADE))}) AS kept
            GROUP BY what ORDER BY what""",
        (replay_id,),
    )
    return dict(rows)


def discard_plans(db: Database, before: float) -> int:
    """Drop plans that nobody started, with their items; gives how many."""
    old = [
        row[0]
        for row in db.execute(
            "SELECT replay_id FROM replays WHERE state = 'planned' AND created_at < ? LIMIT 5", (before,)
        )
    ]
    for replay_id in old:
        db.execute("DELETE FROM replay_items WHERE replay_id = ?", (replay_id,))
        db.execute("DELETE FROM replays WHERE replay_id = ?", (replay_id,))
    return len(old)
