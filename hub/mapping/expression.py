"""One expression on its own: a route's ``when:``, a connector's ``success:``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import getcontext, setcontext
from types import MappingProxyType
from typing import Any

import msgspec

from hub.errors import Fault, ProjectError
from hub.functions import allowance
from hub.functions.numbers import EXACT
from hub.mapping.blame import located
from hub.mapping.coverage import Probes
from hub.mapping.expressions import emit
from hub.mapping.generated import function_of
from hub.mapping.lineage import reads_of
from hub.mapping.place import Place, place_inline
from hub.mapping.scope import Binding, Scope
from hub.mapping.shape import ENVELOPE, Shape, shape_of
from hub.mapping.suspect import Suspicion
from hub.mapping.syntax import read_expression
from hub.mapping.tables import NO_TABLES, Tables
from hub.mapping.trees import Formula
from hub.mapping.unit import Unit
from hub.mapping.writer import Spot
from hub.outline import Outline


class Expression(msgspec.Struct, frozen=True):
    """A compiled expression. Called with its names as keywords; a name left out is nothing."""

    text: str
    file: str
    line: int
    column: int
    names: tuple[str, ...]
    warnings: tuple[Fault, ...]
    _run: Callable[..., Any]
    _spot: Spot
    _probed: Callable[[Probes, bool], Expression]

    def __call__(self, **names: Any) -> Any:
        """What the expression gives. Raises MappingError with the place in the file."""
        saved = getcontext()
        setcontext(EXACT)
        allowance.begin()
        try:
            return self._run(*map(names.get, self.names))
        except Exception as error:
            raise located(error, _marker(self.file), self.file, [self._spot]) from None
        finally:
            setcontext(saved)
            allowance.end()

    def reads(self) -> tuple[str, ...]:
        """The paths that it depends on, such as ``src.delivery_location``."""
        return reads_of(self._spot.formula.node, self._spot.scope)

    def covered(self, probes: Probes, is_condition: bool = False) -> Expression:
        """The same expression, which notes in ``probes`` what of it runs and, as a condition, whether it holds."""
        return self._probed(probes, is_condition)


def _marker(file: str) -> str:
    return f"<expression {file}>"


def compile_expression(
    text: str, *, file: str, line: int, column: int, names: Sequence[str], tables: Tables | None = None,
    known: Mapping[str, Outline] | None = None, role: str = "", probes: Probes | None = None,
    is_condition: bool = False,
) -> Expression:  # fmt: skip
    """Compile one expression over these names. Raises ProjectError with every error, located in ``file``; warnings are
    kept with the expression.

    ``known`` turns on the lint: it says what is known of names, such as ``src``. ``role`` is what the expression is
    for: ``when`` (whether it holds), ``key`` (which lane). With ``probes`` the expression notes what of it runs, and
    where it is a condition whether it holds.
    """
    place = place_inline(text, file, line, column)
    node, faults = read_expression(place)
    unit = Unit(tables or NO_TABLES, probes=probes)
    scope = Scope(
        MappingProxyType({name: Binding(f"v_{name}", _shape(name, known or {}), path=name) for name in names})
    )
    value = emit(unit, place, node, scope) if node is not None else None
    if known is not None and node is not None and value is not None:
        unit.faults.extend(Suspicion(place, scope, unit.shapes).faults(node, is_test=role == "when"))
        unit.faults.extend(_role_faults(role, place, node, value.shape))
    warnings = tuple(fault for fault in unit.faults if fault.severity != "error" and known is not None)
    faults = [fault for fault in [*faults, *unit.faults] if fault.severity == "error"]
    if unit.uses_xref:
        faults.append(Fault(file, line, column, "xref can only be used in a mapping"))
    if faults or value is None or node is None:
        raise ProjectError(faults)
    code = value.code if probes is None else _probing(probes, place, node, value.code, is_condition)
    body: list[ast.stmt] = [ast.copy_location(ast.Return(code), node)]
    run = function_of(_with_lookups(unit, tables or NO_TABLES), _marker(file), [f"v_{name}" for name in names], body)
    if isinstance(run, Fault):
        raise ProjectError([Fault(file, line, column, run.message)])
    spot = Spot(place.whole, (), Formula(place, node), scope, False)

    def probed(probes: Probes, is_condition: bool) -> Expression:
        return compile_expression(
            text, file=file, line=line, column=column, names=names, tables=tables, known=known, role=role,
            probes=probes, is_condition=is_condition,
        )  # fmt: skip

    return Expression(text, file, line, column, tuple(names), warnings, run, spot, probed)


def _probing(probes: Probes, place: Place, node: ast.expr, code: ast.expr, is_condition: bool) -> ast.expr:
    code = probes.expression(place, code)
    return probes.truth(place, node, "when holds", "when does not hold", code) if is_condition else code


def _role_faults(role: str, place: Place, node: ast.expr, shape: Shape) -> Iterator[Fault]:
    """What is wrong with an expression for what it is used for."""
    if role == "key":
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        if not names & {"src", "envelope"}:
            message = (
                "key: the same for every document, so that all would wait for one another; write a path: src.order_id"
            )
            yield place.fault(place.whole, message)
        elif shape.kind in ("object", "list", "boolean"):
            message = (
                f"key: a key is text or a number, this is {shape.words}; name the field that tells documents apart"
            )
            yield place.fault(place.whole, message)


def _shape(name: str, known: Mapping[str, Outline]) -> Shape:
    """What is known beforehand of a name's value."""
    return ENVELOPE if name == "envelope" else shape_of(known.get(name))


def _with_lookups(unit: Unit, tables: Tables) -> Unit:
    """Look-ups of an expression go straight to the table: there is no message to record them with."""
    for (name, column), parameter in unit.lookups.items():
        table = tables.get(name)
        assert table is not None
        unit.names[parameter] = table.finder(column)
    return unit
