"""Names and paths: ``a.b.c``, ``a[0]``, ``a['any key']``. Reading is null-safe and never touches an attribute."""

from __future__ import annotations

import ast
import re

from msgspec.structs import replace

from hub.mapping.scope import Scope
from hub.mapping.shape import BOOLEAN, Shape
from hub.mapping.unit import Draft, Value, call, load, nothing
from hub.yamldoc import did_you_mean

WORDS = {"true": True, "false": False, "null": None}


def name(draft: Draft, node: ast.Name, scope: Scope) -> Value:
    """A word, or a name that is bound here."""
    if node.id in WORDS:
        value = WORDS[node.id]
        return nothing() if value is None else Value(ast.Constant(value), BOOLEAN)
    binding = scope.get(node.id)
    if binding is not None:
        return Value(load(binding.local), binding.shape)
    return draft.refuse(node, _unknown(draft, node, scope))


def _unknown(draft: Draft, node: ast.Name, scope: Scope) -> str:
    if node.id.startswith("_"):
        return f"a name must not start with '_': '{node.id}'; write a['{node.id}'] for a field of that name"
    if node.id in draft.unit.functions:
        return f"'{node.id}' is a function; write {node.id}(…)"
    hyphen = re.search(rf"\.(\w+-(?:\w+-)*{re.escape(node.id)})\b", draft.place.text)
    if hyphen:
        return f"unknown name '{node.id}'; write ['{hyphen[1]}'] for a field with a hyphen"
    return f"unknown name '{node.id}'{did_you_mean(node.id, list(scope))}"


def attribute(draft: Draft, node: ast.Attribute, scope: Scope) -> Value:
    """``a.b``: a field of an object; nothing where either is missing."""
    if node.attr.startswith("_"):
        return draft.refuse(node, f"a field must not start with '_'; write ['{node.attr}']")
    return _field(draft, node, node.value, node.attr, scope)


def subscript(draft: Draft, node: ast.Subscript, scope: Scope) -> Value:
    """``a['key']`` or ``a[0]``; the position may count from the end: ``a[-1]``."""
    key = _literal(node.slice)
    if isinstance(key, str):
        return _field(draft, node, node.value, key, scope)
    if isinstance(key, int) and not isinstance(key, bool) and abs(key) < 1_000_000:
        return _element(draft, node, key, scope)
    if isinstance(node.slice, ast.Slice):
        return draft.refuse(node, "a slice is not allowed in an expression; write left(), right() or substring()")
    return draft.refuse(
        node, "only a whole number or a quoted key may stand in [ ]; write lookup(…) to find by a value"
    )


def _literal(node: ast.expr) -> object:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        value = node.operand.value
        return -value if isinstance(value, int) else None
    return None


def _element(draft: Draft, node: ast.Subscript, position: int, scope: Scope) -> Value:
    value = draft.emit(node.value, scope)
    if value.shape.kind not in ("any", "list", "nothing"):
        return draft.refuse(node, f"{draft.words(node.value)} is {value.shape.words}, not a list")
    shape = value.shape.element
    return Value(call("_at", value.code, ast.Constant(position)), replace(shape, nullable=True))


def _field(draft: Draft, node: ast.expr, of: ast.expr, key: str, scope: Scope) -> Value:
    value = draft.emit(of, scope)
    problem = _problem(draft, node, of, key, value.shape)
    if problem:
        return draft.refuse(node, problem)
    get = ast.Attribute(value.code if _is_object(draft, of, scope) else _object(value), "get", ast.Load())
    return Value(ast.Call(get, [ast.Constant(key)], []), _maybe(value.shape.field(key), value.shape))


def _is_object(draft: Draft, node: ast.expr, scope: Scope) -> bool:
    """The document, or in fast code an element of a list: if it is no object after all, reading it raises."""
    binding = scope.get(node.id) if isinstance(node, ast.Name) else None
    return binding is not None and (binding.local == "v_src" or (draft.unit.fast and binding.is_element))


def _object(value: Value) -> ast.expr:
    """The value where it is surely an object, else the value or an empty object."""
    if value.shape.sure and value.shape.kind == "object" and not value.shape.nullable:
        return value.code
    return ast.BoolOp(ast.Or(), [value.code, load("_none")])


def _maybe(shape: Shape, of: Shape) -> Shape:
    """The shape of a field that may be missing, also because its object is, and whose kind no more than a schema
    promises."""
    return shape if shape.sure and not shape.nullable and not of.nullable else replace(shape, nullable=True)


def _problem(draft: Draft, node: ast.expr, of: ast.expr, key: str, shape: Shape) -> str:
    if shape.kind == "list":
        return f"{draft.words(of)} is a list; loop over it or take [0]"
    if shape.kind not in ("any", "object", "nothing"):
        return f"{draft.words(of)} is {shape.words} and has no fields"
    known = shape.known_fields
    if known is None or key in known:
        return ""
    written = draft.words(node)
    if shape.is_source and written.startswith("src."):
        return f"the source has no field '{written.removeprefix('src.')}'{did_you_mean(key, known)}"
    if shape.is_source:
        return f"{draft.words(of)} has no field '{key}' in the source{did_you_mean(key, known)}"
    return f"{draft.words(of)} has no field '{key}'{did_you_mean(key, known)}"


def has(draft: Draft, node: ast.Call, scope: Scope) -> Value:
    """``has(a.b)``: whether the field stands in the object, even as null. What is no object is refused, as where
    a field of it is read: text may hold any word."""
    path = node.args[0] if len(node.args) == 1 else None
    key = path.attr if isinstance(path, ast.Attribute) else _key(path)
    if not isinstance(path, ast.Attribute | ast.Subscript) or key is None:
        return draft.refuse(node, "has wants one path such as src.note or src['note']")
    code = draft.emit(path, scope).code
    if isinstance(code, ast.Call):  # else it is refused
        code.args.append(load("_none"))
    return Value(ast.Compare(code, [ast.IsNot()], [load("_none")]), BOOLEAN)


def _key(path: ast.expr | None) -> str | None:
    found = _literal(path.slice) if isinstance(path, ast.Subscript) else None
    return found if isinstance(found, str) else None
