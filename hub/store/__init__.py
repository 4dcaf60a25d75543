"""The store: the only thing that changes, and the only place with SQL.

``open_store(url)`` gives it; the modules beside this one hold its statements by noun (receipts, messages, deliveries,
payloads, …), each a function of an open transaction. ``database.py`` says what they need of a database.
"""

from __future__ import annotations

from pathlib import Path

import apsw

from hub.clock import SteadyClock, SystemClock
from hub.errors import StoreError, UsageError
from hub.store.database import Store, server_time
from hub.store.sqlite import SqliteStore

# What reading may raise; writing raises StoreError alone.
READ_ERRORS = (StoreError, apsw.Error)

__all__ = ["READ_ERRORS", "Store", "clock_of", "is_shared", "open_store", "store_path"]


def open_store(url: str, root: Path, *, read_only: bool = False, any_version: bool = False) -> Store:
    """The store at ``sqlite:///path`` (relative to the project folder) or ``postgresql://…``. ``any_version`` reads an
    embedded one of whatever version, to copy it. Raises StoreBusy, StoreError, UsageError."""
    if is_shared(url):
        from hub.store.postgres.store import PostgresStore  # loads the driver, which an embedded store does without

        return PostgresStore(url, read_only=read_only)
    return SqliteStore(store_path(url, root), read_only=read_only, any_version=any_version)


def is_shared(url: str) -> bool:
    """Whether an address is that of a server, which several processes use at once."""
    return url.partition("://")[0] in ("postgresql", "postgres")


def clock_of(store: Store) -> SystemClock:
    """The clock that all who use a store go by: the server's where several may, else this machine's. Raises StoreError
    where the server cannot be asked."""
    return SteadyClock(lambda: server_time(store.reader())) if is_shared(store.url) else SystemClock()


def store_path(url: str, root: Path) -> Path:
    """The file of an embedded store's address."""
    scheme, _, path = url.partition("://")
    if scheme != "sqlite" or not path.lstrip("/"):
        # The address may be a secret, or what somebody took for one: it is not shown.
        raise UsageError(
            "store: not an address of a store this version knows; write sqlite:///data/hub.db or postgresql://…"
        )
    return Path(path) if path.startswith("//") else root / path.removeprefix("/")
