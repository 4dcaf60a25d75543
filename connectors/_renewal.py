"""What requests to a system need first: an access token (OAuth2), a token against forged requests with its session.
Each is fetched by one request on a connection of its own; nothing of a parcel goes out here."""

from __future__ import annotations

import asyncio
import logging
import time

from connectors._answer import Answer, Ending, Failure
from connectors._oauth2 import Grant
from connectors._opening import Opener
from connectors._proxy import proxy_header
from connectors._session import Session
from connectors._wire import Connection
from connectors.base import PermanentError

_MAX_ANSWER = 65_536
_log = logging.getLogger("o2c.connectors.http")

Held = tuple[str, ...]


class Tokens:
    """The tokens of one system. ``opener`` opens its own connections, ``grant_opener`` those to its token server."""

    def __init__(
        self, grant: Grant | None, grant_opener: Opener | None, session: Session | None, opener: Opener,
        read_seconds: float,
    ) -> None:  # fmt: skip
        self._grant, self._grant_opener = grant, grant_opener or opener
        self._session, self._opener, self._seconds = session, opener, read_seconds

    def are_valid(self) -> bool:
        """Whether a request may go as it is."""
        has_access = self._grant is None or self._grant.is_valid(time.time())
        return has_access and (self._session is None or bool(self._session.token))

    def held(self) -> Held:
        """What a request goes with now: access token, token of the session, its cookies."""
        return (self._grant.token if self._grant else "", *(self._session.held if self._session else ()))

    def refused(self, answer: Answer, held: Held) -> bool:
        """Whether this answer may be the tokens' fault: then the next request needs others."""
        if self._session is not None and self._session.is_wanted_by(answer):
            self._session.forget(held[1])
            return True
        if self._grant is None or answer.status not in (401, 403):
            return False
        self._grant.forget(held[0])
        return True

    async def renew(self) -> Failure | None:
        """Fetch what is missing; a Failure when it is not to be had, whatever goes wrong: others wait for it."""
        try:
            return await self._renewed()
        except Exception as error:
            _log.exception("a token could not be fetched in a way that was not foreseen")
            return Failure("token_unavailable", f"no token: {type(error).__name__}, see the log")

    async def _renewed(self) -> Failure | None:
        if self._grant is not None and not self._grant.is_valid(time.time()):
            failure = await _granted(self._grant, self._grant_opener, self._seconds)
            if failure is not None:
                return failure
        if self._session is not None and not self._session.token:
            return await _begun(self._session, self._opener, self._seconds)
        return None


async def _granted(grant: Grant, opener: Opener, read_seconds: float) -> Failure | None:
    try:
        async with grant.turn():
            ending, _ = await _ask(*_token_request(grant, opener), opener, read_seconds)
            if isinstance(ending, Answer):
                return grant.accept(ending.status, ending.body, time.time())
    except PermanentError as error:
        return Failure("no_proof", f"no token: {error}", stopped=True)
    except OSError as error:
        return Failure("no_proof", f"no token: auth.refresh_token_file: {error.strerror}", stopped=True)
    code = "token_unavailable" if ending.sent else ending.code
    return Failure(code, f"no token: {ending.detail}", stopped=ending.stopped)


async def _begun(session: Session, opener: Opener, read_seconds: float) -> Failure | None:
    ending, cookies = await _ask(*session.request(time.time()), opener, read_seconds)
    if isinstance(ending, Answer):
        return session.accept(ending, cookies)
    return Failure(ending.code, f"no {session.header}: {ending.detail}", stopped=ending.stopped)


async def _ask(head: bytes, body: bytes, opener: Opener, read_seconds: float) -> tuple[Ending, list[str]]:
    """How one request ended, and the cookies that came with its answer."""
    loop = asyncio.get_running_loop()
    connection = await opener.open(lambda: Connection(loop, _MAX_ANSWER, 0.0))
    if isinstance(connection, Failure):
        return connection, []
    ended: asyncio.Future[Ending] = loop.create_future()
    connection.send(head, body, read_seconds, lambda _, ending: ended.set_result(ending))
    try:
        return await ended, connection.cookies
    finally:
        connection.close()


def _token_request(grant: Grant, opener: Opener) -> tuple[bytes, bytes]:
    lines, body = grant.request(time.time())
    address, forwarded = opener.address, opener.proxy is not None and not opener.address.secure
    target = f"http://{address.authority}" if forwarded else ""
    proxied = proxy_header(opener.proxy.credentials) if forwarded and opener.proxy else ""
    head = (
        f"POST {target}{address.path or '/'} HTTP/1.1\r\nHost: {address.authority}\r\nAccept: application/json\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\n{proxied}{lines}\r\n"
    )
    return head.encode("latin-1"), body
