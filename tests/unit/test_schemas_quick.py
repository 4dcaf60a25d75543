"""The form of a schema that only says yes or no: it says what the schema says."""

from __future__ import annotations

from typing import Any

import pytest

from hub.schemas.quick import quick_form
from tests.unit.canonical import golden_names, schemas, type_of
from tests.unit.mutations import mutations

AB: dict[str, Any] = {"a": {"type": "string"}, "b": {}}
CLOSED: dict[str, Any] = {"properties": AB, "required": ["b", "a"], "additionalProperties": False}
COUNTED: dict[str, Any] = {"properties": AB, "minProperties": 2, "additionalProperties": False}


@pytest.mark.parametrize("name", golden_names())
def test_a_document_is_valid_where_it_has_no_faults(name: str) -> None:
    type_name = f"canonical/{type_of(name)}"
    for document in mutations(name, 60):
        assert schemas().is_valid(type_name, document) == (not schemas().faults(type_name, document)), document


@pytest.mark.parametrize(
    ("schema", "quick"),
    [
        (CLOSED, COUNTED),
        ({"items": CLOSED}, {"items": COUNTED}),
        ({"$defs": {"x": CLOSED}}, {"$defs": {"x": COUNTED}}),
        ({"anyOf": [CLOSED, {"$ref": "#"}]}, {"anyOf": [COUNTED, {"$ref": "#"}]}),
    ],
)
def test_fields_that_must_all_be_there_are_counted(schema: Any, quick: Any) -> None:
    assert quick_form(schema) == quick


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {"properties": AB, "required": ["a", "b"]},
        {**CLOSED, "required": ["a"]},
        {**CLOSED, "required": ["a", "a"]},
        {**CLOSED, "required": ["a", "c"]},
        {**CLOSED, "required": True},
        {**CLOSED, "additionalProperties": {"type": "string"}},
        {**CLOSED, "patternProperties": {"^x": {}}},
        {**CLOSED, "minProperties": 1},
        {"const": CLOSED},
        {"enum": [CLOSED]},
    ],
)
def test_any_other_schema_stays_as_it_is(schema: Any) -> None:
    assert quick_form(schema) == schema


def test_a_schema_is_not_changed_itself() -> None:
    schema = {"items": {**CLOSED}}
    quick_form(schema)
    assert schema == {"items": CLOSED}
