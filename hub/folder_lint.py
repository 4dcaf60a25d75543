"""Whether two systems would take files away from each other: each one is taken by one of those whose patterns fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import connectors
from connectors.base import Watched
from hub.connector_lint import failed, place_along
from hub.errors import Fault
from hub.secret import Secret
from hub.systems import System

_PART = re.compile(r"\[!?\]?[^\]]*\]|.", re.DOTALL)
_LETTERS = tuple(map(chr, range(0x20, 0x250)))


def folder_faults(systems: Mapping[str, System], folder: Path | None) -> Iterator[Fault]:
    """An error at the second of two systems that take the same files; a warning where only some names would fit both.
    ``folder`` holds the project's own connectors."""
    found = list[tuple[System, Watched]]()
    for system in systems.values():
        try:
            watched = _watched(system, folder)
        except Exception as error:  # a connector may be anybody's
            if system.node is not None:
                yield system.node.fault(failed("watched", error))
            continue
        found += [(system, watched)] if watched is not None else []
    for (first, one), (second, other) in combinations(found, 2):
        if second.node is None or one.place != other.place or (one.stays and other.stays):
            continue
        if not overlap(one.pattern, other.pattern):
            continue
        is_sure = fnmatchcase(one.pattern, other.pattern) or fnmatchcase(other.pattern, one.pattern)
        some = "the files" if is_sure else "names that fit both, if there are any,"
        yield place_along(second.node, "fetch.pattern").fault(
            f"fetch: '{first.name}' takes files out of this folder too (pattern '{one.pattern}', here "
            f"'{other.pattern}'), and {some} go to either of them; write patterns that no name fits both of, or one "
            "system with events:",
            "error" if is_sure else "warning",
        )


def _watched(system: System, folder: Path | None) -> Watched | None:
    asked = getattr(connectors.connector(system.connector, folder), "watched", None) if system.connector else None
    if asked is None:
        return None
    found: Watched | None = asked(_told(system.options))
    return found


def _told(value: Any) -> Any:
    """The settings with their references in the place of secrets."""
    if isinstance(value, Secret):
        return str(value)
    return {name: _told(part) for name, part in value.items()} if isinstance(value, Mapping) else value


def overlap(one: str, other: str) -> bool:
    """Whether a name may fit two patterns of ``*``, ``?`` and ``[…]``."""
    left, right = _PART.findall(one), _PART.findall(other)

    @cache
    def meet(i: int, j: int) -> bool:
        if i < len(left) and left[i] == "*":
            return meet(i + 1, j) or (j < len(right) and meet(i, j + 1))
        if j < len(right) and right[j] == "*":
            return meet(i, j + 1) or (i < len(left) and meet(i + 1, j))
        if i == len(left) or j == len(right):
            return i == len(left) and j == len(right)
        return _share_one(left[i], right[j]) and meet(i + 1, j + 1)

    return meet(0, 0)


def _share_one(left: str, right: str) -> bool:
    return any(fnmatchcase(letter, left) and fnmatchcase(letter, right) for letter in (left, right, *_LETTERS))
