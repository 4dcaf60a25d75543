"""What only the embedded store promises: one process at a time, a backup beside a running hub, no scan of a table."""

from __future__ import annotations

import os
import resource
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import apsw.ext
import pytest
from store_steps import EMBEDDED, accept, arrival
from test_stores import claim, end, split

from hub.errors import StoreBusy, StoreError, StoreFull, UsageError
from hub.store import collecting, deliveries, due, open_store, receipts, sqlite
from hub.store.sqlite import SqliteStore


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "hub.db")
    yield opened
    opened.close()


def test_a_second_process_is_told_who_holds_the_embedded_store(embedded: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(StoreBusy, match=f"pid {os.getpid()}"):
        open_store(EMBEDDED, tmp_path)


def test_a_store_that_cannot_be_opened_for_want_of_room_says_so_and_is_opened_later(tmp_path: Path) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))  # what a process meets on a full disk
    try:
        with pytest.raises(StoreFull, match="cannot be written"):
            open_store(EMBEDDED, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    open_store(EMBEDDED, tmp_path).close()


def test_a_store_whose_folder_cannot_be_made_says_which(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    with pytest.raises(StoreError, match=r"cannot be opened: File exists: .*/data$"):
        open_store("sqlite:///data/hub.db", tmp_path)


def test_what_is_no_address_of_a_store_is_refused_without_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not an address of a store") as caught:
        open_store("host=db user=hub password=geheim", tmp_path)
    assert "geheim" not in str(caught.value)


def test_a_store_of_another_version_is_read_by_nobody_but_whoever_copies_it(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    SqliteStore(path).close()
    for version, words in ((3, "start this hub once with `o2c run`, which brings it"), (9999, "use the newer hub")):
        db = apsw.Connection(str(path))
        db.execute(f"PRAGMA user_version = {version}")
        db.close()
        with pytest.raises(StoreError, match=f"has schema version {version}, this hub .*; {words}"):
            open_store(EMBEDDED, tmp_path, read_only=True)
        copied = open_store(EMBEDDED, tmp_path, read_only=True, any_version=True)
        copied.backup(tmp_path / "copy.db")
        copied.close()
    path.write_bytes(b"")
    with pytest.raises(StoreError, match="has no tables yet; start the hub once with `o2c run`"):
        open_store(EMBEDDED, tmp_path, read_only=True)


def test_a_store_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    path.write_bytes(b"x" * 8192)
    with pytest.raises(
        StoreError, match=r"/hub\.db cannot be read: .*; it is damaged: put a copy that `o2c backup` made"
    ):
        open_store(EMBEDDED, tmp_path, read_only=True)
    path.unlink()
    opened = SqliteStore(path)
    path.rename(tmp_path / "elsewhere.db")
    with pytest.raises(StoreError, match=r"cannot be read: .*; whoever runs this has to be let read and write it"):
        opened.reader()
    (tmp_path / "elsewhere.db").rename(path)
    opened.close()


def test_a_backup_of_a_running_store_restores_to_the_same_rows(embedded: SqliteStore, tmp_path: Path) -> None:
    store = embedded
    stop = threading.Event()

    def write_on() -> None:
        while not stop.is_set():
            accept(store, arrival(os.urandom(5000)))

    accept(store, *[arrival(os.urandom(100_000)) for _ in range(300)])
    copied: list[int] = []
    (tmp_path / "copy").mkdir()
    writing = threading.Thread(target=write_on)
    writing.start()
    try:
        store.backup(tmp_path / "copy/hub.db", lambda done, total: copied.append(done))
    finally:
        stop.set()
        writing.join()
    assert copied == sorted(copied)  # not begun anew whenever the hub writes
    assert len(copied) > 2
    restored = open_store(EMBEDDED, tmp_path / "copy")
    rows = restored.reader().execute("SELECT receipt_id FROM receipts ORDER BY seq LIMIT 200").fetchall()
    assert rows == store.reader().execute("SELECT receipt_id FROM receipts ORDER BY seq LIMIT 200").fetchall()
    assert restored.reader().execute("PRAGMA integrity_check").get == "ok"
    [again] = accept(restored, arrival())
    assert again.seq > 200
    restored.close()


@pytest.mark.parametrize(
    ("name", "said"), [("folder", "folder is a folder; name a file in it"), ("none/hub.db", "cannot be written")]
)
def test_a_copy_that_comes_to_nothing_leaves_nothing(
    embedded: SqliteStore, tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(StoreError, match=said):
        embedded.backup(tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", ".lock"])
@pytest.mark.parametrize("way", ["itself", "around", "link", "hard link", "linked folder", "its copy in the making"])
def test_a_copy_never_takes_the_place_of_a_file_of_the_store(
    embedded: SqliteStore, tmp_path: Path, ending: str, way: str
) -> None:
    own, link = embedded.path.with_name(embedded.path.name + ending), tmp_path / "links" / "copy.db"
    link.parent.mkdir()
    (tmp_path / "links/same").symlink_to(own.parent)
    if way.endswith("link"):
        (link.hardlink_to if way == "hard link" else link.symlink_to)(own)
    elif way == "its copy in the making":
        link.with_name("copy.db.partial").symlink_to(own)
    target = {
        "itself": own, "around": tmp_path / "links/.." / own.relative_to(tmp_path), "linked folder":
        tmp_path / "links/same" / own.name,
    }.get(way, link)  # fmt: skip
    before = own.read_bytes()
    with pytest.raises(UsageError, match="which the store itself needs; name another file"):
        embedded.backup(target)
    assert own.read_bytes() == before
    embedded.write(lambda db: db.execute("DELETE FROM dedupe WHERE source = 'nobody'"))


def test_a_copy_that_is_broken_off_leaves_nothing(embedded: SqliteStore, tmp_path: Path) -> None:
    def breaks_off(done: int, total: int) -> None:
        raise KeyboardInterrupt

    before = sorted(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        embedded.backup(tmp_path / "copy.db", breaks_off)
    assert sorted(tmp_path.iterdir()) == before


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_new_store_and_its_copies_are_for_their_owner_alone(
    tmp_path: Path, usual_umask: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, everything = tmp_path / "data/hub.db", sqlite.migrations()
    monkeypatch.setattr(sqlite, "migrations", lambda: everything[:-1])
    SqliteStore(path).close()
    monkeypatch.undo()
    store = SqliteStore(path)
    accept(store, arrival())
    store.backup(path.with_name("copy.db"))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    store.close()
    before = f"hub.db.before-{everything[-1][0]:04d}"
    assert modes == dict.fromkeys(["hub.db", "hub.db-wal", "hub.db-shm", "hub.db.lock", before, "copy.db"], 0o600)


def test_a_store_whose_mode_somebody_has_chosen_keeps_it(tmp_path: Path, usual_umask: None) -> None:
    path = tmp_path / "hub.db"
    SqliteStore(path).close()
    path.chmod(0o640)
    store = SqliteStore(path)
    accept(store, arrival())
    assert [stat.S_IMODE(Path(f"{path}{ending}").stat().st_mode) for ending in ("", "-wal")] == [0o640, 0o640]
    store.close()


HOT = [
    "SELECT seq FROM receipts WHERE state = 'received' AND source = 'x' AND seq < 5",
    "SELECT seq FROM dedupe WHERE source = 'x' AND dedupe_key = 'y'",
    "SELECT 1 FROM deliveries e WHERE e.system = 'x' AND e.lane = 'y' AND e.holds_lane = 1 AND e.lane_seq < 5",
    "SELECT delivery_id FROM deliveries WHERE system = 'x' AND lane = 'y' AND holds_lane = 1 ORDER BY lane_seq LIMIT 1",
    "SELECT delivery_id FROM deliveries WHERE waits_for = 'x' AND waits_for <> '' AND due_at IS NULL",
    "SELECT content FROM payloads WHERE owner_id = 'x' AND stage = 'sent' AND revision = 1 ORDER BY chunk",
    "SELECT main_key FROM messages WHERE message_id = 'x'",
    "SELECT value FROM xrefs WHERE system = 'x' AND kind = 'y' AND id = 'z'",
    "SELECT seq FROM receipts INDEXED BY receipts_open WHERE state = 'received' ORDER BY seq LIMIT 10",
    "UPDATE receipts SET state = 'split' WHERE seq = 1 AND state = 'received'",
    "UPDATE deliveries SET attempts = 1 WHERE delivery_id = 'x' AND state = 'delivering'",
    "SELECT count(*) FROM receipts WHERE state = 'received'",
    deliveries._CLAIM.replace("?1", "'x'").replace("?2", "'w'").replace("?3", "1").replace("?4", "0"),
    collecting._READY.replace("?1", "'[]'").replace("?2", "'x'").replace("?3", "1").replace("?4", "2"),
]


@pytest.mark.parametrize("sql", HOT)
def test_no_hot_statement_scans_a_table(embedded: SqliteStore, sql: str) -> None:
    scans = [step for step in plan_of(embedded, sql) if step.startswith("SCAN")]
    assert not [step for step in scans if step.split()[1] in TABLES and "INDEX" not in step]


def test_statements_that_the_engine_really_runs_are_the_ones_that_were_explained(embedded: SqliteStore) -> None:
    """Every statement of a whole cycle, as SQLite saw it, is planned without a table scan."""
    store = embedded
    seen: set[str] = set()
    db = store._db
    db.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: seen.add(event["sql"]) if not event["trigger"] else None)
    [a, b] = accept(store, arrival(dedupe_key="1"), arrival(dedupe_key="2"))
    store.write(lambda db: receipts.claim(db, [a.seq, b.seq], "w"))
    [one] = split(store, a.seq, a.receipt_id, "k")
    claim(store, one)
    end(store, one, "delivered")
    db.trace_v2(0, None)
    statements = [sql for sql in seen if sql.lstrip().upper().startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))]
    assert len(statements) > 10
    for sql in statements:
        scans = [step for step in plan_of(store, sql) if step.startswith("SCAN")]
        assert not [step for step in scans if step.split()[1] in TABLES and "INDEX" not in step], sql


def test_no_statement_is_planned_anew_for_what_is_bound(embedded: SqliteStore) -> None:
    for db in (embedded.reader(), embedded._db):
        planned: list[object] = []  # SQLite asks whether each statement that it plans is allowed
        db.authorizer = lambda *what, told=planned: told.append(what) or apsw.SQLITE_OK
        for turn in range(3):
            began = len(planned)
            due.routes_due(db, f"erp{turn}")
            due.due(db, f"erp{turn}", "orders", float(turn), 10 + turn)
            receipts.ended(db, 10 + turn)
        assert 0 < began == len(planned)


# "w" is the table of switches, which holds what an operator has turned off: a handful of rows.
TABLES = {"receipts", "r", "messages", "m", "deliveries", "d", "e", "q", "payloads", "attempts", "keys", "dedupe"}


def plan_of(store: SqliteStore, sql: str) -> list[str]:
    info = apsw.ext.query_info(store.reader(), sql, explain_query_plan=True)
    found: list[str] = []

    def walk(step: Any) -> None:
        found.append(step.detail)
        for below in step.sub or ():
            walk(below)

    walk(info.query_plan)
    return found


def test_the_log_stays_short_while_the_store_is_written_to_without_a_pause(
    embedded: SqliteStore, tmp_path: Path
) -> None:
    log = tmp_path / "hub.db-wal"
    longest, written = 0, 0
    while written < 60_000_000:
        accept(embedded, *[arrival(os.urandom(20_000)) for _ in range(5)])
        written += 100_000
        longest = max(longest, log.stat().st_size)
    assert longest < 30_000_000
    assert embedded.reader().execute("PRAGMA integrity_check").get == "ok"


def test_the_log_is_folded_in_again_when_a_long_reader_is_gone(embedded: SqliteStore, tmp_path: Path) -> None:
    log, random = tmp_path / "hub.db-wal", os.urandom
    with embedded.snapshot() as reader:
        seen = reader.execute("SELECT count(*) FROM receipts").get
        for _ in range(100):
            accept(embedded, *[arrival(random(20_000)) for _ in range(5)])
        assert reader.execute("SELECT count(*) FROM receipts").get == seen  # it goes on seeing its moment
    held = log.stat().st_size
    assert held > 8_000_000
    for _ in range(300):
        accept(embedded, *[arrival(random(20_000)) for _ in range(5)])
    assert log.stat().st_size <= held * 2  # begun anew, where it would have 30 MB more
