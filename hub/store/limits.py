"""What systems bear at run time: limits that were adjusted, and the shares of them that each worker has."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from hub.store.database import Database


class Adjustment(msgspec.Struct, frozen=True, gc=False):
    """Limits changed at run time; None: as configured."""

    rate: float | None
    concurrency: int | None
    reason: str
    at: float
    actor: str
    retry_budget: float | None = None


class Share(msgspec.Struct, frozen=True, gc=False):
    """One worker's part of what a system bears: the ``place``th of ``count``, counted from 0."""

    place: int = 0
    count: int = 1


def adjust(db: Database, system: str, change: Adjustment) -> None:
    """Change what a system bears until it is reset."""
    db.execute(
        """INSERT INTO adjustments (system, rate, concurrency, reason, at, actor, retry_budget)
           VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (system) DO UPDATE SET rate = excluded.rate, concurrency = excluded.concurrency,
             reason = excluded.reason, at = excluded.at, actor = excluded.actor,
             retry_budget = excluded.retry_budget""",
        (system, change.rate, change.concurrency, change.reason, change.at, change.actor, change.retry_budget),
    )


def reset(db: Database, system: str) -> bool:
    """Go back to the configured limits; False when they were in force."""
    db.execute("DELETE FROM adjustments WHERE system = ?", (system,))
    return db.changes() == 1


def adjusted(db: Database) -> dict[str, Adjustment]:
    """The systems whose limits were changed."""
    rows = db.execute(
        "SELECT system, rate, concurrency, reason, at, actor, retry_budget FROM adjustments ORDER BY system"
    )
    return {str(row[0]): Adjustment(*row[1:]) for row in rows}


def keep_shares(db: Database, worker: str, systems: Collection[str], now: float, lease_seconds: float) -> None:
    """Take or renew this worker's leases of these systems, and give back all others.

    A worker that has died keeps its share until its lease ends.
    """
    db.execute("DELETE FROM shares WHERE expires_at <= ?", (now,))
    for (system,) in db.execute("SELECT system FROM shares WHERE worker = ?", (worker,)).fetchall():
        if system not in systems:
            db.execute("DELETE FROM shares WHERE system = ? AND worker = ?", (system, worker))
    db.executemany(
        """INSERT INTO shares (system, worker, taken_at, expires_at) VALUES (?, ?, ?, ?)
           ON CONFLICT (system, worker) DO UPDATE SET expires_at = excluded.expires_at""",
        [(system, worker, now, now + lease_seconds) for system in sorted(systems)],
    )


def shares(db: Database, worker: str, now: float) -> dict[str, Share]:
    """A worker's share of each system that it has a lease of."""
    holders: dict[str, list[str]] = {}
    for system, holder in db.execute(
        "SELECT system, worker FROM shares WHERE expires_at > ? ORDER BY system, worker", (now,)
    ):
        holders.setdefault(str(system), []).append(str(holder))
    return {name: Share(all_.index(worker), len(all_)) for name, all_ in holders.items() if worker in all_}


def leave(db: Database, worker: str) -> None:
    """A worker that ends gives its shares to the others."""
    db.execute("DELETE FROM shares WHERE worker = ?", (worker,))
