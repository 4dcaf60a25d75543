"""Typed cells of a CSV file, in both directions: what stands in the file, and the exact value a document holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from hub.formats._decimals import MAX_DIGITS, without_exponent

TYPES = ("text", "decimal", "integer", "date", "boolean")

_EXCERPT = 24  # as much of a cell as an error shows
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}", re.ASCII)
_PLAIN_DECIMAL = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?", re.ASCII)
_BOOLEANS = {**dict.fromkeys(("true", "yes", "y", "1"), True), **dict.fromkeys(("false", "no", "n", "0"), False)}


class Notation(msgspec.Struct, frozen=True):
    """How numbers and dates are written: ``1.234,50`` has the mark ``,`` and thousands ``.``; dates in the letters of
    strptime, empty for ISO 8601."""

    decimal_mark: str = "."
    thousands: str = ""
    date_format: str = ""


class CellFault(Exception):
    """A cell is not of its column's type: what was seen and what was expected."""

    def __init__(self, seen: str, expected: str, hint: str = "") -> None:
        super().__init__(expected)
        self.seen, self.expected, self.hint = seen, expected, hint


def reader_of(kind: str, notation: Notation) -> Callable[[str], Any]:
    """Cell to value; an empty cell of any type but text is null. Raises CellFault."""
    read: Mapping[str, Callable[[str], Any]] = {
        "decimal": _decimal_reader(notation),
        "integer": _read_integer,
        "date": _date_reader(notation.date_format),
        "boolean": _read_boolean,
    }
    convert = read[kind]
    return lambda cell: convert(cell.strip()) if cell.strip() else None


def _decimal_reader(notation: Notation) -> Callable[[str], Decimal]:
    mark, separator = re.escape(notation.decimal_mark), re.escape(notation.thousands)
    grouped = rf"|[0-9]{{1,3}}(?:{separator}[0-9]{{3}})+" if notation.thousands else ""
    number = re.compile(rf"[+-]?(?:[0-9]+{grouped})(?:{mark}[0-9]+)?", re.ASCII)
    example = f"1{notation.thousands}234{notation.decimal_mark}50"
    expected = f"a decimal such as {example}"

    def read(cell: str) -> Decimal:
        if not number.fullmatch(cell) or len(cell) > 2 * MAX_DIGITS:
            raise CellFault(cell[:_EXCERPT], expected, _decimal_hint(cell, notation))
        plain = cell.replace(notation.thousands, "") if notation.thousands else cell
        if sum(character.isdigit() for character in plain) > MAX_DIGITS:
            raise CellFault(cell[:_EXCERPT], f"at most {MAX_DIGITS} digits")
        return Decimal(plain.replace(notation.decimal_mark, "."))

    return read


def _decimal_hint(cell: str, notation: Notation) -> str:
    other = "," if notation.decimal_mark == "." else "."
    if other in cell and not notation.thousands:
        return f"for numbers such as 1234{other}50 set decimal_mark: '{other}'; for groups of three set thousands"
    return ""


def _read_integer(cell: str) -> int:
    if not _INTEGER.fullmatch(cell):
        raise CellFault(cell[:_EXCERPT], f"a whole number of at most {MAX_DIGITS} digits")
    return int(cell)


def _date_reader(pattern: str) -> Callable[[str], str]:
    expected = f"a date written as {pattern}" if pattern else "a date such as 2026-03-05"

    def read(cell: str) -> str:
        try:
            if pattern:
                return datetime.strptime(cell, pattern).date().isoformat()  # noqa: DTZ007 a day has no zone
            return date.fromisoformat(cell).isoformat()
        except ValueError:
            raise CellFault(
                cell[:_EXCERPT], expected, "" if pattern else "name its form: date_format: '%d.%m.%Y'"
            ) from None

    return read


def _read_boolean(cell: str) -> bool:
    value = _BOOLEANS.get(cell.lower())
    if value is None:
        raise CellFault(cell[:_EXCERPT], "true or false (also yes/no, y/n, 1/0)")
    return value


def writer_of(kind: str, notation: Notation) -> Callable[[Any], str]:
    """Value to cell; null is an empty cell. Raises CellFault for what a cell cannot hold."""

    def write(value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            return _written_text(value, kind, notation)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return str(value)
        if isinstance(value, Decimal) and value.is_finite():
            try:
                return without_exponent(value).replace(".", notation.decimal_mark)
            except ValueError as error:
                raise CellFault(str(error), f"at most {MAX_DIGITS} digits; round it") from None
        raise CellFault(_kind_of(value), "text, a decimal, a whole number, true or false, or null")

    return write


def _written_text(value: str, kind: str, notation: Notation) -> str:
    if kind == "date" and notation.date_format and value:
        try:
            day = date.fromisoformat(value)
            # strftime writes the year 987 without its zero on some systems
            return day.strftime(notation.date_format.replace("%Y", f"{day.year:04}"))
        except ValueError:
            raise CellFault(value[:_EXCERPT], "a date such as 2026-03-05") from None
    if kind == "decimal" and _PLAIN_DECIMAL.fullmatch(value):
        return value.replace(".", notation.decimal_mark)
    return value


def _kind_of(value: Any) -> str:
    kinds: list[tuple[Any, str]] = [(Mapping, "a mapping"), (list | tuple, "a list"), (float, "a binary float")]
    return next((name for kind, name in kinds if isinstance(value, kind)), "a value that is not plain")
