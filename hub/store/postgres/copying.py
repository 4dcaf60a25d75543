"""An embedded store moved to a PostgreSQL server: every row of one moment, all of them or none, checked by sums."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from hub.errors import Conflict, StoreError
from hub.store.database import Database
from hub.store.postgres.connection import column_types, connect, raised_as_ours, without_nul
from hub.store.postgres.dialect import Types
from hub.store.postgres.schema import migrate

_CHUNK_ROWS, _CHUNK_BYTES = 2000, 4_000_000
_OWN = {"schema_versions", "numbers", "leases", "writers", "read_to"}  # what only a server's store has
Progress = Callable[[str, int, int], None]  # table, rows copied, rows there are


@dataclass(slots=True)
class Sums:
    """What a table adds up to: its rows, and for each column a number that tells of a value that is lost or cut off, or
    of another number."""

    rows: int = 0
    columns: dict[str, float] = field(default_factory=dict)

    def add(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Take rows in: lengths of texts and bytes, sums of whole numbers, the greatest of other numbers."""
        self.rows += len(rows)
        for name, column in zip(names, zip(*rows, strict=True), strict=True):
            given = [value for value in column if value is not None]
            if not given:
                continue
            before = self.columns.get(name)
            if isinstance(given[0], float):
                self.columns[name] = max(given) if before is None else max(before, *given)
            else:
                self.columns[name] = (before or 0) + sum(map(_weight, given))


def _weight(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    return len(value) if isinstance(value, bytes) else int(value)


def copy_rows(source: Database, url: str, progress: Progress = lambda table, done, total: None) -> dict[str, Sums]:
    """Copy every table of an embedded store, as ``source``, a snapshot, sees it, into an empty store on a server.

    Tables that are missing are made. Gives what each table adds up to. Raises Conflict where the target is not empty,
    StoreError where the copy differs from what was read; the target is then as it was.
    """
    migrate(url)
    with connect(url) as connection, raised_as_ours(connection):
        types = {table: columns for table, columns in column_types(connection).items() if table not in _OWN}
        with connection.transaction():
            _require_empty(connection, types)
            copied = {table: _copy(source, connection, table, columns, progress) for table, columns in types.items()}
            for table, sums in copied.items():
                _compare(table, sums, _stored(connection, table, types[table]))
            _go_on_numbering(source, connection, types)
        connection.execute("ANALYZE")
    return copied


def _require_empty(connection: psycopg.Connection[Any], types: Types) -> None:
    connection.execute(f"LOCK TABLE {', '.join(types)} IN EXCLUSIVE MODE")
    # The key that o2c migrate made known to a new store comes with the embedded one too.
    connection.execute("DELETE FROM api_keys WHERE name = 'command line' AND (SELECT count(*) FROM api_keys) = 1")
    for table in types:
        if connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is not None:
            raise Conflict(
                f"the target is not empty: its table {table} has rows; give the address of a database no hub has used"
            )


def _copy(
    source: Database, connection: psycopg.Connection[Any], table: str, columns: Mapping[str, str], progress: Progress
) -> Sums:
    names, sums = list(columns), Sums()
    total = source.execute(f"SELECT count(*) FROM {table}").get
    progress(table, 0, total)
    statement = f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(columns.values()))
        for chunk in _chunks(source, f"SELECT {', '.join(names)} FROM {table}", list(columns.values())):
            for row in chunk:
                copy.write_row(row)
            sums.add(names, chunk)
            progress(table, sums.rows, total)
    return sums


def _chunks(source: Database, statement: str, kinds: Sequence[str]) -> Iterator[list[list[Any]]]:
    chunk: list[list[Any]] = []
    size = 0
    for row in source.execute(statement):
        fitting = [_fitting(value, kind) for value, kind in zip(row, kinds, strict=True)]
        chunk.append(fitting)
        size += sum(len(value) for value in fitting if isinstance(value, bytes))
        if len(chunk) >= _CHUNK_ROWS or size >= _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _fitting(value: Any, kind: str) -> Any:
    if value is None:
        return None
    return float(value) if kind == "float8" else without_nul(value) if kind == "text" else value


def _stored(connection: psycopg.Connection[Any], table: str, columns: Mapping[str, str]) -> Sums:
    """What a table adds up to by the server's own count."""
    wanted = [_SUM.get(kind, "sum({0})").format(name) for name, kind in columns.items()]
    row = connection.execute(f"SELECT count(*), {', '.join(wanted)} FROM {table}").fetchone()
    assert row is not None
    return Sums(int(row[0]), {name: value for name, value in zip(columns, row[1:], strict=True) if value is not None})


_SUM = {"text": "sum(octet_length({0}))", "bytea": "sum(octet_length({0}))", "float8": "max({0})"}


def _compare(table: str, read: Sums, stored: Sums) -> None:
    if read.rows != stored.rows:
        raise StoreError(f"{table}: {read.rows} rows were read and {stored.rows} are stored; nothing was copied")
    for column, expected in read.columns.items():
        if stored.columns.get(column) != expected:
            seen = stored.columns.get(column)
            raise StoreError(f"{table}.{column} adds up to {seen} in the copy, expected {expected}; nothing was copied")


def _go_on_numbering(source: Database, connection: psycopg.Connection[Any], types: Types) -> None:
    """What is numbered goes on behind the last number the embedded store gave."""
    given = dict(source.execute("SELECT name, seq FROM sqlite_sequence"))
    if given.get("receipts"):
        connection.execute("SELECT setval('receipt_numbers', $1::int8)", [given["receipts"]])
    connection.execute("UPDATE numbers SET seq = $1::int8 WHERE name = 'audit'", [given.get("audit", 0)])
    for table, column in (("payloads", "payload_id"), ("sets", "set_id"), ("activations", "activation_id")):
        assert column in types[table]
        connection.execute(
            f"""SELECT setval(pg_get_serial_sequence('{table}', '{column}'), greatest(max({column}), $1::int8))
                FROM {table} HAVING max({column}) IS NOT NULL""",
            [given.get(table, 0)],
        )
