"""How many requests a second a system bears: evenly spaced, with a little slack for timers that ring late."""

from __future__ import annotations

_SLACK_SECONDS = 0.01


class Rate:
    """Lets ``per_second`` requests through; what a late timer lost within 10 ms may be caught up."""

    __slots__ = ("_interval", "_next")

    def __init__(self, per_second: float) -> None:
        self._interval = 1.0 / per_second
        self._next = 0.0

    def change(self, per_second: float) -> None:
        """Another rate, from the last request on."""
        self._next += 1.0 / per_second - self._interval
        self._interval = 1.0 / per_second

    def wait_seconds(self, now: float) -> float:
        """How long the next request must wait; 0 when it may go now."""
        return max(0.0, self._next - now)

    def take(self, now: float) -> None:
        """A request goes now."""
        self._next = max(self._next, now - _SLACK_SECONDS) + self._interval
