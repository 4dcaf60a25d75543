"""From a system's settings to its connector: secrets resolved, expressions compiled, a destination or source opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import connectors
from connectors.base import Destination, Field, Rehearsal, Source
from hub.connector_lint import ANY_SECRET
from hub.fields import Located
from hub.mapping import compile_expression
from hub.secret import Secret, references, resolve, resolve_all
from hub.systems import System, connector_fields


def connector_config(system: System, secrets: Path, own_connectors: Path | None) -> dict[str, Any]:
    """What a connector is given. Raises UsageError for a secret that is not there, ProjectError for an expression."""
    fields = connector_fields(connectors.connector(system.connector, own_connectors))
    config: dict[str, Any] = resolve_all(_compiled(dict(system.options), fields), secrets)
    known = [resolve(secret, secrets) for secret in references(_without_addresses(system.options, fields))]
    return {**config, "name": system.name, "files": system.files, "secrets": known}


def _without_addresses(values: Mapping[str, Any], fields: tuple[Field, ...]) -> dict[str, Any]:
    """The settings that may hold what must not be shown. The address of a system stands in what it gives, which has to
    stay as it is: links to the next page, and to its own documents."""
    by_name = {field.name: field for field in fields}
    kept = {name: value for name, value in values.items() if name not in by_name or by_name[name].kind != "url"}
    return {
        name: _without_addresses(value, by_name[name].fields)
        if isinstance(value, Mapping) and name in by_name
        else value
        for name, value in kept.items()
    }


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


def open_rehearsal(system: System, own_connectors: Path | None = None) -> Rehearsal | None:
    """The system as one that nothing is sent to, without its secrets: ANY_SECRET stands for each. None where its
    connector has no such thing."""
    module = connectors.connector(system.connector, own_connectors)
    make = getattr(module, "rehearsal", None)
    if make is None:
        return None
    config = _without_secrets(_compiled(dict(system.options), connector_fields(module)))
    return make({**config, "name": system.name, "files": system.files})  # type: ignore[no-any-return]


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Secret):
        return ANY_SECRET
    if isinstance(value, Mapping):
        return {name: _without_secrets(part) for name, part in value.items()}
    return [_without_secrets(part) for part in value] if isinstance(value, list | tuple) else value
