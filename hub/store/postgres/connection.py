"""A connection to PostgreSQL that the store's statements can be run on as they are written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.array import ListBinaryDumper

from hub.errors import StoreAway, StoreError, StoreFull, StoreRefused
from hub.store.database import Shared
from hub.store.postgres import arrays
from hub.store.postgres.arrays import array
from hub.store.postgres.dialect import Translated, Types, translate, translate_many

_NO_ROOM = ("53100", "53200", "53400")  # disk full, out of memory, configured limit exceeded
_AGAIN = ("40001", "40P01")  # serialization failure, deadlock
_WAITED = "55P03"  # too long for a lock
# What is given is at fault: its values, the schema's rules, the form of a statement, a limit of the server; "" is what
# the client refuses itself. Not where rights, tables or columns are missing: no document could be stored there.
_REFUSED = ("21", "22", "23", "42", "54", "P0", "")
_UNFIT = ("42501", "42P01", "42703")
# A host that is gone does not even say so: what it leaves unconfirmed so long has ended a connection. These are of the
# client's side, in the units of libpq; an address may say otherwise. They mean nothing to a Unix socket.
_NETWORK = {
    "connect_timeout": "5", "keepalives": "1", "keepalives_idle": "5", "keepalives_interval": "2",
    "keepalives_count": "3", "tcp_user_timeout": "10000",
}  # fmt: skip
# A plan that was made while a table was small is kept while it grows: so none of them may read a whole table.
# A hub that stands still in the middle of a transaction keeps others out for no longer than this, nor one that is gone.
_SESSION = """SET lock_timeout = '15s'; SET idle_in_transaction_session_timeout = '30s';
  SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;
  SET tcp_user_timeout = '10s';
  SET client_min_messages = 'warning'; SET timezone = 'UTC'; SET jit = off;
  SET enable_seqscan = off"""


class Contended(Exception):
    """Locks that others hold were asked for in an order in which waiting could last for ever. ``names`` are all that
    the transaction wants: it is begun anew with them."""

    def __init__(self, keys: set[int]) -> None:
        super().__init__()
        self.keys = keys


class Again(StoreError):
    """The transaction was undone in favour of another one and may be tried again."""


class Rows:
    """The rows of a statement, all of them there."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows, self._next = rows, iter(rows)

    def __iter__(self) -> Iterator[Any]:
        return self._next

    def __next__(self) -> Any:
        return next(self._next)

    def fetchone(self) -> Any:
        return next(self._next, None)

    def fetchall(self) -> list[Any]:
        return list(self._next)

    @property
    def get(self) -> Any:
        """The only value of the first row, the whole of it where it has several; None without a row."""
        row = next(self._next, None)
        return row if row is None or len(row) > 1 else row[0]


class _Whole(Loader):
    """Sums of whole numbers come as ``numeric``; no column has that type."""

    def load(self, data: Any) -> int:
        return int(bytes(data))


def connect(url: str) -> psycopg.Connection[Any]:
    """A connection whose transactions are begun and ended by hand; it ends by itself some ten seconds after its server
    has fallen silent. Raises StoreError that names no password."""
    try:
        said = conninfo_to_dict(url)
        if "@" in str(said.get("host", ""))[1:] + str(said.get("dbname", "")):  # what is left of the password
            raise psycopg.ProgrammingError
        address = make_conninfo(url, **{name: value for name, value in _NETWORK.items() if name not in said})
        connection = psycopg.connect(
            address, autocommit=True, cursor_factory=psycopg.RawCursor, application_name="o2c-hub",
            options="-c client_encoding=UTF8",
        )  # fmt: skip
    except psycopg.ProgrammingError:
        form = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"
        raise StoreError(
            f"store: the address is not well formed; write {form}, with %40 and %2F for @ and / in the password"
        ) from None
    except psycopg.Error as error:
        raise StoreAway(f"the PostgreSQL store cannot be reached: {_first_line(error)}") from None
    connection.adapters.register_dumper(list, ListBinaryDumper)
    arrays.register(connection)
    connection.adapters.register_loader("numeric", _Whole)
    connection.prepared_max = 500
    with raised_as_ours(connection):
        connection.execute(_SESSION)
    return connection


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


