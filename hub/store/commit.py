"""Group commit: one writer thread per process; jobs of several threads share one transaction and one fsync.

A job is a function of the open transaction; those that are a ``Part`` of the same work are done in one go. If a group
fails, its jobs are run again one by one, so that one refused row, or a mistake in one job, never fails its neighbours;
not where the store is away, which each of them would wait for anew. A job's ``done`` is called after the commit, never
before.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from hub.errors import StoreAway, StoreError
from hub.loggers import structlog
from hub.store.database import Database, Job

Done = Callable[[Any, Exception | None], None]
Transact = Callable[[Job, bool], Any]

_log = structlog.get_logger("store")
_GROUP = 64  # jobs in one transaction; each job is itself a batch of rows
_PATIENCE_SECONDS = 0.004
_LONG_SECONDS = 1.0  # it takes to find out that a server is away: whoever has waited for that does not find out anew


class Part(msgspec.Struct, frozen=True):
    """A job that shares its statements with others: ``together`` does ``what`` all of them are to do, and gives a
    result for each."""

    together: Callable[[Database, list[Any]], Sequence[Any]]
    what: Any

    def __call__(self, db: Database) -> Any:
        return self.together(db, [self.what])[0]


class Committer:
    """Runs jobs in transactions on one connection that nobody else writes through. ``transact(job, durable)`` runs a
    job in one, and raises StoreError where the database is against it. ``is_near``: a transaction takes a moment, so
    that whoever brings a small one may run it himself; not where it waits for a network and for other processes."""

    _away, _away_at = "", 0.0  # how it was found out that the server is away, and when, on the monotonic clock

    def __init__(self, transact: Transact, is_near: bool = True) -> None:
        self._begin, self._is_near = transact, is_near
        self._lock = threading.Lock()
        self._jobs: deque[tuple[Job, Done, float]] = deque()  # with when they came
        self._urgent = False  # whether one of the jobs is not patient
        self._wake = threading.Condition(threading.Lock())
        self._closing = False
        self.commits = 0
        self._thread = threading.Thread(target=self._loop, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job, done: Done, patient: bool = False) -> None:
        """Queue a job; ``done(result, error)`` is called from the writer thread after the commit. A ``patient`` one,
        which nobody waits for, waits a moment for others to share its transaction with."""
        with self._wake:
            if self._closing:
                raise StoreError("the store is closing")
            is_first = not self._jobs
            self._jobs.append((job, done, time.monotonic()))
            if is_first or not (patient or self._urgent):
                self._wake.notify()
            self._urgent = self._urgent or not patient

    def run(self, job: Job, durable: bool = True) -> Any:
        """Run a job now, in the calling thread, and give its result. Not ``durable``: without waiting for the disk;
        such a commit survives the death of the process, not that of the machine."""
        asked_at = time.monotonic()
        with self._lock:
            if asked_at < self._away_at:
                raise StoreAway(self._away)
            return self._transact(job, durable)

    def between(self, work: Callable[[], object]) -> None:
        """Run something that is no transaction while none is open."""
        with self._lock:
            work()

    def try_now(self, job: Job, done: Done) -> bool:
        """Run a job in the calling thread if the writer is idle and near; False when not. Saves two thread switches."""
        if not self._is_near or self._jobs or not self._lock.acquire(blocking=False):
            return False
        try:
            self._run_group([(job, done)])
        finally:
            self._lock.release()
        return True

    def close(self) -> None:
        """Finish every queued job, then stop."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _loop(self) -> None:
        while True:
            with self._wake:
                while not self._jobs and not self._closing:
                    self._wake.wait()
                if not self._jobs:
                    return
                if not (self._urgent or self._closing):
                    self._wake.wait(_PATIENCE_SECONDS)
            with self._lock:
                with self._wake:
                    group = [self._jobs.popleft() for _ in range(min(len(self._jobs), _GROUP))]
                    self._urgent = self._urgent and bool(self._jobs)
                for _, done, asked_at in group:
                    if asked_at < self._away_at:
                        _tell(done, None, StoreAway(self._away))
                self._run_group([(job, done) for job, done, asked_at in group if asked_at >= self._away_at])

    def _run_group(self, group: list[tuple[Job, Done]]) -> None:
        if len(group) > 1:
            try:
                results = self._transact(lambda db: _all(db, [job for job, _ in group]), True)
            except StoreAway as error:
                for _, done in group:
                    _tell(done, None, error)
                return
            except Exception:
                results = None  # each job hears of its own error
            if results is not None:
                for (_, done), result in zip(group, results, strict=True):
                    _tell(done, result, None)
                return
        for job, done in group:
            self._run_alone(job, done)

    def _run_alone(self, job: Job, done: Done) -> None:
        try:
            result = self._transact(job, True)
        except Exception as error:
            _tell(done, None, error)
        else:
            _tell(done, result, None)

    def _transact(self, job: Job, durable: bool) -> Any:
        began = time.monotonic()
        try:
            result = self._begin(job, durable)
        except StoreAway as error:
            if (now := time.monotonic()) - began >= _LONG_SECONDS:
                self._away, self._away_at = str(error), now
            raise
        self.commits += 1
        return result


class Writing:
    """The writing side of a store: there is none, ``_committer`` is None, where it was opened for reading only."""

    _committer: Committer | None = None

    @property
    def committer(self) -> Committer:
        if self._committer is None:
            raise StoreError("this store was opened for reading only")
        return self._committer

    def write(self, job: Job, durable: bool = True) -> Any:
        """One transaction, now, in the calling thread. Raises StoreError."""
        return self.committer.run(job, durable)


def _all(db: Database, jobs: Sequence[Job]) -> list[Any]:
    """The result of each job: done in their order, but parts of the same work with the first of them."""
    parts: dict[Any, list[int]] = {}
    for number, job in enumerate(jobs):
        parts.setdefault(job.together if isinstance(job, Part) else number, []).append(number)
    results: list[Any] = [None] * len(jobs)
    for numbers in parts.values():
        first, whats = jobs[numbers[0]], [job.what for n in numbers if isinstance(job := jobs[n], Part)]
        found = first.together(db, whats) if isinstance(first, Part) else [first(db)]
        for number, result in zip(numbers, found, strict=True):
            results[number] = result
    return results


def _tell(done: Done, result: Any, error: Exception | None) -> None:
    """Whoever is told may make a mistake; it must not end the one thread that writes, nor keep others from hearing."""
    try:
        done(result, error)
    except Exception:
        _log.exception("what follows a commit has failed")
