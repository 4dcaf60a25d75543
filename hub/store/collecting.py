"""What waits to be collected: when it is due, which of it may go, and the step in which it becomes a batch.

What waits is queued, holds its lane like any other, and is due when its target collects the next time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from hub.message import Delivery
from hub.store.database import Database, lock, lock_lanes
from hub.store.deliveries import COLUMNS, first_unread, from_row

_WAITS = "system = ? AND route = ? AND target = ? AND batch_id = '' AND state = 'queued'"
_MOVE = """UPDATE deliveries SET due_at = ?5 WHERE system = ?1 AND route = ?2 AND target = ?3 AND batch_id = ''
  AND state = 'queued' AND due_at = ?4"""
_OFF = "SELECT 1 FROM switches WHERE (kind = 'system' AND name = ?) OR (kind = 'route' AND name = ?)"


class Place(msgspec.Struct, frozen=True):
    """A target of a route that collects, and the system that it goes to."""

    system: str
    route: str
    target: str

    @property
    def values(self) -> tuple[str, str, str]:
        return self.system, self.route, self.target


def places(db: Database) -> list[Place]:
    """Where anything waits to be collected. Walks over all that waits."""
    rows = db.execute("SELECT DISTINCT system, route, target FROM deliveries WHERE batch_id = '' AND state = 'queued'")
    return [Place(*row) for row in rows]


def counts(db: Database) -> list[tuple[str, str, str, int]]:
    """(system, route, target, how many wait to be collected)."""
    rows = db.execute(
        """SELECT system, route, target, count(*) FROM deliveries WHERE batch_id = '' AND state = 'queued'
           GROUP BY system, route, target"""
    )
    return [(str(system), str(route), str(target), int(count)) for system, route, target, count in rows]


def waiting(db: Database, place: Place, most: int) -> int:
    """How many wait there, counted up to ``most``."""
    sql = f"SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE {_WAITS} LIMIT ?) AS counted"
    return int(db.execute(sql, (*place.values, most)).get)


def ready(
    db: Database, system: str, targets: Sequence[tuple[str, str]], most: int, now: float
) -> set[tuple[str, str]]:  # fmt: skip
    """Of these targets of a system, by route and id, those where something is due, or as many wait as ``most``: in one
    statement, however many they are."""
    asked = msgspec.json.encode(targets).decode()
    return {(str(route), str(target)) for route, target in db.execute(_READY, (asked, system, now, most))}


# With OFFSET each target's are looked up; a server would else read all that wait.
_READY = """SELECT j.value ->> 0, j.value ->> 1 FROM json_each(?1) j
  WHERE EXISTS (SELECT 1 FROM deliveries WHERE system = ?2 AND route = j.value ->> 0 AND target = j.value ->> 1
      AND batch_id = '' AND state = 'queued' AND due_at <= ?3 LIMIT 1 OFFSET 0)
    OR (SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE system = ?2 AND route = j.value ->> 0
      AND target = j.value ->> 1 AND batch_id = '' AND state = 'queued' LIMIT ?4) AS counted) >= ?4"""


def times(db: Database, place: Place, until: float) -> list[float]:
    """The times up to ``until`` at which something of what waits there is due."""
    sql = f"SELECT DISTINCT due_at FROM deliveries WHERE {_WAITS} AND due_at <= ?"
    return sorted(float(at) for (at,) in db.execute(sql, (*place.values, until)))


def last(db: Database, place: Place) -> float:
    """When the last of what waits there is due; 0.0 where nothing is."""
    return float(db.execute(f"SELECT max(due_at) FROM deliveries WHERE {_WAITS}", place.values).get or 0.0)


def move(db: Database, place: Place, times: Mapping[float, float]) -> None:
    """What is due at one time is due at another."""
    db.executemany(_MOVE, [(*place.values, before, after) for before, after in times.items()])


def no_later(db: Database, place: Place, at: float) -> None:
    """All that waits there is due at ``at``, if not before."""
    db.execute(f"UPDATE deliveries SET due_at = ? WHERE {_WAITS} AND due_at > ?", (at, *place.values, at))


def let_go_alone(db: Database, place: Place, at: float) -> None:
    """What waits there goes by itself now: nothing collects it any more."""
    lock_lanes(db, [place.system])
    heads = """lane = '' OR NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.system = deliveries.system
      AND e.lane = deliveries.lane AND e.holds_lane = 1 AND e.lane_seq < deliveries.lane_seq)"""
    db.execute(
        f"""UPDATE deliveries SET batch_id = NULL, due_at = CASE WHEN waits_for = '' AND ({heads}) THEN ? END
            WHERE {_WAITS}""",
        (at, *place.values),
    )


# -- choosing ------------------------------------------------------------------------------------------------------


def choose(db: Database, place: Place, most: int, worker: str) -> list[Delivery]:
    """What may go together now, the first ones in the order of arrival. Order per key is kept: of a lane as many as
    follow each other, from the one that heads it. What another worker has in hand is not among them."""
    if db.execute(_OFF, (place.system, place.route)).fetchone() is not None:
        return []
    chosen: list[Delivery] = []
    ends: dict[str, float] = {}
    after = (-1, "")
    while len(chosen) < most:
        # What stands behind the end of its lane may be any number, and is not looked at again.
        shut = msgspec.json.encode([[lane] for lane, end in ends.items() if end < after[0]]).decode()
        page = [from_row(row) for row in db.execute(_PAGE, (*place.values, worker, *after, shut, most))]
        if not page:
            break
        chosen += _in_their_turn(db, place, worker, page, ends)
        after = page[-1].lane_seq, page[-1].delivery_id
    return chosen[:most]


_PAGE = f"""SELECT {COLUMNS} FROM deliveries WHERE {_WAITS} AND waits_for = ''
  AND (claimed_by IS NULL OR claimed_by = ?) AND (lane_seq, delivery_id) > (?, ?)
  AND lane NOT IN (SELECT j.value ->> 0 FROM json_each(?) j)
  ORDER BY lane_seq, delivery_id LIMIT ?"""
_ENDS = """SELECT lane, ends_at FROM (SELECT j.value ->> 0 AS lane, (SELECT e.lane_seq FROM deliveries e
      WHERE e.system = ? AND e.lane = j.value ->> 0 AND e.holds_lane = 1
        AND NOT (e.route = ? AND e.target = ? AND coalesce(e.batch_id, '-') = '' AND e.state = 'queued'
          AND e.waits_for = '' AND (e.claimed_by IS NULL OR e.claimed_by = ?))
      ORDER BY e.lane_seq LIMIT 1) AS ends_at
    FROM json_each(?) j) AS found WHERE ends_at IS NOT NULL"""


def _in_their_turn(
    db: Database, place: Place, worker: str, page: Sequence[Delivery], ends: dict[str, float]
) -> Iterator[Delivery]:
    """Those of a page that have nothing before them in their lanes but what goes with them. ``ends`` are the places of
    what does not, by lane, as far as they are known."""
    unread = first_unread(db, page)
    new = sorted({each.lane for each in page if each.lane and each.lane not in ends})
    ends.update(dict.fromkeys(new, math.inf))
    lanes = msgspec.json.encode([[lane] for lane in new]).decode()
    ends.update({str(lane): int(at) for lane, at in db.execute(_ENDS, (*place.values, worker, lanes))})
    for each in page:
        if each.lane:
            if each.lane_seq > ends[each.lane]:
                continue
            if unread.get(each.source, each.lane_seq) < each.lane_seq:
                ends[each.lane] = each.lane_seq
                continue
        yield each


def take(db: Database, place: Place, most: int, worker: str, at: float) -> list[Delivery]:
    """What ``choose`` gives, kept from other workers until it is a batch or given back; nothing while one of them has
    some of it in hand."""
    lock(db, f"collect {place.route} {place.target}")
    other = f"SELECT 1 FROM deliveries WHERE {_WAITS} AND claimed_by IS NOT NULL AND claimed_by <> ? LIMIT 1"
    if db.execute(other, (*place.values, worker)).fetchone() is not None:
        return []
    chosen = choose(db, place, most, worker)
    db.executemany(
        "UPDATE deliveries SET claimed_by = ?, claimed_at = ? WHERE delivery_id = ? AND state = 'queued'",
        [(worker, at, each.delivery_id) for each in chosen],
    )
    return chosen


def give_back(db: Database, place: Place, worker: str) -> None:
    """What this worker had in hand there is anybody's again."""
    db.execute(
        f"UPDATE deliveries SET claimed_by = NULL, claimed_at = NULL WHERE {_WAITS} AND claimed_by = ?",
        (*place.values, worker),
    )


def link(db: Database, place: Place, members: Sequence[Delivery], set_id: int, worker: str, at: float) -> bool:
    """Make a batch of these, due now, where each of them still may go; else False, and nothing is changed. They expire
    together, when the last of them would."""
    lock_lanes(db, [place.system])
    first, ids = members[0].delivery_id, [each.delivery_id for each in members]
    if [each.delivery_id for each in choose(db, place, len(members), worker)] != ids:
        return False
    times = [math.inf if each.expires_at is None else each.expires_at for each in members]
    expires_at = None if math.inf in times else max(times)
    db.executemany(
        """UPDATE deliveries SET batch_id = ?1, due_at = ?2, updated_at = ?2, set_id = ?3, rebuild = 0,
             expires_at = ?5, claimed_by = NULL, claimed_at = NULL WHERE delivery_id = ?4""",
        [(first, at, set_id, delivery_id, expires_at) for delivery_id in ids],
    )
    return True
