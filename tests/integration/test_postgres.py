"""The store on a real PostgreSQL server: migrations, the copy of an embedded store, a server that goes away."""

from __future__ import annotations

import os
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from servers import PostgresServer, postgres_server

sys.path.insert(0, str(Path(__file__).parent.parent / "conformance"))

from store_steps import accept, arrival
from test_stores import claim, end, split

from hub.errors import Conflict, StoreAway, StoreError
from hub.store import Store, audit, conservation, open_store, payloads
from hub.store.database import Database
from hub.store.postgres.connection import connect
from hub.store.postgres.copying import copy_rows
from hub.store.postgres.schema import _ONE_AT_A_TIME, migrate, migrations
from hub.store.sqlite import SqliteStore
from hub.store.sqlite import migrations as embedded_migrations


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[str]:
    url = postgres.new_database(empty=True)
    yield url
    postgres.drop(url)


@pytest.fixture
def store(postgres: PostgresServer) -> Iterator[Store]:
    with postgres.opened() as opened:
        yield opened


def test_both_stores_have_the_same_steps() -> None:
    assert [number for number, _ in migrations()] == [number for number, _ in embedded_migrations()]


def test_a_hub_that_finds_no_tables_says_what_to_run(empty: str) -> None:
    with pytest.raises(StoreError, match="no tables yet; make them with: o2c migrate"):
        open_store(empty, Path())


def test_a_hub_that_finds_an_older_or_newer_schema_says_what_to_run(empty: str) -> None:
    migrate(empty)
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("INSERT INTO schema_versions (number) VALUES (9999)")
        with pytest.raises(StoreError, match=r"schema version 9999, this hub knows \d+; use the newer hub"):
            open_store(empty, Path())
        connection.execute("UPDATE schema_versions SET number = number - 9999 WHERE number < 9999")
        connection.execute("DELETE FROM schema_versions WHERE number = 9999")
    with pytest.raises(StoreError, match=r"this hub wants \d+; run: o2c migrate|no tables yet"):
        open_store(empty, Path())


