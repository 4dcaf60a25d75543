"""Load on a hub of the tests, and whether its effects came in order."""

from __future__ import annotations

import http.client
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from itertools import pairwise
from typing import Self

from hub_process import HubProcess
from receiver import Receiver


class Senders(ABC):
    """Threads that send, each under a name of its own, for the length of a block."""

    def __init__(self, names: Iterable[str]) -> None:
        self.stop = threading.Event()
        self._threads = [threading.Thread(target=self.run, args=(name,)) for name in names]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join()

    @abstractmethod
    def run(self, name: str) -> None:
        """What one of them does until ``stop`` is set."""


class Load(Senders):
    """Signed orders from several threads until told to stop; remembers which were acknowledged.

    ``pause`` is how many seconds each thread waits between two requests.
    """

    def __init__(self, hub: HubProcess, lanes: int = 5, most: int = 1_000_000, pause: float = 0.0) -> None:
        self.acknowledged: list[str] = []
        self._hub, self._most, self._pause = hub, most, pause
        super().__init__(f"k{n}" for n in range(lanes))

    def run(self, lane: str) -> None:
        number = 0
        while not self.stop.is_set() and number < self._most:
            reference = f"{lane}-{number}"
            try:
                status, _ = self._hub.send(reference)
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
                continue
            if status in (200, 202):
                self.acknowledged.append(reference)
                number += 1
            self.stop.wait(self._pause)


def in_order(receiver: Receiver) -> bool:
    """Per key the effects came in the order of the orders."""
    lanes: dict[str, list[int]] = {}
    for lane, number in receiver.order:
        lanes.setdefault(lane, []).append(number)
    return all(a < b for numbers in lanes.values() for a, b in pairwise(numbers))
