"""``broker: redis://host:port/db`` or ``rediss://…``: a list. Whoever waits for work waits in a blocking pop, so that
an idle hub asks nothing and yet is woken at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import redis

from hub.broker.wire import ANSWER_SECONDS, BOUND, guarded


class RedisWire:
    """One connection to a Redis server. Raises ValueError for an address of none."""

    def __init__(self, url: str, queue: str, bound: int = BOUND) -> None:
        self._key, self._bound = f"{queue}:work", bound
        # Without retries of its own: whoever uses the wire knows when to try again.
        self._redis = redis.Redis.from_url(
            url, single_connection_client=False, socket_connect_timeout=ANSWER_SECONDS,
            socket_timeout=2 * ANSWER_SECONDS, socket_keepalive=True, retry=redis.retry.Retry(_no_waiting(), 0),
        )  # fmt: skip

    def push(self, texts: Sequence[bytes]) -> None:
        with self._guarded(), self._redis.pipeline(transaction=False) as several:
            several.rpush(self._key, *texts)
            several.ltrim(self._key, -self._bound, -1)
            several.execute()

    def pull(self, most: int, seconds: float) -> list[bytes]:
        with self._guarded():
            found: Any = self._redis.blpop([self._key], timeout=seconds)
            if found is None:
                return []
            more: Any = self._redis.lpop(self._key, most - 1) if most > 1 else None
            return [found[1], *(more or ())]

    def tend(self) -> None:
        with self._guarded():
            self._redis.ping()

    def close(self) -> None:
        with self._guarded():
            self._redis.close()

    def _guarded(self) -> AbstractContextManager[None]:
        return guarded("Redis", self._redis.connection_pool.disconnect)


def _no_waiting() -> Any:
    return redis.backoff.NoBackoff()
