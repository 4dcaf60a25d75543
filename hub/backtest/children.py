"""The processes of a back-test: each has a stretch in hand; answers are given in the order of the stretches.

A process that dies or makes no progress takes only its stretch with it: that is run again receipt by receipt, and a
receipt that kills its process twice is counted as failing.
"""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait

from hub.backtest.tally import Cause, Tally
from hub.backtest.words import Answer, Job, decode_answer, encode
from hub.errors import StoreError
from hub.outcome import Failure
from hub.store.recorded import Came

HANG_SECONDS = 30.0
_START_SECONDS = 120.0  # until a process says that it is there, on a machine that has other work
_TRIES = 2
_AHEAD = 4  # stretches a process that are done, at most, before the first of them


class Died(Exception):
    """A process ended, or was ended, with a stretch in hand."""


class Child:
    """One process, started when it is made."""

    def __init__(self, job: bytes) -> None:
        self._is_there = False
        self.pipe, theirs = Pipe()
        self._process = subprocess.Popen(  # noqa: S603  our own module, our own interpreter
            [sys.executable, "-m", "hub.backtest.child", str(theirs.fileno())],
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        theirs.close()
        with suppress(OSError):
            self.pipe.send_bytes(job)

    def give(self, came: Sequence[Came]) -> None:
        with suppress(OSError):  # it is dead: who waits for its answer hears so
            self.pipe.send_bytes(encode(list(came)))

    @property
    def patience_seconds(self) -> float:
        """How long it may say nothing."""
        return HANG_SECONDS if self._is_there else _START_SECONDS

    def answer(self) -> Tally | None:
        """Its answer, or None for "still at it". Raises Died, StoreError."""
        try:
            answer: Answer = decode_answer(self.pipe.recv_bytes())
        except (EOFError, OSError):
            raise Died from None
        self._is_there = True
        if answer.away:
            raise StoreError(answer.away)
        return answer.tally

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self.pipe.close()


class Children:
    """So many processes for one job. Close it, or use it in a ``with``."""

    def __init__(self, job: Job, processes: int) -> None:
        self._job, self._processes = encode(job), processes
        self._samples, self._route = job.request.samples, job.subject.name
        self._free: list[Child] = []
        self._busy: dict[Connection, tuple[int, Child, Sequence[Came]]] = {}

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process, whatever it does."""
        for child in (*self._free, *(child for _, child, _ in self._busy.values())):
            child.end()
        self._free, self._busy = [], {}

    def run(self, stretches: Iterable[Sequence[Came]]) -> Iterator[tuple[int, Tally]]:
        """(receipts, tally) of each stretch, in their order. Raises StoreError when the store is away."""
        waiting, done, following = enumerate(stretches), dict[int, tuple[int, Tally]](), 0
        while True:
            while len(self._busy) < self._processes and len(done) < _AHEAD * self._processes:
                number, came = next(waiting, (-1, ()))
                if not came:
                    break
                self._start(number, came)
            if not self._busy and not done:
                return
            if self._busy:
                done.update(self._ended())
            while following in done:
                yield done.pop(following)
                following += 1

    def _start(self, number: int, came: Sequence[Came]) -> None:
        child = self._free.pop() if self._free else Child(self._job)
        child.give(came)
        self._busy[child.pipe] = (number, child, came)

    def _ended(self) -> dict[int, tuple[int, Tally]]:
        ready = wait(list(self._busy), max(child.patience_seconds for _, child, _ in self._busy.values()))
        if not ready:  # none of them has said anything for long
            return {number: (len(came), tally) for number, came, tally in map(self._alone, list(self._busy))}
        done = {}
        for pipe in ready:
            assert isinstance(pipe, Connection)
            number, child, came = self._busy[pipe]
            try:
                tally = child.answer()
            except Died:
                number, came, tally = self._alone(pipe)
            if tally is not None:
                done[number] = (len(came), tally)
                if self._busy.pop(pipe, None):
                    self._free.append(child)
        return done

    def _alone(self, pipe: Connection) -> tuple[int, Sequence[Came], Tally]:
        """The stretch of a process that died, receipt by receipt, each in a process that others have not used."""
        number, child, came = self._busy.pop(pipe)
        child.end()
        total = Tally()
        for each in came:
            total.add(self._one(each), self._samples)
        return number, came, total

    def _one(self, came: Came) -> Tally:
        for _ in range(_TRIES):
            child = Child(self._job)
            child.give([came])
            try:
                while child.pipe.poll(child.patience_seconds):
                    tally = child.answer()
                    if tally is not None:
                        return tally
            except Died:
                continue
            finally:
                child.end()
        return self._killer(came)

    def _killer(self, came: Came) -> Tally:
        detail = "its processing ends the process that does it, or makes no progress for 30 s; twice, with nothing else"
        failure = Failure("quarantine", "kills_its_process", detail, step="map").printed(self._route).as_dict()
        tally, count = Tally(messages=max(1, came.messages)), max(1, came.messages)
        verdict = "still_failing" if came.failure else "newly_failing"
        tally.counts = {verdict: count}
        key = (verdict, "message", str(failure["fingerprint"]))
        tally.cause(key, Cause(count, failure, failure, [came.receipt_id]), self._samples)
        return tally


def stretched(came: Iterable[Came], most_receipts: int, most_messages: int) -> Iterator[list[Came]]:
    """Receipts in stretches that are of one size whoever runs them."""
    held, messages = deque[Came](), 0
    for each in came:
        held.append(each)
        messages += each.messages
        if len(held) >= most_receipts or messages >= most_messages:
            yield list(held)
            held.clear()
            messages = 0
    if held:
        yield list(held)
