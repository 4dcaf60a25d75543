"""The quick look at a segment: whether anything may be wrong with it. Most segments are right, and need no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from hub.grammars.notes import broken
from hub.grammars.types import SegmentType, Slot
from hub.grammars.values import Accepts, accepts, is_edifact_date

_DATE, _DATE_FORMAT = "2380", "2379"
_MOST_PATTERNS = 1000


class _Position(msgspec.Struct, frozen=True):
    """One position: mandatory; the length of its text and another test of it; or its components, of which ``least``
    must be there, with the place of a date and of its format."""

    is_mandatory: bool
    shortest: int
    longest: int
    accepts: Accepts | None
    components: tuple[_Position, ...] | None = None
    least: int = 0
    dates: tuple[int, int] | None = None


class QuickLook:
    """The quick look at the segments of one type."""

    def __init__(self, kind: SegmentType, mark: str, *, has_codes: bool) -> None:
        self._mark, self._has_codes = mark, has_codes
        self._positions = tuple(map(self._position, kind.slots))
        self._least = _last_mandatory(kind.slots)
        self._notes = kind.notes
        self._patterns: dict[tuple[bool, ...], bool] = {}

    def is_clean(self, segment: Sequence[Any]) -> bool:
        """True where nothing is wrong; false where something is, or may be."""
        positions = self._positions
        if not self._least < len(segment) <= len(positions) + 1:
            return False
        for value, position in zip(segment[1:], positions, strict=False):
            if not value:
                if position.is_mandatory:
                    return False
            elif position.components is None:
                if type(value) is not str or not position.shortest <= len(value) <= position.longest:
                    return False
                if position.accepts is not None and not position.accepts(value):
                    return False
            elif not _is_clean_composite(value, position):
                return False
        return not self._notes or self._holds(segment)

    def _holds(self, segment: Sequence[Any]) -> bool:
        """Whether the notes hold. It depends on which elements are there alone, and is found out once for each way."""
        pattern = tuple(map(bool, segment))
        known = self._patterns.get(pattern)
        if known is None:
            known = not any(broken(note, segment) for note in self._notes)
            if len(self._patterns) < _MOST_PATTERNS:
                self._patterns[pattern] = known
        return known

    def _position(self, slot: Slot) -> _Position:
        if slot.element is not None:
            if slot.repeats != 1:
                return _Position(slot.is_mandatory, 1, 0, None)  # what is rare goes the long way
            test = accepts(slot.element, slot.codes if self._has_codes else None, self._mark)
            shortest, longest = slot.element.minimum, slot.element.maximum
            if slot.element.is_numeric:  # its sign and mark are no part of its length
                longest += 2
            return _Position(slot.is_mandatory, shortest, longest, test)
        is_usual = slot.repeats == 1 and not slot.notes
        components = tuple(map(self._position, slot.components)) if is_usual else ()
        least = _last_mandatory(slot.components)
        return _Position(slot.is_mandatory, 0, 0, None, components, least, dates_in(slot.components))


def _last_mandatory(slots: Sequence[Slot]) -> int:
    return max((at for at, slot in enumerate(slots, 1) if slot.is_mandatory), default=0)


def _is_clean_composite(value: Any, position: _Position) -> bool:
    components = position.components
    parts = value if type(value) is list else [value]
    if not components or type(value) not in (list, str) or not position.least <= len(parts) <= len(components):
        return False
    for part, component in zip(parts, components, strict=False):
        if part:
            if not component.shortest <= len(part) <= component.longest:
                return False
            if component.accepts is not None and not component.accepts(part):
                return False
        elif component.is_mandatory:
            return False
    if position.dates is not None and max(position.dates) < len(parts):
        return is_edifact_date(parts[position.dates[0]], parts[position.dates[1]])
    return any(parts)


def dates_in(components: Sequence[Slot]) -> tuple[int, int] | None:
    """Where a composite has a date (2380) and its format (2379), from 0."""
    numbers = [component.number for component in components]
    both = _DATE in numbers and _DATE_FORMAT in numbers
    return (numbers.index(_DATE), numbers.index(_DATE_FORMAT)) if both else None
