"""A worker takes of what is due; whenever the store goes away under it, what it has taken is anybody's again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from replaying import adds_up
from test_circuits import fail, later, opened
from test_fairness import NARROW, TWO, stopped
from world import World, order

from hub.errors import StoreAway
from hub.store import switches
from hub.store.database import Job


@contextmanager
def away(world: World, after: int) -> Iterator[None]:
    """The store does so many transactions more, and then none."""
    committer, left = world.store.committer, [after]
    begin = committer._begin

    def begin_or_not(job: Job, durable: bool) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise StoreAway("the server was restarted")
        return begin(job, durable)

    committer._begin = begin_or_not
    try:
        yield
    finally:
        committer._begin = begin


def left_behind(world: World) -> list[tuple[str, str | None]]:
    """State and claim of what has not gone, long after the store is back."""
    world.engine.catch_up()
    for _ in range(10):
        later(world, 60)
    adds_up(world)
    return world.rows("SELECT state, claimed_by FROM deliveries WHERE state <> 'delivered' OR claimed_by IS NOT NULL")


@pytest.mark.parametrize("after", range(5))
def test_what_was_taken_of_two_routes_goes_once_the_store_is_back(make_world: Callable[..., World], after: int) -> None:
    world = make_world(routes=TWO, systems=NARROW)
    stopped(world)
    world.send(*(order(number) for number in range(10)))
    world.send(order(5000), event="rush")  # less than its part: the other route has what it leaves
    world.store.write(lambda db: switches.release(db, "system", "erp"))
    with away(world, after), suppress(StoreAway):
        world.wait(0)
    assert left_behind(world) == []


@pytest.mark.parametrize("after", range(5))
def test_what_was_taken_to_find_out_whether_a_system_is_back_goes_once_the_store_is(world: World, after: int) -> None:
    fail(world)
    world.send(*(order(10 + number) for number in range(5)))
    assert opened(world) == {"erp": "open"}
    with away(world, after), suppress(StoreAway):
        later(world, 1.5)
    assert left_behind(world) == []
