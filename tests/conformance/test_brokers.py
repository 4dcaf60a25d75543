"""One suite over every broker: the local one, a real Redis and a real RabbitMQ."""

from __future__ import annotations

import queue
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import dramatiq
import pytest
from broker_servers import BrokerServer

from hub.broker import QUEUE, open_wire
from hub.broker.local import LocalBroker
from hub.broker.publisher import Publisher
from hub.broker.rabbitmq import RabbitWire
from hub.broker.redis import RedisWire
from hub.broker.remote import RemoteBroker
from hub.broker.wire import WireError
from hub.errors import UsageError

# What pika leaves open of a connection that came to nothing.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
SHARED = ("redis", "rabbit")


@pytest.fixture(params=SHARED)
def server(request: pytest.FixtureRequest) -> BrokerServer:
    """A server that is up and holds nothing."""
    return _server(request)


def _server(request: pytest.FixtureRequest) -> BrokerServer:
    found: BrokerServer = request.getfixturevalue(f"{request.param}_server")
    broker = _remote(found)
    broker.flush(QUEUE)
    return found


@pytest.fixture(params=["local", *SHARED])
def broker(request: pytest.FixtureRequest) -> Iterator[dramatiq.Broker]:
    broker = LocalBroker() if request.param == "local" else _remote(_server(request))
    yield broker
    broker.close()


def _remote(server: BrokerServer) -> RemoteBroker:
    return RemoteBroker(partial(open_wire, server.url))


class Listening:
    """A worker whose two actors note what they were told."""

    def __init__(self, broker: dramatiq.Broker, work: Callable[[object], None] = lambda told: None) -> None:
        self.told: queue.Queue[object] = queue.Queue()

        def note(argument: object) -> None:
            self.told.put(argument)
            work(argument)

        self.process = dramatiq.actor(broker=broker, queue_name=QUEUE, actor_name="process")(note)
        self.deliver = dramatiq.actor(broker=broker, queue_name=QUEUE, actor_name="deliver")(note)
        self._broker = broker
        self._worker = dramatiq.Worker(broker, worker_timeout=1000, worker_threads=1)
        self._worker.start()

    def next(self, seconds: float = 10.0) -> object:
        return self.told.get(timeout=seconds)

    def until(self, wanted: object, seconds: float) -> float:
        """How long it took until that was told; whatever else is told before is passed over."""
        started = time.monotonic()
        while self.next(max(started + seconds - time.monotonic(), 0.01)) != wanted:
            pass
        return time.monotonic() - started

    def stop(self) -> None:
        self._worker.stop(timeout=5000)
        self._broker.close()


@pytest.fixture
def listening() -> Iterator[Callable[..., Listening]]:
    started: list[Listening] = []

    def start(broker: dramatiq.Broker, *rest: Callable[[object], None]) -> Listening:
        started.append(Listening(broker, *rest))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.fixture
def publishing() -> Iterator[Callable[[BrokerServer], Publisher]]:
    started: list[Publisher] = []

    def start(server: BrokerServer) -> Publisher:
        started.append(Publisher(_remote(server)))
        return started[-1]

    yield start
    for each in started:
        each.stop()


def test_what_is_enqueued_is_run_once_and_in_order(
    broker: dramatiq.Broker, listening: Callable[..., Listening]
) -> None:
    worker = listening(broker)
    for number in range(200):
        worker.process.send([number])
    assert [worker.next() for _ in range(200)] == [[number] for number in range(200)]
    assert worker.told.empty()


def test_an_idle_worker_is_woken_at_once(broker: dramatiq.Broker, listening: Callable[..., Listening]) -> None:
    worker, took = listening(broker), []
    worker.process.send("warm")
    worker.until("warm", 10)
    for number in range(15):
        worker.told.queue.clear()
        pause = time.monotonic() + 0.05  # nothing to do for a while, as at a quiet hour
        with pytest.raises(queue.Empty):
            worker.next(pause - time.monotonic())
        started = time.monotonic()
        worker.deliver.send(number)
        worker.until(number, 5)
        took.append(time.monotonic() - started)
    print(f"idle latency of {type(broker).__name__}: {1000 * statistics.median(took):.2f} ms")
    assert statistics.median(took) < 0.025


def test_due_times_are_rows(broker: dramatiq.Broker, listening: Callable[..., Listening]) -> None:
    with pytest.raises(ValueError, match="due times are rows"):
        listening(broker).process.send_with_options(args=([1],), delay=1000)


def test_what_fails_is_not_run_again(broker: dramatiq.Broker, listening: Callable[..., Listening]) -> None:
    def work(told: object) -> None:
        if told == [1]:
            raise RuntimeError("a mistake")

    worker = listening(broker, work)
    for number in (1, 2, 3):
        worker.process.send([number])
    assert [worker.next() for _ in range(3)] == [[1], [2], [3]]
    assert worker.told.empty()


def test_a_full_queue_drops_the_oldest(server: BrokerServer) -> None:
    wire = type(open_wire(server.url))(server.url, "small", 3)  # type: ignore[call-arg]
    wire.push([b"1", b"2", b"3", b"4", b"5"])
    pulled: list[bytes] = []
    while found := wire.pull(10, 0.3):
        pulled += found
    assert pulled == [b"3", b"4", b"5"]
    wire.close()


def test_a_busy_worker_leaves_the_rest_to_others(server: BrokerServer, listening: Callable[..., Listening]) -> None:
    gate: queue.Queue[None] = queue.Queue()
    busy = listening(_remote(server), lambda _: gate.get(timeout=20))
    for number in range(400):
        busy.process.send([number])
    busy.next()
    try:
        free = listening(_remote(server))
        free.until([399], 10)
        assert busy.told.empty()
    finally:
        for _ in range(400):
            gate.put(None)