class Statements:
    """The store's statements in PostgreSQL's words, for all connections of a process."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._one: dict[str, Translated] = {}
        self._many: dict[str, Translated] = {}

    def one(self, statement: str) -> Translated:
        return self._one.get(statement) or self._one.setdefault(statement, translate(statement))

    def many(self, statement: str) -> Translated:
        return self._many.get(statement) or self._many.setdefault(statement, translate_many(statement, self._types))


def column_types(connection: psycopg.Connection[Any]) -> Types:
    """The columns of every table and their types."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        """SELECT c.table_name, c.column_name, c.udt_name FROM information_schema.columns c
           WHERE c.table_schema = current_schema() ORDER BY c.table_name, c.ordinal_position"""
    ):
        found.setdefault(table, {})[column] = kind
    return found


class PostgresDatabase(Shared):
    """One connection; one thread at a time. Every error of the server is a StoreError."""

    def __init__(self, connection: psycopg.Connection[Any], statements: Statements) -> None:
        self.connection, self._statements = connection, statements
        # One that stays remembers how values of each type are put; one that copies has the types of a table.
        self._cursor, self._copying = connection.cursor(), connection.cursor()
        self._changed = 0
        self._held: set[int] = set()

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Rows:
        translated = self._statements.one(statement)
        return self._run(translated.text, values)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Rows:
        given = list(rows)
        if not given:
            self._changed = 0
            return Rows([])
        translated = self._statements.many(statement)
        if translated.is_copy:
            self._copy(translated, given)
            return Rows([])
        if translated.is_batch:
            return self._run(translated.text, _columns(given, translated.types))
        found: list[Any] = []
        for values in given:
            found += self._run(translated.text, values)
        return Rows(found)

    def changes(self) -> int:
        return self._changed

    def lock(self, names: Iterable[str]) -> None:
        wanted = {_key(name) for name in names} - self._held
        if not wanted:
            return
        if self._held and min(wanted) < max(self._held):
            # Whoever waits only for what comes after all that it holds never waits in a circle.
            tried = self._run("SELECT pg_try_advisory_xact_lock(k) FROM unnest($1::int8[]) AS k", [sorted(wanted)])
            if not all(got for (got,) in tried):
                raise Contended(self._held | wanted)
        else:
            self.lock_keys(wanted)
        self._held |= wanted

    def lock_keys(self, keys: set[int]) -> None:
        """Wait for locks, in their order."""
        self._run("SELECT pg_advisory_xact_lock(k) FROM unnest($1::int8[]) AS k", [sorted(keys)])
        self._held |= keys

    def numbers(self, count: int) -> Sequence[int]:
        rows = self._run("SELECT nextval('receipt_numbers') FROM generate_series(1, $1::int4)", [count])
        return [number for (number,) in rows]

    def ended(self) -> None:
        """The transaction is over, and with it its locks."""
        self._held.clear()

    def _run(self, text: str, values: Sequence[Any]) -> Rows:
        with raised_as_ours(self.connection):
            try:
                cursor = self._cursor.execute(text, values or None)
            except psycopg.DataError as error:
                if error.sqlstate is not None or not any(isinstance(v, str) and "\0" in v for v in values):
                    raise
                cursor = self._cursor.execute(text, [without_nul(value) for value in values])
            self._changed = max(cursor.rowcount, 0)
            return Rows(cursor.fetchall() if cursor.description else [])

    def _copy(self, translated: Translated, rows: Sequence[Sequence[Any]]) -> None:
        with raised_as_ours(self.connection), self._copying.copy(translated.text) as copy:
            copy.set_types(translated.types)
            columns = zip(translated.types, zip(*rows, strict=True), strict=True)
            has_nul = any(kind == "text" and _has_nul(column) for kind, column in columns)
            for row in rows:
                copy.write_row([without_nul(value) for value in row] if has_nul else row)
        self._changed = len(rows)


def _columns(rows: Sequence[Sequence[Any]], types: Sequence[str]) -> list[Any]:
    """Rows turned by a quarter: one array for each placeholder."""
    return [array(kind, _clean(kind, column)) for kind, column in zip(types, zip(*rows, strict=True), strict=True)]


def _clean(kind: str, column: Sequence[Any]) -> Sequence[Any]:
    return [without_nul(value) for value in column] if kind == "text" and _has_nul(column) else column


def _has_nul(texts: Sequence[Any]) -> bool:
    try:
        return "\0" in "".join(filter(None, texts))
    except TypeError:  # not all of them are texts
        return any(isinstance(text, str) and "\0" in text for text in texts)


def without_nul(value: Any) -> Any:
    """PostgreSQL's texts hold no NUL; its picture stands for it."""
    return value.replace("\0", "\u2400") if isinstance(value, str) else value


def _key(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(errors="replace"), digest_size=8).digest(), "big", signed=True)


class raised_as_ours:
    """Errors of the server in the block come out as StoreError."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        """Nothing to do before."""

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, psycopg.Error):
            raise ours(error, self._connection) from error


def ours(error: psycopg.Error, connection: psycopg.Connection[Any]) -> StoreError:
    """An error of the server as one of the hub's."""
    said, state = _first_line(error), error.sqlstate or ""
    if state in _AGAIN:
        return Again(f"the PostgreSQL store had other work first: {said}")
    if state == _WAITED:
        return StoreError("another hub process holds what this transaction needs; it is tried again later")
    if state in _NO_ROOM or state.startswith("25006"):
        return StoreFull(f"the PostgreSQL store cannot be written: {said}")
    if connection.closed or connection.broken or state.startswith(("08", "57P")) or state in ("25P03", "25P04"):
        return StoreAway(f"the connection to the PostgreSQL store was lost: {said}")
    if state[:2] in _REFUSED and state not in _UNFIT:
        return StoreRefused(f"the store refused this: {said}")
    return StoreError(f"the PostgreSQL store has failed: {said}; it is tried again")
