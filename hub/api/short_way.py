"""The short way in: documents of usual size go from the parser to their door and back, without a task, without ASGI.

It is uvicorn's own HTTP/1.1 protocol, with another cycle of request and answer for what ``Ingest.takes``. Everything
out of the ordinary (a body in chunks or a large one, ``Expect``, a request sent before the last one was answered, a
sender who does not read his answers) goes uvicorn's way, to the same door.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from hub.api.ingest import Ingest, joined
from hub.api.refusals import Headers, Refusal, mistake, new_trace_id, problem_of, trace_id_of
from hub.loggers import structlog

_log = structlog.get_logger("run")
_LARGEST = 64 * 1024  # bytes of a body
_LARGEST_HEAD = 64 * 1024  # bytes of a path and header fields, and of what is no body after them
_HEAD_SECONDS = 30.0
_PATH = b"/in/"
_SOON_SECONDS = 0.001
_TOO_LARGE = f"the path and the header fields are more than {_LARGEST_HEAD} bytes together"


class DoorProtocol(HttpToolsProtocol):
    """One connection. ``is_leaving`` tells whether it is to be closed after the next answer, ``head_seconds`` how long
    path and header fields may take, from the answer before them on."""

    def __init__(
        self, ingest: Ingest, is_leaving: Callable[[], bool], head_seconds: float = _HEAD_SECONDS, **of_uvicorn: Any
    ) -> None:
        super().__init__(**of_uvicorn)
        self._ingest, self._is_leaving, self._head_seconds = ingest, is_leaving, head_seconds
        self.url, self._names, self._values = b"", list[bytes](), list[bytes]()
        self._loose = 0  # bytes since the last of a body, or the end of a request
        self._defaults: Headers = []
        self._default_lines = b""
        self._is_waiting, self._is_idle, self._waits_since = True, False, 0.0  # for a head; with nothing of it yet
        self._look_seconds = min(self.timeout_keep_alive, head_seconds)
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._waits_since = self.loop.time()
        self._timer = self.loop.call_later(self._look_seconds, self._look_whether_it_waits)

    def data_received(self, data: bytes) -> None:
        self._is_idle = False
        self._loose += len(data)
        super().data_received(data)
        if self._loose > _LARGEST_HEAD and not self.transport.is_closing():
            self._refuse(431, "head_too_large", _TOO_LARGE)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Whether the connection stays: for the answer that a sender waits for who has nothing more to say. TLS knows
        no such thing."""
        return self._ends_with_an_answer() and self.scheme == "http"

    def _ends_with_an_answer(self) -> bool:
        """Whether the last request came whole and its answer is due: what is wrong with what comes after it is not said
        in the place of that answer, and the connection ends with it."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete or cycle.more_body or self.pipeline:
            return False
        cycle.keep_alive = False
        self.flow.pause_reading()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)
        self.cycle = None  # type: ignore[assignment]  # each holds the other: gone now, not when the collector comes by

    # -- what the parser finds, kept as it is until it is known which way it goes ------------------------------------

    def on_message_begin(self) -> None:
        self.url = b""
        self._names, self._values = [], []

    def on_header(self, name: bytes, value: bytes) -> None:
        self._names.append(name)
        self._values.append(value)

    def on_headers_complete(self) -> None:
        self._is_waiting = False
        if self._loose > _LARGEST_HEAD and self._head_size() > _LARGEST_HEAD:
            raise ValueError(_TOO_LARGE)  # the parser stops, and has it answered below
        exchange = self._exchange()
        if exchange is None:
            self._go_the_usual_way()
        else:
            self.cycle = exchange  # type: ignore[assignment]

    def _head_size(self) -> int:
        return len(self.url) + sum(len(field) + 2 for part in (self._names, self._values) for field in part)

    def _exchange(self) -> _Exchange | None:
        """The short way for this request; None where it is not for it."""
        if not self.url.startswith(_PATH) or self.parser.get_method() != b"POST" or not self._is_free():
            return None
        # A path with more in it than a plain name, a query perhaps, is none of the names that are asked for.
        name = self.url[len(_PATH) :].decode("ascii", "replace")
        if not self._ingest.takes(name):
            return None
        headers = _fields(self._names, self._values)
        size = headers.get("content-length", "")
        if not size.isdigit() or int(size) > _LARGEST or "transfer-encoding" in headers or "expect" in headers:
            return None
        return _Exchange(self, name, headers)

    def _is_free(self) -> bool:
        is_answered = self.cycle is None or self.cycle.response_complete
        plain = self.parser.get_http_version() == "1.1" and not self.parser.should_upgrade()
        return is_answered and plain and not self.flow.write_paused

    def _go_the_usual_way(self) -> None:
        """uvicorn hears now what the parser has found so far."""
        url = self.url
        super().on_message_begin()
        self.url = url
        for name, value in zip(self._names, self._values, strict=True):
            super().on_header(name, value)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._loose = 0
        if isinstance(self.cycle, _Exchange):
            self.cycle.body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._loose = 0
        if isinstance(self.cycle, _Exchange):
            self.cycle.take(self._ingest)
        else:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP, or has a head too large, is answered as uvicorn would, but as a problem."""
        if self._ends_with_an_answer():
            return
        if self._head_size() > _LARGEST_HEAD:
            self._refuse(431, "head_too_large", _TOO_LARGE)
        else:
            self._refuse(400, "not_http", "this is no request of HTTP/1.1")

    def _refuse(self, status: int, code: str, detail: str) -> None:
        self.write_answer(*problem_of(Refusal(status, code, detail)), keep_alive=False)

    def write_answer(self, status: int, headers: Headers, body: bytes, keep_alive: bool) -> None:
        """The whole answer at once."""
        keep_alive = keep_alive and not self._is_leaving()
        own = headers if keep_alive else [*headers, (b"connection", b"close")]
        self.transport.write(b"%b%b%b\r\n%b" % (STATUS_LINE[status], self._lines_of_all(), _lines(tuple(own)), body))
        if not keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _lines_of_all(self) -> bytes:
        """The header lines of every answer; the server makes a new list of them each second, for the date."""
        if self.server_state.default_headers is not self._defaults:
            self._defaults = self.server_state.default_headers
            self._default_lines = _lines(tuple(self._defaults))
        return self._default_lines

    # -- between two requests --------------------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        """What uvicorn's does, with one timer a connection: one for each request costs more."""
        if self.pipeline:
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        self._is_waiting = self._is_idle = True
        self._waits_since = self.loop.time()
        if self._timer is None:
            self._timer = self.loop.call_later(self._look_seconds, self._look_whether_it_waits)

    def _look_whether_it_waits(self) -> None:
        """Close a connection on which nothing, or not all of a head, has come for too long."""
        self._timer = None
        if not self._is_waiting:
            return  # set again with the answer
        limit = self.timeout_keep_alive if self._is_idle else self._head_seconds
        left = self._waits_since + limit - self.loop.time()
        if left > _SOON_SECONDS:
            self._timer = self.loop.call_later(min(left, self._look_seconds), self._look_whether_it_waits)
        else:
            self.timeout_keep_alive_handler()


