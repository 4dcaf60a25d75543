"""What a worker says while the store keeps it from its work."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs
from world import World, order

from hub.store import switches
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