def test_several_who_migrate_at_once_take_each_step_once(empty: str) -> None:
    taken: list[list[int]] = []
    threads = [threading.Thread(target=lambda: taken.append(migrate(empty))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [[], [], [], [number for number, _ in migrations()]]


def test_whoever_migrates_beside_another_waits_for_as_long_as_that_takes(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.store.postgres.connection._SESSION", "SET lock_timeout = '100ms'")
    taken: list[list[int]] = []
    late = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
      AND clock_timestamp() - query_start > interval '150ms'"""
    with psycopg.connect(empty, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [_ONE_AT_A_TIME])
        thread = threading.Thread(target=lambda: taken.append(migrate(empty)))
        thread.start()
        while other.execute(late).fetchone() == (0,):
            assert thread.is_alive()
        other.execute("SELECT pg_advisory_unlock(%s)", [_ONE_AT_A_TIME])
        thread.join()
    assert taken == [[number for number, _ in migrations()]]


def test_a_migrator_that_loses_its_connection_while_it_waits_says_so(empty: str) -> None:
    failed: list[str] = []

    def try_it() -> None:
        try:
            migrate(empty)
        except StoreAway as error:
            failed.append(str(error))

    waits = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    with psycopg.connect(empty, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [_ONE_AT_A_TIME])
        thread = threading.Thread(target=try_it)
        thread.start()
        while other.execute(waits).fetchone() is None:
            assert thread.is_alive()
        thread.join()
    assert [text.partition(":")[0] for text in failed] == ["the connection to the PostgreSQL store was lost"]


def test_a_server_that_cannot_be_reached_is_told_without_the_password() -> None:
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        open_store("postgresql://hub:geheim@127.0.0.1:1/hub", Path())
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://hub:x@db/hub?geheim=1", "postgresql://hub:geheim%@db/hub", "postgresql://hub:x@geheim@127.0.0.1/hub",
        "postgresql://127.0.0.1:1/geheim@db/hub",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_told_without_its_parts(address: str) -> None:
    with pytest.raises(StoreError, match="not well formed") as caught:
        open_store(address, Path())
    assert "geheim" not in str(caught.value)


def test_a_commit_never_keeps_the_thread_waiting_that_takes_documents_in(store: Store) -> None:
    """It may last as long as another process holds the same source."""
    assert not store.committer.try_now(lambda db: None, lambda result, error: None)


def times(connection: psycopg.Connection[Any]) -> list[int]:
    """What the kernel does with the connection when its other end falls silent, and when nothing is said on it."""
    names = (socket.TCP_USER_TIMEOUT, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
    with socket.socket(fileno=os.dup(connection.fileno())) as line:
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        return [line.getsockopt(socket.IPPROTO_TCP, name) for name in names]


def test_a_connection_to_a_server_that_falls_silent_ends_in_seconds_or_as_its_address_says(
    store: Store, postgres: PostgresServer
) -> None:
    with connect(store.url) as connection:
        assert times(connection) == [10_000, 5, 2, 3]
    with connect(f"{store.url}?tcp_user_timeout=30000&keepalives_idle=60&connect_timeout=2") as connection:
        assert times(connection) == [30_000, 60, 2, 3]
    folder, database = postgres.folder, store.url.rpartition("/")[2]
    with connect(f"postgresql://o2c@/{database}?host={folder}&port={postgres.port}") as connection:
        assert connection.execute("SELECT inet_client_addr()").fetchone() == (None,)


def test_a_backup_is_refused_with_what_to_do_instead(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="pg_dump"):
        store.backup(tmp_path / "copy")


def test_an_embedded_store_is_copied_whole_and_goes_on_from_there(empty: str, tmp_path: Path) -> None:
    source = fill(tmp_path)
    with source.snapshot() as db:
        copied = copy_rows(db, empty)
        assert {name: sums.rows for name, sums in copied.items() if sums.rows} == {
            "receipts": 41, "dedupe": 1, "messages": 2, "payloads": 43, "deliveries": 2, "attempts": 1, "audit": 2,
        }  # fmt: skip
    last = source.reader().execute("SELECT max(seq) FROM receipts").get
    target = open_store(empty, tmp_path)
    assert target.reader().execute("SELECT receipt_id, name FROM receipts ORDER BY seq").fetchall() == [
        (receipt_id, name.replace("\0", "\u2400"))
        for receipt_id, name in source.reader().execute("SELECT receipt_id, name FROM receipts ORDER BY seq")
    ]
    with target.snapshot() as db:
        assert conservation.check(db) == []
        assert conservation.counted(db).receipts == {"split": 2, "received": 39}
        assert audit.verify(db) is None
    [again] = accept(target, arrival())
    assert again.seq > last
    target.write(lambda db: audit.append(db, 3.0, audit.Actor("x"), "act", "thing"))
    assert audit.verify(target.reader()) is None
    target.close()
    source.close()


def fill(folder: Path) -> SqliteStore:
    source = SqliteStore(folder / "hub.db")
    [first, second] = accept(source, arrival(b"x" * 2_500_000, dedupe_key="k"), arrival(name="a\0b"))
    accept(source, *[arrival(bytes([n]) * 300) for n in range(39)])
    [done] = split(source, first.seq, first.receipt_id, "lane")
    split(source, second.seq, second.receipt_id, "lane")
    claim(source, done)
    end(source, done, "delivered", response=b"\x00\xff")
    for number in range(2):
        source.write(lambda db, n=number: audit.append(db, float(n), audit.Actor("x"), "act", "thing"))
    return source


def test_a_store_that_is_not_empty_is_no_target(store: Store, tmp_path: Path) -> None:
    accept(store, arrival())
    source = SqliteStore(tmp_path / "hub.db")
    with source.snapshot() as db, pytest.raises(Conflict, match="not empty: its table payloads"):
        copy_rows(db, store.url)
    source.close()


def test_a_copy_that_does_not_add_up_is_undone(empty: str, tmp_path: Path) -> None:
    source = fill(tmp_path)
    migrate(empty)
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("CREATE RULE lose AS ON INSERT TO counters DO INSTEAD NOTHING")
        connection.execute(
            """CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN new.detail := 'spoilt'; RETURN new; END $$"""
        )
        connection.execute("CREATE TRIGGER spoil BEFORE INSERT ON attempts FOR EACH ROW EXECUTE FUNCTION spoil()")
        with source.snapshot() as db, pytest.raises(StoreError, match=r"attempts\.detail adds up to 6 in the copy"):
            copy_rows(db, empty)
        assert connection.execute("SELECT count(*) FROM receipts").fetchone() == (0,)
    source.close()


def test_a_server_that_was_restarted_is_connected_to_again_by_itself() -> None:
    with postgres_server() as server:
        store = open_store(server.new_database(), Path())
        [first] = accept(store, arrival(b"before"))
        server.stop("immediate")
        with pytest.raises(StoreError, match=r"cannot be reached|was lost"):
            accept(store, arrival())
        with pytest.raises(StoreError, match=r"cannot be reached|was lost"):
            store.reader().execute("SELECT 1")
        server.start()
        [second] = accept(store, arrival(b"after"))
        assert payloads.read(store.reader(), first.receipt_id, "raw") == b"before"
        assert payloads.read(store.reader(), second.receipt_id, "raw") == b"after"
        store.close()


def test_connections_that_the_server_ended_are_made_anew_without_an_error(
    postgres: PostgresServer, store: Store
) -> None:
    accept(store, arrival())
    store.reader().execute("SELECT 1")
    postgres.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{store.url.rpartition('/')[2]}'"
    )
    with store.snapshot() as db:
        assert db.execute("SELECT count(*) FROM receipts").get == 1
    accept(store, arrival())
    assert store.reader().execute("SELECT count(*) FROM receipts").get == 2


def test_a_commit_whose_answer_was_lost_is_asked_for_and_done_once(postgres: PostgresServer, store: Store) -> None:
    """The server ends the connection after it has committed and before it could say so."""
    transactions = store._transactions
    runs = []

    def job(db: object) -> str:
        runs.append(1)
        accept_in(db)
        db.execute = lose_the_answer(db)
        return "done"

    assert transactions.run(job, True) == "done"
    assert len(runs) == 1
    assert store.reader().execute("SELECT count(*) FROM switches").get == 1


def test_a_commit_that_died_with_the_server_is_not_taken_for_another_ones() -> None:
    """What a transaction was numbered is forgotten with the server, and the next one to come gets the number."""
    with postgres_server() as server:
        store = open_store(server.new_database(), Path())

        def job(db: Database) -> None:
            accept_in(db)
            server.stop("immediate")
            server.start()
            with psycopg.connect(store.url, autocommit=True) as other:
                for _ in range(2000):
                    other.execute("SELECT pg_current_xact_id()")

        with pytest.raises(StoreAway):
            store.write(job)
        assert store.reader().execute("SELECT count(*) FROM switches").get == 0
        store.write(accept_in)
        assert store.reader().execute("SELECT count(*) FROM switches").get == 1
        store.close()


def test_a_commit_that_was_not_asked_for_is_waited_for_until_the_server_has_ended_it(store: Store) -> None:
    """The connection is lost before the commit, and the server has not noticed."""
    transactions = store._transactions

    def job(db: Any) -> None:
        accept_in(db)
        connection, run = db.connection, db.execute

        def execute(statement: str, *values: object) -> object:
            db.execute = run
            threading.Timer(0.5, connection.close).start()
            raise StoreAway("the network is down")

        db.execute = execute

    keep: list[Any] = []
    drop = transactions._drop

    def lose() -> None:
        keep.append(transactions._db)
        transactions._db = None

    transactions._drop = lose
    began = time.monotonic()
    with pytest.raises(StoreAway, match="the network is down"):
        transactions.run(job, True)
    assert time.monotonic() - began > 0.4
    transactions._drop = drop
    assert store.reader().execute("SELECT count(*) FROM switches").get == 0


def accept_in(db: object) -> None:
    db.execute("INSERT INTO switches VALUES ('route', 'x', 'paused', '', 0, '')")


def lose_the_answer(db: object) -> object:
    run = db.execute

    def execute(statement: str, *values: object) -> object:
        run(statement, *values)
        db.connection.close()
        return run("SELECT 1")

    return execute


def test_a_store_that_is_closed_leaves_no_connection_open(store: Store) -> None:
    with store.snapshot() as one, store.snapshot() as other:
        count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        assert one.execute(count).get == other.execute(count).get
    opened = store.reader()._free.queue.copy()  # type: ignore[attr-defined]
    store.close()
    assert sum(db is not None for db in opened) == 2
    assert all(db.connection.closed for db in opened if db is not None)


def _first_bytes(listening: socket.socket, server: int, count: int) -> None:
    """Lead one connection to the server and break it after so many bytes of what the server says."""
    with listening.accept()[0] as near, socket.create_connection(("127.0.0.1", server)) as far:
        while count > 0 and (ready := select.select([near, far], [], [], 10)[0]):
            for side in ready:
                data = side.recv(65_536 if side is near else count)
                if not data:
                    return
                count -= len(data) if side is far else 0
                (near if side is far else far).sendall(data)


def test_a_connection_that_breaks_while_a_store_is_opened_is_a_store_that_is_away(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url, opened = postgres.new_database(), list[bool]()
    for count in (1, 100, 400, 450, 500, 600, 800, 1000, 2000, 5000, 10_000, 1_000_000):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            thread = threading.Thread(target=_first_bytes, args=(listening, postgres.port, count))
            thread.start()
            port = listening.getsockname()[1]
            try:
                open_store(url.replace(f":{postgres.port}/", f":{port}/"), tmp_path, read_only=True).close()
                opened.append(True)
            except StoreAway:
                opened.append(False)
            thread.join(20)
    assert opened == sorted(opened)
    assert (opened[0], opened[-1]) == (False, True)
