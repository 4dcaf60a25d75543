"""The receiver of the benchmark: an HTTP server that answers at once and remembers when it first saw each order.

    python -m benchmarks.sink --port 9900

Every request but a GET is a delivery. It is driven by GETs:

    /state                 counts as JSON
    /times?first=N&count=M when orders N… were first seen, monotonic seconds, as native doubles (0.0: never)
    /refuse?share=0.2      answer 503 to that share of the deliveries, evenly spread; with &final=1 answer 422
    /away?seconds=5        answer nobody for so long: connections are cut, new ones refused
    /reset                 forget everything
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from array import array
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import parse_qsl, urlsplit

import uvloop

from benchmarks.orders import DIGITS, MARK

_CREATED = b'{"status":"created"}'
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(_CREATED), _CREATED)
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
_NEVER = b"HTTP/1.1 422 Unprocessable Content\r\nContent-Length: 0\r\n\r\n"
_GROW = array("d", bytes(8 * 65_536))
_MARK_LENGTH = len(MARK)


@dataclass(slots=True)
class Ledger:
    """What arrived. ``seen[number]`` is the monotonic time of the first arrival, 0.0 for none."""

    seen: array[float] = field(default_factory=lambda: array("d", _GROW))
    orders: int = 0
    duplicates: int = 0
    unknown: int = 0
    refused: int = 0
    refuse_share: float = 0.0
    refusal: bytes = _BUSY
    _debt: float = 0.0

    def refuses(self) -> bool:
        """Whether the next delivery is refused, so that exactly the share asked for is."""
        self._debt += self.refuse_share
        if self._debt < 1.0:
            return False
        self._debt -= 1.0
        self.refused += 1
        return True

    def arrived(self, data: bytes) -> None:
        """Count one delivery, by the order number found anywhere in it."""
        at = data.find(MARK)
        if at < 0:
            self.unknown += 1
            return
        number = int(data[at + _MARK_LENGTH : at + _MARK_LENGTH + DIGITS])
        while number >= len(self.seen):
            self.seen.extend(_GROW)
        if self.seen[number]:
            self.duplicates += 1
        else:
            self.seen[number] = time.monotonic()
            self.orders += 1

    def state(self) -> bytes:
        counts = {name: getattr(self, name) for name in ("orders", "duplicates", "unknown", "refused")}
        return json.dumps(counts).encode()


class Door(asyncio.Protocol):
    """One connection. Requests may come in any cut; a whole one in one piece takes the short way."""

    __slots__ = ("_buffer", "_sink", "_transport")

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._sink.open.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._sink.open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        while (length := request_length(data)) and length <= len(data):
            self._answer(data[:length] if length < len(data) else data)
            data = data[length:]
        self._buffer = data

    def _answer(self, request: bytes) -> None:
        if request.startswith(b"GET "):
            self._transport.write(self._sink.control(request.split(b" ", 2)[1].decode()))
        elif self._sink.ledger.refuse_share and self._sink.ledger.refuses():
            self._transport.write(self._sink.ledger.refusal)
        else:
            self._sink.ledger.arrived(request)
            self._transport.write(_OK)


def request_length(data: bytes) -> int:
    """Bytes of the first request in ``data``, 0 while its head is incomplete. Chunked bodies are not understood."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return 0
    head = data[:end]
    at = head.find(b"ontent-Length:")
    if at < 0:
        at = head.lower().find(b"ontent-length:")
    return end + 4 + (int(head[at + 14 :].split(b"\r", 1)[0]) if at >= 0 else 0)


class Sink:
    """The server: its ledger, its open connections and what the benchmark tells it to do."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.ledger = Ledger()
        self.open: set[asyncio.Transport] = set()
        self._server: asyncio.Server | None = None
        self._absence: asyncio.Task[None] | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Door(self), "127.0.0.1", self.port, backlog=1024)

    def control(self, target: str) -> bytes:
        """Do what a GET asks for and give the whole answer."""
        url = urlsplit(target)
        query = dict(parse_qsl(url.query))
        if url.path == "/times":
            first = int(query["first"])
            return _answer_of(self.ledger.seen[first : first + int(query["count"])].tobytes())
        if url.path == "/refuse":
            self.ledger.refuse_share = float(query["share"])
            self.ledger.refusal = _NEVER if "final" in query else _BUSY
        elif url.path == "/away":
            self._absence = asyncio.get_running_loop().create_task(self._be_away(float(query["seconds"])))
        elif url.path == "/reset":
            self.ledger = Ledger()
        elif url.path != "/state":
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        return _answer_of(self.ledger.state())

    async def _be_away(self, seconds: float) -> None:
        assert self._server
        await asyncio.sleep(0)  # the answer to the one who asked goes out first
        self._server.close()
        for transport in list(self.open):
            transport.close()
        await asyncio.sleep(seconds)
        await self.start()


def _answer_of(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def serve(port: int) -> None:
    """Receive until the process is ended."""
    await Sink(port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="The receiver of the benchmark")
    arguments.add_argument("--port", type=int, required=True)
    uvloop.run(serve(arguments.parse_args().port))
