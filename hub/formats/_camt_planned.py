"""Planned values of an entry: what makes each of them of the texts of the entry, found once for all entries of a shape.

A planned document is its fields by name: an ``int`` is the place of a text that is the value, a list and a dict are
planned values again, all else has ``code``. It is written out as one expression, so that an entry costs no calls but
those that its values need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

Texts = Sequence[str]
Make = Callable[[Texts], Any]
Called = dict[str, Any]  # what an expression calls, by name


class PlannedMoney(msgspec.Struct, frozen=True):
    """An amount in a currency."""

    place: int
    currency: str

    def code(self, called: Called) -> str:
        amount = f"{_named(Decimal, called)}(t[{self.place}])"
        return f"{{'amount': {amount}, 'currency': {self.currency!r}}}"


class Converted(msgspec.Struct, frozen=True):
    """A text as something else."""

    place: int
    convert: Callable[[str], Any]

    def code(self, called: Called) -> str:
        return f"{_named(self.convert, called)}(t[{self.place}])"


class Joined(msgspec.Struct, frozen=True):
    """Several texts as one, with a slash between."""

    places: tuple[int, ...]

    def code(self, called: Called) -> str:
        texts = "/".join(f"{{t[{place}]}}" for place in self.places)
        return f"f'{texts}'"


def made(value: Any) -> Make:
    """What makes a planned value of the texts."""
    called: Called = {}
    return _function(_code(value, called), called)


def all_hold(checks: Iterable[tuple[int, Callable[[str], Any]]]) -> Make:
    """Whether every check holds, each of the text at its place."""
    called: Called = {}
    tests = [f"{_named(check, called)}(t[{place}])" for place, check in checks]
    return _function(" and ".join(tests) or "True", called)


def _function(code: str, called: Called) -> Make:
    make: Make = eval(f"lambda t: {code}", {"__builtins__": {}, **called})  # noqa: S307 - places, names of the tables
    return make


def _named(function: Callable[[str], Any], called: Called) -> str:
    for name, known in called.items():
        if known is function:
            return name
    called[f"f{len(called)}"] = function
    return f"f{len(called) - 1}"


def _code(value: Any, called: Called) -> str:
    if isinstance(value, int):
        return f"t[{value}]"
    if isinstance(value, list):
        return f"[{', '.join(_code(each, called) for each in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name!r}: {_code(each, called)}' for name, each in value.items())}}}"
    code: str = value.code(called)
    return code
