"""Two documents compared field by field: where they differ, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

CHANGED, ADDED, REMOVED, RETYPED = "changed", "added", "removed", "retyped"
_MOST_DEPTH = 100
_NUMBERS = (int, float, Decimal)


Steps = tuple[str | None, ...]  # names of fields; None: any element of a list


class Difference(NamedTuple):
    """One field that differs. ``before`` and ``after`` are its values, None where there is none. ``name`` is instead of
    the path of what is no field."""

    steps: Steps
    kind: str
    before: Any
    after: Any
    name: str = ""

    @property
    def path(self) -> str:
        """Where it is in any document, such as ``lines[].price``."""
        text = self.name
        for step in self.steps:
            text += "[]" if step is None else f".{_word(step)}" if text else _word(step)
        return text


def differences(before: Any, after: Any, steps: Steps = ()) -> Iterator[Difference]:
    """Every field that differs, in the order of the first document. Numbers are the same where they are written the
    same: 1.0 is not 1.00, and true is not 1."""
    is_deep = len(steps) > _MOST_DEPTH
    if isinstance(before, dict) and isinstance(after, dict) and not is_deep:
        yield from _of_objects(before, after, steps)
    elif isinstance(before, list) and isinstance(after, list) and not is_deep:
        yield from _of_lists(before, after, steps)
    elif not _is_same(before, after):
        yield Difference(steps, CHANGED if _kind(before) == _kind(after) else RETYPED, before, after)


def _of_objects(before: Mapping[str, Any], after: Mapping[str, Any], steps: Steps) -> Iterator[Difference]:
    for name in dict.fromkeys((*before, *after)):
        below = (*steps, name)
        if name not in after:
            yield Difference(below, REMOVED, before[name], None)
        elif name not in before:
            yield Difference(below, ADDED, None, after[name])
        else:
            yield from differences(before[name], after[name], below)


def _of_lists(before: Sequence[Any], after: Sequence[Any], steps: Steps) -> Iterator[Difference]:
    """Elements by their place; where the lists are not equally long, what is the same at both ends is left out."""
    below = (*steps, None)
    start, end = (0, 0) if len(before) == len(after) else _alike(before, after)
    middle, other = before[start : len(before) - end], after[start : len(after) - end]
    for one, two in zip(middle, other, strict=False):
        yield from differences(one, two, below)
    for gone in middle[len(other) :]:
        yield Difference(below, REMOVED, gone, None)
    for new in other[len(middle) :]:
        yield Difference(below, ADDED, None, new)


def _alike(before: Sequence[Any], after: Sequence[Any]) -> tuple[int, int]:
    """How many elements at the beginning, and then at the end, are the same."""
    shorter = min(len(before), len(after))
    start = 0
    while start < shorter and before[start] == after[start]:
        start += 1
    end = 0
    while end < shorter - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return start, end


def _is_same(before: Any, after: Any) -> bool:
    return type(before) is type(after) and before == after and str(before) == str(after)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, _NUMBERS) else type(value).__name__


def _word(name: str) -> str:
    """A field's name in a path; one that looks like more than a name is quoted."""
    return name if name and not set(name) & set(".[]'()") else f"'{name}'"
