"""Whether the files in a project's ``connectors/`` folder are connectors; also of those that no system uses yet."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import connectors
from connectors.base import Field
from hub.errors import Fault
from hub.fields import KINDS
from hub.spelling import did_you_mean
from hub.systems import NAME_FORM, is_name

_MAKERS = ("destination", "source", "rehearsal", "lint", "inspect")


def own_connector_faults(folder: Path | None) -> Iterator[Fault]:
    """What is wrong with each file, at its line where it has one."""
    for name in connectors.own_names(folder):
        file = f"connectors/{name}.py"
        try:
            module = connectors.connector(name, folder)
        except connectors.Unloadable as error:
            yield Fault(file, error.line, 1 if error.line else 0, f"it cannot be loaded: {error}")
            continue
        if not is_name(name):
            yield Fault(file, 0, 0, f"'{name}' cannot name a connector; use {NAME_FORM}")
        yield from (Fault(file, line, 1 if line else 0, text) for line, text in _objections(module))


def _objections(module: ModuleType) -> Iterator[tuple[int, str]]:
    """(line, text) of everything that a connector must have, and has not."""
    if not any(hasattr(module, name) for name in ("destination", "source", "Verifier")):
        yield 0, "it has neither destination(config) nor source(config); write the one that a system is to be used by"
    for name in _MAKERS:
        make = getattr(module, name, None)
        if make is not None and not _takes_one(make):
            seen = f"{name}{inspect.signature(make)}" if callable(make) else f"{type(make).__name__}"
            line = make.__code__.co_firstlineno if inspect.isfunction(make) else 0
            yield line, f"{name}: expected a function {name}(config), got {seen}"
    fields = getattr(module, "FIELDS", ())
    if not isinstance(fields, tuple | list):
        yield 0, f"FIELDS: expected a tuple of connectors.base.Field, got {type(fields).__name__}"
        return
    if hasattr(module, "source") and not any(getattr(field, "name", "") == "fetch" for field in fields):
        yield 0, ("FIELDS: a source is read every fetch.every; write Field(\"fetch\", \"group\", "
                  "fields=(Field(\"every\", \"duration\", default=60.0),))")  # fmt: skip
    yield from ((0, text) for text in _field_faults(fields))


def _takes_one(make: Callable[..., Any]) -> bool:
    try:
        inspect.signature(make).bind({})
    except TypeError:  # no function, or one that wants more
        return False
    except ValueError:  # one of C's, of which nothing is known
        pass
    return True


def _field_faults(fields: Sequence[Any], above: str = "") -> Iterator[str]:
    for field in fields:
        if not isinstance(field, Field):
            below = f" below {above.removesuffix('.')}" if above else ""
            yield f"FIELDS: expected connectors.base.Field, got {type(field).__name__}{below}"
            continue
        name = f"{above}{field.name}"
        if field.kind not in KINDS:
            yield f"FIELDS: '{name}' is of the unknown kind '{field.kind}'{did_you_mean(field.kind, KINDS)}"
        elif field.kind == "choice" and not field.choices:
            yield f'FIELDS: \'{name}\' is a choice without choices; give it choices=("…", "…")'
        yield from _field_faults(field.fields, f"{name}.")
