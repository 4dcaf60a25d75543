"""One expression on its own: a route's ``when:``, a connector's ``success:``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import getcontext, setcontext
from types import MappingProxyType
from typing import Any

from hub.errors import Fault, ProjectError
from hub.functions.numbers import EXACT
from hub.mapping.blame import located
from hub.mapping.expressions import emit
from hub.mapping.generated import function_of
from hub.mapping.place import place_inline
from hub.mapping.scope import Binding, Scope
from hub.mapping.shape import ANY, ENVELOPE, Shape, shape_of
from hub.mapping.syntax import read_expression
from hub.mapping.tables import NO_TABLES, Tables
from hub.mapping.trees import Formula
from hub.mapping.unit import Unit
from hub.mapping.writer import Spot


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. Called with its names as keywords; a name left out is nothing."""

    text: str
    file: str
    line: int
    column: int
    names: tuple[str, ...]
    _run: Callable[..., Any]
    _spot: Spot

    def __call__(self, **names: Any) -> Any:
        """What the expression gives. Raises MappingError with the place in the file."""
        saved = getcontext()
        setcontext(EXACT)
        try:
            return self._run(*map(names.get, self.names))
        except Exception as error:
            raise located(error, _marker(self.file), self.file, [self._spot]) from None
        finally:
            setcontext(saved)


def _marker(file: str) -> str:
    return f"<expression {file}>"


def compile_expression(
    text: str, *, file: str, line: int, column: int, names: Sequence[str], tables: Tables | None = None,
    source: Mapping[str, Any] | None = None,
) -> Expression:  # fmt: skip
    """Compile one expression over these names. Raises ProjectError with every fault, located in ``file``.

    ``source`` is the JSON Schema of what ``src`` is, where that is known: paths that it has not are faults.
    """
    place = place_inline(text, file, line, column)
    node, faults = read_expression(place)
    unit = Unit(tables or NO_TABLES)
    scope = Scope(MappingProxyType({name: Binding(f"v_{name}", _shape(name, source), path=name) for name in names}))
    value = emit(unit, place, node, scope) if node is not None else None
    faults = [fault for fault in [*faults, *unit.faults] if fault.severity == "error"]
    if unit.uses_xref:
        faults.append(Fault(file, line, column, "xref can only be used in a mapping"))
    if faults or value is None or node is None:
        raise ProjectError(faults)
    body: list[ast.stmt] = [ast.copy_location(ast.Return(value.code), node)]
    run = function_of(_with_lookups(unit, tables or NO_TABLES), _marker(file), [f"v_{name}" for name in names], body)
    if isinstance(run, Fault):
        raise ProjectError([Fault(file, line, column, run.message)])
    spot = Spot(place.whole, (), Formula(place, node), scope, False)
    return Expression(text, file, line, column, tuple(names), run, spot)


def _shape(name: str, source: Mapping[str, Any] | None) -> Shape:
    """What is known beforehand of a name's value."""
    if name == "src" and source is not None:
        return shape_of(source, source)
    return ENVELOPE if name == "envelope" else ANY


def _with_lookups(unit: Unit, tables: Tables) -> Unit:
    """Look-ups of an expression go straight to the table: there is no message to record them with."""
    for (name, column), parameter in unit.lookups.items():
        table = tables.get(name)
        assert table is not None
        unit.names[parameter] = table.finder(column)
    return unit
