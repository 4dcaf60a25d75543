"""What is polled over HTTP is received once, whatever crashes between, and an operator sees when and why not."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from caller import Caller, Folder, new_key
from scripted_server import Line, Request, ScriptedServer, always
from shop import Shop, answer
from test_retention import DAY, prune
from world import START, SYSTEMS, World

from connectors import _sender
from hub import metrics, notify
from hub.api.application import create_app
from hub.cli.doctor_sources import finding_of
from hub.errors import StoreError
from hub.store import sources, switches
from hub.store.database import Database
from hub.store.tally import Tallier
from hub.sweeper import Sweeper

POLLED = """
till:
  connector: http
  base_url: {url}
  event: sale
  timeouts: {{connect: 1s, read: 1s}}
  fetch:
    request: "GET /cursor?since={{watermark}}"
    every: 60s
    items: body.orders
    id: item.id
    watermark: {{value: item.updated_at, start: "2026-01-01T00:00:00Z"}}
    paging: {{type: cursor, next: body.next, parameter: after}}
"""
ROUTE = b"""
route: sales
from: {system: till, event: sale}
map: order-in
order: none
to: [{system: erp, map: order-out}]
"""
SALE_IN = b"""
mapping: order-in
version: 1
source: {format: json}
target: {schema: canonical/stock_level}
output:
  report_id: text(src.id)
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item: {name: {const: sold}}
      available_quantity: {value: src.total, unit_code: {const: C62}}
      location_id: {const: main}
