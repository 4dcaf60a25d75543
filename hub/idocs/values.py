"""What a field holds: dates, times and numbers of SAP to those of a document, and back."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from hub.idocs.types import Field

_NUMBER = re.compile(r"[0-9]{1,31}(\.[0-9]{0,20})?|\.[0-9]{1,20}")
_TIME = re.compile(r"([01][0-9]|2[0-3])([0-5][0-9])([0-5][0-9])|(24)(00)(00)")
_DAY = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})")
_CLOCK = re.compile(r"([0-9]{2}):?([0-9]{2}):?([0-9]{2})")


class Wrong(msgspec.Struct, frozen=True):
    """A value that is not what its field holds, and what was expected."""

    expected: str


def value_of(field: Field, text: str) -> Any:
    """What a text of a file stands for; None where it stands for nothing, as a date of zeros does."""
    text = text.strip()
    if field.kind == "number":
        sign, digits = ("-", text[:-1]) if text.endswith("-") else ("", text)
        sign, digits = ("-", digits[1:]) if digits.startswith("-") and not sign else (sign, digits)
        digits = digits.removeprefix("+").strip()
        return Decimal(sign + digits) if _NUMBER.fullmatch(digits) else Wrong("digits, with '.' before decimals")
    if not text.strip("0"):
        return None if field.kind == "date" or not text else "00:00:00"
    if field.kind == "date":
        return _day(text) or Wrong("YYYYMMDD, a day that the calendar has")
    found = _TIME.fullmatch(text)
    return ":".join(part for part in found.groups() if part) if found else Wrong("HHMMSS")


def _day(text: str) -> str:
    """YYYY-MM-DD of a day, with hyphens or without; empty where it is none."""
    found = _DAY.fullmatch(text) if text.isascii() else None
    try:
        return date(int(found[1]), int(found[2]), int(found[3])).isoformat() if found else ""
    except ValueError:
        return ""


def text_of(field: Field, value: Any) -> str | Wrong:
    """What a value of a document is written as."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return Wrong("a text or an exact decimal" if isinstance(value, float) else "one value")
    if field.kind == "number":
        return _number(value)
    if not isinstance(value, str):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    if field.kind == "date":
        day = _day(value)
        return day.replace("-", "") if day else Wrong("a day, YYYY-MM-DD")
    if field.kind == "time":
        found = _CLOCK.fullmatch(value) if value.isascii() else None
        digits = "".join(found.groups()) if found else ""
        return digits if _TIME.fullmatch(digits) else Wrong("a time of the day, HH:MM:SS")
    return value


def _number(value: str | int | Decimal) -> str | Wrong:
    """Digits and the decimal point, the minus sign behind them."""
    if isinstance(value, Decimal) and not value.is_finite():
        return Wrong("a finite number")
    text = f"{value:f}" if isinstance(value, Decimal) else str(value).strip()
    digits = text.removeprefix("-")
    if not _NUMBER.fullmatch(digits):
        return Wrong("a number: digits, with '.' before decimals")
    return f"{digits}-" if text.startswith("-") else digits
