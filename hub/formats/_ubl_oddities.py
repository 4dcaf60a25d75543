"""What an element has beside its values: attributes, prefixes, order, blanks, elements that the standard does not know.

It stands in the document beside the values, under names in small letters, and only where it is not what a writer
would do by itself. ``docs/reference/ubl.md`` tells each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

ATTRIBUTES, PREFIXES, SPELLED, OTHER, ORDER, GAPS = "attributes", "prefixes", "spelled", "other", "order", "gaps"
TYPE, NAMESPACES, INDENT, FAULTS = "type", "namespaces", "indent", "faults"
SIDES = (ATTRIBUTES, PREFIXES, SPELLED, OTHER, ORDER, GAPS)
ROOT_SIDES = (TYPE, NAMESPACES, INDENT, FAULTS, *SIDES)
XML_SPACE = " \t\n\r"


class Oddities:
    """The oddities of one element while it is read."""

    def __init__(self) -> None:
        self._beside: dict[str, dict[str, Any]] = {ATTRIBUTES: {}, PREFIXES: {}, SPELLED: {}}
        self.other: list[str] = []
        self._order: list[str] | None = None
        self._gaps: list[str] | None = None

    def begin_order(self, document: Mapping[str, Any]) -> None:
        """From here on it is written down; what came before was in order."""
        if self._order is None:
            self._order = [*names_in(document), *[OTHER] * len(self.other)]

    def begin_gaps(self, document: Mapping[str, Any], usual: str) -> None:
        """From here on they are written down; those before were as usual."""
        if self._gaps is None:
            self._gaps = [usual] * (sum(1 for _ in names_in(document)) + len(self.other))

    def follow(self, name: str, gap: str) -> None:
        """One more element, and what stands before it."""
        if self._order is not None:
            self._order.append(name)
        if self._gaps is not None:
            self._gaps.append(gap)

    def end(self, gap: str) -> None:
        """What stands before the end."""
        if self._gaps is not None:
            self._gaps.append(gap)

    def beside(self, side: str, name: str, number: int | None, value: Any) -> None:
        """What belongs to one of the values; ``number`` is None where there is one alone."""
        of_names = self._beside[side]
        if number is None:
            of_names[name] = value
            return
        nothing: Any = {} if side == ATTRIBUTES else None
        several = of_names.setdefault(name, [])
        several += [nothing] * (number - len(several))
        several.append(value)

    def has(self, side: str, name: str, number: int | None) -> bool:
        """Whether something of that kind stands beside a value already."""
        known = self._beside[side].get(name)
        return known is not None and (number is None or len(known) > number)

    def fields(self) -> dict[str, Any]:
        """As they stand in the document."""
        found: dict[str, Any] = {side: values for side, values in self._beside.items() if values}
        if self.other:
            found[OTHER] = self.other
        if self._order is not None:
            found[ORDER] = self._order
        if self._gaps is not None:
            found[GAPS] = self._gaps
        return found


def names_in(document: Mapping[str, Any]) -> Iterator[str]:
    """The name of each element of a document, in its order."""
    for name, value in document.items():
        if isinstance(value, list):
            for _ in value:
                yield name
        else:
            yield name
