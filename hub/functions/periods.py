"""Months, weeks and periods: how dates of terms, statements and plans are counted."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, timedelta
from typing import Any

from hub.functions.dates import calendar_day, moment_of, zone_of
from hub.functions.refusal import expected, refusal
from hub.functions.registry import function

_WEEK = re.compile(r"([0-9]{4})-?W?([0-9]{2})")
_LIMIT = 120_000  # months: ten thousand years


def _is_nothing(value: object) -> bool:
    return value is None or value == ""


@function(
    args="text, integer, boolean?",
    returns="date",
    nothing="empty",
    examples=[
        ("add_months('2026-01-31', 1)", "2026-02-28"),
        ("add_months('2026-02-28', 1)", "2026-03-28"),
        ("add_months('2026-02-28', 1, true)", "2026-03-31"),
        ("add_months(null, 1)", None),
    ],
)
def add_months(value: Any, months: Any, from_end: Any = False) -> str | None:
    """The same day so many months later, or the last one of a shorter month; with ``true`` the end of a month leads to
    the end of a month."""
    if _is_nothing(value):
        return None
    if months.__class__ is not int or abs(months) > _LIMIT:
        raise expected("a whole number of months", months)
    day = calendar_day(value)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise expected("a number of months that leads to a date", months)
    last = monthrange(year, month + 1)[1]
    is_last = from_end is True and day.day == monthrange(day.year, day.month)[1]
    return date(year, month + 1, last if is_last else min(day.day, last)).isoformat()


@function(args="text", returns="date", nothing="empty", examples=[("start_of_month('2026-03-05')", "2026-03-01")])
def start_of_month(value: Any) -> str | None:
    """The first day of a date's month."""
    return None if _is_nothing(value) else calendar_day(value).replace(day=1).isoformat()


@function(
    args="text",
    returns="date",
    nothing="empty",
    examples=[("end_of_month('2026-02-05')", "2026-02-28"), ("end_of_month(add_days('2026-03-05', 30))", "2026-04-30")],
)
def end_of_month(value: Any) -> str | None:
    """The last day of a date's month: for terms such as 30 days, end of month."""
    if _is_nothing(value):
        return None
    day = calendar_day(value)
    return day.replace(day=monthrange(day.year, day.month)[1]).isoformat()


@function(
    args="text", returns="integer", nothing="empty", examples=[("weekday('2026-03-05')", 4), ("weekday(null)", None)]
)
def weekday(value: Any) -> int | None:
    """The day of the week: 1 is Monday, 7 is Sunday."""
    return None if _is_nothing(value) else calendar_day(value).isoweekday()


@function(
    args="text",
    returns="text",
    nothing="empty",
    examples=[("week('2026-03-05')", "2026-W10"), ("week('2027-01-01')", "2026-W53")],
)
def week(value: Any) -> str | None:
    """The week of a date with the year it belongs to (ISO 8601)."""
    if _is_nothing(value):
        return None
    year, number, _ = calendar_day(value).isocalendar()
    return f"{year:04d}-W{number:02d}"


@function(
    args="text, integer?",
    returns="date",
    nothing="empty",
    examples=[
        ("day_of_week('2026-W10')", "2026-03-02"),
        ("day_of_week('202610', 5)", "2026-03-06"),
        ("day_of_week(null)", None),
    ],
)
def day_of_week(value: Any, day: Any = 1) -> str | None:
    """A day of a week such as ``2026-W10`` or ``202610`` (ISO 8601): 1, its Monday, without a second argument."""
    if _is_nothing(value):
        return None
    found = _WEEK.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise expected("a week such as 2026-W10", value)
    if day.__class__ is not int or not 1 <= day <= 7:
        raise expected("a day of the week from 1 to 7", day)
    try:
        return date.fromisocalendar(int(found[1]), int(found[2]), day).isoformat()
    except ValueError:
        raise expected("a week such as 2026-W10", value) from None


@function(
    args="text, text",
    returns="integer",
    nothing="always",
    examples=[("months_between('2026-01-31', '2026-03-30')", 1), ("months_between(null, '2026-03-30')", None)],
)
def months_between(start: Any, end: Any) -> int | None:
    """How many whole months lie from the first date to the second; negative when the second is earlier."""
    if _is_nothing(start) or _is_nothing(end):
        return None
    first, second = calendar_day(start), calendar_day(end)
    if second < first:
        return -_whole_months(second, first)
    return _whole_months(first, second)


def _whole_months(first: date, second: date) -> int:
    return (second.year - first.year) * 12 + second.month - first.month - (second.day < first.day)


@function(
    args="text, text",
    returns="integer",
    nothing="always",
    examples=[
        ("seconds_between('2026-03-05T10:00:00Z', '2026-03-05T11:30:00+01:00')", 1800),
        ("seconds_between(null, '2026-03-05T10:00:00Z')", None),
    ],
)
def seconds_between(start: Any, end: Any) -> int | None:
    """How many whole seconds lie from the first instant to the second; negative when the second is earlier."""
    if _is_nothing(start) or _is_nothing(end):
        return None
    first, second = moment_of(start), moment_of(end)
    if first.tzinfo is None or second.tzinfo is None:
        raise refusal("a time without an offset is no instant", hint="write instant(…, 'Europe/Paris')")
    return int((second - first) / timedelta(seconds=1))


@function(
    args="text, text",
    returns="text",
    nothing="empty",
    examples=[
        ("local_time('2026-07-05T10:00:00Z', 'Europe/Paris')", "2026-07-05T12:00:00+02:00"),
        ("local_time(null, 'Europe/Paris')", None),
    ],
)
def local_time(value: Any, zone: Any) -> str | None:
    """An instant as the clocks of a zone show it, with their offset from UTC."""
    if _is_nothing(value):
        return None
    moment = moment_of(value)
    if moment.tzinfo is None:
        raise refusal("the time has no offset, so it is no instant", value, hint="write instant(…, 'Europe/Paris')")
    try:
        return moment.astimezone(UTC).astimezone(zone_of(zone)).isoformat()
    except OverflowError:
        raise expected("an instant such as 2026-03-05T10:00:00Z", value) from None
