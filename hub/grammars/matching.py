"""The segments of a message to a tree of groups, in one pass, whatever is wrong with them.

The tree holds the segments as they are, lists of elements:

    {"BGM": [...], "NAD_group": [{"NAD": [...], "LOC": [[...]]}]}

What cannot be placed stands in ``strays``. Nothing is dropped, so that a message with faults can still be read.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from hub.grammars.matched import Match, Segments, Tree
from hub.grammars.recovery import Recovery
from hub.grammars.table import Closing, Place, Table, table_of
from hub.grammars.types import MessageType

_HEADERS = ("UNH", "ST")
_TRAILERS = ("UNT", "SE")
_tag = itemgetter(0)
_MOST_SHAPES, _MOST_SEEN, _LONGEST = 300, 3_000, 300
Build = Callable[[Segments], Tree]


class Matcher:
    """Matches the messages of one type.

    Between two of them it remembers nothing but shapes: partners send messages with the same tags in the same order
    again and again, and the tree of one whose shape was seen before is written out at once.
    """

    def __init__(self, message: MessageType) -> None:
        self.message = message
        self.table: Table = table_of(message)
        self._shapes: dict[tuple[Any, ...], tuple[Build, int, int | None, list[Place | None]]] = {}
        self._seen: set[tuple[Any, ...]] = set()

    def match(self, segments: Segments, tags: tuple[str, ...] = ()) -> Match:
        """The tree of a message. Its header and trailer may be among the segments; they are not part of the tree.
        ``tags`` are those of the segments, where they are known."""
        shape = tags or tuple(map(_tag, segments))
        if (known := self._shapes.get(shape)) is not None:
            build, begin, end, places = known
            body = segments[begin:end]
            return Match(self.message, body, begin + 1, build(body), [*places], [], [])
        found = self.walk(segments)
        if len(shape) <= _LONGEST and not found.findings and not found.strays:
            self._remember(shape, segments, found)
        return found

    def _remember(self, shape: tuple[Any, ...], segments: Segments, found: Match) -> None:
        """A shape is worth the work when it comes a second time."""
        if shape not in self._seen:
            if len(self._seen) == _MOST_SEEN:
                self._seen.clear()
            self._seen.add(shape)
        elif len(self._shapes) < _MOST_SHAPES:
            self._shapes[shape] = _builder(found), *_around(segments), found.places

    def walk(self, segments: Segments) -> Match:
        """The same by the table: each segment to its place."""
        begin, end = _around(segments)
        found = Match(self.message, segments[begin:end], begin + 1)
        top, placed = found.tree, found.places
        stack, moves = [top], self.table.start
        recovery: Recovery | None = None
        for segment in found.body:
            step = moves[segment[0]]
            while step is not None:
                leaves, closing, opened, key, is_list, repeats, onward, place, step = step
                here = stack[-1 - leaves] if leaves else top
                value: Any = {opened: segment} if opened else segment
                there = here.get(key)
                if there is None:
                    here[key] = [value] if is_list else value
                elif is_list and len(there) < repeats:
                    there.append(value)
                else:
                    continue
                if closing and _lacks(stack, closing):
                    recovery = recovery or Recovery(self.table, found, stack)
                    recovery.close(closing)
                if leaves:
                    del stack[-leaves:]
                    top = here
                if opened:
                    stack.append(value)
                    top = value
                moves = onward
                placed.append(place)
                break
            else:
                recovery = recovery or Recovery(self.table, found, stack)
                moves, top = recovery.place(segment, moves), stack[-1]
        if _lacks(stack, moves.ending):
            (recovery or Recovery(self.table, found, stack)).close(moves.ending)
        return found


def _around(segments: Segments) -> tuple[int, int | None]:
    """Where the segments between header and trailer begin and end, as far as those are there."""
    begin = 1 if segments and segments[0][0] in _HEADERS else 0
    return begin, -1 if len(segments) > begin and segments[-1][0] in _TRAILERS else None


def _lacks(stack: list[Tree], closing: Closing) -> bool:
    """Whether one of these groups has not what it must have."""
    return not all(level.needed <= stack[-1 - far].keys() for far, level in closing)


def _builder(found: Match) -> Build:
    """The function from the segments of a message to its tree, for all messages of the shape that this one has."""
    numbers = {id(segment): number for number, segment in enumerate(found.body)}

    def written(node: Any) -> str:
        if (number := numbers.get(id(node))) is not None:
            return f"s[{number}]"
        if isinstance(node, dict):
            return "{" + ",".join(f"{key!r}:{written(value)}" for key, value in node.items()) + "}"
        return "[" + ",".join(map(written, node)) + "]"

    build: Build = eval(f"lambda s: {written(found.tree)}", {"__builtins__": {}})  # noqa: S307 - keys of a grammar
    return build
