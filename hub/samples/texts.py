"""How a text may be read: as a date, an instant, a number. A form counts only while every text has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# RFC 3339, as JSON Schema's date-time: with seconds and an offset.
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,29})(\.\d{1,10})?", re.ASCII)
_COMMA = re.compile(r"-?\d{1,15},\d{1,10}|-?(0|[1-9]\d{0,14})", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_instant(text: str) -> bool:
    if not _INSTANT.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(f"{text[:19].upper()}+00:00")
    except ValueError:
        return False
    return True


_TESTS: Mapping[str, Callable[[str], object]] = {
    "date": _is_date,
    "instant": _is_instant,
    "number": _NUMBER.fullmatch,
    "comma": _COMMA.fullmatch,
    "digits": _DIGITS.fullmatch,
    "email": _EMAIL.fullmatch,
}
FORMS = frozenset(_TESTS)


def forms_of(text: str, possible: frozenset[str]) -> frozenset[str]:
    """Which of these forms a text has; empty text is no number and no date, but does not speak against numbers."""
    if not text:
        return possible - {"date", "instant", "email"}
    return frozenset(form for form in possible if _TESTS[form](text))
