"""What a run simulates: programs in force, a store that holds them, and who sends what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from hub.deploy import deploy
from hub.pipeline.program import Program
from hub.simulation.clock import SimulatedClock
from hub.simulation.store import SimulatedStore, prepared
from hub.store import sets
from hub.store.audit import Actor

Document = Callable[[int, int], bytes]  # (number, key) -> its bytes


class Feed(msgspec.Struct, frozen=True):
    """A system that sends documents of one event, posted or as files in a folder."""

    name: str
    source: str
    event: str
    document: Document
    is_folder: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """A project as the simulation runs it. ``programs`` are what is deployed, in turn, the first from the start;
    ``answers`` are what a target (route, target) says when it takes a delivery."""

    name: str
    programs: tuple[Program, ...]
    content: bytes = field(repr=False)
    feeds: tuple[Feed, ...]
    answers: Mapping[tuple[str, str], bytes] = field(default_factory=dict)

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems that something is delivered to."""
        return tuple(sorted({t.system.name for route in self.programs[0].routes.values() for t in route.targets}))


def make_scenario(
    name: str, versions: Sequence[Mapping[str, bytes]], feeds: Callable[[Program], tuple[Feed, ...]],
    answers: Mapping[tuple[str, str], bytes], environment: str | None = None, own_connectors: Path | None = None,
) -> Scenario:  # fmt: skip
    """Deploy each version of the files, the first one last, so that it is in force. Raises ProjectError."""

    def work(store: SimulatedStore) -> tuple[Program, ...]:
        clock = SimulatedClock()
        actor = Actor("simulation")
        programs = tuple(deploy(store, files, environment, clock, actor, own_connectors) for files in versions)
        if len(programs) > 1:
            store.write(lambda db: sets.activate(db, programs[0].set_id, clock.epoch(), "simulation"))
        return programs

    programs, content = prepared(work)
    return Scenario(name, programs, content, feeds(programs[0]), answers)
