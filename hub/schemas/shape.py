"""Walking a schema by path: what is declared there, with references followed as they are met."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urljoin

Schema = dict[str, Any]
_PART = re.compile(r"\[(?:(\d*)|'((?:[^'\\]|\\.)*)')\]|([^.\[\]]+)")
_BRANCHES = ("allOf", "anyOf", "oneOf")
_MAX_REFERENCES = 50


class Shapes:
    """All schemas of a project by their address. ``at`` gives a place in one of them."""

    def __init__(self, roots: Mapping[str, Schema]) -> None:
        self._roots = dict(roots)

    def at(self, uri: str) -> Shape:
        """The root of the schema with this address."""
        return Shape(self, uri, self._roots[uri]).followed()

    def find(self, uri: str, reference: str) -> Shape | None:
        """What a ``$ref`` in the schema ``uri`` points to; None where it points to nothing this hub can follow."""
        target, _, fragment = (uri + reference if reference.startswith("#") else urljoin(uri, reference)).partition("#")
        if reference.startswith("urn:"):
            target, _, fragment = reference.partition("#")
        node: Any = self._roots.get(target)
        for token in fragment.split("/")[1:]:
            key = unquote(token).replace("~1", "/").replace("~0", "~")
            node = _child(node, key)
        return Shape(self, target, node) if isinstance(node, dict) and not _is_anchor(fragment) else None


class Shape:
    """One place in a schema: ``node`` is what is declared there, with a followed reference merged in."""

    __slots__ = ("_shapes", "_uri", "node")

    def __init__(self, shapes: Shapes, uri: str, node: Schema) -> None:
        self._shapes, self._uri, self.node = shapes, uri, node

    def followed(self) -> Shape:
        """The same place with its reference followed. What stands beside ``$ref`` wins over what it points to."""
        shape = self
        for _ in range(_MAX_REFERENCES):
            reference = shape.node.get("$ref")
            if not isinstance(reference, str):
                return shape
            target = self._shapes.find(shape._uri, reference)
            beside = {key: value for key, value in shape.node.items() if key != "$ref"}
            if target is None:
                return Shape(self._shapes, shape._uri, beside)
            shape = Shape(self._shapes, target._uri, {**target.node, **beside})
        return Shape(self._shapes, self._uri, {})

    def is_same(self, other: Shape) -> bool:
        """Whether both are one place, or places of one file at which the same is declared."""
        return self._uri == other._uri and self.node == other.node

    def property(self, name: str) -> Shape | None:
        """The field of that name; in an object that allows any field, the shape of any; None where it is unknown."""
        declared = self._declared(name)
        if declared is not None:
            return declared
        for branch in self.branches():
            found = branch.property(name)
            if found is not None:
                return found
        return self._undeclared(name)

    def element(self, index: int = 0) -> Shape | None:
        """The shape of a list's elements; None where this is no list."""
        prefix = self.node.get("prefixItems")
        if isinstance(prefix, list) and index < len(prefix):
            return self.below(prefix[index])
        items = self.node.get("items")
        if isinstance(items, list):  # before draft 2020-12
            return self.below(items[index]) if index < len(items) else self.below(self.node.get("additionalItems"))
        if items is not None:
            return self.below(items)
        found = (branch.element(index) for branch in self.branches())
        return next((shape for shape in found if shape is not None), None if self.node else self._anything())

    def branches(self) -> Iterator[Shape]:
        """The alternatives and additions below ``allOf``, ``anyOf``, ``oneOf``, ``if``, ``then`` and ``else``."""
        for word in _BRANCHES:
            for node in self.node.get(word, ()):
                if isinstance(node, dict):
                    yield Shape(self._shapes, self._uri, node).followed()
        for word in ("then", "else"):
            if isinstance(node := self.node.get(word), dict):
                yield Shape(self._shapes, self._uri, node).followed()

    def properties(self) -> dict[str, Shape]:
        """Every declared field, those of the branches included."""
        found = {name: shape for branch in self.branches() for name, shape in branch.properties().items()}
        own = {name: self.below(node) for name, node in self.node.get("properties", {}).items()}
        return {**found, **{name: shape for name, shape in own.items() if shape is not None}}

    def _anything(self) -> Shape:
        return Shape(self._shapes, self._uri, {})

    def _declared(self, name: str) -> Shape | None:
        properties = self.node.get("properties")
        return self.below(properties[name]) if isinstance(properties, dict) and name in properties else None

    def _undeclared(self, name: str) -> Shape | None:
        for pattern, node in self.node.get("patternProperties", {}).items():
            if re.search(pattern, name):
                return self.below(node)
        others = self.node.get("additionalProperties")
        if isinstance(others, dict):
            return self.below(others)
        return self._anything() if self._is_free(others) else None

    def _is_free(self, others: object) -> bool:
        """Whether nothing at all is said about fields here: an open object such as ``extensions``."""
        says_fields = "properties" in self.node or any(word in self.node for word in (*_BRANCHES, "items"))
        kinds = self.node.get("type", "object")
        return not says_fields and others is not False and "object" in ([kinds] if isinstance(kinds, str) else kinds)

    def below(self, node: object) -> Shape | None:
        """The shape of a schema that stands within this one; ``true`` allows anything, ``false`` is None."""
        if node is True:
            return self._anything()
        return Shape(self._shapes, self._uri, node).followed() if isinstance(node, dict) else None


def split_path(path: str) -> list[str | int]:
    """``order_lines[2].quantity`` as its parts; ``[]`` is any element and counts as the first."""
    parts: list[str | int] = []
    for index, quoted, name in _PART.findall(path):
        parts.append(name or (quoted if quoted else int(index or 0)))
    return parts


def follow(shape: Shape, parts: Sequence[str | int]) -> Shape | None:
    """The place that a path of names and indexes leads to. An index may be left out: a name looks into the elements."""
    here: Shape | None = shape
    for part in parts:
        if here is None:
            return None
        if isinstance(part, int):
            here = here.element(part)
            continue
        below = here.property(part)
        element = here.element() if below is None and here.node.get("type") == "array" else None
        here = element.property(part) if element is not None else below
    return here


def expand(shape: Shape, above: tuple[int, ...] = ()) -> Schema:
    """The schema below a place with every reference replaced; one that contains itself is cut at its repetition."""
    parts = [id(part) for part in shape.node.values() if isinstance(part, dict | list)]
    if any(part in above for part in parts):
        return {}
    above = (*above, *parts)
    result = dict(shape.node)
    if "properties" in result:
        own = {name: shape.below(node) for name, node in result["properties"].items()}
        result["properties"] = {name: expand(place, above) if place else {} for name, place in own.items()}
    for word in ("items", "additionalProperties"):
        place = shape.below(result[word]) if isinstance(result.get(word), dict) else None
        if place is not None:
            result[word] = expand(place, above)
    for word in _BRANCHES:
        if word in result:
            result[word] = [expand(branch, above) for node in result[word] if (branch := shape.below(node)) is not None]
    return result


def _child(node: Any, key: str) -> Any:
    if isinstance(node, dict):
        return node.get(key)
    return node[int(key)] if isinstance(node, list) and key.isdigit() and int(key) < len(node) else None


def _is_anchor(fragment: str) -> bool:
    return bool(fragment) and not fragment.startswith("/")
