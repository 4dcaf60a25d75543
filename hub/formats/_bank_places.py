"""Where the values of a bank statement stand in its text: line, column and field of each, by its path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from hub.errors import DecodeError
from hub.formats import BadRecord, Place, Record, Step

_CHUNK = 65_536
CURRENCY = ("account_currency_code",)


class Spot(msgspec.Struct, frozen=True):
    """A stretch of one line: line and column it begins at, from 1, what stands there, and the name of its field."""

    line: int
    column: int
    text: str
    what: str

    def part(self, start: int, end: int | None, name: str = "") -> Spot:
        """A piece of it, from one character to before another or to its end, with its name behind that of the field."""
        text = self.text[start:end]
        return Spot(self.line, self.column + start, text, f"{self.what} {name}".rstrip())


class BankPlaces:
    """The places of one document. ``add`` tells of a path where what is under it may stand, the likeliest first."""

    def __init__(self, document: Mapping[str, Any], line: int) -> None:
        self.document, self.line = document, line
        self._spots: dict[tuple[Step, ...], list[Spot]] = {}

    def add(self, path: tuple[Step, ...], *spots: Spot) -> None:
        if not spots:
            return
        self._spots.setdefault(path, []).extend(spots)

    def begin(self, index: int, spot: Spot) -> None:
        """An entry begins there."""
        self.add(("entries", index), spot)
        if not index:
            self.add(("entries",), spot)

    def numbers(self) -> dict[int, int]:
        """The indexes of this document's entries by their numbers in the whole statement."""
        return {entry["number"]: index for index, entry in enumerate(self.document.get("entries", ()))}

    def __call__(self, steps: Sequence[Step]) -> Place | None:
        """The place of a value: its first character where it stands as it is, else where its field begins. None where
        the document has no such value."""
        value, path = self.document, tuple(steps)
        try:
            for step in path:
                value = value[step]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return None
        text = value if isinstance(value, str) else ""
        known = next((path[:size] for size in range(len(path), 0, -1) if path[:size] in self._spots), ())
        own = self._spots.get(known, [])
        currencies = self._spots.get(CURRENCY, []) if path[-1:] == ("currency",) else []
        for spots, is_sure in ((own, known == path), (currencies, True)):
            hits = [spot for spot in spots if text and text in spot.text]
            if hits and (is_sure or sum(spot.text.count(text) for spot in hits) == 1):
                return _at(hits[0], hits[0].text.index(text))
        return _at(own[0]) if own else Place(self.line, 1)


def _at(spot: Spot, shift: int = 0) -> Place:
    return Place(spot.line, spot.column + shift, what=spot.what)


def places_at(records: Iterator[Record | BadRecord], index: int) -> BankPlaces | None:
    """The places of the document of an index, still empty; None where there is none."""
    try:
        found = next((record for record in records if record.index == index), None)
    except DecodeError:
        return None
    if not isinstance(found, Record):
        return None
    return BankPlaces(found.value, int(found.position.removeprefix("line ")))


def pieces(raw: bytes) -> Iterator[bytes]:
    """The bytes in small chunks, so that their lines are not all there at once."""
    return (raw[at : at + _CHUNK] for at in range(0, len(raw), _CHUNK))


def nowhere(steps: Sequence[Step]) -> Place | None:
    """The places of a record that cannot be read."""
    return None
