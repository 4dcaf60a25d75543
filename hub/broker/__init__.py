"""The wake-up queue: dramatiq on a small bounded broker of ours. It only says that there is work; the rows are it.

One line of ``config/hub.yaml`` chooses: ``broker: local``, ``redis://…`` or ``amqp://…``. All of them hold one short
queue of messages that carry ids. None is durable, confirms, delays, retries or keeps dead letters, since those are
rows: what a broker loses, the sweeper finds within seconds.
"""

from __future__ import annotations

from urllib.parse import urlsplit

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

            return RedisWire(_whole(url), QUEUE)
        if scheme in ("amqp", "amqps"):
            from hub.broker.rabbitmq import RabbitWire

            return RabbitWire(_whole(url), QUEUE)
    except ValueError:  # its text may hold a part of the password
        server, form = ("Redis", ":PASSWORD@HOST:6379/0") if "redis" in scheme else ("RabbitMQ", "USER:PASSWORD@HOST/")
        escapes = "%40, %2F, %23 and %3F for @, /, # and ? in the password"
        raise UsageError(
            f"broker: not an address of a {server} server; write {scheme}://{form}, with {escapes}"
        ) from None
    except ImportError as error:
        package = "redis" if scheme.startswith("redis") else "rabbitmq"
        raise UsageError(
            f"broker: {scheme}:// needs the package '{error.name}'; install it with: pip install 'o2c-hub[{package}]'"
        ) from None
    given = "local" if url == "local" else "another address"  # which may be a secret
    raise UsageError(f"broker: expected redis://… or amqp://… for more than one process, got {given}")


def _whole(url: str) -> str:
    """The address; raises ValueError for one of which a / or # in the password would make another host."""
    parts = urlsplit(url)
    if "@" in f"{parts.path}{parts.query}{parts.fragment}":
        raise ValueError
    return url
