"""Two properties of every mapping, tried with the inputs of its cases: no binary float comes out, and whichever one
field of the source is missing or null, there is a located error or a valid document.

The hub maps a canonical document only when it is valid. Where the source is one, a variant that is not may become
anything but an error of Python's.
"""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Iterator
from random import Random
from typing import Any

from hub.cases import MappingCase
from hub.cross_check import CANONICAL
from hub.errors import MessageError
from hub.golden.bench import Bench
from hub.golden.mapping_runs import case_subject, context_of, source_of
from hub.golden.results import PROPERTIES, Result
from hub.mapping import Context
from hub.mapping import Mapping as DocumentMapping

MOST_VARIANTS = 400
_MOST_SHOWN = 5
_PYTHON = re.compile(
    r"Traceback|NoneType|Decimal\(|object has no attribute|unsupported operand|not subscriptable|'(?:str|dict|int)'"
)
Step = str | int
GONE = ...


def try_properties(bench: Bench, file: str, case: MappingCase, seed: int) -> Result | None:
    """The properties with one input; None where the case expects an error. At most MOST_VARIANTS are tried, chosen by
    ``seed`` where there are more."""
    mapping = bench.mapping_of(case_subject(file))
    assert mapping is not None
    started = time.perf_counter()
    context = context_of(bench, case)
    try:
        source = source_of(bench, mapping, case)
        output = mapping.apply(source, context)
    except (MessageError, ValueError):
        return None  # what the case itself says of it is told with the case
    if case.error is not None:
        return None
    broken = [f"{path}: a binary floating point number, {value}" for path, value in floats(output)]
    variants = list(_variants(source, Random(f"{seed}/{file}/{case.name}")))  # noqa: S311  chooses what is tried
    for path, change in variants:
        if problem := _tried(bench, mapping, changed(source, path, change), context):
            how = "without" if change is GONE else "with null at"
            broken.append(f"{how} {written(path)}: {problem}")
    more = f"; and {len(broken) - _MOST_SHOWN} more like these" if len(broken) > _MOST_SHOWN else ""
    return Result(
        file, case.node.line, case.name, PROPERTIES, problem="; ".join(broken[:_MOST_SHOWN]) + more,
        seconds=time.perf_counter() - started, notes=(f"{len(variants)} variants",),
    )  # fmt: skip


def _tried(bench: Bench, mapping: DocumentMapping, source: Any, context: Context) -> str:
    """What is wrong with what becomes of a source; empty where it is a valid document or a located error."""
    try:
        output = mapping.apply(source, context)
    except MessageError as error:
        if not (error.file and error.line and error.column):
            return f"an error without a place: {error}"
        return f"an error in Python's words: {error}" if _PYTHON.search(str(error)) else ""
    except Exception as error:  # the very thing that must not happen: it is what the test is for
        return f"not an error of the mapping but {type(error).__name__}: {error}"
    if _has_float(output) and (found := next(floats(output), None)):
        return f"{found[0]} is a binary floating point number"
    name, came = mapping.target.schema or "", mapping.source.schema or ""
    if not name or bench.schemas.is_valid(name, output):
        return ""
    if came.startswith(CANONICAL) and not bench.schemas.is_valid(came, source):
        return ""
    fault = bench.schemas.faults(name, output)[0]
    return f"no error, and a document that breaks {name}: {fault}{_from(mapping, source, context, fault.path)}"


def _from(mapping: DocumentMapping, source: Any, context: Context, path: str) -> str:
    """Where the mapping makes a field, as far as that is known."""
    for entry in mapping.trace(source, context)[1]:
        if entry.path == path:
            return f" (from {entry.file}:{entry.line}:{entry.column})"
    return ""


def _variants(source: Any, chance: Random) -> list[tuple[tuple[Step, ...], Any]]:
    found = [(path, change) for path in paths(source) for change in (GONE, None)]
    if len(found) <= MOST_VARIANTS:
        return found
    kept = sorted(chance.sample(range(len(found)), MOST_VARIANTS))
    return [found[number] for number in kept]


def paths(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Every field and element of a document."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in entries:
        yield (*path, key)
        yield from paths(child, (*path, key))


def changed(document: Any, path: tuple[Step, ...], change: Any) -> Any:
    """A document in which the value at a path is another, or GONE; what is not on the way there is shared."""
    copied = copy.copy(document)
    if len(path) > 1:
        copied[path[0]] = changed(document[path[0]], path[1:], change)
    elif change is GONE:
        del copied[path[0]]
    else:
        copied[path[0]] = change
    return copied


def written(path: tuple[Step, ...]) -> str:
    """``src.lines[0].price``."""
    return "src" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def _has_float(value: Any) -> bool:
    """Whether there is a binary float in a document, told sooner than where."""
    if isinstance(value, dict):
        return any(map(_has_float, value.values()))
    return any(map(_has_float, value)) if isinstance(value, list) else isinstance(value, float)


def floats(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Every binary float of a document, with its path."""
    if isinstance(value, float):
        yield path, value
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from floats(child, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for position, child in enumerate(value):
            yield from floats(child, f"{path}[{position}]")
