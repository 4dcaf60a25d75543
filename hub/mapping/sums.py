"""Adding up one field of a list, the commonest sum there is, without a list of the numbers in between.

In fast code ``sum(dec(l.price) for l in lines)`` becomes one call.
"""

from __future__ import annotations

import ast

from hub.mapping.shape import Shape
from hub.mapping.unit import Draft, call


def one_call(draft: Draft, node: ast.Call, listed: ast.expr) -> ast.expr | None:
    """The code of ``sum(dec(x.a.b) for x in …)`` as one call; None where the sum is of another form. ``listed`` is the
    code of its argument."""
    values = _values(listed) if draft.unit.fast else None
    if values is None:
        return None
    source = node.args[0]
    if not isinstance(source, ast.ListComp | ast.GeneratorExp) or source.generators[0].ifs:
        return None
    match source.elt, source.generators[0].target:
        case ast.Call(func=ast.Name(id="dec"), args=[path], keywords=[]), ast.Name(id=element):
            keys = _keys(path, element)
        case _:
            return None
    if not 1 <= len(keys) <= 2:
        return None
    if _are_money(draft.unit.shapes[source.generators[0].iter], keys):
        return call("_sum_of_money", values, ast.Constant(keys[0]))
    helper = "_sum_of" if len(keys) == 1 else "_sum_of_inner"
    return call(helper, values, *map(ast.Constant, keys))


def _values(listed: ast.expr) -> ast.expr | None:
    """The code of what a list is made from, before it is checked; the sum does that by itself."""
    match listed:
        case ast.IfExp(test=ast.NamedExpr(value=values), body=ast.ListComp()):
            return values
        case ast.ListComp(generators=[ast.comprehension(iter=ast.Call(func=ast.Name(id="_each"), args=[values]))]):
            return values
        case ast.ListComp(generators=[ast.comprehension(iter=values)]):
            return values
    return None


def _keys(node: ast.expr, element: str) -> list[str]:
    """The fields of a path that starts at the element; empty for anything else."""
    keys: list[str] = []
    while isinstance(node, ast.Attribute):
        keys.insert(0, node.attr)
        node = node.value
    return keys if isinstance(node, ast.Name) and node.id == element else []


def _are_money(listed: Shape, keys: list[str]) -> bool:
    """Whether a path leads to the amount of a money value in each object of a list, all made by this mapping."""
    if len(keys) != 2 or keys[1] != "amount":
        return False
    money = listed.element.field(keys[0])
    return all(_is_made(shape) for shape in (listed, listed.element, money)) and money.field("amount").is_short


def _is_made(shape: Shape) -> bool:
    return shape.sure and not shape.nullable
