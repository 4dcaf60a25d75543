"""One field of a flat line: its characters to a value and back, exactly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

TYPES = ("text", "decimal", "integer", "date")
KEYS = ("at", "length", "type", "decimals", "format", "align", "fill", "sign", "counts")
SIGNS = ("leading", "trailing", "none")
_NUMBER = re.compile(r"([+-]?)([0-9]+)([+-]?)")
_DATE_PARTS = {"YYYY": r"(?P<y>[0-9]{4})", "YY": r"(?P<s>[0-9]{2})", "MM": r"(?P<m>[0-9]{2})", "DD": r"(?P<d>[0-9]{2})"}
_TOKENS = re.compile("YYYY|YY|MM|DD")
_MOST_DIGITS = 40
_PIVOT = 70  # YY from 70 on is of the last century


class Misfit(Exception):
    """What was seen in a field, or given for one, and what was expected; ``text`` is what ``seen`` quotes."""

    def __init__(self, seen: str, expected: str, text: str = "") -> None:
        super().__init__(seen)
        self.seen, self.expected, self.text = seen, expected, text


class Field(msgspec.Struct, frozen=True):
    """Where a field stands (``at`` from 1, ``length`` in characters), and how it is written."""

    name: str
    at: int
    length: int
    type: str = "text"
    decimals: int = 0
    format: str = "YYYYMMDD"
    align: str = "left"
    fill: str = " "
    sign: str = "leading"
    counts: str = ""

    @classmethod
    def of(cls, name: str, given: Mapping[str, Any]) -> Field:
        """A field by its description; numbers stand at the right, filled with zeros, where it says nothing."""
        is_number = given.get("type") in ("decimal", "integer")
        return cls(name, **{"align": "right" if is_number else "left", "fill": "0" if is_number else " ", **given})

    @property
    def end(self) -> int:
        return self.at + self.length - 1

    def read(self, line: str) -> Any:
        """The value; an empty text, or null for another type that is blank. Raises Misfit."""
        text = line[self.at - 1 : self.end]
        if self.type == "text":
            return text.lstrip(self.fill) if self.align == "right" else text.rstrip(self.fill)
        if not (bare := text.strip(" " if self.fill == "0" else f" {self.fill}")):
            return None
        return self._date(bare) if self.type == "date" else self._number(bare)

    def _number(self, text: str) -> Decimal | int:
        match = _NUMBER.fullmatch(text)
        if match is None or (match[1] and match[3]):
            places = f" with {self.decimals} implied decimals" if self.decimals else ""
            raise Misfit(f"{text[:40]!r}", f"digits{places}", text[:40])
        whole = int(match[2]) * (-1 if "-" in (match[1], match[3]) else 1)
        return whole if self.type == "integer" else Decimal(whole).scaleb(-self.decimals)

    def _date(self, text: str) -> str | None:
        if not text.strip("0"):
            return None
        pattern = _TOKENS.sub(lambda token: _DATE_PARTS[token[0]], re.escape(self.format))
        if match := re.fullmatch(pattern, text):
            parts = match.groupdict()
            short = int(parts.get("s") or 0)
            year = int(parts["y"]) if parts.get("y") else short + (1900 if short >= _PIVOT else 2000)
            try:
                return date(year, int(parts["m"]), int(parts["d"])).isoformat()
            except ValueError:
                pass
        raise Misfit(f"{text[:40]!r}", f"a date as {self.format}", text[:40])

    def written(self, value: Any) -> str:
        """The characters of a value, padded. Raises Misfit where it does not fit; nothing is ever cut."""
        if value is None or value == "":
            return " " * self.length if self.type != "text" or self.fill == " " else self.fill * self.length
        text = self._text(value)
        if len(text) > self.length:
            raise Misfit(f"{text[:40]!r} of {len(text)} characters", f"at most {self.length}", text[:40])
        if self.align == "left":
            return text.ljust(self.length, self.fill)
        if self.fill == "0" and text[:1] in ("-", "+") and self.type != "text":
            return text[0] + text[1:].rjust(self.length - 1, "0")
        return text.rjust(self.length, self.fill)

    def _text(self, value: Any) -> str:
        if isinstance(value, float):
            raise Misfit("a binary float", "an exact decimal, or a text")
        if self.type == "text":
            return _plain(value)
        if self.type == "date":
            return self._date_text(value)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise Misfit("a text or another value", "a number")
        scaled = Decimal(value).scaleb(self.decimals)
        if not scaled.is_finite() or scaled != scaled.to_integral_value():
            raise Misfit(
                f"the number {value}",
                f"at most {self.decimals} decimals" if self.decimals else "a whole number",
                str(value),
            )
        digits = str(abs(int(scaled)))
        if scaled >= 0:
            return digits
        if self.sign == "none":
            raise Misfit(f"the number {value}", "none below 0 (sign: none)", str(value))
        return f"{digits}-" if self.sign == "trailing" else f"-{digits}"

    def _date_text(self, value: Any) -> str:
        try:
            day = value if isinstance(value, date) else date.fromisoformat(value)
        except (TypeError, ValueError):
            raise Misfit("what is no date", "a date such as 2026-03-05") from None
        day = day.date() if isinstance(day, datetime) else day
        known = {"YYYY": f"{day.year:04}", "YY": f"{day.year % 100:02}", "MM": f"{day.month:02}", "DD": f"{day.day:02}"}
        return _TOKENS.sub(lambda token: known[token[0]], self.format)


def _plain(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal | date):
        raise Misfit("a list, a mapping or true/false", "a text or a number")
    text = f"{value:f}" if isinstance(value, Decimal) else value.isoformat() if isinstance(value, date) else str(value)
    if "\r" in text or "\n" in text:
        raise Misfit("a line end", "text of one line")
    return text


def field_faults(name: str, given: Any) -> str:
    """What is wrong with the description of a field; empty when nothing is."""
    if not isinstance(given, Mapping):
        return f"the field '{name}' wants {{at: 1, length: 10}}"
    for key in given:
        if key not in KEYS:
            return f"the field '{name}' has '{key}'; known are {', '.join(KEYS)}"
    for key in ("at", "length"):
        if not _is_count(given.get(key), 1):
            return f"the field '{name}' needs {key}: a whole number from 1"
    if given.get("type", "text") in ("decimal", "integer") and given["length"] > _MOST_DIGITS:
        return f"the field '{name}' is a number; it has at most {_MOST_DIGITS} characters"
    choices = (("type", TYPES), ("align", ("left", "right")), ("sign", SIGNS))
    for key, known in choices:
        if given.get(key, known[0]) not in known:
            return f"the field '{name}' has {key}: {given[key]}; it is one of {', '.join(known)}"
    if not _is_count(given.get("decimals", 0), 0) or not isinstance(given.get("counts", ""), str):
        return f"the field '{name}': decimals is a whole number, counts the name of a record"
    if not isinstance(given.get("fill", " "), str) or len(given.get("fill", " ")) != 1:
        return f"the field '{name}': fill is one character"
    form = given.get("format", "YYYYMMDD")
    parts = sorted(_TOKENS.findall(form)) if isinstance(form, str) else []
    if parts not in (["DD", "MM", "YY"], ["DD", "MM", "YYYY"]):
        return f"the field '{name}' has format: {form}; write it of YYYY or YY, MM and DD"
    return ""


def _is_count(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= 100_000
