"""A target system for tests: a real HTTP server that takes orders, remembers their keys and misbehaves as told."""

from __future__ import annotations

import json
import random
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate
from typing import Any


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is killed resets its connections; that is what these tests are about."""


class Receiver:
    """``effects`` counts what really happened per reference: a key seen before is answered and does nothing more.

    ``spans`` has when each request came and was done with, of the monotonic clock.
    ``unwilling`` is the share of requests answered 503; ``away`` closes every connection at once;
    ``distrusts`` answers 401, ``refuses`` 400; ``seconds`` is how long it takes to answer. ``order`` lists (lane,
    sequence) of effects as they happened, ``last_at`` is when the last one did, on the monotonic clock.
    """

    def __init__(self, port: int = 0) -> None:
        self.effects: dict[str, int] = defaultdict(int)
        self.keys: dict[str, str] = {}
        self.order: list[tuple[str, int]] = []
        self.requests = 0
        self.spans: list[tuple[float, float]] = []
        self.last_at = 0.0
        self.headers: list[dict[str, str]] = []
        self.unwilling, self.away, self.distrusts, self.deduplicates = 0.0, False, False, True
        self.refuses = False
        self.seconds = 0.0
        self._chance, self._lock = random.Random(7), threading.Lock()
        self._server = _Server(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def most_at_once(self, since: float = 0.0) -> int:
        """How many requests were here at a time, of those that came since then."""
        spans = [span for span in self.spans if span[0] >= since]
        steps = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
        return max(accumulate(step for _, step in steps), default=0)

    def most_within(self, seconds: float) -> int:
        """How many requests came within any stretch of time of that length."""
        came = sorted(start for start, _ in self.spans)
        return max((bisect_left(came, at + seconds) - number for number, at in enumerate(came)), default=0)

    def take(self, key: str, document: dict[str, Any]) -> None:
        with self._lock:
            reference = str(document.get("reference") or document.get("ref"))
            if self.deduplicates and key in self.keys:
                return
            self.keys[key] = reference
            self.effects[reference] += 1
            self.last_at = time.monotonic()
            lane, _, number = reference.partition("-")
            self.order.append((lane, int(number or 0)))

    def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version, disable_nagle_algorithm = "HTTP/1.1", True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                receiver.requests += 1
                arrived = time.monotonic()
                try:
                    self._take(body)
                finally:
                    receiver.spans.append((arrived, time.monotonic()))

            def _take(self, body: bytes) -> None:
                if receiver.away:
                    time.sleep(receiver.seconds)
                    self.close_connection = True
                    self.connection.close()
                    return
                if receiver.distrusts:
                    self._answer(401, b'{"error":"token expired"}')
                    return
                if receiver.refuses:
                    self._answer(400, b'{"error":"customer unknown"}')
                    return
                with receiver._lock:
                    refused = receiver._chance.random() < receiver.unwilling
                if refused:
                    self._answer(503, b'{"error":"busy"}')
                    return
                time.sleep(receiver.seconds)
                receiver.headers.append(dict(self.headers.items()))
                receiver.take(self.headers.get("Idempotency-Key", ""), json.loads(body))
                self._answer(200, b'{"ok":true}')

            def do_GET(self) -> None:
                key = self.path.rpartition("=")[2]
                self._answer(200, json.dumps([1] if key in receiver.keys else []).encode())

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        return Handler
