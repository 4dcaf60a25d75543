"""A destination made of one function that waits for its answer: ``send`` is all that a connector of
a system with a library of its own has to write."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import msgspec

from connectors._queue import Queue
from connectors.base import DOUBT, ConnectorError, Finished, Parcel, Verdict, verdict_of

_log = logging.getLogger("o2c.connectors")


class BlockingDestination:
    """A ``Destination`` made of ``send``, one parcel at a time on each of its threads: for whatever waits for its
    answer. Whoever builds on it writes ``send``, and ``look_up``, ``check`` and ``close`` where there is more to say.
    """

    def __init__(self, threads: int = 1) -> None:
        self._queue = Queue(threads, type(self).__name__, self._tried)

    def send(self, parcel: Parcel) -> Verdict:
        """One try of one parcel. TransientError: it had no effect (LATER); StoppedError: nothing can be sent at all
        (STOPPED); PermanentError: it is refused (REFUSED); whatever else is raised leaves it in DOUBT."""
        raise NotImplementedError

    def submit(self, parcels: Sequence[Parcel], finished: Finished) -> None:
        """Send parcels; returns at once. One verdict for each, as soon as it is there."""
        self._queue.submit(parcels, finished)

    def recall(self, verdict: Verdict) -> None:
        """Give back, with this verdict, what has not started."""
        self._queue.recall(verdict)

    def _tried(self, parcel: Parcel) -> Verdict:
        started = time.monotonic()
        try:
            return msgspec.structs.replace(self.send(parcel), seconds=time.monotonic() - started)
        except Exception as error:  # one verdict for each parcel, whatever happens
            return msgspec.structs.replace(_verdict_of(error), seconds=time.monotonic() - started)

    def look_up(self, parcel: Parcel) -> Verdict:
        return Verdict(DOUBT, "no_look_up", "the system has no look-up: look yourself whether it is there")

    def check(self) -> list[str]:
        return []

    def close(self) -> None:
        """Finish what is under way, give back the rest as LATER."""
        self._queue.close()


def _verdict_of(error: Exception) -> Verdict:
    if isinstance(error, ConnectorError):
        return verdict_of(error)
    _log.error("a parcel could not be sent: %s", type(error).__name__, exc_info=error)
    return Verdict(DOUBT, "failed", f"it failed while it was sent: {type(error).__name__}")
