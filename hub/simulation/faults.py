"""The faults of a plan while it runs: which of them is due at this visit of a place, and which have happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hub.simulation.plan import (
    ANSWER,
    CRASH,
    DIES,
    DISK_FULL,
    LOOK_UP,
    OUTAGE,
    POWER_CUT,
    STANDS_STILL,
    WOKEN_TWICE,
    Event,
)

_AT_PLACES = {ANSWER, LOOK_UP, CRASH, POWER_CUT, DISK_FULL, WOKEN_TWICE, STANDS_STILL}


class Crash(BaseException):
    """The process ends here, or the machine does. Nothing of the hub may catch it."""

    def __init__(self, event: Event) -> None:
        self.event = event
        super().__init__(str(event))


class Faults:
    """Counts visits of places and gives what the plan has for them. ``happened`` counts by kind, for the report."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._planned = {_place(event): event for event in events if event.kind in _AT_PLACES}
        self._visits: Counter[tuple[str, str]] = Counter()
        self._full_for = 0
        self._outages: dict[str, tuple[float, list[str]]] = {}
        self.happened: Counter[str] = Counter()
        self.power_cuts_left = sum(event.kind == POWER_CUT for event in self._planned.values())

    def crash(self, place: str) -> None:
        """Die here if the plan says so."""
        for event in self._due("die", place):
            self.happened[event.kind] += 1
            self.power_cuts_left -= event.kind == POWER_CUT
            raise Crash(event)

    def begin_outage(self, event: Event, now: float) -> None:
        """Every request to a system meets the same until its time is over."""
        first, rest = ("time-out after the effect", "unreachable") if event.how == DIES else (event.how, event.how)
        self._outages[event.subject] = (now + event.amount, [rest, first])
        self.happened[event.kind] += 1

    def answer(self, system: str, now: float) -> Event | None:
        """What becomes of the next request to a system; None for the usual."""
        until, answers = self._outages.get(system, (0.0, [""]))
        if now < until:
            return Event(OUTAGE, subject=system, how=answers.pop() if len(answers) > 1 else answers[0])
        for event in self._due(ANSWER, system):
            self.happened[event.how] += 1
            return event
        return None

    def look_up(self, system: str) -> Event | None:
        """What becomes of the next look-up in a system; None for the truth."""
        for event in self._due(LOOK_UP, system):
            self.happened["look-up fails"] += 1
            return event
        return None

    def is_woken_twice(self) -> bool:
        """Whether the broker gives the next call two times."""
        found = self._due(WOKEN_TWICE, "")
        self.happened[WOKEN_TWICE] += len(found)
        return bool(found)

    def stands_still(self) -> float:
        """For how many seconds the process that is just at work does not go on."""
        found = self._due(STANDS_STILL, "")
        self.happened[STANDS_STILL] += len(found)
        return sum(event.amount for event in found)

    def is_disk_full(self) -> bool:
        """Whether the next commit finds no room."""
        for event in self._due(DISK_FULL, ""):
            self.happened[DISK_FULL] += 1
            self._full_for = int(event.amount)
        self._full_for -= 1
        return self._full_for >= 0

    def _due(self, kind: str, subject: str) -> list[Event]:
        self._visits[(kind, subject)] += 1
        event = self._planned.get((kind, subject, self._visits[(kind, subject)]))
        return [event] if event is not None else []


def _place(event: Event) -> tuple[str, str, int]:
    kind = "die" if event.kind in (CRASH, POWER_CUT) else event.kind
    return kind, event.subject, event.nth
