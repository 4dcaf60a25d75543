"""Lint of the numbers in a project's schemas: what is called a binary one is told, for amounts have none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from hub.errors import Fault
from hub.schemas.files import SchemaFile, fault_at, read_schema_files

_BINARY = ("float", "double")
_DEEPEST = 150
_Pointer = tuple[str | int, ...]


def number_faults(files: Mapping[str, bytes]) -> Iterator[Fault]:
    """A warning for each number whose ``format`` says that it is a binary one."""
    named = {path: raw for path, raw in files.items() if any(word.encode() in raw for word in _BINARY)}
    for file in read_schema_files(named)[0]:
        for pointer, kind in _binary(file.root, ()):
            yield _told(file, pointer, kind)


def _told(file: SchemaFile, pointer: _Pointer, kind: str) -> Fault:
    message = f"a binary number ('{kind}') cannot hold 0.10; the hub reads and writes it as the exact decimal it is: "
    return replace(fault_at(file, pointer, f"{message}take format out here"), severity="warning")


def _binary(node: Any, pointer: _Pointer) -> Iterator[tuple[_Pointer, str]]:
    if len(pointer) > _DEEPEST:
        return
    if isinstance(node, dict) and node.get("format") in _BINARY and "number" in str(node.get("type", "number")):
        yield (*pointer, "format"), node["format"]
    below = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, child in below:
        if step not in ("enum", "const", "default", "examples"):
            yield from _binary(child, (*pointer, step))
