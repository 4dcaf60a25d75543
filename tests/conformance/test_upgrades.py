"""A store that an earlier hub has filled, every table of it, is brought up to date and has lost nothing."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import psycopg
import pytest
from servers import PostgresServer
from store_steps import EMBEDDED, accept, arrival

from hub.errors import StoreError
from hub.store import conservation, open_store, sqlite
from hub.store.postgres import schema
from hub.store.postgres.connection import column_types

Columns = Mapping[str, Mapping[str, str]]  # of each table the columns and their types
Rows = dict[str, list[tuple[Any, ...]]]

OWN = {"schema_versions", "numbers"}  # what the steps fill themselves
NUMBERED = {"payloads.payload_id", "sets.set_id", "activations.activation_id", "audit.audit_id"}  # by the database
VALUES = {
    "INTEGER": int, "int4": int, "int8": int, "REAL": float, "float8": float, "TEXT": str, "text": str,
    "BLOB": lambda number: bytes([0, number, 255]), "bytea": lambda number: bytes([0, number, 255]),
}  # fmt: skip
# Where a number, or what is made of it, would not do: it would be refused, or would not add up.
FITTING: dict[str, Any] = {
    "receipts.state": "split", "receipts.message_count": 1, "receipts.failure": None, "messages.state": "routed",
    "messages.failure": None, "payloads.stage": "raw", "deliveries.state": "delivered", "deliveries.holds_lane": 0,
    "deliveries.due_at": None, "deliveries.waits_for": "", "deliveries.replay_of": "", "deliveries.batch_id": None,
    "switches.kind": "route", "switches.state": "paused", "replays.state": "done", "replay_items.kind": "receipt",
    "replay_items.state": "started", "api_keys.role": "viewer", "circuits.state": "open", "quotas.kind": "route",
    "backtests.state": "done", "control_numbers.kind": "group", "interchanges_sent.ack": "accepted",
    "interchanges_sent.answer": "accepted", "advices.told": "rejected", "statements_seen.report_type": "statement",
}  # fmt: skip


class Embedded:
    """A SQLite file, as it is beside any hub."""

    def __init__(self, folder: Path) -> None:
        self.url, self._path = EMBEDDED, folder / "hub.db"

    def make(self, to: int, monkeypatch: pytest.MonkeyPatch) -> None:
        steps = sqlite.migrations()[:to]
        with monkeypatch.context() as then:
            then.setattr(sqlite, "migrations", lambda: steps)
            sqlite.SqliteStore(self._path).close()
        self._path.chmod(0o640)

    def columns(self) -> Columns:
        tables = self._run("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        return {
            table: dict(self._run("SELECT name, type FROM pragma_table_info(?)", (table,)))  # type: ignore[arg-type]
            for (table,) in tables
        }

    def insert(self, table: str, row: Mapping[str, Any]) -> None:
        self._run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))

    def select(self, table: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        return self._run(f"SELECT {', '.join(columns)} FROM {table} ORDER BY 1, 2")

    def migrate(self, before: int) -> None:
        """It is brought up to date when it is opened, after it was copied."""
        rows = self._run("SELECT seq, receipt_id FROM receipts")
        open_store(self.url, self._path.parent).close()
        copy = self._path.with_name(f"hub.db.before-{before + 1:04d}")
        assert stat.S_IMODE(copy.stat().st_mode) == 0o640
        with closing(apsw.Connection(str(copy))) as db:
            assert db.execute("PRAGMA user_version").get == before
            assert list(db.execute("SELECT seq, receipt_id FROM receipts")) == rows

    def _run(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with closing(apsw.Connection(str(self._path))) as db:
            return list(db.execute(statement, values))


class Server:
    """A database of PostgreSQL, as it is beside any hub."""

    def __init__(self, url: str) -> None:
        self.url = url

    def make(self, to: int, monkeypatch: pytest.MonkeyPatch) -> None:
        steps = schema.migrations()[:to]
        with monkeypatch.context() as then:
            then.setattr(schema, "migrations", lambda: steps)
            schema.migrate(self.url)

    def columns(self) -> Columns:
        with psycopg.connect(self.url) as db:
            return column_types(db)

    def insert(self, table: str, row: Mapping[str, Any]) -> None:
        places = ", ".join(["%s"] * len(row))
        with psycopg.connect(self.url) as db:
            db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})".encode(), tuple(row.values()))
            if table == "receipts":
                db.execute("SELECT nextval('receipt_numbers')")

    def select(self, table: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as db:
            return db.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY 1, 2".encode()).fetchall()

    def migrate(self, before: int) -> None:
        """Nothing opens it before somebody has brought it up to date."""
        with pytest.raises(StoreError, match=f"the store has schema version {before}, .*; run: o2c migrate"):
            open_store(self.url, Path())
        assert schema.migrate(self.url) == [number for number, _ in schema.migrations() if number > before]


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Embedded | Server]:
    if request.param == "sqlite":
        yield Embedded(tmp_path)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.new_database(empty=True)
    yield Server(url)
    server.drop(url)


def row_of(table: str, columns: Mapping[str, str], number: int) -> dict[str, Any]:
    """A row whose values all come of a number."""
    return {
        name: FITTING[f"{table}.{name}"] if f"{table}.{name}" in FITTING else VALUES[kind](number)
        for name, kind in columns.items()
        if f"{table}.{name}" not in NUMBERED
    }


@pytest.mark.parametrize("version", [1, 5, 8, 11, 15, 18])
def test_a_store_of_an_earlier_version_has_all_its_rows_when_it_is_brought_up_to_date(
    old: Embedded | Server, version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old.make(version, monkeypatch)
    tables = {table: columns for table, columns in old.columns().items() if table not in OWN}
    for table, columns in tables.items():
        for number in (1, 2):
            old.insert(table, row_of(table, columns, number))
    before: Rows = {table: old.select(table, list(columns)) for table, columns in tables.items()}
    assert {len(rows) for rows in before.values()} == {2}
    # How far retention has looked is forgotten on purpose.
    old.insert("counters", {"kind": "retention", "name": "raw:shop", "label": "", "count": 1, "bytes": 0, "last_at": 1})
    old.migrate(version)
    assert {table: old.select(table, list(columns)) for table, columns in tables.items()} == before
    with closing(open_store(old.url, tmp_path)) as store:
        [accepted] = accept(store, arrival())
        assert accepted.seq == 3
        with store.snapshot() as db:
            assert conservation.check(db) == []
