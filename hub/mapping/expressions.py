"""The allow-list: every kind of syntax an expression may hold, and the words for what it may not."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import MappingProxyType

from hub.mapping import calls, operations, paths
from hub.mapping.place import Place
from hub.mapping.scope import Scope
from hub.mapping.unit import Draft, Handler, Unit, Value

ALLOWED: Mapping[type[ast.AST], Handler] = MappingProxyType(
    {
        ast.Constant: operations.constant,
        ast.Name: paths.name,
        ast.Attribute: paths.attribute,
        ast.Subscript: paths.subscript,
        ast.BinOp: operations.binary,
        ast.UnaryOp: operations.unary,
        ast.Compare: operations.compare,
        ast.BoolOp: operations.either,
        ast.IfExp: operations.choice,
        ast.JoinedStr: operations.joined_text,
        ast.List: operations.list_display,
        ast.Dict: operations.object_display,
        ast.ListComp: calls.comprehension,
        ast.GeneratorExp: calls.comprehension,
        ast.Call: calls.call,
    }
)

REFUSED: Mapping[type[ast.AST], str] = MappingProxyType(
    {
        ast.Lambda: "lambda",
        ast.NamedExpr: "':='",
        ast.Starred: "a star argument",
        ast.Tuple: "a tuple",
        ast.Set: "a set",
        ast.SetComp: "a set",
        ast.DictComp: "an object comprehension",
        ast.Await: "await",
        ast.Yield: "yield",
        ast.YieldFrom: "yield",
        ast.Slice: "a slice",
    }
)


def emit(unit: Unit, place: Place, node: ast.expr, scope: Scope) -> Value:
    """The code of a whole expression; its faults go to the unit."""
    return Draft(unit, place, ALLOWED, REFUSED).emit(node, scope)
