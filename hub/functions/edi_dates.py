"""Dates as EDIFACT (code list 2379) and X12 write them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from hub.functions.dates import (
    bounded_instant,
    calendar_day,
    format_date,
    in_zone,
    local_moment,
    parse_date,
)
from hub.functions.periods import day_of_week
from hub.functions.refusal import expected, refusal, seen
from hub.functions.registry import function

# Code list 2379: what is a day, what is a time, what is from … to.
_DAYS = {
    "2": "DDMMYY", "3": "MMDDYY", "4": "DDMMYYYY", "101": "YYMMDD", "102": "YYYYMMDD",
}  # fmt: skip
_TIMES = {
    "201": "YYMMDDhhmm", "202": "YYMMDDhhmmss", "203": "YYYYMMDDhhmm", "204": "YYYYMMDDhhmmss",
    "205": "YYYYMMDDhhmm", "303": "YYYYMMDDhhmm", "304": "YYYYMMDDhhmmss",
}  # fmt: skip
_PERIODS = {"713": "YYMMDDhhmm", "717": "YYMMDD", "718": "YYYYMMDD", "719": "YYYYMMDDhhmm"}
_MONTHS = {"609": "YYMM", "610": "YYYYMM"}
_WRITTEN = {**_DAYS, **{code: form for code, form in _TIMES.items() if code in ("201", "202", "203", "204")}, **_MONTHS}
_X12_ZONES = {
    "UT": "+00:00", "GM": "+00:00", "ES": "-05:00", "ED": "-04:00", "CS": "-06:00", "CD": "-05:00", "MS": "-07:00",
    "MD": "-06:00", "PS": "-08:00", "PD": "-07:00", "AS": "-09:00", "AD": "-08:00", "HS": "-10:00", "HD": "-09:00",
    "NS": "-03:30", "ND": "-02:30", "TS": "-04:00", "TD": "-03:00",
    # 01 to 12 are hours ahead of UTC, 13 to 24 are 12 hours to one hour behind it
    **{f"{hours:02}": f"+{hours:02}:00" for hours in range(1, 13)},
    **{f"{25 - hours}": f"-{hours:02}:00" for hours in range(1, 13)},
}  # fmt: skip
_X12_LOCAL = {
    "ET": "America/New_York", "CT": "America/Chicago", "MT": "America/Denver", "PT": "America/Los_Angeles",
    "AT": "America/Anchorage", "TT": "America/Halifax", "HT": "Pacific/Honolulu", "NT": "America/St_Johns",
}  # fmt: skip
_X12_DAYS = {"D8": "YYYYMMDD", "D6": "YYMMDD", "DT": "YYYYMMDDhhmm"}
_X12_TIMES = {4: "YYYYMMDDhhmm", 6: "YYYYMMDDhhmmss", 8: "YYYYMMDDhhmmss"}


def _is_nothing(value: object) -> bool:
    return value is None or value == ""


def _code(code: object) -> str:
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) <= 3:
        return code
    raise expected("a code of list 2379 such as '102'", code)


@function(
    args="text, text",
    returns="date",
    nothing="empty",
    examples=[
        ("edifact_date('20260305', '102')", "2026-03-05"),
        ("edifact_date('202603051030', '203')", "2026-03-05"),
        ("edifact_date('202610', '616')", "2026-03-02"),
        ("edifact_date('202603', '610')", "2026-03-01"),
        ("edifact_date(null, '102')", None),
    ],
)
def edifact_date(value: Any, code: Any) -> str | None:
    """The date of a DTM by its format code (2379): 2, 3, 4, 101, 102, 201 to 205, 303, 304; 609 and 610 give the first
    of the month, 616 and 103 the Monday of the week. The first day of a period (713, 717 to 719)."""
    if _is_nothing(value):
        return None
    kind, text = _code(code), _text(value)
    if kind in _DAYS:
        return parse_date(text, _DAYS[kind])
    if kind in _TIMES:
        return _time(kind, text)[0].date().isoformat()
    if kind in _MONTHS:
        return parse_date(f"{text}01", f"{_MONTHS[kind]}DD")
    if kind == "616":
        return day_of_week(text)
    if kind == "103" and len(text) == 5:
        return day_of_week(f"20{text[:4]}", _weekday(text[4]))
    if kind in _PERIODS:
        return _half(text, kind, 0)
    raise _unknown(kind, "a date")


def _text(value: object) -> str:
    if isinstance(value, str) and len(value) <= 40:
        return value
    raise expected("a date as text", value)


def _time(kind: str, text: str) -> tuple[datetime, timedelta | None]:
    """The local time, and how far it says that it is from UTC."""
    form = _TIMES[kind]
    moment, rest = local_moment(text[: len(form)], form), text[len(form) :].strip()
    if rest and kind not in ("205", "303", "304"):
        raise expected(f"a time of {len(form)} digits", text)
    return moment, _offset(rest, text) if rest else None


def _weekday(sign: str) -> int:
    return int(sign) if "1" <= sign <= "7" else 1


def _unknown(code: str, what: str) -> Exception:
    return refusal(
        f"the format {seen(code)} of list 2379 is not {what} that is known", code, expected="another format code"
    )


def _half(text: str, code: str, place: int) -> str:
    halves = text.split("-")
    if len(halves) == 1:  # some write both without the hyphen
        middle = len(text) // 2
        halves = [text[:middle], text[middle:]]
    if len(halves) != 2:
        raise expected(f"a period as {_PERIODS[code]}-{_PERIODS[code]}", text)
    return local_moment(halves[place], _PERIODS[code]).date().isoformat()


@function(
    args="text, text, text?, text?",
    returns="instant",
    nothing="empty",
    examples=[
        ("edifact_instant('202603051030', '203', 'Europe/Paris')", "2026-03-05T09:30:00Z"),
        ("edifact_instant('202603051030+01', '303')", "2026-03-05T09:30:00Z"),
        ("edifact_instant('202607051030EDT', '303')", "2026-07-05T14:30:00Z"),
        ("edifact_instant(null, '203', 'Europe/Paris')", None),
    ],
)
def edifact_instant(value: Any, code: Any, zone: Any = None, unclear: Any = "earlier") -> str | None:
    """The instant of a DTM by its format code: 201 to 204 in the zone given, 205, 303 and 304 by their own offset or
    zone (UTC, GMT, CET …), else in that given. The fourth argument is as the third of ``instant``."""
    if _is_nothing(value):
        return None
    kind, text = _code(code), _text(value)
    if kind not in _TIMES:
        raise _unknown(kind, "a time")
    moment, offset = _time(kind, text)
    if offset is not None:
        return bounded_instant(moment.replace(tzinfo=timezone(offset)), value)
    if zone is None:
        raise refusal("the time has no offset, so it is no instant", value, hint="give the zone as the third argument")
    return bounded_instant(in_zone(moment, zone, unclear), value)


_NAMED_OFFSETS = {"UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WES": 60, "CET": 60, "BST": 60, "MET": 60, "CES": 120,
                  "EET": 120, "EES": 180, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360,
                  "PST": -480, "PDT": -420}  # fmt: skip
_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})?")


def _offset(text: str, value: object) -> timedelta:
    """``+01``, ``-0530``, ``CET``: how far from UTC."""
    found = _OFFSET.fullmatch(text)
    if found:
        minutes = int(found[2]) * 60 + int(found[3] or 0)
        if minutes <= 14 * 60:
            return timedelta(minutes=-minutes if found[1] == "-" else minutes)
    if text.upper() in _NAMED_OFFSETS:
        return timedelta(minutes=_NAMED_OFFSETS[text.upper()])
    raise expected("an offset such as +01 or a zone such as CET behind the time", value)


@function(
    args="text, text",
    returns="object",
    nothing="empty",
    examples=[
        ("edifact_period('20260301-20260331', '718')", {"start_date": "2026-03-01", "end_date": "2026-03-31"}),
        ("edifact_period(null, '718')", None),
    ],
)
def edifact_period(value: Any, code: Any) -> dict[str, str] | None:
    """A period ``{start_date, end_date}`` of a DTM by its format code: 713, 717, 718, 719."""
    if _is_nothing(value):
        return None
    kind = _code(code)
    if kind not in _PERIODS:
        raise _unknown(kind, "a period")
    return {"start_date": _half(_text(value), kind, 0), "end_date": _half(_text(value), kind, 1)}


@function(
    args="text, text, text?",
    returns="text",
    nothing="empty",
    examples=[
        ("to_edifact('2026-03-05', '102')", "20260305"),
        ("to_edifact('2026-03-05T09:30:00Z', '203', 'Europe/Paris')", "202603051030"),
        ("to_edifact(null, '102')", None),
    ],
)
def to_edifact(value: Any, code: Any, zone: Any = None) -> str | None:
    """A date or an instant as a DTM writes it in a format of list 2379: 2, 3, 4, 101, 102, 201 to 204, 609, 610. An
    instant is first taken to the zone."""
    if _is_nothing(value):
        return None
    if code == "102" and value.__class__ is str and len(value) == 10:  # what nearly every DTM is
        return calendar_day(value).isoformat().replace("-", "")
    form = _WRITTEN.get(_code(code))
    if form is None:
        raise _unknown(str(code), "one to write in")
    return format_date(value, form, zone)


@function(
    args="text, text?",
    returns="date",
    nothing="empty",
    examples=[
        ("x12_date('20260305')", "2026-03-05"),
        ("x12_date('260305', 'D6')", "2026-03-05"),
        ("x12_date('20260301-20260331', 'RD8')", "2026-03-01"),
        ("x12_date(null)", None),
    ],
)
def x12_date(value: Any, qualifier: Any = "D8") -> str | None:
    """A date of an X12 element: ``D8`` eight digits (without a second argument), ``D6`` six, ``DT`` with a time,
    ``RD8`` the first day of a period."""
    if _is_nothing(value):
        return None
    text = _text(value)
    if qualifier == "RD8":
        return _half(text, "718", 0)
    form = _X12_DAYS.get(qualifier) if isinstance(qualifier, str) else None
    if form is None:
        raise expected("'D8', 'D6', 'DT' or 'RD8'", qualifier)
    return local_moment(text, form).date().isoformat()


@function(
    args="text",
    returns="object",
    nothing="empty",
    examples=[
        ("x12_period('20260301-20260331')", {"start_date": "2026-03-01", "end_date": "2026-03-31"}),
        ("x12_period(null)", None),
    ],
)
def x12_period(value: Any) -> dict[str, str] | None:
    """A period ``{start_date, end_date}`` of an X12 element with the qualifier RD8."""
    return edifact_period(value, "718")


@function(
    args="text, text, text, text?",
    returns="instant",
    nothing="empty",
    examples=[
        ("x12_instant('20260305', '1030', 'ET')", "2026-03-05T15:30:00Z"),
        ("x12_instant('20260305', '103000', 'UT')", "2026-03-05T10:30:00Z"),
        ("x12_instant('20260305', '1030', '24')", "2026-03-05T11:30:00Z"),
        ("x12_instant('20260305', '1030', 'Europe/Paris')", "2026-03-05T09:30:00Z"),
        ("x12_instant(null, '1030', 'ET')", None),
    ],
)
def x12_instant(day: Any, time: Any, zone: Any, unclear: Any = "earlier") -> str | None:
    """The instant of an X12 date and time (``HHMM``, ``HHMMSS``, ``HHMMSSDD``) by its time code (``ET``, ``UT``, ``01``
    …) or a zone such as ``America/New_York``. The fourth argument is as the third of ``instant``."""
    if _is_nothing(day) or _is_nothing(time):
        return None
    date, clock = _text(day), _text(time)
    form = _X12_TIMES.get(len(clock))
    if form is None or len(date) != 8:
        raise expected("a date of 8 digits and a time of 4, 6 or 8", f"{date} {clock}")
    moment = local_moment(f"{date}{clock[:6]}", form)
    if isinstance(zone, str) and zone in _X12_ZONES:
        return bounded_instant(moment.replace(tzinfo=timezone(_offset(_X12_ZONES[zone], zone))), day)
    return bounded_instant(in_zone(moment, _X12_LOCAL.get(zone, zone) if isinstance(zone, str) else zone, unclear), day)
