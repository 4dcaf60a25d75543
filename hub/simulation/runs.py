"""Many seeds of one or of several scenarios: what each came to, and what faults there were in all."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from hub.loggers import structlog
from hub.simulation.plan import Event, make_plan
from hub.simulation.scenario import Scenario
from hub.simulation.trace import Violation, unforeseen_is_a_violation
from hub.simulation.world import World


class Run(msgspec.Struct, frozen=True):
    """One run: the plan it followed, what broke (None: nothing), and its trace."""

    seed: int
    scenario: str
    events: tuple[Event, ...]
    broken: Violation | None
    trace: str
    happened: Counter[str] = msgspec.field(default_factory=Counter)


def plan_of(scenario: Scenario, seed: int) -> tuple[Event, ...]:
    """The plan of a seed for a scenario."""
    deploys = len(scenario.programs) > 1
    return make_plan(seed, {feed.name: feed.is_folder for feed in scenario.feeds}, scenario.systems, deploys)


def run(scenario: Scenario, seed: int, events: Sequence[Event] | None = None) -> Run:
    """One run of a seed, by its own plan or by a smaller one."""
    chosen = plan_of(scenario, seed) if events is None else tuple(events)
    world = World(scenario, chosen, seed)
    broken = None
    with _findings():
        try:
            world.run()
        except Violation as violation:
            broken = violation
    return Run(seed, scenario.name, chosen, broken, str(world.trace), world.faults.happened)


def run_all(scenario_of: Callable[[int], Scenario], seeds: Sequence[int], processes: int = 1) -> Iterator[Run]:
    """Each seed in turn, in this process or in several; the runs come in the order of the seeds either way."""
    if processes <= 1:
        yield from (run(scenario_of(seed), seed) for seed in seeds)
        return
    with multiprocessing.get_context("fork").Pool(processes, _remember, (scenario_of,)) as pool:
        yield from pool.imap(_run_seed, seeds, chunksize=_CHUNK)


def _remember(scenario_of: Callable[[int], Scenario]) -> None:
    _chosen.append(scenario_of)


def _run_seed(seed: int) -> Run:
    return run(_chosen[-1](seed), seed)


_chosen: list[Callable[[int], Scenario]] = []  # in a process of the pool: what it was started with
_CHUNK = 8


@contextmanager
def _findings() -> Iterator[None]:
    """What the hub would log as an unforeseen error ends the run; other lines are not wanted."""
    before = structlog.get_config()
    structlog.configure(
        processors=[unforeseen_is_a_violation], cache_logger_on_first_use=False,
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )  # fmt: skip
    try:
        yield
    finally:
        structlog.configure(**before)
