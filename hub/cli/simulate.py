"""``o2c simulate``: a route, or the hub itself, through thousands of runs with crashes, time-outs and lost answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from hub.cli.terminal import Json, ProjectFolder, complain, counted, finish, read_input, say, say_json
from hub.cli.workplace import environment_name, open_workplace
from hub.errors import UsageError
from hub.simulation.built_in import scenario_of
from hub.simulation.project_route import route_scenario
from hub.simulation.runs import Run, run_all
from hub.simulation.scenario import Scenario
from hub.simulation.shrink import shrink


def simulate(
    route: Annotated[str, typer.Argument(metavar="[ROUTE]", help="A route of the project; none: the hub's own.")] = "",
    seed: Annotated[str, typer.Option("--seed", metavar="N..M", help="One seed, or from..to.")] = "1..200",
    sample: Annotated[
        list[Path] | None, typer.Option("--sample", help="A document to send; else the inputs of the mapping's tests.")
    ] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Print what happened also where nothing broke.")] = False,
    processes: Annotated[int, typer.Option("--processes", min=1, max=256, help="How many seeds at a time.")] = 1,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Run a route with faults at every place, seed by seed: nothing may be lost, doubled, overtaken or left undone.

    Stops at the first seed that breaks a rule and shows the shortest way there; the same seed does the same again."""
    seeds = _seeds(seed)
    choose = _scenarios(route, sample or [], project)
    happened: Counter[str] = Counter()
    done, failing = 0, False
    for each in _with_progress(run_all(choose, seeds, processes), len(seeds)):
        done, happened, failing = done + 1, happened + each.happened, each.broken is not None
        if failing:
            break
    shown = shrink(choose(each.seed), each) if failing else each
    if as_json:
        say_json(_as_dict(route, done, happened, shown if failing else None))
    else:
        _report(route, done, happened, shown, failing, trace)
    finish(failing)


def _with_progress(runs: Iterator[Run], total: int) -> Iterator[Run]:
    """The runs, with a bar on a terminal that is gone when they are over."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        yield from progress.track(runs, total=total, description="simulating")


def _seeds(text: str) -> range:
    first, _, last = text.partition("..")
    try:
        seeds = range(int(first), int(last or first) + 1)
    except ValueError:
        seeds = range(0)
    if not seeds or seeds[0] < 0:
        raise UsageError(f"--seed: expected a number or a range such as 1..1000, got '{text}'")
    return seeds


def _scenarios(route: str, samples: list[Path], project: Path) -> Callable[[int], Scenario]:
    if not route:
        return scenario_of
    place = open_workplace(project)
    given = [read_input(path) for path in samples]
    scenario = route_scenario(place.files, route, given, environment_name(), place.connectors_folder)
    return lambda _: scenario


def _report(route: str, done: int, happened: Counter[str], shown: Run, is_broken: bool, trace: bool) -> None:
    if is_broken or trace:
        say(f"seed {shown.seed}, {shown.scenario}: " + "; ".join(map(str, shown.events)))
        say(shown.trace)
    faults = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in happened.most_common())
    complain(f"{counted(done, 'seed')}, {counted(happened.total(), 'fault')}: {faults or 'none'}")
    if is_broken:
        complain(f"seed {shown.seed} breaks a rule: {shown.broken}")
        complain(f"again: {_again(route, shown.seed)}")
    else:
        complain("nothing was lost, doubled, overtaken or left undone")


def _again(route: str, seed: int) -> str:
    return f"o2c simulate {route + ' ' if route else ''}--seed {seed}"


def _as_dict(route: str, done: int, happened: Counter[str], broken: Run | None) -> dict[str, Any]:
    found: dict[str, Any] = {"route": route, "seeds": done, "faults": dict(happened), "broken": None}
    if broken is not None and broken.broken is not None:
        found["broken"] = {
            "seed": broken.seed, "rule": broken.broken.rule, "detail": broken.broken.detail,
            "events": [str(event) for event in broken.events], "trace": broken.trace.splitlines(),
            "again": _again(route, broken.seed),
        }  # fmt: skip
    return found


COMMANDS = (simulate,)
