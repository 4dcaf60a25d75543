"""The processes of a hub that share a store: one takes in, several work, one sweeps and another one stands by.

Each has an engine, connections and a memory of its own. What wakes workers from outside goes through the broker; what
a worker tells itself does not. Who is alive is said by leases, as in production: a worker whose beats come late is
taken for dead, though it goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

from hub.leading import Leader
from hub.pipeline.engine import WakeUp
from hub.pipeline.program import Program
from hub.rounds import Rounds
from hub.simulation.process import Process, SimulatedSweeper, counting
from hub.simulation.server import SharedStore
from hub.simulation.store import SimulatedStore
from hub.store import leases
from hub.worker import LocalWorker

if TYPE_CHECKING:
    from hub.simulation.world import World

_LEASE_SECONDS = 5.0


class SimulatedRounds(Rounds):
    """What a process that does not sweep looks at several times a second."""

    def __init__(self, process: Process, chores: dict[str, tuple[float, Callable[[], object]]]) -> None:
        super().__init__(process.engine, None, chores)
        self._process = process

    def _program_in_force(self) -> Program:
        return self._process.program_in_force()


class Door(Process):
    """``o2c serve``: takes in, and tells workers through the broker."""

    def __init__(self, world: World, store: SimulatedStore, name: str) -> None:
        super().__init__(world, store, name)
        self._rounds = SimulatedRounds(self, counting(self.engine))

    def round(self) -> None:
        self._rounds.sweep()


class _Actor:
    """A call of a worker to itself, made when chance picks it."""

    def __init__(self, calls: list[Callable[[], None]], work: Callable[..., None]) -> None:
        self._calls, self._work = calls, work

    def send(self, *values: str) -> None:
        self._calls.append(partial(self._work, *values))


class SimulatedWorker(LocalWorker):
    """The worker without threads."""

    def __init__(self, calls: list[Callable[[], None]]) -> None:
        super().__init__()
        self._process, self._deliver = _Actor(calls, self._run_process), _Actor(calls, self._run_deliver)  # type: ignore[assignment]

    @property
    def has_left(self) -> bool:
        """Whether there are sources to be looked at a little later."""
        return bool(self._left)


class Working(Process):
    """``o2c work``: splits and sends. It holds a lease as long as it lives."""

    def __init__(self, world: World, store: SimulatedStore, name: str) -> None:
        super().__init__(world, store, name)
        self.local._engine, self.engine.look_again = self.engine, self.local.look_again
        chores = {"left to others": (0.0, self.local.look_at_left), **counting(self.engine)}
        self._rounds = SimulatedRounds(self, chores)

    def wake(self) -> WakeUp:
        self.local = SimulatedWorker(self.calls)
        return self.local

    def start(self) -> None:
        self.beat()

    def beat(self) -> None:
        name = leases.worker_lease(self.name)
        job = partial(leases.hold, name=name, holder=self.name, seconds=_LEASE_SECONDS)
        cast(SharedStore, self.store).at_once(job)

    def round(self) -> None:
        self._rounds.sweep()

    def wants_round(self) -> bool:
        return super().wants_round() or self.local.has_left

    def process(self, seqs: Sequence[int]) -> None:
        self.local.process(seqs)

    def pump(self, system: str) -> None:
        self.local.pump(system)


class Sweeping(Process):
    """``o2c sweep``: sweeps if it leads, else it stands by."""

    def __init__(self, world: World, store: SimulatedStore, name: str) -> None:
        super().__init__(world, store, name)
        self.leader = Leader(self.engine, lambda chores: SimulatedSweeper(self, chores))

    def round(self) -> None:
        self.guarded(self.leader.round, "a round failed and is tried again")

    def beat(self) -> None:
        """Hold on to the lease of the one that leads."""
        if self.leader.is_leading:
            self.leader.leadership.holds()
