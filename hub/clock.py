"""The only place that reads time and makes ids, so that a test or a simulation can hold both still."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

import uuid_utils


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


def iso(epoch: float) -> str:
    """``2026-03-05T10:00:00.123Z`` for seconds since 1970."""
    milliseconds = int(epoch * 1000)
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"


@lru_cache(64)
def _second(epoch: int) -> str:
    """The text of a second; many documents come in one."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S")
