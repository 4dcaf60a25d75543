"""``broker: amqp://user:password@host:port/vhost`` or ``amqps://…``: one queue in the server's memory, pushed to
whoever waits for work, so that nobody asks and everybody is woken at once.

Nothing is confirmed and nothing is durable: a message says only that there are rows. What a worker has taken and not
yet done is in rows too, so it is acknowledged when it is taken.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress

import pika
from pika.adapters.blocking_connection import BlockingChannel

from hub.broker.wire import ANSWER_SECONDS, BOUND, guarded

# A connection over which nothing came back for so long is given up, also when no packet said so.
_SILENT_SECONDS = 6
_TCP = {"TCP_USER_TIMEOUT": 1000 * _SILENT_SECONDS, "TCP_KEEPIDLE": _SILENT_SECONDS}
_PREFETCH = 64  # what the server sends ahead to one worker
# What it says in many lines about a server that is away is told in one, by whoever uses the wire.
logging.getLogger("pika").setLevel(logging.CRITICAL)
_TRANSIENT = pika.BasicProperties(delivery_mode=1)


class RabbitWire:
    """One connection to a RabbitMQ server, with one channel. Raises ValueError for an address of none."""

    def __init__(self, url: str, queue: str, bound: int = BOUND) -> None:
        self._queue, self._bound = queue, bound
        self._parameters = pika.URLParameters(url)
        self._parameters.heartbeat = _SILENT_SECONDS
        self._parameters.socket_timeout = ANSWER_SECONDS
        self._parameters.stack_timeout = 2 * ANSWER_SECONDS
        self._parameters.blocked_connection_timeout = ANSWER_SECONDS
        self._parameters.connection_attempts = 1
        self._parameters.tcp_options = _TCP
        self._connection: pika.BlockingConnection | None = None
        self._channel: BlockingChannel | None = None

    def push(self, texts: Sequence[bytes]) -> None:
        with guarded("RabbitMQ", self.close):
            channel = self._connected()
            for text in texts:
                channel.basic_publish("", self._queue, text, _TRANSIENT)
            channel.connection.process_data_events(time_limit=0)

    def pull(self, most: int, seconds: float) -> list[bytes]:
        with guarded("RabbitMQ", self.close):
            channel = self._connected()
            found, last = [], None
            for method, _, body in channel.consume(self._queue, inactivity_timeout=seconds):
                if method is None:
                    break
                found.append(body)
                last = method.delivery_tag
                if len(found) >= most or not channel.get_waiting_message_count():
                    break
            if last is not None:
                channel.basic_ack(last, multiple=True)
            return found

    def tend(self) -> None:
        with guarded("RabbitMQ", self.close):
            self._connected().connection.process_data_events(time_limit=0)

    def close(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None and connection.is_open:
            with suppress(pika.exceptions.AMQPError, OSError):
                connection.close()

    def _connected(self) -> BlockingChannel:
        if self._channel is None or not self._channel.is_open:
            self.close()
            self._connection = pika.BlockingConnection(self._parameters)
            self._channel = self._connection.channel()
            self._channel.basic_qos(prefetch_count=_PREFETCH)
            self._channel.queue_declare(
                self._queue, durable=False, arguments={"x-max-length": self._bound, "x-overflow": "drop-head"}
            )
        return self._channel
