"""Connections of one system: each is lent to one thread at a time, kept for the next, and no more than so many."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from connectors._files import Lost, Unreached
from connectors._sftp_wire import Wire


class Session(Protocol):
    """One connection. ``is_alive`` asks nobody."""

    @property
    def wire(self) -> Wire: ...

    @property
    def is_alive(self) -> bool: ...

    def close(self) -> None: ...


class Pool:
    """``make`` opens a connection or raises Unreached, StoppedError; ``most`` at a time, kept for ``idle_seconds``."""

    def __init__(
        self, make: Callable[[], Session], most: int, wait_seconds: float, idle_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._make, self._wait_seconds, self._idle_seconds = make, wait_seconds, idle_seconds
        self._monotonic = monotonic
        self._free = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._idle: list[tuple[Session, float]] = []
        self._watch: threading.Timer | None = None  # over the one that is idle longest
        self._is_closed = False

    @contextmanager
    def lent(self) -> Iterator[Wire]:
        """A connection for the length of a block. Raises Unreached when none becomes free or can be opened."""
        if not self._free.acquire(timeout=self._wait_seconds):
            text = "all connections to the server are in use; see connections.limit"
            raise Unreached(errno.EBUSY, text, "queue_full")
        try:
            session = self._kept() or self._make()
            is_broken = False
            try:
                yield session.wire
            except Lost:
                is_broken = True
                raise
            finally:
                self._give_back(session, is_broken)
        finally:
            self._free.release()

    def _kept(self) -> Session | None:
        """The connection that was used last and is still good."""
        old: list[Session] = []
        found = None
        with self._lock:
            while self._idle and found is None:
                session, since = self._idle.pop()
                if session.is_alive and self._monotonic() - since < self._idle_seconds:
                    found = session
                else:
                    old.append(session)
        for session in old:
            session.close()
        return found

    def _give_back(self, session: Session, is_broken: bool) -> None:
        if not is_broken and session.wire.is_usable and session.is_alive:
            with self._lock:
                if not self._is_closed:
                    self._idle.append((session, self._monotonic()))
                    self._see_to_idle()
                    return
        session.close()

    def _see_to_idle(self) -> None:
        if self._watch is None and self._idle:
            seconds = self._idle[0][1] + self._idle_seconds - self._monotonic()
            self._watch = threading.Timer(max(seconds, 0.0), self._close_old)
            self._watch.daemon = True
            self._watch.start()

    def _close_old(self) -> None:
        """Close what nobody has used for so long."""
        with self._lock:
            until = self._monotonic() - self._idle_seconds
            old = [session for session, since in self._idle if since <= until]
            self._idle = [(session, since) for session, since in self._idle if since > until]
            self._watch = None
            self._see_to_idle()
        for session in old:
            session.close()

    def rest(self) -> None:
        """Close what nobody uses now."""
        with self._lock:
            idle, self._idle = self._idle, []
            if self._watch is not None:
                self._watch.cancel()
                self._watch = None
        for session, _ in idle:
            session.close()

    def close(self) -> None:
        """Close every connection, those in use when they are given back."""
        with self._lock:
            self._is_closed = True
        self.rest()
