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
from hub.routes import Route
from hub.schemas import SchemaSet
from hub.systems import System, system_fields
from hub.yamldoc import did_you_mean

_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]*)\}")
_ALWAYS = ("key", "delivery_id", "message_id", "extension")


def template_faults(
    system: System, routes: Sequence[Route], mappings: Mapping[str, DocumentMapping], schemas: SchemaSet,
    folder: Path | None = None,
) -> Iterator[Fault]:  # fmt: skip
    """Names that no document sent to this system gives; nothing where it is not known what is sent there."""
    used = [mappings.get(route.map) for route in routes if system.name in {t.system for t in route.targets}]
    types = [mapping.target.schema if mapping else None for mapping in used]
    if not types or not system.connector or system.node is None:
        return
    known = {*_ALWAYS, *(["reference"] if system.options.get("reference") else ())}
    for name in types:
        if name is None or not schemas.has(name):
            return
        known |= _main_keys(schemas.schema(name))
    for path, text in _templates(system_fields(system.connector, folder), system.options):
        for name in _NAME.findall(text):
            if name not in known:
                node = place_along(system.node, path)
                yield node.fault(f"{path}: no document that is sent here gives '{name}'{did_you_mean(name, known)}")


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
        if field.is_template and isinstance(value, Mapping):
            yield from ((f"{above}{field.name}.{name}", str(text)) for name, text in value.items())
        elif field.is_template and isinstance(value, str):
            yield f"{above}{field.name}", value
        elif isinstance(value, Mapping):
            yield from _templates(field.fields, value, f"{above}{field.name}.")
