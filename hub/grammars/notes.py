"""Which elements go together: the notes of X12, and EDIFACT's dependencies, which say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.grammars.types import Note

RULES: Mapping[str, str] = {
    "P": "all or none of them stand",
    "R": "at least one of them stands",
    "E": "at most one of them stands",
    "C": "where the first stands, so do the others",
    "L": "where the first stands, so does one of the others",
    "O": "exactly one of them stands",
    "N": "where the first stands, none of the others does",
}


def broken(note: Note, elements: Sequence[Any]) -> list[int] | None:
    """The positions at which a note is broken; None where it holds. ``elements`` has the first at index 1."""
    there = [at for at in note.positions if at < len(elements) and is_there(elements[at])]
    first, missing = note.positions[0], [at for at in note.positions if at not in there]
    match note.letter:
        case "P":
            return missing if there and missing else None
        case "R":
            return None if there else list(note.positions)
        case "E":
            return there[1:] if len(there) > 1 else None
        case "C":
            return missing if first in there and missing else None
        case "L":
            return missing if there == [first] else None
        case "O":
            return there[1:] if len(there) > 1 else None if there else list(note.positions)
        case _:
            return there[1:] if first in there and len(there) > 1 else None


def is_there(value: Any) -> bool:
    """Whether an element has a value; a composite has one where a component has."""
    return any(map(is_there, value)) if isinstance(value, list) else bool(value)
