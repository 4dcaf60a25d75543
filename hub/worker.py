"""The worker: two actors, ``process(receipt numbers)`` and ``deliver(system)``, run by dramatiq's threads."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from functools import partial

import dramatiq

from hub.broker import QUEUE
from hub.broker.local import LocalBroker
from hub.errors import StoreError
from hub.loggers import structlog
from hub.pipeline.engine import Engine
from hub.pipeline.line import Earlier, Line
from hub.store.receipts import BATCH

_log = structlog.get_logger("worker")
# Longer than a transformer is given for a batch that hangs, and for its members one by one.
STUCK_SECONDS = 150.0


class LocalWorker:
    """Runs the engine's work in this process, and wakes it: the ``WakeUp`` of every process that works. ``earlier``
    tells what other processes still have to read, where there are any."""

    def __init__(self, at_once: int = 1, earlier: Earlier | None = None) -> None:
        self._broker = LocalBroker()
        self._engine: Engine | None = None
        self._busy_since: dict[int, float] = {}
        self._process = dramatiq.actor(broker=self._broker, queue_name=QUEUE, actor_name="process")(self._run_process)
        self._deliver = dramatiq.actor(broker=self._broker, queue_name=QUEUE, actor_name="deliver")(self._run_deliver)
        self._worker = dramatiq.Worker(self._broker, worker_timeout=1000, worker_threads=at_once + 1)
        self._told: set[str] = set()
        self._held_up: set[tuple[str, ...]] = set()  # what waits for the store, as far as it was said
        self._waiting: deque[int] = deque()
        self._sources: dict[str, None] = {}  # to be looked at once more
        self._left: dict[str, None] = {}  # to be looked at a little later
        self._stopping = False
        self._taking = threading.Event()
        # As many at once as transformers take: a thread that waited for one would be missing for deliveries. And in
        # line: receipts that overtook each other on the way there would wait again in their lanes.
        self._free = threading.Semaphore(at_once)
        self._line = Line(earlier)

    def process(self, seqs: Sequence[int]) -> None:
        # Small groups that wait are taken together: what a batch costs is shared by more.
        self._waiting.extend(seqs)
        self._process.send()

    def pump(self, system: str) -> None:
        # One waiting call per system is enough: it sees every row that is due when it runs.
        if system not in self._told:
            self._told.add(system)
            self._deliver.send(system)

    def look_again(self, sources: Collection[str], later: bool = False) -> None:
        """Take what others have left of these sources, or ``later`` what they leave lying."""
        (self._left if later else self._sources).update(dict.fromkeys(sources))
        if not later:
            self._process.send()

    def look_at_left(self) -> None:
        """Look at what was left to others since this was called before."""
        if left := _first(self._left):
            self.look_again(left)

    def start(self, engine: Engine) -> None:
        self._engine = engine
        engine.look_again = self.look_again
        self._worker.start()

    def stop(self) -> None:
        self._stopping = True
        self._worker.stop(timeout=20_000)

    def heard(self) -> int:
        """How many receipts wait here to be begun with."""
        return len(self._waiting)

    def wait_for_room(self, seconds: float) -> None:
        """Until a batch was taken, or so long."""
        self._taking.clear()
        self._taking.wait(seconds)

    def left(self) -> tuple[list[int], set[str]]:
        """What was brought and not begun with when this worker was stopped, and the sources that were still to be
        looked at."""
        return list(self._waiting), {*self._sources, *self._left}

    def seconds_stuck(self) -> float:
        """How long the slowest piece of work has been going on without progress; 0 when idle."""
        now, progress = time.monotonic(), self._engine.progress_at if self._engine else 0.0
        return max((now - max(since, progress) for since in list(self._busy_since.values())), default=0.0)

    def _run_process(self) -> None:
        while (self._waiting or self._sources) and not self._stopping and self._free.acquire(blocking=False):
            try:
                self._process_some()
            except Exception:
                self._process.send()  # for those that still wait: this call ends here
                raise
            finally:
                self._free.release()

    def _process_some(self) -> None:
        assert self._engine is not None
        with _Busy(self._busy_since), self._line.place() as place:
            seqs, sources = _some(self._waiting), _first(self._sources)
            self._taking.set()
            self._try(partial(self._engine.process, seqs, place, sources), "receipts")

    def _run_deliver(self, system: str) -> None:
        assert self._engine is not None
        self._told.discard(system)
        with _Busy(self._busy_since):
            self._try(partial(self._engine.pump, system), "deliveries", system=system)

    def _try(self, work: Callable[[], None], what: str, **of: str) -> None:
        """Says once that this has to wait for the store, and once that it goes on: it is tried again and again."""
        name = (what, *of.values())
        try:
            work()
        except StoreError as error:
            if name not in self._held_up:
                self._held_up.add(name)
                _log.warning(f"{what} wait for the store", **of, reason=str(error))
        else:
            if name in self._held_up:
                self._held_up.discard(name)
                _log.info(f"{what} go on, the store answers", **of)


def _first(sources: dict[str, None]) -> list[str]:
    """The first of what is there, no more than a batch, which is then no longer there. Another thread may add to it
    meanwhile."""
    found = list(sources)[:BATCH]
    for source in found:
        sources.pop(source, None)
    return found


def _some(waiting: deque[int]) -> list[int]:
    """The first of what waits, no more than a batch."""
    found: list[int] = []
    while waiting and len(found) < BATCH:
        try:
            found.append(waiting.popleft())
        except IndexError:  # another thread was quicker
            break
    return found


class _Busy:
    """Notes since when a thread has been at one piece of work, for the watchdog."""

    def __init__(self, since: dict[int, float]) -> None:
        self._since = since

    def __enter__(self) -> None:
        self._since[id(self)] = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._since.pop(id(self), None)
