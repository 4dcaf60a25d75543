"""The real store in memory: the same SQL, transactions and writer, but no thread, no file, and faults at each commit.

What was committed outlives the process of the simulated hub. A power cut also takes what was committed without
waiting for the disk.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import apsw

from hub.simulation.faults import Faults
from hub.simulation.trace import Violation
from hub.store.commit import Committer, Done, Transact
from hub.store.database import Database, Job
from hub.store.sqlite import SqliteStore, Transactions, apply_migrations, keep_plans


class FaultyTransactions(Transactions):
    """Real transactions, with the faults of the plan around and within them."""

    def __init__(self, connection: apsw.Connection, faults: Faults) -> None:
        super().__init__(connection)
        self._connection, self._faults = connection, faults
        self.undurable: bytes | None = None  # the database as a power cut would leave it, where that differs

    def _attempt(self, job: Job, durable: bool) -> Any:
        self._faults.crash("before commit")
        before = self._connection.serialize("main") if self._must_keep(durable) else None
        result = super()._attempt(lambda db: self._until_commit(job, db), durable)
        self.undurable = None if durable else self.undurable or before
        self._faults.crash("after commit")
        return result

    def _until_commit(self, job: Job, db: Database) -> Any:
        result = job(db)
        self._faults.crash("in commit")
        if self._faults.is_disk_full():
            raise apsw.FullError("database or disk is full")
        return result

    def _must_keep(self, durable: bool) -> bool:
        return not durable and self.undurable is None and self._faults.power_cuts_left > 0


class SimulatedCommitter(Committer):
    """The writer without its thread: ``work`` is one turn of it."""

    def __init__(self, transact: Transact, chance: Random, is_near: bool = True) -> None:
        self._begin, self._is_near, self._chance = transact, is_near, chance
        self._lock = threading.Lock()
        self._jobs = deque()
        self.commits = 0

    @property
    def has_work(self) -> bool:
        return bool(self._jobs)

    def submit(self, job: Job, done: Done, patient: bool = False) -> None:
        self._jobs.append((job, done, 0.0))

    def try_now(self, job: Job, done: Done) -> bool:
        """The writer is idle more often than not."""
        return self._is_near and self._chance.random() < 0.7 and super().try_now(job, done)

    def work(self) -> None:
        """Some of the queued jobs in one transaction."""
        some = self._chance.randint(1, len(self._jobs))
        self._run_group([self._jobs.popleft()[:2] for _ in range(some)])

    def close(self) -> None:
        """There is no thread to end."""


class SimulatedStore(SqliteStore):
    """A store in memory. One connection reads and writes."""

    def __init__(self, db: apsw.Connection, faults: Faults, chance: Random) -> None:
        self.path = Path("memory")
        self._db, self._lock = db, None
        self._transactions = FaultyTransactions(db, faults)
        self._simulated = SimulatedCommitter(self._transactions.run, chance)
        self._committer = self._simulated

    @property
    def committer(self) -> SimulatedCommitter:
        return self._simulated

    def reader(self) -> Any:
        """The one connection there is: whoever read through it within a transaction would see what nobody may yet."""
        if self._db.in_transaction:
            raise Violation("reads see what is committed", "a reader was asked for within a transaction")
        return self._db

    @property
    def is_writing(self) -> bool:
        """Whether a transaction is open: nothing in it has happened yet."""
        return bool(self._db.in_transaction)

    def of_another(self) -> SimulatedStore:
        """The store, for the one process that there is."""
        return self

    def after_crash(self, faults: Faults, chance: Random, power_cut: bool) -> SimulatedStore:
        """What the next process finds."""
        left = self._transactions.undurable
        if power_cut and left is not None:
            self._db.close()
            return opened(left, faults, chance)
        store = SimulatedStore(self._db, faults, chance)
        store._transactions.undurable = left
        return store

    def close(self) -> None:
        self._db.close()


def opened(content: bytes, faults: Faults, chance: Random) -> SimulatedStore:
    """A store in memory with what another held; with no bytes an empty one."""
    db = apsw.Connection(":memory:", statementcachesize=400)
    keep_plans(db)
    if content:
        db.deserialize("main", content)
    return SimulatedStore(db, faults, chance)


def prepared(work: Callable[[SimulatedStore], Any]) -> tuple[Any, bytes]:
    """A new store after ``work``, as bytes that any number of runs start from, and what ``work`` gave."""
    store = opened(b"", Faults(()), Random(0))  # noqa: S311  a simulation, not a secret
    apply_migrations(store.reader(), store.path)
    result = work(store)
    content = store.reader().serialize("main")
    store.close()
    return result, content
