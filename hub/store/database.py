"""What the store's statements need of a database: a small interface that ``apsw.Connection`` fits as it is.

Statements are written in SQLite's dialect; a database that speaks another one translates them itself. What only matters
where several processes write at once (``Shared``) is asked for through the functions here, which cost one writer alone
nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from hub.store.commit import Committer


class Rows(Protocol):
    """What a statement gives: an iterator of tuples. ``get`` is the only value of the only row, None without a row."""

    def __iter__(self) -> Iterator[Any]: ...

    def __next__(self) -> Any: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    @property
    def get(self) -> Any: ...


class Database(Protocol):
    """A connection. Placeholders are ``?``, or ``?1`` where a value stands more than once."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Rows: ...

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Rows:
        """The statement once for each row; gives the rows of all of them."""
        ...

    def changes(self) -> int:
        """How many rows the last statement changed."""
        ...


Job = Callable[[Database], Any]


class Store(Protocol):
    """A store, whatever database is behind it."""

    @property
    def url(self) -> str:
        """The address that ``open_store`` opens it by, also in another process."""
        ...

    @property
    def committer(self) -> Committer: ...

    def write(self, job: Job, durable: bool = True) -> Any:
        """One transaction, now, in the calling thread."""
        ...

    def reader(self) -> Database:
        """This thread's reading connection; it sees the newest committed state."""
        ...

    def snapshot(self) -> AbstractContextManager[Database]:
        """A reading connection that sees one moment until the block ends."""
        ...

    def size(self) -> int:
        """Bytes that the store takes up."""
        ...

    def backup(self, target: Path, progress: Callable[[int, int], None] | None = None) -> None:
        """Copy the running store to a file."""
        ...

    def close(self) -> None: ...


class Shared(ABC):
    """A database that several processes write to at once."""

    @abstractmethod
    def lock(self, names: Iterable[str]) -> None:
        """Keep everybody else from what has these names until the transaction ends."""

    @abstractmethod
    def numbers(self, count: int) -> Sequence[int]:
        """So many numbers for receipts, each greater than all that were given before."""


def numbers_on_their_way(db: Database) -> int:
    """How far below the greatest number of a receipt one may still be on its way into the store: one writer alone
    stores them in their order, several keep it for each source only."""
    return 20_000 if isinstance(db, Shared) else 0


def next_numbers(db: Database, count: int) -> Sequence[int]:
    """Numbers for new receipts, which are never given again."""
    if isinstance(db, Shared):
        return db.numbers(count)
    last = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'receipts'").get or 0
    return range(last + 1, last + 1 + count)


def lock_sources(db: Database, sources: Iterable[str]) -> None:
    """Nobody else numbers receipts of these sources until this transaction ends: numbers are the order of arrival."""
    if isinstance(db, Shared):
        db.lock([f"source {source}" for source in sources])


def lock_lanes(db: Database, systems: Iterable[str]) -> None:
    """Nobody else decides who heads a lane of these systems until this transaction ends."""
    if isinstance(db, Shared):
        db.lock([f"lanes {system}" for system in systems])


def lock(db: Database, name: str) -> None:
    """Nobody else does what has this name until this transaction ends."""
    if isinstance(db, Shared):
        db.lock([name])


def now_of(db: Database, now: float) -> float:
    """The time that leases go by: where several processes share a database its own clock, else the one given."""
    return server_time(db) if isinstance(db, Shared) else now


def server_time(db: Database) -> float:
    """What the clock of a database server shows."""
    return float(db.execute("SELECT extract(epoch FROM clock_timestamp())::float8").get)