"""
Start = Callable[[ScriptedServer], World]


class Round:
    """Sweepers of a world: a new one is what a process has when it starts."""

    def __init__(self, world: World) -> None:
        self.world, self.sweeper = world, Sweeper(world.engine, world.folder, None, {})

    def sweep(self) -> None:
        self.sweeper.sweep()
        self.world.run()

    def restart(self) -> None:
        self.sweeper.stop()
        self.world.run()
        self.sweeper = Sweeper(self.world.engine, self.world.folder, None, {})

    @property
    def state(self) -> sources.SourceState:
        return sources.states(self.world.store.reader())["till"]


@pytest.fixture
def polling(make_world: Callable[..., World]) -> Iterator[Callable[[ScriptedServer], Round]]:
    made: list[Round] = []

    def start(server: ScriptedServer, more: str = "", polled: str = POLLED) -> Round:
        systems = SYSTEMS + polled.format(url=server.url).encode() + more.encode()
        made.append(Round(make_world(systems=systems, routes=ROUTE, order_in=SALE_IN)))
        return made[-1]

    yield start
    for each in made:
        each.restart()
    assert _sender._current is None


def test_what_is_polled_becomes_messages_and_is_asked_for_from_where_it_was_read(
    polling: Callable[[ScriptedServer], Round],
) -> None:
    shop = Shop(8)
    with ScriptedServer(shop) as server:
        here = polling(server)
        here.sweep()
        assert [body["ref"] for body in here.world.target("erp").bodies] == ["1", "2", "3", "4", "5", "6", "7", "8"]
        here.sweep()
        assert len(server.requests) == 3, "not before a minute is over"
        here.world.clock.at += 61
        here.restart()
        here.sweep()
    assert "since=2026-03-01T10%3A03%3A00Z" in shop.asked[3], "the last one's time, less five minutes"
    assert here.world.rows("SELECT count(*) FROM receipts") == [(8,)]
    assert (here.state.read_at, here.state.took_at, here.state.taken) == (START + 61, START, 8)


def test_the_last_order_of_a_quiet_shop_is_known_for_as_long_as_it_comes(
    polling: Callable[[ScriptedServer], Round],
) -> None:
    shop = Shop(1)
    with ScriptedServer(shop) as server:
        here = polling(server)
        for _ in range(4):
            here.sweep()
            here.world.clock.at += 20 * DAY
            prune(here.world)
            here.restart()
        assert len(shop.asked) == 4, "each time it gives its last order again"
    assert [body["ref"] for body in here.world.target("erp").bodies] == ["1"]


@pytest.mark.parametrize(
    ("when", "waits", "asked"),
    [("every: 6h", 60, [1, 2, 3, 3, 3]), ("at: '17:00'\n    zone: Europe/Paris", 2800, [0, 1, 2, 3, 3])],
)
def test_more_pages_than_a_round_reads_do_not_wait_for_the_next_time(
    polling: Callable[..., Round], when: str, waits: int, asked: list[int]
) -> None:
    polled = POLLED.replace("every: 60s", when).replace("parameter: after", "parameter: after, most_pages: 1")
    seen = []
    with ScriptedServer(Shop(8)) as server:
        here = polling(server, polled=polled)
        for seconds in (0, waits, 60, 60, 60):
            here.world.clock.at += seconds
            here.sweep()
            seen.append(len(server.requests))
    assert seen == asked
    assert here.world.rows("SELECT count(*) FROM receipts") == [(8,)]


@pytest.mark.parametrize("dies_at", range(4))
def test_a_death_between_taking_in_and_keeping_how_far_loses_and_doubles_nothing(
    polling: Callable[[ScriptedServer], Round], monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    """Three pages: the hub dies before it keeps the place after the first, the second, the end; or just after."""
    shop, kept = Shop(8), 0
    remember = sources.remember

    def dies(db: Database, system: str, content: bytes, at: float) -> None:
        nonlocal kept
        if kept == dies_at:
            raise StoreError("the hub died")
        kept += 1
        remember(db, system, content, at)

    with ScriptedServer(shop) as server:
        here = polling(server)
        monkeypatch.setattr(sources, "remember", dies)
        here.sweeper.sweep()
        here.world.calls.popleft()()  # the fetch, and nothing of what it caused
        monkeypatch.setattr(sources, "remember", remember)
        taken = here.world.rows("SELECT count(*) FROM receipts")[0][0]
        assert taken == [3, 6, 8, 8][dies_at]
        here.sweeper.stop()
        closing = list(here.world.calls)
        here.world.crash("w2")
        for work in closing:
            work()
        again = Round(here.world)
        here.sweeper = again.sweeper
        again.sweeper.recover()
        again.world.clock.at += 61
        again.sweep()
        again.world.clock.at += 10
        again.sweep()
        assert sorted(body["ref"] for body in again.world.target("erp").bodies) == [str(n) for n in range(1, 9)]
        assert again.world.rows("SELECT count(*) FROM receipts") == [(8,)]
        asked = len(server.requests)
        again.world.clock.at += 61
        again.sweep()
        assert "since=2026-03-01T10%3A03" in shop.asked[asked], "and now it is kept how far it was read"


def test_refused_credentials_stop_the_system_until_somebody_starts_it(
    polling: Callable[[ScriptedServer], Round],
) -> None:
    with ScriptedServer(always(401)) as server:
        here = polling(server)
        here.sweep()
        reason = "the system answered 401 Unauthorized"
        [switch] = switches.listed(here.world.store.reader())
        assert (switch["kind"], switch["name"], switch["actor"]) == ("system", "till", "hub")
        assert switch["reason"] == f"fetching: {reason}"
        assert (here.state.failing_since, here.state.reason, here.state.read_at) == (START, reason, None)
        here.world.clock.at += 600
        here.sweep()
        assert len(server.requests) == 1
        server.script = Shop(1)
        here.world.store.write(lambda db: switches.release(db, "system", "till"))
        here.sweep()
    assert (here.state.failing_since, here.state.reason, here.state.taken) == (None, "", 1)


def test_a_source_that_cannot_be_read_is_seen_everywhere(polling: Callable[[ScriptedServer], Round]) -> None:
    with ScriptedServer(Shop(2)) as server:
        here = polling(server)
        here.sweep()
        server.script = always(200, b"<html>oops</html>", content_type="text/html")
        for _ in range(6):
            here.world.clock.at += 61
            here.sweep()
    world = here.world
    why = "the system answered 200 with 17 bytes of text/html, a page for people and no document"
    key = {"viewer": new_key(world.store, "viewer")}
    caller = Caller(create_app(world.engine, deployer=Folder()), key["viewer"])
    view = next(item for item in caller.get("/api/v1/systems").json["items"] if item["name"] == "till")
    assert view["source"]["reason"] == why
    assert view["source"]["taken"] == 2
    assert view["source"]["read_at"] < view["source"]["failing_since"] < view["source"]["tried_at"]
    basic = base64.b64encode(f":{key['viewer']}".encode()).decode()
    page = caller.get("/", authorization=f"Basic {basic}").body.decode()
    assert "cannot be read" in page and why in page
    found = notify.check(world.engine, ["mail"])["mail"]
    assert [(n.kind, n.detail) for n in found] == [
        ("source_failing", f"nothing could be fetched from till for a while: {why}")
    ]
    tally = Tallier().count(world.store.reader(), world.clock.epoch())
    told = metrics.render(world.engine, tally).decode()
    assert 'o2c_source_failing{system="till"} 1.0' in told
    assert 'o2c_source_read_seconds{system="till"} 1.79e+09' in told, "at the start"
    said = finding_of("till", here.state)
    assert (said.state, why in said.detail, "last read" in said.detail) == ("fault", True, True)


def test_a_pause_that_is_asked_for_is_kept_to(polling: Callable[[ScriptedServer], Round]) -> None:
    with ScriptedServer(always(429, retry_after="600")) as server:
        here = polling(server)
        here.sweep()
        for _ in range(5):
            here.world.clock.at += 100
            here.sweep()
        assert len(server.requests) == 1
        here.world.clock.at += 101
        here.restart()
        here.sweep()
        assert len(server.requests) == 2


def test_a_source_whose_secret_is_missing_keeps_no_other_from_being_read(
    polling: Callable[[ScriptedServer], Round], make_world: Callable[..., World]
) -> None:
    with ScriptedServer(Shop(1)) as server:
        first = POLLED.format(url=server.url).replace("till:", "attic:").replace("event: sale", "event: old")
        first += "  auth: {type: bearer, token: secret://env/THERE_IS_NONE}\n"
        systems = SYSTEMS + first.encode() + POLLED.format(url=server.url).encode()
        here = Round(make_world(systems=systems, routes=ROUTE, order_in=SALE_IN))
        here.sweep()
        states = sources.states(here.world.store.reader())
        here.restart()
    assert states["till"].taken == 1
    assert "secret://env/THERE_IS_NONE: the environment variable THERE_IS_NONE is not set" in states["attic"].reason


def test_a_source_holds_on_while_more_waits_than_should(
    polling: Callable[[ScriptedServer], Round], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(Shop(8)) as server:
        here = polling(server)
        pressure = here.world.engine.pressure
        asked: list[str] = []
        monkeypatch.setattr(pressure, "holds_back", lambda name: asked.append(name) or len(asked) > 5)
        here.sweep()
        assert here.world.rows("SELECT count(*) FROM receipts") == [(4,)]
        assert here.state.reason == "more waits to be looked into than should; it goes on when there is room"
        monkeypatch.undo()
        here.world.clock.at += 61
        here.sweep()
    assert here.world.rows("SELECT count(*) FROM receipts") == [(8,)]


def test_a_system_that_is_started_again_is_fetched_from_with_its_new_secret(
    polling: Callable[..., Round],
) -> None:
    shop, token = Shop(1), "two"

    async def locked(request: Request, line: Line) -> None:
        is_known = request.headers.get("authorization") == f"Bearer {token}"
        await (shop(request, line) if is_known else line.answer(401))

    with ScriptedServer(locked) as server:
        here = polling(server, "  auth: {type: bearer, token: secret://file/token}\n")
        (here.world.folder / "token").write_text("one")
        here.sweep()
        assert switches.is_off(here.world.store.reader(), "system", "till")
        here.sweep()
        (here.world.folder / "token").write_text(token)
        here.world.store.write(lambda db: switches.release(db, "system", "till"))
        here.world.clock.at += 61
        here.sweep()
    assert [body["ref"] for body in here.world.target("erp").bodies] == ["1"]


VERSIONED = POLLED.replace("value: item.updated_at", "value: \"'2026-03-01T10:00:01Z'\"").replace(
    "    watermark:", "    version: item.updated_at\n    watermark:"
)
SECOND = "Sun, 01 Mar 2026 10:00:0{} GMT"


class Till:
    """One sale as it is now; ``clock`` is the second that the server's answers say, None where they say none."""

    def __init__(self, updated_at: Any = "2026-03-01T10:00:01Z") -> None:
        self.sale, self.clock = {"id": 7, "updated_at": updated_at, "total": "1.00"}, None

    async def __call__(self, request: Request, line: Line) -> None:
        told = {} if self.clock is None else {"date": SECOND.format(self.clock)}
        await answer(line, {"orders": [self.sale]}, **told)

    def polled(self, here: Round, clock: int | None, **changed: str) -> int:
        """How many sales have been taken in when the till has been asked at that second."""
        self.clock, self.sale = clock, {**self.sale, **changed}
        here.world.clock.at += 61
        here.sweep()
        return int(here.world.rows("SELECT count(*) FROM receipts")[0][0])


