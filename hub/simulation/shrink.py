"""A failing run made small: events of its plan are left out as long as the same rule breaks."""

from __future__ import annotations

from collections.abc import Sequence

from hub.simulation.plan import Event
from hub.simulation.runs import Run, run
from hub.simulation.scenario import Scenario

_MOST_TRIES = 300


def shrink(scenario: Scenario, failing: Run) -> Run:
    """The smallest run found that breaks the same rule, by leaving out ever smaller parts of the plan."""
    smallest, tries, size = failing, 0, max(len(failing.events) // 2, 1)
    while tries < _MOST_TRIES:
        smaller, used = _without_some(scenario, smallest, size)
        tries += used
        if smaller is not None:
            smallest = smaller
        elif size == 1:
            break
        else:
            size = max(size // 2, 1)
    return smallest


def _without_some(scenario: Scenario, failing: Run, size: int) -> tuple[Run | None, int]:
    """A run with ``size`` fewer events that breaks the same rule, and how many were tried."""
    tries = 0
    for start in range(0, len(failing.events), size):
        events: Sequence[Event] = failing.events[:start] + failing.events[start + size :]
        if not events:
            continue
        tries += 1
        tried = run(scenario, failing.seed, events)
        if _is_same(tried, failing):
            return tried, tries
    return None, tries


def _is_same(tried: Run, failing: Run) -> bool:
    return tried.broken is not None and failing.broken is not None and tried.broken.rule == failing.broken.rule
