"""Files in a folder where nothing may be renamed: each is received once, whoever looks, whatever crashes, and stays."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from replaying import CSV_IN
from test_sources import ROUTE
from world import SYSTEMS, World

from connectors.base import Incoming, PermanentError, Source
from hub.pipeline.connections import open_source
from hub.polling import StoredLeases
from hub.store import file_leases, sources
from hub.sweeper import Sweeper

PARTNER = """
partner:
  connector: file
  format: csv
  root: {root}
  fetch: {{folder: in, ready: rename, every: 1s, claim: lease, lease: 60s}}
"""
DAY = 86_400.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "files/in").mkdir(parents=True)
    return tmp_path / "files"


@pytest.fixture
def world(make_world: Callable[..., World], root: Path) -> World:
    return make_world(systems=SYSTEMS + PARTNER.format(root=root).encode(), routes=ROUTE, order_in=CSV_IN)


def put(root: Path, number: int, at: int = 1000) -> None:
    path = root / f"in/{number}.csv"
    path.write_text(f"id,qty\n{number},2\n")
    os.utime(path, (at, at))


def sweep(world: World, times: int = 2) -> None:
    sweeper = Sweeper(world.engine, world.folder, None, {})
    sweeper.recover()
    for _ in range(times):
        sweeper.sweep()
        world.run()
        world.clock.at += 1.5


def sent(world: World) -> list[str]:
    return sorted(body["ref"] for body in world.target("erp").bodies)


def other(world: World, worker: str = "w9") -> Source:
    """Another one that looks at the same folder."""
    system = world.engine.program.settings.systems["partner"]
    source = open_source(system, world.folder)
    world.engine.worker, before = worker, world.engine.worker
    source.lease_by(StoredLeases(world.engine, "partner"))  # type: ignore[attr-defined]
    world.engine.worker = before
    return source


def names(source: Source) -> list[str]:
    found: list[str] = []

    def accept(incoming: Incoming) -> None:
        list(incoming.chunks)
        found.append(incoming.name)

    source.fetch(accept)
    return found


def test_files_are_taken_once_and_stay_as_they_are(world: World, root: Path) -> None:
    for number in (1, 2):
        put(root, number)
    for _ in range(3):
        sweep(world)
    assert sent(world) == ["1", "2"]
    assert sorted(path.name for path in root.rglob("*")) == ["1.csv", "2.csv", "in"]
    put(root, 3)
    put(root, 1, at=2000)  # written again, with what it said before
    (root / "in/2.csv").write_text("id,qty\n22,2\n")
    sweep(world)
    assert sent(world) == ["1", "2", "22", "3"]


def test_what_is_done_with_is_known_after_a_crash_and_for_as_long_as_it_lies_there(world: World, root: Path) -> None:
    put(root, 1)
    put(root, 2)
    sweep(world)
    world.crash("w2")
    for _ in range(4):
        world.clock.at += 20 * DAY
        sweep(world)
        world.store.write(file_leases.forget)
        world.store.write(lambda db: db.execute("DELETE FROM dedupe"))  # what senders' ids are remembered for is over
    assert sent(world) == ["1", "2"]
    (root / "in/2.csv").unlink()
    world.clock.at += 20 * DAY
    sweep(world)
    world.store.write(file_leases.forget)
    assert len(world.rows("SELECT name FROM file_leases")) == 2
    world.clock.at += 20 * DAY
    sweep(world)
    world.store.write(file_leases.forget)
    assert world.rows("SELECT name FROM file_leases") == [("1.csv",)]


def test_nothing_is_forgotten_of_a_source_that_is_not_read(world: World, root: Path) -> None:
    put(root, 1)
    sweep(world)
    world.clock.at += 300 * DAY
    world.store.write(lambda db: sources.note(db, "partner", 0, "the server is away", world.clock.epoch()))
    world.store.write(file_leases.forget)
    sweep(world)
    assert sent(world) == ["1"]


def test_of_two_that_look_at_one_folder_one_gets_each_file(world: World, root: Path) -> None:
    for number in (1, 2):
        put(root, number)
    one, two, seen = other(world, "w8"), other(world, "w9"), list[list[str]]()

    def accept(incoming: Incoming) -> None:
        list(incoming.chunks)
        seen.append(names(two))

    assert one.fetch(accept) == 1
    assert seen == [["2.csv"]]
    assert names(two) == names(one) == []


@pytest.mark.parametrize("passes", [61, -120])
def test_a_file_that_a_crash_left_in_hand_is_taken_when_its_lease_is_over(
    world: World, root: Path, passes: float
) -> None:
    """Or when the clock was put back by more than two of them."""
    put(root, 1)

    def die(incoming: Incoming) -> None:
        list(incoming.chunks)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        other(world).fetch(die)
    sweep(world)
    assert sent(world) == []
    world.clock.at += passes
    sweep(world)
    assert sent(world) == ["1"]


def test_a_crash_after_the_commit_makes_no_second_message(
    world: World, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*given: Any, **named: Any) -> None:
        raise KeyboardInterrupt

    put(root, 1)
    with monkeypatch.context() as patched:
        patched.setattr("hub.store.file_leases.end", die)
        with pytest.raises(KeyboardInterrupt):
            sweep(world)
    world.crash("w2")
    world.clock.at += 61
    sweep(world)
    assert sent(world) == ["1"]
    assert world.rows("SELECT count(*) FROM receipts") == [(1,)]
    assert world.rows("SELECT until FROM file_leases") == [(None,)]


def test_a_file_that_could_not_be_stored_is_anybodys_at_once(world: World, root: Path) -> None:
    put(root, 1)

    def refuse(incoming: Incoming) -> None:
        raise OSError(28, "the store is full")

    with pytest.raises(OSError, match="the store is full"):
        other(world).fetch(refuse)
    assert names(other(world, "w3")) == ["1.csv"]


def test_one_whose_lease_was_over_leaves_the_file_to_the_other(world: World) -> None:
    leases = StoredLeases(world.engine, "partner")
    assert leases.take("r", "1.csv", 60.0)
    assert not leases.take("r", "1.csv", 60.0)
    assert leases.renew("r", 60.0)
    world.clock.at += 61
    world.engine.worker = "w2"
    assert not leases.renew("r", 60.0)
    assert leases.take("r", "1.csv", 60.0)
    world.engine.worker = "w1"
    assert not leases.renew("r", 60.0)
    leases.let_go("r")
    assert world.rows("SELECT holder FROM file_leases") == [("w2",)]
    assert not leases.ended(["r"])
    leases.end("r", "")
    world.clock.at += 61
    assert not leases.take("r", "1.csv", 60.0)
    assert leases.ended(["r", "other"]) == {"r": ""}


def test_a_file_that_cannot_be_taken_is_told_of_until_it_is_gone(world: World, root: Path) -> None:
    (root / "in/bad.csv.gz").write_bytes(gzip.compress(b"id,qty\n1,2\n")[:-3])
    put(root, 2)
    told = "'bad.csv.gz' in 'in' cannot be taken: the gzip file is cut off; have it sent again; have it taken away"
    for _ in range(2):
        sweep(world)
        assert world.rows("SELECT reason FROM sources") == [(told,)]
    assert sent(world) == ["2"]
    (root / "in/bad.csv.gz").unlink()
    sweep(world)
    assert world.rows("SELECT reason FROM sources") == [("",)]


def test_a_folder_that_is_only_read_need_not_be_written_to(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: not mode & os.W_OK)
    assert other(world).check() == []  # type: ignore[attr-defined]


def test_there_are_no_leases_without_a_store(world: World, root: Path) -> None:
    with pytest.raises(PermanentError, match="there is no store"):
        open_source(world.engine.program.settings.systems["partner"], world.folder).fetch(lambda incoming: None)
