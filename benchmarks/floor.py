"""The floor: what an order costs at least, as the sum of its primitives, each measured alone.

    python -m benchmarks.floor [--busy]

The list is fixed. None of it is the hub's own code but the schemas it validates against: it says what Python and these
libraries ask for the work, batched as well as it can be, before anything is made general. The hub's CPU per order is
compared with this sum. ``--busy`` only transforms orders, until it is ended: so the floor can be measured once more
beside a core that works, as the hub is, since a core is slower beside one.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import cast

import apsw
import dramatiq
import msgspec
import uvloop
import zstandard
from dramatiq.brokers.stub import StubBroker

from benchmarks.byhand import canonical_order
from benchmarks.orders import OrderBook, Signed
from benchmarks.processes import free_port, listens, module, started
from benchmarks.trial import Load, Rig, rig
from hub.project import reference_files
from hub.schemas import SchemaSet

GROUP = 128
ORDERS = 6_400
ROUNDS = 5
CONNECTIONS = 64
_LOADED_SECONDS = 2.0  # of CPU, until the process beside does nothing but transform

_TABLES = """
CREATE TABLE receipts (seq INTEGER PRIMARY KEY, receipt_id TEXT NOT NULL UNIQUE, source TEXT NOT NULL,
  dedupe_key TEXT NOT NULL, event TEXT NOT NULL, received_at REAL NOT NULL, raw BLOB NOT NULL,
  UNIQUE (source, dedupe_key));
CREATE TABLE deliveries (seq INTEGER PRIMARY KEY, state TEXT NOT NULL, ended_at REAL);
CREATE TABLE attempts (delivery INTEGER NOT NULL, number INTEGER NOT NULL, started_at REAL NOT NULL,
  ended_at REAL NOT NULL, outcome TEXT NOT NULL, status INTEGER NOT NULL, response BLOB,
  PRIMARY KEY (delivery, number)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Primitive:
    """One part of the floor and its CPU in µs an order."""

    name: str
    cpu_us: float


def measure(place: Rig) -> list[Primitive]:
    """Every primitive, the median of some rounds, in the order an order meets them."""
    with rounds(place) as once:
        return middle([once() for _ in range(ROUNDS)])


def middle(measured: Sequence[Sequence[Primitive]]) -> list[Primitive]:
    """The median of each primitive over some rounds."""
    return [Primitive(same[0].name, median(each.cpu_us for each in same)) for same in zip(*measured, strict=True)]


@contextmanager
def rounds(place: Rig) -> Iterator[Callable[[], list[Primitive]]]:
    """A call that measures every primitive once, in the order an order meets them."""
    orders = _orders()
    with _http_in(place) as first, _Database(place.folder / "floor.db") as database:
        rows = _Transformation(orders)
        works: dict[str, Callable[[], float]] = {
            "HTTP in with HMAC (bare ASGI callable)": first,
            f"commit with zstd, {GROUP} rows": lambda: _cpu(lambda: database.insert(orders)),
            "load (look-up in the process)": lambda: _cpu(rows.load),
            "parse, validate, map by hand, dump": lambda: _cpu(rows.transform),
            "POST out (bare protocol)": lambda: uvloop.run(_post_all(place.sink_port, rows.dumped)),
            f"result rows, {GROUP} a commit": lambda: _cpu(lambda: database.finish(len(orders))),
            "broker, 64 ids a message": _broker,
        }
        yield lambda: [Primitive(name, work()) for name, work in works.items()]


@contextmanager
def busy_core(place: Rig) -> Iterator[None]:
    """A process beside that transforms orders as long as the block."""
    with started("busy", module("benchmarks.floor", "--busy"), place.folder) as beside:
        beside.wait_until(lambda: beside.cpu_seconds() > _LOADED_SECONDS)
        yield


def _orders() -> list[Signed]:
    book = OrderBook()
    return [book.signed(number) for number in range(ORDERS)]


def total(primitives: Sequence[Primitive]) -> float:
    return sum(primitive.cpu_us for primitive in primitives)


def _cpu(work: Callable[[], None]) -> float:
    """CPU µs an order of something that handles ORDERS of them; what the kernel does for it counts."""
    before = time.process_time()
    work()
    return (time.process_time() - before) / ORDERS * 1e6


@contextmanager
def _http_in(place: Rig) -> Iterator[Callable[[], float]]:
    """The bare ASGI callable behind uvicorn, asked by the load generator: CPU of the server alone."""
    port, load = free_port(), Load(orders=ORDERS * 3)
    with started("bare", module("benchmarks.bare", "--port", port), place.folder) as server:
        server.wait_until(lambda: listens(port))
        yield lambda: place.ingest(server, f"http://127.0.0.1:{port}/in/webshop", load)


class _Database:
    """SQLite as the hub uses it: WAL, FULL, one writer; tables with no more than the floor needs."""

    def __init__(self, path: Path) -> None:
        self._db = apsw.Connection(str(path))
        self._zstd = zstandard.ZstdCompressor(level=1)
        self._rounds = 0
        self._finished = 0

    def __enter__(self) -> _Database:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute(_TABLES)
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def insert(self, orders: Sequence[Signed]) -> None:
        """The receipts of one round, compressed, with their unique keys; the state row of each beside it."""
        self._rounds += 1
        for start in range(0, len(orders), GROUP):
            rows = [self._row(order) for order in orders[start : start + GROUP]]
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(
                "INSERT INTO receipts (receipt_id, source, dedupe_key, event, received_at, raw) "
                "VALUES (?, 'webshop', ?, 'orders/create', ?, ?) ON CONFLICT DO NOTHING",
                rows,
            )
            self._db.executemany("INSERT INTO deliveries (state) VALUES (?)", [("queued",)] * len(rows))
            self._db.execute("COMMIT")

    def _row(self, order: Signed) -> tuple[str, str, float, bytes]:
        key = f"{self._rounds}-{order.webhook_id.decode()}"
        return key, key, time.time(), self._zstd.compress(order.body)

    def finish(self, count: int) -> None:
        """The end of each delivery and the row of its attempt."""
        for start in range(self._finished + 1, self._finished + count, GROUP):
            now = time.time()
            numbers = range(start, start + GROUP)
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(
                "UPDATE deliveries SET state = 'delivered', ended_at = ? WHERE seq = ? AND state = 'queued'",
                [(now, number) for number in numbers],
            )
            self._db.executemany(
                "INSERT INTO attempts VALUES (?, 1, ?, ?, 'delivered', 200, ?)",
                [(number, now, now, b'{"status":"created"}') for number in numbers],
            )
            self._db.execute("COMMIT")
        self._finished += count


class _Transformation:
    """Bytes in, bytes out: decoded with exact decimals, mapped by hand, validated, encoded."""

    def __init__(self, orders: Sequence[Signed]) -> None:
        self._orders = orders
        self._cache: dict[int, bytes] = {}
        self._decode = msgspec.json.Decoder(float_hook=Decimal).decode
        self._encode = msgspec.json.Encoder().encode
        self._schemas = SchemaSet({k: v for k, v in reference_files().items() if k.startswith("schemas/")})
        self.dumped: list[bytes] = []

    def load(self) -> None:
        for number, order in enumerate(self._orders):
            self._cache[number] = order.body
        for number in range(len(self._orders)):
            self._cache.pop(number)

    def transform(self) -> None:
        self.dumped = [self._one(order.body) for order in self._orders]

    def _one(self, body: bytes) -> bytes:
        document = canonical_order(self._decode(body))
        if not self._schemas.is_valid("canonical/order", document):
            raise ValueError("the order mapped by hand is not a valid canonical order")
        return self._encode(document)


class _Sending(asyncio.Protocol):
    """One connection that posts one body after the other."""

    def __init__(self, bodies: list[bytes], left: list[int], done: asyncio.Event) -> None:
        self._bodies, self._left, self._done = bodies, left, done
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def _next(self) -> None:
        if self._bodies:
            body = self._bodies.pop()
            self._transport.write(
                b"POST /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                b"Idempotency-Key: 0198\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            )

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._buffer.endswith(b"}"):
            return
        if not self._buffer.startswith(b"HTTP/1.1 200"):
            raise ValueError("the sink refused an order of the floor")
        self._buffer = b""
        self._left[0] -= 1
        if not self._left[0]:
            self._done.set()
        self._next()


async def _post_all(port: int, bodies: Sequence[bytes]) -> float:
    """CPU µs an order of posting them all over 64 connections."""
    loop, done, left, waiting = asyncio.get_running_loop(), asyncio.Event(), [len(bodies)], list(bodies)
    before = time.process_time()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: _Sending(waiting, left, done), "127.0.0.1", port)
    await asyncio.wait_for(done.wait(), 60)
    return (time.process_time() - before) / len(bodies) * 1e6


