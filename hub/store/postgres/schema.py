"""The tables of a PostgreSQL store: numbered migrations, run by ``o2c migrate`` alone, safe beside running hubs.

An index of a table that is there already is built without keeping writers out: between what else its step does and what
it drops, outside any transaction. Whatever else is changed waits for its locks only briefly, since all who come later
wait behind it, and tries again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg.errors import DeadlockDetected, LockNotAvailable

from hub.errors import StoreError
from hub.store.postgres.connection import connect, ours, raised_as_ours

_MIGRATIONS = Path(__file__).parent.parent / "migrations" / "postgres"
_ONE_AT_A_TIME = 7_033_471_285_240_117  # the advisory lock of whoever migrates
_LOCK_TIMEOUT, _TRIES, _PAUSE_SECONDS = "2s", 40, 1.0
_NEW_TABLE = re.compile(r"^CREATE TABLE (\w+)", re.MULTILINE)
_INDEX = re.compile(r"^CREATE (UNIQUE )?INDEX (\w+) ON (\w+)( [^;]*);", re.MULTILINE)
_DROP = re.compile(r"^DROP INDEX (\w+);", re.MULTILINE)
# Little: an index that is built waits for whoever waits here, which would be a circle.
_WAIT_FOR_MIGRATOR = "SET LOCAL lock_timeout = '200ms'"
_TAKEN = "INSERT INTO schema_versions (number) VALUES ({0})"
# A row with a negative number: of this step only indexes are missing, and what it drops.
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
    """Take every step that is missing, one migrator at a time, however long another one takes; ``told`` of each. Hubs
    of the release before may go on running. What a step has done when it fails is not done again. Gives the numbers of
    the steps taken."""
    taken = []
    with connect(url) as connection, raised_as_ours(connection):
        while not _is_only_migrator(connection):
            pass
        connection.execute(_VERSIONS)
        current = schema_version(connection)
        for number, file in migrations():
            if number > current:
                _step(connection, number, file, is_new=not current)
                told(number, file.stem)
                taken.append(number)
    return taken


def _is_only_migrator(connection: psycopg.Connection[Any]) -> bool:
    try:
        with connection.transaction():
            connection.execute(_WAIT_FOR_MIGRATOR)
            connection.execute("SELECT pg_advisory_lock($1::int8)", [_ONE_AT_A_TIME])  # of the session
    except (LockNotAvailable, DeadlockDetected):
        return False
    return True


def _step(connection: psycopg.Connection[Any], number: int, file: Path, is_new: bool) -> None:
    """A new store has no rows, and nobody to keep out."""
    text = file.read_text(encoding="utf-8")
    new_tables = set(_NEW_TABLE.findall(text))
    indexes = [] if is_new else [found for found in _INDEX.finditer(text) if found[3] not in new_tables]
    try:
        if indexes:
            _step_with_indexes(connection, number, text, indexes)
        else:
            _briefly(connection, [text, _TAKEN.format(number)])
    except psycopg.Error as error:
        reason: object = ours(error, connection)
        if isinstance(error, LockNotAvailable):
            reason = "others hold its tables in transactions that do not end"
        raise StoreError(
            f"migration {file.name} was not applied: {reason}; what is done of it harms nothing, run o2c migrate again"
        ) from error


def _step_with_indexes(
    connection: psycopg.Connection[Any], number: int, text: str, indexes: Sequence[re.Match[str]]
) -> None:
    """One that takes the place of an index of its name is built under another, so that there is always one."""
    drops = _DROP.findall(text)
    if connection.execute("SELECT 1 FROM schema_versions WHERE number = $1::int4", [-number]).fetchone() is None:
        rest = _DROP.sub("", text)
        for found in indexes:
            rest = rest.replace(found[0], "")
        _briefly(connection, [rest, _TAKEN.format(-number)])
    names = {found[2]: f"{found[2]}_new" if found[2] in drops else found[2] for found in indexes}
    for found in indexes:
        _build(connection, names[found[2]], found)
    dropped = [f"DROP INDEX {name}" for name in drops]
    renamed = [f"ALTER INDEX {built} RENAME TO {name}" for name, built in names.items() if built != name]
    all_taken = [f"DELETE FROM schema_versions WHERE number = {-number}", _TAKEN.format(number)]
    _briefly(connection, [*dropped, *renamed, *all_taken])


def _briefly(connection: psycopg.Connection[Any], statements: Sequence[str]) -> None:
    """In one transaction, in which nobody waits behind it for longer than a moment. Raises LockNotAvailable."""
    for left in reversed(range(_TRIES)):
        try:
            with connection.transaction():
                connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
                for statement in statements:
                    connection.execute(statement)
            return
        except (LockNotAvailable, DeadlockDetected):
            if not left:
                raise
        time.sleep(_PAUSE_SECONDS)


def _build(connection: psycopg.Connection[Any], name: str, found: re.Match[str]) -> None:
    """An index, beside whoever writes; what is left of one whose building was broken off is removed first."""
    # It waits for every transaction that is open, and keeps none out.
    connection.execute("SET lock_timeout = 0; SET statement_timeout = 0")
    left = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1::text)"
    is_valid = connection.execute(left, [name]).fetchone()
    if is_valid == (False,):
        connection.execute(f"DROP INDEX CONCURRENTLY {name}")
    if is_valid != (True,):
        connection.execute(f"CREATE {found[1] or ''}INDEX CONCURRENTLY {name} ON {found[3]}{found[4]}")
