"""Whether a hub process is alive, and ready to take documents in."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from hub.api import AsgiApp
from hub.api.ingest import Receive, Send
from hub.errors import HubError
from hub.pipeline.engine import Engine
from hub.store import READ_ERRORS, counters

Others = Callable[[], Mapping[str, object]]
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_LOOK_SECONDS = 1.0
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class Alive:
    """Answers ``/healthz``, and ``/readyz`` to whoever asks without a key: from the machine itself with all there is to
    tell, from elsewhere with the verdict alone. All else, and what goes wrong, is ``rest``'s to answer: an application
    that need not be loaded for those who only watch the hub."""

    def __init__(self, engine: Engine, others: Others | None, rest: AsgiApp) -> None:
        self._engine, self._others, self._rest = engine, others, rest
        self._is_ready, self._look_again = False, 0.0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        answer = await self._answer(Request(scope)) if scope["type"] == "http" and scope["method"] == "GET" else None
        await (answer or self._rest)(scope, receive, send)

    async def _answer(self, request: Request) -> Response | None:
        if request.scope["path"] == "/healthz":
            return said({"status": "ok"})
        if request.scope["path"] == "/readyz" and "authorization" not in request.headers:
            with suppress(HubError):
                if is_local(request, self._engine):
                    return await run_in_threadpool(ready, self._engine, self._others)
                return await run_in_threadpool(self._verdict)
        return None

    def _verdict(self) -> Response:
        """What probes of orchestrators and balancers need; looking costs a write, so it is done once a second."""
        moment = self._engine.clock.monotonic()
        if moment >= self._look_again:
            self._is_ready = all(check == "ok" for check in readiness(self._engine).values())
            self._look_again = moment + _LOOK_SECONDS
        return said({"status": _status(self._is_ready)}, 200 if self._is_ready else 503)


def said(body: Mapping[str, object], status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def ready(engine: Engine, others: Others | None) -> Response:
    """The checks, and what there is beside this process."""
    checks = readiness(engine)
    is_ready = all(check == "ok" for check in checks.values())
    body: dict[str, object] = {"status": _status(is_ready), "checks": checks}
    if others is not None and checks["store"] == "ok":
        body |= others()
    return said(body, 200 if is_ready else 503)


def _status(is_ready: bool) -> str:
    return "ready" if is_ready else "not ready"


def readiness(engine: Engine) -> dict[str, str]:
    """Each check with ``ok`` or what is wrong."""
    full = engine.pressure.at_source("")
    return {"store": _store(engine), "backlog": f"full: {full.detail}" if full else "ok"}


def _store(engine: Engine) -> str:
    """Really writes a row: an empty transaction succeeds on a full disk too."""
    now = engine.clock.epoch()
    try:
        engine.store.write(lambda db: counters.put(db, "asked", "ready", 1, now), durable=False)
    except READ_ERRORS as error:
        return str(error)
    return "ok"


def is_local(request: Request, engine: Engine) -> bool:
    """Whether a request comes from this very machine, through no proxy that can be told and under a name of the machine
    itself.

    The name keeps a web page that was opened elsewhere from asking on its visitor's behalf (DNS rebinding).
    """
    if engine.program.settings.http.trusted_proxies or any(name in request.headers for name in _FORWARDED):
        return False
    host = request.headers.get("host", "")
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name.lower() in _LOCAL_NAMES and _is_loopback(origin(request))


def origin(request: Request) -> str:
    return request.client.host if request.client else ""


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
