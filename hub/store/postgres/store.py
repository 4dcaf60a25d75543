"""The store on a PostgreSQL server: one writing connection a process, a few that read, and any number of processes.

What SQLite's one writer gives for free is made here: locks by name that are only ever waited for in one order, and a
transaction that was undone for another one is tried again. A server that went away is connected to again by itself; a
commit whose answer was lost is asked for, however long that takes, so that nothing is done twice.
"""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from hub.errors import StoreAway, StoreError
from hub.store.commit import Committer, Writing
from hub.store.database import Job
from hub.store.postgres.connection import (
    Again,
    Contended,
    PostgresDatabase,
    Rows,
    Statements,
    column_types,
    connect,
    raised_as_ours,
)
from hub.store.postgres.schema import require_schema

_TRIES = 8
_READERS = 6
_DOUBT_SECONDS = 15.0
_BEGIN = "BEGIN; {0}EXECUTE o2c_begin"
_PREPARE = "PREPARE o2c_begin AS UPDATE writers SET commits = commits + 1 WHERE writer = '{0}' RETURNING commits"
_FAST = "SET LOCAL synchronous_commit = off; "
_REGISTER = "INSERT INTO writers (writer, commits) VALUES ($1, 0) ON CONFLICT DO NOTHING"
# Who writes finds rows by their keys, one after the other, however few of them the planner knows of.
_BY_KEY = "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off"
# No row: a transaction of this writer is still open on the server, and holds it.
_COMMITS = "SELECT commits FROM writers WHERE writer = $1 FOR UPDATE SKIP LOCKED"
# What the last transaction of this writer took in hand, and nothing else has changed.
_TAKEN = "claimed_by IS NOT NULL AND xmin = (SELECT w.xmin FROM writers w WHERE w.writer = $1)"
_LET_GO = (
    f"UPDATE receipts SET claimed_by = NULL, enqueued_at = NULL WHERE state = 'received' AND {_TAKEN}",
    f"""UPDATE deliveries SET claimed_by = NULL, claimed_at = NULL, due_at = coalesce(due_at, updated_at),
          state = CASE WHEN state <> 'delivering' THEN state WHEN tries > 0 THEN 'retrying' ELSE 'queued' END
        WHERE {_TAKEN}""",
)


class PostgresStore(Writing):
    """An open store on a server. ``read_only`` opens it without a writer. Raises StoreError where the server cannot be
    reached or its schema is not this hub's."""

    def __init__(self, url: str, read_only: bool = False) -> None:
        self.url = url
        connection = connect(url)
        try:
            with raised_as_ours(connection):
                require_schema(connection)
                self._statements = Statements(column_types(connection))
        finally:
            connection.close()
        self._reader = _Readers(url, self._statements)
        self._transactions = None if read_only else _Transactions(url, self._statements)
        self._committer = Committer(self._transactions.run, is_near=False) if self._transactions else None

    def reader(self) -> _Readers:
        """A database for reading, whatever the thread."""
        return self._reader

    @contextmanager
    def snapshot(self) -> Iterator[PostgresDatabase]:
        """A reading connection that sees one moment until the block ends."""
        self._reader.execute("SELECT 1")  # a connection that the server has ended is made anew
        with self._reader.connection() as db:
            db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                db.execute("SET LOCAL enable_seqscan = on")  # whoever counts everything reads everything
                yield db
            finally:
                with suppress(StoreAway):
                    db.execute("ROLLBACK")

    def size(self) -> int:
        """Bytes of the whole database."""
        return int(self._reader.execute("SELECT pg_database_size(current_database())").get)

    def backup(self, target: Path, progress: Callable[[int, int], None] | None = None) -> None:
        """Refused: the server has tools of its own for this."""
        raise StoreError(
            "this store is on a PostgreSQL server: copy it while it runs with `pg_dump --format=custom --file=FILE` "
            "and the store's address, or by the server's own backups"
        )

    def close(self) -> None:
        """Finish queued writes and end every connection."""
        if self._committer is not None and self._transactions is not None:
            self._committer.close()
            self._transactions.close()
            self._committer = None
        self._reader.close()


class _Readers:
    """A few connections for reading, shared by all threads: a statement has one for as long as it runs."""

    def __init__(self, url: str, statements: Statements) -> None:
        self._url, self._statements = url, statements
        self._free: queue.LifoQueue[PostgresDatabase | None] = queue.LifoQueue()
        for _ in range(_READERS):
            self._free.put(None)

    @contextmanager
    def connection(self) -> Iterator[PostgresDatabase]:
        db = self._free.get()
        try:
            if db is None or db.connection.closed:
                db = None
                db = PostgresDatabase(connect(self._url), self._statements)
            yield db
        finally:
            self._free.put(db)

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Rows:
        return self._again(lambda db: db.execute(statement, values))

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Rows:
        given = list(rows)
        return self._again(lambda db: db.executemany(statement, given))

    def changes(self) -> int:
        raise StoreError("what reads changes nothing")

    def _again(self, work: Callable[[PostgresDatabase], Rows]) -> Rows:
        """Reading may be done twice: a connection that the server has ended is not a fault."""
        try:
            return self._on_one(work)
        except StoreAway:
            return self._on_one(work)

    def _on_one(self, work: Callable[[PostgresDatabase], Rows]) -> Rows:
        with self.connection() as db:
            try:
                return work(db)
            except StoreAway:
                db.connection.close()
                raise

    def close(self) -> None:
        # All of them first: what is given back is the next to be taken.
        for db in [self._free.get() for _ in range(_READERS)]:
            if db is not None:
                db.connection.close()
            self._free.put(None)


