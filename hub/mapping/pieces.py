"""Small pieces of code that trees become, and what can be known of a tree before it is written."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import reduce
from typing import TypeVar

from hub.mapping.shape import NOTHING, NUMBERS, TEXTS, Shape, joined
from hub.mapping.trees import Block, Branch, Entry, Formula, Items, Literal, Loop, Tree
from hub.mapping.unit import Value, call, load

Code = TypeVar("Code", bound=ast.AST)


def is_simple(tree: Tree) -> bool:
    """Whether a tree is one expression that needs no statements before it."""
    if isinstance(tree, Branch):
        return all(not entry.optional and is_simple(entry.tree) for entry in tree.entries)
    if isinstance(tree, Items):
        return all(map(is_simple, tree.elements))
    return isinstance(tree, Formula | Literal)


def is_never_empty(tree: Tree) -> bool:
    """Whether an object or a list has something in it, whatever the document holds."""
    if isinstance(tree, Branch):
        return not all(entry.optional for entry in tree.entries)
    return isinstance(tree, Items) and any(not isinstance(one, Loop | Block) for one in tree.elements)


def list_of(shapes: Sequence[Shape]) -> Shape:
    """The shape of a list that is written out, of which these are the elements."""
    return Shape("list", nullable=False, sure=True, items=reduce(joined, shapes, NOTHING) if shapes else None)


def present(value: Value, where: ast.expr) -> Value:
    """The value, or an error at ``where`` if there is none."""
    kept = ast.NamedExpr(ast.Name("_v", ast.Store()), value.code)
    test = ast.Compare(kept, [ast.IsNot()], [ast.Constant(None)])
    code = ast.copy_location(ast.IfExp(test, load("_v"), call("_absent")), where)
    return Value(code, value.shape.present())


def is_there() -> ast.expr:
    return ast.Compare(load("_v"), [ast.IsNot()], [ast.Constant(None)])


def is_something(shape: Shape) -> ast.expr:
    if shape.sure and shape.kind in TEXTS | {"object", "list"}:
        return load("_v")
    if shape.sure and shape.kind in NUMBERS | {"boolean"}:
        return is_there()
    # Zero and false equal 0; '' , [] and {} do not, nor does nothing, which most fields are that are left out.
    is_zero = ast.BoolOp(ast.And(), [is_there(), ast.Compare(load("_v"), [ast.Eq()], [ast.Constant(0)])])
    return ast.BoolOp(ast.Or(), [load("_v"), is_zero])


def slot_of(name: str, key: str) -> ast.expr:
    return ast.Subscript(load(name), ast.Constant(key), ast.Store())


def located(node: Code, tree: Tree | Entry) -> Code:
    if isinstance(tree, Formula):
        return located_at(node, tree.node)
    where = tree.where
    node.lineno = node.end_lineno = where.line  # type: ignore[attr-defined]
    node.col_offset, node.end_col_offset = where.column - 1, where.column  # type: ignore[attr-defined]
    return node


def located_at(node: Code, like: ast.AST) -> Code:
    if "lineno" in like.__dict__:
        return ast.copy_location(node, like)
    return node
