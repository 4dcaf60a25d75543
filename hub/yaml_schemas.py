"""JSON Schemas of the YAML files, so that an editor completes and checks them while they are typed.

They are made from the same tables as the lint. The lint says more: it also knows what stands in the other files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import connectors
from connectors.base import Field
from hub.case_fields import ANSWER_FIELDS, MAPPING_TEST_FIELDS, ROUTE_TEST_FIELDS
from hub.grammar_schema import grammar_schema, idoc_schema
from hub.key_tables import default_text
from hub.partner_fields import FIELDS as PARTNER_FIELDS
from hub.project import document_of
from hub.route_fields import FIELDS as ROUTE_FIELDS
from hub.settings_fields import FIELDS as HUB_FIELDS
from hub.systems import COMMON, PRESET_FIELDS, PRESETS, preset_names, system_fields
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
    "file": {"type": "string"},
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
        "partners": partners_schema(),
        "route": route_schema(),
        "mapping": mapping_schema(),
        "environment": environment_schema(),
        "preset": preset_schema(connectors_folder),
        "mapping-test": object_schema(MAPPING_TEST_FIELDS),
        "route-test": route_test_schema(),
        "grammar": grammar_schema(),
        "idoc": idoc_schema(),
    }
    return {f"hub/{name}.schema.json": {"$schema": DIALECT, **schema} for name, schema in made.items()}


def schema_text(schema: Schema) -> str:
    """A schema as it is written to a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def route_schema() -> Schema:
    """A file under ``routes/``: one route, or a list of them."""
    one = object_schema(ROUTE_FIELDS)
    for place in (one["properties"]["from"], one["properties"]["to"]["items"]):
        place["oneOf"] = [{"required": ["system"]}, {"required": ["partner"]}]
    return {"$defs": {"route": one}, "if": {"type": "array"}, "then": {"items": {"$ref": "#/$defs/route"}},
            "else": {"$ref": "#/$defs/route"}}  # fmt: skip


def mapping_schema() -> Schema:
    """A mapping file; its tree is free, and the options of a side are the format's."""
    schema = object_schema(MAPPING_FIELDS)
    for side in ("source", "target"):
        schema["properties"][side].pop("additionalProperties")
    schema["properties"]["output"]["$ref"] = "#/$defs/tree"
    schema["properties"]["let"] |= {"type": "object", "additionalProperties": {"$ref": "#/$defs/tree"}}
    return {**schema, "$defs": {"tree": tree_schema()}}


_TREE = (
    ("each", "A list: the node becomes one item for each of its entries."),
    ("as", "The name of the entry within the loop."),
    ("index", "The name of the entry's number within the loop, which counts from 1."),
    ("let", "Names for values within the loop or the block."),
    ("when", "A loop leaves an entry out, a block itself, where this is not true."),
    ("item", "What becomes of each entry, or of the block."),
    ("const", "This very text or number, not an expression."),
)


def tree_schema() -> Schema:
    """A node of a mapping's tree: an expression, a list of nodes, or fields, among which some names steer."""
    node: Schema = {"$ref": "#/$defs/tree"}
    return {
        "type": ["object", "array", "string", "number", "boolean", "null"],
        "items": node,
        "properties": {name: {"description": about, **({} if name == "const" else node)} for name, about in _TREE},
        "additionalProperties": node,
    }


def preset_schema(folder: Path | None = None) -> Schema:
    """A file under ``connectors/presets/``: a connector's keys, of which the system that uses it gives the rest."""
    fields = _fields_of_connectors(folder)
    own = {field.name for field in PRESET_FIELDS}
    cases = [
        {
            "if": {"required": ["connector"], "properties": {"connector": {"const": name}}},
            "then": _partial(object_schema((*PRESET_FIELDS, *(field for field in given if field.name not in own)))),
        }
        for name, given in fields.items()
    ]
    known = object_schema(PRESET_FIELDS)
    known["properties"]["connector"]["enum"] = list(fields)
    return {**known, "additionalProperties": True, "allOf": cases}


def route_test_schema() -> Schema:
    """A test file beside routes: an answer is a status, or says more, or is a list of answers in turn."""
    schema = object_schema(ROUTE_TEST_FIELDS)
    answer: Schema = {"anyOf": [{"type": "integer"}, object_schema(ANSWER_FIELDS)]}
    answer["anyOf"][1]["properties"]["look_up"] |= {"$ref": "#/$defs/answer"}
    answers = schema["properties"]["cases"]["items"]["properties"]["answers"]
    one = {"$ref": "#/$defs/answer"}
    answers["additionalProperties"] = {"if": {"type": "array"}, "then": {"items": one}, "else": one}
    return {**schema, "$defs": {"answer": answer}}


def environment_schema() -> Schema:
    """A file under ``config/environments/``: single keys of the others."""
    sections = {
        "hub": {"description": "Keys of config/hub.yaml.", **_partial(object_schema(HUB_FIELDS))},
        "systems": {"description": "Keys of config/systems.yaml.", "additionalProperties": {"type": "object"}},
        "partners": {
            "description": "Keys of config/partners.yaml.",
            "additionalProperties": _partial(object_schema(PARTNER_FIELDS)),
        },
    }
    return {"type": "object", "properties": sections, "additionalProperties": False}


def systems_schema(files: Mapping[str, bytes], folder: Path | None = None) -> Schema:
    """``config/systems.yaml``: a system's keys follow from its connector, or from its preset's."""
    fields = _fields_of_connectors(folder)
    names = list(fields)
    presets = {name: _connector_of(files, name) for name in preset_names(files)}
    defs: dict[str, Schema] = {name: object_schema(given) for name, given in fields.items()}
    made = {f"preset-{name}": _partial(defs[name]) for name in sorted(set(presets.values()) & set(names))}
    cases = [_case("connector", name, name) for name in names]
    cases += [_case("preset", preset, f"preset-{name}") for preset, name in presets.items() if name in names]
    system: Schema = {
        "type": "object",
        "properties": {
            "connector": {**field_schema(COMMON[1]), "enum": names},
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


def partners_schema() -> Schema:
    """``config/partners.yaml``: partners by name."""
    return {
        "type": "object",
        "propertyNames": {"pattern": _NAME_PATTERN},
        "additionalProperties": object_schema(PARTNER_FIELDS),
    }


def _fields_of_connectors(folder: Path | None) -> dict[str, tuple[Field, ...]]:
    """The settings of a system by its connector; without those connectors that ``o2c check`` finds broken."""
    found = {}
    for name in connectors.names(folder):
        with suppress(connectors.Unloadable):
            found[name] = system_fields(name, folder)
    return found


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
