"""A message type as a table: from the node where one stands, by the tag that comes next, to the node it is.

The nodes after a node are tried in the order of the standard: the same again, those that follow in its group, the group
again, those that follow the group, and so on outwards. What is found first for a tag is its move from there; where that
place is full, the next. A move is looked for when it is first made, and then is one look-up in a dictionary.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

from hub.grammars.types import GroupNode, MessageNode, MessageType, SegmentNode


@dataclass(eq=False, slots=True)
class Level:
    """A group, or the message itself where ``node`` is None. ``required`` are its mandatory nodes but the first segment
    of a group; ``entries`` the places by which its nodes are entered, one for each."""

    path: tuple[str, ...]
    node: GroupNode | None
    above: Level | None
    index: int
    nodes: tuple[MessageNode, ...]
    required: tuple[MessageNode, ...] = ()
    needed: frozenset[str] = frozenset()  # their keys
    entries: list[Place] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Place:
    """A segment's node in the table, ``index`` in its ``level``. ``opens``: it is the first of its group."""

    node: SegmentNode
    level: Level
    index: int
    moves: Moves

    @property
    def opens(self) -> bool:
        return self.index == 0 and self.level.node is not None

    @property
    def path(self) -> tuple[str, ...]:
        return (*self.level.path, self.node.key)


Closing = tuple[tuple[int, Level], ...]


class Step(NamedTuple):
    """A move: ``leaves`` groups are left, the innermost first, of which ``closing`` have mandatory nodes (how far out,
    and which); then ``place`` is reached. ``key`` is where it stands in the tree, that of the group where it opens one;
    then ``opened`` is that of the segment in it. ``moves`` are those from there. ``other`` is the move to try where the
    place is full."""

    leaves: int
    closing: Closing
    opened: str
    key: str
    is_list: bool
    repeats: int
    moves: Moves
    place: Place
    other: Optional[Step]  # noqa: UP045 - a NamedTuple reads its annotations


class Moves(dict[str, Step | None]):
    """The moves from one place, or from the beginning, by tag; None for a tag that does not follow."""

    __slots__ = ("_ending", "_known", "origin")
    origin: Place | Level

    def __init__(self, known: frozenset[str]) -> None:
        super().__init__()
        self._known = known
        self._ending: Closing | None = None

    @property
    def ending(self) -> Closing:
        """The groups that are open here, and the message, as far as they have mandatory nodes."""
        if self._ending is None:
            level: Level | None = self.origin.level if isinstance(self.origin, Place) else self.origin
            levels = []
            while level is not None:
                levels.append(level)
                level = level.above
            self._ending = _closing(levels)
        return self._ending

    def __missing__(self, tag: str) -> Step | None:
        if tag not in self._known:
            return None  # a message full of tags nobody knows does not fill the table
        found = None
        for place, left in reversed([one for one in _after(self.origin) if one[0].node.tag == tag]):
            found = _step(place, left, found)
        self[tag] = found
        return found


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """The table of one message type: its own level, the moves from its beginning, and every tag in it."""

    root: Level
    start: Moves
    tags: frozenset[str]


def table_of(message: MessageType) -> Table:
    tags = frozenset(node.tag for _, node in message.walk())
    root = Level((), None, None, 0, message.nodes)
    _fill(root, tags)
    start = Moves(tags)
    start.origin = root
    return Table(root, start, tags)


def _fill(level: Level, tags: frozenset[str]) -> None:
    level.required = tuple(node for node in level.nodes[0 if level.node is None else 1 :] if node.is_mandatory)
    level.needed = frozenset(node.key for node in level.required)
    for index, node in enumerate(level.nodes):
        if isinstance(node, GroupNode):
            below = Level((*level.path, node.key), node, level, index, node.nodes)
            _fill(below, tags)
            level.entries.append(below.entries[0])
        else:
            place = Place(node, level, index, Moves(tags))
            place.moves.origin = place
            level.entries.append(place)


def _after(start: Place | Level) -> Iterator[tuple[Place, tuple[Level, ...]]]:
    """Every place that can follow, the nearest first, with the groups that are left on the way."""
    left: tuple[Level, ...] = ()
    level: Level | None
    if isinstance(start, Place):
        level, index = start.level, start.index + 1
        if not start.opens and start.node.repeats > 1:
            yield start, ()
    else:
        level, index = start, 0
    while level is not None:
        for entry in level.entries[index:]:
            yield entry, left
        left = (*left, level)
        if level.node is not None and level.node.repeats > 1:
            yield level.entries[0], left
        index, level = level.index + 1, level.above


def _step(place: Place, left: tuple[Level, ...], other: Step | None) -> Step:
    group = place.level.node if place.opens else None
    node, opened = (group, place.node.key) if group is not None else (place.node, "")
    return Step(len(left), _closing(left), opened, node.key, node.is_list, node.repeats, place.moves, place, other)


def _closing(levels: Iterable[Level]) -> Closing:
    return tuple((far, level) for far, level in enumerate(levels) if level.required)
