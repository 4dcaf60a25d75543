"""A zip in a watched folder: each file in it is received once and by itself, and the zip is filed away by the outcome
of all of them together, whatever crashes between."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from replaying import NO
from test_sources import sweep, watching
from world import World

from connectors.base import LATER, Verdict
from hub.message import Accepted
from hub.sweeper import Sweeper

LATER_ON = Verdict(LATER, code="http_503", status=503)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "files"


def put_zip(root: Path, count: int = 5, first: int = 1) -> None:
    with zipfile.ZipFile(root / "in/day.zip", "w") as archive:
        for number in range(first, first + count):
            archive.writestr(f"{number}.csv", f"id,qty\n{number},2\n")


def filed(root: Path) -> list[str]:
    return sorted(path.name for folder in ("archive", "error") for path in (root / folder).rglob("*.*"))


def in_hand(root: Path) -> list[str]:
    return [path.name.partition("-")[0] for path in (root / "in/.work").iterdir()]


def test_a_zip_is_filed_away_when_all_that_is_in_it_has_ended(make_world: Callable[..., World], root: Path) -> None:
    world = watching(make_world, root)
    world.target("erp").answers.append(LATER_ON)
    put_zip(root)
    sweep(world)
    assert [name for (name,) in world.rows("SELECT name FROM receipts ORDER BY seq")] == [
        f"day.zip/{number}.csv" for number in range(1, 6)
    ]
    assert sorted(state for _, state in world.states()) == ["delivered"] * 4 + ["retrying"]
    assert (in_hand(root), filed(root)) == (["accepted"], [])
    world.wait(11)
    sweep(world)
    assert (in_hand(root), filed(root)) == ([], ["day.zip"])
    assert (root / "archive").exists()
    assert world.rows("SELECT DISTINCT settled FROM receipts") == [(1,)]


def test_a_zip_of_which_one_message_is_dead_goes_to_the_error_folder(
    make_world: Callable[..., World], root: Path
) -> None:
    world = watching(make_world, root)
    world.target("erp").answers.append(NO)
    put_zip(root)
    sweep(world)
    sweep(world)
    assert filed(root) == ["day.zip", "day.zip.error.json"]


def die_at(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """The hub dies while it takes in the file of this number."""
    taken: list[Accepted] = []

    def receive(self: Sweeper, *given: Any) -> Accepted:
        if len(taken) == number - 1:
            monkeypatch.undo()
            raise KeyboardInterrupt
        taken.append(original(self, *given))
        return taken[-1]

    original = Sweeper._receive
    monkeypatch.setattr(Sweeper, "_receive", receive)


@pytest.mark.parametrize("number", [1, 4])
def test_nothing_is_lost_or_doubled_when_the_hub_dies_in_the_middle_of_a_zip(
    make_world: Callable[..., World], root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    world = watching(make_world, root)
    put_zip(root)
    die_at(monkeypatch, number)
    with pytest.raises(KeyboardInterrupt):
        sweep(world)
    world.crash("w2")
    Sweeper(world.engine, world.folder, None, {}).recover()
    sweep(world)
    sweep(world)
    assert sorted(body["ref"] for body in world.target("erp").bodies) == [str(n) for n in range(1, number)]
    assert (in_hand(root), filed(root)) == (["claimed"], []), "those that came have ended, and the zip is not done with"
    [claimed] = (root / "in/.work").iterdir()
    claimed.rename(claimed.with_name(f"claimed-1-{claimed.name.split('-', 2)[2]}"))  # longer ago than the lease
    sweep(world)
    sweep(world)
    assert sorted(body["ref"] for body in world.target("erp").bodies) == ["1", "2", "3", "4", "5"]
    assert world.rows("SELECT count(*) FROM receipts") == [(5,)]
    assert (in_hand(root), filed(root)) == ([], ["day.zip"])


def test_a_zip_of_which_all_came_before_is_filed_away_at_once(make_world: Callable[..., World], root: Path) -> None:
    world = watching(make_world, root)
    put_zip(root)
    sweep(world)
    put_zip(root)  # made anew: another time, so another file
    sweep(world)
    assert world.rows("SELECT count(*) FROM receipts") == [(5,)]
    assert filed(root) == ["day-1.zip", "day.zip"]


def test_a_zip_of_which_some_came_before_waits_for_the_others(make_world: Callable[..., World], root: Path) -> None:
    world = watching(make_world, root)
    put_zip(root)
    sweep(world)
    world.target("erp").answers.append(LATER_ON)
    put_zip(root, count=3, first=4)
    sweep(world)
    assert world.rows("SELECT count(*) FROM receipts") == [(6,)]
    assert in_hand(root) == ["accepted"]
    world.wait(11)
    sweep(world)
    assert filed(root) == ["day-1.zip", "day.zip"]
