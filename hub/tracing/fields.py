"""A trace as data: each field with its expression, what that read, and where it stands in the raw document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from hub.formats import Place, Places, Step
from hub.mapping import TraceEntry, plain_path

_STEP = re.compile(r"\[(-?\d*)\]|([^.\[\]]+)")
_PART = re.compile(r"\[[^\]]*\]|\.?[^.\[\]]+")
_NAMED = ("path", "value", "file", "line", "column", "expression", "sources")


def entry_fields(entry: TraceEntry) -> dict[str, Any]:
    """An entry by its names."""
    return {name: getattr(entry, name) for name in _NAMED}


def placed_fields(entry: TraceEntry, places: Places) -> dict[str, Any]:
    """The same with ``places``, those of its sources in the raw document; null where there is nothing at that path."""
    return {**entry_fields(entry), "places": [_place_fields(place_of(path, places)) for path in entry.sources]}


def place_of(path: str, places: Places) -> Place | None:
    """Where a source path leads in the raw document; of all elements of a list, where the list is."""
    head, _, rest = path.partition(".")
    if head != "src":
        return None
    steps: list[Step] = []
    for index, name in _STEP.findall(rest):
        if not name and not index:
            break
        steps.append(name or int(index))
    return next((place for reading in _readings(steps) if (place := places(reading)) is not None), None)


def _readings(steps: list[Step]) -> Iterator[list[Step]]:
    """The steps themselves; then with names put together that a point may only seem to part (``src['order.no']``)."""
    yield steps
    for first in range(len(steps)):
        for last in range(first + 2, min(first + 5, len(steps) + 1)):
            names = steps[first:last]
            if all(isinstance(name, str) for name in names):
                yield [*steps[:first], ".".join(map(str, names)), *steps[last:]]


def _place_fields(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    fields: dict[str, Any] = {"line": place.line, "column": place.column}
    fields |= {"offset": place.offset} if place.offset >= 0 else {}
    return fields | ({"what": place.what} if place.what else {})


def steps_of(path: str) -> list[str | None]:
    """The names on the way to a field of a document; None stands for an element of a list."""
    return [name or None for _, name in _STEP.findall(path)]


def is_part(path: str, wanted: str) -> bool:
    """Whether a field is what is wanted or within it; ``[]`` stands for every element."""
    if "[]" in wanted:
        return bool(_pattern(wanted).match(path))
    return path == wanted or path.startswith((f"{wanted}.", f"{wanted}["))


def _pattern(wanted: str) -> re.Pattern[str]:
    return re.compile(re.escape(wanted).replace(r"\[\]", r"\[\d+\]") + r"(?![^.\[])")


class Origins:
    """The fields of a canonical document that a field of a target was made of."""

    def __init__(self, entries: Sequence[TraceEntry]) -> None:
        self._entries = entries
        self._at: dict[str, list[int]] = {}  # by a path that leads to it, with its indexes and without
        self._own: dict[str, list[int]] = {}
        for number, entry in enumerate(entries):
            for path in dict.fromkeys((entry.path, plain_path(entry.path))):
                self._own.setdefault(path, []).append(number)
                for way in _ways(path):
                    self._at.setdefault(way, []).append(number)

    def of(self, entry: TraceEntry) -> list[TraceEntry]:
        """In the order of the paths that were read: what stands there and within it, else what holds it."""
        reads = [path.removeprefix("src.") for path in entry.sources if path.startswith("src.")]
        return [self._entries[number] for number in dict.fromkeys(each for read in reads for each in self._of(read))]

    def _of(self, read: str) -> Sequence[int]:
        if read in self._at and "[]" not in read:
            return self._at[read]
        plain = plain_path(read)
        found: Sequence[int] = self._at.get(plain, ())
        if plain != read and any(character.isdigit() for character in read):
            pattern = _pattern(read)
            found = [number for number in found if pattern.match(self._entries[number].path)]
        return found or next((self._own[way] for way in reversed(list(_ways(plain))) if way in self._own), ())


def _ways(path: str) -> Iterator[str]:
    """``a[0].b``: ``a``, ``a[0]``, ``a[0].b``."""
    return (path[: part.end()] for part in _PART.finditer(path))
