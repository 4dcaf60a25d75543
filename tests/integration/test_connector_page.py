"""The code of the page about connectors of one's own is what `o2c new connector` writes, and does what it says."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import connectors
from connectors import base
from connectors.base import ABSENT, DELIVERED, DOUBT, FOUND, LATER, REFUSED, STOPPED, Reachable, TransientError
from hub.own_connectors import own_connector_faults
from hub.scaffold.connector_start import connector_start
from hub.scaffold.starts import Ground

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/connectors.md").read_text(encoding="utf-8")
START, OUTBOX = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_start_that_it_shows_is_the_one_that_is_written(tmp_path: Path) -> None:
    start = connector_start(Ground(tmp_path, {}, frozenset(), None, None), "label_printer")
    assert start.files["connectors/label_printer.py"] == START
    assert list(start.files) == ["connectors/label_printer.py", "tests/test_label_printer.py"]


def test_it_names_every_verdict() -> None:
    told = re.findall(r"^\| `([A-Z]+)` \|", PAGE, re.MULTILINE)
    assert [getattr(base, name) for name in told] == [DELIVERED, REFUSED, LATER, DOUBT, STOPPED]
    assert {FOUND, ABSENT} <= {word.lower() for word in re.findall(r"`([A-Z]+)`", PAGE)}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE outbox (id INTEGER PRIMARY KEY, event TEXT, body TEXT, taken INTEGER DEFAULT 0)")
        db.executemany(
            "INSERT INTO outbox (event, body) VALUES (?, ?)", [("paid", '{"n": 1}'), ("shipped", '{"n": 2}')]
        )
    return path


@pytest.fixture
def outbox(tmp_path: Path, database: Path) -> Any:
    folder = tmp_path / "connectors"
    folder.mkdir()
    (folder / "outbox.py").write_text(OUTBOX)
    assert list(own_connector_faults(folder)) == []
    return connectors.connector("outbox", folder).source({"database": str(database)})


def test_the_outbox_gives_each_row_once(outbox: Any) -> None:
    assert isinstance(outbox, Reachable) and outbox.check() == []
    came: list[tuple[str, str, bytes]] = []
    assert outbox.fetch(lambda it: came.append((it.dedupe_id, it.event, b"".join(it.chunks)))) == 2
    assert came == [("outbox:1", "paid", b'{"n": 1}'), ("outbox:2", "shipped", b'{"n": 2}')]
    assert outbox.fetch(came.append) == 0


def test_what_could_not_be_stored_stays_there_and_what_was_stored_keeps_its_id(outbox: Any) -> None:
    seen: list[str] = []

    def accept(incoming: Any) -> None:
        seen.append(incoming.dedupe_id)
        if len(seen) == 2:
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        outbox.fetch(accept)
    outbox.fetch(lambda incoming: seen.append(incoming.dedupe_id))
    assert seen == ["outbox:1", "outbox:2", "outbox:2"]


def test_a_database_that_is_away_is_asked_again_later(outbox: Any, database: Path) -> None:
    database.unlink()
    assert outbox.check() == ["the outbox cannot be read: unable to open database file"]
    with pytest.raises(TransientError, match="the outbox cannot be read"):
        outbox.fetch(lambda incoming: None)
