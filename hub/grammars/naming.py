"""The tree of a message to the document that mappings read: every element by its name.

Segments that may stand once are objects, those that may be repeated are lists, and so are groups. A composite is an
object. What is empty has no name. Numbers have a point before decimals, whatever the interchange writes, and X12's
implied decimals are written out (``N2``: 1050 is ``10.50``); they stay texts, so that nothing of them is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from hub.formats._segments import Repeats
from hub.grammars.matched import Match
from hub.grammars.types import ElementType, GroupNode, MessageNode, MessageType, SegmentNode, SegmentType, Slot, Step

EXTRA_ELEMENTS, STRAYS = "extra_elements", "strays"
Object = dict[str, Any]
_Convert = Callable[[str], str]


class _Position(msgspec.Struct, frozen=True):
    """A slot made ready: ``key`` where it stands in the segment's own object, else the whole ``path``. ``is_simple``:
    one text at its key; ``is_object``: components in one object at its key, or, without one, in the segment's own."""

    key: str
    path: tuple[Step, ...]
    convert: _Convert | None
    components: tuple[_Position, ...]
    is_list: bool
    is_simple: bool
    is_object: bool


class Namer:
    """Names the messages of one type. ``decimal_mark`` is the interchange's."""

    def __init__(self, message: MessageType, decimal_mark: str = ".") -> None:
        self._mark = decimal_mark
        self._root = _level(message.nodes)
        self._positions: dict[int, tuple[_Position, ...]] = {}
        self._kept: list[SegmentType] = []

    def document(self, match: Match) -> Object:
        """The named document of a message; ``strays`` holds the segments that have no place in it."""
        document = self._group(match.tree, self._root)
        if match.strays:
            document[STRAYS] = [_stray(number, segment) for number, segment in match.strays]
        return document

    def _group(self, tree: Mapping[str, Any], level: Mapping[str, tuple[MessageNode, Any]]) -> Object:
        named: Object = {}
        for key, value in tree.items():
            node, below = level[key]
            if below is not None:
                many = [self._group(one, below) for one in (value if node.is_list else (value,))]
                named[key] = many if node.is_list else many[0]
            elif isinstance(node, SegmentNode):
                kind = node.segment
                named[key] = [self.segment(one, kind) for one in value] if node.is_list else self.segment(value, kind)
        return named

    def segment(self, segment: Sequence[Any], kind: SegmentType) -> Object:
        """One segment by the names of its elements."""
        positions = self._positions.get(id(kind))
        if positions is None:
            positions = self._positions[id(kind)] = tuple(self._position(slot) for slot in kind.slots)
            self._kept.append(kind)  # an id is that of one object only while it lives
        named: Object = {}
        _fill(named, segment[1:], positions)
        if len(segment) - 1 > len(positions) and any(segment[len(positions) + 1 :]):
            named[EXTRA_ELEMENTS] = list(segment[len(positions) + 1 :])
        return named

    def _position(self, slot: Slot) -> _Position:
        key = slot.path[0] if len(slot.path) == 1 and isinstance(slot.path[0], str) else ""
        components = tuple(self._position(component) for component in slot.components)
        convert = reader_of(slot.element, self._mark) if slot.element else None
        is_plain = not slot.is_list and (bool(key) or not slot.path)
        is_simple, is_object = is_plain and not components, is_plain and bool(components)
        return _Position(key, slot.path, convert, components, slot.is_list, is_simple, is_object)


def _level(nodes: Sequence[MessageNode]) -> dict[str, tuple[MessageNode, Any]]:
    return {node.key: (node, _level(node.nodes) if isinstance(node, GroupNode) else None) for node in nodes}


def _stray(number: int, segment: Sequence[Any]) -> Object:
    return {"number": number, "tag": segment[0], "elements": list(segment[1:])}


def _fill(named: Object, values: Sequence[Any], positions: Sequence[_Position]) -> None:
    """Put the values at these positions where their names say."""
    for value, position in zip(values, positions, strict=False):
        if not value:
            continue
        if position.is_simple and type(value) is str:
            named[position.key] = value if position.convert is None else position.convert(value)
        elif position.is_object and type(value) is not Repeats:
            here = named.get(position.key, {}) if position.key else named
            _fill(here, value if type(value) is list else (value,), position.components)
            if position.key and here:
                named[position.key] = here
        else:
            value = _value(value, position)
            if value != "" and value != {} and value != []:
                _put(named, position.path, value)


def _value(value: Any, position: _Position) -> Any:
    if position.is_list:
        every = value if type(value) is Repeats else [value]
        return [_one(one, position) for one in every]
    return _one(value[0] if type(value) is Repeats else value, position)


def _one(value: Any, position: _Position) -> Any:
    if position.components:
        named: Object = {}
        _fill(named, value if isinstance(value, list) else [value], position.components)
        return named
    if isinstance(value, list):
        value = value[0]
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return position.convert(value) if position.convert is not None and value else value


def _put(named: Object, path: tuple[Step, ...], value: Any) -> None:
    """Put a value at a path; places of a list that are left out hold an empty text or object."""
    here: Any = named
    for step, onward in pairwise(path):
        empty: Any = [] if isinstance(onward, int) else {}
        if isinstance(step, int):
            here.extend({} for _ in range(step + 1 - len(here)))
            here = here[step]
        else:
            here = here.setdefault(step, empty)
    last = path[-1] if path else None
    if isinstance(last, int):
        blank: Any = {} if isinstance(value, dict) else ""
        here.extend(type(blank)() for _ in range(last + 1 - len(here)))
        here[last] = value
    elif isinstance(value, dict) and (last is None or isinstance(here.get(last), dict)):
        (here if last is None else here[last]).update(value)
    else:
        here[last] = value


def reader_of(element: ElementType, mark: str) -> _Convert | None:
    """From the text of a message to that of the document; None where both are the same."""
    places = element.decimals
    if places:
        return lambda value: _pointed(value, places)
    if element.type == "n" and mark != ".":
        return lambda value: value.replace(mark, ".")
    return None


def _pointed(value: str, places: int) -> str:
    """``1050`` with two places is ``10.50``; what is no number stays as it is."""
    digits = value.removeprefix("-")
    if not digits.isdecimal():
        return value
    padded = digits.rjust(places + 1, "0")
    return f"{'-' if value[0] == '-' else ''}{padded[:-places]}.{padded[-places:]}"
