"""Things that a source gives again and again, each known as it was the last time, for as long as it goes on coming.

An id that came once is forgotten after a while; what a system still shows after a year must be known even then. What is
as it was before the last time has changed back: so the versions of the last round in which a thing came are known, and
no older ones. They may be several, where what is taken for its id is that of more than one.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.message import Arrival
from hub.store.database import Database

_NEVER = 1 << 62  # no round comes to this
_LAST = "SELECT max(round) FROM items_seen WHERE source = ? AND item = ? AND round < ?"
_KNOWN = "SELECT seq FROM items_seen WHERE source = ? AND item = ? AND version IN (?, ?) AND round >= ?"
_FORGET = "DELETE FROM items_seen WHERE source = ? AND item = ? AND round < ?"
_PUT = """INSERT INTO items_seen (source, item, version, round, seq, seen_at) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (source, item, version) DO UPDATE SET round = excluded.round, seq = excluded.seq,
    seen_at = excluded.seen_at"""
_SOURCES = """WITH RECURSIVE found(source) AS (
    SELECT min(source) FROM items_seen
    UNION ALL
    SELECT (SELECT min(i.source) FROM items_seen i WHERE i.source > found.source) FROM found
    WHERE found.source IS NOT NULL)
  SELECT source FROM found WHERE source IS NOT NULL"""


def repeats(db: Database, numbered: Sequence[tuple[int, Arrival]]) -> dict[int, int]:
    """The arrivals that are what their thing was the last time, each with the number of the receipt that this came
    with. The others are what it is from now on."""
    found = {}
    for seq, arrival in numbered:
        if not arrival.item:
            continue
        thing, is_own = (arrival.source, arrival.item), arrival.round < 0
        last = int(db.execute(_LAST, (*thing, _NEVER if is_own else arrival.round)).get or 0)
        first = db.execute(_KNOWN, (*thing, arrival.dedupe_key, arrival.other_key, last)).get
        if first is not None:
            found[seq] = int(first)
        db.execute(_FORGET, (*thing, last))
        number = last + 1 if is_own else arrival.round
        db.execute(_PUT, (*thing, arrival.dedupe_key, number, found.get(seq, seq), arrival.received_at))
    return found


def sources(db: Database) -> list[str]:
    """The sources of which anything is known."""
    return [str(source) for (source,) in db.execute(_SOURCES)]


def are_any_older(db: Database, source: str, before: float) -> bool:
    """Whether a source has not given something since a time that it gave before."""
    sql = "SELECT 1 FROM items_seen WHERE source = ? AND seen_at < ? LIMIT 1"
    return db.execute(sql, (source, before)).fetchone() is not None


def prune(db: Database, source: str, before: float, limit: int) -> int:
    """Forget what a source has not given since a time, some at once; gives how many."""
    db.execute(
        """DELETE FROM items_seen WHERE (source, item, version) IN
           (SELECT source, item, version FROM items_seen WHERE source = ? AND seen_at < ? LIMIT ?)""",
        (source, before, limit),
    )
    return db.changes()