class _Transactions:
    """Runs jobs in transactions of one connection, one at a time."""

    def __init__(self, url: str, statements: Statements) -> None:
        self._url, self._statements = url, statements
        self._db: PostgresDatabase | None = None
        self._writer = uuid.uuid4().hex
        self._doubt: int | None = None  # the commit of which nobody can tell yet whether it was done
        self._closing = threading.Event()

    def run(self, job: Job, durable: bool) -> Any:
        """The job's result, once it is committed; the job is run again where the server had other work first."""
        self._settle()
        locks: set[int] = set()
        for number in range(_TRIES):
            try:
                return self._attempt(job, durable, locks)
            except Contended as contended:
                locks |= contended.keys
            except Again:
                if number == _TRIES - 1:
                    raise
        raise StoreError(f"the PostgreSQL store had other work first, {_TRIES} times in a row; it is tried again later")

    def _attempt(self, job: Job, durable: bool, locks: set[int]) -> Any:
        db, number = self._begin(durable)
        try:
            if locks:
                db.lock_keys(locks)
            result = job(db)
        except BaseException:
            self._undo(db)
            raise
        self._commit(db, number)
        return result

    def _begin(self, durable: bool) -> tuple[PostgresDatabase, int]:
        """An open transaction and its number among those of this writer."""
        statement = _BEGIN.format("" if durable else _FAST)
        for is_last in (False, True):
            db = self._connected()
            try:
                cursor = db.connection.execute(statement)
                while cursor.nextset():
                    continue
                return db, int(cursor.fetchone()[0])  # type: ignore[index]
            except psycopg.Error as error:
                # Nothing was done yet: a connection that the server has ended meanwhile is simply made anew.
                self._drop()
                if is_last:
                    raise StoreAway(f"the connection to the PostgreSQL store was lost: {error}") from error
        raise AssertionError("unreachable")

    def _connected(self) -> PostgresDatabase:
        if self._db is None or self._db.connection.closed:
            self._db = PostgresDatabase(connect(self._url), self._statements)
            self._db.execute(_BY_KEY)
            self._db.execute(_REGISTER, [self._writer])
            self._db.execute(_PREPARE.format(self._writer))
        return self._db

    def _undo(self, db: PostgresDatabase) -> None:
        db.ended()
        try:
            db.connection.execute("ROLLBACK")
        except psycopg.Error:
            self._drop()

    def _commit(self, db: PostgresDatabase, number: int) -> None:
        db.ended()
        try:
            db.execute("COMMIT")
        except StoreAway:
            self._drop()
            self._doubt = number
            is_done = self._was_committed(number, _DOUBT_SECONDS)
            self._doubt = None
            if not is_done:
                raise
        except StoreError:
            self._undo(db)
            raise

    def _settle(self) -> None:
        """Before anything else is written: a commit that stayed in doubt for so long that whoever wanted it was told
        that the store is away. If it was done, nobody has in hand what it took, and nothing of it was sent."""
        if self._doubt is None:
            return
        if self._was_committed(self._doubt, 0.0):
            for statement in _LET_GO:
                self._connected().execute(statement, [self._writer])
        self._doubt = None

    def _was_committed(self, number: int, seconds: float) -> bool:
        """What became of a transaction whose commit was not answered. Raises StoreAway where nobody can tell within so
        many seconds."""
        until = time.monotonic() + seconds
        while True:
            try:
                commits = self._connected().execute(_COMMITS, [self._writer]).get
            except StoreError as error:
                self._drop()
                if time.monotonic() >= until or self._closing.wait(0.2):
                    raise StoreAway(str(error)) from error
                continue
            if commits is not None:
                return int(commits) >= number
            if time.monotonic() >= until or self._closing.wait(0.05):
                raise StoreAway("the PostgreSQL store has not ended the transaction of a connection that was lost")

    def _drop(self) -> None:
        if self._db is not None:
            self._db.connection.close()
            self._db = None

    def close(self) -> None:
        self._closing.set()
        with suppress(StoreError):
            if self._db is not None:
                self._db.execute("DELETE FROM writers WHERE writer = $1", [self._writer])
        self._drop()
