"""The options of a format and the schema beside them: what only one of them has, or each has otherwise, is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.errors import ProjectError
from hub.mapping import compile_mapping
from hub.mapping_formats import mapping_format_faults
from hub.project import reference_files
from hub.schemas import SchemaSet
from hub.yamldoc import parse_yaml
from tests.unit.mapping.build import TABLES, compiled

_TEXT = {"type": "string"}
_ROW = {"sku": _TEXT, "qty": {"type": "number"}, "due": {"type": "string", "format": "date"}, "note": _TEXT}


def _file(fields: dict[str, Any], required: list[str], name: str) -> str:
    return json.dumps({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{name}", "type": "object",
        "additionalProperties": False, "required": required, "properties": fields,
    })  # fmt: skip


_ROWS = {"type": "array", "items": {"type": "object", "additionalProperties": False, "properties": _ROW}}
SCHEMAS = SchemaSet({
    "schemas/shop/rows.schema.json": _file(_ROW, ["sku", "qty"], "rows"),
    "schemas/shop/orders.schema.json": _file({"no": _TEXT, "rows": _ROWS}, ["no", "rows"], "orders"),
})  # fmt: skip
ALL = "columns: [sku, qty, due, note], types: {qty: decimal, due: date}"


def told(source: str) -> list[str]:
    """What is said of a source, with line and column."""
    head = f"source: {{format: csv, {source}}}\ntables: []"
    try:
        faults = compiled("output: {a: 1}", schemas=SCHEMAS, head=head).warnings
    except ProjectError as error:
        faults = tuple(error.faults)
    return [str(fault).partition("sample.yaml:")[2] for fault in faults]


SIDES = [
    (ALL.replace("note]", "ntoe]"), [
        "4:47: error: 'ntoe' is not in the schema shop/rows; did you mean 'note'?",
        "4:27: warning: the schema shop/rows has 'note', which the options here lack; did you mean 'ntoe'?",
    ]),
    (ALL.replace(", note]", "]"), [
        "4:32: warning: the schema shop/rows has 'note', which the options here lack; it would never be there",
    ]),
    ("columns: [sku, due, note], types: {due: date}", [
        "4:32: error: the schema shop/rows has 'qty', which the options here lack; it would never be there",
    ]),
    (ALL.replace("qty: decimal, ", ""), [
        "4:37: error: 'qty' is text by the options here, and a number in the schema shop/rows; write types: {qty: "
        "decimal}, or change the schema",
    ]),
    (ALL.replace("due: date", "due: date, note: decimal"), [
        "4:94: error: 'note' is a number by the options here, and text in the schema shop/rows; write types: {note: "
        "text}, or change the schema",
    ]),
    ("trim: true", []),
    (ALL, []),
]  # fmt: skip


@pytest.mark.parametrize(("options", "expected"), SIDES)
def test_columns_are_held_against_the_schema(options: str, expected: list[str]) -> None:
    found = told(f"{options}, schema: shop/rows")
    assert sorted(one.partition(": ")[2] for one in found) == sorted(one.partition(": ")[2] for one in expected)
    assert all(one.startswith("4:") for one in found)


def test_groups_of_rows_are_held_against_the_schema() -> None:
    types = "types: {qty: decimal, due: date}"
    assert told(f"schema: shop/orders, group_by: [no], {types}") == []
    assert [one.partition(": ")[2] for one in told(f"schema: shop/orders, group_by: [nmber], {types}")] == [
        "error: 'nmber' is not in the schema shop/orders; known: no",
        "error: the schema shop/orders has 'no', which the options here lack; it would never be there",
    ]
    assert [one.partition(": ")[2] for one in told("schema: shop/orders, group_by: [no], types: {due: date}")] == [
        "error: 'rows[].qty' is text by the options here, and a number in the schema shop/orders; write types: {qty: "
        "decimal}, or change the schema",
    ]


def test_the_targets_side_is_looked_at_too() -> None:
    head = "target: {format: csv, columns: [sku, qyt], types: {qyt: decimal}, schema: shop/rows}\ntables: []"
    with pytest.raises(ProjectError) as raised:
        compiled("output: {sku: 'src.a', qty: 1}", schemas=SCHEMAS, head=head)
    assert "4:38: error: 'qyt' is not in the schema shop/rows; did you mean 'qty'?" in str(raised.value)


GRAMMARS = SchemaSet(reference_files())
LISTS = [
    ("schema: edifact/D96A/PRICAT, records: PGI_group.LIN_group", []),
    ("schema: edifact/D96A/PRICAT, records: PGI_group.LIN_grup", [
        "3:65: error: records: there is no 'LIN_grup' in PGI_group; did you mean 'LIN_group'?",
    ]),
    ("schema: edifact/D96A/PRICAT, records: LIN_group", [
        "3:65: error: records: there is no 'LIN_group' at the top of edifact/D96A/PRICAT; did you mean 'PGI_group'?",
    ]),
    ("schema: edifact/D96A/PRICAT, records: BGM", [
        "3:65: error: records: 'BGM' stands once in edifact/D96A/PRICAT; name a segment or a group that may repeat",
    ]),
    ("records: LIN_group", [
        "3:27: error: source: records needs a grammar, which names the lists of a message; write schema: "
        "edifact/VERSION/MESSAGE beside it",
    ]),
]  # fmt: skip


OF_UBL = [
    ("schema: ubl/2.1/Catalogue, records: CatalogueLine", []),
    ("schema: ubl/2.1/Catalogue, records: CatalogLine", [
        "3:59: error: records: there is no 'CatalogLine' at the top of ubl/2.1/Catalogue; did you "
        "mean 'CatalogueLine'?",
    ]),
    ("schema: ubl/2.1/Catalogue, records: IssueDate", [
        "3:59: error: records: 'IssueDate' stands once in ubl/2.1/Catalogue; name an element that may repeat",
    ]),
    ("schema: ubl/2.1/Catalogue, records: CatalogueLine.Note", [
        "3:59: error: records: 'CatalogueLine.Note' does not stand at the top of ubl/2.1/Catalogue; name a "
        "list that does",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "faults"), OF_UBL, ids=[source for source, _ in OF_UBL])
def test_the_list_that_a_document_is_cut_along_is_one_of_its_top(source: str, faults: list[str]) -> None:
    assert of_source(f"format: ubl, {source}", "src.IssueDate") == faults


@pytest.mark.parametrize(("source", "faults"), LISTS, ids=[source for source, _ in LISTS])
def test_the_list_that_a_message_is_cut_along_is_one_of_its_grammar(source: str, faults: list[str]) -> None:
    assert of_source(f"format: edifact, {source}", "src.DTM") == faults


def of_source(source: str, expression: str) -> list[str]:
    """What is said of a mapping from this source, without the file."""
    text = f"mapping: sample\nversion: 1\nsource: {{{source}}}\noutput: {{a: {expression}}}\n"
    said = [str(fault) for fault in mapping_format_faults(parse_yaml(text, "sample.yaml"))]
    try:
        compile_mapping(text, "sample.yaml", tables=TABLES, schemas=GRAMMARS)
    except ProjectError as error:
        said += [str(fault) for fault in error.faults]
    return [each.partition("sample.yaml:")[2] for each in said]


TWO_ROOTS = "target: an XML document has one root element, 'Order' here; put 'Total' below it"
NO_NAME = (
    "target: XML has no element or attribute called '{}'; a name begins with a letter and goes on with letters, "
    "digits, '-', '.' and '_'"
)


@pytest.mark.parametrize(
    ("target", "output", "faults"),
    [
        ("xml", "{Order: {_id: src.id, 'b:Line?': {_text: src.a}}}", []),
        ("xml", "{Order: {Lines: {each: src.lines, as: line, item: {No: line.no}}}}", []),
        ("xml", "{Order: {Codes: {const: {two words: 1}}}}", []),
        ("xml", "{Order?: src.order, Credit?: src.credit}", []),
        ("xml, records: Orders", "{Order: src.a, Total: src.b}", []),
        ("json", "{Order Date: src.a, Total: src.b}", []),
        ("xml", "{Order: src.a, Total: src.b}", [f"4:24: error: {TWO_ROOTS}"]),
        ("xml", "{Order: {Order Date: src.a}}", [f"4:18: error: {NO_NAME.format('Order Date')}"]),
        ("xml", "{Order: [{_7: src.a}]}", [f"4:19: error: {NO_NAME.format('_7')}"]),
        ("xml", "{Order: {each: src.l, as: l, item: {2nd: l.a}}}", [f"4:45: error: {NO_NAME.format('2nd')}"]),
    ],
)
def test_what_a_mapping_writes_out_is_what_xml_can_hold(target: str, output: str, faults: list[str]) -> None:
    text = f"mapping: sample\nversion: 1\ntarget: {{format: {target}}}\noutput: {output}\n"
    said = [str(fault) for fault in mapping_format_faults(parse_yaml(text, "sample.yaml"))]
    assert [each.partition("sample.yaml:")[2] for each in said] == faults
