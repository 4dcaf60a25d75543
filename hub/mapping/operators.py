"""What generated code calls where plain Python would be unsafe or inexact. No names of these reach a user."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NoReturn

from hub.functions.refusal import kind_of, refusal
from hub.functions.text import LONGEST, bounded, text

_NUMBERS: frozenset[Any] = frozenset({int, Decimal})
LOOPS = 1_000_000  # elements that loops inside loops may visit for one document


class Absent(Exception):
    """A required target field would be nothing; where and why is found from the position in the generated code."""


def absent() -> NoReturn:
    raise Absent


def multiply(one: Any, other: Any) -> Any:
    """Numbers only: text times a number would be a memory bomb."""
    if one.__class__ in _NUMBERS and other.__class__ in _NUMBERS:
        return one * other
    raise _unfit("*", one, other)


def divide(one: Any, other: Any) -> Any:
    """Exact division: whole numbers would give a binary float."""
    if one.__class__ in _NUMBERS and other.__class__ in _NUMBERS:
        return Decimal(one) / other
    raise _unfit("/", one, other)


def add(one: Any, other: Any) -> Any:
    """Numbers, texts or lists; what it makes of texts and lists is bounded."""
    if one.__class__ is str and other.__class__ is str:
        return bounded(one + other)
    if one.__class__ in _NUMBERS and other.__class__ in _NUMBERS:
        return one + other
    if one.__class__ is list and other.__class__ is list and len(one) + len(other) <= LONGEST:
        return one + other
    raise _unfit("+", one, other)


def subtract(one: Any, other: Any) -> Any:
    """Numbers only: true/false is none."""
    if one.__class__ in _NUMBERS and other.__class__ in _NUMBERS:
        return one - other
    raise _unfit("-", one, other)


def _unfit(sign: str, one: object, other: object) -> TypeError:
    """The same error that Python's own operator raises, so that both are explained in one place."""
    return TypeError(f"unsupported operand type(s) for {sign}: '{type(one).__name__}' and '{type(other).__name__}'")


def each(values: Any) -> Any:
    """The list to loop over; nothing is an empty one. A single object or a text is a mistake of the mapping."""
    if values.__class__ is list:
        return values
    if values is None:
        return ()
    hint = "write listed(…) for one object that stands without a list" if isinstance(values, dict) else ""
    raise refusal(f"a loop wants a list, got {kind_of(values)}", expected="a list", hint=hint)


def each_within(values: Any, budget: list[int]) -> Any:
    """Like ``each`` for a loop inside a loop that starts over each time: bounded for one document."""
    found = each(values)
    budget[0] -= len(found)
    if budget[0] < 0:
        raise refusal(f"the loops inside loops visit more than {LOOPS} elements", code="too_large")
    return found


def at(values: Any, position: int) -> Any:
    """One element of a list; nothing where the list is too short or there is none."""
    if values is None:
        return None
    if values.__class__ is not list:
        raise refusal(f"[{position}] wants a list, got {kind_of(values)}", expected="a list")
    return values[position] if -len(values) <= position < len(values) else None


def put(value: Any) -> str:
    """A value inside f-text; nothing is a mistake, not the text 'None'."""
    written = text(value)
    if written is None:
        raise refusal("nothing cannot stand in f-text", hint="write default(…, '')")
    return written
