"""What an operator changes of a system holds for what is fetched from it too, in whatever process it was changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from replaying import ANNA
from scripted_server import ScriptedServer
from shop import Shop
from test_http_fetch import POLLED, ROUTE, SALE_IN, Round
from world import SYSTEMS, World

from hub.message import Accepted
from hub.replay import bearing
from hub.store import limits
from hub.store.limits import Adjustment
from hub.sweeper import Sweeper

HASTY = POLLED.replace("  fetch:", "  limits: {{rate: 100/s, wait: 1s}}\n  fetch:")
SLOWLY = Adjustment(0.001, None, "their sale", 1.0, "anna")


@pytest.fixture
def here(make_world: Callable[..., World]) -> Iterator[Round]:
    with ScriptedServer(Shop(8)) as server:
        systems = SYSTEMS + HASTY.format(url=server.url).encode()
        found = Round(make_world(systems=systems, routes=ROUTE, order_in=SALE_IN))
        yield found
        found.restart()


def sold(here: Round) -> int:
    return len(here.world.target("erp").bodies)


def again(here: Round) -> None:
    here.world.clock.at += 61
    here.sweep()


@pytest.mark.parametrize("is_open", [False, True], ids=["before it was opened", "while it is open"])
def test_a_rate_that_was_changed_by_another_process_holds_for_fetching(here: Round, is_open: bool) -> None:
    if is_open:
        here.world.store.write(lambda db: limits.adjust(db, "till", Adjustment(50.0, 1, "try", 1.0, "anna")))
        here.sweeper.sweep()  # opens it; the look itself comes later
    here.world.store.write(lambda db: limits.adjust(db, "till", SLOWLY))
    here.sweeper.sweep()
    here.world.run()
    assert here.state.reason.endswith("not sent: it waited 1 s for its turn within the system's limits")
    before = sold(here)
    assert before < 8, "the first page went, the next would go in a quarter of an hour"
    here.world.store.write(lambda db: limits.reset(db, "till"))
    again(here)
    assert (sold(here), here.state.reason) == (8, "")


def test_a_circuit_that_is_opened_by_hand_ends_the_round(here: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Accepted] = []
    original = Sweeper._receive

    def receive(self: Sweeper, *given: Any) -> Accepted:
        taken.append(original(self, *given))
        if len(taken) == 4:
            bearing.open_circuit(here.world.engine, "till", ANNA, "their release night")
        return taken[-1]

    monkeypatch.setattr(Sweeper, "_receive", receive)
    here.sweep()
    assert (sold(here), here.state.reason) == (4, "its circuit was opened; it goes on when that is closed")
    again(here)
    assert sold(here) == 4
    bearing.close_circuit(here.world.engine, "till", ANNA, "")
    again(here)
    assert (sold(here), here.state.reason) == (8, "")
