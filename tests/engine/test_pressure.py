"""Where more waits than should, the door says so, and folders are left alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from world import ROUTES, SYSTEMS, World, order

from connectors.base import LATER, Verdict
from hub.api.doors import Doors
from hub.api.ingest import Ingest
from hub.errors import StoreAway
from hub.roles.serve import Backlog
from hub.store import receipts, waiting

AWAY = Verdict(LATER, "connect_refused", "connection refused")
SMALL = SYSTEMS.replace(b"idempotency: {mode: native}", b"idempotency: {mode: native}\n  backlog: {deliveries: 20}")
FEW = SYSTEMS.replace(b"shop: {", b"shop: {backlog: {received: 5}, ")


def post(world: World, document: Any, event: str = "order") -> tuple[int, dict[str, str], Any]:
    """A document at the door, as the server would hand it over."""
    sent: list[dict[str, Any]] = []
    body = json.dumps(document).encode()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(event: Any) -> None:
        sent.append(event)

    headers = [(b"x-event", event.encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/in/shop", "headers": headers}
    asyncio.run(Ingest(world.engine, Doors(world.folder))(scope, receive, send))
    return sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}, json.loads(sent[1]["body"])


def fill(world: World, count: int = 30) -> None:
    world.target("erp").answers.extend([AWAY] * 100)
    world.send(*(order(number) for number in range(count)))
    world.clock.at += 3
    world.engine.pressure.refresh()


def test_what_would_only_wait_for_a_dead_target_is_answered_429_until_it_is_back(
    make_world: Callable[..., World],
) -> None:
    world = make_world(systems=SMALL)
    fill(world, 15)
    assert post(world, order(100))[0] == 202
    world.run()
    fill(world)
    status, headers, problem = post(world, order(101))
    assert (status, headers["retry-after"], problem["code"], problem["retryable"]) == (
        429,
        "30",
        "target_backlog",
        True,
    )
    assert post(world, {"id": "1"}, event="ping")[0] == 202  # goes nowhere, so nothing is in its way
    world.target("erp").answers.clear()
    for _ in range(10):
        world.clock.at += 31
        world.engine.dispatcher.refresh()
        world.wait(0)
    world.engine.pressure.refresh()
    assert post(world, order(102))[0] == 202
    assert world.rows("SELECT count(*) FROM receipts WHERE state = 'dead'") == [(0,)]


def test_a_route_that_has_too_much_waiting_is_shut_alone(make_world: Callable[..., World]) -> None:
    small = ROUTES.strip() + b"\nbacklog: {deliveries: 20}"
    other = ROUTES.strip().replace(b"route: orders", b"route: returns").replace(b"event: order", b"event: return")
    world = make_world(routes=b"".join(b"- " + r.replace(b"\n", b"\n  ") + b"\n" for r in (small, other)))
    fill(world, 15)
    world.send(*(order(f"r{number}") for number in range(30)), event="return")
    world.clock.at += 3
    world.engine.pressure.refresh()
    assert post(world, order(100))[0] == 202  # the other route's do not count
    world.run()
    fill(world)
    status, headers, problem = post(world, order(101))
    assert (status, headers["retry-after"], problem["code"]) == (429, "30", "route_backlog")
    assert post(world, order("r100"), event="return")[0] == 202
    assert world.engine.pressure.holds_back("shop")
    world.target("erp").answers.clear()
    for _ in range(10):
        world.clock.at += 31
        world.engine.dispatcher.refresh()
        world.wait(0)
    world.engine.pressure.refresh()
    assert post(world, order(102))[0] == 202


def test_a_route_with_one_key_that_is_held_up_is_shut_too(make_world: Callable[..., World]) -> None:
    world = make_world(routes=ROUTES.strip() + b"\nbacklog: {deliveries: 20}\n")
    world.target("erp").answers.extend([AWAY] * 100)
    world.send(*(order("hot") for _ in range(30)))
    world.engine.pressure.refresh()
    assert post(world, order(1))[2]["code"] == "route_backlog"


def test_where_very_much_waits_a_part_of_it_tells_the_rest(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_MOST_READ", 10)
    world = make_world(routes=ROUTES.strip() + b"\nbacklog: {deliveries: 20}\n")
    world.target("erp").answers.extend([AWAY] * 100)
    world.send(*(order("hot") for _ in range(30)))
    assert waiting.by_route(world.store.reader(), {"orders": ["erp"]}, 21) == {"orders": 30}


def test_one_key_that_is_held_up_fills_it_too(make_world: Callable[..., World]) -> None:
    world = make_world(systems=SMALL)
    world.target("erp").answers.extend([AWAY] * 100)
    world.send(*(order("hot") for _ in range(30)))
    world.engine.pressure.refresh()
    assert post(world, order(1))[0] == 429


def test_a_source_that_sends_more_than_is_looked_into_is_held_back_alone(make_world: Callable[..., World]) -> None:
    world = make_world(systems=FEW)
    world.engine.accept([world.arrival(order(number)) for number in range(6)])
    world.engine.pressure.refresh()
    status, headers, problem = post(world, order(7))
    assert (status, headers["retry-after"], problem["code"]) == (429, "5", "backlog")
    assert world.engine.pressure.at_source("another") is None
    assert world.engine.pressure.holds_back("shop")
    world.run()
    world.clock.at += 3
    world.engine.pressure.refresh()
    assert post(world, order(8))[0] == 202


@pytest.mark.parametrize(("backlog", "status"), [(b"10", 202), (b"3", 429)])
def test_the_hub_as_a_whole_has_its_limit(
    make_world: Callable[..., World], files: dict[str, bytes], backlog: bytes, status: int
) -> None:
    world = make_world(hub=files["config/hub.yaml"] + b"http: {backlog: " + backlog + b"}\n")
    world.engine.accept([world.arrival(order(number)) for number in range(5)])
    assert post(world, order(7))[0] == status
    assert world.engine.is_full == (status == 429)


def test_nothing_is_counted_more_often_than_every_other_second(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[float] = []
    monkeypatch.setattr(world.engine.pressure, "_count", lambda: counted.append(world.clock.at))
    start = world.clock.at
    for _ in range(10):
        world.engine.pressure.refresh()
        world.clock.at += 0.5
    assert [at - start for at in counted] == [0.0, 2.0, 4.0]


def test_what_waits_is_counted_often_a_long_count_less_often_and_not_while_the_store_is_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.engine.accept([world.arrival(order(n)) for n in range(3)])
    world.engine.backlog, backlog = 0, Backlog(world.engine)
    assert (backlog.count(), world.engine.backlog) == (0.05, 3)

    def takes_a_second(db: object) -> int:
        world.clock.at += 1.0
        return 30_000

    monkeypatch.setattr(receipts, "open_count", takes_a_second)
    assert (backlog.count(), world.engine.backlog) == (20.0, 30_000)

    def is_away(db: object) -> int:
        raise StoreAway("away")

    monkeypatch.setattr(receipts, "open_count", is_away)
    assert (backlog.count(), world.engine.backlog) == (0.05, 30_000)


class StandingLoop(asyncio.SelectorEventLoop):
    """A loop whose time moves when the test says so."""

    at = 0.0

    def time(self) -> float:
        return self.at


def test_a_crowd_that_comes_back_shares_a_commit_and_one_after_a_pause_goes_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups: list[int] = []
    monkeypatch.setattr(world.engine, "accept_soon", lambda arrivals, answered: groups.append(len(arrivals)))
    ingest, loop = Ingest(world.engine, Doors(world.folder)), StandingLoop()

    async def come(count: int, after: float) -> None:
        loop.at += after
        await turn()
        for number in range(count):
            ingest._store(world.arrival(order(number)), lambda accepted: None)
        await turn()

    async def turn() -> None:
        for _ in range(3):
            await asyncio.sleep(0)

    async def day() -> None:
        await come(20, after=1.0)
        await come(1, after=0.05)
        await come(19, after=0.001)
        await come(0, after=0.01)
        await come(1, after=0.2)
        await come(1, after=0.05)

    loop.run_until_complete(day())
    loop.close()
    assert groups == [20, 20, 1, 1]
