"""Lint: types from the source's schema through the mapping to the target's, every finding with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.errors import ProjectError
from hub.schemas import SchemaSet
from tests.unit.mapping.build import FILE, compiled

_TEXT: dict[str, Any] = {"type": "string"}
SOURCE = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "name": _TEXT,
        "created_at": {"type": "string", "format": "date-time"},
        "price": _TEXT,
        "quantity": {"type": "integer"},
        "flag": {"type": "boolean"},
        "customer": {"anyOf": [{"$ref": "#/$defs/customer"}, {"type": "null"}]},
        "shipping_lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        "open": {"type": "object", "additionalProperties": True, "properties": {"known": _TEXT}},
        "codes": {"type": "array", "items": _TEXT},
    },
    "$defs": {
        "customer": {"type": "object", "properties": {"email": _TEXT, "id": {"type": ["integer", "null"]}}},
        "line": {"type": "object", "properties": {"title": _TEXT, "price": _TEXT, "quantity": {"type": "number"}}},
    },
}
TARGET = {
    "type": "object",
    "additionalProperties": False,
    "required": ["order_id", "issue_date"],
    "properties": {
        "order_id": _TEXT,
        "issue_date": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "count": {"type": "integer"},
        "total": {"type": "number"},
        "flag": {"type": "boolean"},
        "kind": {"enum": ["goods", "service"], "type": "string"},
        "buyer": {"type": "object", "additionalProperties": False, "required": ["name"], "properties": {"name": _TEXT}},
        "amount": {"type": "object", "properties": {"amount": _TEXT, "currency": _TEXT}},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"n": _TEXT, "q": {"type": "integer"}},
            },
        },
        "notes": {"type": "array", "items": _TEXT},
        "extensions": {"type": "object"},
    },
}
_DIALECT = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
SCHEMAS = SchemaSet(
    {
        "schemas/shop/order.schema.json": json.dumps({**_DIALECT, "$id": "urn:test:shop", **SOURCE}),
        "schemas/erp/order.schema.json": json.dumps({**_DIALECT, "$id": "urn:test:erp", **TARGET}),
    }
)
HEAD = "source: {schema: shop/order}\ntarget: {schema: erp/order}\ntables: []"
REQUIRED = "  order_id: src.name\n  issue_date: date(src.created_at)\n"

FOUND: list[tuple[str, str]] = [
    ("date(src.createdat)", "4:11: error: the source has no field 'createdat'; did you mean 'created_at'?"),
    ("src.customer.emial", "4:6: error: the source has no field 'customer.emial'; did you mean 'email'?"),
    ("src['nme']", "4:6: error: src has no field 'nme' in the source; did you mean 'name'?"),
    ("src.price * 2", "4:6: error: src.price is text in the source; arithmetic needs dec(src.price)"),
    ("src.quantity + src.price", "4:6: error: src.price is text in the source; arithmetic needs dec(src.price)"),
    (
        "sum(l.quantity * l.price for l in src.shipping_lines)",
        "4:10: error: l.price is text in the source; arithmetic needs dec(l.price)",
    ),
    ("money(src.price, 'EUR')", "4:12: error: src.price is text in the source; money needs dec(src.price)"),
    ("upper(src.id)", "4:12: error: src.id is a whole number; upper needs text(src.id)"),
    ("src.shipping_lines.title", "4:6: error: src.shipping_lines is a list; loop over it or take [0]"),
    ("src.shipping_lines[0].titel", "error: the source has no field 'shipping_lines[0].titel'; did you mean 'title'?"),
    ("[l.pric for l in src.shipping_lines]", "4:8: error: l has no field 'pric' in the source; did you mean 'price'?"),
    ("[l for l in src.customer]", "4:19: error: a loop wants a list, src.customer is an object"),
    ("[l for l in src.name]", "4:19: error: a loop wants a list, src.name is text"),
    ("src.name.first", "4:6: error: src.name is text and has no fields"),
    ("src.id[0]", "4:6: error: src.id is a whole number, not a list"),
    (
        "src.price > 0",
        "4:6: error: src.price is text and is compared with a number; write dec(src.price) or quote the number",
    ),
    ("src.flag * 2", "4:6: error: src.flag is true/false; arithmetic needs numbers"),
    ("-src.price", "4:6: error: src.price is text; arithmetic needs dec(src.price)"),
    ("envelope.evnt", "4:6: error: envelope has no field 'evnt'; did you mean 'event'?"),
    ("has(src.nam)", "error: the source has no field 'nam'; did you mean 'name'?"),
    ("first(l.titel for l in src.shipping_lines)", "has no field 'titel' in the source; did you mean 'title'?"),
    ("first(src.shipping_lines).titel", "has no field 'titel' in the source; did you mean 'title'?"),
    ("distinct(src.shipping_lines)[0].titel", "has no field 'titel' in the source; did you mean 'title'?"),
    ("(src.customer or src.customer).emial", "has no field 'emial' in the source; did you mean 'email'?"),
    ("default(src.customer, src.customer).emial", "has no field 'emial' in the source; did you mean 'email'?"),
]


@pytest.mark.parametrize(("expression", "message"), FOUND)
def test_a_mistake_in_an_expression_is_found_by_the_source_schema(expression: str, message: str) -> None:
    quoted = f'"{expression}"' if expression.startswith("[") else expression
    with pytest.raises(ProjectError) as raised:
        compiled(f"let:\n  a: 1\n  z: 2\n  x: {quoted}\noutput:\n{REQUIRED}", schemas=SCHEMAS, head=HEAD)
    assert message in str(raised.value)


FITS = [
    "src.open.anything",
    "src.open.known",
    "src.customer.id",
    "text(src.id)",
    "dec(src.price) * src.quantity",
    "src.name + 'x'",
    "src.name == null",
    "sum(dec(l.price) for l in src.shipping_lines)",
    "src.codes[0] + '-'",
    "src.customer.email or src.name",
    "date(src.created_at)",
    "left(src.created_at, 10)",
    "src.price in ['1.00']",
    "src.quantity > 0",
    "first(src.codes)",
]


@pytest.mark.parametrize("expression", FITS)
def test_what_fits_the_source_schema_is_left_in_peace(expression: str) -> None:
    mapping = compiled(f"let:\n  x: {expression}\noutput:\n{REQUIRED}", schemas=SCHEMAS, head=HEAD)
    assert not [fault for fault in mapping.warnings if fault.severity == "error"]


TARGETS: list[tuple[str, str]] = [
    ("  town: src.name", "4:3: error: the target has no field 'town'"),
    ("  buyer: {name: src.name, town: src.name}", "4:27: error: the target has no field 'buyer.town'; known: name"),
    ("  buyer: {}", "4:3: error: required target field 'buyer.name' is never set"),
    ("  buyer: {name?: src.name}", "4:11: warning: the target requires 'buyer.name'; 'name?' may leave it out"),
    ("  at: dec(src.price)", "4:7: error: at: the expression gives a number, the target wants an instant"),
    ("  flag: src.name", "4:9: error: flag: the expression gives text, the target wants true/false"),
    (
        "  count: src.price",
        "4:10: error: count: the expression gives text, the target wants a whole number; write dec(…)",
    ),
    (
        "  kind: dec(src.price)",
        "4:9: error: kind: the expression gives a number, the target wants text; write text(dec(src.price))",
    ),
    (
        "  kind: {const: goodies}",
        "4:9: error: kind: 'goodies' is not one of the target's values; did you mean 'goods'?",
    ),
    ("  kind: 5", "4:9: error: kind: a whole number stands here, the target wants text; write {const: '5'}"),
    ("  amount: dec(src.price)", "4:11: error: amount: the expression gives a number, the target wants an object"),
    ("  lines: {n: src.name}", "4:3: error: lines: an object stands here, the target wants a list"),
    (
        "  lines: {each: src.shipping_lines, as: l, item: {m: l.title}}",
        "4:51: error: the target has no field 'lines[].m'",
    ),
    (
        "  lines: {each: src.shipping_lines, as: l, item: {n: l.quantity}}",
        "4:54: error: lines[].n: the expression gives a number, the target wants text; write text(l.quantity)",
    ),
    ("  order: {each: src.shipping_lines, as: l, item: 1}", "4:3: error: the target has no field 'order'"),
    (
        "  buyer: {each: src.shipping_lines, as: l, item: 1}",
        "4:3: error: buyer: a list stands here, the target wants an object",
    ),
    (
        "  notes: [src.id]",
        "4:11: error: notes[]: the expression gives a whole number, the target wants text; write text(src.id)",
    ),
]


@pytest.mark.parametrize(("field", "message"), TARGETS)
def test_a_mistake_in_the_tree_is_found_by_the_target_schema(field: str, message: str) -> None:
    body = f"output:\n{REQUIRED}{field}\n"
    if ": warning:" in message:
        assert message in "\n".join(map(str, compiled(body, schemas=SCHEMAS, head=HEAD).warnings))
        return
    with pytest.raises(ProjectError) as raised:
        compiled(body, schemas=SCHEMAS, head=HEAD)
    assert message in str(raised.value)


def test_a_date_field_that_gets_a_number_says_so() -> None:
    with pytest.raises(ProjectError) as raised:
        compiled("output:\n  order_id: src.name\n  issue_date: dec(src.price)\n", schemas=SCHEMAS, head=HEAD)
    expected = f"{FILE}:3:15: error: issue_date: the expression gives a number, the target wants a date"
    assert expected in str(raised.value)


def test_a_required_field_that_is_never_set_is_an_error() -> None:
    with pytest.raises(ProjectError) as raised:
        compiled("output:\n  order_id: src.name\n", schemas=SCHEMAS, head=HEAD)
    assert f"{FILE}:1:1: error: required target field 'issue_date' is never set" in str(raised.value)


def test_a_tree_under_let_is_checked_where_it_is_used() -> None:
    body = f"let:\n  l: {{each: src.shipping_lines, as: s, item: {{m: s.title}}}}\noutput:\n{REQUIRED}  lines: l\n"
    with pytest.raises(ProjectError) as raised:
        compiled(body, schemas=SCHEMAS, head=HEAD)
    assert f"{FILE}:2:47: error: the target has no field 'lines[].m'" in str(raised.value)


def test_an_unknown_schema_is_a_fault_at_its_place() -> None:
    head = "source: {schema: shop/ordr}\ntarget: {schema: erp/order}\ntables: []"
    with pytest.raises(ProjectError) as raised:
        compiled(f"output:\n{REQUIRED}", schemas=SCHEMAS, head=head)
    assert "6:18: error: unknown schema 'shop/ordr'; did you mean 'shop/order'?" in str(raised.value)


def test_a_statement_of_ubl_is_told_to_have_no_canonical_type() -> None:
    with pytest.raises(ProjectError) as raised:
        compiled("output: {a: src.id}", schemas=SCHEMAS, head="target: {schema: canonical/statement}\ntables: []")
    assert "error: unknown schema 'canonical/statement': a UBL Statement, which tells what is open" in str(raised.value)
    assert "has no canonical type (bank_statement is about an account at a bank); map" in str(raised.value)


def test_without_schemas_nothing_is_held_against_a_path() -> None:
    assert compiled("output: {a?: src.whatever.there}", head=HEAD).apply({}) == {}
