"""The sweeper finds what nobody else would: rows of systems that are gone, work that a mistake left behind."""

from __future__ import annotations

import pytest
from conftest import SYSTEMS, World, order

from connectors.base import LATER, STOPPED, Verdict
from hub.deploy import deploy
from hub.sweeper import Chore, Sweeper


def sweeper(world: World, **chores: Chore) -> Sweeper:
    return Sweeper(world.engine, world.folder, None, chores)


def sweep(world: World, seconds: float = 0.0) -> None:
    """Let time pass, then one round and all that it causes."""
    world.clock.at += seconds
    sweeper(world).sweep()
    world.run()


@pytest.mark.parametrize(
    "answer", [Verdict(LATER, code="http_503", status=503), Verdict(STOPPED, code="http_401", status=401)]
)
def test_what_waits_for_a_system_that_is_gone_becomes_a_dead_letter(world: World, answer: Verdict) -> None:
    world.target("erp").answers.append(answer)
    world.send(order(1))
    systems = b"".join(line for line in SYSTEMS.splitlines(True) if line.startswith((b"shop:", b"crm:")))
    routes = world.files["routes/orders.yaml"].replace(b"erp", b"crm")
    world.engine.activate(
        deploy(
            world.store,
            {**world.files, "config/systems.yaml": systems, "routes/orders.yaml": routes},
            None,
            world.clock,
            "x",
        )
    )
    sweep(world, 60)
    [(state, failure)] = world.rows("SELECT state, failure FROM deliveries")
    assert state == "dead"
    assert "the active set has no target 'erp' in the route 'orders'" in str(failure)


def test_a_mistake_in_one_step_ends_neither_the_round_nor_the_thread(world: World) -> None:
    done: list[str] = []

    def fail() -> None:
        raise ZeroDivisionError

    rounds = sweeper(world, broken=(5.0, fail), other=(0.0, lambda: done.append("other")))
    for _ in range(2):
        rounds.sweep()
    assert done == ["other"]
