"""The tunnel through an HTTP proxy (RFC 9110, 9.3.6): CONNECT is asked and answered before TLS begins inside it."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any

_MAX_ANSWER = 16_384


class ProxyRefused(Exception):
    """The proxy does not let us through; its text is fit for an operator. ``wants_credentials``: it will not, before
    somebody has seen to those it wants."""

    def __init__(self, answer: str, target: str) -> None:
        super().__init__(f"the proxy answered {answer} when asked for {target}")
        self.wants_credentials = answer.startswith("407")


class Tunnel(asyncio.Protocol):
    """Asks a proxy for a connection to ``target`` (``host:port``); ``opened`` is done when it agrees."""

    def __init__(self, target: str, credentials: str) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._target, self._credentials = target, credentials
        self._seen = b""

    def connection_made(self, transport: Any) -> None:
        head = f"CONNECT {self._target} HTTP/1.1\r\nHost: {self._target}\r\n{proxy_header(self._credentials)}\r\n"
        transport.write(head.encode("latin-1"))

    def data_received(self, data: bytes) -> None:
        self._seen += data
        if b"\r\n\r\n" in self._seen:
            status = self._seen.split(b"\r\n", 1)[0].split(b" ")[1:2]
            self._decide(b"".join(status).decode("latin-1"))
        elif len(self._seen) > _MAX_ANSWER:
            self._decide("with something that is not HTTP")

    def connection_lost(self, error: Exception | None) -> None:
        self._decide("by closing the connection")

    def _decide(self, answer: str) -> None:
        if self.opened.done():
            return
        if answer.isdigit() and 200 <= int(answer) < 300:
            self.opened.set_result(None)
        else:
            self.opened.set_exception(ProxyRefused(answer, self._target))


def proxy_header(credentials: str) -> str:
    """The header line that tells a proxy who we are (``user:password``); empty when it does not ask."""
    return f"Proxy-Authorization: Basic {b64encode(credentials.encode()).decode()}\r\n" if credentials else ""
