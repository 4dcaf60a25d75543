"""Commands of a project whose hub does not run, on a store of its own and on one that others share."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest
from servers import PostgresServer

from hub.cli.hub_at_rest import hub_at_rest
from hub.cli.workplace import Workplace, open_workplace
from hub.store import answers, open_store
from hub.store.database import server_time

REQUEST = ("k POST /api/v1/replays", "r1", "asked", 1.0)  # an acting request of another process
SYSTEMS = "shop: {connector: webhook, verify: {method: none, unsigned: true}, ignore: ['']}\n"


@pytest.fixture(autouse=True)
def client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("O2C_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("O2C_API_KEY", "any")


def project(folder: Path, store: str) -> Workplace:
    (folder / "config").mkdir()
    (folder / "config" / "hub.yaml").write_text(f"time_zone: UTC\nstore: {store}\n")
    (folder / "config" / "systems.yaml").write_text(SYSTEMS)
    return open_workplace(folder)


def test_what_another_process_works_on_stays_so_while_a_command_runs(tmp_path: Path, postgres: PostgresServer) -> None:
    with postgres.opened() as store:
        store.write(lambda db: answers.begin(db, *REQUEST))
        with hub_at_rest(project(tmp_path, store.url)):
            earlier = store.write(lambda db: answers.begin(db, *REQUEST))
    assert earlier is not None and earlier.is_running


def test_what_the_only_process_left_unfinished_may_be_asked_for_again(tmp_path: Path) -> None:
    place = project(tmp_path, "sqlite:///hub.db")
    with closing(open_store("sqlite:///hub.db", tmp_path)) as store:
        store.write(lambda db: answers.begin(db, *REQUEST))
    with hub_at_rest(place):
        pass
    with closing(open_store("sqlite:///hub.db", tmp_path)) as store:
        assert store.write(lambda db: answers.begin(db, *REQUEST)) is None


def test_what_a_command_writes_has_its_time_by_the_stores_clock(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres.opened() as store:
        place = project(tmp_path, store.url)
        right = time.time
        monkeypatch.setattr(time, "time", lambda: right() + 3600)  # this machine's clock is wrong
        before = server_time(store.reader())
        with hub_at_rest(place) as hub:
            assert hub.request("POST", "/in/shop", b"{}").status == 202
        [(received_at,)] = store.reader().execute("SELECT received_at FROM receipts")
        assert before - 1 <= received_at <= server_time(store.reader()) + 1
