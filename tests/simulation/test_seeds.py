"""The hub through many simulated runs; the simulation itself is repeatable and takes the routes of a project too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.cli.app import main
from hub.project import own_files, reference_files
from hub.simulation.built_in import NAMES, built_in, scenario_of
from hub.simulation.plan import ACTIONS, ANSWERS, BEATS_LATE, CRASH, CRASH_PLACES, SEND, SHARED, STANDS_STILL, Event
from hub.simulation.project_route import route_scenario
from hub.simulation.runs import plan_of, run

ROOT = Path(__file__).parent.parent.parent
SEEDS = int(os.environ.get("O2C_SIMULATION_SEEDS", "2000"))


def simulate(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    with pytest.raises(SystemExit) as ended:
        main(["simulate", *arguments, "--json"])
    return int(ended.value.code or 0), msgspec.json.decode(capsys.readouterr().out)


def test_whatever_happens_nothing_is_lost_doubled_overtaken_or_left_undone(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = simulate(capsys, "--seed", f"1..{SEEDS}", "--processes", str(min(os.cpu_count() or 1, 8)))
    assert found["broken"] is None, "\n".join([found["broken"]["detail"], *found["broken"]["trace"]])
    assert (code, found["seeds"]) == (0, SEEDS)
    faults = {"crash", "power_cut", "disk_full", "broker_lost", "broker_down", "woken_twice", "clock_step", "deploy"}
    faults |= {"duplicate", "half a file", "outage", BEATS_LATE, STANDS_STILL}
    assert faults | set(ANSWERS) | set(ACTIONS) <= set(found["faults"])


def test_every_route_and_every_place_to_die_is_in_the_first_seeds() -> None:
    plans = [plan_of(scenario_of(seed), seed) for seed in range(1, 200)]
    assert {scenario_of(seed).name for seed in range(1, 200)} == set(NAMES)
    assert set(CRASH_PLACES) <= {event.subject for plan in plans for event in plan}


def test_a_third_of_the_seeds_have_several_processes_on_one_store() -> None:
    shared = [event for seed in range(1, 200) for event in plan_of(scenario_of(seed), seed) if event.kind == SHARED]
    assert 50 <= len(shared) <= 80
    assert {event.amount for event in shared} == {1, 2, 3}


def test_of_several_processes_that_work_one_goes_on_where_another_dies() -> None:
    # The first delivery's worker dies with the request on its way; what it had in hand is found by the one that leads.
    sends = [Event(SEND, subject="shop", number=number, key=1) for number in (1, 2)]
    events = [Event(SHARED, amount=2), *sends, Event(CRASH, nth=1, subject="sending")]
    done = run(built_in("one target with keys"), 1, events)
    assert done.broken is None
    lines = done.trace.splitlines()
    [death] = [number for number, line in enumerate(lines) if "the process dies: sending" in line]
    dead = lines[death].split()[2]
    sent = [line.split()[2] for line in lines[death:] if "erp is sent" in line]
    assert len(sent) == 2
    assert dead not in sent


@pytest.mark.parametrize("seed", [18, 20])
def test_a_seed_gives_the_same_trace_to_the_byte_in_any_process(seed: int) -> None:
    imports = "from hub.simulation.runs import run; from hub.simulation.built_in import scenario_of"
    code = f"{imports}; print(run(scenario_of({seed}), {seed}).trace)"
    other = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": "7"}, capture_output=True, text=True
    )
    assert other.stdout == run(scenario_of(seed), seed).trace + "\n"


@pytest.mark.parametrize("route", ["webshop-orders", "partner-orders"])
def test_a_route_of_a_project_runs_with_its_own_mappings(route: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = simulate(capsys, route, "--seed", "1..15", "--project", str(ROOT))
    assert (code, found["seeds"], found["broken"]) == (0, 15, None)


def test_documents_of_a_route_speak_of_several_orders() -> None:
    scenario = route_scenario({**reference_files(), **own_files(ROOT)}, "webshop-orders", [])
    [feed] = scenario.feeds
    assert len({feed.document(1, key) for key in range(1, 5)}) == 4


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["webshop-order"], "unknown route 'webshop-order'; did you mean 'webshop-orders'?"),
        (["webshop-orders", "--seed", "x"], "--seed: expected a number or a range such as 1..1000, got 'x'"),
        (["webshop-orders", "--sample", __file__], "the samples given are refused; give one with --sample FILE"),
    ],
)
def test_what_cannot_be_simulated_is_said(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["simulate", *arguments, "--project", str(ROOT)])
    assert ended.value.code == 2
    assert text in capsys.readouterr().err
