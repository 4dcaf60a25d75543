"""The order in which batches go on: to the transformer one after the other, and into the store as they came.

A delivery goes only when everything earlier of its source is read. A batch that is stored too early becomes rows that
are found, claimed and perhaps built again by statements of their own; a moment's patience spares that. What takes
longer is not waited for, and nobody waits for it again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping

PATIENCE_SECONDS = 0.25
_LOOK_SECONDS = 0.016

Between = Mapping[str, tuple[int, int]]  # source -> numbers of receipts, both of them left out
Earlier = Callable[[Between], Collection[str]]


class Line:
    """Where the batches of a process stand. ``earlier`` gives the sources of which other processes have, or leave,
    something unread between two receipts; without it there are none. Any thread may ask for a place."""

    def __init__(self, earlier: Earlier | None = None) -> None:
        self.earlier = earlier
        self.handing_over = threading.Lock()
        self.moved = threading.Condition()
        self.places: set[Place] = set()
        self.given_up: dict[str, int] = {}  # by source: what is unread up to here is not waited for any more
        self.read: dict[str, int] = {}  # by source: all before this one is read

    def place(self) -> Place:
        """One's place in the line, once it is one's turn to take receipts."""
        return Place(self)


class Place:
    """A batch on its way, until the block ends."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._firsts: Mapping[str, int] = {}
        self._is_handing_over, self._waited = False, False

    def __enter__(self) -> Place:
        self._line.handing_over.acquire()
        self._is_handing_over = True
        return self

    def __exit__(self, *_: object) -> None:
        self.handed_over()
        with self._line.moved:
            self._line.places.discard(self)
            self._line.moved.notify_all()

    def handed_over(self) -> None:
        """The next batch may be taken and handed over."""
        if self._is_handing_over:
            self._is_handing_over = False
            self._line.handing_over.release()

    def holds(self, firsts: Mapping[str, int]) -> None:
        """The first receipt of each source that the batch has."""
        self._firsts = firsts
        with self._line.moved:
            self._line.places.add(self)

    def wait(self) -> None:
        """Until the earlier batches of the same sources are stored, or nobody should wait any longer."""
        if self._waited:
            return
        self._waited = True
        until = time.monotonic() + PATIENCE_SECONDS
        while (open_now := self._behind()) and time.monotonic() < until:
            with self._line.moved:
                self._line.moved.wait(_LOOK_SECONDS)
        with self._line.moved:
            for source, first in self._firsts.items():
                known = self._line.given_up if source in open_now else self._line.read
                known[source] = max(first, known.get(source, 0))

    def _behind(self) -> Collection[str]:
        """The sources of which something earlier is on its way."""
        line = self._line
        with line.moved:
            after = {source: max(line.given_up.get(source, 0), line.read.get(source, 0)) for source in self._firsts}
            here = {
                source
                for place in line.places
                for source, first in place._firsts.items()
                if after.get(source, first) < first < self._firsts.get(source, first)
            }
        if here or line.earlier is None:
            return here
        between = {source: (after[source], first) for source, first in self._firsts.items() if after[source] < first}
        return line.earlier(between) if between else ()
