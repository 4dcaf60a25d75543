"""A commit whose answer was lost, and nobody could ask for it while anybody waited: nothing stays in hand by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cutter import Cutter, cutter
from servers import PostgresServer
from test_replies import ANSWER, CREATED
from world import ROUTES, World, order

from connectors.base import LATER, Verdict
from hub.errors import StoreAway
from hub.store import receipts
from hub.store.postgres import store as server_store


@pytest.fixture
def line(postgres: PostgresServer) -> Iterator[Cutter]:
    with cutter(postgres.port) as made:
        yield made


@pytest.fixture
def world(
    line: Cutter, postgres: PostgresServer, tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    monkeypatch.setattr(server_store, "_DOUBT_SECONDS", 0.3)
    routes = ROUTES.replace(b"map: order-out}", b"map: order-out, reply: {map: erp-answer}}")
    with postgres.lent() as url:
        here = url.replace(f":{postgres.port}/", f":{line.port}/")
        made = World(tmp_path, {**files, "routes/orders.yaml": routes, "mappings/erp-answer.yaml": ANSWER}, url=here)
        monkeypatch.setattr("hub.store.database.server_time", lambda db: made.clock.at)
        yield made
        made.close()


def lose(world: World, line: Cutter, commit: int = 1, is_done: bool = True) -> None:
    """At this commit from now on the line to the server breaks for good, when it is done or before."""
    transactions: Any = world.store._transactions
    real, left = transactions._commit, [commit]

    def cut(db: Any, number: int) -> None:
        left[0] -= 1
        if not left[0]:
            run = db.execute

            def execute(statement: str, *values: Any) -> Any:
                if is_done:
                    run(statement, *values)
                line.cut_for_good(1)
                return run("SELECT 1")

            db.execute = execute
        real(db, number)

    transactions._commit = cut


def back(world: World, line: Cutter) -> None:
    """The server can be reached again, and all is done that the sweeper would do."""
    line.heal()
    world.engine.catch_up()
    world.store.write(lambda db: None)
    for _ in range(4):
        world.clock.at += 30
        world.process(receipts.waiting(world.store.reader(), world.clock.epoch(), 100))
        world.wait(0)


def in_hand(world: World) -> list[tuple[int]]:
    return world.rows("SELECT count(*) FROM deliveries WHERE claimed_by IS NOT NULL UNION ALL "
                      "SELECT count(*) FROM receipts WHERE claimed_by IS NOT NULL")  # fmt: skip


def test_what_was_taken_in_by_it_is_split_all_the_same(world: World, line: Cutter) -> None:
    lose(world, line)
    with pytest.raises(StoreAway):
        world.engine.accept([world.arrival(order(1), dedupe="first")])
    back(world, line)
    [again] = world.send(order(1), dedupe="first")
    assert again.duplicate
    assert (world.states(), in_hand(world)) == ([("erp", "delivered")], [(0,), (0,)])
    assert len(world.target("erp").sent) == 1


def test_what_was_claimed_when_it_was_made_is_sent_once(world: World, line: Cutter) -> None:
    world.engine.accept([world.arrival(order(1)), world.arrival(order(1)), world.arrival(order(2))])
    lose(world, line)
    world.run()
    assert world.target("erp").sent == []
    back(world, line)
    assert (world.states(), in_hand(world)) == ([("erp", "delivered")] * 3, [(0,), (0,)])
    assert [body["ref"] for body in world.target("erp").bodies] == ["1", "2", "1"]


@pytest.mark.parametrize("commit", [1, 2])  # it is taken from what is due, and claimed with its bytes
def test_what_was_claimed_for_a_retry_is_tried_again(world: World, line: Cutter, commit: int) -> None:
    world.target("erp").answers.append(Verdict(LATER, code="http_503", status=503))
    world.send(order(1))
    assert world.states() == [("erp", "retrying")]
    lose(world, line, commit)
    with pytest.raises(StoreAway):
        world.wait(30)
    assert len(world.target("erp").sent) == 1
    back(world, line)
    assert (world.states(), in_hand(world)) == ([("erp", "delivered")], [(0,), (0,)])
    first, second = world.target("erp").sent
    assert first.key == second.key


@pytest.mark.parametrize("is_done", [True, False])
def test_an_end_is_recorded_and_an_answer_taken_in_once(world: World, line: Cutter, is_done: bool) -> None:
    world.target("erp").answers.append(CREATED)
    world.engine.accept([world.arrival(order(1))])
    lose(world, line, 2, is_done)
    world.run()
    back(world, line)
    assert world.engine._later == []
    assert (world.states(), in_hand(world)) == ([("erp", "delivered")], [(0,), (0,)])
    assert world.rows("SELECT event, state FROM receipts ORDER BY seq") == [("order", "split"), ("reply", "split")]
    assert world.rows("SELECT count(*) FROM attempts") == [(1,)]


def test_what_was_not_done_is_done_again(world: World, line: Cutter) -> None:
    world.engine.accept([world.arrival(order(1))])
    lose(world, line, is_done=False)
    world.run()
    assert world.target("erp").sent == []
    back(world, line)
    assert (world.states(), in_hand(world)) == ([("erp", "delivered")], [(0,), (0,)])
    assert len(world.target("erp").sent) == 1
