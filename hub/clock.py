"""The only place that reads time and makes ids, so that a test or a simulation can hold both still."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

import uuid_utils

_DRIFT_SECONDS = 0.05  # so far two clocks may be apart before one follows the other


class Clock(Protocol):
    """Time and ids. ``now`` is aware and UTC; ids are UUIDv7, so they sort by the time they were made."""

    def now(self) -> datetime: ...

    def epoch(self) -> float:
        """Seconds since 1970, UTC: the form the store keeps."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, for measuring how long something took."""
        ...

    def new_id(self) -> str: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def epoch(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def new_id(self) -> str:
        return str(uuid_utils.uuid7())


class SteadyClock(SystemClock):
    """Goes by another clock, whose time ``ask`` tells: that of a database, so that all who share it mean the same by a
    time. Between two questions it goes by this machine's monotonic clock, which nobody can put."""

    def __init__(self, ask: Callable[[], float]) -> None:
        self._ask = ask
        self._ahead = time.time() - time.monotonic()
        self.follow()

    def follow(self) -> None:
        """Ask once more. An answer is believed as far as the time it was on its way allows."""
        before = time.monotonic()
        told = self._ask()
        after = time.monotonic()
        ahead = told - (before + after) / 2
        if abs(ahead - self._ahead) > (after - before) / 2 + _DRIFT_SECONDS:
            self._ahead = ahead

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.epoch(), UTC)

    def epoch(self) -> float:
        return time.monotonic() + self._ahead


class ToldClock(SystemClock):
    """Shows the time it was told last: that of whoever a process works for, whatever this machine's clock shows."""

    def __init__(self) -> None:
        self.told = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.told, UTC)

    def epoch(self) -> float:
        return self.told


def iso(epoch: float) -> str:
    """``2026-03-05T10:00:00.123Z`` for seconds since 1970."""
    milliseconds = int(epoch * 1000)
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"


@lru_cache(64)
def _second(epoch: int) -> str:
    """The text of a second; many documents come in one."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S")
