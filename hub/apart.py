"""Work beside the flow that waits for others: sources that are read, look-ups, connections that are closed. Each system
has a few threads of its own, so that one which does not answer holds up no other."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from hub.errors import StoreAway
from hub.loggers import structlog

_log = structlog.get_logger("hub")
_OF_ONE = 8  # at a time
_THREADS = 256  # of all; as many are there as were ever busy at once

Work = Callable[[], None]


class Apart:
    """The threads of one process."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="apart")
        self._busy: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[Work]] = defaultdict(deque)
        self._lock = threading.Lock()

    def run(self, work: Work, whose: str) -> None:
        """Do it soon; of one system a few things at a time, in their order."""
        with self._lock:
            if self._busy[whose] >= _OF_ONE:
                self._waiting[whose].append(work)
                return
            self._busy[whose] += 1
        self._threads.submit(self._work, work, whose)

    def _work(self, work: Work | None, whose: str) -> None:
        while work is not None:
            logged(work)
            work = self._next(whose)

    def _next(self, whose: str) -> Work | None:
        with self._lock:
            if waiting := self._waiting[whose]:
                return waiting.popleft()
            self._busy[whose] -= 1
            return None

    def close(self) -> None:
        """Wait for all of it."""
        self._threads.shutdown(wait=True)


def logged(work: Work) -> None:
    """Work apart has nobody who waits for its end: what it fails on is told here or nowhere."""
    try:
        work()
    except StoreAway as error:
        _log.warning("work beside the flow was broken off, for the store is away", reason=str(error))
    except Exception:
        _log.exception("work beside the flow has failed")
