"""JSON Schemas of the YAML files, so that an editor completes and checks them while they are typed.

They are made from the same tables as the lint. The lint says more: it also knows what stands in the other files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import connectors
from connectors.base import Field
from hub.key_tables import default_text
from hub.project import document_of
from hub.route_fields import FIELDS as ROUTE_FIELDS
from hub.settings_fields import FIELDS as HUB_FIELDS
from hub.systems import COMMON, PRESETS, preset_names, system_fields
from hub.units import DURATION_PATTERN, RATE_PATTERN, SHARE_PATTERN, SIZE_PATTERN

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SECRET_PATTERN = "^secret://(env|file)/[A-Za-z0-9_][A-Za-z0-9_.-]*$"  # noqa: S105 - the form of a reference
_NAME_PATTERN = "^[A-Za-z0-9][A-Za-z0-9_.-]*$"
_SIDE = (
    Field("format", "text", "The format of the documents on this side; none: the system's."),
    Field("schema", "text", "The schema of the documents, e.g. canonical/order or shopify/order."),
)
MAPPING_FIELDS = (
    Field("mapping", "text", "The mapping's name: the name of its file.", required=True),
    Field("version", "integer", "Raised when the result changes in a way that others must know of."),
    Field("description", "text", "What becomes of what, in your own words."),
    Field("source", "group", "What comes in; further keys are options of the format.", fields=_SIDE),
    Field("target", "group", "What goes out; further keys are options of the format.", fields=_SIDE),
    Field("tables", "list", "The look-up tables it uses: files under mappings/tables/.", fields=(Field(""),)),
    Field("let", "raw", "Names for values that are used more than once; later ones may use earlier ones."),
    Field("output", "raw", "The document that comes out: a tree whose leaves are expressions.", required=True),
)
_KINDS: Mapping[str, Schema] = {
    "text": {"type": ["string", "number"]},
    "url": {"type": "string"},
    "address": {"type": "string"},
    "secret": {"type": "string", "pattern": _SECRET_PATTERN},
    "integer": {"type": "integer", "minimum": 0},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "duration": {"type": "string", "pattern": DURATION_PATTERN},
    "size": {"type": "string", "pattern": SIZE_PATTERN},
    "rate": {"type": "string", "pattern": RATE_PATTERN},
    "share": {"type": "string", "pattern": SHARE_PATTERN},
    "expression": {"type": ["string", "number", "boolean"]},
    "texts": {"anyOf": [{"type": ["string", "number"]}, {"type": "array", "items": {"type": ["string", "number"]}}]},
    "raw": {},
}


def yaml_schemas(files: Mapping[str, bytes], connectors_folder: Path | None = None) -> dict[str, Schema]:
    """The schemas by the path they are written to, below ``schemas/``. ``files`` give the presets there are."""
    made = {
        "hub": object_schema(HUB_FIELDS),
        "systems": systems_schema(files, connectors_folder),
        "route": route_schema(),
        "mapping": mapping_schema(),
        "environment": environment_schema(),
    }
    return {f"hub/{name}.schema.json": {"$schema": DIALECT, **schema} for name, schema in made.items()}


def route_schema() -> Schema:
    """A file under ``routes/``: one route, or a list of them."""
    one = object_schema(ROUTE_FIELDS)
    return {"$defs": {"route": one}, "if": {"type": "array"}, "then": {"items": {"$ref": "#/$defs/route"}},
            "else": {"$ref": "#/$defs/route"}}  # fmt: skip


def mapping_schema() -> Schema:
    """A mapping file; its tree is free, and the options of a side are the format's."""
    schema = object_schema(MAPPING_FIELDS)
    for side in ("source", "target"):
        schema["properties"][side].pop("additionalProperties")
    return schema


def environment_schema() -> Schema:
    """A file under ``config/environments/``: single keys of the others."""
    sections = {
        "hub": {"description": "Keys of config/hub.yaml.", **_partial(object_schema(HUB_FIELDS))},
        "systems": {"description": "Keys of config/systems.yaml.", "additionalProperties": {"type": "object"}},
        "partners": {"description": "Keys of config/partners.yaml.", "type": "object"},
    }
    return {"type": "object", "properties": sections, "additionalProperties": False}


def systems_schema(files: Mapping[str, bytes], folder: Path | None = None) -> Schema:
    """``config/systems.yaml``: a system's keys follow from its connector, or from its preset's."""
    names = connectors.names(folder)
    presets = {name: _connector_of(files, name) for name in preset_names(files)}
    defs: dict[str, Schema] = {name: object_schema(system_fields(name, folder)) for name in names}
    made = {f"preset-{name}": _partial(defs[name]) for name in sorted(set(presets.values()) & set(names))}
    cases = [_case("connector", name, name) for name in names]
    cases += [_case("preset", preset, f"preset-{name}") for preset, name in presets.items() if name in names]
    system: Schema = {
        "type": "object",
        "properties": {
            "connector": {**field_schema(COMMON[1]), "enum": list(names)},
            "preset": {**field_schema(COMMON[0]), "enum": list(presets)},
        },
        "anyOf": [{"required": ["connector"]}, {"required": ["preset"]}],
        "allOf": cases,
    }
    return {
        "type": "object",
        "propertyNames": {"pattern": _NAME_PATTERN},
        "additionalProperties": {"$ref": "#/$defs/system"},
        "$defs": {"system": system, **defs, **made},
    }


def _case(key: str, value: str, definition: str) -> Schema:
    given: Schema = {"required": [key], "properties": {key: {"const": value}}}
    if key == "connector":
        given["not"] = {"required": ["preset"]}
    return {"if": given, "then": {"$ref": f"#/$defs/{definition}"}}


def _connector_of(files: Mapping[str, bytes], preset: str) -> str:
    root, _ = document_of(files, f"{PRESETS}{preset}.yaml")
    node = root.get("connector")
    return node.text if node else ""


def _partial(schema: Schema) -> Schema:
    """The same object with nothing required, all the way down: another file gives the rest."""
    kept = {name: value for name, value in schema.items() if name != "required"}
    if "properties" in kept:
        kept["properties"] = {name: _partial(part) for name, part in kept["properties"].items()}
    return kept


def object_schema(fields: Sequence[Field]) -> Schema:
    """A mapping with these keys and no others."""
    schema: Schema = {
        "type": "object",
        "properties": {field.name: field_schema(field) for field in fields},
        "additionalProperties": False,
    }
    required = [field.name for field in fields if field.required]
    return {**schema, "required": required} if required else schema


def field_schema(field: Field) -> Schema:
    """One key: its kind, what it is for, its default."""
    schema: Schema = {"description": field.description} if field.description else {}
    if text := default_text(field):
        schema["default"] = text if field.kind in ("duration", "size", "share") else field.default
    match field.kind:
        case "choice":
            return {**schema, "enum": list(field.choices)}
        case "group":
            return {**schema, **object_schema(field.fields)}
        case "list":
            return {**schema, "type": "array", "items": _element(field)}
        case "map":
            return {**schema, "type": "object", "additionalProperties": _element(field)}
        case kind:
            return {**schema, **_KINDS.get(kind, {})}


def _element(field: Field) -> Schema:
    if len(field.fields) == 1 and not field.fields[0].name:
        return field_schema(field.fields[0])
    return object_schema(field.fields) if field.fields else {}
