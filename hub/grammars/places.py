"""Where the values of a segment stand in its document: every place is taken once, and is one kind of thing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hub.errors import Fault
from hub.grammars.types import Slot, Step
from hub.yamldoc import Node

_LIST = "[]"
_Path = tuple[Step, ...]


def leaves(slots: Sequence[Slot], above: _Path = ()) -> Iterator[tuple[_Path, Slot]]:
    """Every simple element with its whole path; ``[]`` stands for the number of a repetition."""
    for slot in slots:
        path = (*above, *slot.path, *((_LIST,) if slot.is_list else ()))
        if slot.components:
            yield from leaves(slot.components, path)
        else:
            yield path, slot


def place_faults(node: Node, slots: Sequence[Slot]) -> list[Fault]:
    """Two values at one place, or a place that is a value here and an object or a list there."""
    faults: list[Fault] = []
    taken: dict[_Path, str] = {}
    for path, slot in leaves(slots):
        for length in range(1, len(path) + 1):
            kind = "value" if length == len(path) else "list" if _is_number(path[length]) else "object"
            known = taken.get(path[:length])
            taken.setdefault(path[:length], kind)
            if known == kind == "value":
                text = f"two values would stand at '{_text(path)}'; give {slot.number} a name of its own"
                faults.append(node.fault(text))
            elif known not in (None, kind):
                faults.append(
                    node.fault(f"'{_text(path[:length])}' would be {_a(str(known))} and {_a(kind)}; rename one")
                )
                break
    return faults


def _is_number(step: Step) -> bool:
    return isinstance(step, int) or step == _LIST


def _a(kind: str) -> str:
    return "an object" if kind == "object" else f"a {kind}"


def _text(path: _Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else step if step == _LIST else f".{step}" for step in path)[1:]
