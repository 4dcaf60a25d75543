"""How much is stored, of which source and by which route, measured by stretches of a thousand receipts.

Each statement looks at one stretch, or at one page of a stretch, by indexes; nothing is counted where documents are
stored. A stretch is measured again while it is new or something of it is on its way, and after something was removed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from hub.store.database import Database, Store, numbers_on_their_way
from hub.store.deliveries import WAITING

RECEIPTS = 1000  # of a stretch
PAGE = 2000  # messages that are measured at once
_NEW_SECONDS, _SETTLED_SECONDS = 10.0, 86400.0
HUB, SOURCE, ROUTE = "hub", "source", "route"

Owner = tuple[str, str]  # source, route


class Limit(msgspec.Struct, frozen=True):
    """How many bytes of payloads (as they are stored, compressed) and messages there may be; None: any number.

    ``kind``: of the whole hub, of one source, or by one route, with the answers of its targets.
    """

    kind: str
    name: str
    bytes: int | None = None
    messages: int | None = None

    def condition(self, row: str, route: str = "") -> tuple[str, tuple[str, ...]]:
        """What tells the rows with a source and a route that it counts; ``route`` is what gives it, if no column."""
        if self.kind == ROUTE:
            # An answer's route is ROUTE#TARGET.
            route = route or f"{row}.route"
            return f"({route} = ? OR ({route} >= ? AND {route} < ?))", (self.name, f"{self.name}#", f"{self.name}$")
        return (f"{row}.source = ?", (self.name,)) if self.kind == SOURCE else ("1 = 1", ())


@dataclass(slots=True)
class Measure:
    """What is in a stretch."""

    messages: Counter[Owner] = field(default_factory=Counter)
    bytes: Counter[Owner] = field(default_factory=Counter)
    again_at: float = 0.0


_ROUTE = "coalesce((SELECT m.route FROM messages m WHERE m.seq = r.seq LIMIT 1), r.route)"
_ENDS = "r.seq >= ? AND r.seq < ?"
_RECEIPTS = f"""SELECT r.source, {_ROUTE}, CASE WHEN r.message_count > 0 THEN r.message_count ELSE 1 END,
    coalesce((SELECT sum(length(p.content)) FROM payloads p WHERE p.owner_id = r.receipt_id), 0)
  FROM receipts r WHERE {_ENDS}"""
_PAGE_END = (
    "SELECT seq, position FROM messages WHERE (seq, position) > (?, ?) AND seq < ? ORDER BY seq, position LIMIT ?"
)
_IN_PAGE = "(m.seq, m.position) > (?, ?) AND (m.seq, m.position) <= (?, ?)"
# A receipt of one message shares its id with it.
_MESSAGES = f"""SELECT m.source, m.route, sum(length(p.content)) FROM messages m
    CROSS JOIN payloads p ON p.owner_id = m.message_id
  WHERE {_IN_PAGE} AND NOT EXISTS (SELECT 1 FROM receipts r WHERE r.receipt_id = m.message_id)
  GROUP BY m.source, m.route"""
_DELIVERIES = f"""SELECT m.source, m.route, sum(length(p.content)) FROM messages m
    CROSS JOIN deliveries d ON d.message_id = m.message_id CROSS JOIN payloads p ON p.owner_id = d.delivery_id
  WHERE {_IN_PAGE} GROUP BY m.source, m.route"""
_ON_ITS_WAY = f"""SELECT EXISTS (SELECT 1 FROM receipts r WHERE {_ENDS} AND r.state = 'received')
  OR EXISTS (SELECT 1 FROM messages m JOIN deliveries d ON d.message_id = m.message_id WHERE m.seq >= ? AND m.seq < ?
    AND d.state IN ({WAITING}))"""


def measure(store: Store, stretch: int, now: float) -> Iterator[Measure | None]:
    """Measure a stretch page by page: None while there is more, then the measure."""
    start, end = ends_of(stretch)
    found, db = Measure(), store.reader()
    for source, route, messages, size in db.execute(_RECEIPTS, (start, end)):
        _add(found.messages, source, route, messages)
        _add(found.bytes, source, route, size)
    after = (start, -1)
    while page := db.execute(_PAGE_END, (*after, end, PAGE)).fetchall():
        yield None
        db = store.reader()
        for statement in (_MESSAGES, _DELIVERIES):
            for source, route, size in db.execute(statement, (*after, *page[-1])):
                _add(found.bytes, source, route, size)
        after = page[-1]
    found.again_at = now + _until_next(db, start, end, now)
    yield found


def _add(counts: Counter[Owner], source: str, route: str, count: int) -> None:
    counts[(source, route.partition("#")[0])] += int(count)


def _until_next(db: Database, start: int, end: int, now: float) -> float:
    """Seconds until a stretch is measured again: soon while it grows, rarely when all of it has ended."""
    newest = db.execute("SELECT max(seq) FROM receipts").get or 0
    if end > newest - numbers_on_their_way(db):
        return _NEW_SECONDS
    if not db.execute(_ON_ITS_WAY, (start, end, start, end)).get:
        return _SETTLED_SECONDS
    oldest = db.execute(
        "SELECT received_at FROM receipts WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT 1", (start, end)
    )
    return max(_NEW_SECONDS, (now - float(oldest.get or now)) / 2)


def ends_of(stretch: int) -> tuple[int, int]:
    """The first number of a stretch, and the first of the next one."""
    return stretch * RECEIPTS, (stretch + 1) * RECEIPTS


def put(db: Database, stretch: int, found: Measure) -> None:
    """A stretch as it was measured."""
    db.execute("DELETE FROM stored WHERE stretch = ?", (stretch,))
    db.executemany(
        "INSERT INTO stored (stretch, source, route, messages, bytes) VALUES (?, ?, ?, ?, ?)",
        [(stretch, *owner, found.messages[owner], found.bytes[owner]) for owner in found.messages | found.bytes],
    )
    db.execute(
        """INSERT INTO stretches (stretch, again_at) VALUES (?, ?)
           ON CONFLICT (stretch) DO UPDATE SET again_at = excluded.again_at""",
        (stretch, found.again_at),
    )


def forget_gone(db: Database) -> None:
    """Drop what is known of stretches before the first receipt there is."""
    first = db.execute("SELECT min(seq) FROM receipts").get
    if first is not None:
        for table in ("stored", "stretches"):
            db.execute(f"DELETE FROM {table} WHERE stretch < ?", (int(first) // RECEIPTS,))


def touched(db: Database, first: int, last: int) -> None:
    """Something was removed of receipts between two numbers: measure them again."""
    db.execute(
        "UPDATE stretches SET again_at = 0 WHERE stretch >= ? AND stretch <= ?", (first // RECEIPTS, last // RECEIPTS)
    )


def due(db: Database, now: float, most: int) -> list[int]:
    """Stretches to be measured: new ones, the last one, and those whose time has come, the longest due first."""
    first, newest = (db.execute(f"SELECT {end}(seq) FROM receipts").get for end in ("min", "max"))
    if first is None or newest is None:
        return []
    known = db.execute("SELECT max(stretch) FROM stretches").get
    fresh = range(int(first) // RECEIPTS if known is None else int(known), int(newest) // RECEIPTS + 1)
    # A clock that was put back must not keep one waiting for long.
    again = db.execute(
        "SELECT stretch FROM stretches WHERE again_at <= ? OR again_at > ? ORDER BY again_at LIMIT ?",
        (now, now + 2 * _SETTLED_SECONDS, most),
    )
    return list(dict.fromkeys([*fresh[:most], *(stretch for (stretch,) in again)]))[:most]


def used(db: Database, limit: Limit, stretch: int | None = None) -> tuple[int, int]:
    """(bytes, messages) stored of what a limit counts, in one stretch or in all, as they were measured last."""
    condition, values = limit.condition("s")
    where, which = ("", ()) if stretch is None else ("s.stretch = ? AND ", (stretch,))
    row = db.execute(
        f"SELECT coalesce(sum(s.bytes), 0), coalesce(sum(s.messages), 0) FROM stored s WHERE {where}{condition}",
        (*which, *values),
    ).fetchone()
    return int(row[0]), int(row[1])


def next_stretch(db: Database, limit: Limit, after: int) -> int | None:
    """The first stretch behind another that has anything of what a limit counts."""
    condition, values = limit.condition("s")
    stretch = db.execute(
        f"SELECT s.stretch FROM stored s WHERE s.stretch > ? AND {condition} ORDER BY s.stretch LIMIT 1",
        (after, *values),
    ).get
    return None if stretch is None else int(stretch)


class State(msgspec.Struct, frozen=True, gc=False):
    """How full a quota is. ``full_since``: since when doors are shut; ``pruned_at``: when something was last removed to
    make room, the youngest of which had come in at ``pruned_to``."""

    kind: str
    name: str
    messages: int = 0
    bytes: int = 0
    full_since: float | None = None
    pruned_at: float | None = None
    pruned_to: float | None = None


def states(db: Database) -> list[State]:
    """Every quota, as it was measured last."""
    columns = ", ".join(State.__struct_fields__)
    return [State(*row) for row in db.execute(f"SELECT {columns} FROM quotas ORDER BY kind, name")]


def put_states(db: Database, found: Sequence[State]) -> None:
    """How full the quotas are that there are now; others are forgotten."""
    db.execute("DELETE FROM quotas WHERE 1 = 1")
    columns = State.__struct_fields__
    marks = ", ".join("?" * len(columns))
    db.executemany(
        f"INSERT INTO quotas ({', '.join(columns)}) VALUES ({marks})", [msgspec.structs.astuple(s) for s in found]
    )


def full(db: Database) -> set[tuple[str, str]]:
    """(kind, name) of quotas whose doors are shut."""
    return {(kind, name) for kind, name in db.execute("SELECT kind, name FROM quotas WHERE full_since IS NOT NULL")}
