"""Opening connections: name look-up, TCP, TLS, and the tunnel through a proxy where one is configured."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from connectors._answer import Failure
from connectors._proxy import ProxyRefused, Tunnel
from connectors._wire import Connection, reason_of
from connectors.base import PermanentError

_log = logging.getLogger("o2c.connectors.http")

P = TypeVar("P", bound=asyncio.Protocol)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a system is. ``path`` is what its base address already holds, without a trailing slash; ``credentials``
    (``user:password``) are a proxy's."""

    host: str
    port: int
    secure: bool
    path: str = ""
    credentials: str = field(default="", repr=False)

    @property
    def authority(self) -> str:
        """Host and port as the Host header wants them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def address_of(url: str, setting: str) -> Address:
    """The parts of an http(s) address. Raises PermanentError that names the setting, never the user or password."""
    try:
        parts = urlsplit(url.strip())
        port, host = parts.port, (parts.hostname or "").encode("idna").decode()
    except ValueError:
        raise PermanentError(
            f"{setting}: not an address; write https://host.example or http://host:8080/path"
        ) from None
    if parts.scheme not in ("http", "https") or not host:
        raise PermanentError(f"{setting}: expected an http or https address, such as https://host.example")
    if parts.query or parts.fragment:
        raise PermanentError(f"{setting}: an address here has no '?' and no '#'; put them into path:")
    if not (parts.path.isascii() and parts.path.isprintable()) or " " in parts.path:
        raise PermanentError(f"{setting}: an address holds no spaces or accents; write them as %20 …")
    secure = parts.scheme == "https"
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
    return Address(host, port or (443 if secure else 80), secure, parts.path.rstrip("/"), user)


class Opener:
    """Opens connections to one address, within the connect time-out. Never raises: what goes wrong is a Failure."""

    def __init__(
        self, address: Address, tls: ssl.SSLContext | None, proxy: Address | None, connect_seconds: float
    ) -> None:
        self.address, self.proxy = address, proxy
        self._tls, self._seconds = tls, connect_seconds

    async def open(self, make: Callable[[], Connection]) -> Connection | Failure:
        """A connection that is ready for a request, or why there is none; nothing of a request has gone out."""
        until = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(until):
                return await self._open(make, until)
        except Exception as error:  # whatever goes wrong here, its parcel gets a verdict
            if not isinstance(error, OSError | ProxyRefused | UnicodeError):
                _log.exception("opening a connection failed in a way that was not foreseen")
            return failure_of(error, (self.proxy or self.address).host)

    async def _open(self, make: Callable[[], Connection], until: float) -> Connection:
        if self.proxy and self.address.secure:
            return await self._through_tunnel(self.proxy, make, until)
        near = self.proxy or self.address
        _, made = await _connect(near, make, self._tls if near.secure else None, until)
        return made

    async def _through_tunnel(self, proxy: Address, make: Callable[[], Connection], until: float) -> Connection:
        target = f"{self.address.host}:{self.address.port}"
        raw, tunnel = await _connect(proxy, lambda: Tunnel(target, proxy.credentials), None, until)
        made = make()
        try:
            await tunnel.opened
            loop = asyncio.get_running_loop()
            secured = await loop.start_tls(raw, made, self._tls or ssl.create_default_context(),
                                           server_hostname=self.address.host)  # fmt: skip
        except BaseException:
            raw.abort()
            raise
        assert secured is not None
        made.connection_made(secured)
        return made


async def _connect(near: Address, make: Callable[[], P], tls: ssl.SSLContext | None, until: float) -> tuple[Any, P]:
    """A connection to the first of the host's addresses that answers; the last one's error when none does. Each has its
    share of the time that is left, so that one that says nothing hides none of the others."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(near.host, near.port, type=socket.SOCK_STREAM)
    last: OSError = OSError("no address")
    for number, (*_, place) in enumerate(found):
        try:
            name = near.host if tls else None
            async with asyncio.timeout((until - loop.time()) / (len(found) - number)):
                return await loop.create_connection(make, str(place[0]), near.port, ssl=tls, server_hostname=name)
        except ssl.SSLError:
            raise
        except OSError as error:
            last = error
    raise last


def failure_of(error: BaseException, host: str) -> Failure:
    """Why a connection could not be opened: a certificate stops the system, everything else is for later."""
    match error:
        case ssl.SSLCertVerificationError():
            detail = f"the certificate of {host} cannot be trusted: {reason_of(error)}"
            return Failure("certificate_invalid", detail, stopped=True)
        case ssl.SSLError():
            return Failure("tls_failed", f"TLS with {host} could not be agreed: {reason_of(error)}")
        case TimeoutError():
            return Failure("connect_timeout", f"no connection to {host} within the connect time-out")
        case socket.gaierror() | UnicodeError():
            return Failure("dns_failed", f"the name {host} could not be looked up")
        case ConnectionRefusedError():
            return Failure("connect_refused", f"{host} refused the connection: nothing listens on that port")
        case ProxyRefused():
            return Failure("proxy_refused", str(error), stopped=error.wants_credentials)
        case OSError():
            words = error.strerror or "it was closed while it was being opened"
            return Failure("connect_failed", f"no connection to {host}: {words[:1].lower()}{words[1:]}")
    return Failure("connect_failed", f"no connection to {host}")
