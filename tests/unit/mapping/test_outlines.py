"""Whatever describes a source, the same mistakes in a mapping are found by it: a schema, the options of a CSV file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.errors import ProjectError
from hub.formats import outline_of
from hub.mapping import compile_expression
from hub.outline import Outline
from hub.schemas import SchemaSet
from tests.unit.mapping.build import compiled

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:test:orders",
    "type": "object",
    "required": ["order_no", "rows"],
    "properties": {
        "order_no": {"type": "string"},
        "rows": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "sku": {"type": "string"},
                    "quantity": {"type": "number"},
                    "due": {"type": ["string", "null"], "format": "date"},
                },
            },
        },
    },
}
CSV: dict[str, Any] = {
    "columns": ["order_no", "sku", "quantity", "due"],
    "types": {"quantity": "decimal", "due": "date"},
    "group_by": ["order_no"],
}


def _schema() -> Outline:
    return SchemaSet({"schemas/shop/order.schema.json": json.dumps(SCHEMA)}).outline("shop/order")


def _csv() -> Outline:
    found = outline_of("csv", CSV)
    assert found is not None
    return found


OUTLINES = {"a JSON Schema": _schema, "the options of a CSV file": _csv}


def faults(expression: str, outline: Outline | None) -> list[str]:
    try:
        compile_expression(
            expression, file="x.yaml", line=1, column=1, names=("src",), known={"src": outline} if outline else {}
        )
    except ProjectError as error:
        return [fault.message for fault in error.faults]
    return []


@pytest.mark.parametrize("described", OUTLINES)
@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("src.ordr_no", "src has no field 'ordr_no'; did you mean 'order_no'?"),
        ("src.order_no * 2", "src.order_no is text in the source; arithmetic needs dec(src.order_no)"),
        ("src.rows.sku", "src.rows is a list; loop over it or take [0]"),
        ("src.rows[0].skuu", "src.rows[0] has no field 'skuu'; did you mean 'sku'?"),
        ("sum(r.sku for r in src.rows) * r", "unknown name 'r'"),
        ("upper(src.rows[0].quantity)", "src.rows[0].quantity is a number; upper needs text(src.rows[0].quantity)"),
        ("src.rows[0].due > 5", "src.rows[0].due is text and is compared with a number"),
        ("src.order_no.first", "src.order_no is text and has no fields"),
    ],
)
def test_the_same_mistakes_are_found_by(described: str, expression: str, message: str) -> None:
    assert any(found.startswith(message) for found in faults(expression, OUTLINES[described]()))


@pytest.mark.parametrize("described", OUTLINES)
@pytest.mark.parametrize(
    "expression", ["sum(r.quantity * 2 for r in src.rows)", "left(src.rows[0].due, 4)", "src.order_no + 'x'"]
)
def test_what_fits_is_left_in_peace_by(described: str, expression: str) -> None:
    assert faults(expression, OUTLINES[described]()) == []


@pytest.mark.parametrize("described", OUTLINES)
def test_an_outline_answers_every_question_of_the_lint_by(described: str) -> None:
    outline = OUTLINES[described]()
    assert (outline.kind, sorted(outline.names or ()), sorted(outline.required)) == (
        "object", ["order_no", "rows"], ["order_no", "rows"],
    )  # fmt: skip
    rows = outline.field("rows")
    assert rows is not None
    assert (rows.kind, rows.names, rows.codes) == ("list", None, None)
    assert rows.element is not None
    assert [(name, getattr(rows.element.field(name), "kind", None)) for name in ("sku", "quantity", "due", "none")] == [
        ("sku", "text"), ("quantity", "number"), ("due", "date"), ("none", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "expression", "message"),
    [
        ({"columns": ["sku", "total"]}, "src.totl", "src has no field 'totl'; did you mean 'total'?"),
        ({"columns": ["sku", "total"]}, "src.total", ""),
        ({"types": {"total": "decimal"}}, "src.anything", ""),  # the header may name more
        ({"types": {"total": "decimal"}}, "upper(src.total)", "src.total is a number; upper needs text(src.total)"),
        ({"group_by": ["sku"]}, "src.skuu", "src has no field 'skuu'; did you mean 'sku'?"),
        ({"group_by": ["sku"]}, "src.rows[0].anything", ""),
        ({"group_by": ["sku"], "columns": ["sku", "n"]}, "src.rows[0].sku", "src.rows[0] has no field 'sku'; known: n"),
        ({"trim": True}, "src.anything", ""),
        ({"columns": ["a", "a"]}, "src.anything", ""),  # the options themselves are at fault, which is told elsewhere
    ],
)
def test_the_options_of_a_csv_file_say_what_its_rows_are(
    options: dict[str, Any], expression: str, message: str
) -> None:  # fmt: skip
    assert faults(expression, outline_of("csv", options)) == ([message] if message else [])


def test_fields_that_stand_in_the_parts_of_a_schema_are_known() -> None:
    schema = {
        **SCHEMA,
        "allOf": [{"properties": {"extra": {"type": "integer"}}}],
        "properties": {"kind": {"enum": ["a", "b"], "type": "string"}, "open": {"type": "object"}},
    }
    outline = SchemaSet({"schemas/shop/order.schema.json": json.dumps(schema)}).outline("shop/order")
    assert faults("upper(src.extra)", outline) == ["src.extra is a whole number; upper needs text(src.extra)"]
    assert faults("src.open.anything", outline) == []
    kind = outline.field("kind")
    assert kind is not None
    assert kind.codes is not None
    assert list(kind.codes.values) == ["a", "b"]


def test_a_column_that_a_mapping_misspells_is_found_without_a_schema() -> None:
    head = "source: {format: csv, columns: [sku, total], types: {total: decimal}}\ntables: []"
    with pytest.raises(ProjectError) as raised:
        compiled("output:\n  a: src.skuu\n  b: upper(src.total)\n", head=head)
    assert [str(fault).partition(":")[2] for fault in raised.value.faults] == [
        "2:6: error: the source has no field 'skuu'; did you mean 'sku'?",
        "3:12: error: src.total is a number; upper needs text(src.total)",
    ]
