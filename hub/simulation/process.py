"""A process of the simulated hub, from its start to its death, and the one that is the whole hub by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from connectors.base import Source
from hub import replay
from hub.chores import ClockWatch
from hub.errors import StoreError
from hub.pipeline.engine import Engine, WakeUp
from hub.pipeline.expired import expire_waiting
from hub.pipeline.program import Program
from hub.pipeline.receive import Intake
from hub.rounds import Chore
from hub.simulation import plan
from hub.simulation.folder import POLL_SECONDS, SimulatedFolder
from hub.store import sets
from hub.sweeper import Sweeper

if TYPE_CHECKING:
    from hub.simulation.store import SimulatedStore
    from hub.simulation.world import World

_OF_THE_BROKER = (plan.BROKER_LOST, plan.BROKER_DOWN)


def counting(engine: Engine) -> dict[str, Chore]:
    """What every process does now and then."""
    return {"counters": (1.0, lambda: engine.store.write(engine.beside.flush, durable=False))}


class SimulatedSweeper(Sweeper):
    """The sweeper with folders of the simulation, and without the chore that would repair what must not break."""

    def __init__(self, process: Process, chores: Mapping[str, Chore]) -> None:
        engine = process.engine
        own: dict[str, Chore] = {
            **counting(engine),
            "expired deliveries": (1.0, lambda: expire_waiting(engine)),
            "replays": (0.25, lambda: replay.advance(engine)),
        }
        super().__init__(engine, Path(), None, {**own, **chores})
        self._process = process
        self._folders: dict[str, SimulatedFolder] = process.world.folders

    def _source(self, name: str) -> tuple[Source | None, float]:
        return self._folders.get(name), POLL_SECONDS

    def _program_in_force(self) -> Program:
        return self._process.program_in_force()


class Process:
    """What every process has. ``apart`` and ``calls`` are what its threads may do next; ``store`` is its connection."""

    splits_what_it_takes_in = False

    def __init__(self, world: World, store: SimulatedStore, name: str) -> None:
        self.world, self.store, self.name = world, store, name
        self.is_up, self.late_until = True, 0.0  # until then it does not say that it is alive
        self.apart: list[Callable[[], None]] = []
        self.calls: list[Callable[[], None]] = []
        self.engine = Engine(
            store, self.program_in_force(), world.clock, self.wake(), lambda system: world.targets[system.name], name,
            lambda work, _: self.apart.append(work), keeps=self.splits_what_it_takes_in,
            chance=Random(f"{world.seed}/jitter/{name}"),  # noqa: S311  a simulation, not a secret
        )  # fmt: skip

    def program_in_force(self) -> Program:
        """The files that are in force by what is committed."""
        in_force = sets.active(self.store.reader())
        return next(program for program in self.world.scenario.programs if program.set_id == in_force)

    def wake(self) -> WakeUp:
        """Whom its engine tells of work."""
        return self.world.broker

    def start(self) -> None:
        """What it does first. Raises StoreError."""

    def round(self) -> None:
        """What it does several times a second."""

    def beat(self) -> None:
        """Say that it is alive, every second."""

    def wants_round(self) -> bool:
        """Whether a round of it has something to do, beside what the store says."""
        return bool(self.engine._later)

    def process(self, seqs: Sequence[int]) -> None:
        """The broker tells of receipts."""

    def pump(self, system: str) -> None:
        """The broker tells of a system that something may be due for."""

    def ended(self) -> None:
        """It has died; what it held outside the store is gone."""
        self.is_up = False

    def guarded(self, work: Callable[[], Any], otherwise: str) -> None:
        """As the real worker does: an unwritable store ends this call, and the sweeper offers its rows again."""
        try:
            work()
        except StoreError as error:
            self.world.note(f"{otherwise}: {error}")


class Alone(Process):
    """All of the hub in one process, on a store of its own."""

    splits_what_it_takes_in = True

    def __init__(self, world: World, store: SimulatedStore, name: str) -> None:
        super().__init__(world, store, name)
        if any(event.kind in _OF_THE_BROKER for event in world.events):
            # A broker apart from this process may lose calls: then a receipt is whoever's is told of it.
            self.engine.intake = Intake(store, None, self.engine._received)
        self.watch = ClockWatch(self.engine)
        self.sweeper = SimulatedSweeper(self, {"clock": (0.0, self.watch.look)})

    def start(self) -> None:
        self.sweeper.recover()
        replay.resume(self.engine)

    def round(self) -> None:
        self.sweeper.sweep()

    def process(self, seqs: Sequence[int]) -> None:
        self.guarded(lambda: self.engine.process(seqs), f"receipts {list(seqs)} wait for the store")

    def pump(self, system: str) -> None:
        self.guarded(lambda: self.engine.pump(system), f"deliveries to {system} wait for the store")

    def ended(self) -> None:
        super().ended()
        self.world.broker.lose_all()
