"""A JSON Schema as the outline of a document: kinds, fields and codes, references followed as they are met."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any

from hub.codes import CodeLists
from hub.outline import Codes
from hub.schemas.shape import Shape

_KINDS = {"string": "text", "number": "number", "integer": "integer", "boolean": "boolean", "object": "object",
          "array": "list", "null": "nothing"}  # fmt: skip
_FORMATS = {"date": "date", "date-time": "instant"}
_FOLLOWED = 20


class SchemaOutline:
    """One place in a schema. Where several forms are allowed, what is said of all of them is what is known."""

    def __init__(self, place: Shape, codes: CodeLists) -> None:
        self._place, self._codes = _only(place), codes
        self._fields: dict[str, SchemaOutline | None] = {}

    @property
    def _node(self) -> Mapping[str, Any]:
        return self._place.node

    @cached_property
    def kind(self) -> str:
        kinds = self._node.get("type", _guessed(self._node))
        names = [kinds] if isinstance(kinds, str) else [name for name in kinds if name != "null"]
        kind = _KINDS.get(names[0], "any") if len(names) == 1 else "any"
        return _FORMATS.get(self._node.get("format", ""), "text") if kind == "text" else kind

    @cached_property
    def names(self) -> Collection[str] | None:
        if self.kind != "object" or "properties" not in self._node:
            return None
        is_open = self._node.get("additionalProperties") or self._node.get("patternProperties")
        return None if is_open else tuple(self._place.properties())

    @cached_property
    def required(self) -> Collection[str]:
        return tuple(self._node.get("required", ()))

    @cached_property
    def codes(self) -> Codes | None:
        values = [self._node["const"]] if "const" in self._node else self._node.get("enum")
        if isinstance(values, list) and self.kind == "text":
            return Codes(tuple(value for value in values if isinstance(value, str)))
        name = self._node.get("x-code-list")
        if not isinstance(name, str) or name not in self._codes.names():
            return None
        found = self._codes.get(name)
        return Codes(found.names.keys(), name, found.is_open)

    def field(self, name: str) -> SchemaOutline | None:
        if name not in self._fields:
            found = self._place.property(name) if self.kind == "object" else None
            self._fields[name] = None if found is None else SchemaOutline(found, self._codes)
        return self._fields[name]

    @cached_property
    def element(self) -> SchemaOutline | None:
        found = self._place.element() if self.kind == "list" else None
        return None if found is None else SchemaOutline(found, self._codes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SchemaOutline) and self._place.is_same(other._place)

    def __hash__(self) -> int:
        return hash(self.kind)


def _guessed(node: Mapping[str, Any]) -> str | list[str]:
    if "properties" in node:
        return "object"
    return "array" if "items" in node else []


def _only(place: Shape) -> Shape:
    """The one form that is allowed beside null, where there is only one."""
    for _ in range(_FOLLOWED):
        if "type" in place.node:
            return place
        allowed: list[dict[str, Any]] = place.node.get("anyOf") or place.node.get("oneOf") or []
        choices = [one for one in allowed if one.get("type") != "null"]
        below = place.below(choices[0]) if len(choices) == 1 else None
        if below is None:
            return place
        place = below
    return place
