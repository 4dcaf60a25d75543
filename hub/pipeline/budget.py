"""A system's retry budget: of what is sent to it, at most a share are retries, so that they never drown first tries."""

from __future__ import annotations

_SECONDS = 10  # the window, in parts of a second
_FREE_PER_SECOND = 10  # retries that may go whatever the traffic
_LONGEST_WAIT = 300.0


class RetryBudget:
    """Counts what this process sends to one system; each process keeps to the share of its own traffic, and to its part
    of what may always go, where ``processes`` send to the system."""

    __slots__ = ("_all", "_put_off", "_retries", "_second", "processes", "share")

    def __init__(self, share: float) -> None:
        self.share, self.processes = share, 1
        self._all, self._retries = [0] * _SECONDS, [0] * _SECONDS
        self._second, self._put_off = 0, 0

    def sent(self, count: int, retries: int, now: float) -> None:
        """So many went out, so many of them retries."""
        self._move_on(now)
        self._all[-1] += count
        self._retries[-1] += retries

    def room(self, now: float) -> int:
        """How many retries may go now."""
        self._move_on(now)
        free = max(1, _FREE_PER_SECOND * _SECONDS // self.processes)
        return max(0, int(self.share * sum(self._all)) + free - sum(self._retries))

    def wait_seconds(self) -> float:
        """How long one more retry has to wait: the more are put off, the longer, so that they come spread out."""
        self._put_off += 1
        a_second = _FREE_PER_SECOND / self.processes + self.share * sum(self._all) / _SECONDS
        return min(_LONGEST_WAIT, 1.0 + self._put_off / a_second)

    def _move_on(self, now: float) -> None:
        gone = int(now) - self._second
        if gone == 0:
            return
        gone = min(_SECONDS, gone) if gone > 0 else _SECONDS  # earlier: the clock was put back
        self._all = [*self._all[gone:], *[0] * gone]
        self._retries = [*self._retries[gone:], *[0] * gone]
        self._second, self._put_off = int(now), 0
