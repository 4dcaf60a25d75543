"""The web server of a hub process: documents to their door, everything else to the application.

It can leave without a failed request where others listen on the same socket: it accepts nothing more, tells those who
are connected to close after their next answer, and goes when they have.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Any

import uvicorn

from hub.api import AsgiApp
from hub.api.ingest import Ingest, joined
from hub.api.refusals import mistake, new_trace_id, trace_id_of
from hub.api.short_way import DoorProtocol
from hub.listening import Shown
from hub.loggers import structlog
from hub.settings import Http

_log = structlog.get_logger("run")
_FINISH_SECONDS = 20
_TICKS = 10  # of a tenth of a second, from one look at the certificate's files to the next


class WebServer:
    """``leave_seconds`` is how long those who are connected are given to go elsewhere."""

    def __init__(
        self, ingest: Ingest, soap: AsgiApp, app: AsgiApp, http: Http, certificate: tuple[str, str] | None,
        leave_seconds: float = 0.0,
    ) -> None:  # fmt: skip
        self._ingest, self._soap, self._app, self._http, self._certificate = ingest, soap, app, http, certificate
        self.leave_seconds = leave_seconds
        self.is_leaving = False

    def run(self, listener: socket.socket, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until SIGTERM or SIGINT; ``ready`` is called when requests are taken."""
        http, certificate = self._http, self._certificate
        config = uvicorn.Config(
            self._front, log_config=None, access_log=False, loop="uvloop",
            http=partial(DoorProtocol, self._ingest, lambda: self.is_leaving),  # type: ignore[arg-type]
            proxy_headers=bool(http.trusted_proxies), forwarded_allow_ips=list(http.trusted_proxies) or None,
            ssl_certfile=certificate and certificate[0], ssl_keyfile=certificate and certificate[1],
            server_header=False, lifespan="off", interface="asgi3", timeout_graceful_shutdown=_FINISH_SECONDS,
        )  # fmt: skip
        _Server(config, self, ready, certificate and Shown(*certificate)).run(sockets=[listener])

    async def _front(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Documents go straight to their door; every other request through the application and its middleware.

        What none of them foresaw is a problem as well.
        """
        answer = _Answer(send, self.is_leaving)
        try:
            await self._place(scope)(scope, receive, answer)
        except Exception:
            if answer.has_begun or scope["type"] != "http":
                raise
            trace_id = trace_id_of(joined(scope["headers"])) or new_trace_id()
            _log.exception("a request failed", path=scope["path"], trace_id=trace_id)
            status, headers, body = mistake(trace_id)
            await answer({"type": "http.response.start", "status": status, "headers": headers})
            await answer({"type": "http.response.body", "body": body})

    def _place(self, scope: MutableMapping[str, Any]) -> AsgiApp:
        if scope["type"] == "http" and scope["path"].startswith("/in/"):
            return self._ingest
        if scope["type"] == "http" and scope["path"].startswith("/soap/"):
            return self._soap
        return self._app

    def tell(self, listener: socket.socket) -> None:
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        _log.info("the hub listens", url=f"{'https' if self._http.tls else 'http'}://{shown}:{port}/")


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, web: WebServer, ready: Callable[[], None], shown: Shown | None
    ) -> None:  # fmt: skip
        super().__init__(config)
        self._web, self._ready, self._shown = web, ready, shown

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            self._web.tell(sockets[0])
            self._ready()

    async def on_tick(self, counter: int) -> bool:
        if self._shown is not None and counter % _TICKS == 0:
            assert self.config.ssl is not None
            self._shown.renew(self.config.ssl)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._web.is_leaving = True
        until = time.monotonic() + self._web.leave_seconds
        for server in self.servers if self._web.leave_seconds else ():
            server.close()
        while self.server_state.connections and time.monotonic() < until and not self.force_exit:
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)


class _Answer:
    """Passes an answer on. With the last one of a connection it says that it ends after it."""

    def __init__(self, send: Any, is_last: bool) -> None:
        self._send, self._is_last = send, is_last
        self.has_begun = False

    async def __call__(self, event: MutableMapping[str, Any]) -> None:
        if event["type"] == "http.response.start":
            self.has_begun = True
            if self._is_last:
                event = {**event, "headers": [*event.get("headers", ()), (b"connection", b"close")]}
        await self._send(event)
