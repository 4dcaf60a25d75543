"""Literals, arithmetic, comparison, choice, f-text and displays -> code. Exact numbers, no memory bombs."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from msgspec.structs import replace

from hub.errors import MappingError
from hub.functions.numbers import DIGITS, checked
from hub.mapping.calls import pipe
from hub.mapping.place import range_of
from hub.mapping.scope import Scope
from hub.mapping.shape import (
    ANY,
    BOOLEAN,
    DECIMAL,
    INTEGER,
    NOTHING,
    NUMBER,
    NUMBERS,
    TEXT,
    TEXTS,
    Shape,
    Spoken,
    joined,
)
from hub.mapping.shortcuts import longer_text
from hub.mapping.unit import Draft, Value, call, load

_SIGNS: dict[type[ast.operator], tuple[str, str, str]] = {
    ast.Add: ("+", "_add", "add"),
    ast.Sub: ("-", "_subtract", "subtract"),
    ast.Mult: ("*", "_multiply", "multiply"),
    ast.Div: ("/", "_divide", "divide"),
}
_REFUSED_SIGNS: dict[type[ast.operator], str] = {
    ast.Pow: "'**' is not allowed in an expression; multiply",
    ast.Mod: "'%' is not allowed in an expression; write f'{a} {b}' for a text, round(x, 2) or money(x, currency) for "
    "decimals",
    ast.FloorDiv: "'//' is not allowed in an expression; write floor(a / b)",
}
_NO_FORMAT = "f-text takes no format after ':' or '!'; write round(x, 2), money(x, currency).amount, or pad_left(…)"
_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn)


def constant(draft: Draft, node: ast.Constant, scope: Scope) -> Value:
    """A literal: text, a whole number, or a decimal taken from its own digits."""
    match node.value:
        case bool() | None:
            right = {True: "true", False: "false", None: "null"}[node.value]
            return draft.refuse(node, f"write {right}, not {node.value}")
        case str():
            return Value(ast.Constant(node.value), replace(TEXT, texts=(Spoken(node.value, range_of(node)),)))
        case int():
            if abs(node.value) >= 10**DIGITS:
                return draft.refuse(node, f"a number may have {DIGITS} digits")
            return Value(ast.Constant(node.value), INTEGER)
        case float():
            return _decimal(draft, node, node.value)
        case _:
            return draft.refuse(node, "only text and decimal numbers may be literals")


def _decimal(draft: Draft, node: ast.Constant, approximate: float) -> Value:
    written = draft.place.slice(node).replace("_", "")
    try:
        exact = checked(Decimal(written))
    except (InvalidOperation, MappingError):
        return draft.refuse(node, f"a number may have {DIGITS} digits and an exponent up to 20")
    if float(exact) != approximate:
        return draft.refuse(node, "a decimal number inside f-text cannot be read exactly; name it under let")
    return Value(draft.unit.constant(exact), DECIMAL)


def binary(draft: Draft, node: ast.BinOp, scope: Scope) -> Value:
    """``+ - * /`` and pipes."""
    if isinstance(node.op, ast.BitOr):
        return pipe(draft, node, scope)
    if type(node.op) not in _SIGNS:
        return draft.refuse(node, _REFUSED_SIGNS.get(type(node.op), "this operator is not allowed in an expression"))
    left, right = _alike(draft, (node.left, node.right), [draft.emit(node.left, scope), draft.emit(node.right, scope)])
    problem = _mismatch(draft, node, left.shape, right.shape)
    if problem:
        draft.refuse(*problem)
    sign, helper, _ = _SIGNS[type(node.op)]
    shape = _result(sign, left.shape, right.shape)
    if _is_safe(sign, left.shape, right.shape):
        return Value(ast.BinOp(left.code, node.op, right.code), shape)
    if sign == "+" and draft.unit.fast and not draft.depth and (_is_text(left.shape) or _is_text(right.shape)):
        return Value(longer_text(left.code, right.code), shape)
    return Value(call(helper, left.code, right.code), shape)


def _mismatch(draft: Draft, node: ast.BinOp, left: Shape, right: Shape) -> tuple[ast.AST, str] | None:
    """What lint can say of the operands: the node at fault and the message."""
    adds = isinstance(node.op, ast.Add)
    for operand, shape, other in ((node.left, left, right), (node.right, right, left)):
        words = draft.words(operand)
        if shape.kind in TEXTS and not (adds and other.kind not in NUMBERS):
            origin = " in the source" if not shape.sure or shape.is_source else ""
            also = f"; text needs text({draft.words(_other(node, operand))})" if adds else ""
            return node, f"{words} is text{origin}; arithmetic needs dec({words}){also}"
        if shape.kind in ("object", "boolean") or (shape.kind == "list" and not adds):
            return node, f"{words} is {shape.words}; arithmetic needs numbers"
        if shape.kind == "list" and other.group not in ("", "list"):
            inside = words[1:-1] if isinstance(operand, ast.GeneratorExp) else words
            return node, f"{words} is a list and the other is {other.words}; write sum({inside}), or take [0]"
    return None


def _other(node: ast.BinOp, operand: ast.expr) -> ast.expr:
    return node.right if operand is node.left else node.left


def _is_number(shape: Shape) -> bool:
    return shape.sure and shape.kind in NUMBERS


def _is_text(shape: Shape) -> bool:
    return shape.sure and shape.kind in TEXTS


def _alike(draft: Draft, nodes: Sequence[ast.expr], values: list[Value]) -> list[Value]:
    """The values, whole numbers written in the mapping as decimals where one of the others surely is a decimal."""
    if not any(value.shape.is_decimal for value in values):
        return values
    return [_as_decimal(draft, node, value) for node, value in zip(nodes, values, strict=True)]


def _as_decimal(draft: Draft, node: ast.expr, value: Value) -> Value:
    match node:
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            return Value(draft.unit.constant(Decimal(number)), DECIMAL)
    return value


def _is_safe(sign: str, left: Shape, right: Shape) -> bool:
    """Whether Python's own operator is exact, and refuses what is no number: it takes true for 1."""
    return _is_number(left) and _is_number(right) and (sign != "/" or left.is_decimal or right.is_decimal)


