"""The one outbound engine of a process: a thread with an event loop that every HTTP system's channel lives on.

Results are collected during one turn of the loop and handed over together: one call per receiver and turn, so that a
busy hub commits big batches and an idle one is told at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from connectors.base import Finished, Parcel, Verdict

try:
    import uvloop as _loops
except ImportError:  # Windows has none
    _loops = asyncio  # type: ignore[misc]

T = TypeVar("T")
_log = logging.getLogger("o2c.connectors.http")


class Sender:
    """The thread and its loop. It starts with the first user and ends with the last."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop = _loops.new_event_loop()
        self._results: dict[Finished, list[tuple[Parcel, Verdict]]] = {}
        self._thread = threading.Thread(target=self._run, name="http-sender", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def call(self, function: Callable[[], None]) -> None:
        """Run a function on the loop, soon; returns at once."""
        self.loop.call_soon_threadsafe(function)

    def wait_for(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Run a coroutine on the loop and wait for its value. Raises TimeoutError; never called on the loop itself."""
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return future.result(seconds)
        except TimeoutError:
            future.cancel()
            raise

    def finish(self, finished: Finished, parcel: Parcel, verdict: Verdict) -> None:
        """Hand a verdict over at the end of this turn of the loop. Only called on the loop."""
        if not self._results:
            self.loop.call_soon(self._hand_over)
        self._results.setdefault(finished, []).append((parcel, verdict))

    def _hand_over(self) -> None:
        results, self._results = self._results, {}
        for finished, batch in results.items():
            try:
                finished(batch)
            except Exception:  # one receiver's fault must not stop the sending for all others
                _log.exception("a receiver of results failed; %d verdicts were handed to it", len(batch))


_lock = threading.Lock()
_current: Sender | None = None
_users = 0


def acquire() -> Sender:
    """The process's engine, started when there is none."""
    global _current, _users
    with _lock:
        if _current is None:
            _current = Sender()
        _users += 1
        return _current


def release() -> None:
    """Give the engine back; the last user ends it."""
    global _current, _users
    with _lock:
        _users -= 1
        ended, _current = (_current, None) if _users == 0 else (None, _current)
    if ended is not None:
        ended.loop.call_soon_threadsafe(ended.loop.stop)
        ended._thread.join(5.0)


def _forget_in_child() -> None:
    """A forked child has no thread: it starts its own engine when it needs one."""
    global _current, _users, _lock
    _current, _users, _lock = None, 0, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
