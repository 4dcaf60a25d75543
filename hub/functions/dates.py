"""Dates and instants. A date is ``YYYY-MM-DD``; an instant has an offset and is given in UTC. Nothing here asks the
time: a mapping gives the same for the same document whenever it runs."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.functions.numbers import dec
from hub.functions.refusal import expected, kind_of, refusal
from hub.functions.registry import function

# XML Schema writes an offset behind some dates; the day stays the one that is written.
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)?", re.ASCII)
_EXCESS = re.compile(r"[.,](\d{6})\d+")
_TOKENS = re.compile(r"YYYY|YY|MM|DD|hh|mm|ss|[^A-Za-z0-9%]+|(.)", re.DOTALL)
_DIRECTIVES = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "hh": "%H", "mm": "%M", "ss": "%S"}
_A_DATE = "a date such as 2026-03-05"
_UNCLEAR = ("earlier", "later", "refuse")
_BEFORE_TIME = ("T", " ", "t")  # RFC 3339, 5.6
_AN_INSTANT = "an instant such as 2026-03-05T10:00:00Z"


def zone_of(name: object) -> tzinfo:
    """The time zone of a name such as ``Europe/Paris``."""
    if not isinstance(name, str) or not name.isascii():
        raise expected("a time zone such as 'Europe/Paris'", name)
    return _known_zone(name)


@lru_cache(64)
def _known_zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise refusal("expected a time zone such as 'Europe/Paris', got a name that is none", name) from None


def _moment(value: object, what: str) -> datetime:
    """A date with a time, aware or not."""
    if value.__class__ is not str:
        raise expected(what, value)
    return _read(value, what)


@lru_cache(1024)  # the date and the instant of one text, and the time of one batch
def _read(text: str, what: str) -> datetime:
    # Python also reads week dates, dates without hyphens, and any character before the time, such as the sign of an
    # offset; those are refused, they are too easily something else.
    if text[4:5] != "-" or text[7:8] != "-" or text[10:11] not in _BEFORE_TIME or text[13:14] != ":" or len(text) > 40:
        raise expected(what, text, hint=_hint(text))
    try:
        return datetime.fromisoformat(_EXCESS.sub(r".\1", text) if len(text) > 26 else text)
    except ValueError:
        raise expected(what, text) from None


def _hint(text: str) -> str:
    if re.fullmatch(r"\d{8}", text):
        return "write parse_date(…, 'YYYYMMDD')"
    if re.fullmatch(r"\d\d[./]\d\d[./]\d{4}", text):
        return f"write parse_date(…, 'DD{text[2]}MM{text[2]}YYYY'), or MM first"
    return "write from_epoch(…) for seconds since 1970" if text.isdigit() else ""


def _is_day(value: object) -> bool:
    """Whether no time of day stands behind the date, if it is one."""
    return value.__class__ is str and (len(value) == 10 or value[10:11] in ("+", "-", "Z"))


def calendar_day(value: object) -> date:
    """The date of a text that is a date or begins with one, as ``date`` reads it."""
    if value.__class__ is str and not _is_day(value):
        return _moment(value, _A_DATE).date()
    if value.__class__ is str and (found := _DAY.fullmatch(value)):
        try:
            return date.fromisoformat(found[1])
        except ValueError:
            raise expected(_A_DATE, value) from None
    raise expected(_A_DATE, value, hint=_hint(value) if isinstance(value, str) else "")


@function(
    name="date",
    args="text, text?",
    returns="date",
    nothing="empty",
    examples=[
        ("date('2026-03-05T23:30:00-05:00')", "2026-03-05"),
        ("date('2026-03-05T23:30:00-05:00', 'Europe/Paris')", "2026-03-06"),
        ("date('2026-03-05')", "2026-03-05"),
        ("date('2026-03-05+01:00')", "2026-03-05"),
        ("date(null)", None),
        ("date('')", None),
    ],
)
def day(value: Any, zone: Any = None) -> str | None:
    """The date as it is written, in the value's own offset; with a zone, the date there at that instant. A date without
    a time stays as it is written."""
    if value is None or value == "":
        return None
    if _is_day(value):
        return calendar_day(value).isoformat()
    moment = _moment(value, _A_DATE)
    if zone is None:
        return value[:10]  # type: ignore[no-any-return]
    return _there(moment, zone, value).date().isoformat()


def _there(moment: datetime, zone: object, value: object) -> datetime:
    """A time as the clocks of a zone show it; one without an offset, or without a zone to go to, as it is."""
    if zone is None or moment.tzinfo is None:
        return moment
    try:
        return moment.astimezone(zone_of(zone))
    except OverflowError:
        raise expected(_A_DATE, value) from None


def _utc_text(moment: datetime) -> str:
    # Without its zone an instant is written in half the time; it is UTC by then.
    written = moment.astimezone(UTC).replace(tzinfo=None).isoformat()
    return f"{written.rstrip('0')}Z" if moment.microsecond else f"{written}Z"


@function(
    args="text, text?, text?",
    returns="instant",
    nothing="empty",
    examples=[
        ("instant('2026-10-25T02:30:00', 'Europe/Paris')", "2026-10-25T00:30:00Z"),
        ("instant('2026-10-25T02:30:00', 'Europe/Paris', 'later')", "2026-10-25T01:30:00Z"),
        ("instant('2026-03-05T23:22:11-05:00')", "2026-03-06T04:22:11Z"),
        ("instant('2026-03-05T10:00:00', 'Europe/Paris')", "2026-03-05T09:00:00Z"),
        ("instant('2026-03-05T10:00:00.250Z')", "2026-03-05T10:00:00.25Z"),
        ("instant(null)", None),
    ],
)
def instant(value: Any, zone: Any = None, unclear: Any = "earlier") -> str | None:
    """The instant in UTC. A time without an offset needs a zone as the second argument; the third says which one is
    meant in the hour that clocks repeat: ``earlier`` (without it), ``later``, or ``refuse``, which also refuses the
    hour that they skip."""
    if value is None or value == "":
        return None
    moment = _moment(value, _AN_INSTANT)
    if moment.tzinfo is None:
        if zone is None:
            hint = "write instant(…, 'Europe/Paris') with the zone the sender means"
            raise refusal("the time has no offset, so it is no instant", value, expected=_AN_INSTANT, hint=hint)
        moment = in_zone(moment, zone, unclear)
    return bounded_instant(moment, value)


def in_zone(moment: datetime, zone: object, unclear: object = "earlier") -> datetime:
    """A local time in its zone. ``unclear`` says which instant is meant in the hour that clocks repeat: ``earlier``,
    ``later``, or ``refuse``. In the hour that they skip it is the one after the gap, unless refused."""
    if unclear not in _UNCLEAR:
        raise expected("'earlier', 'later' or 'refuse' for a time that is there twice", unclear)
    place = zone_of(zone)
    first, second = moment.replace(tzinfo=place), moment.replace(tzinfo=place, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first
    is_gap = first.utcoffset() < second.utcoffset()  # type: ignore[operator]
    if unclear == "refuse":
        how = "is skipped" if is_gap else "comes twice"
        raise refusal(f"this time {how} where clocks are put", moment.isoformat(), expected="a time that is there once")
    return second if unclear == "later" and not is_gap else first


def moment_of(value: object) -> datetime:
    """A date with a time, aware or not, as ``instant`` reads it."""
    return _moment(value, _AN_INSTANT)


def bounded_instant(moment: datetime, value: object) -> str:
    """An aware time in UTC as text; refused beyond the years there are."""
    try:
        return _utc_text(moment)
    except OverflowError:
        raise expected(_AN_INSTANT, value) from None


def _pattern(pattern: object) -> str:
    if not isinstance(pattern, str) or not 0 < len(pattern) <= 40 or not pattern.isascii():
        raise refusal(f"expected a pattern such as 'DD.MM.YYYY', got {kind_of(pattern)}")
    return _directives(pattern)


@lru_cache(256)
def _directives(pattern: str) -> str:
    odd = next((match[1] for match in _TOKENS.finditer(pattern) if match[1]), None)
    if odd:
        raise refusal(f"the pattern holds '{odd}'; it may hold YYYY YY MM DD hh mm ss and punctuation")
    return _TOKENS.sub(lambda match: _DIRECTIVES.get(match[0], match[0]), pattern)


@function(
    args="text, text",
    returns="date",
    nothing="empty",
    examples=[
        ("parse_date('20260305', 'YYYYMMDD')", "2026-03-05"),
        ("parse_date('05.03.2026', 'DD.MM.YYYY')", "2026-03-05"),
        ("parse_date('', 'YYYYMMDD')", None),
    ],
)
def parse_date(value: Any, pattern: Any) -> str | None:
    """A date from text in a form of its own: ``YYYY YY MM DD`` and punctuation."""
    moment = _parsed(value, pattern)
    return None if moment is None else moment.date().isoformat()


@function(
    args="text, text, text, text?",
    returns="instant",
    nothing="empty",
    examples=[("parse_instant('202603051000', 'YYYYMMDDhhmm', 'Europe/Paris')", "2026-03-05T09:00:00Z")],
)
def parse_instant(value: Any, pattern: Any, zone: Any, unclear: Any = "earlier") -> str | None:
    """An instant from local time in a form of its own: ``YYYY MM DD hh mm ss``, and the zone it is meant in; the fourth
    argument is as the third of ``instant``."""
    moment = _parsed(value, pattern)
    return None if moment is None else bounded_instant(in_zone(moment, zone, unclear), value)


def _parsed(value: object, pattern: object) -> datetime | None:
    return None if value is None or value == "" else local_moment(value, pattern)


def local_moment(value: object, pattern: object) -> datetime:
    """A date with a time and without a zone from text in the form of a pattern."""
    form = _pattern(pattern)
    if not isinstance(value, str) or not value.isascii():
        raise expected(f"a date as {pattern}", value)
    try:
        moment = datetime.strptime(value, form)  # noqa: DTZ007  a local date; its zone is the caller's business
    except ValueError:
        raise expected(f"a date as {pattern}", value) from None
    if len(value) != len(str(pattern)):  # strptime would also take '5.3.2026'
        raise expected(f"a date as {pattern}", value)
    return moment


@function(
    args="text, text, text?",
    returns="text",
    nothing="empty",
    examples=[
        ("format_date('2026-03-05', 'YYYYMMDD')", "20260305"),
        ("format_date('2026-03-05T10:00:00Z', 'DD.MM.YYYY hh:mm', 'Europe/Paris')", "05.03.2026 11:00"),
    ],
)
def format_date(value: Any, pattern: Any, zone: Any = None) -> str | None:
    """A date or an instant in another form; an instant is first taken to the zone, where one is given."""
    if value is None or value == "":
        return None
    if _is_day(value):
        day = calendar_day(value)
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    else:
        moment = _there(_moment(value, _A_DATE), zone, value)
    # strftime writes the year 987 without its zero on some systems
    return moment.strftime(_pattern(pattern).replace("%Y", f"{moment.year:04}"))


@function(
    args="text, integer", returns="date", nothing="empty", examples=[("add_days('2026-02-27', 30)", "2026-03-29")]
)
def add_days(value: Any, days: Any) -> str | None:
    """The date so many days later; earlier where the number is negative. A time keeps nothing but its date."""
    if value is None or value == "":
        return None
    if days.__class__ is not int:
        raise expected("a whole number of days", days, hint="write int(…)" if isinstance(days, str) else "")
    try:
        return (calendar_day(value) + timedelta(days=days)).isoformat()
    except OverflowError:
        raise expected("a number of days that leads to a date", days) from None


@function(
    args="text, text",
    returns="integer",
    nothing="always",
    examples=[("days_between('2026-03-05', '2026-04-04')", 30), ("days_between(null, '2026-04-04')", None)],
)
def days_between(start: Any, end: Any) -> int | None:
    """How many days lie from the first date to the second; negative when the second is earlier."""
    if start is None or end is None or start == "" or end == "":
        return None
    return (calendar_day(end) - calendar_day(start)).days


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@function(
    args="any",
    returns="instant",
    nothing="empty",
    examples=[("from_epoch(1772705331)", "2026-03-05T10:08:51Z"), ("from_epoch(null)", None)],
)
def from_epoch(seconds: Any) -> str | None:
    """The instant from seconds since 1970, UTC."""
    return _since_epoch(seconds, 1_000_000)


@function(
    args="any",
    returns="instant",
    nothing="empty",
    examples=[("from_epoch_ms(1772705331250)", "2026-03-05T10:08:51.25Z")],
)
def from_epoch_ms(milliseconds: Any) -> str | None:
    """The instant from milliseconds since 1970, UTC."""
    return _since_epoch(milliseconds, 1_000)


def _since_epoch(value: object, microseconds: int) -> str | None:
    amount = dec(value)
    if amount is None:
        return None
    if abs(amount) * microseconds > Decimal("253402300799000000"):
        raise expected("an instant before the year 10000", value)
    try:
        return _utc_text(_EPOCH + timedelta(microseconds=int(amount * microseconds)))
    except OverflowError:
        raise expected("an instant after the year 0", value) from None


@function(args="text", returns="integer", nothing="empty", examples=[("to_epoch('2026-03-05T10:08:51Z')", 1772705331)])
def to_epoch(value: Any) -> int | None:
    """Whole seconds since 1970 of an instant."""
    if value is None or value == "":
        return None
    moment = _moment(value, _AN_INSTANT)
    if moment.tzinfo is None:
        raise refusal("the time has no offset, so it is no instant", value, hint="write to_epoch(instant(…, zone))")
    return (moment - _EPOCH) // timedelta(seconds=1)
