"""Messages whose partners are told what became of them by their content: what each was, what was told, when to look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hub.message import LANE_SHIFT, Advised, Subject, lane_seq
from hub.store.database import Database
from hub.store.pruning import forget

_PUT = """INSERT INTO advices (place, partner, message_id, subject, came_at, look_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)
  ON CONFLICT (place) DO UPDATE SET message_id = excluded.message_id, look_at = excluded.look_at"""
_DUE = """SELECT place, partner, message_id, subject, told, came_at FROM advices
  WHERE look_at IS NOT NULL AND look_at <= ? ORDER BY look_at LIMIT ?"""

# What stands beside it and is of the same message: up to the next one of another, either way, however many there are.
_OTHER = """(SELECT place FROM advices WHERE place BETWEEN {} AND (partner <> ?4 OR subject <> ?5)
  ORDER BY place {} LIMIT 1)"""
_SIBLINGS = f"""SELECT place, partner, message_id, subject, told, came_at FROM advices
  WHERE place > coalesce({_OTHER.format("?1 AND ?2", "DESC")}, ?1 - 1)
    AND place < coalesce({_OTHER.format("?2 AND ?3", "ASC")}, ?3 + 1) ORDER BY place"""


class Waiting(msgspec.Struct, frozen=True):
    """A message of which its partner may have to be told. ``told`` is what it was told before, '' nothing."""

    place: int
    partner: str
    message_id: str
    subject: Subject
    told: str
    came_at: float


class Fate(msgspec.Struct, frozen=True):
    """How a message is by now: its receipt, its place in that, its state and failure, and (route, target, state,
    failure) of each of its deliveries."""

    receipt_id: str
    place: str
    state: str
    failure: Mapping[str, Any]
    deliveries: Sequence[tuple[str, str, str, Mapping[str, Any]]]


def put(db: Database, advised: Sequence[Advised], at: float) -> None:
    """Note messages; one that is replayed takes the place of the first, and what was told of that holds for it."""
    rows = [(a.place, a.partner, a.message_id, msgspec.json.encode(a.subject).decode(), at) for a in advised]
    db.executemany(_PUT, rows)


def due(db: Database, at: float, limit: int) -> list[Waiting]:
    """Those to look at now."""
    return [_waiting(row) for row in db.execute(_DUE, (at, limit))]


def siblings(db: Database, waiting: Waiting) -> list[Waiting]:
    """All documents that the same message became, this one among them."""
    first, last = lane_seq(waiting.place >> LANE_SHIFT, 0), lane_seq((waiting.place >> LANE_SHIFT) + 1, 0) - 1
    subject = msgspec.json.encode(waiting.subject).decode()
    return [_waiting(row) for row in db.execute(_SIBLINGS, (first, waiting.place, last, waiting.partner, subject))]


def _waiting(row: Sequence[Any]) -> Waiting:
    place, partner, message_id, subject, told, came_at = row
    return Waiting(int(place), partner, message_id, msgspec.json.decode(subject, type=Subject), told, came_at)


def fate(db: Database, message_id: str) -> Fate | None:
    """What became of a message; None where it is stored no more."""
    row = db.execute(
        """SELECT r.raw_owner, r.receipt_id, m.place, m.state, m.failure FROM messages m
           JOIN receipts r ON r.seq = m.seq WHERE m.message_id = ?""",
        (message_id,),
    ).fetchone()
    if row is None:
        return None
    raw_owner, receipt_id, place, state, failure = row
    deliveries = [
        (str(route), str(target), str(its_state), _read(its_failure))
        for route, target, its_state, its_failure in db.execute(
            "SELECT route, target, state, failure FROM deliveries WHERE message_id = ? ORDER BY delivery_id",
            (message_id,),
        )
    ]
    return Fate(str(raw_owner or receipt_id), str(place), str(state), _read(failure), deliveries)


def _read(failure: str | None) -> Mapping[str, Any]:
    return msgspec.json.decode(failure) if failure else {}


def tell(db: Database, waiting: Waiting, verdict: str) -> bool:
    """Note what the partner is told in this transaction; False where another process, or a replay, was quicker."""
    db.execute(
        "UPDATE advices SET told = ? WHERE place = ? AND told = ? AND message_id = ?",
        (verdict, waiting.place, waiting.told, waiting.message_id),
    )
    return db.changes() == 1


def look_again(db: Database, looks: Sequence[tuple[Waiting, float | None]]) -> None:
    """When to look at each the next time; None: never again."""
    rows = [(look_at, waiting.place, waiting.message_id) for waiting, look_at in looks]
    db.executemany("UPDATE advices SET look_at = ? WHERE place = ? AND message_id = ?", rows)


def prune(db: Database, before: float, limit: int = 1000) -> int:
    """Forget messages that came before, some at a time; gives how many."""
    return forget(db, "advices", "place", "came_at", before, limit)
