"""Tells workers in other processes that there is work, through a broker: never blocks, never fails, loses little.

Callers leave ids; a thread of its own sends them on, many in one message. While the broker is away they are kept up to
a bound, newest first; what is dropped is counted, and found by the sweeper.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence

import dramatiq

from hub.broker import QUEUE
from hub.broker.remote import AGAIN_SECONDS, RemoteBroker
from hub.broker.wire import WireError
from hub.loggers import structlog

_log = structlog.get_logger("broker")
_IDS_KEPT = 50_000
_IDS = 128  # in one message: what a worker takes as one batch
_AT_ONCE = 64  # messages in one go
_TEND_SECONDS = 2.0


class Publisher:
    """The ``WakeUp`` of processes that do not work themselves."""

    def __init__(self, broker: RemoteBroker, kept: int = _IDS_KEPT) -> None:
        self._broker, self._kept = broker, kept
        self._seqs: deque[int] = deque()
        self._systems: dict[str, None] = {}
        self._news = threading.Condition()
        self._stopping = False
        self._away = False
        self.dropped = 0  # ids
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        broker.declare_queue(QUEUE)
        self._thread.start()

    @property
    def is_away(self) -> bool:
        """Whether the broker was away when it was last spoken to."""
        return self._away

    def process(self, seqs: Sequence[int]) -> None:
        with self._news:
            self._seqs.extend(seqs)
            while len(self._seqs) > self._kept:
                self._seqs.popleft()
                self.dropped += 1
            self._news.notify()

    def pump(self, system: str) -> None:
        with self._news:
            self._systems[system] = None
            self._news.notify()

    def stop(self) -> None:
        """Send what is left, if the broker is there."""
        with self._news:
            self._stopping = True
            self._news.notify()
        self._thread.join(5)
        self._broker.close()

    def _run(self) -> None:
        while True:
            with self._news:
                if not (self._seqs or self._systems or self._stopping):
                    self._news.wait(_TEND_SECONDS)
                seqs, systems = self._taken()
                is_last = self._stopping and not (self._seqs or self._systems)
            is_sent = self._send(seqs, systems)
            if is_last or (self._stopping and not is_sent):
                return

    def _taken(self) -> tuple[list[int], list[str]]:
        seqs = [self._seqs.popleft() for _ in range(min(len(self._seqs), _IDS * _AT_ONCE))]
        systems = list(self._systems)
        self._systems.clear()
        return seqs, systems

    def _send(self, seqs: Sequence[int], systems: Sequence[str]) -> bool:
        try:
            if seqs or systems:
                self._broker.push(messages(seqs, systems))
            else:
                self._broker.tend()
        except WireError as error:
            self._put_back(seqs, systems, error)
            return False
        if self._away:
            _log.info("the broker is back")
        self._away = False
        return True

    def _put_back(self, seqs: Sequence[int], systems: Sequence[str], error: WireError) -> None:
        if not self._away:
            _log.warning("the broker is away; workers are told when it is back", reason=str(error))
        self._away = True
        with self._news:
            room = max(self._kept - len(self._seqs), 0)
            kept = seqs[-room:] if room else ()
            self.dropped += len(seqs) - len(kept)
            self._seqs.extendleft(reversed(kept))
            self._systems |= dict.fromkeys(systems)
            self._news.wait_for(lambda: self._stopping, AGAIN_SECONDS)


def messages(seqs: Sequence[int], systems: Sequence[str]) -> Iterator[dramatiq.Message[None]]:
    """What is told to workers: receipts to split, many in one message, and systems that something is due for."""
    for start in range(0, len(seqs), _IDS):
        yield _message("process", list(seqs[start : start + _IDS]))
    for system in systems:
        yield _message("deliver", system)


def _message(actor: str, argument: list[int] | str) -> dramatiq.Message[None]:
    return dramatiq.Message(queue_name=QUEUE, actor_name=actor, args=(argument,), kwargs={}, options={})
