"""Those who only watch a hub process are answered without the application, which is loaded for nobody else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest
from caller import Caller
from world import World

from hub.api.alive import Alive
from hub.errors import StoreAway


async def application(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


def watcher(world: World, **fields: Any) -> Caller:
    here = {"client": "127.0.0.1", "host": "localhost", **fields}
    return Caller(Alive(world.engine, None, application), **here)


def test_whether_it_is_alive_and_ready_is_said_without_the_application(world: World) -> None:
    caller = watcher(world)
    assert (caller.get("/healthz").status, caller.get("/healthz").json) == (200, {"status": "ok"})
    ready = caller.get("/readyz")
    assert (ready.status, ready.headers["content-type"]) == (200, "application/json")
    assert ready.json == {"status": "ready", "checks": {"store": "ok", "backlog": "ok"}}
    world.engine.backlog = 10**9
    assert (caller.get("/readyz").status, caller.get("/readyz").json["status"]) == (503, "not ready")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/", {}),
        ("/metrics", {}),
        ("/readyz", {"key": "of-somebody"}),
    ],
)
def test_all_else_is_the_applications_to_answer(world: World, path: str, fields: dict[str, Any]) -> None:
    assert (watcher(world, **fields).get(path).status, watcher(world).post("/healthz").status) == (299, 299)


@pytest.mark.parametrize("fields", [{"client": "203.0.113.9"}, {"extra": {"x-forwarded-for": "203.0.113.9"}}])
def test_a_probe_from_elsewhere_is_told_the_verdict_alone(world: World, fields: dict[str, Any]) -> None:
    caller = watcher(world, **fields)
    assert (caller.get("/readyz").status, caller.get("/readyz").json) == (200, {"status": "ready"})
    world.engine.backlog = 10**9
    assert caller.get("/readyz").status == 200  # it was looked at a moment ago
    world.clock.at += 1.0
    assert (caller.get("/readyz").status, caller.get("/readyz").json) == (503, {"status": "not ready"})


def test_a_probe_is_answered_behind_trusted_proxies(make_world: Callable[..., World]) -> None:
    world = make_world(hub=b"time_zone: UTC\nhttp: {trusted_proxies: [127.0.0.1]}\n")
    assert watcher(world).get("/readyz").json == {"status": "ready"}


def test_what_goes_wrong_is_the_applications_to_tell(world: World) -> None:
    def others() -> dict[str, object]:
        raise StoreAway("the store is away")

    alive = Alive(world.engine, others, application)
    assert Caller(alive, client="127.0.0.1", host="localhost").get("/readyz").status == 299


@pytest.mark.parametrize("module", ["hub.run", "hub.roles.serve", "hub.cli.hub_at_rest"])
def test_a_hub_starts_without_the_web_framework(module: str) -> None:
    code = f"import sys, {module}; sys.exit(bool({{'fastapi', 'pydantic'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
