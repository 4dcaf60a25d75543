"""What generated code calls where plain Python would be unsafe or inexact. No names of these reach a user."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NoReturn

from hub.errors import MappingError
from hub.functions.allowance import ELEMENT, SMALL, spend
from hub.functions.numbers import DIGITS, dec, short_decimal
from hub.functions.refusal import kind_of, refusal
from hub.functions.text import LONGEST, bounded, text

_NUMBERS: frozenset[Any] = frozenset({int, Decimal})
_LISTS: frozenset[Any] = frozenset({list, tuple})
ZERO = Decimal(0)
LOOPS = 1_000_000  # elements that loops inside loops may visit for one document


class Absent(Exception):
    """A required target field would be nothing; where and why is found from the position in the generated code."""


def absent() -> NoReturn:
    raise Absent


def multiply(one: Any, other: Any) -> Any:
    """Numbers only: text times a number would be a memory bomb."""
    if one.__class__ in _NUMBERS and other.__class__ in _NUMBERS:
        return one * other
    classes = {one.__class__, other.__class__}
    if Decimal in classes and bool not in classes:
        return one * other  # which Python refuses; by its words the text or list at fault is found
    raise _unfit("*", one, other)


def divide(one: Any, other: Any) -> Any:
    """Exact division: whole numbers would give a binary float."""
    if one.__class__ in _NUMBERS and other.__class__ in _NUMBERS:
        return Decimal(one) / other
    raise _unfit("/", one, other)


def add(one: Any, other: Any) -> Any:
    """Numbers, texts or lists; what it makes of texts and lists is bounded."""
    if one.__class__ is str and other.__class__ is str:
        whole = one + other
        return whole if len(whole) <= SMALL else bounded(whole)
    if one.__class__ in _NUMBERS and other.__class__ in _NUMBERS:
        return one + other
    if one.__class__ is list and other.__class__ is list and len(one) + len(other) <= LONGEST:
        if len(one) + len(other) > SMALL:
            spend(ELEMENT * (len(one) + len(other)))
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


def empty(values: Any) -> Any:
    """Nothing, for nothing and an empty list; what else is empty is no list."""
    if values is not None and values.__class__ not in _LISTS:
        raise TypeError
    return None


def each_within(values: Any, budget: list[int]) -> Any:
    """Like ``each`` for a loop inside a loop that starts over each time: bounded for one document."""
    found = each(values)
    budget[0] -= len(found)
    if budget[0] < 0:
        raise refusal(f"the loops inside loops visit more than {LOOPS} elements", code="too_large")
    return found


def inside(values: Any, budget: list[int]) -> Any:
    """What ``in`` looks into within a loop; going through a list counts as a loop inside the loop."""
    if values.__class__ is list:
        budget[0] -= len(values)
        if budget[0] < 0:
            raise refusal(f"'in' inside a loop looks at more than {LOOPS} elements; look up by index_by and pick",
                          code="too_large")  # fmt: skip
    return () if values is None else values


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


def sum_of(values: Any, key: str) -> Any:
    """The numbers under a key of each object of a list added up. Whatever is not as it should be raises TypeError: fast
    code then gives way to safe code, which says what is wrong and where."""
    total: Any = ZERO
    if values.__class__ is not list:
        return empty(values) or total
    try:
        for value in values:
            number = value.get(key)
            is_short = number.__class__ is str and len(number) < DIGITS and number.isascii()
            total += short_decimal(number) if is_short else dec(number)
    except (MappingError, ArithmeticError):
        raise TypeError from None
    if not total.is_finite():
        raise TypeError
    return total


def sum_of_inner(values: Any, outer: str, key: str) -> Any:
    """The same where the number lies in an object of each object."""
    found = [value.get(outer) for value in values] if values.__class__ is list else values
    return sum_of(found, key)


def sum_of_money(values: Iterable[Any], key: str) -> Decimal:
    """The amounts added up of the money values under a key of each object, all made by this mapping."""
    total = ZERO
    for value in values:
        total += short_decimal(value[key]["amount"])
    return total
