"""The embedded store: one SQLite file in WAL mode, one writer, any number of readers, one hub process.

The library is the one that ``apsw`` carries: versions up to 3.51.2 can corrupt a database on a WAL reset.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import apsw

from hub.errors import StoreBusy, StoreError, StoreFull, StoreRefused, UsageError
from hub.store.checkpoint import Checkpoints
from hub.store.commit import Committer, Writing
from hub.store.database import Job

_MIGRATIONS = Path(__file__).parent / "migrations" / "sqlite"
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA foreign_keys = OFF",  # deletes come in chunks, parents and children apart; inserts come together
    "PRAGMA cache_size = -8000",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA journal_size_limit = 67108864",
)
# executemany takes its statement out of the cache and puts it back behind all others at every row: so many rows later
# another statement is compiled anew. More places than this take longer to look through than that spares.
_STATEMENTS = 300
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class SqliteStore(Writing):
    """An open embedded store. ``committer`` writes; ``reader()`` reads the newest committed state.

    ``read_only`` opens it beside a running hub, and raises StoreError where it cannot be read or its schema is not this
    hub's, which of ``any_version`` it need not be. Else the lock file beside the database is taken (StoreBusy if it is
    held) and pending migrations are applied, after a copy of the file.
    """

    def __init__(self, path: Path, read_only: bool = False, any_version: bool = False) -> None:
        self.path = path
        self._readers = threading.local()
        self._lock: IO[str] | None = None
        try:
            if read_only:
                self._require_file()
                if not any_version:
                    self._require_schema()
                return
            with _raised_as_ours(), _opening():
                path.parent.mkdir(parents=True, exist_ok=True)
                self._lock = _take_lock(path.with_name(path.name + ".lock"))
                _make_private(path)  # SQLite gives the files beside it the same mode
                self._db = db = connect(path)
                apply_migrations(db, path)
                beside = connect(path)
        except StoreError:
            self.close()
            raise
        self._committer = Committer(Transactions(db).run)
        self._checkpoints = Checkpoints(beside, lambda work: self.committer.between(lambda: work(db)))
        self._checkpoints.watch(db)

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}" if self.path.is_absolute() else f"sqlite:///{self.path.absolute()}"

    def size(self) -> int:
        return self.path.stat().st_size

    def reader(self) -> apsw.Connection:
        """This thread's reading connection."""
        db = getattr(self._readers, "db", None)
        if db is None:
            with _reading(self.path):
                db = self._readers.db = connect(self.path, read_only=True)
        return db

    @contextmanager
    def snapshot(self) -> Iterator[apsw.Connection]:
        """A reading connection that sees one moment until the block ends."""
        db = self.reader()
        db.execute("BEGIN")
        try:
            yield db
        finally:
            db.execute("ROLLBACK")

    def backup(self, target: Path, progress: Callable[[int, int], None] | None = None) -> None:
        """Copy the running store to ``target``, page by page, while the hub goes on. The copy is whole or not there,
        and only its owner can read it.

        Raises UsageError for a target that is a file of this store, by whatever name or link."""
        if target.is_dir():
            raise StoreError(f"{target} is a folder; name a file in it")
        partial = target.with_name(target.name + ".partial")
        if own := next((own for own in self._own_files() if _are_one(own, target) or _are_one(own, partial)), None):
            raise UsageError(f"{target} would take the place of {own}, which the store itself needs; name another file")
        try:
            partial.unlink(missing_ok=True)
            _make_private(partial)
            self._copy(partial, progress)
            partial.replace(target)
        except (apsw.Error, OSError) as error:
            raise StoreError(f"the copy {target} cannot be written: {error}; name a file with room for it") from error
        finally:
            with suppress(OSError):
                partial.unlink()  # of a copy that has come to nothing

    def _own_files(self) -> list[Path]:
        return [self.path.with_name(self.path.name + ending) for ending in ("", "-wal", "-shm", ".lock")]

    def _copy(self, target: Path, progress: Callable[[int, int], None] | None) -> None:
        with closing(connect(self.path, read_only=True)) as source, closing(apsw.Connection(str(target))) as copy:
            # The copy is of one moment: without that, each commit of the hub would make SQLite begin it anew.
            source.execute("BEGIN; SELECT 1 FROM sqlite_schema")
            with copy.backup("main", source, "main") as pages:
                while not pages.done:
                    pages.step(2000)
                    if progress:
                        progress(pages.page_count - pages.remaining, pages.page_count)
            problems = copy.execute("PRAGMA quick_check").get
        if problems != "ok":
            raise StoreError(f"the copy is not sound: {problems}")

    def close(self) -> None:
        """Finish queued writes, fold the log into the file, give up the lock."""
        db = getattr(self._readers, "db", None)
        if db is not None:
            db.close()
            self._readers.db = None
        if self._committer is not None:
            self._committer.close()
            self._checkpoints.close()
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._db.close()
            self._committer = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _require_file(self) -> None:
        with _opening():
            if not self.path.is_file():
                raise StoreError(f"there is no store at {self.path} yet; start the hub once with `o2c run`")

    def _require_schema(self) -> None:
        with _reading(self.path):
            db = self.reader()
            current, tables = schema_version(db), db.execute("SELECT count(*) FROM sqlite_schema").get
        newest = migrations()[-1][0]
        if not tables:
            raise StoreError(f"the store {self.path} has no tables yet; start the hub once with `o2c run`")
        if current < newest:
            hint = "start this hub once with `o2c run`, which brings it up to date"
            raise StoreError(f"the store {self.path} has schema version {current}, this hub wants {newest}; {hint}")
        _refuse_newer(current, newest)


