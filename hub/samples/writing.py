"""What was seen in samples, as a JSON Schema 2020-12 that a mapping can name. No value of a sample stands in it."""

from __future__ import annotations

from typing import Any

from hub.samples.seen import Seen

_TYPES = {"text": "string", "integer": "integer", "number": "number", "boolean": "boolean", "object": "object",
          "list": "array", "nothing": "null"}  # fmt: skip
_FORMATS = {"date": "date", "instant": "date-time"}
_NOTE = (
    "Made from samples by o2c infer. A field that is not listed here is taken for a mistake where a mapping reads it."
)

_NOTES = (
    ({"number", "digits"}, "Digits as text: an identifier, or a number that arithmetic needs dec(…) for."),
    ({"number"}, "A number written as text: arithmetic needs dec(…)."),
    ({"digits"}, "Digits with zeros in front: an identifier."),
    ({"comma"}, "A number written as text with a decimal comma: arithmetic needs dec(replace(…, ',', '.'))."),
)


def schema_of(seen: Seen, title: str = "") -> dict[str, Any]:
    """The schema of all documents seen."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    number = f"{seen.times} sample document{'' if seen.times == 1 else 's'}"
    return {**head, "title": title or f"What {number} looked like", "$comment": _NOTE, **_place(seen)}


def _place(seen: Seen) -> dict[str, Any]:
    kinds = _kinds(seen)
    if kinds in ([], ["nothing"]):
        return {"description": "Only null was seen." if kinds else "Nothing was seen."}
    names = [_TYPES[kind] for kind in kinds]
    schema: dict[str, Any] = {"type": names[0] if len(names) == 1 else names}
    if note := _note(seen, kinds):
        schema = {"description": note, **schema}
    schema |= _text(seen) if "text" in kinds else {}
    schema |= _object(seen) if "object" in kinds else {}
    if "list" in kinds and seen.items is not None:
        schema["items"] = _place(seen.items)
    return schema


def _kinds(seen: Seen) -> list[str]:
    """The kinds seen, in a fixed order; whole numbers are numbers where both were seen."""
    kinds = [kind for kind in _TYPES if kind in seen.kinds]
    return [kind for kind in kinds if kind != "integer"] if "number" in kinds else kinds


def _note(seen: Seen, kinds: list[str]) -> str:
    """What a mapping's author should know that the schema's own words cannot say."""
    if "list" in kinds and "object" in kinds:
        return "A list, and where there is only one of it an object without a list: read it through listed(…)."
    solid = [kind for kind in kinds if kind != "nothing"]
    if len(solid) > 1:
        return "Seen in several kinds."
    if solid != ["text"] or not seen.is_filled:
        return "A list that was always empty." if solid == ["list"] and seen.items is None else ""
    return next((note for forms, note in _NOTES if forms <= seen.forms), "")


def _text(seen: Seen) -> dict[str, Any]:
    found: dict[str, Any] = {}
    form = next((form for form in _FORMATS if form in seen.forms and seen.is_filled), "")
    if form:
        found["format"] = _FORMATS[form]
    if "email" in seen.forms and seen.is_filled:
        found["x-pii"] = True
    if seen.codes is not None:
        found["enum"] = [*seen.codes.values, *([None] if "nothing" in seen.kinds else [])]
    return found


def _object(seen: Seen) -> dict[str, Any]:
    if seen.has_data_as_names:
        return {"additionalProperties": _place(seen.any_field)}
    found: dict[str, Any] = {"properties": {name: _place(child) for name, child in seen.fields.items()}}
    if required := list(seen.required):
        found["required"] = required
    return found
