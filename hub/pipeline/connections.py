"""From a system's settings to its connector: secrets resolved, expressions compiled, a destination or source opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import connectors
from connectors.base import Destination, Field, Source
from hub.fields import Located
from hub.mapping import compile_expression
from hub.secret import resolve_all
from hub.systems import System, connector_fields


def connector_config(system: System, secrets: Path, own_connectors: Path | None) -> dict[str, Any]:
    """What a connector is given. Raises UsageError for a secret that is not there, ProjectError for an expression."""
    fields = connector_fields(connectors.connector(system.connector, own_connectors))
    config: dict[str, Any] = resolve_all(_compiled(dict(system.options), fields), secrets)
    return {**config, "name": system.name}


def _compiled(values: Mapping[str, Any], fields: tuple[Field, ...]) -> dict[str, Any]:
    by_name = {field.name: field for field in fields}
    return {name: _value(value, by_name.get(name)) for name, value in values.items()}


def _value(value: Any, field: Field | None) -> Any:
    if isinstance(value, Located):
        names = field.names if field else ()
        return compile_expression(value.text, file=value.file, line=value.line, column=value.column, names=names)
    if isinstance(value, Mapping) and field is not None and field.fields:
        return _compiled(value, field.fields)
    return value


def open_destination(system: System, secrets: Path, own_connectors: Path | None = None) -> Destination:
    """The system as somewhere bytes go."""
    module = connectors.connector(system.connector, own_connectors)
    return module.destination(connector_config(system, secrets, own_connectors))  # type: ignore[no-any-return]


def open_source(system: System, secrets: Path, own_connectors: Path | None = None) -> Source:
    """The system as somewhere bytes are fetched from."""
    module = connectors.connector(system.connector, own_connectors)
    return module.source(connector_config(system, secrets, own_connectors))  # type: ignore[no-any-return]
