"""Days on which a country, or the banks of Europe, work: from the calendars of the ``holidays`` package.

A calendar is a country (``FR``), a country and a part of it (``DE-BY``), or ``TARGET``: the days on which euro payments
are settled. Calendars of years to come are what is known today: moon calendars and new laws change them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Any

from hub.functions.dates import add_days, calendar_day
from hub.functions.refusal import expected, refusal, seen
from hub.functions.registry import function

_YEARS = range(1970, 2101)
_MOST_DAYS = 3_660
_MOST_SPAN = 40_000
_A_CALENDAR = "a calendar such as 'FR', 'DE-BY' or 'TARGET'"


@cache
def _countries() -> Mapping[str, Collection[str]]:
    """The parts of each country that there are calendars of, by their codes and their names."""
    import holidays

    return holidays.list_supported_countries(include_aliases=True)


@lru_cache(4096)
def _closed(calendar: str, year: int) -> tuple[frozenset[date], frozenset[int], frozenset[date]]:
    """The holidays of a year, the days of the week that are free, and free days on which work is done all the same."""
    import holidays  # half the start of a command, so only where a mapping asks for it

    country, _, part = calendar.partition("-")
    parts = _countries().get(country)
    if calendar != "TARGET" and (parts is None or ("-" in calendar and part not in parts)):
        raise refusal(f"expected {_A_CALENDAR}, got {seen(calendar)}", calendar, expected=_A_CALENDAR)
    # A new object each time: those of the package fill themselves while they are read, which threads must not share.
    found: Any = (
        holidays.financial_holidays("ECB", years=year)
        if calendar == "TARGET"
        else holidays.country_holidays(country, subdiv=part or None, years=year)
    )
    return frozenset(found), frozenset(found.weekend), frozenset(found.weekend_workdays)


def is_calendar(name: str) -> bool:
    """Whether there is a calendar of this name."""
    country, dash, part = name.partition("-")
    parts = _countries().get(country)
    return name == "TARGET" or (parts is not None and (not dash or part in parts))


def _known(calendar: object) -> str:
    if not isinstance(calendar, str) or len(calendar) > 12 or not calendar.isascii() or not calendar[:2].isupper():
        raise expected(_A_CALENDAR, calendar)
    return calendar


def is_open(day: date, calendar: str) -> bool:
    """Whether a day is a business day. Raises what a function refuses for a year or a calendar that is not known."""
    if day.year not in _YEARS:
        raise expected(f"a date from {_YEARS[0]} to {_YEARS[-1]}", day.isoformat())
    closed, weekend, worked = _closed(calendar, day.year)
    return day in worked or (day.weekday() not in weekend and day not in closed)


def _step(day: date, calendar: str, days: int) -> date:
    """The next open day before or after, the day itself not counted."""
    step = timedelta(days=days)
    for _ in range(60):
        day += step
        if is_open(day, calendar):
            return day
    raise refusal("no business day within 60 days", day.isoformat(), expected="another calendar")


def _is_nothing(value: object) -> bool:
    return value is None or value == ""


@function(
    args="text, text",
    returns="boolean",
    nothing="never",
    examples=[
        ("is_business_day('2026-05-01', 'FR')", False),
        ("is_business_day('2026-05-04', 'TARGET')", True),
        ("is_business_day(null, 'FR')", False),
    ],
)
def is_business_day(value: Any, calendar: Any) -> bool:
    """Whether a date is neither weekend nor public holiday in a calendar: ``'FR'``, ``'DE-BY'`` or ``'TARGET'``."""
    name = _known(calendar)
    return not _is_nothing(value) and is_open(calendar_day(value), name)


@function(
    args="text, text",
    returns="date",
    nothing="empty",
    examples=[("next_business_day('2026-04-02', 'TARGET')", "2026-04-07"), ("next_business_day(null, 'FR')", None)],
)
def next_business_day(value: Any, calendar: Any) -> str | None:
    """The first business day after a date."""
    name = _known(calendar)
    return None if _is_nothing(value) else _step(calendar_day(value), name, 1).isoformat()


@function(
    args="text, text",
    returns="date",
    nothing="empty",
    examples=[("previous_business_day('2026-04-07', 'TARGET')", "2026-04-02")],
)
def previous_business_day(value: Any, calendar: Any) -> str | None:
    """The last business day before a date."""
    name = _known(calendar)
    return None if _is_nothing(value) else _step(calendar_day(value), name, -1).isoformat()


@function(
    args="text, text",
    returns="date",
    nothing="empty",
    examples=[
        ("business_day_from('2026-05-01', 'FR')", "2026-05-04"),
        ("business_day_from('2026-05-04', 'FR')", "2026-05-04"),
    ],
)
def business_day_from(value: Any, calendar: Any) -> str | None:
    """The date itself where it is a business day, else the next one: when a payment that falls due is settled."""
    return _rolled(value, calendar, 1)


@function(
    args="text, text",
    returns="date",
    nothing="empty",
    examples=[("business_day_until('2026-05-03', 'FR')", "2026-04-30")],
)
def business_day_until(value: Any, calendar: Any) -> str | None:
    """The date itself where it is a business day, else the last one before it."""
    return _rolled(value, calendar, -1)


def _rolled(value: object, calendar: object, days: int) -> str | None:
    name = _known(calendar)
    if _is_nothing(value):
        return None
    day = calendar_day(value)
    return (day if is_open(day, name) else _step(day, name, days)).isoformat()


@function(
    args="text, integer, text",
    returns="date",
    nothing="empty",
    examples=[
        ("add_business_days('2026-04-01', 2, 'TARGET')", "2026-04-07"),
        ("add_business_days('2026-04-07', -2, 'TARGET')", "2026-04-01"),
        ("add_business_days(null, 2, 'FR')", None),
    ],
)
def add_business_days(value: Any, days: Any, calendar: Any) -> str | None:
    """The date so many business days later, earlier where the number is negative; 0 leaves the date as it is."""
    name = _known(calendar)
    if _is_nothing(value):
        return None
    if days.__class__ is not int or abs(days) > _MOST_DAYS:
        raise expected(f"a whole number of days up to {_MOST_DAYS}", days)
    day = calendar_day(value)
    for _ in range(abs(days)):
        day = _step(day, name, 1 if days > 0 else -1)
    return day.isoformat()


@function(
    args="text, text, text",
    returns="integer",
    nothing="always",
    examples=[
        ("business_days_between('2026-04-01', '2026-04-08', 'TARGET')", 3),
        ("business_days_between(null, '2026-04-08', 'FR')", None),
    ],
)
def business_days_between(start: Any, end: Any, calendar: Any) -> int | None:
    """How many business days lie after the first date up to the second, which counts; negative when it is earlier."""
    name = _known(calendar)
    if _is_nothing(start) or _is_nothing(end):
        return None
    first, second = calendar_day(start), calendar_day(end)
    sign = 1 if second >= first else -1
    first, second = min(first, second), max(first, second)
    if (second - first).days > _MOST_SPAN:
        raise expected(f"dates up to {_MOST_SPAN} days apart", end)
    return sign * sum(is_open(first + timedelta(days=number), name) for number in range(1, (second - first).days + 1))


@function(
    args="text, integer, text?",
    returns="date",
    nothing="empty",
    examples=[
        ("due_date('2026-03-05', 30)", "2026-04-04"),
        ("due_date('2026-03-05', 30, 'TARGET')", "2026-04-07"),
        ("due_date(null, 30)", None),
    ],
)
def due_date(value: Any, days: Any, calendar: Any = None) -> str | None:
    """When an invoice of a date falls due after so many days; with a calendar, the business day that follows where that
    is none. For *30 days, end of month* write ``business_day_from(end_of_month(add_days(…, 30)), 'FR')``."""
    due = add_days(value, days)
    return due if calendar is None else business_day_from(due, calendar)
