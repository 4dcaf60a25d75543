"""What a watched folder gives is received once, and goes by the outcome of its messages, whatever crashes between."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from replaying import CSV_IN, NO
from world import SYSTEMS, World

from connectors.base import DELIVERED, LATER, Incoming, Source, StoppedError, TransientError, Verdict
from hub.pipeline.connections import open_source
from hub.store import switches
from hub.sweeper import Sweeper
from hub.systems import System

ROUTE = b"""
route: orders
from: {system: partner}
map: order-in
order: none
to: [{system: erp, map: order-out}]
retry: {attempts: 3, first: 10s, factor: 2, cap: 60s, jitter: none}
"""
PARTNER = """
partner:
  connector: file
  format: csv
  root: {root}
  fetch: {{folder: in, ready: rename, every: 1s, archive_by: outcome, lease: 60s}}
"""


def watching(make_world: Callable[..., World], root: Path, filed: str = "archive_by: outcome") -> World:
    (root / "in").mkdir(parents=True)
    partner = PARTNER.format(root=root).replace("archive_by: outcome", filed)
    return make_world(systems=SYSTEMS + partner.encode(), routes=ROUTE, order_in=CSV_IN)


def sweep(world: World) -> None:
    """A round of a sweeper that has just started; its clocks are the real ones, its files of today."""
    Sweeper(world.engine, world.folder, None, {}).sweep()
    world.run()
    Sweeper(world.engine, world.folder, None, {}).sweep()


def test_what_a_crash_makes_the_folder_give_again_is_filed_by_the_outcome_of_the_first_time(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    root = tmp_path / "files"
    world = watching(make_world, root)
    world.target("erp").answers.extend([Verdict(LATER, code="http_503", status=503), NO])
    (root / "in" / "orders.csv").write_bytes(b"id,qty\n1,2\n")
    sweep(world)
    [accepted] = (root / "in/.work").iterdir()
    # The hub died between the commit and the rename, longer ago than the lease.
    reference = accepted.name.split("-", 2)[2]
    accepted.rename(accepted.with_name(f"claimed-1-{reference}"))
    world.crash("w2")
    sweep(world)
    assert [path.name[:9] for path in (root / "in/.work").iterdir()] == ["accepted-"]
    assert world.rows("SELECT count(*) FROM receipts") == [(1,)]
    world.wait(60)
    sweep(world)
    assert world.states() == [("erp", "dead")]
    assert (root / "error/orders.csv").exists()
    assert not (root / "archive").exists()


def test_files_of_one_name_size_and_time_are_filed_away_by_their_own_outcomes(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    root = tmp_path / "files"
    world = watching(make_world, root)
    later = Verdict(LATER, code="http_503", status=503)
    world.target("erp").answers.extend([later, later, Verdict(DELIVERED), later, NO])
    contents = b"id,qty\n1,2\n", b"id,qty\n3,4\n"
    for content in contents:
        file = root / "in/orders.csv"
        file.write_bytes(content)
        os.utime(file, (1000, 1000))
        sweep(world)
    world.wait(60)
    sweep(world)
    assert sorted(world.states()) == [("erp", "delivered"), ("erp", "retrying")]
    assert [path.read_bytes() for path in (root / "archive").rglob("*.csv")] == [contents[0]]
    world.wait(60)
    sweep(world)
    assert (root / "error/orders.csv").read_bytes() == contents[1]


class Refusing:
    """A source that lets nobody in until it does."""

    def __init__(self) -> None:
        self.asked, self.lets_in = 0, False

    def fetch(self, accept: Callable[[Incoming], None]) -> int:
        self.asked += 1
        if not self.lets_in:
            raise StoppedError("the server does not let the user in with this key", "login_refused")
        accept(Incoming("a.csv", iter([b"id,qty\n1,2\n"]), "r1", "file:r1"))
        return 1

    def settle(self, reference: str, failed: bool) -> None:
        if not self.lets_in:
            raise TransientError("the server is away")

    def close(self) -> None:
        """Nothing is held."""


def test_a_source_that_lets_nobody_in_is_stopped_and_not_asked_until_a_person_starts_it(
    make_world: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = watching(make_world, tmp_path / "files")
    source = Refusing()
    monkeypatch.setattr("hub.polling.open_source", lambda *_: source)
    sweeper = Sweeper(world.engine, world.folder, None, {})
    for _ in range(3):
        sweeper.sweep()
        world.run()
        world.wait(2)
    assert source.asked == 1
    assert world.rows("SELECT kind, name, state, reason, actor FROM switches") == [
        ("system", "partner", "stopped", "fetching: the server does not let the user in with this key", "hub")
    ]
    source.lets_in = True
    world.store.write(lambda db: switches.release(db, "system", "partner"))
    sweeper.sweep()
    world.run()
    assert world.rows("SELECT name FROM receipts") == [("a.csv",)]


def test_a_source_that_cannot_file_away_does_not_keep_others_from_it(
    make_world: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = PARTNER.replace("partner:", "second:", 1).format(root=tmp_path / "second").encode()
    (tmp_path / "second" / "in").mkdir(parents=True)
    (tmp_path / "files" / "in").mkdir(parents=True)
    route = ROUTE.replace(b"route: orders", b"route: others").replace(b"partner", b"second")
    systems = SYSTEMS + PARTNER.format(root=tmp_path / "files").encode() + second
    both = b"- " + ROUTE.strip().replace(b"\n", b"\n  ") + b"\n- " + route.strip().replace(b"\n", b"\n  ") + b"\n"
    world = make_world(systems=systems, routes=both, order_in=CSV_IN)
    away = Refusing()
    away.lets_in = True
    monkeypatch.setattr(
        "hub.polling.open_source",
        lambda system, *rest: away if system.name == "partner" else open_source(system, *rest),
    )
    monkeypatch.setattr("hub.sweeper._BATCH", 1)
    (tmp_path / "second" / "in" / "b.csv").write_bytes(b"id,qty\n2,2\n")
    sweeper = Sweeper(world.engine, world.folder, None, {})
    sweeper.sweep()
    world.run()
    away.lets_in = False
    for _ in range(4):
        sweeper.sweep()
        world.run()
        world.wait(0.3)
    assert list((tmp_path / "second" / "archive").rglob("b.csv"))
    assert world.rows("SELECT name, settled FROM receipts ORDER BY name") == [("a.csv", 0), ("b.csv", 1)]
    away.lets_in = True
    world.wait(6)
    sweeper.sweep()
    world.run()
    assert world.rows("SELECT settled FROM receipts") == [(1,), (1,)]


def test_a_source_that_cannot_be_opened_does_not_keep_others_from_being_fetched(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    bank = b"abank: {connector: file, format: csv, root: secret://env/NO_SUCH_ROOT, fetch: {folder: in}}"
    (tmp_path / "files" / "in").mkdir(parents=True)
    world = make_world(
        systems=bank + SYSTEMS + PARTNER.format(root=tmp_path / "files").encode(), routes=ROUTE, order_in=CSV_IN
    )
    (tmp_path / "files" / "in" / "orders.csv").write_bytes(b"id,qty\n1,2\n")
    sweep(world)
    assert world.rows("SELECT name FROM receipts") == [("orders.csv",)]


def test_a_source_of_somebodys_that_fails_while_it_is_opened_does_not_either(
    make_world: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = b"abank: {connector: file, format: csv, root: nowhere, fetch: {folder: in}}"
    (tmp_path / "files" / "in").mkdir(parents=True)
    world = make_world(
        systems=own + SYSTEMS + PARTNER.format(root=tmp_path / "files").encode(), routes=ROUTE, order_in=CSV_IN
    )

    def opens(system: System, *rest: Any) -> Source:
        if system.name == "abank":
            raise KeyError("words of a document")
        return open_source(system, *rest)

    monkeypatch.setattr("hub.polling.open_source", opens)
    (tmp_path / "files" / "in" / "orders.csv").write_bytes(b"id,qty\n1,2\n")
    sweep(world)
    assert world.rows("SELECT name FROM receipts") == [("orders.csv",)]
    told = "its connector failed: KeyError, see the log"
    assert world.rows("SELECT reason FROM sources WHERE system = 'abank'") == [(told,)]


def test_things_of_one_id_and_other_content_are_two_where_the_content_tells(
    make_world: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = watching(make_world, tmp_path / "files")
    bodies = [b"id,qty\n1,2\n", b"id,qty\n9,2\n", b"id,qty\n1,2\n"]

    class Coarse(Refusing):
        def fetch(self, accept: Callable[[Incoming], None]) -> int:
            for body in bodies:
                attributes = {"sha256": hashlib.sha256(body).hexdigest()}
                accept(Incoming("a", iter([body]), "r1", "file:r1", content_tells=True, attributes=attributes))
            return 3

    source = Coarse()
    source.lets_in = True
    monkeypatch.setattr("hub.polling.open_source", lambda *_: source)
    sweep(world)
    assert world.rows("SELECT count(*) FROM receipts") == [(2,)]


@pytest.mark.parametrize("same_content", ["process", "alert"])
def test_a_file_that_was_taken_before_its_content_told_is_known_when_it_comes_again(
    make_world: Callable[..., World], tmp_path: Path, same_content: str
) -> None:
    """As where a hub took it that did not keep what is in it beside its id."""
    root = tmp_path / "files"
    world = watching(make_world, root, f"archive_by: receipt, same_content: {same_content}")
    for taken in (1, 2):
        file = root / "in/orders.csv"
        file.write_bytes(b"id,qty\n1,2\n")
        os.utime(file, (1000, 1000))
        sweep(world)
        assert len(list((root / "archive").rglob("*.csv"))) == taken
        assert world.rows("SELECT state FROM receipts") == [("split",)]
        world.store.write(lambda db: db.execute(
            "UPDATE dedupe SET dedupe_key = substr(dedupe_key, 1, 37) WHERE dedupe_key LIKE 'file:%'"
        ))  # fmt: skip


@pytest.mark.parametrize(("later", "count"), [(0, 1), (60, 2)])
def test_the_same_file_put_again_is_another_one_by_its_time(
    make_world: Callable[..., World], tmp_path: Path, later: int, count: int
) -> None:
    """With one name, size and time it may as well be what a crash left behind."""
    root = tmp_path / "files"
    world = watching(make_world, root, "same_content: process")
    for at in (1_700_000_000, 1_700_000_000 + later):
        (root / "in" / "orders.csv").write_bytes(b"id,qty\n1,2\n")
        os.utime(root / "in" / "orders.csv", (at, at))
        sweep(world)
    assert world.rows("SELECT count(*) FROM receipts") == [(count,)]
    assert list((root / "in").glob("*.csv")) == []
