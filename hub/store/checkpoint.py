"""Checkpoints of the embedded store beside its writer: folding the log into the file takes as long as many commits, and
nobody's commit should wait for that.

Most of the log is folded in while the writer goes on, by a connection of its own. What came meanwhile, a little, is
folded in between two transactions, after which the writer begins the log anew: else, under load, it would never end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

import apsw

_PAGES = 1000  # of the log, 4 KB each
_FOLD = "PRAGMA wal_checkpoint(PASSIVE)"


class Checkpoints:
    """A thread that folds the log in whenever it is long. ``beside`` is its connection; ``between(work)`` runs
    ``work(writer)`` while no transaction is open."""

    def __init__(
        self, beside: apsw.Connection, between: Callable[[Callable[[apsw.Connection], object]], object]
    ) -> None:
        self._beside, self._between = beside, between
        self._due = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._loop, name="store-checkpoints", daemon=True)
        self._thread.start()

    def watch(self, writer: apsw.Connection) -> None:
        """See how long the log is after every commit of the writer, which makes no checkpoints of its own then."""
        writer.set_wal_hook(self._committed)

    def close(self) -> None:
        self._closing = True
        self._due.set()
        self._thread.join()
        self._beside.close()

    def _committed(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        if pages >= _PAGES:
            self._due.set()
        return apsw.SQLITE_OK

    def _loop(self) -> None:
        while True:
            self._due.wait()
            if self._closing:
                return
            self._due.clear()
            # Whatever keeps the log from being folded in, a full disk say, the writer meets it too, and tells.
            with suppress(apsw.Error):
                self._beside.execute(_FOLD)
                self._between(lambda writer: writer.execute(_FOLD))
