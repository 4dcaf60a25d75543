"""Planned values of an entry: what makes each of the texts of the entry, found once for all entries of a shape.

A planned document is its fields by name: an ``int`` is the place of a text that is the value, a list and a dict are
planned values again, all else has ``make``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter
from typing import Any

Texts = Sequence[str]
Make = Callable[[Texts], Any]


@dataclass(frozen=True, slots=True)
class PlannedMoney:
    """An amount in a currency."""

    place: int
    currency: str

    def make(self) -> Make:
        place, currency = self.place, self.currency
        return lambda texts: {"amount": Decimal(texts[place]), "currency": currency}


@dataclass(frozen=True, slots=True)
class Converted:
    """A text as something else."""

    place: int
    convert: Callable[[str], Any]

    def make(self) -> Make:
        place, convert = self.place, self.convert
        return lambda texts: convert(texts[place])


@dataclass(frozen=True, slots=True)
class Joined:
    """Several texts as one, with a slash between."""

    places: tuple[int, ...]

    def make(self) -> Make:
        pick: Any = itemgetter(*self.places)
        return pick if len(self.places) == 1 else lambda texts: "/".join(pick(texts))


def made(value: Any) -> Make:
    """What makes a planned value of the texts."""
    if isinstance(value, int):
        return itemgetter(value)
    if isinstance(value, list):
        makes = [made(each) for each in value]
        if len(makes) == 1:
            (make,) = makes
            return lambda texts: [make(texts)]
        return lambda texts: [make(texts) for make in makes]
    return _document(value) if isinstance(value, dict) else value.make()


def _document(fields: Mapping[str, Any]) -> Make:
    """Makes a document: first every field in its order with a text, then those again that are none."""
    names = tuple(fields)
    places = [value if isinstance(value, int) else 0 for value in fields.values()]
    pick: Any = itemgetter(*places, 0)  # one more, so that it gives a tuple; zip leaves it out
    others = tuple((name, made(value)) for name, value in fields.items() if not isinstance(value, int))

    def make(texts: Texts) -> dict[str, Any]:
        document: dict[str, Any] = dict(zip(names, pick(texts)))  # noqa: B905 - one more, as above
        for name, inner in others:
            document[name] = inner(texts)
        return document

    return make
