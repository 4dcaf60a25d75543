"""Leases: rows that say who leads and who is alive, for a few seconds at a time, on the database's clock alone.

Only a store that several processes share has them. A worker holds one as long as it lives; claims of a worker that
holds none are nobody's any more.
"""

from __future__ import annotations

from collections.abc import Mapping

from hub.message import Delivery
from hub.store.database import Database
from hub.store.deliveries import COLUMNS, from_row

LEADER = "sweep"
ALONE = "o2c run "  # how the name of a leader begins that does everything in one process
_WORKER = "work "
_NOW = "extract(epoch FROM clock_timestamp())"
_HOLD = f"""INSERT INTO leases (name, holder, until) VALUES (?1, ?2, {_NOW} + ?3)
  ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
  WHERE leases.holder = excluded.holder OR leases.until < {_NOW}"""
_ENDED = f"SELECT 1 FROM leases WHERE name LIKE '{_WORKER}%' AND until < {_NOW} LIMIT 1"
_ABANDONED = f"""SELECT claimed_by FROM deliveries WHERE claimed_by IS NOT NULL
  UNION SELECT r.claimed_by FROM read_to k, LATERAL (SELECT claimed_by FROM receipts
    WHERE source = k.source AND state = 'received' AND seq >= k.seq AND claimed_by IS NOT NULL OFFSET 0) r
  EXCEPT SELECT holder FROM leases WHERE name LIKE '{_WORKER}%' AND until >= {_NOW}"""


def worker_lease(worker: str) -> str:
    """The name of the lease that says that a worker is alive."""
    return _WORKER + worker


def hold(db: Database, name: str, holder: str, seconds: float) -> bool:
    """Take or renew a lease; False while somebody else holds it."""
    db.execute(_HOLD, (name, holder, seconds))
    return db.changes() == 1


def let_go(db: Database, name: str, holder: str) -> None:
    """Give a lease up, so that the next one need not wait for its end."""
    db.execute("DELETE FROM leases WHERE name = ? AND holder = ?", (name, holder))


def end(db: Database, name: str, holder: str) -> None:
    """Let a lease have ended, so that what its holder may have left is looked for at once."""
    db.execute("UPDATE leases SET until = 0 WHERE name = ? AND holder = ?", (name, holder))


def workers(db: Database) -> list[str]:
    """The workers that are alive."""
    sql = f"SELECT holder FROM leases WHERE name LIKE '{_WORKER}%' AND until >= {_NOW} ORDER BY holder"
    return [holder for (holder,) in db.execute(sql)]


def leader(db: Database) -> str | None:
    """The sweeper that leads."""
    found: str | None = db.execute(f"SELECT holder FROM leases WHERE name = ? AND until >= {_NOW}", (LEADER,)).get
    return found


def forget_ended(db: Database, older_seconds: float) -> None:
    """Take away the leases of processes that are long gone."""
    db.execute(f"DELETE FROM leases WHERE until < {_NOW} - ?1", (older_seconds,))


def some_ended(db: Database) -> bool:
    """Whether a worker has died lately: its lease has ended."""
    return db.execute(_ENDED).get is not None


def abandoned(db: Database) -> list[str]:
    """Workers that have something in hand, as far as it was noted what is read, and are no longer alive."""
    return [worker for (worker,) in db.execute(_ABANDONED)]


def on_their_way(db: Database, worker: str) -> list[Delivery]:
    """What a worker was sending."""
    rows = db.execute(f"SELECT {COLUMNS} FROM deliveries WHERE claimed_by = ? AND state = 'delivering'", (worker,))
    return [from_row(row) for row in rows]


def still_on_their_way(db: Database, worker: str, tries: Mapping[str, int]) -> set[str]:
    """Which of these deliveries, by id with the tries that had ended when it claimed them, this worker has yet."""
    sql = """SELECT delivery_id FROM deliveries
      WHERE delivery_id = ? AND claimed_by = ? AND tries = ? AND state = 'delivering'"""
    return {str(row[0]) for row in db.executemany(sql, [(id, worker, count) for id, count in sorted(tries.items())])}


def free_claims(db: Database, worker: str) -> None:
    """What a worker had in hand, but was not sending, is anybody's again, at once."""
    db.execute(
        """UPDATE deliveries SET claimed_by = NULL, due_at = coalesce(due_at, updated_at)
           WHERE claimed_by = ? AND state <> 'delivering'""",
        (worker,),
    )
    db.execute(
        "UPDATE receipts SET claimed_by = NULL, enqueued_at = NULL WHERE claimed_by = ? AND state = 'received'",
        (worker,),
    )
