"""The worker: two actors, ``process(receipt numbers)`` and ``deliver(system)``, run by dramatiq's threads."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence

import dramatiq
import structlog

from hub.broker import QUEUE
from hub.broker.local import LocalBroker
from hub.errors import StoreError
from hub.pipeline.engine import Engine

_log = structlog.get_logger("worker")
_BATCH = 128
# Longer than a transformer is given for a batch that hangs, and for its members one by one.
STUCK_SECONDS = 150.0


class LocalWorker:
    """Runs the engine's work in this process, and wakes it: the ``WakeUp`` of every process that works."""

    def __init__(self, at_once: int = 1) -> None:
        self._broker = LocalBroker()
        self._engine: Engine | None = None
        self._busy_since: dict[int, float] = {}
        self._process = dramatiq.actor(broker=self._broker, queue_name=QUEUE, actor_name="process")(self._run_process)
        self._deliver = dramatiq.actor(broker=self._broker, queue_name=QUEUE, actor_name="deliver")(self._run_deliver)
        self._worker = dramatiq.Worker(self._broker, worker_timeout=1000, worker_threads=at_once + 1)
        self._told: set[str] = set()
        self._waiting: deque[int] = deque()
        self._stopping = False
        self._taking = threading.Event()
        # As many at once as transformers take: a thread that waited for one would be missing for deliveries. And in
        # line: receipts that overtook each other on the way there would wait again in their lanes.
        self._free = threading.Semaphore(at_once)
        self._line = threading.Lock()

    def process(self, seqs: Sequence[int]) -> None:
        # Small groups that wait are taken together: what a batch costs is shared by more.
        self._waiting.extend(seqs)
        self._process.send()

    def pump(self, system: str) -> None:
        # One waiting call per system is enough: it sees every row that is due when it runs.
        if system not in self._told:
            self._told.add(system)
            self._deliver.send(system)

    def start(self, engine: Engine) -> None:
        self._engine = engine
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

    def left(self) -> list[int]:
        """What was brought and not begun with when this worker was stopped."""
        return list(self._waiting)

    def seconds_stuck(self) -> float:
        """How long the slowest piece of work has been going on without progress; 0 when idle."""
        now, progress = time.monotonic(), self._engine.progress_at if self._engine else 0.0
        return max((now - max(since, progress) for since in list(self._busy_since.values())), default=0.0)

    def _run_process(self) -> None:
        while self._waiting and not self._stopping and self._free.acquire(blocking=False):
            try:
                self._process_some()
            except Exception:
                self._process.send()  # for those that still wait: this call ends here
                raise
            finally:
                self._free.release()

    def _process_some(self) -> None:
        assert self._engine is not None
        with _Busy(self._busy_since), _Turn(self._line) as turn:
            seqs = self._taken()
            try:
                self._engine.process(seqs, turn.end)
            except StoreError as error:
                _log.warning("receipts wait for the store", count=len(seqs), reason=str(error))

    def _taken(self) -> list[int]:
        seqs: list[int] = []
        while self._waiting and len(seqs) < _BATCH:
            try:
                seqs.append(self._waiting.popleft())
            except IndexError:  # another thread was quicker
                break
        self._taking.set()
        return seqs

    def _run_deliver(self, system: str) -> None:
        assert self._engine is not None
        self._told.discard(system)
        with _Busy(self._busy_since):
            try:
                self._engine.pump(system)
            except StoreError as error:
                _log.warning("deliveries wait for the store", system=system, reason=str(error))


class _Busy:
    """Notes since when a thread has been at one piece of work, for the watchdog."""

    def __init__(self, since: dict[int, float]) -> None:
        self._since = since

    def __enter__(self) -> None:
        self._since[id(self)] = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._since.pop(id(self), None)


class _Turn:
    """One's place at the head of a line, until ``end`` is called or the block ends."""

    def __init__(self, line: threading.Lock) -> None:
        self._line = line
        self._is_over = True

    def __enter__(self) -> _Turn:
        self._line.acquire()
        self._is_over = False
        return self

    def end(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._line.release()

    def __exit__(self, *_: object) -> None:
        self.end()
