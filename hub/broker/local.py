"""``broker: local``: ids in the memory of this process. When it is full a message is dropped: the sweeper finds the
rows it spoke of."""

from __future__ import annotations

import queue
from collections.abc import Iterable
from typing import Any

import dramatiq
from dramatiq.common import current_millis

_BOUND = 10_000


class LocalBroker(dramatiq.Broker):
    """In this process: no retries, no delays, no dead letters; those are rows."""

    def __init__(self) -> None:
        super().__init__(middleware=[])
        self.queues: dict[str, queue.Queue[Any]] = {}
        self.dropped = 0

    def declare_queue(self, queue_name: str) -> None:
        if queue_name not in self.queues:
            self.queues[queue_name] = queue.Queue(_BOUND)

    def enqueue(self, message: Any, *, delay: int | None = None) -> Any:
        if delay is not None:
            raise ValueError("due times are rows, never delays of the broker")
        try:
            self.queues[message.queue_name].put_nowait(message)
        except queue.Full:
            self.dropped += 1
        return message

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 100) -> _LocalConsumer:
        return _LocalConsumer(self.queues[queue_name], timeout)

    def get_declared_queues(self) -> set[str]:
        return set(self.queues)

    def get_declared_delay_queues(self) -> set[str]:
        return set()

    def flush(self, queue_name: str) -> None:
        waiting = self.queues[queue_name]
        while not waiting.empty():
            waiting.get_nowait()

    def flush_all(self) -> None:
        for queue_name in self.queues:
            self.flush(queue_name)

    def join(self, queue_name: str, *, timeout: int | None = None) -> None:
        deadline = None if timeout is None else current_millis() + timeout
        while not self.queues[queue_name].empty() and (deadline is None or current_millis() < deadline):
            pass


class _LocalConsumer(dramatiq.Consumer):
    def __init__(self, waiting: queue.Queue[Any], timeout: int) -> None:
        self._waiting, self._timeout = waiting, timeout / 1000

    def ack(self, message: Any) -> None:
        """Nothing to do: a local message is gone once it was taken."""

    def nack(self, message: Any) -> None:
        """Nothing to do: what failed is still a row, and the sweeper offers it again."""

    def requeue(self, messages: Iterable[Any]) -> None:
        """At shutdown: the rows are still there."""

    def __next__(self) -> Any:
        try:
            return dramatiq.MessageProxy(self._waiting.get(timeout=self._timeout))
        except queue.Empty:
            return None
