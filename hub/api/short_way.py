"""The short way in: documents of usual size go from the parser to their door and back, without a task, without ASGI.

It is uvicorn's own HTTP/1.1 protocol, with another cycle of request and answer for what ``Ingest.takes``. Everything
out of the ordinary (a body in chunks or a large one, ``Expect``, a request sent before the last one was answered, a
sender who does not read his answers) goes uvicorn's way, to the same door.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from hub.api.ingest import Headers, Ingest, joined

_log = structlog.get_logger("run")
_LARGEST = 64 * 1024  # bytes of a body
_PATH = b"/in/"


class DoorProtocol(HttpToolsProtocol):
    """One connection. ``is_leaving`` tells whether it is to be closed after the next answer."""

    def __init__(self, ingest: Ingest, is_leaving: Callable[[], bool], **of_uvicorn: Any) -> None:
        super().__init__(**of_uvicorn)
        self._ingest, self._is_leaving = ingest, is_leaving

    def on_headers_complete(self) -> None:
        name = self.url[len(_PATH) :].decode("ascii", "replace") if self.url.startswith(_PATH) else ""
        # A path with more in it than a plain name, a query perhaps, is none of the names that are asked for.
        if not name or self.parser.get_method() != b"POST" or not self._is_free() or not self._ingest.takes(name):
            super().on_headers_complete()
            return
        headers = joined(self.headers)
        size = headers.get("content-length", "")
        if not size.isdigit() or int(size) > _LARGEST or "transfer-encoding" in headers:
            super().on_headers_complete()
            return
        self.cycle = _Exchange(self, name, headers)  # type: ignore[assignment]

    def _is_free(self) -> bool:
        is_answered = self.cycle is None or self.cycle.response_complete
        plain = self.parser.get_http_version() == "1.1" and not self.parser.should_upgrade()
        return is_answered and plain and not self.expect_100_continue and not self.flow.write_paused

    def on_message_complete(self) -> None:
        if isinstance(self.cycle, _Exchange):
            self.cycle.take(self._ingest)
        else:
            super().on_message_complete()

    def write_answer(self, status: int, headers: Headers, body: bytes, keep_alive: bool) -> None:
        """The whole answer at once."""
        keep_alive = keep_alive and not self._is_leaving()
        fields = [*self.server_state.default_headers, *headers, *([] if keep_alive else [(b"connection", b"close")])]
        head = b"".join([STATUS_LINE[status], *(b"%b: %b\r\n" % field for field in fields), b"\r\n"])
        self.transport.write(head + body)
        if not keep_alive:
            self.transport.close()
        self.on_response_complete()


class _Nobody:
    """In the place of the event that uvicorn's cycle waits for."""

    def set(self) -> None:
        """Nobody waits."""


class _Exchange:
    """One request and its answer; what ``HttpToolsProtocol`` looks at of a cycle."""

    message_event = _Nobody()

    def __init__(self, protocol: DoorProtocol, name: str, headers: Mapping[str, str]) -> None:
        self._protocol, self._name, self._headers = protocol, name, headers
        self.body = bytearray()
        self.more_body = True
        self.keep_alive = protocol.parser.should_keep_alive()
        self.disconnected = self.response_complete = False

    def take(self, ingest: Ingest) -> None:
        try:
            ingest.take(self._name, self._headers, bytes(self.body), self.answer)
        except Exception:
            # A mistake of ours: said to the sender as uvicorn says it, and the connection is not trusted any more.
            _log.exception("the door has failed")
            self.keep_alive = False
            self.answer(500, [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"0")], b"")

    def answer(self, status: int, headers: Headers, body: bytes) -> None:
        if self.disconnected or self.response_complete or self._protocol.transport.is_closing():
            return
        self.response_complete = True
        self._protocol.write_answer(status, headers, body, self.keep_alive)
