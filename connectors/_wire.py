"""HTTP/1.1 on one connection: a request goes out, its answer is parsed as it arrives, one exchange at a time.

It knows for certain whether a request has gone out and never sends one twice; that is for the channel to decide.
Everything is bounded: the head of an answer (64 KB), its body (the system's limit), the time it may take.
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httptools

from connectors._answer import Answer, Ending, Failure

_MAX_HEAD = 65_536
_ONE_WRITE = 65_536
_SURELY_FRESH_SECONDS = 0.002  # about one turn of a busy loop, which reads everything there is
_BAD_CLIENT_CERTIFICATE = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED")

Ended = Callable[["Connection", Ending], None]


class Connection(asyncio.Protocol):
    """One connection to a system. ``ended`` is called once for every ``send``; ``job`` is its caller's."""

    __slots__ = (
        "_answered", "_body", "_chunks", "_deadline", "_ended", "_head", "_headers", "_loop", "_max_body", "_parser",
        "_raw", "_size", "_status", "_timer", "_transport", "_until_close", "cookies", "idle_limit", "idle_since",
        "is_open", "job", "uses",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop, max_body: int, idle_limit: float) -> None:
        self._loop = loop
        self._max_body = max_body
        self._parser: Any = httptools.HttpResponseParser(self)
        self._transport: Any = None
        self._ended: Ended | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self.idle_limit = idle_limit
        self.idle_since = 0.0
        self.is_open = False
        self.uses = 0
        self.job: Any = None
        self._begin()

    def _begin(self) -> None:
        self._headers: dict[str, str] = {}
        self.cookies: list[str] = []  # name=value each, of the last answer
        self._chunks: list[bytes] = []
        self._size = self._raw = self._status = 0
        self._answered = self._until_close = False
        self._head = True

    # What the channel calls

    def send(self, head: bytes, body: bytes, read_seconds: float, ended: Ended) -> None:
        """Send one request and wait for its answer, at most ``read_seconds``."""
        self._ended = ended
        self.uses += 1
        self._begin()
        self._watch(read_seconds)
        if len(body) <= _ONE_WRITE:
            self._transport.write(head + body)
        else:
            self._transport.write(head)
            self._transport.write(body)

    def release(self) -> None:
        """The connection is idle from now on; it closes itself after its idle limit."""
        self.idle_since = time.monotonic()
        self._deadline = self._loop.time() + self.idle_limit
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._time_is_up)

    def is_fresh(self) -> bool:
        """Whether a request may be sent on it: not idle for too long and not closed by the other side meanwhile."""
        idle_seconds = time.monotonic() - self.idle_since
        if not self.is_open or idle_seconds > self.idle_limit:
            return False
        if idle_seconds < _SURELY_FRESH_SECONDS:
            return True
        # An end of stream may lie in the kernel, unseen by the loop: nothing must be readable on an idle connection.
        return not _readable(self._transport.get_extra_info("socket").fileno())

    def close(self) -> None:
        """Give the connection up, at once."""
        self.is_open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            if self._ended is not None:
                _forget_unsent(self._transport.get_extra_info("socket"))
            self._transport.abort()

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        if self._ended is None:
            self.close()  # bytes that nobody asked for: what follows on this connection cannot be trusted
            return
        self._answered = True
        self._raw += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail("not_http", "what came back is not an HTTP/1.1 answer")
            return
        if self._ended is not None and self._raw > _MAX_HEAD:
            self._refuse_flood()

    def _refuse_flood(self) -> None:
        if self._head:
            self._fail("answer_head_too_large", f"the head of the answer is over {_MAX_HEAD} bytes long")
        elif self._raw > _MAX_HEAD + 8 * self._max_body:
            self._complete("response_too_large")

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._ended is not None:
            if self._head:
                self._end(self._lost(error))
            else:
                self._complete("" if self._until_close and error is None else "answer_cut")
        self._parser = None  # each holds the other: gone now, not when the collector comes by

    def _lost(self, error: Exception | None) -> Failure:
        if isinstance(error, ssl.SSLError) and any(word in str(error).upper() for word in _BAD_CLIENT_CERTIFICATE):
            detail = f"the other side refused the client certificate ({reason_of(error)})"
            return Failure("client_certificate_refused", detail, stopped=True)
        how = "closed" if error is None else "reset"
        detail = f"the connection was {how} after the request had gone out, before an answer came"
        stale = self.uses > 1 and not self._answered
        return Failure(f"connection_{how}", detail, sent=True, stale=stale)

    def _watch(self, seconds: float) -> None:
        """One timer a connection, moved only when it would ring too late: a timer for each request costs more."""
        self._deadline = self._loop.time() + seconds
        if self._timer is not None and self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        if self._deadline - self._loop.time() > 0.001:
            self._timer = self._loop.call_at(self._deadline, self._time_is_up)
        elif self._ended is None:
            self.close()
        else:
            self._fail("read_timeout", "no complete answer came within the read time-out")

    # What the parser calls

    def on_message_begin(self) -> None:
        if self._ended is None:
            self.close()  # a second answer, asked for by nobody, came along with the first

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._head:
            return  # a trailer
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        if key == "set-cookie":
            self.cookies.append(text.partition(";")[0].strip())
            return
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()
        if self._status < 200:
            self._headers = {}  # 100 Continue, 103 Early Hints: the answer is still to come
            return
        self._head = False
        self._until_close = "content-length" not in self._headers and "transfer-encoding" not in self._headers

    def on_body(self, data: bytes) -> None:
        self._size += len(data)
        self._chunks.append(data)
        if self._size > self._max_body and self._ended is not None:
            self._complete("response_too_large")

    def on_message_complete(self) -> None:
        if self._status >= 200 and self._ended is not None:
            self._complete("")

    # Ends

    def _complete(self, cut: str) -> None:
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        whole = not cut and self._parser.should_keep_alive() and not self._transport.get_write_buffer_size()
        if not whole:
            self.close()
        self._end(Answer(self._status, self._headers, body[: self._max_body], cut))

    def _fail(self, code: str, detail: str) -> None:
        self.close()
        self._end(Failure(code, detail, sent=True))

    def _end(self, ending: Ending) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(self, ending)


def _forget_unsent(raw: Any) -> None:
    """What the other side has not got of a request that is given up must not reach it later, when its effect may have
    been looked for already: the kernel would send it again and again after the connection is closed."""
    with suppress(OSError):  # it is closed already
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reason_of(error: ssl.SSLError) -> str:
    """What TLS says went wrong, in words."""
    return (getattr(error, "verify_message", "") or error.reason or "TLS error").replace("_", " ").lower()


def _readable(descriptor: int) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([descriptor], [], [], 0)[0])
    watch = select.poll()
    watch.register(descriptor, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(watch.poll(0))


def announced_idle(keep_alive: str, limit: float) -> float:
    """The idle time that a server announces (``Keep-Alive: timeout=5``), less a second for the way."""
    for part in keep_alive.split(","):
        name, _, value = part.strip().partition("=")
        if name.lower() == "timeout" and value.isascii() and value.isdigit():
            return min(limit, max(0.0, int(value[:6]) - 1.0))
    return limit
