"""The load generator: signed webhooks over N keep-alive connections, in a closed loop or in an open one.

    python -m benchmarks.load --url http://127.0.0.1:8420/in/webshop --seconds 10 --connections 64 [--rate 2000]

Closed: each connection sends the next order when the last one is answered. Open (``--rate``): orders fall due at fixed
times and wait for a free connection if there is none; their time counts from when they fell due, so that a slow hub
cannot make itself look fast by being asked less often.

An answer outside 2xx is counted; the connection waits a moment and sends the same order again, as a shop would.
Plain sockets under epoll: signing and bookkeeping cost 6 µs an order, the rest is the kernel's, as for any generator.
"""

from __future__ import annotations

import argparse
import heapq
import json
import select
import socket
import time
from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.orders import OrderBook

PAUSE_SECONDS = 0.02  # after a refusal
TICK_SECONDS = 0.002  # of the open loop: what falls due within a tick goes out together, at its start
PATIENCE_SECONDS = 30.0  # for the answers still out when nothing else is to be sent


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send: orders from number ``first`` on, until ``orders`` are accepted or ``seconds`` are over, spread over
    so many ``topics``."""

    url: str
    first: int = 0
    orders: int = 0
    seconds: float = 0.0
    connections: int = 64
    rate: float = 0.0
    topics: int = 1


@dataclass(slots=True)
class Tally:
    """What was answered. ``seconds`` is the time from the first order sent to the last one answered."""

    accepted: int = 0
    refused: int = 0
    lost: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    cpu_us_per_request: float = 0.0
    answer_ms_p50: float = 0.0
    answer_ms_p99: float = 0.0


class Line:
    """One connection: at most one order is out on it."""

    __slots__ = ("buffer", "number", "recv", "send", "sent_at", "socket")

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(None)  # a time-out would cost a poll before each call
        self.recv: Callable[[int], bytes] = self.socket.recv
        self.send = self.socket.sendall
        self.buffer = b""
        self.number = -1
        self.sent_at = 0.0


class Generator:
    """Sends a plan's orders. ``sent[i]`` is the monotonic time at which order ``first + i`` was sent or fell due."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.sent = array("d")
        self.tally = Tally()
        self._answers = array("d")
        self._numbers = count(plan.first)
        self._due: deque[tuple[int, float]] = deque()
        self._idle: deque[Line] = deque()
        self._again: list[tuple[float, int, Line]] = []
        self._out = 0
        self._book = OrderBook()
        url = urlsplit(plan.url)
        self._path = url.path.encode()
        self._address = (url.hostname or "127.0.0.1", url.port or 80)

    def run(self) -> Tally:
        """Connect, send everything, wait for the last answer."""
        self._poll = select.epoll()
        self._lines = {
            line.socket.fileno(): line for line in (Line(self._address) for _ in range(self.plan.connections))
        }
        for number in self._lines:
            self._poll.register(number, select.EPOLLIN)
        started, cpu = time.monotonic(), time.process_time()
        self._ends_at = started + self.plan.seconds if self.plan.seconds else float("inf")
        if self.plan.rate:
            self._open_loop()
        else:
            self._closed_loop()
        self._finish(time.monotonic() - started, time.process_time() - cpu)
        return self.tally

    def _closed_loop(self) -> None:
        for line in self._lines.values():
            self._send_next(line)
        self._until_answered()

    def _open_loop(self) -> None:
        self._idle.extend(self._lines.values())
        tick_at, due, more = time.monotonic(), 0.0, True
        while (more or self._due) and self._lines:
            due += self.plan.rate * TICK_SECONDS
            while more and due >= 1.0:
                due -= 1.0
                more = (number := self._next_number(tick_at)) >= 0
                if more:
                    self._due.append((number, tick_at))
            while self._due and self._idle:
                self._send(self._idle.popleft(), *self._due.popleft())
            tick_at += TICK_SECONDS
            time.sleep(max(0.0, tick_at - time.monotonic()))
            self._turn(0.0)
        self._until_answered()

    def _until_answered(self) -> None:
        deadline = max(self._ends_at, time.monotonic()) + PATIENCE_SECONDS
        while self._out and self._lines and time.monotonic() < deadline:
            self._turn(PAUSE_SECONDS)

    def _turn(self, timeout: float) -> None:
        """Take every answer there is, and send again what was refused a moment ago."""
        for number, _ in self._poll.poll(timeout):
            self._receive(self._lines[number])
        while self._again and self._again[0][0] <= time.monotonic():
            self._send_again(heapq.heappop(self._again)[2])

    def _next_number(self, now: float) -> int:
        """The next order to send, -1 when the plan is fulfilled."""
        number = next(self._numbers)
        if now >= self._ends_at or (self.plan.orders and number >= self.plan.first + self.plan.orders):
            return -1
        return number

    def _send_next(self, line: Line) -> None:
        now = time.monotonic()
        number = self._next_number(now)
        if number >= 0:
            self._send(line, number, now)

    def _send(self, line: Line, number: int, at: float) -> None:
        self.sent.append(at)  # numbers are handed out in order, so the place is number - first
        self._out += 1
        line.number, line.sent_at = number, at
        line.send(self._book.request(number, self._path, self.plan.topics))

    def _send_again(self, line: Line) -> None:
        """The same order once more. In a closed loop its time starts anew: the refused one never was in the hub."""
        if not self.plan.rate:
            line.sent_at = self.sent[line.number - self.plan.first] = time.monotonic()
        line.send(self._book.request(line.number, self._path, self.plan.topics))

    def _receive(self, line: Line) -> None:
        try:
            data = line.recv(65_536)
        except ConnectionError:
            data = b""
        if not data:
            self._lose(line)
            return
        line.buffer += data
        if is_whole(line.buffer):
            answer, line.buffer = line.buffer, b""
            self._answered(line, answer)

    def _answered(self, line: Line, answer: bytes) -> None:
        if answer[9:10] != b"2":
            self.tally.refused += 1
            status = answer[9:12].decode()
            self.tally.statuses[status] = self.tally.statuses.get(status, 0) + 1
            heapq.heappush(self._again, (time.monotonic() + PAUSE_SECONDS, line.number, line))
            return
        self.tally.accepted += 1
        self._answers.append(time.monotonic() - line.sent_at)
        self._out -= 1
        if self.plan.rate:
            self._idle.append(line)
        else:
            self._send_next(line)

    def _lose(self, line: Line) -> None:
        """The other side hung up: whatever was out on this connection was not acknowledged."""
        self._again = [entry for entry in self._again if entry[2] is not line]
        heapq.heapify(self._again)
        self._poll.unregister(line.socket.fileno())
        del self._lines[line.socket.fileno()]
        if line in self._idle:
            self._idle.remove(line)
        else:
            self._out -= 1
            self.tally.lost += 1
        line.socket.close()

    def _finish(self, seconds: float, cpu: float) -> None:
        for line in self._lines.values():
            line.socket.close()
        self.tally.seconds = seconds
        self.tally.cpu_us_per_request = cpu / max(self.tally.accepted + self.tally.refused, 1) * 1e6
        if answers := sorted(self._answers):
            self.tally.answer_ms_p50 = answers[len(answers) // 2] * 1000
            self.tally.answer_ms_p99 = answers[len(answers) * 99 // 100] * 1000


def is_whole(data: bytes) -> bool:
    """Whether ``data`` is one complete answer with a Content-Length."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    at = data.find(b"ontent-length:", 0, end)
    if at < 0:
        at = data[:end].lower().find(b"ontent-length:")
    length = int(data[at + 14 : end].split(b"\r", 1)[0]) if at >= 0 else 0
    return len(data) >= end + 4 + length


def main() -> None:
    parser = argparse.ArgumentParser(description="Signed webhooks, closed or open loop")
    parser.add_argument("--url", required=True)
    whole, real = ("first", "orders", "connections", "topics"), ("seconds", "rate")
    for name, kind in [*((name, int) for name in whole), *((name, float) for name in real)]:
        parser.add_argument(f"--{name}", type=kind, default=getattr(Plan(url=""), name))
    parser.add_argument("--times", type=Path, help="write when each order was sent, as native doubles")
    options: dict[str, Any] = vars(parser.parse_args())
    times: Path | None = options.pop("times")
    generator = Generator(Plan(**options))
    tally = generator.run()
    if times:
        times.write_bytes(generator.sent.tobytes())
    print(json.dumps(asdict(tally)))


if __name__ == "__main__":
    main()
