"""What a traced run noted -> one entry per target field. Entries are made when someone looks at them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

from hub.mapping.blame import written_path
from hub.mapping.context import TraceEntry
from hub.mapping.lineage import reads_of
from hub.mapping.writer import Spot

BEGIN, NEXT, DONE = -1, -2, -3
_INDEX = re.compile(r"\[(\d+)\]")


class Notes:
    """Collects while a mapping runs: (spot, value) for a field, (event, loop) for a loop."""

    __slots__ = ("events",)

    def __init__(self) -> None:
        self.events: list[tuple[int, Any]] = []

    def callbacks(self) -> tuple[Callable[..., Any], ...]:
        """The functions a traced mapping calls: note, begin, next, done."""
        append = self.events.append

        def note(spot: int, value: Any) -> Any:
            append((spot, value))
            return value

        return (
            note,
            lambda loop, items: append((BEGIN, (loop, len(items)))),
            lambda loop: append((NEXT, loop)),
            lambda loop: append((DONE, loop)),
        )


class Trace(Sequence[TraceEntry]):
    """The entries of one run, in the order in which the fields were computed."""

    def __init__(self, notes: Notes, spots: Sequence[Spot]) -> None:
        self._notes, self._spots = notes, spots
        self._entries: list[TraceEntry] | None = None

    def _made(self) -> list[TraceEntry]:
        if self._entries is None:
            self._entries = list(_entries(self._notes, self._spots))
        return self._entries

    @overload
    def __getitem__(self, index: int) -> TraceEntry: ...
    @overload
    def __getitem__(self, index: slice) -> list[TraceEntry]: ...
    def __getitem__(self, index: int | slice) -> TraceEntry | list[TraceEntry]:
        return self._made()[index]

    def __len__(self) -> int:
        return sum(1 for event, _ in self._notes.events if event >= 0)

    def __iter__(self) -> Iterator[TraceEntry]:
        return iter(self._made())


def _entries(notes: Notes, spots: Sequence[Spot]) -> Iterator[TraceEntry]:
    emitted: dict[int, int] = {}
    visited: dict[int, int] = {}
    reads: dict[int, tuple[str, ...]] = {}
    for event, value in notes.events:
        if event >= 0:
            spot = spots[event]
            if event not in reads:
                reads[event] = reads_of(spot.formula.node, spot.scope)
            yield _entry(spot, value, emitted, tuple(_indexed(path, visited) for path in reads[event]))
        elif event == BEGIN:
            loop, emitted[value[0]] = value
            visited[loop] = -1
        elif event == NEXT:
            visited[value] += 1
        else:
            emitted[value] += 1


def _entry(spot: Spot, value: Any, emitted: dict[int, int], sources: tuple[str, ...]) -> TraceEntry:
    place = spot.formula.place
    line, column = spot.where[:2]
    path = written_path(spot.path, {}, emitted)
    return TraceEntry(path, value, place.file, line, column + 1, place.text, sources)


def _indexed(path: str, visited: dict[int, int]) -> str:
    return _INDEX.sub(lambda match: f"[{visited.get(int(match[1]), 0)}]", path)
