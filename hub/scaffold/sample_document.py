"""A small document of a canonical type, made of its schema alone: what it must have, with values that may be there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hub.codes import CodeLists
from hub.schemas import SchemaSet
from hub.schemas.shape import Shape

CANONICAL = "canonical/"
_SUCH_AS = " such as "
# Such amounts that every sum is right: one line of one piece, without tax.
_OWN: dict[str, Any] = {
    "tax_amount": "0.00", "unapplied_amount": "0.00",
    "percent": "0", "category_code": "Z", "value": "1", "days_overdue": 1, "sequence_number": 1,
}  # fmt: skip


def canonical_types(schemas: SchemaSet) -> list[str]:
    """The types that a document may be of."""
    names = (name.removeprefix(CANONICAL) for name in schemas.names() if name.startswith(CANONICAL))
    return sorted(name for name in names if "/" not in name)


def sample_document(schemas: SchemaSet, type: str) -> dict[str, Any]:
    """What a document of this type must have, in the order of its schema."""
    document: dict[str, Any] = _sample(schemas.shape(f"{CANONICAL}{type}"), type, schemas.codes)
    return document


def needed(shape: Shape) -> list[str]:
    """The fields that an object here must have; where nothing is a must, the first one that it may have."""
    wanted = set(_required(shape.node))
    names = [name for name in shape.properties() if name in wanted]
    return names or list(shape.properties())[:1]


def _required(node: Any) -> Iterator[str]:
    """Those of all branches that are in force; of alternatives the first."""
    yield from node.get("required", ())
    for part in node.get("allOf", ()):
        yield from _required(part)
    for part in node.get("anyOf", ())[:1]:
        yield from _required(part)
    if "then" in node:
        yield from _required(node["then"])


def _sample(shape: Shape, name: str, codes: CodeLists) -> Any:
    node = shape.node
    if name in _OWN and "properties" not in node:
        return _OWN[name]
    if "enum" in node:
        return node["enum"][0]
    if (element := shape.element()) is not None and node.get("type") == "array":
        return [_sample(element, name, codes)]
    if "properties" in node:
        fields = shape.properties()
        made = {field: _sample(fields[field], field, codes) for field in needed(shape)}
        return {**made, "amount": _OWN[name]} if name in _OWN and "amount" in made else made
    return _value(node, name, codes)


def _value(node: Any, name: str, codes: CodeLists) -> Any:
    expected = str(node.get("x-expected", ""))
    if _SUCH_AS in expected:
        text = expected.partition(_SUCH_AS)[2]
        return json.loads(text) if text.startswith("{") else text
    if (listed := node.get("x-code-list")) in codes.names() and (known := codes.get(listed).names):
        return next(iter(known))
    match node.get("type"):
        case "integer" | "number":
            return 1
        case "boolean":
            return True
    return f"{name.removesuffix('_id').replace('_', '-')}-1" if name.endswith("_id") else name.replace("_", " ")
