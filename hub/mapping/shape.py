"""What the compiler knows of a value before it exists: its kind, its fields, and how sure that is."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
from msgspec.structs import replace

from hub.outline import Codes, Outline

NUMBERS = frozenset({"number", "decimal", "integer"})
TEXTS = frozenset({"text", "date", "instant"})
_WORDS = {
    "text": "text", "date": "a date", "instant": "an instant", "number": "a number", "decimal": "a number",
    "integer": "a whole number", "boolean": "true/false", "object": "an object", "list": "a list", "nothing": "nothing",
    "any": "a value",
}  # fmt: skip


MOST_TEXTS = 300


class Spoken(msgspec.Struct, frozen=True):
    """A text that a mapping or one of its tables gives, and where in the mapping that is written: line, column, end
    line, end column."""

    text: str
    where: tuple[int, int, int, int]
    table: str = ""


class Shape(msgspec.Struct, frozen=True):
    """The static type of an expression.

    ``sure`` says that the mapping itself made the value, so that generated code may rely on ``kind``; what a schema
    promises of a payload is good for lint only. ``fields`` and ``items`` describe what a mapping built, ``outline``
    what is known of documents beforehand. ``texts`` are some that it may be, among others: those that are written in
    the mapping or stand in its tables. ``is_short`` is a whole number of a few digits, or text that is a number written
    plainly.
    """

    kind: str = "any"
    nullable: bool = True
    sure: bool = False
    fields: Mapping[str, Shape] | None = None
    items: Shape | None = None
    outline: Outline | None = None
    is_source: bool = False
    texts: tuple[Spoken, ...] = ()
    is_short: bool = False

    @property
    def words(self) -> str:
        return _WORDS[self.kind]

    @property
    def is_decimal(self) -> bool:
        """Whether it surely is an exact decimal, or nothing."""
        return self.sure and self.kind == "decimal"

    def present(self) -> Shape:
        """The same shape of a value that cannot be nothing."""
        return replace(self, nullable=False)

    @property
    def known_fields(self) -> Collection[str] | None:
        """The names of its fields; None where any name may be one."""
        if self.fields is not None:
            return list(self.fields)
        return self.outline.names if self.outline is not None else None

    def field(self, name: str) -> Shape:
        """The shape of a field; any where nothing is known."""
        if self.fields is not None:
            return self.fields.get(name, ANY)
        return shape_of(self.outline.field(name) if self.outline is not None else None, is_source=self.is_source)

    @property
    def element(self) -> Shape:
        """The shape of a list's elements."""
        if self.items is not None:
            return self.items
        return shape_of(self.outline.element if self.outline is not None else None, is_source=self.is_source)

    @property
    def group(self) -> str:
        """Its kind as far as comparison goes: a date is text, a whole number is a number; empty where it is unknown."""
        if self.kind in NUMBERS:
            return "number"
        return "text" if self.kind in TEXTS else "" if self.kind in ("any", "nothing") else self.kind

    @property
    def required(self) -> Collection[str]:
        return self.outline.required if self.outline is not None else ()

    @property
    def codes(self) -> Codes | None:
        """The texts it may be; None where any may."""
        return self.outline.codes if self.outline is not None else None


ANY = Shape()
NOTHING = Shape("nothing", nullable=True, sure=True)
TEXT = Shape("text", nullable=False, sure=True)
BOOLEAN = Shape("boolean", nullable=False, sure=True)
DECIMAL = Shape("decimal", nullable=False, sure=True)
INTEGER = Shape("integer", nullable=False, sure=True)
NUMBER = Shape("number", nullable=False, sure=True)
INDEX = Shape("integer", nullable=False, sure=True, is_short=True)
AMOUNT = Shape("text", nullable=False, sure=True, is_short=True)
MONEY = Shape("object", nullable=False, sure=True, fields={"amount": AMOUNT, "currency": TEXT})
LIST = Shape("list", nullable=False, sure=True)
# What the hub knows of a message; any of it may be empty.
ENVELOPE = Shape(
    "object",
    fields={**dict.fromkeys(("id", "source", "event", "name", "time_zone", "after"), Shape("text", sure=True)),
            "received_at": Shape("instant", sure=True)},
)  # fmt: skip
_NAMED = {"any": ANY, "text": TEXT, "number": NUMBER, "decimal": DECIMAL, "integer": INTEGER, "boolean": BOOLEAN,
          "date": Shape("date", False, True), "instant": Shape("instant", False, True), "money": MONEY,
          "object": Shape("object", False, True), "list": LIST}  # fmt: skip


def named(kind: str) -> Shape:
    """The shape of a kind as a function declares it; never nothing."""
    return _NAMED[kind]


def shape_of(outline: Outline | None, *, is_source: bool = False) -> Shape:
    """The shape of what an outline describes; any where there is none."""
    return ANY if outline is None else Shape(outline.kind, outline=outline, is_source=is_source)


def joined(one: Shape, other: Shape) -> Shape:
    """The shape of a value that is one or the other."""
    if one.texts or other.texts:
        texts = tuple(dict.fromkeys((*one.texts, *other.texts)))[:MOST_TEXTS]
        return replace(joined(replace(one, texts=()), replace(other, texts=())), texts=texts)
    if one.kind == "nothing" or other.kind == "nothing":
        known = other if one.kind == "nothing" else one
        return replace(known, nullable=True, sure=one.sure and other.sure)
    nullable = one.nullable or other.nullable
    sure = one.sure and other.sure
    if one.kind in NUMBERS and other.kind in NUMBERS:
        return Shape(one.kind if one.kind == other.kind else "number", nullable, sure)
    if one.kind in TEXTS and other.kind in TEXTS:
        return Shape(one.kind if one.kind == other.kind else "text", nullable, sure)
    if one.kind != other.kind:
        return Shape("any", nullable)
    if one == replace(other, nullable=one.nullable, sure=one.sure):
        return replace(one, nullable=nullable, sure=sure)
    if one.kind == "list" and NOTHING in (one.items, other.items):  # one of them is written []
        known = other if one.items == NOTHING else one
        return replace(known, nullable=nullable, sure=sure)
    if one.kind == "list" and (one.items or other.items):
        return Shape("list", nullable, sure, items=joined(one.element, other.element))
    if one.kind == "object" and (one.fields is not None or other.fields is not None):
        return Shape("object", nullable, sure, fields=_all_fields(one, other))
    return Shape(one.kind, nullable, sure)


def _all_fields(one: Shape, other: Shape) -> Mapping[str, Shape] | None:
    """The fields that one of two objects has; None where either may have any."""
    if one.known_fields is None or other.known_fields is None:
        return None
    return {
        name: joined(_field_or_nothing(one, name), _field_or_nothing(other, name))
        for name in dict.fromkeys((*one.known_fields, *other.known_fields))
    }


def _field_or_nothing(shape: Shape, name: str) -> Shape:
    return shape.field(name) if name in (shape.known_fields or ()) else replace(NOTHING, sure=shape.sure)
