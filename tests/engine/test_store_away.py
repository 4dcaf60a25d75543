"""What was sent or split while the store could not write is recorded in full as soon as it can."""

from __future__ import annotations

import time

from conftest import World, order

from connectors.base import STOPPED, Verdict
from hub.store import switches


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
