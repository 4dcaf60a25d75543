"""A system that is fetched from and fails is left alone as one that is sent to, unless it is both: seen and worked by
an operator, and nothing is missed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from caller import Caller, new_key
from replaying import CSV_IN
from scripted_server import Line, Request, ScriptedServer, always
from shop import Shop, order
from test_circuits import AWAY, later, opened
from test_http_fetch import POLLED, SALE_IN, Round
from test_http_fetch import ROUTE as SALES
from test_sources import PARTNER, ROUTE, Refusing, sweep
from world import SYSTEMS, World

from connectors.base import Incoming, PermanentError, TransientError
from hub import metrics, notify
from hub.api.application import create_app
from hub.api.desk import Desk
from hub.api.status import render
from hub.errors import StoreError, StoreFull
from hub.store import circuits
from hub.store.tally import Tallier
from hub.sweeper import Sweeper

OFTEN = POLLED.replace("every: 60s", "every: 1s")
V1 = "/api/v1/systems"


async def resets(request: Request, line: Line) -> None:
    line.reset()


@pytest.fixture
def polling(make_world: Callable[..., World]) -> Iterator[Callable[..., Round]]:
    made: list[Round] = []

    def start(server: ScriptedServer, routes: bytes = SALES) -> Round:
        systems = SYSTEMS + OFTEN.format(url=server.url).encode()
        made.append(Round(make_world(systems=systems, routes=routes, order_in=SALE_IN)))
        return made[-1]

    yield start
    for each in made:
        each.restart()


def look(here: Round, seconds: int = 1) -> None:
    """A round each second."""
    for _ in range(seconds):
        here.world.clock.at += 1
        here.sweep()


def seen(here: Round, name: str = "till") -> dict[str, Any]:
    caller = Caller(create_app(here.world.engine), new_key(here.world.store, "viewer"))
    return next(dict(item) for item in caller.get(V1).json["items"] if item["name"] == name)


@pytest.mark.parametrize("script", [always(500), resets], ids=["500", "reset"])
def test_a_source_that_is_away_is_left_alone_but_for_probes_and_goes_on_where_it_was(
    polling: Callable[..., Round], script: Any
) -> None:
    shop = Shop(8)
    with ScriptedServer(shop) as server:
        here = polling(server)
        here.sweep()
        server.script = script
        look(here, 5)
        assert opened(here.world) == {"till": "open"}
        before, asked = len(server.requests), []
        for _ in range(32):
            look(here)
            asked.append(len(server.requests) - before)
        assert asked[:3] == [1, 1, 2]
        assert asked[-1] == 5, "after 1, 2, 4, 8 and 16 seconds"
        shop.orders.append(order(9))
        server.script, before = shop, len(shop.asked)
        look(here, 31)
        assert opened(here.world) == {}
        assert "since=2026-03-01T10%3A03%3A00Z" in shop.asked[before], "from where it was"
        assert len(shop.asked) - before > 3, "and it is asked each second again"
    assert [body["ref"] for body in here.world.target("erp").bodies] == [str(number) for number in range(1, 10)]
    assert (here.state.failing_since, here.state.taken) == (None, 9)


def test_an_open_circuit_is_seen_wherever_circuits_are_and_told_once(polling: Callable[..., Round]) -> None:
    with ScriptedServer(always(500)) as server:
        here = polling(server)
        look(here, 5)
        world = here.world
        circuit = seen(here)["circuit"]
        assert (circuit["state"], circuit["actor"]) == ("open", "hub")
        assert circuit["reason"].startswith("5 tries in a row failed; the last: the system answered 500")
        page = render(Desk(world.engine))
        assert "circuit open" in page and "5 tries in a row failed" in page
        tally = Tallier().count(world.store.reader(), world.clock.epoch())
        assert 'o2c_circuit{system="till"} 2.0' in metrics.render(world.engine, tally).decode()
        world.clock.at += 302
        told = notify.check(world.engine, ["mail"])["mail"]
        assert [notice.kind for notice in told] == ["system_away"]


def test_what_was_told_of_a_source_before_its_circuit_opened_stays(polling: Callable[..., Round]) -> None:
    with ScriptedServer(always(500)) as server:
        here = polling(server)
        kinds = []
        for _ in range(7):
            here.world.clock.at += 100
            here.sweep()
            kinds.append({notice.kind for notice in notify.check(here.world.engine, ["mail"])["mail"]})
        here.world.clock.at += 302
        kinds.append({notice.kind for notice in notify.check(here.world.engine, ["mail"])["mail"]})
    assert kinds[3] == set() and kinds[4] == kinds[6] == {"source_failing"}
    assert kinds[7] == {"source_failing", "system_away"}


def test_an_operator_opens_and_closes_it_for_fetching_too(polling: Callable[..., Round]) -> None:
    shop = Shop(2)
    with ScriptedServer(shop) as server:
        here = polling(server)
        here.sweep()
        operator = Caller(create_app(here.world.engine), new_key(here.world.store, "operator"))
        assert operator.post(f"{V1}/till/circuit/open", {"reason": "their night"}).status == 200
        shop.orders.append(order(3))
        asked = len(shop.asked)
        look(here, 100)
        here.restart()
        look(here, 100)
        assert len(shop.asked) == asked, "not even a probe, and after a restart neither"
        assert operator.post(f"{V1}/till/circuit/probe", {}).status == 200
        look(here)
        assert len(shop.asked) == asked + 1
        assert seen(here)["circuit"] == {"state": "closed"}
        assert operator.post(f"{V1}/till/circuit/open", {"reason": "again"}).status == 200
        look(here, 3)
        assert operator.post(f"{V1}/till/circuit/close", {}).status == 200
        look(here)
        assert len(shop.asked) == asked + 2
    assert here.state.taken == 3


def test_what_is_sent_to_a_system_that_is_fetched_from_opens_and_closes_its_circuit(
    polling: Callable[..., Round],
) -> None:
    shop = Shop(2)
    retry = b"retry: {attempts: 9, first: 1s, factor: 1, jitter: none}\n"
    back = SALES.replace(b"system: erp", b"system: till") + retry
    with ScriptedServer(shop) as server:
        here = polling(server, back)
        till = here.world.target("till")
        till.answers.extend([AWAY] * 6)
        here.sweep()
        later(here.world, 2)
        later(here.world, 2)
        assert opened(here.world) == {"till": "open"}
        asked = len(shop.asked)
        here.world.calls.clear()
        look(here)
        assert len(shop.asked) > asked, "it is read all the same"
        till.answers.clear()
        later(here.world, 40)
        assert opened(here.world) == {}
        assert {state for _, state in here.world.states()} == {"delivered"}


def test_looks_that_fail_leave_the_circuit_of_what_is_sent_alone(polling: Callable[..., Round]) -> None:
    with ScriptedServer(always(500)) as server:
        here = polling(server, SALES.replace(b"system: erp", b"system: till"))
        look(here, 30)
        assert (opened(here.world), len(server.requests)) == ({}, 30)
        operator = Caller(create_app(here.world.engine), new_key(here.world.store, "operator"))
        assert operator.post(f"{V1}/till/circuit/open", {"reason": "their night"}).status == 200
        look(here, 30)
        assert len(server.requests) == 30
        assert operator.post(f"{V1}/till/circuit/probe", {}).status == 200
        look(here)
        assert (len(server.requests), opened(here.world)) == (31, {"till": "open"})


def test_a_probe_of_another_worker_is_waited_for(
    polling: Callable[..., Round], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(always(500)) as server:
        here = polling(server)
        look(here, 5)
        world, asked = here.world, len(server.requests)
        world.clock.at += 1
        now = world.clock.at
        assert world.store.write(lambda db: circuits.take_probe(db, "till", "w9", now, now + 90))
        with monkeypatch.context() as watching:
            watching.setattr(circuits, "take_probe", lambda *_: pytest.fail("it is known here without a write"))
            look(here, 88)
        assert len(server.requests) == asked
        look(here, 3)
        assert len(server.requests) == asked + 1


def test_a_probe_has_succeeded_with_the_first_thing_that_comes(
    polling: Callable[..., Round], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(always(500)) as server:
        here = polling(server)
        look(here, 5)
        server.script = Shop(8)
        during: list[dict[str, str]] = []
        accept = here.world.engine.accept
        monkeypatch.setattr(
            here.world.engine, "accept", lambda arrivals: during.append(opened(here.world)) or accept(arrivals)
        )
        look(here)
        assert during == [{}] * 8


class Failing:
    """A source that raises what it is told."""

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error
        self.asked = 0

    def fetch(self, accept: Callable[[Incoming], None]) -> int:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return 0

    def settle(self, reference: str, failed: bool) -> None:
        """Nothing is filed away."""

    def close(self) -> None:
        """Nothing is held."""


@pytest.mark.parametrize(
    ("error", "opens"),
    [
        (TransientError("it hung up"), True),
        (TransientError("connection refused", code="connect_refused"), True),
        (TransientError("it answered 502", status=502), True),
        (TransientError("too many requests", status=429), False),
        (TransientError("more waits than should", code="paused"), False),
        (PermanentError("a page for people"), False),
        (StoreFull("the disk is full"), False),
        (KeyError("words of a document"), False),
    ],
)
def test_only_that_it_could_not_be_reached_counts_against_a_system(
    make_world: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, opens: bool
) -> None:
    source = Failing(error)
    here = watched(make_world, tmp_path, monkeypatch, source)
    look(here, 30)
    assert opened(here.world) == ({"partner": "open"} if opens else {})
    assert (source.asked < 15) is opens


def test_that_the_hub_holds_on_is_not_the_systems_fault(
    make_world: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, asked = Refusing(), list[str]()
    source.lets_in = True
    here = watched(make_world, tmp_path, monkeypatch, source)
    pressure = here.world.engine.pressure
    monkeypatch.setattr(pressure, "holds_back", lambda name: asked.append(name) or len(asked) % 2 == 0)  # in a look
    look(here, 10)
    assert (opened(here.world), source.asked) == ({}, 10)
    assert here.world.rows("SELECT count(*) FROM receipts") == [(0,)]


@pytest.mark.parametrize(
    ("error", "closes"),
    [(PermanentError("no such page"), True), (StoreFull("the disk is full"), False), (None, True)],
)
def test_a_probe_closes_it_where_the_system_answers(
    make_world: Callable[..., World],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception | None,
    closes: bool,
) -> None:
    source = Failing(TransientError("it hung up"))
    here = watched(make_world, tmp_path, monkeypatch, source)
    look(here, 5)
    source.error = error
    look(here, 2)
    assert opened(here.world) == ({} if closes else {"partner": "open"})


def test_what_could_not_be_stored_of_a_circuit_is_stored_later(
    make_world: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = watched(make_world, tmp_path, monkeypatch, Failing(TransientError("it hung up")))
    open_circuit = circuits.open_circuit

    def fails(*_: Any) -> None:
        raise StoreError("the store is away")

    monkeypatch.setattr(circuits, "open_circuit", fails)
    look(here, 5)
    assert opened(here.world) == {}
    monkeypatch.setattr(circuits, "open_circuit", open_circuit)
    look(here)
    assert opened(here.world) == {"partner": "open"}


def watched(
    make_world: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Failing | Refusing
) -> Round:
    """A world whose partner, who is only fetched from, is ``source``."""
    monkeypatch.setattr("hub.polling.open_source", lambda *_: source)
    partner = PARTNER.format(root=tmp_path / "files").encode()
    return Round(make_world(systems=SYSTEMS + partner, routes=ROUTE, order_in=CSV_IN))


def test_a_system_that_is_only_fetched_from_has_a_circuit_and_no_limits(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    root = tmp_path / "files"
    (root / "in").mkdir(parents=True)
    partner = PARTNER.format(root=root).encode()
    world = make_world(systems=SYSTEMS + partner, routes=ROUTE, order_in=CSV_IN)
    operator = Caller(create_app(world.engine), new_key(world.store, "operator"))
    (root / "in/a.csv").write_bytes(b"id,qty\n1,2\n")
    Sweeper(world.engine, world.folder, None, {}).sweep()
    world.calls.popleft()()  # it is taken in, and not yet filed away
    view = operator.post(f"{V1}/partner/circuit/open", {"reason": "their night"}).json
    assert (view["circuit"]["state"], view["sends"], "limits" in view) == ("open", False, False)
    assert operator.post(f"{V1}/partner/limits", {"rate": 5, "reason": "x"}).status == 409
    (root / "in/b.csv").write_bytes(b"id,qty\n2,2\n")
    world.run()
    sweep(world)
    assert (root / "in/b.csv").exists() and not (root / "archive").exists()
    assert operator.post(f"{V1}/partner/circuit/close", {}).status == 200
    sweep(world)
    sweep(world)
    assert world.rows("SELECT name, settled FROM receipts ORDER BY name") == [("a.csv", 1), ("b.csv", 1)]


def test_a_folder_that_cannot_be_reached_opens_it(make_world: Callable[..., World], tmp_path: Path) -> None:
    partner = PARTNER.format(root=tmp_path / "files").encode()
    here = Round(make_world(systems=SYSTEMS + partner, routes=ROUTE, order_in=CSV_IN))
    look(here, 5)
    assert opened(here.world) == {"partner": "open"}
    (tmp_path / "files" / "in").mkdir(parents=True)
    look(here, 2)
    assert opened(here.world) == {}
