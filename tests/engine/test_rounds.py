"""Rounds come several times a second; what they say of a store that is away is said once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from structlog.testing import capture_logs
from world import ROUTES, World

from hub.chores import logged
from hub.deploy import deploy
from hub.errors import StoreAway
from hub.rounds import Rounds
from hub.store.audit import Actor

AWAY, BACK = "the store is away; it is asked for until it is back", "the store is back"


def said(rounds: Rounds, times: int) -> list[str]:
    """What so many rounds log."""
    with capture_logs() as lines:
        for _ in range(times):
            rounds.sweep()
    return [line["event"] for line in lines]


@pytest.fixture
def store_url() -> str:
    return "sqlite:///hub.db"


def test_a_store_that_is_away_is_told_of_once_and_when_it_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    rounds = Rounds(world.engine, None, {"chore": (0.0, lambda: done.append("chore"))})
    refresh: Callable[[], None] = world.engine.dispatcher.refresh

    def away() -> None:
        raise StoreAway("connection refused")

    monkeypatch.setattr(world.engine.dispatcher, "refresh", away)
    assert said(rounds, 4) == [AWAY]
    assert done == []  # each step would wait for the server anew
    monkeypatch.setattr(world.engine.dispatcher, "refresh", refresh)
    assert said(rounds, 2) == [BACK]
    assert done == ["chore", "chore"]
    monkeypatch.setattr(world.engine.dispatcher, "refresh", away)
    assert said(rounds, 2) == [AWAY]


class Follower(Rounds):
    """Counts how often it was told of a deploy."""

    told = 0

    def _deployed(self) -> None:
        self.told += 1


def test_what_a_process_has_deployed_itself_is_followed_by_its_rounds_too(world: World) -> None:
    rounds = Follower(world.engine, None, {})
    rounds.sweep()
    assert rounds.told == 0
    changed = {**world.files, "routes/orders.yaml": ROUTES.replace(b"attempts: 3", b"attempts: 4")}
    world.engine.activate(deploy(world.store, changed, None, world.clock, Actor("test")))
    for _ in range(3):
        rounds.sweep()
    assert rounds.told == 1


def test_work_beside_the_flow_that_meets_a_store_that_is_away_is_told_of_in_a_line() -> None:
    def away() -> None:
        raise StoreAway("connection refused")

    with capture_logs() as lines:
        logged(away)
    [line] = lines
    assert (line["log_level"], line["reason"], "exc_info" in line) == ("warning", "connection refused", False)