@lru_cache(64)
def _lines(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    return b"".join([b"%b: %b\r\n" % field for field in headers])


def _fields(names: Sequence[bytes], values: Sequence[bytes]) -> Mapping[str, str]:
    """Headers as ``joined`` gives them, decoded all at once where each stands once and none holds a NUL."""
    texts = b"\0".join(values).decode("latin-1").split("\0")
    headers = dict(zip(b"\0".join(names).lower().decode("latin-1").split("\0"), texts, strict=False))
    if len(headers) == len(names) == len(texts):
        return headers
    return joined([(name.lower(), value) for name, value in zip(names, values, strict=True)])


class _Nobody:
    """In the place of the event that uvicorn's cycle waits for."""

    def set(self) -> None:
        """Nobody waits."""


class _Exchange:
    """One request and its answer; what ``HttpToolsProtocol`` looks at of a cycle."""

    __slots__ = (
        "_headers", "_name", "_protocol", "body", "disconnected", "keep_alive", "more_body", "response_complete",
    )  # fmt: skip
    message_event = _Nobody()

    def __init__(self, protocol: DoorProtocol, name: str, headers: Mapping[str, str]) -> None:
        self._protocol, self._name, self._headers = protocol, name, headers
        self.body = bytearray()
        self.keep_alive = protocol.parser.should_keep_alive()
        self.disconnected = self.response_complete = False
        self.more_body = True

    def take(self, ingest: Ingest) -> None:
        self.more_body = False
        try:
            ingest.take(self._name, self._headers, bytes(self.body), self.answer)
        except Exception:
            # A mistake of ours: the connection is not trusted any more.
            trace_id = trace_id_of(self._headers) or new_trace_id()
            _log.exception("the door has failed", trace_id=trace_id)
            self.keep_alive = False
            self.answer(*mistake(trace_id))

    def answer(self, status: int, headers: Headers, body: bytes) -> None:
        if self.disconnected or self.response_complete or self._protocol.transport.is_closing():
            return
        self.response_complete = True
        self._protocol.write_answer(status, headers, body, self.keep_alive)
