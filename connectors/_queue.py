"""Parcels that wait for a few threads, each of which sends one after the other: for whatever waits for its answer.

What waits can be called back, and is given back where it is found that nobody is let in: nothing is tried in vain.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from connectors.base import DELIVERED, LATER, REFUSED, STOPPED, Finished, Parcel, Verdict

Ended = list[tuple[Parcel, Verdict]]
_Job = tuple[Parcel, Finished]
_log = logging.getLogger("o2c.connectors")
_CLOSING = Verdict(LATER, "closing", "not sent: the system is closed")


class Queue:
    """``send`` gives the verdict on one parcel and never raises. Parcels are told of in groups of up to ``group``;
    ``conclude`` has the last word on each. A group ends with the first parcel that did not get through, so that it is
    told while others still wait."""

    def __init__(
        self, threads: int, name: str, send: Callable[[Parcel], Verdict], group: int = 1,
        conclude: Callable[[Ended], Ended] = list,
    ) -> None:  # fmt: skip
        self._send, self._group, self._conclude, self._most = send, group, conclude, threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._waiting: deque[_Job] = deque()
        self._lock = threading.Lock()
        self._is_closed = False

    def submit(self, parcels: Sequence[Parcel], finished: Finished) -> None:
        """Send parcels; returns at once."""
        with self._lock:
            is_closed = self._is_closed
            if not is_closed:
                self._waiting.extend((parcel, finished) for parcel in parcels)
                for _ in parcels[: self._most]:
                    self._threads.submit(self._work)
        if is_closed:
            finished([(parcel, _CLOSING) for parcel in parcels])

    def recall(self, verdict: Verdict) -> None:
        """Give back, with this verdict, what has not started."""
        with self._lock:
            jobs, self._waiting = self._waiting, deque()
        _tell((job, verdict) for job in jobs)

    def close(self) -> None:
        """Finish what is under way and give back the rest."""
        with self._lock:
            self._is_closed = True
        self.recall(_CLOSING)
        self._threads.shutdown(wait=True)

    def _work(self) -> None:
        """Send a group of what waits."""
        jobs: list[_Job] = []
        ended: Ended = []
        goes_through = True
        while goes_through and len(jobs) < self._group and (job := self._next()) is not None:
            verdict = self._send(job[0])
            jobs.append(job)
            ended.append((job[0], verdict))
            goes_through = verdict.kind in (DELIVERED, REFUSED)
        told = [verdict for _, verdict in self._conclude(ended)]
        _tell(zip(jobs, told, strict=True))
        if told and told[-1].kind == STOPPED:
            self.recall(Verdict(STOPPED, told[-1].code, f"not sent: {told[-1].detail}"))
        with self._lock:
            if self._waiting:
                self._threads.submit(self._work)

    def _next(self) -> _Job | None:
        with self._lock:
            return self._waiting.popleft() if self._waiting else None


def _tell(ended: Iterable[tuple[_Job, Verdict]]) -> None:
    """Tell everyone who waits, once."""
    told: dict[Finished, Ended] = {}
    for (parcel, finished), verdict in ended:
        told.setdefault(finished, []).append((parcel, verdict))
    for finished, verdicts in told.items():
        try:
            finished(verdicts)
        except Exception:  # whoever is told, the others go on
            _log.exception("a receiver of results failed; %d verdicts were handed to it", len(verdicts))
