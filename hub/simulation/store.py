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
from hub.store.commit import Committer, Done, Transact
from hub.store.database import Database, Job
from hub.store.sqlite import SqliteStore, Transactions, apply_migrations


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

    def __init__(self, transact: Transact, chance: Random) -> None:
        self._begin, self._chance = transact, chance
        self._lock = threading.Lock()
        self._jobs = deque()
        self.commits = 0

    @property
    def has_work(self) -> bool:
        return bool(self._jobs)

    def submit(self, job: Job, done: Done, patient: bool = False) -> None:
        self._jobs.append((job, done))

    def try_now(self, job: Job, done: Done) -> bool:
        """The writer is idle more often than not."""
        return self._chance.random() < 0.7 and super().try_now(job, done)

    def work(self) -> None:
        """Some of the queued jobs in one transaction."""
        some = self._chance.randint(1, len(self._jobs))
        self._run_group([self._jobs.popleft() for _ in range(some)])

    def close(self) -> None:
        """There is no thread to end."""


class SimulatedStore(SqliteStore):
    """A store in memory, made from the bytes of another."""

    def __init__(self, content: bytes, faults: Faults, chance: Random) -> None:
        self.path = Path("memory")
        self._db = apsw.Connection(":memory:")
        if content:
            self._db.deserialize("main", content)
        self._transactions = FaultyTransactions(self._db, faults)
        self._simulated = SimulatedCommitter(self._transactions.run, chance)
        self._committer = self._simulated
        self._lock = None

    @property
    def committer(self) -> SimulatedCommitter:
        return self._simulated

    def reader(self) -> apsw.Connection:
        return self._db

    @property
    def is_writing(self) -> bool:
        """Whether a transaction is open: nothing in it has happened yet."""
        return bool(self._db.in_transaction)

    def after_crash(self, faults: Faults, chance: Random, power_cut: bool) -> SimulatedStore:
        """What the next process finds."""
        lost = power_cut and self._transactions.undurable is not None
        content = self._transactions.undurable if lost else self._db.serialize("main")
        self._db.close()
        return SimulatedStore(content or b"", faults, chance)

    def close(self) -> None:
        self._db.close()


def prepared(work: Callable[[SimulatedStore], Any]) -> tuple[Any, bytes]:
    """A new store after ``work``, as bytes that any number of runs start from, and what ``work`` gave."""
    store = SimulatedStore(b"", Faults(()), Random(0))  # noqa: S311  a simulation, not a secret
    apply_migrations(store.reader(), store.path)
    result = work(store)
    content = store.reader().serialize("main")
    store.close()
    return result, content
