"""What was sent or split while the store could not write is recorded in full as soon as it can."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from replaying import CSV_IN
from world import World, order

from connectors.base import STOPPED, Verdict
from hub.errors import StoreFull
from hub.metrics import render
from hub.pipeline.split import LocalTransformer
from hub.pipeline.transformed import Transformed
from hub.store import switches
from hub.store.tally import Tallier


@pytest.fixture
def store_url() -> str:
    return "sqlite:///hub.db"


def refuse_writes(world: World, refuse: bool) -> None:
    """The database itself refuses to write, as it does on a disk that has gone read-only."""
    world.store._db.execute(f"PRAGMA query_only = {int(refuse)}")


def test_a_system_is_stopped_even_if_the_store_was_away_when_its_verdict_came(world: World) -> None:
    erp = world.target("erp")
    erp.silent = True
    world.send(order(1))
    [parcel] = erp.sent
    refuse_writes(world, True)
    world.engine.dispatcher._finished([(parcel, Verdict(STOPPED, code="http_401", status=401, detail="refused"))])
    until = time.monotonic() + 10
    while not world.engine._later:
        assert time.monotonic() < until, "the writer never came to the verdict"
    refuse_writes(world, False)
    world.engine.catch_up()
    world.run()
    assert world.states() == [("erp", "retrying")]
    assert [(s["kind"], s["name"]) for s in switches.listed(world.store.reader())] == [("system", "erp")]
    assert len(erp.sent) == 1
    told = render(world.engine, Tallier().count(world.store.reader(), world.clock.epoch())).decode()
    assert "o2c_store_failures_total 1.0" in told


def test_a_large_receipt_goes_on_where_it_was_when_the_store_went_away(make_world: Callable[..., World]) -> None:
    world = make_world(order_in=CSV_IN)
    world.engine.accept([world.arrival(b"id,qty\n" + b"".join(b"o%d,1\n" % n for n in range(1200)))])
    commit, slices = world.engine.commit, []

    def commit_one_slice(parts: Sequence[Transformed], *given: Any) -> None:
        slices.append(parts)
        refuse_writes(world, len(slices) > 1)
        commit(parts, *given)

    world.engine.commit = commit_one_slice  # type: ignore[method-assign]
    with pytest.raises(StoreFull):
        world.run()
    world.engine.commit = commit  # type: ignore[method-assign]
    assert world.rows("SELECT state, message_count FROM receipts") == [("received", 500)]
    refuse_writes(world, False)
    world.engine.catch_up()
    for _ in range(10):
        world.wait(1)
    assert world.rows("SELECT state, message_count FROM receipts") == [("split", 1200)]
    assert world.rows("SELECT state, count(*) FROM deliveries GROUP BY state") == [("delivered", 1200)]
    assert len(world.target("erp").sent) == 1200


class NoProcess(LocalTransformer):
    """No process can be started at the moment."""

    def split(self, *_: object) -> Iterator[list[Transformed]]:
        raise OSError("no process can be started")


def test_receipts_that_a_mistake_left_in_hand_are_offered_again(world: World) -> None:
    transformer = world.engine.transformer
    world.engine.transformer = NoProcess(world.store, world.clock)
    with pytest.raises(OSError, match="no process"):
        world.send(order(1))
    world.engine.transformer = transformer
    world.engine.catch_up()
    world.run()
    assert world.states() == [("erp", "delivered")]
