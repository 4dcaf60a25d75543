"""Where elements stand in their file, to the column: a second pass over a document that has faults, or is traced.

libxml2 keeps the line of an element and not its column. expat tells both, and reads only what the door has let in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from xml.parsers import expat  # the door has refused what it could be abused by

from hub.formats import Place

_PIECE = 65_536
_STEP = re.compile(r"/([^/\[\]]+)(?:\[(\d+)\])?")
_Steps = tuple[tuple[str, int], ...]


class _Found(Exception):
    """Ends the pass: every place is known."""


def places_of_numbers(raw: bytes, numbers: Iterable[int]) -> dict[int, Place]:
    """The place of the ``<`` of elements, by their numbers in the order of the document, the root's is 0."""
    wanted, found = set(numbers), {}
    reader = expat.ParserCreate()
    count, last = 0, max(wanted, default=-1)

    def begin(name: str, _: object) -> None:
        nonlocal count
        if count in wanted:
            found[count] = Place(reader.CurrentLineNumber, reader.CurrentColumnNumber + 1, reader.CurrentByteIndex)
        count += 1

    reader.StartElementHandler = begin
    for start in range(0, len(raw), _PIECE):
        if count > last:
            break
        _feed(reader, raw[start : start + _PIECE])
    return found


def named_places(raw: bytes) -> Iterator[tuple[tuple[tuple[str, int], ...], Place]]:
    """Every element in its order: the name and number, from 0, of each that it is in and of itself, without prefixes;
    and its place. It is numbered among those of its name."""
    reader = expat.ParserCreate()
    counts: list[Counter[str]] = [Counter()]
    path: list[tuple[str, int]] = []
    found: list[tuple[tuple[tuple[str, int], ...], Place]] = []

    def begin(name: str, _: object) -> None:
        own = name.rpartition(":")[2]
        path.append((own, counts[-1][own]))
        counts[-1][own] += 1
        counts.append(Counter())
        place = Place(reader.CurrentLineNumber, reader.CurrentColumnNumber + 1, reader.CurrentByteIndex)
        found.append((tuple(path), place))

    def end(_: str) -> None:
        path.pop()
        counts.pop()

    reader.StartElementHandler, reader.EndElementHandler = begin, end
    for start in range(0, len(raw), _PIECE):
        _feed(reader, raw[start : start + _PIECE])
        yield from found
        found.clear()


def _feed(reader: expat.XMLParserType, piece: bytes) -> None:
    with suppress(expat.ExpatError):
        reader.Parse(piece)


def place_of(chunks: Iterable[bytes], path: str) -> Place | None:
    """The place of an element's ``<``, by the XPath that the door tells; None where there is none of that path."""
    return places_of(chunks, [path]).get(path)


def places_of(chunks: Iterable[bytes], paths: Iterable[str]) -> dict[str, Place]:
    """The places of several, by their paths; those that are not there are left out."""
    wanted: dict[_Steps, list[str]] = {}
    for path in paths:
        wanted.setdefault(tuple((name, int(number or 1)) for name, number in _STEP.findall(path)), []).append(path)
    ways = {steps[:depth] for steps in wanted for depth in range(len(steps) + 1)}
    reader = expat.ParserCreate()
    counts: list[Counter[str]] = [Counter()]
    here: list[tuple[str, int]] = []
    astray = 0  # elements in each other that lead nowhere
    found: dict[str, Place] = {}

    def begin(name: str, _: object) -> None:
        nonlocal astray
        if astray:
            astray += 1
            return
        counts[-1][name] += 1
        steps = (*here, (name, counts[-1][name]))
        if steps not in ways:
            astray = 1
            return
        here.append(steps[-1])
        counts.append(Counter())
        if steps in wanted:
            place = Place(reader.CurrentLineNumber, reader.CurrentColumnNumber + 1, reader.CurrentByteIndex)
            found.update((path, place) for path in wanted.pop(steps))
            if not wanted:
                raise _Found

    def end(_: str) -> None:
        nonlocal astray
        if astray:
            astray -= 1
            return
        here.pop()
        counts.pop()

    reader.StartElementHandler, reader.EndElementHandler = begin, end
    if not wanted:
        return found
    try:
        for chunk in chunks:
            reader.Parse(chunk)
        reader.Parse(b"", True)
    except (_Found, expat.ExpatError):
        return found
    return found
