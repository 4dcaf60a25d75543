"""What stands between a sender and a receiver: passes on, keeps a copy, holds back or refuses where it is told to."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Posted = tuple[str, dict[str, str], bytes]  # path, headers, body
_HOP = {"host", "connection", "content-length", "transfer-encoding", "keep-alive", "expect", "accept-encoding"}


class Forwarder:
    """``posted`` has every request in the order it came. While ``holding`` they are answered 202 and passed on later,
    by ``send``; while ``refusing``, 503, and never; else the sender gets the receiver's own answer."""

    def __init__(self, port: int) -> None:
        self.posted: list[Posted] = []
        self.holding = self.refusing = False
        self._to_port = port
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def send(self, posted: Posted) -> tuple[int, bytes]:
        """Pass one on, once more or for the first time; gives the receiver's answer."""
        path, headers, body = posted
        connection = http.client.HTTPConnection("127.0.0.1", self._to_port, timeout=30)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _handler(forwarder: Forwarder) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
                posted = (self.path, headers, body)
                instead = (503, b"") if forwarder.refusing else (202, b"{}") if forwarder.holding else None
                forwarder.posted.append(posted)
                status, answer = instead or self._passed_on(posted)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def _passed_on(self, posted: Posted) -> tuple[int, bytes]:
                try:
                    return forwarder.send(posted)
                except OSError:
                    return 502, b""

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        return Handler
