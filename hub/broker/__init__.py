"""The wake-up queue: dramatiq on a small bounded broker of ours. It only says that there is work; the rows are it.

One line of ``config/hub.yaml`` chooses: ``broker: local``, ``redis://…`` or ``amqp://…``. All of them hold one short
queue of messages that carry ids. None is durable, confirms, delays, retries or keeps dead letters, since those are
rows: what a broker loses, the sweeper finds within seconds.
"""

from __future__ import annotations

from hub.broker.wire import Wire
from hub.errors import UsageError

QUEUE = "o2c"


def open_wire(url: str) -> Wire:
    """The connection to the broker at an address; nothing is connected yet. Raises UsageError for one it cannot be.

    A client library is loaded only where its broker is used.
    """
    scheme = url.partition("://")[0]
    try:
        if scheme in ("redis", "rediss"):
            from hub.broker.redis import RedisWire

            return RedisWire(url, QUEUE)
        if scheme in ("amqp", "amqps"):
            from hub.broker.rabbitmq import RabbitWire

            return RabbitWire(url, QUEUE)
    except ImportError as error:
        package = "redis" if scheme.startswith("redis") else "rabbitmq"
        raise UsageError(
            f"broker: {scheme}:// needs the package '{error.name}'; install it with: pip install 'o2c-hub[{package}]'"
        ) from None
    raise UsageError(f"broker: expected redis://… or amqp://… for more than one process, got '{scheme}'")
