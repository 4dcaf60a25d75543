"""Which fields the objects of the canonical model have, read from the schemas that travel with the hub."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from hub.reference import reference_root

_FOLDER = "schemas/canonical"


class Structure:
    """One place of a type: its fields where it is an object, the ``element`` where it is a list."""

    __slots__ = ("_node", "_roots", "_uri")

    def __init__(self, roots: Mapping[str, Any], uri: str, node: Any) -> None:
        while "$ref" in node:
            target, _, pointer = node["$ref"].partition("#")
            uri = target or uri
            node = roots[uri]
            for name in pointer.split("/")[1:]:
                node = node[name]
        self._roots, self._uri, self._node = roots, uri, node

    def fields(self) -> Iterator[tuple[str, Structure]]:
        """The fields of an object; none where this is no object."""
        for name, node in self._node.get("properties", {}).items():
            yield name, Structure(self._roots, self._uri, node)

    def required(self) -> frozenset[str]:
        """The fields that every such object has."""
        return frozenset(self._node.get("required", ()))

    def element(self) -> Structure:
        """The elements of a list; a place without fields where this is no list."""
        return Structure(self._roots, self._uri, self._node.get("items", {}))


def structure_of(kind: str) -> Structure | None:
    """The structure of a canonical type in its latest version; None where there is no such type."""
    roots = {root["$id"]: root for _, root in _schemas()}
    latest = dict(_schemas())  # later versions come later
    return Structure(roots, latest[kind]["$id"], latest[kind]) if kind in latest else None


@cache
def _schemas() -> list[tuple[str, Any]]:
    """All canonical schemas with their names, by version."""
    found = (reference_root() / _FOLDER).glob("v[0-9]*/*.schema.json")
    paths = sorted(found, key=lambda path: int(path.parent.name[1:]))
    return [(path.name.removesuffix(".schema.json"), json.loads(path.read_text(encoding="utf-8"))) for path in paths]
