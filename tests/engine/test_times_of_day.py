"""A source with times of day is read at them, once however many have passed, and is not forgotten by a restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from replaying import CSV_IN
from test_sources import PARTNER, ROUTE
from world import START, SYSTEMS, World

from connectors.base import Incoming, TransientError
from hub.store import scheduled
from hub.sweeper import Sweeper

NEXT = 2800.0  # START is 14:13:20 in UTC, and this until 15:00


@pytest.fixture
def world(make_world: Callable[..., World], tmp_path: Path) -> World:
    root = tmp_path / "files"
    (root / "in").mkdir(parents=True)
    partner = PARTNER.replace("every: 1s", "at: ['06:00', '17:00'], zone: Europe/Paris")
    return make_world(systems=SYSTEMS + partner.format(root=root).encode(), routes=ROUTE, order_in=CSV_IN)


def put(world: World, name: str) -> Path:
    path = world.folder / "files" / "in" / name
    path.write_text(f"id,qty\n{name[0]},2\n", encoding="utf-8")
    return path


def sweep(world: World, sweeper: Sweeper, seconds: float = 0.0) -> int:
    """Let time pass, then a round; gives how many files were taken in so far."""
    world.clock.at += seconds
    sweeper.sweep()
    world.run()
    return int(world.rows("SELECT count(*) FROM receipts")[0][0])


def test_it_is_read_at_its_times_and_once_for_all_that_were_missed(world: World) -> None:
    put(world, "1.csv")
    sweeper = Sweeper(world.engine, world.folder, None, {})
    assert [sweep(world, sweeper), sweep(world, sweeper, NEXT - 1), sweep(world, sweeper, 1)] == [0, 0, 1]
    assert scheduled.done_at(world.store.reader(), "partner") == START + NEXT
    put(world, "2.csv")
    assert [sweep(world, sweeper, 1), sweep(world, sweeper, 3600)] == [1, 1]
    world.crash("w2")
    sweeper = Sweeper(world.engine, world.folder, None, {})
    assert sweep(world, sweeper) == 1
    world.crash("w3")
    sweeper = Sweeper(world.engine, world.folder, None, {})
    assert sweep(world, sweeper, 5 * 86400) == 2
    put(world, "3.csv")
    assert sweep(world, sweeper, 120) == 2


def test_where_it_fails_it_is_tried_again_every_minute(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    put(world, "1.csv")
    sweeper = Sweeper(world.engine, world.folder, None, {})
    assert sweep(world, sweeper) == 0
    source, _ = sweeper._source("partner")
    fetch, tries = source.fetch, []  # type: ignore[union-attr]

    def fails_once(accept: Callable[..., None]) -> int:
        tries.append(world.clock.at)
        if len(tries) == 1:
            raise TransientError("nobody listens")
        return fetch(accept)

    monkeypatch.setattr(source, "fetch", fails_once)
    assert [sweep(world, sweeper, NEXT), sweep(world, sweeper, 59), sweep(world, sweeper, 1)] == [0, 0, 1]
    assert [at - START for at in tries] == [NEXT, NEXT + 60]
    assert sweep(world, sweeper, 600) == 1
    assert len(tries) == 2


def test_a_round_that_a_stop_broke_off_is_gone_on_with(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    put(world, "1.csv"), put(world, "2.csv")
    sweeper = Sweeper(world.engine, world.folder, None, {})
    assert sweep(world, sweeper) == 0
    source, _ = sweeper._source("partner")
    fetch = source.fetch  # type: ignore[union-attr]

    def stopped_after_one(accept: Callable[..., None]) -> int:
        def stops(incoming: Incoming) -> None:
            accept(incoming)
            source.close()  # type: ignore[union-attr]

        return fetch(stops)

    monkeypatch.setattr(source, "fetch", stopped_after_one)
    assert sweep(world, sweeper, NEXT) == 1
    sweeper = Sweeper(world.engine, world.folder, None, {})
    assert [sweep(world, sweeper, seconds) for seconds in (1, 60)] == [2, 2]
    assert scheduled.done_at(world.store.reader(), "partner") == START + NEXT + 1


def test_a_time_noted_by_a_clock_that_was_wrong_is_not_waited_for(world: World) -> None:
    put(world, "1.csv")
    world.store.write(lambda db: scheduled.done(db, "partner", START + 400 * 86400))
    sweeper = Sweeper(world.engine, world.folder, None, {})
    assert [sweep(world, sweeper), sweep(world, sweeper, NEXT)] == [0, 1]


def test_what_is_read_on_some_days_is_read_as_often_as_it_says(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    root = tmp_path / "files"
    (root / "in").mkdir(parents=True)
    partner = PARTNER.replace("every: 1s", "every: 10s, days: weekdays").format(root=root)
    world = make_world(systems=SYSTEMS + partner.encode(), routes=ROUTE, order_in=CSV_IN)
    sweeper, taken = Sweeper(world.engine, world.folder, None, {}), []
    sweep(world, sweeper)
    for number in range(1, 4):
        put(world, f"{number}.csv")
        taken.append(sweep(world, sweeper, 10))
    assert taken == [1, 2, 3]


@pytest.mark.parametrize("every", ["at: '17:00', zone: Europe/Paris", "every: 24h, days: weekdays", "every: 24h"])
def test_what_has_to_be_looked_at_again_does_not_wait_for_the_next_time(
    make_world: Callable[..., World], tmp_path: Path, every: str
) -> None:
    root = tmp_path / "files"
    (root / "in").mkdir(parents=True)
    partner = PARTNER.replace("every: 1s", every).replace("rename", "stability, steady_for: 0s, max_files: 1")
    world = make_world(systems=SYSTEMS + partner.format(root=root).encode(), routes=ROUTE, order_in=CSV_IN)
    sweeper = Sweeper(world.engine, world.folder, None, {})
    sweep(world, sweeper)
    put(world, "1.csv"), put(world, "2.csv")
    assert [sweep(world, sweeper, seconds) for seconds in (86400, 60, 60)] == [0, 1, 2]
    put(world, "3.csv")
    assert [sweep(world, sweeper, seconds) for seconds in (60, 60, 60)] == [2, 2, 2]
