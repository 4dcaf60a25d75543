"""When something happens again and again: at times of day, or every so many seconds of a day, in a time zone, on some
days. Nothing here asks the time.

A time of day that the clocks leave out comes as much later (02:30 is 03:30 on that day), one that they show twice is
the first of both. ``every`` is counted from midnight, in seconds that pass.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hub.fields import Scope, listed, zone_of
from hub.functions.business_days import is_calendar, is_open
from hub.units import duration_text
from hub.yamldoc import Node

DAY = 86_400
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_MOST_DAYS = 800  # that are looked at for one on which it happens
_ONE_DAY = timedelta(days=1)


class Schedule(msgspec.Struct, frozen=True):
    """``at`` are times of day such as 18:00, ``every`` whole seconds, 0 for none; one of them says something. ``days``
    is all, weekdays or business: those of ``calendar``. ``zone`` '' is one that is not known yet."""

    at: tuple[str, ...] = ()
    every: int = 0
    zone: str = "UTC"
    days: str = "all"
    calendar: str = ""

    def at_or_after(self, moment: float) -> float:
        """The first time that is not before a moment; both are seconds since 1970."""
        return _at_or_after(self, moment)

    def first(self, moment: float) -> float:
        """``at_or_after``, worked out."""
        zone = ZoneInfo(self.zone)
        # What the clocks leave out may come on the day after.
        day = datetime.fromtimestamp(moment, zone).date() - _ONE_DAY
        for _ in range(_MOST_DAYS):
            found = [each for each in self._times(day, zone, moment) if each >= moment] if self._is_on(day) else []
            if found:
                return min(found)
            day += _ONE_DAY
        raise ValueError(f"this never happens: {self}")

    def after(self, moment: float) -> float:
        """The first time after a moment."""
        return self.at_or_after(math.nextafter(moment, math.inf))

    @property
    def longest(self) -> int:
        """Seconds from one time to the next where they are furthest apart; holidays and clock changes left out."""
        times = {int(text[:2]) * 3600 + int(text[3:]) * 60 for text in self.at}
        if self.every:
            times |= {0, (DAY - 1) // self.every * self.every}
        first, last = min(times), max(times)
        over_night = DAY - last + first + (0 if self.days == "all" else 2 * DAY)
        within = [after - before for before, after in pairwise(sorted(times))]
        return max(over_night, self.every or max(within, default=0))

    def _is_on(self, day: date) -> bool:
        if self.days == "business":
            return is_open(day, self.calendar)
        return self.days == "all" or day.weekday() < 5

    def _times(self, day: date, zone: ZoneInfo, moment: float) -> Iterator[float]:
        """Those of one day that may be the first from a moment on."""
        for text in self.at:
            yield _instant(day, time.fromisoformat(text), zone)
        if self.every:
            begin, end = _instant(day, time(), zone), _instant(day + _ONE_DAY, time(), zone)
            first = begin + self.every * max(0, math.ceil((moment - begin) / self.every))
            if first < end:
                yield first

    def __str__(self) -> str:
        """``at 06:00 and 18:00, on business days of FR (Europe/Paris)``."""
        parts = [f"at {_and(self.at)}"] if self.at else []
        parts += [f"every {duration_text(self.every)} from midnight on"] if self.every else []
        days = {"weekdays": ", on weekdays", "business": f", on business days of {self.calendar}"}.get(self.days, "")
        return f"{' and '.join(parts)}{days}{f' ({self.zone})' if self.zone else ''}"


@lru_cache(256)  # of what comes in one batch
def _at_or_after(schedule: Schedule, moment: float) -> float:
    return schedule.first(moment)


def _and(words: tuple[str, ...]) -> str:
    return listed(words).replace(" or ", " and ")


def _instant(day: date, at: time, zone: ZoneInfo) -> float:
    """Seconds since 1970 of what a clock there shows."""
    return datetime.combine(day, at, zone).astimezone(UTC).timestamp()


def read_schedule(values: Mapping[str, Any], node: Node, scope: Scope) -> Schedule:
    """What a file's ``at``, ``every``, ``zone``, ``days`` and ``calendar`` say, and their faults. ``every`` is in
    ``values`` only where it counts."""
    at = tuple(str(text) for text in values.get("at") or ())
    for text in (text for text in at if not _TIME.fullmatch(text)):
        scope.fault(
            _place(node, "at"),
            f"at: expected a time of day from 00:00 to 23:59, got '{text}'; write it in quotes: \"18:00\"",
        )
    every = float(values.get("every") or 0)
    if (
        node.get("every") is not None
        and values.get("every") is not None
        and not (1 <= every <= DAY and every.is_integer())
    ):
        scope.fault(_place(node, "every"), f"every: expected whole seconds from 1s to 24h, got {duration_text(every)}")
        every = DAY
    zone, days, calendar = str(values.get("zone") or ""), str(values.get("days") or "all"), values.get("calendar")
    zone = zone and zone_of(zone, _place(node, "zone"), "zone", scope)
    calendar = _calendar(None if calendar is None else str(calendar), days, node, scope)
    return Schedule(tuple(sorted({text for text in at if _TIME.fullmatch(text)})), int(every), zone, days, calendar)


def _calendar(calendar: str | None, days: str, node: Node, scope: Scope) -> str:
    if days != "business":
        if calendar is not None:
            scope.fault(
                _place(node, "calendar"), "calendar: says nothing without days: business; write that, or take it out"
            )
        return ""
    if calendar is None:
        scope.fault(
            _place(node, "days"), "days: business needs calendar: FR, DE-BY or TARGET, whose business days are meant"
        )
    elif not is_calendar(calendar):
        scope.fault(
            _place(node, "calendar"), f"calendar: expected a calendar such as FR, DE-BY or TARGET, got '{calendar}'"
        )
    else:
        return calendar
    return "TARGET"


def _place(node: Node, name: str) -> Node:
    return node.get(name) or node
