"""The expressions in systems and routes: which there are, and what is wrong with them, all at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from connectors.base import Field
from hub.errors import Fault, ProjectError
from hub.fields import Located
from hub.mapping import compile_expression
from hub.outline import Outline
from hub.route_fields import EXPRESSION_NAMES
from hub.routes import Route
from hub.systems import System, system_fields

NamedExpression = tuple[Located, tuple[str, ...], str]  # the expression, its names, what it is for


def expressions_of_system(system: System, folder: Path | None = None) -> Iterator[NamedExpression]:
    """Every expression among a system's settings, with the names it may use."""
    fields = system_fields(system.connector, folder) if system.connector else ()
    for name, value in system.options.items():
        yield from _within(value, _field(fields, name))


def expressions_of_route(route: Route) -> Iterator[NamedExpression]:
    """Every expression of a route, with the names it may use."""
    keys = [route.key, *(target.key for target in route.targets)]
    roles = [*((key, "key") for key in keys), *((target.when, "when") for target in route.targets)]
    for located, role in roles:
        if located is not None:
            yield located, EXPRESSION_NAMES, role


def expression_faults(
    found: Iterator[NamedExpression], known: Mapping[str, Outline] | None = None
) -> Iterator[Fault]:  # fmt: skip
    """What is wrong with these expressions. ``known`` says what is known of their names."""
    for at, names, role in found:
        try:
            expression = compile_expression(
                at.text, file=at.file, line=at.line, column=at.column, names=names, known=known or {}, role=role
            )
        except ProjectError as error:
            yield from error.faults
        else:
            yield from expression.warnings


def _field(fields: Sequence[Field], name: str) -> Field:
    return next((field for field in fields if field.name == name), Field(name, "raw"))


def _within(value: Any, field: Field) -> Iterator[NamedExpression]:
    """The expressions in a setting's value, each with the names its field declares."""
    if isinstance(value, Located):
        yield value, field.names, ""
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _within(part, _field(field.fields, name))
    elif isinstance(value, (list, tuple)):
        nameless = len(field.fields) == 1 and not field.fields[0].name
        for part in value:
            yield from _within(part, field.fields[0] if nameless else field)
