"""Commands of a project whose hub does not run, on a store that others share."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from servers import PostgresServer

from hub.cli.hub_at_rest import hub_at_rest
from hub.cli.workplace import open_workplace
from hub.store.database import server_time

SYSTEMS = "shop: {connector: webhook, verify: {method: none, unsigned: true}, ignore: ['']}\n"


def test_what_a_command_writes_has_its_time_by_the_stores_clock(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres.opened() as store:
        (tmp_path / "config").mkdir()
        (tmp_path / "config" / "hub.yaml").write_text(f"time_zone: UTC\nstore: {store.url}\n")
        (tmp_path / "config" / "systems.yaml").write_text(SYSTEMS)
        monkeypatch.setenv("O2C_URL", "http://127.0.0.1:1")
        monkeypatch.setenv("O2C_API_KEY", "any")
        right = time.time
        monkeypatch.setattr(time, "time", lambda: right() + 3600)  # this machine's clock is wrong
        before = server_time(store.reader())
        with hub_at_rest(open_workplace(tmp_path)) as hub:
            assert hub.request("POST", "/in/shop", b"{}").status == 202
        [(received_at,)] = store.reader().execute("SELECT received_at FROM receipts")
        assert before - 1 <= received_at <= server_time(store.reader()) + 1
