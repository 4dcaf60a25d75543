"""What is done where a segment does not follow: it is put where it belongs, and the reading goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hub.grammars.findings import Finding
from hub.grammars.matched import Match, Tree
from hub.grammars.table import Closing, Level, Moves, Place, Step, Table
from hub.grammars.types import SEVERITIES, GroupNode, MessageNode

_MOST_FINDINGS = 1000


class Recovery:
    """The state of one message that is not as its grammar says. ``stack`` is the matcher's own: the open groups."""

    def __init__(self, table: Table, found: Match, stack: list[Tree]) -> None:
        self._table, self._found, self._stack = table, found, stack
        self._detour: tuple[list[Tree], Place | None] | None = None
        self._full: set[int] = set()
        self._homes: dict[str, Level | None] = {}

    def place(self, segment: Sequence[Any], moves: Moves) -> Moves:
        """Put one segment that no move leads to, or only to a place that is full. Gives the moves from there on."""
        tag = segment[0]
        if tag not in self._table.tags:
            self._stray(segment, "unknown_segment", f"{_text(tag)} is not a segment of this message",
                        SEVERITIES[self._found.message.extra])  # fmt: skip
            return moves
        if (step := moves[tag]) is not None:
            return self._overfull(segment, step)
        if self._detour is not None:
            stack, place = self._detour
            back = place.moves if place is not None else self._table.start
            if (step := back[tag]) is not None:
                self._detour, self._stack[:] = None, stack
                return self._take(segment, step)
        return self._misplaced(segment, moves)

    def close(self, closing: Closing) -> None:
        """Groups are left: what they must have and have not."""
        for far, level in closing:
            instance = self._stack[-1 - far]
            for node in level.required:
                if node.key not in instance:
                    self._missing(node, level)

    def _take(self, segment: Sequence[Any], step: Step) -> Moves:
        """Make a move although its place may be full; a second segment where one may stand is a stray."""
        self.close(step.closing)
        if step.leaves:
            del self._stack[-step.leaves :]
        if step.opened:
            self._open(segment, step.place)
            return step.moves
        here = self._stack[-1]
        if step.is_list:
            here.setdefault(step.key, []).append(segment)
        elif step.key not in here:
            here[step.key] = segment
        else:
            self._found.strays.append((self._number, segment))
        self._found.places.append(step.place)
        return step.moves

    def _overfull(self, segment: Sequence[Any], step: Step) -> Moves:
        here, key, repeats = self._stack[-1 - step.leaves], step.key, step.repeats
        if id(here.get(key)) not in self._full:
            self._full.add(id(here.get(key)))
            what, problem = (f"{key} ({step.opened})", "too_many_groups") if step.opened else (key, "too_many_segments")
            often = "once" if repeats == 1 else f"{repeats} times"
            self._add(problem, f"{what} stands more than {often} here", seen=str(repeats + 1), expected=str(repeats))
        return self._take(segment, step)

    def _misplaced(self, segment: Sequence[Any], moves: Moves) -> Moves:
        tag = segment[0]
        origin = moves.origin
        after = f" after {origin.node.tag}" if isinstance(origin, Place) else ""
        level: Level | None = origin.level if isinstance(origin, Place) else origin
        leaves = 0
        while level is not None:
            for entry in level.entries:
                if entry.node.tag == tag and entry.level is level:
                    self._late_segment(segment, entry, self._stack[-1 - leaves], origin, after)
                    return moves
                if entry.node.tag == tag:
                    return self._late_group(segment, entry, leaves, origin, after)
            level, leaves = level.above, leaves + 1
        self._stray(segment, "misplaced_segment", f"{tag} cannot stand here{self._belongs(tag)}", "error")
        return moves

    def _late_segment(
        self, segment: Sequence[Any], entry: Place, here: Tree, origin: Place | Level, after: str
    ) -> None:
        """A segment of a group that is open: put there, if there is room; the reading goes on where it was."""
        node = entry.node
        is_again = entry is origin or (node.key in here and not node.is_list)
        problem = "too_many_segments" if is_again else "misplaced_segment"
        text = "stands more than once here" if is_again else f"is out of order: it comes too late{after}"
        what = node.tag
        if entry.opens:  # the group that is open may not stand again
            problem, what = "too_many_groups", f"{entry.level.path[-1]} ({node.tag})"
        if node.key in here and not node.is_list:
            self._stray(segment, problem, f"{what} {text}", "error")
            return
        self._add(problem, f"{what} {text}")
        if node.is_list:
            here.setdefault(node.key, []).append(segment)
        else:
            here[node.key] = segment
        self._found.places.append(entry)

    def _late_group(
        self, segment: Sequence[Any], entry: Place, leaves: int, origin: Place | Level, after: str
    ) -> Moves:
        """A group that comes too late: read as one of its own; then the reading comes back to where it was."""
        key = entry.level.path[-1]
        self._add("misplaced_segment", f"{key} ({entry.node.tag}) is out of order: it comes too late{after}")
        if self._detour is None:
            self._detour = (list(self._stack), origin if isinstance(origin, Place) else None)
        if leaves:
            del self._stack[-leaves:]
        self._open(segment, entry)
        return entry.moves

    def _open(self, segment: Sequence[Any], entry: Place) -> None:
        """A group in the one that is open. Where it may stand but once and is there already, its first segment is a
        stray, and what follows goes to the one that is there."""
        node, here = entry.level.node, self._stack[-1]
        if node is None:
            return
        below: Tree = {entry.node.key: segment}
        if node.is_list:
            here.setdefault(node.key, []).append(below)
        elif node.key in here:
            self._found.strays.append((self._number, segment))
            below = here[node.key]
        else:
            here[node.key] = below
        self._stack.append(below)
        self._found.places.append(entry)

    def _belongs(self, tag: str) -> str:
        """The group that has segments of a tag, in words; looked for once."""
        if tag not in self._homes:
            self._homes[tag] = next((level for level in _levels(self._table.root) if _has(level, tag)), None)
        home = self._homes[tag]
        return f"; it belongs to {home.path[-1]}, which {home.entries[0].node.tag} opens" if home is not None else ""

    @property
    def _number(self) -> int:
        """The number of the segment that is looked at."""
        return self._found.first + len(self._found.places)

    def _stray(self, segment: Sequence[Any], problem: str, text: str, severity: str) -> None:
        if severity:
            self._add(problem, text, severity=severity, seen=_text(segment[0]))
        self._found.strays.append((self._number, segment))
        self._found.places.append(None)

    def _missing(self, node: MessageNode, level: Level) -> None:
        if len(self._found.findings) >= _MOST_FINDINGS:
            return
        what = f"{node.key} ({node.tag})" if isinstance(node, GroupNode) else node.key
        inside = f" in {level.path[-1]}" if level.path else ""
        problem = "missing_group" if isinstance(node, GroupNode) else "missing_segment"
        number = self._expected_at(node, level)
        self._add(problem, f"{what} is missing{inside}; it is mandatory", number=number, expected=node.tag)

    def _expected_at(self, node: MessageNode, level: Level) -> int:
        """The number of the segment before which a missing node should stand."""
        places, index = self._found.places, level.nodes.index(node)
        begin = len(places)
        while begin > 0 and level.node is not None and places[begin - 1] is not level.entries[0]:
            begin -= 1
        for at in range(begin if level.node is not None else 0, len(places)):
            if _index_in(places[at], level) > index:
                return self._found.first + at
        return self._found.first + len(places)

    def _add(
        self, problem: str, text: str, *, number: int = 0, seen: str = "", expected: str = "", severity: str = "error"
    ) -> None:
        if len(self._found.findings) < _MOST_FINDINGS:
            number = number or self._number
            self._found.findings.append(Finding(problem, text, number, seen=seen, expected=expected, severity=severity))


def _levels(level: Level) -> Iterator[Level]:
    """A level's groups, those of a group behind all others of its level."""
    below = [entry.level for entry in level.entries if entry.level is not level]
    yield from below
    for one in below:
        yield from _levels(one)


def _has(level: Level, tag: str) -> bool:
    return any(entry.node.tag == tag for entry in level.entries)


def _index_in(place: Place | None, level: Level) -> int:
    """Which node of a level a place is in, or below; -1 where it is in none."""
    if place is None:
        return -1
    index, current = place.index, place.level
    while current is not level:
        if current.above is None:
            return -1
        index, current = current.index, current.above
    return index


def _text(tag: object) -> str:
    return tag[:20] if isinstance(tag, str) and tag else "(nothing)"