def test_many_ids_travel_in_one_message(
    server: BrokerServer, listening: Callable[..., Listening], publishing: Callable[[BrokerServer], Publisher]
) -> None:
    worker, publisher = listening(_remote(server)), publishing(server)
    for start in range(0, 1000, 10):
        publisher.process(range(start, start + 10))
    told: list[int] = []
    messages = 0
    while len(told) < 1000:
        told += worker.next()  # type: ignore[arg-type]
        messages += 1
    assert sorted(told) == list(range(1000))
    assert messages < 60


def test_both_sides_may_start_before_the_broker(
    server: BrokerServer, listening: Callable[..., Listening], publishing: Callable[[BrokerServer], Publisher]
) -> None:
    server.stop()
    worker, publisher = listening(_remote(server)), publishing(server)
    publisher.process([7])
    publisher.pump("erp")
    assert worker.told.empty()
    server.start()
    told = [worker.next(5), worker.next(5)]
    assert [7] in told
    assert "erp" in told


def test_a_broker_that_was_restarted_is_in_use_again_within_seconds(
    server: BrokerServer, listening: Callable[..., Listening], publishing: Callable[[BrokerServer], Publisher]
) -> None:
    worker, publisher = listening(_remote(server)), publishing(server)
    publisher.process([1])
    worker.until([1], 10)
    server.stop()
    server.start()
    deadline = time.monotonic() + 5
    while True:  # as the sweeper does: what was lost is offered again
        assert time.monotonic() < deadline
        publisher.process([2])
        try:
            worker.until([2], 0.3)
            break
        except queue.Empty:
            continue


def test_nobody_waits_for_a_broker_that_does_not_answer(
    server: BrokerServer, listening: Callable[..., Listening], publishing: Callable[[BrokerServer], Publisher]
) -> None:
    worker, publisher = listening(_remote(server)), publishing(server)
    publisher.process([1])
    worker.until([1], 10)
    server.pause()
    try:
        started, longest = time.monotonic(), 0.0
        while time.monotonic() < started + 9:  # longer than any time-out of the connections
            before = time.monotonic()
            publisher.process([2])
            publisher.pump("erp")
            longest = max(longest, time.monotonic() - before)
            with suppress(queue.Empty):  # what was under way when the server stopped may still come
                worker.told.get(timeout=0.05)
    finally:
        server.go_on()
    assert longest < 0.5
    publisher.process([3])
    began = time.monotonic()
    while time.monotonic() < began + 5:
        told = worker.next(5)
        if isinstance(told, list) and 3 in told:
            break
    else:
        raise AssertionError("not told within 5 s")


def test_an_emptied_broker_goes_on_with_what_comes(
    server: BrokerServer, listening: Callable[..., Listening], publishing: Callable[[BrokerServer], Publisher]
) -> None:
    publisher = publishing(server)
    worker = listening(_remote(server))
    publisher.process([1])
    worker.until([1], 10)
    server.flush()
    publisher.process([2])
    worker.until([2], 5)
    assert publisher.dropped == 0


def test_ids_beyond_what_is_kept_are_dropped_and_counted(server: BrokerServer) -> None:
    server.stop()
    publisher = Publisher(_remote(server), kept=100)
    try:
        for number in range(1000):
            publisher.process([number])
        assert publisher.dropped >= 900 - 128
    finally:
        publisher.stop()
        server.start()


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_server_that_accepts_and_never_says_a_word_is_away(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        wire = open_wire(f"{scheme}://127.0.0.1:{mute.getsockname()[1]}/")
        for act in (lambda: wire.pull(1, 0.1), lambda: wire.push([b"1"]), wire.tend):
            with pytest.raises(WireError):
                act()


@pytest.mark.parametrize(("scheme", "said"), [("redis", "Redis: Error 111"), ("amqp", "RabbitMQ: AMQPConnectionError")])
def test_a_server_that_refuses_a_connection_is_away_for_a_reason(scheme: str, said: str) -> None:
    with pytest.raises(WireError, match=said):
        open_wire(f"{scheme}://127.0.0.1:1/").tend()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://127.0.0.1:port/0", "not an address of a Redis server"),
        ("amqp://127.0.0.1:port/", "not an address of a RabbitMQ server"),
        ("kafka://127.0.0.1/", "expected redis://… or amqp://…"),
    ],
)
def test_an_address_that_cannot_be_is_refused(url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        open_wire(url)


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
@pytest.mark.parametrize("password", ["S3cret#x", "S3cret/x", "S3cret?x", "5172/x", "S3\uff1acret"])
def test_an_address_whose_password_is_not_escaped_is_refused_without_it(scheme: str, password: str) -> None:
    with pytest.raises(UsageError, match="with %40, %2F, %23 and %3F for @, /, # and \\? in the password") as raised:
        open_wire(f"{scheme}://hub:{password}@127.0.0.1/")
    assert "cret" not in str(raised.value) and "5172" not in str(raised.value)


def test_what_is_no_address_at_all_is_not_shown() -> None:
    with pytest.raises(UsageError, match=r"got another address$"):
        open_wire("a-password-alone")


def test_an_address_whose_password_is_escaped_is_taken_as_it_is_meant() -> None:
    redis, rabbit = (open_wire(f"{scheme}://hub:5172%2F%23%40%3F@127.0.0.1/") for scheme in ("redis", "amqp"))
    assert isinstance(redis, RedisWire) and isinstance(rabbit, RabbitWire)
    meant = redis._redis.connection_pool.connection_kwargs
    assert (meant["username"], meant["password"], meant["host"]) == ("hub", "5172/#@?", "127.0.0.1")
    assert (rabbit._parameters.credentials.password, rabbit._parameters.host) == ("5172/#@?", "127.0.0.1")
