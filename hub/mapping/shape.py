"""What the compiler knows of a value before it exists: its kind, its fields, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

NUMBERS = frozenset({"number", "decimal", "integer"})
TEXTS = frozenset({"text", "date", "instant"})
_WORDS = {
    "text": "text", "date": "a date", "instant": "an instant", "number": "a number", "decimal": "a number",
    "integer": "a whole number", "boolean": "true/false", "object": "an object", "list": "a list", "nothing": "nothing",
    "any": "a value",
}  # fmt: skip
_TYPES = {"string": "text", "number": "number", "integer": "integer", "boolean": "boolean", "object": "object",
          "array": "list", "null": "nothing"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """The static type of an expression.

    ``sure`` says that the mapping itself made the value, so that generated code may rely on ``kind``; what a schema
    promises of a payload is good for lint only. ``fields`` and ``element`` describe what a mapping built; ``schema``
    with its ``root`` describes what a schema file says.
    """

    kind: str = "any"
    nullable: bool = True
    sure: bool = False
    fields: Mapping[str, Shape] | None = None
    items: Shape | None = None
    schema: Mapping[str, Any] | None = None
    root: Mapping[str, Any] | None = None
    is_source: bool = False

    @property
    def words(self) -> str:
        return _WORDS[self.kind]

    def present(self) -> Shape:
        """The same shape of a value that cannot be nothing."""
        return replace(self, nullable=False)

    @property
    def known_fields(self) -> list[str] | None:
        """The names of its fields; None where any name may be one."""
        if self.fields is not None:
            return list(self.fields)
        schema = self.schema or {}
        if self.kind != "object" or "properties" not in schema or schema.get("additionalProperties"):
            return None
        return list(schema["properties"])

    def field(self, name: str) -> Shape:
        """The shape of a field; any where nothing is known."""
        if self.fields is not None:
            return self.fields.get(name, ANY)
        schema = self.schema or {}
        if self.root is None or self.kind != "object":
            return ANY
        found = schema.get("properties", {}).get(name)
        if found is None and isinstance(schema.get("additionalProperties"), dict):
            found = schema["additionalProperties"]
        return ANY if found is None else shape_of(found, self.root, is_source=self.is_source)

    @property
    def element(self) -> Shape:
        """The shape of a list's elements."""
        if self.items is not None:
            return self.items
        if self.kind == "list" and self.root is not None and isinstance((self.schema or {}).get("items"), dict):
            return shape_of((self.schema or {})["items"], self.root, is_source=self.is_source)
        return ANY

    @property
    def required(self) -> list[str]:
        return list((self.schema or {}).get("required", ()))


ANY = Shape()
NOTHING = Shape("nothing", nullable=True, sure=True)
TEXT = Shape("text", nullable=False, sure=True)
BOOLEAN = Shape("boolean", nullable=False, sure=True)
DECIMAL = Shape("decimal", nullable=False, sure=True)
INTEGER = Shape("integer", nullable=False, sure=True)
NUMBER = Shape("number", nullable=False, sure=True)
MONEY = Shape("object", nullable=False, sure=True, fields={"amount": TEXT, "currency": TEXT})
LIST = Shape("list", nullable=False, sure=True)
# What the hub knows of a message; any of it may be empty.
ENVELOPE = Shape(
    "object", fields=dict.fromkeys(("id", "source", "event", "received_at", "name"), Shape("text", sure=True))
)
_NAMED = {"any": ANY, "text": TEXT, "number": NUMBER, "decimal": DECIMAL, "integer": INTEGER, "boolean": BOOLEAN,
          "date": Shape("date", False, True), "instant": Shape("instant", False, True), "money": MONEY,
          "object": Shape("object", False, True), "list": LIST}  # fmt: skip


def named(kind: str) -> Shape:
    """The shape of a kind as a function declares it; never nothing."""
    return _NAMED[kind]


def shape_of(schema: Mapping[str, Any], root: Mapping[str, Any], *, is_source: bool = False) -> Shape:
    """The shape a JSON Schema describes; ``$ref`` within the file is followed."""
    found = _resolved(schema, root)
    kinds = found.get("type", _guessed(found))
    names = [kinds] if isinstance(kinds, str) else [name for name in kinds if name != "null"]
    kind = _TYPES.get(names[0], "any") if len(names) == 1 else "any"
    if kind == "text":
        kind = {"date": "date", "date-time": "instant"}.get(found.get("format", ""), "text")
    return Shape(kind, schema=found, root=root, is_source=is_source)


def _guessed(schema: Mapping[str, Any]) -> str | list[str]:
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema else []


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    for _ in range(20):
        choices = [one for one in schema.get("anyOf", schema.get("oneOf", ())) if one.get("type") != "null"]
        if len(choices) == 1 and "type" not in schema:
            schema = choices[0]
        if "$ref" not in schema:
            return schema
        schema = _target(str(schema["$ref"]), root)
    return {}


def _target(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    if not reference.startswith("#"):
        return {}
    found: Any = root
    for part in reference[1:].split("/")[1:]:
        found = found.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def joined(one: Shape, other: Shape) -> Shape:
    """The shape of a value that is one or the other."""
    if one.kind == "nothing" or other.kind == "nothing":
        known = other if one.kind == "nothing" else one
        return replace(known, nullable=True)
    nullable = one.nullable or other.nullable
    sure = one.sure and other.sure
    if one.kind in NUMBERS and other.kind in NUMBERS:
        return Shape(one.kind if one.kind == other.kind else "number", nullable, sure)
    if one.kind in TEXTS and other.kind in TEXTS:
        return Shape(one.kind if one.kind == other.kind else "text", nullable, sure)
    if one.kind != other.kind:
        return Shape("any", nullable)
    same = one if one == replace(other, nullable=one.nullable, sure=one.sure) else Shape(one.kind)
    return replace(same, nullable=nullable, sure=sure)
