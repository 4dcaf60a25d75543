"""The http connector keeps to what a system says is left of its limit, before it is answered 429."""

from __future__ import annotations

import threading
import time
from typing import Any

from scripted_server import Line, Request, ScriptedServer
from sending import NATIVE, make, parcel, send

from connectors.base import DELIVERED, LATER

__all__ = ["make"]


class Limited:
    """Answers so many requests in each window, and 429 beyond; says in each answer what is left."""

    def __init__(self, quota: int, window: float, draft: bool = True) -> None:
        self.quota, self.window, self.draft = quota, window, draft
        self.refused = 0
        self._lock, self._began, self._used = threading.Lock(), 0.0, 0

    async def __call__(self, request: Request, line: Line) -> None:
        now = time.monotonic()
        if now >= self._began + self.window:
            self._began, self._used = now, 0
        self._used += 1
        left, reset = max(0, self.quota - self._used), self._began + self.window - now
        seconds = str(int(reset) + 1)
        if self.draft:
            headers = {"RateLimit": f'"d";r={left};t={seconds}', "RateLimit-Policy": f'"d";q={self.quota};w=2'}
        else:
            headers = {"X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": seconds}
        self.refused += self._used > self.quota
        await line.answer(429 if self._used > self.quota else 200, **headers)


def refusals(limited: Limited, make: Any, **settings: Any) -> int:
    """How many of forty requests the system had to refuse until all were delivered."""
    with ScriptedServer(limited) as server:
        to = make(server, idempotency=NATIVE, limits={"concurrency": 8, **settings}, timeouts={"read": 10.0})
        waiting = {number: parcel(number) for number in range(40)}
        end = time.monotonic() + 30
        while waiting and time.monotonic() < end:
            tried = list(waiting.values())
            for one, verdict in zip(tried, send(to, *tried), strict=True):
                assert verdict.kind == DELIVERED or (verdict.kind, verdict.code) == (LATER, "paused"), verdict
                if verdict.kind == DELIVERED:
                    del waiting[int(one.delivery_id.partition("-")[2])]
            time.sleep(0.05)  # what is given back waits as rows; here there is no hub that keeps them
        assert not waiting and len(server.requests) == 40
        return limited.refused


def test_a_burst_is_spread_so_that_none_of_it_is_refused(make: Any) -> None:
    assert refusals(Limited(16, 1.0), make) == 0


def test_other_headers_are_kept_to_where_the_system_names_them(make: Any) -> None:
    named = {"remaining": "X-RateLimit-Remaining", "reset": "X-RateLimit-Reset", "reset_is": "seconds"}
    assert refusals(Limited(16, 1.0, draft=False), make, headers=named) == 0


def test_where_nothing_is_left_the_verdict_asks_for_a_pause_of_the_system(make: Any) -> None:
    async def last(request: Request, line: Line) -> None:
        await line.answer(201, RateLimit='"d";r=0;t=40')

    with ScriptedServer(last) as server:
        [verdict] = send(make(server))
        assert (verdict.kind, verdict.slow_down, verdict.retry_after_seconds) == (DELIVERED, True, 40.0)


def test_retry_after_says_more_than_the_rest_of_a_limit(make: Any) -> None:
    async def full(request: Request, line: Line) -> None:
        await line.answer(429, RateLimit='"d";r=0;t=40', Retry_After="7")

    with ScriptedServer(full) as server:
        [verdict] = send(make(server))
        assert (verdict.kind, verdict.slow_down, verdict.retry_after_seconds) == (LATER, True, 7.0)


def test_a_refusal_without_retry_after_waits_until_more_is_allowed(make: Any) -> None:
    async def full(request: Request, line: Line) -> None:
        await line.answer(429, RateLimit='"d";r=0;t=40')

    with ScriptedServer(full) as server:
        [verdict] = send(make(server))
        assert (verdict.kind, verdict.slow_down, verdict.retry_after_seconds) == (LATER, True, 40.0)
