"""A system is opened anew where its settings or secrets are others, and only once what was sent with the old ones has
ended; else it stays open. The system is a real server, the connector the real one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from scripted_server import Line, Request, ScriptedServer
from world import ROUTES, SYSTEMS, World, order

from hub.deploy import deploy
from hub.pipeline.connections import open_destination
from hub.pipeline.engine import Engine
from hub.replay import steps
from hub.secret import resolve
from hub.store import switches
from hub.store.audit import Actor

_PLAIN = b"""erp:
  connector: http
  base_url: http://127.0.0.1:1/
  idempotency: {mode: native}
"""
_LONGEST = 20.0


class Erp:
    """An ERP that takes one token, and answers when it is let."""

    def __init__(self) -> None:
        self.token, self.answers = "one", threading.Event()
        self.answers.set()
        self.server = ScriptedServer(self.script)

    async def script(self, request: Request, line: Line) -> None:
        while not self.answers.is_set():
            await asyncio.sleep(0.005)
        await line.answer(200 if request.headers.get("authorization") == f"Bearer {self.token}" else 401)

    def settings(self, more: str = "") -> bytes:
        said = f"  base_url: {self.server.url}/\n  auth: {{type: bearer, token: secret://file/token}}\n  limits: "
        own = _PLAIN.replace(b"  base_url: http://127.0.0.1:1/\n", f"{said}{{concurrency: 1}}\n{more}".encode())
        return SYSTEMS.replace(_PLAIN, own)


@pytest.fixture
def erp() -> Iterator[Erp]:
    made = Erp()
    with made.server:
        yield made
        made.answers.set()


@pytest.fixture
def apart() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.fixture
def world(make_world: Callable[..., World], erp: Erp, apart: ThreadPoolExecutor, tmp_path: Path) -> Iterator[World]:
    made = make_world(systems=erp.settings())
    write_token(tmp_path, "one")
    for_real(made.engine, apart, tmp_path)
    yield made
    made.engine.close()


def for_real(engine: Engine, apart: ThreadPoolExecutor, folder: Path) -> None:
    engine.secret = partial(resolve, folder=folder)
    engine.run_apart = lambda work, _: apart.submit(work) and None
    engine.dispatcher.destinations._open = lambda system: open_destination(system, folder)


def write_token(folder: Path, token: str) -> None:
    (folder / "token").write_text(token)


def until(world: World, holds: Callable[[], bool]) -> None:
    """Let all that can happen happen, until something holds."""
    ends = time.monotonic() + _LONGEST
    while not holds():
        assert time.monotonic() < ends, world.states()
        world.run()
        time.sleep(0.005)


def delivered(world: World, count: int) -> Callable[[], bool]:
    return lambda: [state for _, state in world.states()] == ["delivered"] * count


def deployed(world: World, **changed: bytes) -> None:
    paths = {"systems": "config/systems.yaml", "routes": "routes/orders.yaml"}
    world.files = {**world.files, **{paths[name]: content for name, content in changed.items()}}
    world.engine.activate(deploy(world.store, world.files, None, world.clock, Actor("test")))
    world.run()


def test_after_a_deploy_no_more_goes_at_a_time_than_the_system_bears(world: World, erp: Erp) -> None:
    erp.answers.clear()
    world.send(order(1), order(2))
    until(world, lambda: erp.server.in_flight == 1)
    deployed(world, systems=erp.settings("  headers: {x-site: north}\n"))
    world.send(order(3))
    world.wait(0)
    assert len(erp.server.requests) == 1
    erp.answers.set()
    until(world, delivered(world, 3))
    assert erp.server.most_in_flight == 1
    assert [request.headers.get("x-site") for request in erp.server.requests] == [None, "north", "north"]
    assert len(world.rows("SELECT * FROM attempts WHERE outcome = 'delivered'")) == 3


def test_a_system_whose_settings_are_the_same_stays_open_over_a_deploy(world: World, erp: Erp) -> None:
    erp.answers.clear()
    world.send(order(1))
    until(world, lambda: erp.server.in_flight == 1)
    before = world.engine.dispatcher.destinations.of("erp")
    deployed(world, routes=ROUTES + b"weight: 2\n")
    deployed(world, systems=b"# of the north\n" + erp.settings())  # a line above it is no setting of it
    assert world.engine.dispatcher.destinations.of("erp") is before
    world.send(order(2))
    erp.answers.set()
    until(world, delivered(world, 2))
    assert (erp.server.most_in_flight, erp.server.connections) == (1, 1)


def test_a_system_that_does_not_end_is_not_waited_for_for_ever(world: World, erp: Erp) -> None:
    destinations = world.engine.dispatcher.destinations
    world.send(order(1))
    until(world, delivered(world, 1))
    old, may_end = destinations.of("erp"), threading.Event()
    assert old is not None
    close = old.close
    old.close = lambda: (may_end.wait(_LONGEST), close())[1]  # type: ignore[method-assign]
    destinations.reopen("erp")
    world.send(order(2))
    assert (destinations.of("erp"), len(erp.server.requests)) == (None, 1)
    world.wait(61)
    until(world, delivered(world, 2))
    may_end.set()
    until(world, lambda: destinations.of("erp") not in (None, old))


def test_a_deploy_reads_secrets_that_have_changed(world: World, erp: Erp) -> None:
    world.send(order(1))
    until(world, delivered(world, 1))
    erp.token = "two"
    write_token(world.folder, "two")
    deployed(world, routes=ROUTES + b"weight: 2\n")
    world.send(order(2))
    until(world, delivered(world, 2))
    assert [request.headers["authorization"] for request in erp.server.requests] == ["Bearer one", "Bearer two"]


def test_a_system_that_is_started_by_hand_has_its_secrets_read_again(world: World, erp: Erp) -> None:
    erp.token = "two"
    world.send(order(1))
    until(world, lambda: switches.is_off(world.store.reader(), "system", "erp"))
    write_token(world.folder, "two")
    steps.switch_on(world.engine, "system", "erp", Actor("me"))
    until(world, delivered(world, 1))
    assert len(erp.server.requests) == 2


def test_a_worker_reads_secrets_again_of_a_system_that_another_process_has_started(
    world: World, erp: Erp, apart: ThreadPoolExecutor
) -> None:
    world.send(order(1))
    until(world, delivered(world, 1))
    old = world.engine.dispatcher.destinations.of("erp")
    world.store.write(lambda db: switches.throw(db, "system", "erp", "stopped", "credentials_refused", 1.0, "hub"))
    world.engine.dispatcher.refresh()
    until(world, lambda: not world.engine.dispatcher.destinations.is_ending("erp"))
    erp.token = "two"
    write_token(world.folder, "two")
    world.store.write(lambda db: switches.release(db, "system", "erp"))
    world.engine.dispatcher.refresh()
    world.send(order(2))
    until(world, delivered(world, 2))
    assert world.engine.dispatcher.destinations.of("erp") is not old
