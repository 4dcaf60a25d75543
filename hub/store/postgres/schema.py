"""The tables of a PostgreSQL store: numbered migrations, run by ``o2c migrate`` alone, safe beside running hubs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from hub.errors import StoreError
from hub.store.postgres.connection import connect, ours, raised_as_ours

_MIGRATIONS = Path(__file__).parent.parent / "migrations" / "postgres"
_ONE_AT_A_TIME = 7_033_471_285_240_117  # the advisory lock of whoever migrates
_VERSIONS = """CREATE TABLE IF NOT EXISTS schema_versions (
  number int4 PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"""


def migrations() -> list[tuple[int, Path]]:
    """(number, file) of every step, in order."""
    return sorted((int(path.name.split("_")[0]), path) for path in _MIGRATIONS.glob("*.sql"))


def schema_version(connection: psycopg.Connection[Any]) -> int:
    """The last step that was taken; 0 for an empty database."""
    if connection.execute("SELECT to_regclass('schema_versions')").fetchone() == (None,):
        return 0
    row = connection.execute("SELECT coalesce(max(number), 0) FROM schema_versions").fetchone()
    return int(row[0]) if row else 0


def require_schema(connection: psycopg.Connection[Any]) -> None:
    """Raises StoreError, saying what to run, unless the schema is this hub's."""
    current, newest = schema_version(connection), migrations()[-1][0]
    if current == 0:
        raise StoreError("the PostgreSQL store has no tables yet; make them with: o2c migrate")
    if current < newest:
        raise StoreError(f"the store has schema version {current}, this hub wants {newest}; run: o2c migrate")
    if current > newest:
        raise StoreError(f"the store has schema version {current}, this hub knows {newest}; use the newer hub")


def migrate(url: str, told: Callable[[int, str], None] = lambda number, name: None) -> list[int]:
    """Take every step that is missing, each in one transaction, one migrator at a time, however long another one takes;
    ``told`` of each. Hubs of the release before may go on running. Gives the numbers of the steps taken."""
    taken = []
    with connect(url) as connection, raised_as_ours(connection):
        with connection.transaction():
            connection.execute("SET LOCAL lock_timeout = 0")
            connection.execute("SELECT pg_advisory_lock($1::int8)", [_ONE_AT_A_TIME])  # of the session
        connection.execute(_VERSIONS)
        current = schema_version(connection)
        for number, file in migrations():
            if number > current:
                _step(connection, number, file)
                told(number, file.stem)
                taken.append(number)
    return taken


def _step(connection: psycopg.Connection[Any], number: int, file: Path) -> None:
    try:
        with connection.transaction():
            connection.execute(file.read_text(encoding="utf-8"))
            connection.execute("INSERT INTO schema_versions (number) VALUES ($1::int4)", [number])
    except psycopg.Error as error:
        reason = ours(error, connection)
        raise StoreError(f"migration {file.name} was not applied, and changed nothing: {reason}") from error
