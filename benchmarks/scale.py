"""``o2c bench scale``: the hub in one process and in several, what it costs to grow, and what waits is worked off.

    python -m benchmarks.scale [--json] [--quick]

Everything shares two cores. Progress goes to standard error, the claims to standard output; the exit code is 1 when one
does not hold. ``--quick`` is for working on the benchmark: short runs and small stores, not worth quoting. ``--part``
measures some of it: modes, growth, drain, replay.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import backlog, capacity, growth, stages, sweep
from benchmarks.capacity import Costs
from benchmarks.cluster import cluster, ground
from benchmarks.hub_project import hub
from benchmarks.report import Claim, as_json, as_table, exit_code
from benchmarks.stages import Stage
from benchmarks.trial import Load, Measured, Rig, rig

MODES = (("redis", 1), ("redis", 2), ("rabbitmq", 1), ("rabbitmq", 2))
SERVERS = ("postgres", "redis", "rabbitmq")


@dataclass(frozen=True, slots=True)
class Turn:
    """One after the other, so that a machine whose speed changes is the same for all."""

    script: Measured
    one: Measured
    many: dict[tuple[str, int], Measured]


@dataclass(frozen=True, slots=True)
class Size:
    """How long each part runs."""

    seconds: float = 20.0
    rounds: int = 3
    warm_up: int = 3_000
    stage_orders: int = 20_000
    backlog: int = 100_000
    drain_rounds: int = 3
    letters: int = 500_000
    live_orders: int = 30_000
    sweep_orders: int = 1_200  # 0: the script with fixed settings
    script_orders: int = 6_000
    growth: growth.Sizes = field(default_factory=growth.Sizes)


QUICK = Size(
    seconds=4, rounds=1, warm_up=1_000, stage_orders=2_560, backlog=6_000, drain_rounds=1, letters=6_000,
    live_orders=4_000, sweep_orders=0, script_orders=800,
    growth=growth.Sizes(messages=20_000, few=500, routes=100, lanes=5_000, rounds=2, orders=2_000),
)  # fmt: skip


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def embedded(place: Rig, size: Size) -> Measured:
    """The hub in one process on SQLite."""
    with hub(place, Path(tempfile.mkdtemp(prefix="embedded-", dir=place.folder))) as (running, url):
        place.run([running], url, Load(orders=size.warm_up))
        result = place.run([running], url, Load(seconds=size.seconds))
    say(f"SQLite, one process:\n  {result}")
    return result


def scaled(place: Rig, size: Size, broker: str, workers: int) -> Measured:
    """The hub in several processes on PostgreSQL."""
    with ground(place, broker) as below, cluster(place, below, workers) as running:
        place.run(running.systems, running.url, Load(orders=size.warm_up))
        result = place.run(running.systems, running.url, Load(seconds=size.seconds))
    parts = ", ".join(f"{name} {us:.0f}" for name, us in result.parts.items())
    say(f"{_name(broker, workers)}:\n  {result}\n  µs CPU an order: {parts}")
    return result


def settings(place: Rig, size: Size) -> sweep.Settings:
    """Those with which the afternoon script is at its best, or that mostly are."""
    return sweep.best(place, size.sweep_orders, say) if size.sweep_orders else sweep.Settings()


def script(place: Rig, size: Size, chosen: sweep.Settings) -> Measured:
    """The afternoon script."""
    result = sweep.measure(place, chosen, size.script_orders)
    say(f"The script, {chosen}:\n  {result}")
    return result


def alone(place: Rig, size: Size) -> list[Stage]:
    """Each stage by itself."""
    with ground(place) as below:
        found = [stages.ingest(place, below, size.stage_orders), *stages.inside(place, below, size.stage_orders)]
    say("Each stage alone:\n" + "\n".join(f"  {stage}" for stage in found))
    return found


def modes(place: Rig, size: Size) -> Iterator[Claim]:
    """Orders a second end to end, in turns with the script; the stages, and what that says of many machines."""
    chosen, turns = settings(place, size), []
    for _ in range(size.rounds):
        compared, one = script(place, size, chosen), embedded(place, size)
        turns.append(Turn(compared, one, {mode: scaled(place, size, *mode) for mode in MODES}))
    limits = alone(place, size)
    yield Claim("script: orders delivered a second", median(turn.script.per_second for turn in turns), "/s")
    yield Claim("SQLite, one process: orders delivered a second", median(turn.one.per_second for turn in turns), "/s")
    for mode in MODES:
        middle = median(turn.many[mode].per_second for turn in turns)
        yield Claim(f"{_name(*mode)}: orders delivered a second", middle, "/s")
    ratio = max(median(turn.many[mode].per_second / turn.script.per_second for turn in turns) for mode in MODES)
    yield Claim("scaled over script, delivered a second", ratio, "x", at_least=12)
    for stage in limits:
        yield Claim(f"{stage.name} alone", stage.per_second, "/s")
    yield from _paper([turn.many[("redis", 2)].parts for turn in turns], limits)
    yield from _sound([run for turn in turns for run in (turn.one, *turn.many.values())])


def _paper(runs: Sequence[dict[str, float]], limits: list[Stage]) -> Iterator[Claim]:
    parts = {name: median(run[name] for run in runs) for name in runs[0]}
    own = sum(us for name, us in parts.items() if name not in SERVERS)
    line = next(stage.per_second for stage in limits if stage.name == "line")
    costs = Costs(own, parts["postgres"], max(parts["redis"], 0.1), line)
    points, end = capacity.model(costs), capacity.wall(costs)
    say(f"On paper, machines of two cores for the hub:\n{capacity.describe(points, end)}")
    yield Claim("CPU an order, the hub's processes", own, "µs")
    yield Claim("CPU an order, PostgreSQL server", costs.server_us, "µs")
    yield Claim(f"on paper, the first wall: {end.limit}", end.per_second, "/s")
    yield Claim("on paper, machines of two cores that reach it", end.machines, "machines")


def _sound(runs: list[Measured]) -> Iterator[Claim]:
    lost = sum(run.accepted - run.delivered for run in runs)
    yield Claim("accepted and not delivered", lost, "orders", at_most=0)
    yield Claim("delivered twice", sum(run.duplicates for run in runs), "orders", at_most=0)
    yield Claim("other work on the cores meanwhile", max(run.elsewhere for run in runs) * 100, "%")


def drain(place: Rig, size: Size) -> Iterator[Claim]:
    """A stored backlog, worked off by one and by two."""
    with ground(place) as below:
        waiting = backlog.stored(place, below, size.backlog)
        ratios = []
        for _ in range(size.drain_rounds):
            one, two = (backlog.drain(place, below, waiting, size.backlog, workers) for workers in (1, 2))
            say(f"Draining:\n  {one}\n  {two}")
            ratios.append(two.per_second / one.per_second)
    yield Claim(f"draining {size.backlog:,}: two workers over one", median(ratios), "x", at_least=1.3)


def replay(place: Rig, size: Size) -> Iterator[Claim]:
    """Dead letters replayed, beside the rate of what comes in."""
    with ground(place) as below:
        found = backlog.replay(place, below, size.letters, size.live_orders)
    say(f"Replay:\n  {found}")
    share = found.per_second / found.live_per_second * 100
    yield Claim(f"replaying {found.letters:,} dead letters, of the live rate", share, "%", at_least=80)
    yield Claim("planning that", found.planning_seconds, "s")


Part = Callable[[Rig, Size], Iterator[Claim]]
PARTS: dict[str, Part] = {
    "modes": modes,
    "growth": lambda place, size: growth.claims(place, size.growth, say),
    "drain": drain,
    "replay": replay,
}


def _name(broker: str, workers: int) -> str:
    return f"PostgreSQL and {'Redis' if broker == 'redis' else 'RabbitMQ'}, {workers} working"


def main() -> int:
    parser = argparse.ArgumentParser(description="The hub in one process and in several")
    parser.add_argument("--json", action="store_true", help="print the claims as JSON")
    parser.add_argument("--quick", action="store_true", help="short runs and small stores, for trying it out")
    parser.add_argument("--folder", type=Path, help="where stores are made; a full run takes some tens of GB")
    parser.add_argument("--part", action="append", choices=list(PARTS), help="only this part; may be repeated")
    options = parser.parse_args()
    measured: list[Claim] = []
    with tempfile.TemporaryDirectory(prefix="o2c-bench-", dir=options.folder) as folder, rig(Path(folder)) as place:
        for name in options.part or PARTS:
            measured += PARTS[name](place, QUICK if options.quick else Size())
    print(as_json(measured) if options.json else as_table(measured))
    return exit_code(measured)


if __name__ == "__main__":
    sys.exit(main())
