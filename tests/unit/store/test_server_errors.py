"""What an error of a PostgreSQL server is to the hub."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from psycopg import errors

from hub.errors import StoreAway, StoreError, StoreFull, StoreRefused
from hub.store.postgres.connection import Again, ours

OPEN: Any = SimpleNamespace(closed=False, broken=False)
CLOSED: Any = SimpleNamespace(closed=True, broken=True)


@pytest.mark.parametrize(
    ("error", "connection", "expected", "words"),
    [
        (errors.DiskFull("could not extend file"), OPEN, StoreFull, "cannot be written: could not extend file"),
        (errors.ReadOnlySqlTransaction("read-only"), OPEN, StoreFull, "cannot be written"),
        (errors.DeadlockDetected("deadlock"), OPEN, Again, "had other work first"),
        (errors.SerializationFailure("again"), OPEN, Again, "had other work first"),
        (errors.LockNotAvailable("lock"), OPEN, StoreError, "another hub process holds"),
        (errors.AdminShutdown("shutting down"), OPEN, StoreAway, "connection to the PostgreSQL store was lost"),
        (psycopg.OperationalError("server closed"), CLOSED, StoreAway, "was lost: server closed"),
        (errors.CheckViolation("a final state is never overwritten"), OPEN, StoreRefused, "a final state"),
        (errors.UniqueViolation("duplicate key"), OPEN, StoreRefused, "duplicate key"),
        (errors.ProgramLimitExceeded("index row"), OPEN, StoreRefused, "index row"),
        (psycopg.DataError("integer too large"), OPEN, StoreRefused, "too large"),
        (errors.UndefinedTable("no such table"), OPEN, StoreError, "has failed: no such table; it is tried again"),
        (errors.InsufficientPrivilege("denied"), OPEN, StoreError, "has failed: denied"),
        (errors.QueryCanceled("canceling"), OPEN, StoreError, "has failed: canceling"),
        (errors.IoError("could not read"), OPEN, StoreError, "has failed: could not read"),
    ],
)
def test_an_error_of_the_server_is_one_of_the_hubs(
    error: psycopg.Error, connection: Any, expected: type[StoreError], words: str
) -> None:
    found = ours(error, connection)
    assert type(found) is expected
    assert words in str(found)
