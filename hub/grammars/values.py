"""Whether the text of a simple element is what its type says: characters, length, number, date, time, code."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache

from hub.grammars.types import Codes, ElementType

Fault = tuple[str, str, str]
"""The problem as ``findings.CODES`` names it, a sentence's end, and what was expected."""
Accepts = Callable[[str], bool]
_NUMBER = {".": re.compile(r"-?[0-9]*(\.[0-9]*)?"), ",": re.compile(r"-?[0-9]*(,[0-9]*)?")}
_TIME = re.compile(r"([01][0-9]|2[0-3])[0-5][0-9]([0-5][0-9]([0-9]{1,2})?)?")
# Code list 2379, those whose values are calendar days and times; D stands for a day as it is written, T for a time.
_DATE_FORMS = {
    "2": "dmy", "3": "mdy", "4": "dmY", "101": "ymd", "102": "Ymd", "201": "ymdT", "202": "ymdS", "203": "YmdT",
    "204": "YmdS", "205": "YmdTz", "301": "ymdTz", "303": "YmdTz", "304": "YmdSz", "401": "T", "402": "S", "602": "Y",
    "609": "ym", "610": "Ym", "717": "ymd-ymd", "718": "Ymd-Ymd", "719": "YmdT-YmdT",
}  # fmt: skip
_WIDTHS = {"Y": 4, "y": 2, "m": 2, "d": 2, "T": 4, "S": 6, "z": 3}


def accepts(element: ElementType, codes: Codes | None, mark: str) -> Accepts | None:
    """The quick test of a value that is not empty and has a fitting length; None where there is nothing else to test.
    It may refuse what is right, never take what is wrong but for that length."""
    if codes is not None:
        return frozenset(codes).__contains__
    if element.type in ("an", "AN", "ID", "B"):
        return None
    if element.type == "DT" and element.minimum == element.maximum:
        return is_day
    usual = _usual_number(element, mark) if element.is_numeric else None
    if usual is not None:
        return lambda value: usual(value) is not None or value_fault(element, None, value, mark) is None
    return lambda value: value_fault(element, None, value, mark) is None


def _usual_number(element: ElementType, mark: str) -> Callable[[str], object] | None:
    """The numbers that need no count of their digits."""
    if element.minimum > 2:
        return None
    whole, half = f"[0-9]{{{element.minimum},{element.maximum}}}", element.maximum // 2
    with_decimals = f"|[0-9]{{1,{half}}}{re.escape(mark)}[0-9]{{1,{half}}}" if half and element.decimals is None else ""
    return re.compile(f"{whole}{with_decimals}").fullmatch


def value_fault(element: ElementType, codes: Codes | None, value: str, mark: str) -> Fault | None:
    """What is wrong with a value that is not empty."""
    length = len(value)
    if element.is_numeric:
        if fault := _number_fault(element, value, mark):
            return fault
        length = sum(character.isdigit() for character in value)
    elif element.type == "a" and any(character.isdigit() for character in value):
        return "wrong_characters", "holds digits", "letters"
    if length > element.maximum:
        return "too_long", f"is {length} long", f"at most {element.maximum}"
    if length < element.minimum:
        return "too_short", f"is {length} long", f"at least {element.minimum}"
    if element.type == "DT" and not is_day(value):
        return "wrong_date", "is not a date", "YYYYMMDD" if element.maximum >= 8 else "YYMMDD"
    if element.type == "TM" and not _TIME.fullmatch(value):
        return "wrong_time", "is not a time", "HHMM, HHMMSS or HHMMSSDD"
    if codes is not None and value not in codes:
        return "unknown_code", "is not one of the codes", _some(codes)
    return None


def _number_fault(element: ElementType, value: str, mark: str) -> Fault | None:
    if element.decimals is not None:
        if not re.fullmatch("-?[0-9]+", value):
            return "wrong_characters", "is not a whole number", _implied(element.decimals)
        return None
    if not _NUMBER[mark].fullmatch(value) or not any(character.isdigit() for character in value):
        other = "," if mark == "." else "."
        if other in value and _NUMBER[other].fullmatch(value):
            return "wrong_decimal", f"has '{other}' as its decimal mark", f"'{mark}'"
        return "wrong_characters", "is not a number", f"digits, with '{mark}' before decimals"
    if element.type == "n" and value.lstrip("-")[:1] == mark:
        return "wrong_decimal", f"has no digit before '{mark}'", f"0{mark}5"
    if element.type == "n" and value[-1] == mark:
        return "wrong_decimal", f"has no digit behind '{mark}'", f"5 or 5{mark}0"
    return None


def _implied(decimals: int) -> str:
    return f"digits, of which the last {decimals} are decimals" if decimals else "digits"


def _some(codes: Codes) -> str:
    known = list(codes)
    return f"one of {', '.join(known[:8])}{f' … ({len(known)} codes)' if len(known) > 8 else ''}"


@lru_cache(maxsize=4096)
def is_day(text: str) -> bool:
    """YYYYMMDD or YYMMDD, a day that the calendar has."""
    if not (text.isascii() and text.isdigit() and len(text) in (6, 8)):
        return False
    year = int(text[:-4]) + (2000 if len(text) == 6 else 0)
    return _has(year, int(text[-4:-2]), int(text[-2:]))


@lru_cache(maxsize=4096)
def is_edifact_date(value: str, form: str) -> bool:
    """Whether a value of element 2380 is as its format, of code list 2379, says; true where the format has no rule."""
    pattern = _DATE_FORMS.get(form)
    if pattern is None:
        return True
    pieces = [value]
    if "-" in pattern:
        pattern = pattern.split("-")[0]
        middle = len(value) // 2
        pieces = value.split("-") if "-" in value else [value[:middle], value[middle:]]
        if len(pieces) != 2:
            return False
    return all(_fits(piece, pattern) for piece in pieces)


def _fits(value: str, pattern: str) -> bool:
    parts: dict[str, str] = {}
    for letter in pattern:
        parts[letter], value = value[: _WIDTHS[letter]], value[_WIDTHS[letter] :]
    zone = parts.pop("z", "")
    if value or not all(text.isascii() and text.isdigit() for text in parts.values()):
        return False
    if any(len(text) != _WIDTHS[letter] for letter, text in parts.items()) or (pattern.endswith("z") and not zone):
        return False
    year = int(parts["Y"]) if "Y" in parts else 2000 + int(parts.get("y", "0"))
    clock = parts.get("S") or parts.get("T") or "0000"
    return _has(year, int(parts.get("m", "1")), int(parts.get("d", "1"))) and bool(_TIME.fullmatch(clock))


def _has(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