def _broker() -> float:
    """dramatiq in this process, 64 ids a message: enqueue, take, call, acknowledge."""
    broker = StubBroker(middleware=[])
    seen: list[int] = []

    @dramatiq.actor(broker=broker, actor_name="process")
    def process(ids: list[int]) -> None:
        seen.extend(ids)

    worker = dramatiq.Worker(broker, worker_timeout=100, worker_threads=1)
    worker.start()
    before = time.process_time()
    for start in range(0, ORDERS, 64):
        process.send(list(range(start, start + 64)))
    while len(seen) < ORDERS:
        time.sleep(0.005)
    used = time.process_time() - before
    worker.stop()
    return used / ORDERS * 1e6


def describe(primitives: Sequence[Primitive]) -> str:
    """The floor as lines of text."""
    lines = [f"  {primitive.name:<44}{primitive.cpu_us:8.1f} µs" for primitive in primitives]
    return "\n".join([*lines, f"  {'sum':<44}{total(primitives):8.1f} µs"])


def main() -> None:
    parser = argparse.ArgumentParser(description="The cost of an order's primitives")
    parser.add_argument("--busy", action="store_true", help="only keep a core busy, until ended")
    if parser.parse_args().busy:
        work = _Transformation(_orders())
        while True:
            work.transform()
    with tempfile.TemporaryDirectory(prefix="o2c-bench-") as folder, rig(Path(folder)) as place:
        print(describe(measure(place)))


if __name__ == "__main__":
    main()
