"""Values that are written in a mapping: their code, and how a trace shows them."""

from __future__ import annotations

import ast

from hub.mapping.place import Place, place_inline
from hub.mapping.shape import ANY, BOOLEAN, INTEGER, NUMBER, TEXT, Shape, Spoken
from hub.mapping.trees import Literal
from hub.mapping.unit import Unit, Value

_SHAPES = {bool: BOOLEAN, int: INTEGER, str: TEXT}
_WORDS = {None: "null", True: "true", False: "false"}
_LONGEST = 80


def literal_value(unit: Unit, value: object) -> Value:
    """The code of a value and its shape. An object or a list is a fresh one for each document: what a mapping gives may
    be changed by who gets it."""
    if isinstance(value, dict | list):
        return Value(_fresh(unit, value), Shape("object" if isinstance(value, dict) else "list", False, True))
    if isinstance(value, bool | int | str) or value is None:
        return Value(ast.Constant(value), _SHAPES.get(type(value), ANY))
    return Value(unit.constant(value), NUMBER)


def _fresh(unit: Unit, value: object) -> ast.expr:
    if isinstance(value, dict):
        return ast.Dict([ast.Constant(key) for key in value], [_fresh(unit, child) for child in value.values()])
    if isinstance(value, list):
        return ast.List([_fresh(unit, child) for child in value], ast.Load())
    return literal_value(unit, value).code


def place_of_literal(literal: Literal) -> Place:
    """Where a written value stands, with the text that stands for it: ``true``, ``{const: FC}``."""
    where = literal.where
    text = where.text if where.is_scalar else f"{{const: {_words(literal.value)}}}"
    return place_inline(text, where.file, where.line, where.column)


def spoken_in(literal: Literal) -> tuple[Spoken, ...]:
    """The text that is written under ``const``, with its place."""
    where = literal.where.get("const") if literal.where.is_map else literal.where
    if where is None or not isinstance(literal.value, str):
        return ()
    start = where.column - 1 + (not where.plain)
    return (Spoken(literal.value, (where.line, start, where.line, start + len(literal.value))),)


def _words(value: object) -> str:
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    text = _WORDS[value] if value is None or isinstance(value, bool) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
