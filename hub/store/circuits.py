"""Circuits of systems that fail, and the pauses systems ask for: rows, so that every process keeps to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hub.store.database import Database

OPEN, HALF_OPEN = "open", "half_open"
_COLUMNS = "state, since, reason, actor, probe_at, probe_by, failed_probes"


class Circuit(msgspec.Struct, frozen=True, gc=False):
    """A circuit that is not closed. ``probe_at`` None: nothing goes before somebody closes it."""

    state: str
    since: float
    reason: str
    actor: str
    probe_at: float | None
    probe_by: str = ""
    failed_probes: int = 0

    def moved(self, seconds: float) -> Circuit:
        """The same by a clock that is so much ahead."""
        at = None if self.probe_at is None else self.probe_at + seconds
        return msgspec.structs.replace(self, since=self.since + seconds, probe_at=at) if seconds else self


class Pause(msgspec.Struct, frozen=True, gc=False):
    """Until when a system has asked to be left alone."""

    until: float
    seconds: float
    reason: str

    def moved(self, seconds: float) -> Pause:
        """The same by a clock that is so much ahead."""
        return msgspec.structs.replace(self, until=self.until + seconds) if seconds else self


def open_circuit(db: Database, system: str, circuit: Circuit) -> None:
    """Open a circuit; one that is open already stays as it is."""
    db.execute(
        f"INSERT INTO circuits (system, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, '', 0) ON CONFLICT DO NOTHING",
        (system, circuit.state, circuit.since, circuit.reason, circuit.actor, circuit.probe_at),
    )


def take_probe(db: Database, system: str, worker: str, now: float, until: float) -> bool:
    """Let one delivery through for this worker; False when it is not time yet, or another worker was first."""
    db.execute(
        """UPDATE circuits SET state = 'half_open', probe_by = ?, probe_at = ?
           WHERE system = ? AND probe_at IS NOT NULL AND probe_at <= ?""",
        (worker, until, system, now),
    )
    return db.changes() == 1


def end_probe(db: Database, system: str, worker: str, probe_at: float, reason: str | None) -> None:
    """The probe did not succeed: the next one may go at ``probe_at``. ``reason`` None: it was not tried at all."""
    db.execute(
        """UPDATE circuits SET state = 'open', probe_by = '', probe_at = ?1, reason = coalesce(?2, reason),
             failed_probes = failed_probes + CASE WHEN ?2 IS NULL THEN 0 ELSE 1 END
           WHERE system = ?3 AND probe_by = ?4""",
        (probe_at, reason, system, worker),
    )


def hurry_probe(db: Database, system: str, now: float) -> bool:
    """The next probe may go now, also where none was to go; False when the circuit is closed or one is on its way."""
    db.execute("UPDATE circuits SET probe_at = ? WHERE system = ? AND state = 'open'", (now, system))
    return db.changes() == 1


def free_probes(db: Database, worker: str, at: float) -> None:
    """Probes of runs that are no longer there are given up; the next one may go."""
    db.execute(
        """UPDATE circuits SET state = 'open', probe_by = '', probe_at = ?
           WHERE probe_by <> '' AND probe_by <> ?""",
        (at, worker),
    )


def close_after_probe(db: Database, system: str, worker: str) -> None:
    """The probe succeeded; what a person has opened meanwhile stays open."""
    db.execute("DELETE FROM circuits WHERE system = ? AND probe_by = ?", (system, worker))


def force_open(db: Database, system: str, reason: str, actor: str, now: float) -> None:
    """Open a circuit until a person closes it, whatever it was before."""
    close(db, system)
    open_circuit(db, system, Circuit(OPEN, now, reason, actor, None))


def close(db: Database, system: str) -> bool:
    """Close a circuit; False when it was closed."""
    db.execute("DELETE FROM circuits WHERE system = ?", (system,))
    return db.changes() == 1


def open_now(db: Database) -> dict[str, Circuit]:
    """Every circuit that is not closed, by system."""
    rows = db.execute(f"SELECT system, {_COLUMNS} FROM circuits ORDER BY system")
    return {str(row[0]): Circuit(*row[1:]) for row in rows}


def pause(db: Database, system: str, pause: Pause) -> None:
    """Leave a system alone; the longer of two pauses counts."""
    db.execute(
        """INSERT INTO pauses (system, until, seconds, reason) VALUES (?, ?, ?, ?)
           ON CONFLICT (system) DO UPDATE SET until = excluded.until, seconds = excluded.seconds,
             reason = excluded.reason WHERE excluded.until > pauses.until""",
        (system, pause.until, pause.seconds, pause.reason),
    )


def pauses(db: Database) -> Mapping[str, Pause]:
    """The last pause of each system that asked for one, over or not."""
    rows: Any = db.execute("SELECT system, until, seconds, reason FROM pauses")
    return {str(row[0]): Pause(*row[1:]) for row in rows}
