"""What a worker takes, and what it says while the store keeps it from its work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs
from world import World, order

from hub.pipeline.engine import Engine
from hub.pipeline.split import LocalTransformer
from hub.store import receipts, switches
from hub.worker import LocalWorker


@pytest.fixture
def store_url() -> str:
    return "sqlite:///hub.db"


def test_what_waits_for_the_store_is_told_of_once_and_when_it_goes_on(world: World) -> None:
    world.store.write(lambda db: switches.throw(db, "system", "erp", "stopped", "", world.clock.epoch(), "anna"))
    [accepted] = world.send(order(1))
    world.store.write(lambda db: switches.release(db, "system", "erp"))
    worker = LocalWorker()
    worker._engine = world.engine

    def said(may_write: bool) -> list[tuple[str, str]]:
        """What three tries log: (event, system) each."""
        world.store._db.execute(f"PRAGMA query_only = {int(not may_write)}")  # as on a disk that has gone read-only
        with capture_logs() as lines:
            for _ in range(3):
                worker.process([accepted.seq])
                worker._run_process()
                worker._run_deliver("erp")
        return [(line["event"], line.get("system", "")) for line in lines]

    waits = [("receipts wait for the store", ""), ("deliveries wait for the store", "erp")]
    goes_on = [("receipts go on, the store answers", ""), ("deliveries go on, the store answers", "erp")]
    assert [said(False), said(True), said(True), said(False)] == [waits, goes_on, [], waits[:1]]
    assert len(world.target("erp").sent) == 1


class Process:
    """One of several that work on a store. Its threads are not started: the test runs what they do."""

    def __init__(self, world: World, name: str) -> None:
        self.worker = LocalWorker()
        self.engine = Engine(
            world.store, world.engine.program, world.clock, self.worker, lambda system: world.target(system.name), name,
            run_apart=lambda work, _: work(), keeps=False,
        )  # fmt: skip
        self.worker._engine, self.engine.look_again = self.engine, self.worker.look_again

    def told(self, seqs: Sequence[int] = ()) -> None:
        self.worker.process(seqs)
        self.worker._run_process()


def test_what_is_left_to_a_worker_is_taken_by_it_when_it_has_stored_what_it_had(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, one, other = (Process(world, name) for name in ("door", "one", "other"))
    split = LocalTransformer.split

    def arrive(*numbers: int) -> list[int]:
        return [each.seq for each in door.engine.accept([world.arrival(order(number)) for number in numbers])]

    def while_more_comes(*given: Any) -> Any:
        monkeypatch.undo()
        other.told(arrive(3, 4))
        assert world.rows("SELECT claimed_by FROM receipts ORDER BY seq") == [("one",)] * 2 + [(None,)] * 2
        return split(*given)

    monkeypatch.setattr(LocalTransformer, "split", while_more_comes)
    one.told(arrive(1, 2)[1:])
    world.settle_writes()
    one.told()
    world.settle_writes()
    assert [body["ref"] for body in world.target("erp").bodies] == ["1", "2", "3", "4"]


def test_what_was_left_to_a_worker_that_does_not_get_round_to_it_is_taken_by_who_left_it(world: World) -> None:
    door, other = Process(world, "door"), Process(world, "other")
    seqs = [each.seq for each in door.engine.accept([world.arrival(order(number)) for number in (1, 2)])]
    world.store.write(lambda db: receipts.claim(db, seqs[:1], "one"))
    other.told(seqs[1:])
    for seconds, state in ((0.1, "received"), (0.2, "split")):
        world.clock.at += seconds
        other.worker.look_at_left()
        other.told()
        world.settle_writes()
        assert world.rows("SELECT state FROM receipts ORDER BY seq") == [("received",), (state,)]


def test_work_is_stuck_since_it_began_or_since_something_was_last_stored(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, told = LocalWorker(), list[float]()
    worker._engine = world.engine
    monkeypatch.setattr("hub.worker.time", world.clock)

    def pump(system: str) -> None:
        for seconds in (100.0, 100.0):
            world.clock.at += seconds
            told.append(worker.seconds_stuck())
        world.send(order(1))
        told.append(worker.seconds_stuck())
        world.clock.at += 50
        told.append(worker.seconds_stuck())

    monkeypatch.setattr(world.engine, "pump", pump)
    worker._run_deliver("erp")
    assert [*told, worker.seconds_stuck()] == [100.0, 200.0, 0.0, 50.0, 0.0]
