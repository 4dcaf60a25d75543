"""What is gathered while one file is compiled: faults, constants, functions, look-ups."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from hub.errors import Fault
from hub.functions import Function, functions
from hub.functions.allowance import SMALL
from hub.functions.money import QUANTA
from hub.functions.text import bounded
from hub.mapping import operators
from hub.mapping.coverage import Probes
from hub.mapping.place import Place, Range, range_of
from hub.mapping.scope import Scope
from hub.mapping.shape import ANY, NOTHING, Shape
from hub.mapping.tables import Tables

_HELPERS: dict[str, Any] = {
    "_absent": operators.absent, "_multiply": operators.multiply, "_divide": operators.divide, "_add": operators.add,
    "_subtract": operators.subtract, "_each": operators.each, "_each_within": operators.each_within,
    "_at": operators.at, "_inside": operators.inside, "_put": operators.put, "_bounded": bounded, "_sum": sum,
    "_sum_of": operators.sum_of, "_sum_of_inner": operators.sum_of_inner, "_sum_of_money": operators.sum_of_money,
    "_zero": operators.ZERO, "_empty": operators.empty, "_append": list.append, "_str": str, "_len": len,
    "_small": SMALL, "_quantize": Decimal.quantize, "_quanta": QUANTA,
}  # fmt: skip


@dataclass(slots=True)
class Unit:
    """One mapping or one expression while it is compiled.

    ``names`` become the globals of the generated code; ``lookups`` gives for each (table, column) the parameter that
    finds in it. ``declared`` are the tables the file lists, None where it need not list them. ``fast`` code takes the
    elements of lists for objects: where one is not, Python raises, and the mapping runs its safe code instead. With
    ``probes`` the code notes what of it ran. ``shapes`` has what is known of every part of every expression, for the
    lint.
    """

    tables: Tables
    declared: frozenset[str] | None = None
    fast: bool = False
    probes: Probes | None = None
    functions: Mapping[str, Function] = field(default_factory=functions)
    faults: list[Fault] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=lambda: {"__builtins__": {}, "_none": {}, **_HELPERS})
    lookups: dict[tuple[str, str], str] = field(default_factory=dict)
    used_tables: set[str] = field(default_factory=set)
    shapes: dict[ast.AST, Shape] = field(default_factory=dict)
    uses_xref: bool = False
    uses_budget: bool = False

    def __post_init__(self) -> None:
        if self.probes is not None:
            self.names |= self.probes.helpers()

    def constant(self, value: object) -> ast.expr:
        """Code that gives a value for which Python's syntax has no literal."""
        name = f"_k{len(self.names)}"
        self.names[name] = value
        return load(name)

    def lookup(self, table: str, column: str) -> ast.expr:
        """Code for the function that finds a key in a column of a table."""
        self.used_tables.add(table)
        return load(self.lookups.setdefault((table, column), f"_t{len(self.lookups)}"))


class Value(msgspec.Struct, frozen=True):
    """The code of an expression and what is known of what it gives."""

    code: ast.expr
    shape: Shape = ANY


Handler = Callable[["Draft", Any, Scope], Value]


@dataclass(slots=True)
class Draft:
    """One expression while it is compiled. ``depth`` counts the comprehensions around."""

    unit: Unit
    place: Place
    handlers: Mapping[type[ast.AST], Handler]
    refusals: Mapping[type[ast.AST], str]
    depth: int = 0
    errors: int = 0

    def emit(self, node: ast.expr, scope: Scope) -> Value:
        """The code of a node, at the node's place in the file."""
        handler = self.handlers.get(type(node))
        if handler is None:
            what = self.refusals.get(type(node), "this")
            return self.refuse(node, f"{what} is not allowed in an expression")
        value = handler(self, node, scope)
        self.unit.shapes[node] = value.shape
        if "lineno" not in value.code.__dict__:
            ast.copy_location(value.code, node)
        return value

    def refuse(self, node: ast.AST | Range, message: str, severity: str = "error") -> Value:
        """Note a fault; the value stands in so that the rest is checked too."""
        where = node if isinstance(node, tuple) else range_of(node)
        self.unit.faults.append(self.place.fault(where, message, severity))
        self.errors += severity == "error"
        return Value(ast.Constant(None), ANY)

    def words(self, node: ast.AST) -> str:
        """The node as the author wrote it, short enough for an error text."""
        return self.place.words(node)


def load(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def call(name: str, *args: ast.expr) -> ast.expr:
    return ast.Call(load(name), list(args), [])


def nothing() -> Value:
    return Value(ast.Constant(None), NOTHING)
