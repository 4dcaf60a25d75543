"""Statements -> one Python function. Its globals hold what it may use and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from hub.errors import Fault
from hub.mapping.operators import LOOPS
from hub.mapping.place import Range, children, range_of
from hub.mapping.unit import Unit

_NAME = "mapping"


def function_of(unit: Unit, marker: str, parameters: Sequence[str], body: list[ast.stmt]) -> Callable[..., Any] | Fault:
    """The function with these parameters and statements; a fault where Python itself refuses the code."""
    if unit.uses_budget:
        body = [ast.Assign([ast.Name("_budget", ast.Store())], ast.List([ast.Constant(LOOPS)], ast.Load())), *body]
    # Parsed, not built by hand: what a function definition needs besides differs between versions of Python.
    module = ast.parse(f"def {_NAME}({', '.join(parameters)}): pass")
    module.body[0].body = body  # type: ignore[attr-defined]
    _place_all(module)
    names = dict(unit.names)
    try:
        exec(compile(module, marker, "exec", dont_inherit=True), names)  # noqa: S102  built from the allow-list only
    except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
        line = error.lineno if isinstance(error, SyntaxError) and error.lineno else 1
        return Fault(marker, line, 1, "this part is too large or nested too deeply; name its parts under let")
    return names[_NAME]  # type: ignore[no-any-return]


def _place_all(module: ast.Module) -> None:
    """Give nodes without a place that of the node around them."""
    waiting: list[tuple[ast.AST, Range]] = [(module, (1, 0, 1, 0))]
    while waiting:
        node, around = waiting.pop()
        if "lineno" in node.__dict__:
            around = range_of(node)
        elif isinstance(node, ast.expr | ast.stmt | ast.arg):
            node.lineno, node.col_offset, node.end_lineno, node.end_col_offset = around
        waiting.extend((child, around) for child in children(node))
