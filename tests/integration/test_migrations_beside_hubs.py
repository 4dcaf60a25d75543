"""``o2c migrate`` on a store that hubs write to: nobody is kept out, and a second run mends what broke off."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from servers import PostgresServer

from hub.errors import StoreError
from hub.store import open_store
from hub.store.postgres import schema

Connection = psycopg.Connection[Any]
DELIVERY = """INSERT INTO deliveries (delivery_id, message_id, lane_seq, source, route, target, system, lane, state,
    holds_lane, created_at, updated_at, received_at, set_id)
  VALUES (gen_random_uuid()::text, 'm', 1, 's', 'r', 't', 'y', '', 'queued', 0, 1, 1, 1, 1)"""
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
INVALID = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
WAITING = """SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
  AND query ILIKE %s"""


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[str]:
    url = postgres.new_database(empty=True)
    yield url
    postgres.drop(url)


def made(url: str, to: int, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = schema.migrations()[:to]
    with monkeypatch.context() as then:
        then.setattr(schema, "migrations", lambda: steps)
        schema.migrate(url)


def until(monkeypatch: pytest.MonkeyPatch, to: int) -> None:
    steps = schema.migrations()[:to]
    monkeypatch.setattr(schema, "migrations", lambda: steps)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


class Migrator(threading.Thread):
    """Migrates beside the test; ``ended`` is what came of it."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url, self.ended = url, list[Any]()
        self.start()

    def run(self) -> None:
        try:
            self.ended.append(schema.migrate(self.url))
        except StoreError as error:
            self.ended.append(str(error))

    def waits(self, beside: Connection, statement: str) -> int:
        """The process of the server whose statement waits for others."""
        while (found := beside.execute(WAITING, [f"%{statement}%"]).fetchone()) is None:
            assert self.is_alive(), self.ended
        return int(found[0])

    def result(self) -> Any:
        self.join()
        return self.ended[0]


def of_new_store(postgres: PostgresServer) -> list[tuple[Any, ...]]:
    url = postgres.new_database(empty=True)
    try:
        schema.migrate(url)
        with connected(url) as db:
            return db.execute(INDEXES).fetchall()
    finally:
        postgres.drop(url)


def test_the_steps_have_no_index_that_is_built_or_dropped_otherwise() -> None:
    for _, file in schema.migrations():
        text = file.read_text(encoding="utf-8")
        known = [*schema._INDEX.findall(text), *schema._DROP.findall(text)]
        assert len(re.findall(r"\bINDEX\b", re.sub("--.*", "", text))) == len(known), file.name


@pytest.mark.parametrize("version", [1, 5, 8, 11, 15, 18])
def test_a_store_of_an_earlier_version_gets_the_indexes_of_a_new_one(
    postgres: PostgresServer, empty: str, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(empty, version, monkeypatch)
    assert schema.migrate(empty) == [number for number, _ in schema.migrations()[version:]]
    with connected(empty) as db:
        assert db.execute(INDEXES).fetchall() == of_new_store(postgres)
        assert db.execute(INVALID).fetchall() == []
        assert db.execute("SELECT min(number) FROM schema_versions").fetchone() == (1,)


def test_whoever_writes_while_an_index_is_built_is_not_kept_out(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made(empty, 5, monkeypatch)
    until(monkeypatch, 6)
    with connected(empty) as holder, connected(empty) as hub:
        hub.execute("SET lock_timeout = '5s'")
        holder.execute("BEGIN")
        holder.execute(DELIVERY)
        migrator = Migrator(empty)
        migrator.waits(hub, "CREATE%INDEX")
        for _ in range(3):
            hub.execute(DELIVERY)
        assert migrator.is_alive()
        holder.execute("COMMIT")
        assert migrator.result() == [6]
        assert hub.execute("SELECT count(*) FROM deliveries").fetchone() == (4,)
        assert hub.execute(INVALID).fetchall() == []


@pytest.mark.parametrize("step", [3, 6, 12, 16, 18])
def test_what_was_broken_off_while_it_built_an_index_is_mended_by_a_second_run(
    postgres: PostgresServer, empty: str, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(empty, step - 1, monkeypatch)
    with connected(empty) as hub, connected(empty) as reader:
        hub.execute(DELIVERY)
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM api_keys")
        migrator = Migrator(empty)
        hub.execute("SELECT pg_terminate_backend(%s)", [migrator.waits(hub, "CREATE%INDEX")])
        assert "run o2c migrate again" in migrator.result()
        assert len(hub.execute(INVALID).fetchall()) == 1
        with pytest.raises(StoreError, match=f"the store has schema version {step - 1}, .*; run: o2c migrate"):
            open_store(empty, Path())
        hub.execute(DELIVERY)
        reader.execute("COMMIT")
        assert schema.migrate(empty) == [number for number, _ in schema.migrations()[step - 1 :]]
        assert (hub.execute(INVALID).fetchall(), hub.execute(INDEXES).fetchall()) == ([], of_new_store(postgres))
    open_store(empty, Path()).close()


def test_several_who_migrate_an_older_store_at_once_do_not_wait_for_each_other_in_a_circle(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(empty, 5, monkeypatch)
    with connected(empty) as db, connected(empty) as reader:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM api_keys")
        first = Migrator(empty)
        first.waits(db, "CREATE%INDEX")
        others = [Migrator(empty) for _ in range(3)]
        others[0].waits(db, "SELECT pg_advisory_lock")
        reader.execute("COMMIT")
    assert [one.result() for one in others] == [[], [], []]
    assert first.result() == [number for number, _ in schema.migrations()[5:]]


def test_a_change_of_a_table_that_others_hold_keeps_readers_out_for_a_moment_and_is_tried_again(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(empty, 5, monkeypatch)
    until(monkeypatch, 6)
    monkeypatch.setattr(schema, "_LOCK_TIMEOUT", "100ms")
    monkeypatch.setattr(schema, "_TRIES", 1000)
    monkeypatch.setattr(schema, "_PAUSE_SECONDS", 0.05)
    with connected(empty) as holder, connected(empty) as hub, connected(empty) as looking:
        hub.execute("SET lock_timeout = '10s'")
        holder.execute("BEGIN")
        holder.execute("SELECT count(*) FROM replays")
        migrator = Migrator(empty)
        migrator.waits(looking, "ALTER TABLE replays")
        hub.execute("SELECT count(*) FROM replays")
        assert migrator.is_alive()
        holder.execute("COMMIT")
        assert migrator.result() == [6]


def test_a_table_that_is_never_let_go_ends_the_migration_which_has_changed_nothing(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(empty, 5, monkeypatch)
    monkeypatch.setattr(schema, "_LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(schema, "_TRIES", 2)
    monkeypatch.setattr(schema, "_PAUSE_SECONDS", 0.0)
    with connected(empty) as holder:
        before = holder.execute(INDEXES).fetchall()
        holder.execute("BEGIN")
        holder.execute("SELECT count(*) FROM replays")
        with pytest.raises(StoreError, match=r"0006_replays.sql was not applied: others hold its tables in .* again"):
            schema.migrate(empty)
        holder.execute("COMMIT")
        assert holder.execute(INDEXES).fetchall() == before
        assert holder.execute("SELECT max(number), min(number) FROM schema_versions").fetchone() == (5, 1)
    assert schema.migrate(empty) == [number for number, _ in schema.migrations()[5:]]