def _result(sign: str, left: Shape, right: Shape) -> Shape:
    if sign == "/" or left.is_decimal or right.is_decimal:
        return DECIMAL
    if sign in "-*" or _is_number(left) or _is_number(right):
        whole = _is_number(left) and _is_number(right) and left.kind == right.kind == "integer"
        return INTEGER if whole else NUMBER
    if left.kind in TEXTS or right.kind in TEXTS:
        return TEXT
    return replace(joined(left, right), nullable=False) if left.kind == right.kind == "list" else Shape(nullable=False)


def unary(draft: Draft, node: ast.UnaryOp, scope: Scope) -> Value:
    """``not x`` and ``-x``."""
    value = draft.emit(node.operand, scope)
    if isinstance(node.op, ast.Not):
        return Value(ast.UnaryOp(ast.Not(), value.code), BOOLEAN)
    if not isinstance(node.op, ast.USub):
        return draft.refuse(node, "this operator is not allowed in an expression")
    if value.shape.kind in TEXTS:
        words = draft.words(node.operand)
        return draft.refuse(node, f"{words} is text; arithmetic needs dec({words})")
    zero = ast.Constant(0)
    if _is_number(value.shape):
        return Value(ast.UnaryOp(ast.USub(), value.code), value.shape.present())
    return Value(call("_subtract", zero, value.code), NUMBER)


def compare(draft: Draft, node: ast.Compare, scope: Scope) -> Value:
    """``== != < <= > >= in not in``, also in a chain."""
    values = [draft.emit(part, scope) for part in (node.left, *node.comparators)]
    parts = [node.left, *node.comparators]
    values = _alike(draft, parts, values)
    for position, operator in enumerate(node.ops):
        if not isinstance(operator, _COMPARISONS):
            return draft.refuse(node, "'is' is not allowed in an expression; write == or has(…)")
        _check_comparison(draft, operator, parts[position : position + 2], values[position : position + 2])
    codes = [values[0].code]
    for operator, value in zip(node.ops, values[1:], strict=True):
        is_in = isinstance(operator, ast.In | ast.NotIn)
        codes.append(_container(draft, value, node, scope) if is_in else value.code)
    return Value(ast.Compare(codes[0], node.ops, codes[1:]), BOOLEAN)


def _container(draft: Draft, value: Value, node: ast.Compare, scope: Scope) -> ast.expr:
    """What ``in`` looks into: nothing holds nothing. Inside a loop what it looks through is counted as a loop's is."""
    if scope.level and not isinstance(value.code, ast.List | ast.Constant):
        draft.unit.uses_budget = True
        return ast.copy_location(call("_inside", value.code, load("_budget")), node)
    if value.shape.sure and not value.shape.nullable:
        return value.code
    return ast.BoolOp(ast.Or(), [value.code, ast.Tuple([], ast.Load())])


