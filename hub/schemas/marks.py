"""Where a schema says that personal data is (``x-pii``), as redaction asks for it."""

from __future__ import annotations

from hub.keys import Path
from hub.schemas.shape import Shape


class SchemaPlace:
    """One place of a schema. Places are made as they are asked for, so a schema that contains itself is no trouble."""

    __slots__ = ("_children", "_element", "_shape")

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._children: dict[str, SchemaPlace | None] = {}
        self._element: SchemaPlace | None = None

    def is_personal(self) -> bool:
        return bool(self._shape.node.get("x-pii"))

    def is_nested(self) -> bool:
        """Whether an object or a list belongs here: a text in its place may be anything."""
        return bool(self._shape.node.keys() & {"properties", "items", "additionalProperties"})

    def child(self, name: str) -> SchemaPlace | None:
        """The field of that name; None where the schema says nothing about it."""
        if name not in self._children:
            self._children[name] = _place(self._shape.property(name))
        return self._children[name]

    def element(self) -> SchemaPlace | None:
        """The elements of a list; None where the schema says nothing about them."""
        if self._element is None:
            self._element = _place(self._shape.element())
        return self._element


def is_personal(root: SchemaPlace | None, path: Path) -> bool:
    """Whether a key's value is, or lies within, what is marked."""
    place = root
    for step in path.steps:
        place = place.child(step.name) if place is not None else None
        if place is not None and step.is_list and not place.is_personal():
            place = place.element()
        if place is None or place.is_personal():
            return place is not None
    return False


def _place(shape: Shape | None) -> SchemaPlace | None:
    return SchemaPlace(shape) if shape is not None and shape.node else None
