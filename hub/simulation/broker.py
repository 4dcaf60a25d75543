"""The broker and its workers on one thread: calls wait until the simulation picks one, in any order.

Like the real one it may lose, repeat and reorder what it was given; the rows are the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

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
        self._world.current.process(seqs)

    def _run_pump(self, system: str) -> None:
        self._world.current.pump(system)
