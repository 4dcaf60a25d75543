"""Where the values of a named document stand in the bytes of its message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.formats import Place, Step
from hub.formats._edi_envelopes import Message
from hub.formats._segments import Repeats
from hub.grammars.matched import Match
from hub.grammars.types import MessageNode, SegmentNode, Slot

_ENVELOPE = {"interchange": 0, "group": 0, "message": 1}


class NamedPlaces:
    """The places of one message's document, by the path in it; of a segment where there is nothing closer."""

    def __init__(self, raw: bytes, message: Message, match: Match) -> None:
        self._raw, self._message, self._match = raw, message, match
        self._numbers = {id(segment): match.first + at for at, segment in enumerate(match.body)}

    def __call__(self, steps: Sequence[Step]) -> Place | None:
        if not steps:
            return None
        if steps[0] in _ENVELOPE:
            return self._envelope(str(steps[0]))
        found = _segment(self._match.tree, self._match.message.nodes, steps)
        if found is None:
            return None
        segment, node, rest = found
        number = self._numbers[id(segment)]
        element, component, repetition = _element(segment, node.segment.slots, rest)
        offset = self._message.offset_of(number, element, component, repetition)
        return self._place(offset, f"segment {number} {segment[0]}")

    def _envelope(self, name: str) -> Place | None:
        interchange, group = self._message.interchange, self._message.group
        if name == "interchange":
            return self._place(interchange.offset, f"interchange {interchange.control_number}")
        if name == "group":
            return self._place(group.offset, f"group {group.reference}") if group is not None else None
        return self._place(self._message.offset, f"segment 1 {self._message.segments[0][0]}")

    def _place(self, offset: int, what: str) -> Place:
        line = self._raw.count(b"\n", 0, offset) + 1
        return Place(line, offset - self._raw.rfind(b"\n", 0, offset), offset, f"{what}, byte {offset}")


def _segment(
    tree: Mapping[str, Any], nodes: Sequence[MessageNode], steps: Sequence[Step]
) -> tuple[Sequence[Any], SegmentNode, Sequence[Step]] | None:
    """The segment that a path leads to, or that opens the group it leads to; and the rest of the path."""
    key, rest = steps[0], steps[1:]
    node = next((one for one in nodes if one.key == key), None)
    here = tree.get(str(key))
    if node is None or here is None:
        return None
    if node.is_list:
        at, rest = (rest[0], rest[1:]) if rest else (0, rest)
        if not isinstance(at, int) or not 0 <= at < len(here):
            return None
        here = here[at]
    if isinstance(node, SegmentNode):
        return here, node, rest
    return _segment(here, node.nodes, rest or (node.nodes[0].key,))


def _element(segment: Sequence[Any], slots: Sequence[Slot], rest: Sequence[Step]) -> tuple[int, int, int]:
    """The numbers, from 1, of the element, component and repetition at a path in a segment; 0 where none is meant."""
    at, slot, below = _slot(slots, rest)
    if slot is None:
        return 0, 0, 0
    value = segment[at + 1] if at + 1 < len(segment) else ""
    repetition = 0
    if slot.is_list and below and isinstance(below[0], int):
        repetition, below = (below[0] + 1 if isinstance(value, Repeats) else 0), below[1:]
    component, inner, _ = _slot(slot.components, below)
    return at + 1, component + 1 if inner is not None else 0, repetition


def _slot(slots: Sequence[Slot], steps: Sequence[Step]) -> tuple[int, Slot | None, Sequence[Step]]:
    """The slot whose path a path begins with, the longest; its index, and what is left of the path."""
    best: tuple[int, Slot | None, Sequence[Step]] = (-1, None, steps)
    rank = (-1, False)
    for at, slot in enumerate(slots):
        size = len(slot.path)
        if size > len(steps) or tuple(steps[:size]) != slot.path:
            continue
        left = steps[size:]
        # another slot may have the same name, as two have in BGM: the one that knows what is left counts
        knows = slot.is_list or not left or _slot(slot.components, left)[1] is not None
        if rank < (size, knows) and (slot.path or (left and knows)):
            best, rank = (at, slot, left), (size, knows)
    return best
