"""Whether what an expression gives is what a target field takes, beyond its kind: its codes, and its fields."""

from __future__ import annotations

from collections.abc import Iterator

from hub.errors import Fault
from hub.mapping.place import range_of
from hub.mapping.shape import Shape, Spoken
from hub.mapping.trees import Formula
from hub.outline import Codes
from hub.yamldoc import did_you_mean

_DEEPEST = 6
_SHARED = 0.5  # lists of codes that have less than this in common are two kinds of codes


def no_code(text: str, codes: Codes | None) -> str:
    """Why a text is no code of a list, with the code that may be meant; empty where it is one."""
    if codes is None or text in codes.values or not text:
        return ""
    advice = did_you_mean(text, codes.values, None if len(codes.values) < 40 else f"; write one of {codes.name}")
    what = codes.words if codes.name else "the target's values"
    return f"'{text}' is not one of {what}{advice}"


def code_faults(shape: Shape, wanted: Shape, path: str, tree: Formula) -> Iterator[Fault]:
    """Texts and tables of the mapping that give what is in no list, and codes of another list than the target's."""
    codes = wanted.codes
    if codes is None:
        return
    severity = "warning" if codes.is_open else "error"
    seen: set[str] = set()
    for spoken in shape.texts:
        problem = no_code(spoken.text, codes)
        if problem and (not spoken.table or spoken.table not in seen):
            seen.add(spoken.table)
            yield tree.place.fault(spoken.where, f"{path}: {_said_of(spoken, problem)}", severity)
    own = shape.codes
    if own and own.name and codes.name and not _is_same_list(own.name, codes.name) and _shared(own, codes) < _SHARED:
        message = f"{path}: the expression gives {own.words}, the target wants those of {codes.name}; look up the code"
        yield tree.place.fault(range_of(tree.node), message)


def _said_of(spoken: Spoken, problem: str) -> str:
    if not spoken.table:
        return problem
    return f"the table '{spoken.table}' gives {problem.replace(' is not', ', which is not', 1)}"


def _is_same_list(one: str, other: str) -> bool:
    """Whether two names are those of one list of the UN: its element in a grammar is ``element 5153``."""
    number = one.removeprefix("element ")
    return one == other or number in other.removeprefix("UNCL").split("/")


def _shared(one: Codes, other: Codes) -> float:
    return sum(1 for code in one.values if code in other.values) / max(len(one.values), 1)


def structure_fault(shape: Shape, wanted: Shape, path: str, depth: int = 0) -> str:
    """The first place at which an object or a list that is passed on whole is not what the target takes."""
    if depth > _DEEPEST or (shape.outline is not None and shape.outline == wanted.outline):
        return ""
    if shape.kind == "list" == wanted.kind:
        return structure_fault(shape.element, wanted.element, f"{path}[]", depth + 1)
    if shape.kind != "object" or wanted.kind != "object":
        return _kind_fault(shape, wanted, path) if depth else ""
    known = shape.known_fields
    if known is None:
        return ""
    for name in wanted.required:
        if name not in known:
            given = f"has only {', '.join(list(known)[:6])}{' …' if len(known) > 6 else ''}"
            return f"{path}: the target requires '{path}.{name}', and what is given here {given}; write out the fields"
    found = (structure_fault(shape.field(name), wanted.field(name), f"{path}.{name}", depth + 1) for name in known)
    return next(filter(None, found), "")


def _kind_fault(shape: Shape, wanted: Shape, path: str) -> str:
    if not shape.group or not wanted.group or shape.group == wanted.group:
        return ""
    return f"{path}: {shape.words} is given here, the target wants {wanted.words}; write out the fields one by one"