def _check_comparison(draft: Draft, operator: ast.cmpop, nodes: list[ast.expr], values: list[Value]) -> None:
    left, right = values[0].shape, values[1].shape
    if isinstance(operator, ast.In | ast.NotIn):
        if right.kind in NUMBERS or right.kind == "boolean":
            draft.refuse(nodes[1], f"'in' wants a list or text, {draft.words(nodes[1])} is {right.words}")
        return
    for node, one, other in ((nodes[0], left, right), (nodes[1], right, left)):
        if one.kind in TEXTS and other.kind in NUMBERS:
            words = draft.words(node)
            draft.refuse(node, f"{words} is text and is compared with a number; write dec({words}) or quote the number")
            return


def either(draft: Draft, node: ast.BoolOp, scope: Scope) -> Value:
    """``a or b`` gives the first that is neither nothing, empty, false nor zero; ``a and b`` the first that is."""
    values = _alike(draft, node.values, [draft.emit(part, scope) for part in node.values])
    shape = values[0].shape
    for value in values[1:]:
        shape = joined(shape, value.shape)
    if isinstance(node.op, ast.Or) and not values[-1].shape.nullable:
        shape = shape.present()
    return Value(ast.BoolOp(node.op, _stopping(draft, node, [value.code for value in values])), shape)


def _stopping(draft: Draft, node: ast.BoolOp, codes: list[ast.expr]) -> list[ast.expr]:
    """The operands; with probes each notes when the rest is not looked at any more."""
    probes = draft.unit.probes
    if probes is None:
        return codes
    word = "or" if isinstance(node.op, ast.Or) else "and"
    ways = (f"'{word}' stops here", "") if word == "or" else ("", f"'{word}' stops here")
    parts = zip(node.values[:-1], codes[:-1], strict=True)
    noted = [probes.truth(draft.place, part, *ways, code) for part, code in parts]
    return [*noted, probes.arm(draft.place, node.values[-1], f"'{word}' gets here", codes[-1])]


def choice(draft: Draft, node: ast.IfExp, scope: Scope) -> Value:
    """``x if condition else y``."""
    test, *ways = [draft.emit(part, scope) for part in (node.test, node.body, node.orelse)]
    body, otherwise = _alike(draft, (node.body, node.orelse), ways)
    codes = [body.code, otherwise.code]
    if (probes := draft.unit.probes) is not None:
        arms = zip((node.body, node.orelse), ("if", "else"), codes, strict=True)
        codes = [probes.arm(draft.place, part, way, code) for part, way, code in arms]
    return Value(ast.IfExp(test.code, codes[0], codes[1]), joined(body.shape, otherwise.shape))


def joined_text(draft: Draft, node: ast.JoinedStr, scope: Scope) -> Value:
    """f-text: ``f'{a}-{b}'``; nothing inside it is an error."""
    parts: list[ast.expr] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(ast.Constant(part.value))
        elif isinstance(part, ast.FormattedValue) and part.format_spec is None and part.conversion == -1:
            value = draft.emit(part.value, scope)
            if value.shape.kind in ("object", "list"):
                words = draft.words(part.value)
                advice = "name its field" if value.shape.kind == "object" else f"write join({words}, ', '), or take [0]"
                draft.refuse(part.value, f"{words} is {value.shape.words}, and a text wants text or a number; {advice}")
            parts.append(ast.FormattedValue(_put(value), -1, None))
        else:
            return draft.refuse(node, _NO_FORMAT)
    return Value(call("_bounded", ast.JoinedStr(parts)), TEXT)


def _put(value: Value) -> ast.expr:
    if value.shape.sure and value.shape.kind in TEXTS and not value.shape.nullable:
        return value.code
    return call("_put", value.code)


def list_display(draft: Draft, node: ast.List, scope: Scope) -> Value:
    """``[a, b]``."""
    values = [draft.emit(part, scope) for part in node.elts]
    shape = values[0].shape if values else ANY
    for value in values[1:]:
        shape = joined(shape, value.shape)
    built = Shape("list", nullable=False, sure=True, items=shape if values else NOTHING)
    return Value(ast.List([value.code for value in values], ast.Load()), built)


def object_display(draft: Draft, node: ast.Dict, scope: Scope) -> Value:
    """``{'id': a}``: keys are quoted text."""
    keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
    if not all(isinstance(key, str) for key in keys):
        return draft.refuse(node, "the keys of an object must be quoted text: {'id': …}")
    values = [draft.emit(part, scope) for part in node.values]
    fields = {str(key): value.shape for key, value in zip(keys, values, strict=True)}
    code = ast.Dict([ast.Constant(key) for key in keys], [value.code for value in values])
    return Value(code, Shape("object", nullable=False, sure=True, fields=fields))
