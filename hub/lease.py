"""A lease that this process holds as long as it lives, renewed by a thread with a connection of its own: whatever keeps
the store's writer or other threads waiting, a lock that somebody else has or a long compile, does not end it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from hub.errors import StoreError
from hub.loggers import structlog
from hub.store import Store, leases, open_store

_log = structlog.get_logger("hub")
_SECONDS, _RENEW_SECONDS = 5.0, 1.0


class Lease:
    """``name`` is held by ``holder`` in the shared store at ``url``, five seconds at a time. ``lost`` is called, once,
    when somebody else has it."""

    def __init__(self, url: str, root: Path, name: str, holder: str, lost: Callable[[], None] = lambda: None) -> None:
        self._url, self._root, self._lost = url, root, lost
        self._name, self._holder = name, holder
        self._store: Store | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def take(self) -> bool:
        """Take or renew it; False while somebody else holds it. Raises StoreError."""
        if self._store is None:
            self._store = open_store(self._url, self._root)
        hold = partial(leases.hold, name=self._name, holder=self._holder, seconds=_SECONDS)
        return bool(self._store.write(hold, durable=False))

    def keep(self) -> None:
        """From now on renew it every second."""
        self._thread.start()

    def _keep(self) -> None:
        while not self._ending.wait(_RENEW_SECONDS):
            try:
                if not self.take():
                    self._lost()
                    return
            except StoreError:
                continue  # others tell that the store is away
            except Exception:
                _log.exception("the lease was not renewed; it is tried again", name=self._name)

    def give_up(self) -> None:
        """Let anybody else take it."""
        if self._store is not None:
            with suppress(StoreError):  # it ends by itself
                self._store.write(partial(leases.let_go, name=self._name, holder=self._holder))

    def end(self) -> None:
        """Give it up for good: what this process had in hand is recorded."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join(10)
        self.give_up()
        if self._store is not None:
            self._store.close()
