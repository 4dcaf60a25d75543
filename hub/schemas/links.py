"""References between schemas that lead nowhere, found before a validator trips over them, with their place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hub.errors import Fault
from hub.schemas.files import SchemaFile, fault_at
from hub.schemas.shape import Shapes

_META = ("https://json-schema.org/", "http://json-schema.org/")
_DATA = {"enum", "const", "default", "examples"}  # what stands there is no schema


def lost_references(file: SchemaFile, shapes: Shapes) -> list[Fault]:
    """A fault for each ``$ref`` of a file that points to nothing in the project. Nothing is ever fetched."""
    return [
        fault_at(
            file, pointer, f"the reference '{target}' leads nowhere; write #/$defs/name or the path of a schema here"
        )
        for pointer, target in _references(file.root, ())
        if not target.startswith(_META) and not _is_anchor(target) and shapes.find(file.uri, target) is None
    ]


def _references(node: Any, pointer: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(node, dict):
        if pointer and "$id" in node:  # a schema within the schema: its references start from its own address
            return
        for key, below in node.items():
            if key == "$ref" and isinstance(below, str):
                yield (*pointer, key), below
            elif key not in _DATA:
                yield from _references(below, (*pointer, key))
    elif isinstance(node, list):
        for index, below in enumerate(node):
            yield from _references(below, (*pointer, index))


def _is_anchor(target: str) -> bool:
    fragment = target.partition("#")[2]
    return bool(fragment) and not fragment.startswith("/")
