"""What is due: deliveries whose time has come, by route, and shared out where several processes look for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from hub.message import Delivery
from hub.store.database import Database, Shared
from hub.store.deliveries import COLUMNS, from_row

_AT_MOST_BUSY = 1.0  # seconds until the writer comes to it
# What came due and was then overtaken, by one that was read late or is replayed, must not take the room of those that
# may go. Looking into doubt sends nothing and needs no turn. What waits to be collected goes in a batch,
# a batch when its first one does, whose turn came when it was made.
_HEADS_ITS_LANE = """(d.lane = '' OR NOT EXISTS (SELECT 1 FROM deliveries e
  WHERE e.system = d.system AND e.lane = d.lane AND e.holds_lane = 1 AND e.lane_seq < d.lane_seq))"""
_DUE = f"""d.system = ?1 AND d.route = ?2 AND d.due_at <= ?3 AND d.claimed_by IS NULL AND d.due_at IS NOT NULL
  AND (d.batch_id IS NULL OR d.batch_id = d.delivery_id)
  AND (d.state = 'unknown' OR d.batch_id = d.delivery_id OR {_HEADS_ITS_LANE})"""

# One step of the index for each route, however many deliveries of it wait.
_ROUTES_DUE = """WITH RECURSIVE found(route) AS (
    SELECT min(route) FROM deliveries WHERE system = ?1 AND due_at IS NOT NULL
    UNION ALL
    SELECT (SELECT min(d.route) FROM deliveries d
      WHERE d.system = ?1 AND d.due_at IS NOT NULL AND d.route > found.route) FROM found WHERE found.route IS NOT NULL)
  SELECT route, (SELECT min(e.due_at) FROM deliveries e
    WHERE e.system = ?1 AND e.route = found.route AND e.due_at IS NOT NULL) AS first_due FROM found
  WHERE route IS NOT NULL AND NOT EXISTS (SELECT 1 FROM switches w WHERE w.kind = 'route' AND w.name = found.route)"""


_SYSTEMS = """WITH RECURSIVE found(system) AS (
    SELECT min(system) FROM deliveries WHERE due_at IS NOT NULL
    UNION ALL
    SELECT (SELECT min(d.system) FROM deliveries d WHERE d.due_at IS NOT NULL AND d.system > found.system) FROM found
    WHERE found.system IS NOT NULL)
  SELECT system FROM found WHERE system IS NOT NULL"""


def systems(db: Database) -> list[str]:
    """The systems that something is due for, now or later, whether or not the configuration still has them."""
    return [str(system) for (system,) in db.execute(_SYSTEMS)]


# Mostly one route waits, or none: two steps of the index tell. The first of an order is one step, also to a planner
# that takes what waits for so little that it would rather read all of it for its least.
_ENDS = """SELECT first, last, (SELECT e.due_at FROM deliveries e
      WHERE e.system = ?1 AND e.route = first AND e.due_at IS NOT NULL ORDER BY e.due_at LIMIT 1) AS first_due,
    EXISTS (SELECT 1 FROM switches w WHERE (w.kind = 'system' AND w.name = ?1)
      OR (w.kind = 'route' AND w.name = first AND first = last)) AS is_off
  FROM (SELECT (SELECT route FROM deliveries WHERE system = ?1 AND due_at IS NOT NULL ORDER BY route LIMIT 1) AS first,
    (SELECT route FROM deliveries WHERE system = ?1 AND due_at IS NOT NULL ORDER BY route DESC LIMIT 1) AS last)
  AS ends"""


def routes_due(db: Database, system: str) -> dict[str, float]:
    """When the next delivery of each route to a system is due, without what is switched off."""
    first, last, first_due, is_off = db.execute(_ENDS, (system,)).fetchone()
    if first is None or is_off:
        return {}
    if first == last:
        return {str(first): float(first_due)}
    return {str(route): float(first_due) for route, first_due in db.execute(_ROUTES_DUE, (system,))}


def next_due(db: Database, system: str) -> float | None:
    """When the next delivery to a system is due; None when none is."""
    return min(routes_due(db, system).values(), default=None)


def due(db: Database, system: str, route: str, now: float, limit: int) -> list[Delivery]:
    """Deliveries of a route to a system whose time has come, oldest first, without those in hand."""
    sql = f"SELECT {COLUMNS} FROM deliveries d WHERE {_DUE} ORDER BY d.due_at, d.lane_seq LIMIT ?4"
    return [from_row(row) for row in db.execute(sql, (system, route, now, limit))]


# Rows that another process is looking at are passed over, so that several share what is due. They are chosen once: a
# plan that asked for them again at each row would pass over those that it has just taken.
_TAKE = f"""WITH chosen AS MATERIALIZED (
    SELECT found.delivery_id FROM json_each(?4) j, LATERAL (
      SELECT d.delivery_id FROM deliveries d WHERE {_DUE.replace("?2", "(j.value ->> 0)")}
      ORDER BY d.due_at, d.lane_seq LIMIT CAST(j.value ->> 1 AS int8) FOR UPDATE SKIP LOCKED) found)
  UPDATE deliveries SET claimed_by = ?2, claimed_at = ?3 WHERE delivery_id IN (SELECT delivery_id FROM chosen)
  RETURNING {COLUMNS}"""
# The index has them by time: those of one moment are sorted, not all that is due, as a planner would that expects few.
_AS_THEY_COME = "SET LOCAL enable_sort = off"


def take(db: Database, system: str, wanted: Mapping[str, int], now: float, worker: str) -> list[Delivery]:
    """What is due of each route, as ``due`` gives it and as many as are wanted of it, kept from other processes until
    it is claimed or given back."""
    db.execute(_AS_THEY_COME)
    limits = msgspec.json.encode(list(wanted.items())).decode()
    found = [from_row(row) for row in db.execute(_TAKE, (system, worker, now, limits))]
    return sorted(found, key=lambda d: (d.route, d.due_at or 0.0, d.lane_seq))


# As its index says.
_EXPIRING = "expires_at IS NOT NULL AND doubt = 0 AND waits_for = '' AND (state = 'queued' OR state = 'retrying')"


def expired(db: Database, now: float, limit: int) -> list[Delivery]:
    """Deliveries that wait to be sent and whose time is over, the first ones first."""
    sql = f"SELECT {COLUMNS} FROM deliveries WHERE {_EXPIRING} AND expires_at <= ? ORDER BY expires_at LIMIT ?"
    return [from_row(row) for row in db.execute(sql, (now, limit))]


def next_expiry(db: Database) -> float | None:
    """When the first of what waits to be sent expires; None where nothing does."""
    return db.execute(f"SELECT min(expires_at) FROM deliveries WHERE {_EXPIRING}").get  # type: ignore[no-any-return]


def give_back(db: Database, delivery_ids: Sequence[str], worker: str) -> None:
    """Deliveries that were taken and could not be claimed are anybody's again; where nobody takes, nothing is."""
    if not isinstance(db, Shared):
        return
    db.executemany(
        """UPDATE deliveries SET claimed_by = NULL, claimed_at = NULL
           WHERE delivery_id = ? AND claimed_by = ? AND due_at IS NOT NULL
             AND state IN ('queued', 'retrying', 'unknown')""",
        [(delivery_id, worker) for delivery_id in delivery_ids],
    )