@contextmanager
def _raised_as_ours() -> Iterator[None]:
    """What SQLite or the system cannot do in the block comes out as StoreError."""
    try:
        yield
    except apsw.FullError as error:
        raise StoreFull("the disk that holds the store is full; free some room, work goes on by itself") from error
    except (apsw.IOError, apsw.CantOpenError, apsw.ReadOnlyError) as error:
        raise StoreFull(f"the store cannot be written: {error}") from error
    except apsw.BusyError as error:
        raise StoreError(f"the store is in use: {error}") from error
    except apsw.Error as error:
        raise StoreRefused(f"the store refused this: {error}") from error


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """What keeps SQLite from reading the file in the block comes out as StoreError."""
    try:
        yield
    except (apsw.NotADBError, apsw.CorruptError) as error:
        hint = "it is damaged: put a copy that `o2c backup` made in its place"
        raise StoreError(f"the store {path} cannot be read: {error}; {hint}") from error
    except (apsw.CantOpenError, apsw.ReadOnlyError) as error:
        hint = "whoever runs this has to be let read and write it and its folder"
        raise StoreError(f"the store {path} cannot be read: {error}; {hint}") from error
    except apsw.Error as error:
        raise StoreError(f"the store {path} cannot be read: {error}") from error


@contextmanager
def _opening() -> Iterator[None]:
    """What the system says of the files in the block comes out as StoreError."""
    try:
        yield
    except OSError as error:
        kind = StoreFull if error.errno in _NO_ROOM else StoreError
        raise kind(f"the store cannot be opened: {error.strerror}: {error.filename or 'its lock file'}") from error


class Transactions:
    """Runs jobs in transactions of one connection, one at a time."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection
        self._durable: bool | None = None

    def run(self, job: Job, durable: bool) -> Any:
        """The job's result, once it is committed. Raises StoreFull and StoreRefused."""
        with _raised_as_ours():
            return self._attempt(job, durable)

    def _attempt(self, job: Job, durable: bool) -> Any:
        # BEGIN IMMEDIATE always: a read that turns into a write gets past the busy time-out (BUSY_SNAPSHOT).
        if durable is not self._durable:
            self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable
        self._db.execute("BEGIN IMMEDIATE")
        try:
            result = job(self._db)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        return result


def connect(path: Path, read_only: bool = False) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    db = apsw.Connection(str(path), flags=flags, statementcachesize=_STATEMENTS)
    db.set_busy_timeout(10_000)
    keep_plans(db)
    for pragma in _PRAGMAS:
        if not (read_only and "journal" in pragma):
            db.execute(pragma)
    if read_only:
        db.execute("PRAGMA cache_size = -2000")  # one connection a thread; the system's file cache is behind them
    return db


def keep_plans(db: apsw.Connection) -> None:
    """Plans are made without a look at what is bound. Else each statement with a bound LIMIT, or with a value that an
    index might have been chosen by, is planned anew whenever it is executed, which takes thirty times its own work."""
    db.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)


def _are_one(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, which need not be there."""
    return one.resolve() == other.resolve() or (one.exists() and other.exists() and one.samefile(other))


def _make_private(path: Path) -> None:
    """The file, for its owner alone. One that is there keeps its mode, and is not opened: to close it again would
    release the locks that SQLite holds on it in this process."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _take_lock(path: Path) -> IO[str]:
    _make_private(path)
    lock = path.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        pid = lock.read().strip() or "unknown"
        lock.close()
        raise StoreBusy(
            f"another hub process (pid {pid}) holds the embedded store, which admits one at a time; stop that one first"
        ) from None
    lock.truncate(0)
    with suppress(OSError):  # on a full disk others are not told who it is
        os.write(lock.fileno(), str(os.getpid()).encode())
    return lock


def migrations() -> list[tuple[int, Path]]:
    return sorted((int(path.name.split("_")[0]), path) for path in _MIGRATIONS.glob("*.sql"))


def schema_version(db: apsw.Connection) -> int:
    return db.execute("PRAGMA user_version").get or 0


def apply_migrations(db: apsw.Connection, path: Path) -> None:
    """Bring the schema up to this hub's. An existing database is copied first; each step is one transaction."""
    current = schema_version(db)
    pending = [(number, file) for number, file in migrations() if number > current]
    newest = migrations()[-1][0]
    _refuse_newer(current, newest)
    if current and pending:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        copy = path.with_name(f"{path.name}.before-{pending[0][0]:04d}")
        copy.touch(path.stat().st_mode & 0o777)  # who may not read the store may not read its copy
        shutil.copyfile(path, copy)
    for number, file in pending:
        with db:
            db.execute(file.read_text(encoding="utf-8"))
            db.execute(f"PRAGMA user_version = {number}")


def _refuse_newer(current: int, newest: int) -> None:
    if current > newest:
        raise StoreError(f"the store has schema version {current}, this hub knows {newest}; use the newer hub")
