"""A store that several processes of the simulation share: the same SQL as for PostgreSQL, run by SQLite in memory.

What the server alone says is put in SQLite's words here. One transaction runs at a time, so that nobody waits for a
lock and no row is passed over that somebody else has locked; what happens between transactions happens in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, cast

import apsw

from hub.simulation.clock import SimulatedClock
from hub.simulation.faults import Faults
from hub.simulation.store import FaultyTransactions, SimulatedCommitter, SimulatedStore
from hub.store import due, leases
from hub.store.database import Database, Job, Rows, Shared
from hub.store.deliveries import COLUMNS
from hub.store.sqlite import keep_plans

# SQLite knows no LATERAL.
_TAKE = f"""WITH chosen AS MATERIALIZED (
    SELECT delivery_id FROM (SELECT d.delivery_id, CAST(j.value ->> 1 AS int8) AS most,
        row_number() OVER (PARTITION BY d.route ORDER BY d.due_at, d.lane_seq) AS place
      FROM json_each(?4) j, deliveries d WHERE {due._DUE.replace("?2", "(j.value ->> 0)")}) WHERE place <= most)
  UPDATE deliveries SET claimed_by = ?2, claimed_at = ?3 WHERE delivery_id IN (SELECT delivery_id FROM chosen)
  RETURNING {COLUMNS}"""  # noqa: S608  constants
_ABANDONED = f"""SELECT claimed_by FROM deliveries WHERE claimed_by IS NOT NULL
  UNION SELECT r.claimed_by FROM read_to k JOIN receipts r ON r.source = k.source
    WHERE r.state = 'received' AND r.seq >= k.seq AND r.claimed_by IS NOT NULL
  EXCEPT {leases._ABANDONED.partition("EXCEPT ")[2]}"""  # noqa: S608  constants
_NOW = leases._NOW


@cache
def in_words_of_sqlite(statement: str) -> str:
    """A statement as SQLite takes it."""
    if statement == due._TAKE:
        statement = _TAKE
    if statement == leases._ABANDONED:
        statement = _ABANDONED
    if statement.startswith("SET LOCAL"):
        return "SELECT 1"
    return statement.replace(_NOW, "server_time()").replace("::float8", "")


class ServerDatabase(Shared):
    """The one connection, as several processes see a server."""

    def __init__(self, db: apsw.Connection, last_number: int) -> None:
        self._db, self.last_number = db, last_number

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Rows:
        return cast(Rows, self._db.execute(in_words_of_sqlite(statement), values))

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Rows:
        return cast(Rows, self._db.executemany(in_words_of_sqlite(statement), rows))

    def changes(self) -> int:
        return self._db.changes()

    def lock(self, names: Iterable[str]) -> None:
        """Nobody else is in a transaction."""

    def numbers(self, count: int) -> Sequence[int]:
        """A transaction that is undone gives none back."""
        stored = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'receipts'").get or 0
        first = max(stored, self.last_number) + 1
        self.last_number = first + count - 1
        return range(first, first + count)


class ServerTransactions(FaultyTransactions):
    """Transactions of all processes. ``between`` is called before and after each of them."""

    def __init__(
        self, db: apsw.Connection, faults: Faults, between: Callable[[], None], last_number: int
    ) -> None:  # fmt: skip
        super().__init__(db, faults)
        self.database, self.between = ServerDatabase(db, last_number), between

    def _attempt(self, job: Job, durable: bool) -> Any:
        self.between()
        result = super()._attempt(job, durable)
        self.between()
        return result

    def _until_commit(self, job: Job, db: Database) -> Any:
        return super()._until_commit(job, self.database)


class SharedStore(SimulatedStore):
    """One process's way to the server: connections are its own, and so is the writer with what is queued for it."""

    def __init__(
        self, db: apsw.Connection, transactions: ServerTransactions, chance: Random, clock: SimulatedClock
    ) -> None:  # fmt: skip
        self.path = Path("memory")
        self._db, self._lock, self._transactions, self._chance, self._clock = db, None, transactions, chance, clock
        self._simulated = self._committer = SimulatedCommitter(transactions.run, chance, is_near=False)

    @property
    def url(self) -> str:
        return "postgresql://simulation/"

    def reader(self) -> Any:
        super().reader()
        return cast(ServerTransactions, self._transactions).database

    def of_another(self) -> SharedStore:
        """The same store, for another process."""
        return SharedStore(self._db, cast(ServerTransactions, self._transactions), self._chance, self._clock)

    def at_once(self, job: Job) -> Any:
        """A transaction beside the faults of the plan."""
        with self._db:
            return job(cast(ServerTransactions, self._transactions).database)

    def after_crash(self, faults: Faults, chance: Random, power_cut: bool) -> SharedStore:
        """What is there after a process has died, or the machine that all of them and the server are on."""
        known = cast(ServerTransactions, self._transactions)
        if not power_cut or known.undurable is None:
            return self
        self._db.close()
        return served(known.undurable, faults, chance, self._clock, known.between, known.database.last_number)


def served(
    content: bytes, faults: Faults, chance: Random, clock: SimulatedClock, between: Callable[[], None],
    last_number: int = 0,
) -> SharedStore:  # fmt: skip
    """A store for several processes, with what another held."""
    db = apsw.Connection(":memory:", statementcachesize=400)
    keep_plans(db)
    db.deserialize("main", content)
    db.create_scalar_function("server_time", lambda *_: clock.epoch(), 0)
    return SharedStore(db, ServerTransactions(db, faults, between, last_number), chance, clock)
