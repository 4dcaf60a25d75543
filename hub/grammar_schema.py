"""The JSON Schema of grammar files, for editors: their keys, and the notation of their lines."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_KEY = "[A-Za-z][A-Za-z0-9_]*"
_NAME = r"(\.|[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*)"
_FORM = "((an|a|n)(\\.\\.)?[1-9][0-9]*|(AN|ID|R|N[0-9]?|DT|TM|B) [0-9]+/[1-9][0-9]*)"
_NODE = f"^{_KEY} [MC]( ([1-9][0-9]*|>1))?( list)?( as {_KEY})?$"
_ENTRY = f"^[A-Z]?[0-9]{{1,4}} [MC]( ([1-9][0-9]*|>1))?( x[0-9]+)?( {_NAME})?$"
_NOTE = "^[PRECLON]([0-9]{2}){2,}$"
_BOUNDS = f"^(([MC]|[1-9][0-9]*|>1|{_FORM})( |$))+$"
_USED = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)* [MC]( \S+)*$"
_SAP = "[A-Z/][A-Z0-9_/]*"
_SEGMENT = f"^{_SAP} [MC]( ([1-9][0-9]*|>1))?( list)?$"
_FIELD = f"^{_SAP}( [1-9][0-9]{{0,3}}( (text|date|time|number))?)?$"
_TIMES = "^(([MC]|[1-9][0-9]*|>1)( |$))+$"
_CODES: Schema = {"type": ["string", "integer"]}
_REMOVE: Schema = {"const": "remove"}
_POLICY = ("reject", "report", "allow")


def grammar_schema() -> Schema:
    """A file of ``schemas/`` that is part of a grammar: a message, an overlay, or what messages share."""
    properties: Schema = {
        "title": _text("What the message is, in your words."),
        "extends": _text("The grammar or version that this file differs from: edifact/D96A/ORDERS, edifact/D96A."),
        "directory": _text("The version whose segments a message of your own uses: edifact/D96A."),
        "group": _text("X12: the functional identifier of GS01, for example PO."),
        "extra": {**_policy("What the grammar does not know, a segment or an element behind the last:")},
        "unknown_codes": {**_policy("A code that is not in the list:")},
        "structure": {"description": "The nodes of the message in their order.", "$ref": "#/$defs/nodes"},
        "remove": _list("Nodes and elements that are not used, by their paths."),
        "add": _map("Nodes before PATH, after PATH or in PATH.", {"$ref": "#/$defs/nodes"}, "^(before|after|in) "),
        "restrict": _map("Narrower: M, fewer repeats, a shorter type, by path.", {"type": ["string", "integer"],
                         "pattern": _BOUNDS}),
        "relax": _map("Wider: C, more repeats, a longer type, by path.", {"type": ["string", "integer"],
                      "pattern": _BOUNDS}),
        "uses": _map("The elements of a segment that are used, by its path; what breaks that is reported.", {
            "type": "array", "minItems": 1, "items": {"type": "string", "pattern": _USED}}),
        "unused": {**_policy("An element that 'uses' does not name, or asks for in vain:")},
        "segments": _map("Tag and title: the elements of the segment.", _definition()),
        "composites": _map("Number and title: the components of the composite.", _definition()),
        "elements": _map("Number: name, type and length.", {"anyOf": [
            {"type": "string", "pattern": f"^[a-z][a-z0-9_]* {_FORM}$"}, _REMOVE]}),
        "codes": _map("Number, or path: the codes, with blanks between or one a line with its meaning.", _CODES),
    }  # fmt: skip
    return {"type": "object", "properties": properties, "additionalProperties": False, "$defs": _definitions()}


def idoc_schema() -> Schema:
    """A file below ``schemas/idoc/``: the grammar of a type of IDoc, an overlay, or the segments that types share."""
    times: Schema = {"type": ["string", "integer"], "pattern": _TIMES}
    fields: Schema = {
        "type": "array", "minItems": 1, "items": {"type": "string", "pattern": _FIELD, "description": "NAME LENGTH"},
    }  # fmt: skip
    properties: Schema = {
        "title": _text("What the IDoc is, in your words."),
        "type": _text("Its IDOCTYP; none: that of the grammar it extends, or the name of the file."),
        "extends": _text("The grammar that this file differs from: idoc/ORDERS05."),
        "extra": {**_policy("What the grammar does not know, a segment or a field:")},
        "structure": {"description": "The segments of the IDoc in their order.", "$ref": "#/$defs/nodes"},
        "remove": _list("Segments that are not used, by their paths."),
        "add": _map("Segments before PATH, after PATH or in PATH.", {"$ref": "#/$defs/nodes"}, "^(before|after|in) "),
        "restrict": _map("Narrower: M, or fewer times, by path.", times),
        "relax": _map("Wider: C, or more times, by path.", times),
        "segments": _map("Type and title: the definition in flat files, then the fields.", fields, f"^{_SAP}( |$)"),
    }  # fmt: skip
    return {
        "type": "object", "properties": properties, "additionalProperties": False,
        "$defs": {"nodes": _nodes(_SEGMENT, "SEGMENT M|C TIMES")},
    }  # fmt: skip


def _nodes(pattern: str, words: str) -> Schema:
    """A list of lines, and of groups that are a line with a list of their own."""
    nodes: Schema = {"$ref": "#/$defs/nodes"}
    line: Schema = {"type": "string", "pattern": pattern, "description": words}
    group: Schema = {
        "type": "object", "additionalProperties": nodes, "propertyNames": {"pattern": pattern}, "maxProperties": 1,
    }  # fmt: skip
    return {"type": "array", "items": {"if": {"type": "object"}, "then": group, "else": line}}


def _definitions() -> Schema:
    entries: Schema = {"$ref": "#/$defs/entries"}
    entry: Schema = {"type": "string", "anyOf": [{"pattern": _ENTRY}, {"pattern": _NOTE}]}
    cluster: Schema = {
        "type": "object", "additionalProperties": entries, "propertyNames": {"pattern": f"^{_NAME} x[0-9]+$"},
        "maxProperties": 1,
    }  # fmt: skip
    return {
        "nodes": _nodes(_NODE, "TAG M|C REPEATS"),
        "entries": {"type": "array", "items": {"if": {"type": "object"}, "then": cluster, "else": entry}},
    }


def _definition() -> Schema:
    return {"anyOf": [{"$ref": "#/$defs/entries"}, _REMOVE]}


def _text(description: str) -> Schema:
    return {"description": description, "type": ["string", "integer"]}


def _policy(what: str) -> Schema:
    return {"description": f"{what} reject it, report it as a warning, or allow it.", "enum": list(_POLICY)}


def _list(description: str) -> Schema:
    return {"description": description, "type": ["array", "string"], "items": {"type": "string"}}


def _map(description: str, value: Schema, names: str = "") -> Schema:
    schema: Schema = {"description": description, "type": "object", "additionalProperties": value}
    return {**schema, "propertyNames": {"pattern": names}} if names else schema
