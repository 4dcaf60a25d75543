"""Who uses a source field, over all mappings and routes, without running any: from the source through canonical
documents into what targets are sent."""

from __future__ import annotations

from collections import abc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.errors import ProjectError
from hub.mapping import Mapping, Use, compile_expression, plain_path, touches
from hub.route_fields import EXPRESSION_NAMES
from hub.routes import Route

_DEEPEST = 4


class Mapped(Protocol):
    """A project as far as it is looked at: a folder that was checked, or a set that is in force."""

    @property
    def routes(self) -> Sequence[Route]: ...

    @property
    def mappings(self) -> abc.Mapping[str, Mapping]:
        """By their names; those that cannot be compiled are left out."""
        ...


@dataclass(frozen=True, slots=True)
class FieldUse:
    """One use of a field. ``level`` counts the mappings between it and the field; ``field`` is the path that is read,
    ``becomes`` the field that is made of it, or the key of a route."""

    level: int
    field: str
    becomes: str
    file: str
    line: int
    column: int
    expression: str
    where: str


def uses_of_field(project: Mapped, field: str, names: Sequence[str]) -> list[FieldUse]:
    """Every use of a source field (``line_items.price``) in the mappings of these names, and of what comes of it."""
    wanted = field if field.startswith(("src.", "envelope.", "company.")) else f"src.{field}"
    found: list[FieldUse] = []
    for name in names:
        mapping = project.mappings[name]
        found += _uses(project, mapping, plain_path(wanted), 0, frozenset())
    return list(dict.fromkeys(found))


def _uses(
    project: Mapped, mapping: Mapping, field: str, level: int, above: frozenset[tuple[str, str]]
) -> Iterator[FieldUse]:
    """The uses in one mapping, each followed by those of what it makes."""
    followed: set[str] = set()
    for use in mapping.uses():
        read = use.read_of(field)
        if read is None:
            continue
        yield _field_use(level, read, use, f"mapping {mapping.name}")
        made = plain_path(use.target)
        if use.is_field and made not in followed and level < _DEEPEST and (mapping.name, made) not in above:
            followed.add(made)
            yield from _further(project, mapping, made, level + 1, above | {(mapping.name, made)})


def _further(
    project: Mapped, mapping: Mapping, made: str, level: int, above: frozenset[tuple[str, str]]
) -> Iterator[FieldUse]:
    """The uses of a canonical field that a mapping makes: in the routes that carry it, and in their targets."""
    for route in project.routes:
        if route.map != mapping.name:
            continue
        yield from _of_route(route, f"src.{made}", level)
        for target in route.targets:
            if (below := project.mappings.get(target.map or "")) is not None:
                yield from _uses(project, below, f"src.{made}", level, above)


def _of_route(route: Route, field: str, level: int) -> Iterator[FieldUse]:
    places = [("key", route.key)]
    places += [
        (f"to {target.id}: {name}", getattr(target, name)) for target in route.targets for name in ("when", "key")
    ]
    for key, located in places:
        if located is None:
            continue
        try:
            compiled = compile_expression(
                located.text, file=located.file, line=located.line, column=located.column, names=EXPRESSION_NAMES
            )
        except ProjectError:
            continue  # told by the check
        read = next((read for read in compiled.reads() if touches(read, field)), None)
        if read is not None:
            yield FieldUse(level, read, key, located.file, located.line, located.column, located.text,
                           f"route {route.name}")  # fmt: skip


def _field_use(level: int, read: str, use: Use, where: str) -> FieldUse:
    return FieldUse(level, read, use.target, use.file, use.line, use.column, use.expression, where)