def look_again(db: Database, tries: Mapping[str, int], worker: str) -> None:
    """What was taken to be looked up, and was not, is due again: by id with the tries there were."""
    db.executemany(
        """UPDATE deliveries SET claimed_by = NULL, claimed_at = NULL, due_at = coalesce(due_at, updated_at)
           WHERE delivery_id = ? AND tries = ? AND claimed_by = ? AND state = 'unknown'""",
        [(delivery_id, count, worker) for delivery_id, count in sorted(tries.items())],
    )


def orphans(db: Database, worker: str) -> list[Delivery]:
    """Deliveries that a process had in hand which is no longer there."""
    return [
        from_row(row)
        for row in db.execute(
            f"SELECT {COLUMNS} FROM deliveries WHERE claimed_by IS NOT NULL AND claimed_by <> ?", (worker,)
        )
    ]


def free_orphans(db: Database, worker: str) -> None:
    """Deliveries that another run was looking into, not sending, are free again."""
    db.execute(
        "UPDATE deliveries SET claimed_by = NULL, due_at = coalesce(due_at, updated_at) "
        "WHERE claimed_by IS NOT NULL AND claimed_by <> ? AND state <> 'delivering'",
        (worker,),
    )


# All that may still be sent, by indexes: what waits for its time, its turn or another target, what is on its way, and
# the others of a batch in doubt.
_UNSENT = " UNION ALL ".join(
    f"SELECT delivery_id FROM deliveries WHERE {which}"
    for which in (
        "due_at IS NOT NULL", "holds_lane = 1", "waits_for <> '' AND due_at IS NULL", "claimed_by IS NOT NULL",
        "(state = 'retrying' OR state = 'unknown')",
    )
)  # fmt: skip


def clock_was_put(db: Database, seconds: float, now: float, since: float) -> None:
    """The clock that times were written by is so much further ahead than it was, and shows ``now``: what still had to
    wait by the clock as it was waits as long as it had to. What may have been written ``since`` it was put stays."""
    before, soon = min(now, now - seconds), now + _AT_MOST_BUSY
    span = (seconds, before, since, soon)
    db.execute(
        """UPDATE deliveries SET due_at = due_at + ?1 WHERE due_at > ?2
           AND due_at NOT BETWEEN ?3 AND ?4 AND updated_at NOT BETWEEN ?3 AND ?4
           AND (batch_id IS NULL OR batch_id <> '')""",  # a time of day comes when the clock shows it
        span,
    )
    db.execute(
        f"""UPDATE deliveries SET expires_at = expires_at + ?1 WHERE delivery_id IN ({_UNSENT})
           AND state IN ('queued', 'retrying', 'delivering', 'unknown') AND expires_at > ?2
           AND CASE WHEN replay_of = '' THEN received_at ELSE created_at END NOT BETWEEN ?3 AND ?4""",
        span,
    )
    db.execute(
        "UPDATE circuits SET probe_at = probe_at + ?1 WHERE probe_at > ?2 AND probe_at NOT BETWEEN ?3 AND ?4 + 90", span
    )
    db.execute("UPDATE pauses SET until = until + ?1 WHERE until > ?2 AND until - seconds NOT BETWEEN ?3 AND ?4", span)
    db.execute("UPDATE receipts SET enqueued_at = NULL WHERE state = 'received' AND enqueued_at > ?", (now,))


def put_off(db: Database, times: Sequence[tuple[str, float]]) -> None:
    """Retries that have to wait longer than their policy says: (delivery id, when they are due)."""
    db.executemany(
        "UPDATE deliveries SET due_at = ?2 WHERE delivery_id = ?1 AND state = 'retrying' AND claimed_by IS NULL", times
    )
