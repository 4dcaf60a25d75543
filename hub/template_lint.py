"""Names in braces among a system's settings (``path: /orders/{order_id}``): whether what is sent there gives them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from connectors.base import Field
from hub.connector_lint import place_along
from hub.errors import Fault
from hub.keys import compile_keys
from hub.mapping import Mapping as DocumentMapping
from hub.routes import Route, Target
from hub.schemas import SchemaSet
from hub.systems import System, system_fields
from hub.yamldoc import did_you_mean

_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]*)\}")
_WRITTEN = re.compile(r"\{[a-z]+(?:_[a-z]+)*_id\}")  # in a body that is written down other braces are just braces
OF_BATCHES = ("batch_id", "count", "date", "time")  # of what is collected; no name of one document
_ALWAYS = ("key", "delivery_id", "message_id", "extension")


def template_faults(
    system: System, routes: Sequence[Route], mappings: Mapping[str, DocumentMapping], schemas: SchemaSet,
    folder: Path | None = None, *, is_acknowledged: bool = False,
) -> Iterator[Fault]:  # fmt: skip
    """Names that what some route sends to this system does not give; nothing where it is not known what that is. Where
    ``is_acknowledged``, partners get acknowledgements there, which give no names but those that everything has."""
    if is_acknowledged and system.connector and system.node is not None:
        for path, name in _names(system, folder):
            if name not in _ALWAYS:
                text = f"{path}: an acknowledgement that is sent here gives no '{name}'{did_you_mean(name, _ALWAYS)}"
                yield place_along(system.node, path).fault(text)
        return
    here = [(route, target) for route in routes for target in route.targets if target.system == system.name]
    if not here or not system.connector or system.node is None:
        return
    own = ("reference",) if system.options.get("reference") else ()
    always = {*_ALWAYS, *own, *_of_predecessors(system, routes)}
    told = [(route, target, _names_of(route, target, mappings, schemas)) for route, target in here]
    given = [(route, target, always | names) for route, target, names in told if names is not None]
    for path, name in _names(system, folder):
        without = [each for each in given if name not in each[2]]
        if without and not (name.startswith("body.") and path.partition(".")[0] in ("path", "headers")):
            route, target, known = without[0]
            whose = f" by route '{route.name}', target '{target.id}'," if len(without) < len(given) else ""
            text = f"{path}: no document that is sent here{whose} gives '{name}'{did_you_mean(name, known)}"
            yield place_along(system.node, path).fault(text)


def _names_of(
    route: Route, target: Target, mappings: Mapping[str, DocumentMapping], schemas: SchemaSet
) -> set[str] | None:  # fmt: skip
    """The names that what a target sends may give; None where it is not known what it sends."""
    if target.collect is not None:
        return set(OF_BATCHES)
    mapping = mappings.get(route.map)
    type = mapping.target.schema if mapping else None
    return _main_keys(schemas.schema(type)) if type is not None and schemas.has(type) else None


def _of_predecessors(system: System, routes: Sequence[Route]) -> Sequence[str]:
    """The name of what the target before has made, where every target that is this system comes after one."""
    targets = [target for route in routes for target in route.targets if target.system == system.name]
    return ("after.reference",) if all(target.after for target in targets) else ()


def _names(system: System, folder: Path | None) -> Iterator[tuple[str, str]]:
    """(path, name) of every name in a setting."""
    for path, text in _templates(system_fields(system.connector, folder), system.options):
        for name in _NAME.findall(text):
            yield path, name


def _main_keys(schema: Mapping[str, Any]) -> set[str]:
    """The names under which the main key may come: the first key a document has; one that must be there ends it."""
    names: set[str] = set()
    for rule in compile_keys(schema.get("x-keys", ())):
        names |= {rule.scheme, f"{rule.scheme}_id"}
        if rule.value.names and rule.value.names[0] in schema.get("required", ()):
            break
    return names


def _templates(fields: Sequence[Field], values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """(path, text) of every setting that is a template."""
    for field in fields:
        value = values.get(field.name)
        if field.is_template and field.kind == "raw":
            yield from ((f"{above}{field.name}", name) for text in _texts(value) for name in _WRITTEN.findall(text))
        elif field.is_template and isinstance(value, Mapping):
            yield from ((f"{above}{field.name}.{name}", str(text)) for name, text in value.items())
        elif field.is_template and isinstance(value, str):
            yield f"{above}{field.name}", value
        elif isinstance(value, Mapping):
            yield from _templates(field.fields, value, f"{above}{field.name}.")


def _texts(tree: Any) -> Iterator[str]:
    """Every text of a tree that is written down."""
    if isinstance(tree, Mapping | list | tuple):
        for part in tree.values() if isinstance(tree, Mapping) else tree:
            yield from _texts(part)
    elif isinstance(tree, str):
        yield tree
