"""A schema that refuses the same documents as another, and takes less time for it. Never used to tell what is wrong."""

from __future__ import annotations

from typing import Any

_DATA = {"enum", "const", "default", "examples"}  # what stands there is no schema


def quick_form(schema: Any) -> Any:
    """The schema with its fields counted wherever each of them must be there and no other may: what takes the validator
    longest is to look for every field by its name."""
    if isinstance(schema, list):
        return [quick_form(below) for below in schema]
    if not isinstance(schema, dict):
        return schema
    quick = {word: below if word in _DATA else quick_form(below) for word, below in schema.items()}
    if _names_all_fields(schema):
        quick["minProperties"] = len(quick.pop("required"))
    return quick


def _names_all_fields(schema: dict[str, Any]) -> bool:
    required, fields = schema.get("required"), schema.get("properties")
    if not isinstance(required, list) or not isinstance(fields, dict) or len(required) != len(fields):
        return False
    is_closed = schema.get("additionalProperties") is False and "patternProperties" not in schema
    return is_closed and "minProperties" not in schema and all(name in required for name in fields)
