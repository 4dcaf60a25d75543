"""Texts, numbers, amounts and days of ISO 20022 messages: what may stand there, and what is told where it does not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol
from xml.sax.saxutils import escape

from hub.errors import MappingError
from hub.formats._xml import Element

Into = dict[str, Any]
_RETURN = {"\r": "&#13;"}


class Tell(Protocol):
    """Takes down a fault of an element."""

    def __call__(
        self, at: Element, code: str, message: str, *, seen: str = "", expected: str = "", severity: str = "warning"
    ) -> None: ...

    @property
    def currency(self) -> str:
        """That of amounts without one; empty where none is known."""
        ...


class Writer:
    """What is being written: its pieces, the version, and the path in the document for what cannot be."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.pieces: list[str] = []
        self.path: list[str] = []

    def open(self, tag: str) -> None:
        self.pieces.append(f"<{tag}>")

    def close(self, tag: str) -> None:
        self.pieces.append(f"</{tag}>")

    def leaf(self, tag: str, text: str) -> None:
        # XML 1.0, 2.11: a reader makes a line feed of a carriage return that is written as such.
        self.pieces.append(f"<{tag}>{escape(text, _RETURN)}</{tag}>")

    def refuse(self, detail: str, seen: Any = "", expected: str = "") -> MappingError:
        path = ".".join(self.path)
        text = "" if seen is None else str(seen)[:40]
        return MappingError(
            f"{path}: {detail}", code="encode", field_path=path, value_excerpt=text, expected=expected,
            quoted=(str(seen or "")[:60],),
        )  # fmt: skip


_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DECIMAL = re.compile(r"[+-]?\d{1,18}(?:\.\d{0,17})?|[+-]?\.\d{1,17}", re.ASCII)
_is_decimal = _DECIMAL.fullmatch
_CURRENCY = re.compile(r"[A-Z]{3}")
is_currency = _CURRENCY.fullmatch
_DATE = re.compile(r"(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])", re.ASCII)
_INSTANT = re.compile(rf"({_DATE.pattern})T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")
_DAYS = {"02": 29, "04": 30, "06": 30, "09": 30, "11": 30}


@lru_cache(4096)
def is_day(text: str) -> bool:
    """Whether a text is a day of the calendar, in ISO's writing."""
    if not _DATE.fullmatch(text):
        return False
    year, day = int(text[:4]), int(text[8:])
    if text[5:] == "02-29":
        return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return day <= _DAYS.get(text[5:7], 31)


def is_instant(text: str) -> bool:
    """Whether a text is an instant, with an offset or without one."""
    found = _INSTANT.fullmatch(text)
    return found is not None and is_day(found[1])


def named(tag: str, namespace: str) -> str:
    """The name of an element with its namespace, as lxml writes it."""
    return f"{{{namespace}}}{tag}" if namespace else tag


def children(element: Element) -> list[Element]:
    """The children of an element; a slice of it is made at once, and an iterator step by step."""
    sliced: Any = element
    found: list[Element] = sliced[:]
    return found


def local(element: Element | None) -> str:
    """The name of an element without its namespace."""
    return "" if element is None else element.tag.rpartition("}")[2]


def text_of(value: Any, out: Writer) -> str:
    """A text that can be written. Raises MappingError for what is none, is empty or holds characters XML has not."""
    if not isinstance(value, str):
        raise out.refuse(f"expected text, got {kind_of(value)}", value, "text")
    if not value.strip():
        raise out.refuse("the text is empty", value, "a text, or no such field")
    if _FORBIDDEN.search(value):
        raise out.refuse("the text holds a character that XML has not", value)
    return value


def shown(value: Any) -> str:
    """A value in a message: a text or number as it is, at most 60 characters; else what it is."""
    if isinstance(value, str):
        return f"'{value[:60]}'"
    return str(value)[:60] if isinstance(value, int | Decimal) and not isinstance(value, bool) else kind_of(value)


def kind_of(value: Any) -> str:
    """What a value is, in a user's words."""
    kinds: tuple[tuple[Any, str], ...] = (
        (Mapping, "an object"), (list | tuple, "a list"), (str, "text"), (bool, "a truth"), (int | Decimal, "a number"),
        (float, "a binary float"),
    )  # fmt: skip
    return next((word for kind, word in kinds if isinstance(value, kind)), "nothing" if value is None else "a value")


def listed(value: Any, out: Writer) -> Sequence[Any]:
    """A list that is to be written."""
    if not isinstance(value, list | tuple):
        raise out.refuse(f"expected a list, got {kind_of(value)}", value, "a list")
    return value


def mapped(value: Any, out: Writer) -> Mapping[str, Any]:
    """An object that is to be written."""
    if not isinstance(value, Mapping):
        raise out.refuse(f"expected an object, got {kind_of(value)}", value, "an object")
    return value


def content(element: Element, tell: Tell) -> str:
    """The text of an element, without the space around it. One within it, which no schema has there, would cut it
    unseen: it is an error."""
    if len(element):
        tell(
            element, "text", f"{local(element)} has an element within its text, {local(element[0])}",
            seen=local(element[0]), expected="text alone", severity="error",
        )  # fmt: skip
    text = element.text
    return text.strip() if text else ""


def decimal_of(element: Element, tell: Tell) -> Decimal | None:
    """The number of an element; None, which is told, where it is none."""
    text = content(element, tell)
    if not _is_decimal(text):
        seen = f"'{text[:40]}'" if text else "nothing"
        hint = " with a point" if "," in text else ""
        tell(
            element, "number", f"{local(element)} is {seen}; expected a decimal number{hint}",
            seen=text[:40], expected=f"a decimal number{hint}, such as 1234.56", severity="error",
        )  # fmt: skip
        return None
    value = Decimal(text)
    if not value and value.is_signed():
        tell(element, "negative_zero", f"{local(element)} is {text}", seen=text, expected=text.lstrip("-"))
        value = abs(value)
    return value


def money_of(value: Any, out: Writer) -> tuple[Decimal, str]:
    """Amount and currency of money that is to be written. Raises MappingError."""
    if not isinstance(value, Mapping) or set(value) != {"amount", "currency"}:
        raise out.refuse("expected {amount, currency}", value)
    currency = value["currency"]
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise out.refuse(f"the currency is {shown(currency)}", currency, "three capital letters of ISO 4217")
    return number_of(value["amount"], out, places=5), currency


def number_of(value: Any, out: Writer, digits: int = 18, places: int = 17) -> Decimal:
    """An exact number that is to be written: Decimal, whole number, or text. Raises MappingError."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite():
        raise out.refuse(f"expected an exact number, got {shown(value)}", value, "a decimal such as 12.50")
    number: Decimal = value.normalize() if -int(value.as_tuple().exponent) > places else value
    whole, behind = max(number.adjusted() + 1, 1), max(-int(number.as_tuple().exponent), 0)
    if behind > places or whole + behind > digits:
        raise out.refuse(f"{number} has too many digits", number, f"at most {digits}, {places} behind the point")
    return number


def figure(value: Decimal) -> str:
    """A number as XML writes it: no exponent, no negative zero."""
    return f"{value:f}" if value else f"{abs(value):f}"
