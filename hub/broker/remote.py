"""A dramatiq broker over a server that several processes share. Consumers come back by themselves when it was away."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import dramatiq

from hub.broker.wire import Wire, WireError
from hub.loggers import structlog

_log = structlog.get_logger("broker")
# A connection that cannot be made is tried again so soon: a server that is back is in use within a second.
AGAIN_SECONDS = 0.5


class RemoteBroker(dramatiq.Broker):
    """``connect`` gives a wire of its own to each consumer and one to all that enqueue here."""

    def __init__(self, connect: Callable[[], Wire]) -> None:
        super().__init__(middleware=[])
        self._connect = connect
        self._wire = connect()
        self._lock = threading.Lock()
        self.queues: dict[str, None] = {}

    def declare_queue(self, queue_name: str) -> None:
        if queue_name not in self.queues:
            self.queues[queue_name] = None
            self.emit_after("declare_queue", queue_name)

    def enqueue(self, message: Any, *, delay: int | None = None) -> Any:
        """Raises WireError while the server is away."""
        if delay is not None:
            raise ValueError("due times are rows, never delays of the broker")
        self.push([message])
        return message

    def push(self, messages: Iterable[Any]) -> None:
        """Several messages in one go. Raises WireError while the server is away."""
        with self._lock:
            self._wire.push([message.encode() for message in messages])

    def tend(self) -> None:
        """Keep the connection that is pushed over alive. Raises WireError when it is lost."""
        with self._lock:
            self._wire.tend()

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 100) -> RemoteConsumer:
        return RemoteConsumer(self._connect(), prefetch, timeout / 1000)

    def get_declared_queues(self) -> set[str]:
        return set(self.queues)

    def get_declared_delay_queues(self) -> set[str]:
        return set()

    def flush(self, queue_name: str) -> None:
        wire = self._connect()
        while wire.pull(1000, 0.1):
            pass
        wire.close()

    def flush_all(self) -> None:
        for queue_name in self.queues:
            self.flush(queue_name)

    def join(self, queue_name: str, *, timeout: int | None = None) -> None:
        raise NotImplementedError("what is left to do is in the store, not in the broker")

    def close(self) -> None:
        with self._lock:
            self._wire.close()


class RemoteConsumer(dramatiq.Consumer):
    """Gives messages as they come, never more than ``prefetch`` that are not done yet, so that no worker hoards."""

    def __init__(self, wire: Wire, prefetch: int, seconds: float) -> None:
        self._wire, self._prefetch, self._seconds = wire, prefetch, seconds
        self._taken: deque[bytes] = deque()
        self._open = 0
        self._done = threading.Condition()
        self._away = False

    def ack(self, message: Any) -> None:
        with self._done:
            self._open -= 1
            self._done.notify()

    def nack(self, message: Any) -> None:
        """What failed is still a row, and the sweeper offers it again."""
        self.ack(message)

    def requeue(self, messages: Iterable[Any]) -> None:
        """At shutdown: others are told of what was taken and not begun with."""
        texts = [*(message.encode() for message in messages), *self._taken]
        self._taken.clear()
        with suppress(WireError):  # the sweeper finds the rows
            self._wire.push(texts) if texts else None

    def __next__(self) -> Any:
        """The next message; None when none came for a while, or no more may be taken yet."""
        if not self._taken:
            self._pull()
        if not self._taken:
            return None
        try:
            message = dramatiq.Message.decode(self._taken.popleft())
        except dramatiq.DecodeError:
            _log.warning("a message in the broker is not the hub's and is left out")
            return None
        with self._done:
            self._open += 1
        return dramatiq.MessageProxy(message)

    def _pull(self) -> None:
        try:
            room = self._room()
            self._taken.extend(self._wire.pull(room, self._seconds) if room > 0 else ())
            self._noticed(None)
        except WireError as error:
            self._noticed(error)
            time.sleep(AGAIN_SECONDS)

    def _room(self) -> int:
        """For how many there is room, waited for as long as for a message."""
        with self._done:
            if self._open >= self._prefetch and not self._done.wait(min(self._seconds, 1.0)):
                self._wire.tend()
            return self._prefetch - self._open

    def _noticed(self, error: WireError | None) -> None:
        if error is not None and not self._away:
            _log.warning("the broker is away; what it would bring is found by the sweeper", reason=str(error))
        if error is None and self._away:
            _log.info("the broker is back")
        self._away = error is not None

    def close(self) -> None:
        self._wire.close()