@pytest.mark.parametrize(
    "version",
    ["2026-03-01T10:00:01Z", "2026-03-01T11:00:01+01:00", "2026-03-01 10:00:01", "2026-03-01T10:00:01.000+0000",
     "/Date(1772359201000)/", 1772359201, "1772359201", 1772359201000],
)  # fmt: skip
def test_a_second_change_within_the_second_is_taken_in_and_nothing_twice(
    polling: Callable[..., Round], version: Any
) -> None:
    till = Till(version)
    with ScriptedServer(till) as server:
        here = polling(server, polled=VERSIONED)
        assert till.polled(here, 1) == 1
        assert till.polled(here, 1) == 1, "unchanged, the second is not over"
        assert till.polled(here, 1, total="2.00") == 2
        assert till.polled(here, 9, total="3.00") == 3
        here.restart()
        assert till.polled(here, 9) == 3, "unchanged, the second is over"
        assert till.polled(here, 9, seen_at="now") == 3, "the version tells all by now"
        assert till.polled(here, 1, seen_at="later") == 3, "and goes on doing so, whatever a server's clock says"
    taken = here.world.rows("SELECT name FROM receipts")
    assert taken == [("7",)] * 3


def test_what_came_while_its_second_was_not_over_is_known_when_it_is(polling: Callable[..., Round]) -> None:
    till = Till()
    with ScriptedServer(till) as server:
        here = polling(server, polled=VERSIONED)
        assert [till.polled(here, clock) for clock in (1, 9, 1, 9)] == [1, 1, 1, 1]
        assert till.polled(here, 9, updated_at="2026-03-01T10:00:08Z") == 2


def test_what_came_when_its_second_was_over_is_known_where_another_server_is_slow(
    polling: Callable[..., Round],
) -> None:
    till = Till()
    with ScriptedServer(till) as server:
        here = polling(server, polled=VERSIONED)
        assert [till.polled(here, clock) for clock in (9, 1, 9)] == [1, 1, 1]


@pytest.mark.parametrize("version", ["2026-03-01T10:00:01.250Z", "v12", "2026-03-01T16:00:01"])
def test_a_version_that_is_finer_or_no_time_of_now_decides_alone(polling: Callable[..., Round], version: str) -> None:
    till = Till(version)
    with ScriptedServer(till) as server:
        here = polling(server, polled=VERSIONED)
        assert (till.polled(here, 1), till.polled(here, 1, total="2.00")) == (1, 1)


def test_a_server_that_does_not_say_its_time_is_held_to_ours(polling: Callable[..., Round]) -> None:
    till = Till()
    with ScriptedServer(till) as server:
        here = polling(server, polled=VERSIONED)
        assert (till.polled(here, None), till.polled(here, None, total="2.00")) == (1, 1), "years ago"
