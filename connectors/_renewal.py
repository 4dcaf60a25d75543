"""Fetching an OAuth2 token for a system: one request on a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from connectors._answer import Answer, Ending, Failure
from connectors._opening import Opener
from connectors._proxy import proxy_header
from connectors._wire import Connection
from connectors.auth import ClientCredentials

_MAX_ANSWER = 65_536


async def renew(
    grant: ClientCredentials, opener: Opener, read_seconds: float, now: Callable[[], float]
) -> Failure | None:
    """Fetch a token for ``grant``; a Failure when there is none to be had. Nothing of a parcel goes out here."""
    loop = asyncio.get_running_loop()
    connection = await opener.open(lambda: Connection(loop, _MAX_ANSWER, 0.0))
    if isinstance(connection, Failure):
        return Failure(connection.code, f"no token: {connection.detail}", stopped=connection.stopped)
    ended: asyncio.Future[Ending] = loop.create_future()
    connection.send(*_request(grant, opener), read_seconds, lambda _, ending: ended.set_result(ending))
    try:
        ending = await ended
    finally:
        connection.close()
    if isinstance(ending, Answer):
        return grant.accept(ending.status, ending.body, now())
    return Failure("token_unavailable", f"no token: {ending.detail}", stopped=ending.stopped)


def _request(grant: ClientCredentials, opener: Opener) -> tuple[bytes, bytes]:
    lines, body = grant.request()
    address, forwarded = opener.address, opener.proxy is not None and not opener.address.secure
    target = f"http://{address.authority}" if forwarded else ""
    proxied = proxy_header(opener.proxy.credentials) if forwarded and opener.proxy else ""
    head = (
        f"POST {target}{address.path or '/'} HTTP/1.1\r\nHost: {address.authority}\r\nAccept: application/json\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\n{proxied}{lines}\r\n"
    )
    return head.encode("latin-1"), body
