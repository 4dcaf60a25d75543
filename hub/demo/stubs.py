"""The stub systems of the demo: small HTTP servers that count what reaches them and how often it had an effect.

Each remembers the keys it has seen. A repeat with the same key gets the first answer and has no second effect, as a
receiver with idempotency keys does; the same order under another key would be a double sale, and is counted as one.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Judge = Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]


@dataclass(slots=True)
class Ledger:
    """What a stub has seen: effects by business number, answers by key, and how often which answer was given."""

    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    effects: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    repeats: int = 0
    refusals: int = 0

    @property
    def doubles(self) -> int:
        """Business numbers that had their effect more than once: must stay 0."""
        return sum(count - 1 for count in self.effects.values())


class Stub:
    """One system at one address. ``judge`` says what it answers to a document; ``number`` names its business key."""

    def __init__(self, name: str, judge: Judge, number: Callable[[dict[str, Any]], str]) -> None:
        self.name, self.ledger = name, Ledger()
        self._judge, self._number = judge, number
        self._lock = threading.Lock()
        self._drop_next = False
        self._server: _Server | None = None
        self.port = 0
        self.open()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_up(self) -> bool:
        return self._server is not None

    def open(self) -> None:
        """Listen; after ``close`` again on the same port."""
        self._server = _Server(("127.0.0.1", self.port), _handler(self))
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Be away: the port refuses connections, open ones are cut."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.cut_connections()
            self._server = None

    def drop_next_answer(self) -> None:
        """Do the next piece of work, then cut the line instead of answering: the sender cannot know."""
        self._drop_next = True

    def take(self, key: str, raw: bytes) -> tuple[int, bytes] | None:
        """One request: its status and answer, None to cut the line."""
        with self._lock:
            self.ledger.requests += 1
            if key in self.ledger.answers:
                self.ledger.repeats += 1
                return self.ledger.answers[key]
            document = json.loads(raw)
            status, body = self._judge(document)
            answer = status, json.dumps(body).encode()
            if status >= 300:
                self.ledger.refusals += 1
                return answer
            number = self._number(document)
            self.ledger.effects[number] = self.ledger.effects.get(number, 0) + 1
            self.ledger.answers[key] = answer
            dropped, self._drop_next = self._drop_next, False
            return None if dropped else answer


class _Server(ThreadingHTTPServer):
    """A threading server that can cut the connections it has."""

    daemon_threads = True
    request_queue_size = 64
    allow_reuse_address = True

    def __init__(self, *arguments: Any) -> None:
        self._open: set[Any] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def cut_connections(self) -> None:
        for request in list(self._open):
            self.shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is what this stub is for; nothing is printed."""


def _handler(stub: Stub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = stub.take(self.headers.get("Idempotency-Key", ""), raw)
            if answer is None:
                self.close_connection = True
                return
            self._answer(*answer)

        def do_GET(self) -> None:
            ledger = stub.ledger
            seen = {"system": stub.name, "documents": len(ledger.effects), "doubles": ledger.doubles}
            self._answer(200, json.dumps(seen).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """The demo's screen says what happens."""

    return Handler
