"""The broker and its workers on one thread: calls wait until the simulation picks one, in any order.

Like the real one it may lose, repeat and reorder what it was given; the rows are the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from hub.errors import StoreError

if TYPE_CHECKING:
    from hub.simulation.world import World


class SimulatedBroker:
    """The engine's ``WakeUp``. ``down_until`` is when it takes calls again."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.waiting: list[Callable[[], None]] = []
        self.down_until = 0.0

    def process(self, seqs: Sequence[int]) -> None:
        self._take(partial(self._run_process, list(seqs)))

    def pump(self, system: str) -> None:
        self._take(partial(self._run_pump, system))

    def lose_all(self) -> None:
        self.waiting.clear()

    def _take(self, call: Callable[[], None]) -> None:
        if self._world.clock.elapsed < self.down_until:
            return
        self.waiting += [call, call] if self._world.faults.is_woken_twice() else [call]

    def _run_process(self, seqs: Sequence[int]) -> None:
        self._guarded(lambda: self._world.engine.process(seqs), f"receipts {seqs} wait for the store")

    def _run_pump(self, system: str) -> None:
        self._guarded(lambda: self._world.engine.pump(system), f"deliveries to {system} wait for the store")

    def _guarded(self, work: Callable[[], None], otherwise: str) -> None:
        """As the real worker does: an unwritable store ends this call, and the sweeper offers its rows again."""
        try:
            work()
        except StoreError as error:
            self._world.note(f"{otherwise}: {error}")
