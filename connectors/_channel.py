"""One system's outbound channel: its queue, its limits, its connections, its pauses. Lives on the sender's loop.

Nothing waits here for long: what cannot start within ``wait_seconds``, or while the system is paused or stopped, is
given back with the verdict LATER or STOPPED, and the hub keeps it as a row with a time.

A request is sent twice only where that is safe: a connection used before may be closed by the other side just as a
request goes out. Before each reuse the channel looks whether the connection is still silent and open; what dies
unanswered in spite of that is sent once more on a new connection if the system knows the idempotency key (or the
request only looks something up); otherwise it is in doubt, and the channel uses each connection once for a minute.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors._answer import Answer, Ending, Failure
from connectors._discretion import Discretion
from connectors._opening import Opener
from connectors._rate import Rate
from connectors._ration import Names, Ration, left_of
from connectors._renewal import Held, Tokens
from connectors._request import Maker, Unmakeable, request_of
from connectors._sender import Sender
from connectors._verdicts import Judge, of_failure
from connectors._wire import Connection, announced_idle
from connectors.base import DELIVERED, DOUBT, LATER, REFUSED, STOPPED, Finished, Parcel, Verdict

_log = logging.getLogger("o2c.connectors.http")
_NO_REUSE_SECONDS = 60.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 60.0
_BUSY_IN_A_ROW = 3  # answers of 503 without Retry-After until they are taken for the system's and not the request's

Weigh = Callable[[Answer, float, float], Verdict]


@dataclass(slots=True)
class Job:
    """One parcel on its way: who is told, since when it waits, and what has been tried. What ``looks_up`` has no
    effect; ``weigh`` says what its answer means, where that is not whether the parcel is there."""

    parcel: Parcel
    finished: Finished
    maker: Maker
    queued: float
    looks_up: bool = False
    weigh: Weigh | None = None
    started: float = 0.0
    held: Held = ()
    renewed: bool = False
    resent: bool = False


class Limits(msgspec.Struct, frozen=True):
    """What a system bears: requests at a time, requests a second (0: any), and the longest wait in the queue."""

    concurrency: int
    per_second: float
    wait_seconds: float
    read_seconds: float
    idle_seconds: float
    max_response: int
    told_by: Names | None = None


class Channel:
    """Sends one system's parcels. Everything but ``submit`` runs on the sender's loop."""

    def __init__(
        self, sender: Sender, opener: Opener, judge: Judge, limits: Limits, resend_is_safe: bool,
        tokens: Tokens | None = None, discretion: Discretion | None = None,
    ) -> None:  # fmt: skip
        self._sender, self._loop = sender, sender.loop
        self._discretion = discretion or Discretion(())
        self._opener, self._judge, self._limits = opener, judge, limits
        self._resend_is_safe = resend_is_safe
        self._tokens = tokens
        self._most, self._per_second = limits.concurrency, limits.per_second
        self._rate = Rate(limits.per_second) if limits.per_second else None
        self._ration: Ration | None = None  # as soon as an answer tells what is left
        self._pending: deque[Job] = deque()
        self._idle: list[Connection] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._renewing = False
        self._active = 0
        self._paused_until = self._no_reuse_until = 0.0
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._busy_in_a_row = 0
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Event | None = None
        self._inbox: deque[Sequence[Job]] = deque()
        self._called = self._pump_called = False

    def submit(self, jobs: Sequence[Job]) -> None:
        """Take jobs from any thread."""
        self._inbox.append(jobs)
        if not self._called:
            self._called = True
            self._sender.call(self._take_in)

    def adjust(self, per_second: float, concurrency: int) -> None:
        """Other limits from now on, from any thread."""

        def change() -> None:
            self._most = concurrency
            if per_second != self._per_second:
                self._per_second, self._rate = per_second, Rate(per_second) if per_second else None
            self._pump()

        self._sender.call(change)

    def recall(self, verdict: Verdict) -> None:
        """Give back what has not started, from any thread."""
        self._sender.call(lambda: self._give_back(verdict))

    def _take_in(self) -> None:
        self._called = False
        while self._inbox:
            jobs = self._inbox.popleft()
            self._pending.extend(job for job in jobs if not job.looks_up)
            self._pending.extendleft(job for job in reversed(jobs) if job.looks_up)
        self._pump()

    # The queue

    def _pump_soon(self) -> None:
        """Look at the queue at the end of this turn of the loop: requests that go out in a burst cost less."""
        if not self._pump_called:
            self._pump_called = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        """Start whatever may start now."""
        self._pump_called = False
        if self._closing is not None:
            self._close_if_done()
        if not self._pending:
            return
        now = time.monotonic()
        if self._closing is not None:
            self._give_back(Verdict(LATER, "closing", "not sent: the hub is closing down"))
        elif now < self._paused_until:
            self._give_back(self._paused_verdict(now))
        elif self._tokens is not None and not self._tokens.are_valid():
            self._renew(self._tokens)
        else:
            self._start_some(now)
        if self._pending:
            self._watch_queue(now)

    def _start_some(self, now: float) -> None:
        pending, rate, ration, most = self._pending, self._rate, self._ration, self._most
        while pending and self._active < most and (rate is None or not rate.wait_seconds(now)):
            if ration is not None and ration.wait_seconds(now):
                return
            job = pending.popleft()
            if now - job.queued > self._limits.wait_seconds:
                self._finish(job, self._waited_verdict())
                continue
            if rate is not None:
                rate.take(now)
            if ration is not None:
                ration.take(now)
            self._start(job)

    def _watch_queue(self, now: float) -> None:
        """Ring when the rate allows the next request or the oldest has waited too long."""
        if self._timer is not None and self._rate is None and self._ration is None:
            return  # it rings early enough, and looks again then
        until_old = self._pending[0].queued + self._limits.wait_seconds - now + 0.001
        rate_wait = self._limit_wait(now) if self._active < self._most else 0.0
        ring = self._loop.time() + max(0.001, min(until_old, rate_wait or until_old))
        if self._timer is not None:
            if self._timer.when() <= ring:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(ring, self._ring)

    def _limit_wait(self, now: float) -> float:
        """Seconds until the rate, and what the system has said is left, let the next request go."""
        wait = self._rate.wait_seconds(now) if self._rate is not None else 0.0
        return max(wait, self._ration.wait_seconds(now)) if self._ration is not None else wait

    def _ring(self) -> None:
        self._timer = None
        now = time.monotonic()
        while self._pending and now - self._pending[0].queued > self._limits.wait_seconds:
            self._finish(self._pending.popleft(), self._waited_verdict())
        self._pump()

    def _waited_verdict(self) -> Verdict:
        detail = f"not sent: it waited {self._limits.wait_seconds:g} s for its turn within the system's limits"
        return Verdict(LATER, "queue_full", detail)

    def _paused_verdict(self, now: float) -> Verdict:
        detail = "not sent: the system asked for a pause"
        return Verdict(LATER, "paused", detail, retry_after_seconds=self._paused_until - now)

    def _give_back(self, verdict: Verdict) -> None:
        pending, self._pending = self._pending, deque()
        for job in pending:
            self._finish(job, verdict)

    def _finish(self, job: Job, verdict: Verdict) -> None:
        if job.resent and not job.looks_up and verdict.kind in (LATER, STOPPED):
            # Its first sending died unanswered: that it could not be sent again does not undo it.
            detail = f"it was sent and the connection closed unanswered; then: {verdict.detail}"
            verdict = msgspec.structs.replace(verdict, kind=DOUBT, detail=detail)
        self._sender.finish(job.finished, job.parcel, verdict)

    # One try

    def _start(self, job: Job) -> None:
        job.started = time.monotonic()
        job.held = self._tokens.held() if self._tokens is not None else ()
        try:
            head, body = request_of(job.maker, job.parcel, time.time())
        except Unmakeable as error:
            self._finish(job, Verdict(DOUBT if job.looks_up and not job.weigh else REFUSED, error.code, error.detail))
            return
        self._active += 1
        connection = self._idle_connection()
        if connection is not None:
            self._send(connection, job, head, body)
        else:
            self._run(self._open_and_send(job, head, body))

    def _idle_connection(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_fresh():
                return connection
            connection.close()
        return None

    def _make_connection(self) -> Connection:
        return Connection(self._loop, self._limits.max_response, self._limits.idle_seconds)

    async def _open_and_send(self, job: Job, head: bytes, body: bytes) -> None:
        connection = await self._opener.open(self._make_connection)
        if isinstance(connection, Failure):
            self._active -= 1
            self._conclude(job, of_failure(connection, time.monotonic() - job.started))
            self._pump_soon()
        elif connection.is_open:
            self._send(connection, job, head, body)
        else:
            self._active -= 1
            closed = Failure("connect_failed", "the connection was closed as soon as it was open")
            self._conclude(job, of_failure(closed, time.monotonic() - job.started))
            self._pump_soon()

    def _send(self, connection: Connection, job: Job, head: bytes, body: bytes) -> None:
        connection.job = job
        connection.send(head, body, self._limits.read_seconds, self._ended)

    def _ended(self, connection: Connection, ending: Ending) -> None:
        job: Job = connection.job
        self._active -= 1
        if connection.is_open:
            self._keep(connection, ending)
        try:
            verdict = None if self._tried_again(job, ending) else self._verdict(job, ending)
        except Exception as error:  # whatever goes wrong here, its parcel gets a verdict
            _log.exception("weighing an answer failed in a way that was not foreseen")
            verdict = Verdict(DOUBT, "internal", f"the answer could not be weighed: {type(error).__name__}")
        if verdict is not None:
            self._conclude(job, verdict)
        self._pump_soon()

    def _keep(self, connection: Connection, ending: Ending) -> None:
        if self._no_reuse_until > time.monotonic():
            connection.close()
            return
        if connection.uses == 1 and isinstance(ending, Answer):
            connection.idle_limit = announced_idle(ending.headers.get("keep-alive", ""), connection.idle_limit)
        connection.release()
        self._idle.append(connection)

    def _tried_again(self, job: Job, ending: Ending) -> bool:
        """Whether the job goes back to the head of the queue: a dead old connection, or a token that has expired."""
        if isinstance(ending, Failure):
            if not ending.stale or job.resent:
                return False
            if not (self._resend_is_safe or job.looks_up):
                self._no_reuse_until = time.monotonic() + _NO_REUSE_SECONDS
                return False
            job.resent = True
        else:
            if self._tokens is None or job.renewed or not self._tokens.refused(ending, job.held):
                return False
            job.renewed = True
        job.queued = time.monotonic()
        self._pending.appendleft(job)
        return True

    def _verdict(self, job: Job, ending: Ending) -> Verdict:
        seconds = time.monotonic() - job.started
        if isinstance(ending, Failure):
            return of_failure(ending, seconds, job.looks_up)
        verdict = self._discretion.about(self._weighed(job, ending, seconds), *job.held)
        if "ratelimit" in ending.headers or self._limits.told_by is not None:
            return self._rationed(verdict, ending, job.started)
        return verdict

    def _weighed(self, job: Job, answer: Answer, seconds: float) -> Verdict:
        if job.weigh is None and job.looks_up:
            return self._judge.of_look_up(answer, seconds, time.time(), job.parcel.body)
        return (job.weigh or self._judge.of_delivery)(answer, seconds, time.time())

    def _rationed(self, verdict: Verdict, answer: Answer, started: float) -> Verdict:
        """Keep to what an answer says is left; where that is nothing, the whole system is left alone until more is."""
        left = left_of(answer.headers, self._limits.told_by, time.time())
        if left is None:
            return verdict
        self._ration = self._ration or Ration()
        self._ration.learn(left, self._active, started, time.monotonic())
        if left.requests or verdict.retry_after_seconds is not None:
            return verdict
        return msgspec.structs.replace(verdict, slow_down=True, retry_after_seconds=left.seconds)

    def _conclude(self, job: Job, verdict: Verdict) -> None:
        self._busy_in_a_row = self._busy_in_a_row + 1 if verdict.status == 503 else 0
        if verdict.status == 503 and verdict.retry_after_seconds is None and self._busy_in_a_row < _BUSY_IN_A_ROW:
            # It names no time, and others were answered meanwhile: it may be of this request alone.
            verdict = msgspec.structs.replace(verdict, slow_down=False)
        self._finish(job, verdict)
        if verdict.slow_down:
            self._pause(verdict.retry_after_seconds)
        elif verdict.kind == STOPPED:
            self._give_back(Verdict(STOPPED, verdict.code, f"not sent: {verdict.detail}"))
        elif verdict.kind == DELIVERED:
            self._pause_seconds = _FIRST_PAUSE_SECONDS

    def _pause(self, asked_seconds: float | None) -> None:
        """No request to this system for a while: what it asked for, else 1 s, doubled each time up to a minute."""
        now = time.monotonic()
        if asked_seconds is None and now >= self._paused_until:
            asked_seconds = self._pause_seconds
            self._pause_seconds = min(_LONGEST_PAUSE_SECONDS, 2 * self._pause_seconds)
        self._paused_until = max(self._paused_until, now + (asked_seconds or 0.0))

    # Tokens

    def _renew(self, tokens: Tokens) -> None:
        if not self._renewing:
            self._renewing = True
            self._run(self._fetch_tokens(tokens))

    async def _fetch_tokens(self, tokens: Tokens) -> None:
        failure = await tokens.renew()
        self._renewing = False
        if failure is not None:
            self._give_back(of_failure(failure, 0.0))
        self._pump()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Looking and leaving

    async def check(self) -> list[str]:
        """What is wrong with reaching the system now."""
        connection = await self._opener.open(self._make_connection)
        if isinstance(connection, Failure):
            return [connection.detail]
        connection.close()
        failure = await self._tokens.renew() if self._tokens is not None else None
        return [failure.detail] if failure else []

    async def close(self) -> None:
        """Give back what has not started, wait for what has, free every connection."""
        self._closing = asyncio.Event()
        self._take_in()
        self._pump()
        self._close_if_done()
        await self._closing.wait()
        await asyncio.gather(*self._tasks)

    def _close_if_done(self) -> None:
        if self._active or self._closing is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        self._closing.set()
