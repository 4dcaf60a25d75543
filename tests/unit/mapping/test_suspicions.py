"""Lint of what could run and would not do what is meant: found where it is meant to be, silent about what is right."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.errors import ProjectError
from hub.mapping import compile_expression
from hub.outline import Outline
from hub.schemas import SchemaSet
from tests.unit.mapping.build import TABLES, compiled

_TEXT: dict[str, Any] = {"type": "string"}
_UNIT = {"type": "string", "x-code-list": "Rec20"}
_CURRENCY = {"type": "string", "x-code-list": "ISO4217"}
_LINE = {"type": "object", "properties": {"sku": _TEXT, "n": {"type": "number"}, "unit": _UNIT, "price": _TEXT}}
SOURCE = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"}, "name": _TEXT, "note": _TEXT, "n": {"type": "number"}, "flag": {"type": "boolean"},
        "state": {"type": ["string", "null"], "enum": ["open", "paid", None]}, "currency": _CURRENCY,
        "channel": {"type": "string", "x-code-list": "channel"}, "placed": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"}, "buyer": {"type": "object", "properties": {"name": _TEXT}},
        "lines": {"type": "array", "items": _LINE}, "any": {},
    },
}  # fmt: skip
TARGET = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": _TEXT, "placed": {"type": "string", "format": "date"}, "at": {"type": "string", "format": "date-time"},
        "unit": _UNIT, "currency": _CURRENCY, "kind": {"enum": ["goods", "service"], "type": "string"},
        "amount": {"type": "object", "required": ["amount", "currency"], "properties": {"amount": _TEXT}},
        "ids": {"type": "array", "items": {"type": "object", "properties": {"id": _TEXT, "scheme_id": _TEXT}}},
        "party": {"type": "object", "required": ["name"], "properties": {"name": _TEXT, "town": _TEXT}},
        "lines": {"type": "array", "items": {"type": "object", "required": ["sku"],
                                             "properties": {"sku": _TEXT, "n": _TEXT}}},
    },
}  # fmt: skip
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMAS = SchemaSet(
    {
        "schemas/shop/order.schema.json": json.dumps({"$schema": _DIALECT, "$id": "urn:test:shop", **SOURCE}),
        "schemas/erp/order.schema.json": json.dumps({"$schema": _DIALECT, "$id": "urn:test:erp", **TARGET}),
    }
)


def said(expression: str, role: str = "", known: dict[str, Outline] | None = None) -> list[str]:
    """What the lint says of an expression over the source: column, severity, message."""
    found = known or {"src": SCHEMAS.outline("shop/order")}
    try:
        expression_ = compile_expression(
            expression, file="x", line=1, column=1, names=("src", "envelope"), tables=TABLES, known=found, role=role
        )
    except ProjectError as error:
        return [f"{fault.column}: {fault.severity}: {fault.message}" for fault in error.faults]
    return [f"{fault.column}: {fault.severity}: {fault.message}" for fault in expression_.warnings]


VALUES = [
    ("src.n or 5", "1: error: where src.n is 0, 'or' gives 5 instead; write default(src.n, 5)"),
    ("dec(src.name) or 1", "1: error: where dec(src.name) is 0, 'or' gives 1 instead; write default(dec(src.name), 1)"),
    ("src.name or src.n", "13: error: src.name is text and src.n is a number; write text(src.n), or the value without "
     "quotes"),
    ("src.n if src.flag else '0'", "24: error: src.n is a number and '0' is text; write dec('0'), or the value without "
     "quotes"),
    ("default(src.name, src.buyer)", "19: error: src.name is text and src.buyer is an object; write values of one "
     "kind, such as one of its fields"),
    ("default('x', src.name)", "9: warning: 'x' is never nothing, so that src.name is never taken; write the value "
     "that may be missing first"),
    ("dec(src.buyer)", "5: error: dec wants text or a number, src.buyer is an object; name its field: name"),
    ("text(src.lines)", "6: error: text wants text or a number, src.lines is a list; loop over it or take [0]"),
    ("dec(src.placed)", "5: error: src.placed is a date, which is no number; write it without dec( )"),
    ("dec(envelope.received_at)", "5: error: envelope.received_at is an instant, which is no number; write it without "
     "dec( )"),
    ("sum(l.price for l in src.lines)", "4: error: sum adds numbers, each of these is text; write sum(dec(…) for …)"),
    ("(l.n for l in src.lines) + 1", "1: error: (l.n for l in src.lines) is a list and the other is a whole number; "
     "write sum(l.n for l in src.lines), or take [0]"),
    ("money(src.n, 'EURO')", "14: error: 'EURO' is no currency of ISO 4217; write a code such as 'EUR'"),
    ("money(src.n, 'eur')", "14: error: 'eur' is no currency of ISO 4217; write 'EUR'"),
    ("money(src.n, default(src.currency, 'ERU'))", "36: error: 'ERU' is no currency of ISO 4217; write a code such as "
     "'EUR'"),
    ("'src.name'", "1: error: 'src.name' is the text itself, not the field; write src.name without quotes"),
    ("[l for l in src.lines if 'l.sku' == 'a']", "26: error: 'l.sku' is the text itself, not the field; write l.sku "
     "without quotes"),
    ("'src.lines[0].sku'", "1: error: 'src.lines[0].sku' is the text itself, not the field; write src.lines[0].sku "
     "without quotes"),
    ("replace(',', src.name, '.')", "9: warning: replace works on its first argument, and ',' is written out; the "
     "arguments may be exchanged: write replace(src.name, …)"),
    ("src.state == 'piad'", "14: error: src.state is never 'piad': that is not one of the values; did you mean "
     "'paid'?"),
    ("src.state in ['paid', 'opne']", "23: error: src.state is never 'opne': that is not one of the values; did you "
     "mean 'open'?"),
    ("'EURO' == src.currency", "1: error: src.currency is never 'EURO': that is not one of the codes of ISO4217"),
    ("src.channel == 'ecomerce'", "16: warning: src.channel is never 'ecomerce': that is not one of the codes of "
     "channel"),
    ("src.flag == 'true'", "1: error: src.flag is true/false and 'true' is text: they are never equal; write true or "
     "false without quotes"),
    ("src.lines == 1", "1: error: src.lines is a list and 1 is a number: they are never equal; loop over it, or take "
     "[0] or count(…)"),
    ("src.buyer > 5", "1: error: src.buyer is an object and 5 is a number: they cannot be compared; compare one of its "
     "fields"),
    ("'x' in src.buyer", "8: error: 'in' wants a list or text, src.buyer is an object; name its field"),
    ("default(src.state, 'opne')", "20: warning: 'opne' is not one of the values of src.state; did you mean 'open'?"),
    ("src.state or 'piad'", "14: warning: 'piad' is not one of the values of src.state; did you mean 'paid'?"),
    ("f'{src.buyer}-1'", "4: error: src.buyer is an object, and a text wants text or a number; name its field"),
    ("f'{src.lines}'", "4: error: src.lines is a list, and a text wants text or a number; write join(src.lines, ', ')"),
    ("len(src.lines)", "1: error: there is no function 'len'; write count(src.lines)"),
    ("src.n in ['1', '2']", "10: error: src.n is a number, and the list holds text: it is never in it; write values of "
     "one kind"),
    ("'a' if src.n == 1 else 'b' if src.n == 1 else 'c'", "31: error: this is never reached: a condition before it is "
     "src.n == 1 too; take one of them out"),
    ("1 if src else 2", "6: error: src is always there, so that this always holds; name the field that it depends on"),
    ("[r.x for r in [{'q': 'BY', 'p': src.name}]]", "2: error: r has no field 'x'"),
    ("[r.x for r in [{'q': 'BY', 'p': src.name}, {'q': 'SU', 'n': 'a'}]]", "2: error: r has no field 'x'"),
    ("[{'role': 'BY', 'of': 1}, {'role': 'SU', 'of': 1}, {'role': 'ST', 'off': 1}]", "67: error: the others of this "
     "list have no 'off'; did you mean 'of'?"),
    ("[l.skuu for two in batches(take(src.lines, 4), 2) for l in two]", "2: error: l has no field 'skuu'; did "
     "you mean 'sku'?"),
    ("[two.sku for two in batches(src.lines, 2)]", "2: error: two is a list; loop over it or take [0]"),
    ("dec(chunks(src.name, 3))", "5: error: dec wants text or a number, chunks(src.name, 3) is a list"),
    ("chunks(src.name, 3)[0] + 1", "1: error: chunks(src.name, 3)[0] is text"),
    ("[g.items.sku for g in group(src.lines, 'sku')]", "2: error: g.items is a list; loop over it or take [0]"),
    ("[p.left.nn for p in zip(src.lines, [1])]", "2: error: p.left has no field 'nn'; did you mean 'n'?"),
    ("[l.skuu for l in flatten([src.lines, src.lines])]", "2: error: l has no field 'skuu'; did you mean 'sku'?"),
    ("[l.skuu for l in src.lines + src.lines]", "2: error: l has no field 'skuu'; did you mean 'sku'?"),
    ("merge({'a': 1}, {'b': 2}).c", "1: error: merge({'a': 1}, {'b': 2}) has no field 'c'"),
    ("src.name in ['200', 10]", "21: error: '200' is text and 10 is a number"),
    ("join([src.name, src.lines], ' ')", "17: error: join puts texts together, src.lines is a list; loop over it or "
     "take [0]"),
    ("1 if [src.n] else 2", "6: error: [src.n] is always there, so that this always holds"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "message"), VALUES)
def test_what_would_not_do_what_is_meant_is_told(expression: str, message: str) -> None:
    found = said(expression)
    assert len(found) == 1
    assert found[0].startswith(message)


CONDITIONS = [
    ("src.state == 'paid' and src.state == 'open'", "src.state cannot be two values at once; write 'or' for 'and'"),
    ("src.state in ['paid'] and src.state == 'open'", "src.state cannot be two values at once"),
    ("src.state == 'paid' and src.state != 'paid'", "src.state cannot be that and not be it"),
    ("src.flag and not src.flag", "this never holds: not src.flag and its opposite"),
    ("src.n > 5 and src.n < 5", "no number is both"),
    ("src.n >= 5 and 5 > src.n", "no number is both"),
    ("src.n == 7 and src.n < 5", "no number is both"),
    ("count(src.lines) < 0", "count(src.lines) is never below 0"),
    ("false", "false never holds"),
    ("src.name == 'a' and false", "false never holds"),
    ("'x'", "'x' is always there, so that this always holds"),
]


@pytest.mark.parametrize(("condition", "message"), CONDITIONS)
def test_a_when_that_is_never_true_is_told(condition: str, message: str) -> None:
    assert any(message in found for found in said(condition, "when")), said(condition, "when")


KEYS = [
    ("'order_id'", "key: the same for every document, so that all would wait for one another; write a path"),
    ("1001", "key: the same for every document"),
    ("src.lines", "key: a key is text or a number, this is a list; name the field"),
    ("src.buyer", "key: a key is text or a number, this is an object"),
]


@pytest.mark.parametrize(("key", "message"), KEYS)
def test_a_lane_that_is_none_is_told(key: str, message: str) -> None:
    assert any(message in found for found in said(key, "key"))


FITS = [
    "src.name or src.note or 'x'", "src.any or 5", "src.n if src.flag else 0", "default(src.n, 0)",
    "default(src.state, 'none') == 'none'", "src.state == 'paid' or src.state == 'open'", "src.state == null",
    "src.state in ['paid', 'open']", "src.state != ''", "src.n > 5 or src.n < 5", "src.n >= 5 and src.n <= 5",
    "src.n > 0 and src.n != 5", "count(src.lines) > 0", "sum(l.n for l in src.lines) + 1", "[src.n] + [2]",
    "dec(src.name) * 2", "text(src.n)", "'a.b'", "replace('a-b', '-', '')", "src.flag == true",
    "'a' if src.n == 1 else 'b' if src.n == 2 else 'c'", "'b' if src.n or src.flag else 'c'", "src.name in 'abc'",
    "money(src.n, src.currency)", "money(src.n, default(src.currency, 'EUR'))", "has(src.buyer) and src.buyer.name",
    "src.flag and not src.name", "first(src.lines).sku", "1 if src.buyer else 2", "src.placed > '2026-01-01'",
    "coalesce(join([l.sku for l in src.lines], ' '), src.name)", "[r.p for r in [{'q': 'BY', 'p': src.name}]]",
    "[r.n or r.p for r in [{'q': 'BY', 'p': src.name}, {'q': 'SU', 'n': 'a'}]]", "default([src.n][1], 0)",
    "[x.sku or x.note for x in [first(src.lines), {'note': src.note}]]",
    "count([{'a': 1, 'of': 1}, {'a': 1, 'if': 1}]) > 1",
    "[two[0].sku for two in batches(src.lines, 2)]", "merge({'a': 1}, src.any).c", "listed(src.any)[0].x",
]  # fmt: skip


@pytest.mark.parametrize("role", ["", "when"])
@pytest.mark.parametrize("expression", FITS)
def test_what_is_right_is_left_in_peace(expression: str, role: str) -> None:
    if role == "when" and expression in ("'a.b'", "[src.n] + [2]"):
        return  # no conditions
    assert said(expression, role) == []


HEAD = "source: {schema: shop/order}\ntarget: {schema: erp/order}\ntables: [units]"
TREES = [
    ("unit: {const: C622}", "3:9: warning: unit: 'C622' is not one of the codes of Rec20; did you mean 'C62'?"),
    ("unit: \"'C62' if src.flag else 'PSC'\"", "3:33: warning: unit: 'PSC' is not one of the codes of Rec20"),
    ("currency: default(src.currency, 'ERU')", "3:35: error: currency: 'ERU' is not one of the codes of ISO4217"),
    ("kind: \"'goods' if src.flag else 'servcie'\"", "3:35: error: kind: 'servcie' is not one of the target's values; "
     "did you mean 'service'?"),
    ("unit: src.currency", "3:9: error: unit: the expression gives the codes of ISO4217, the target wants those of "
     "Rec20"),
    ("unit: \"[r.u for r in [{'u': 'C62'}, {'u': 'PSC'}]][0]\"", "3:45: warning: unit: 'PSC' is not one of the codes "
     "of Rec20"),
    ("ids: [{id: src.name, scheme_id: {const: '01600'}}]", "3:35: error: '01600' is no scheme of ISO 6523, which "
     "have four digits; did you mean one of 0088 (GLN), 0160 (GTIN)?"),
    ("currency: lookup(src.name, 'units')", "3:30: error: currency: the table 'units' gives 'C62', which is not one "
     "of the codes of ISO4217"),
    ("placed: src.name", "3:11: warning: placed: the expression gives text that may be no date; write date(…), which "
     "makes sure"),
    ("placed: src.at", "3:11: error: placed: the expression gives an instant, the target wants a date; write date(…)"),
    ("amount: {amount: text(src.n)}", "3:3: error: required target field 'amount.currency' is never set"),
    ("party: \"{'town': src.name}\"", "3:11: error: party: the target requires 'party.name', and what is given here "
     "has only town"),
    ("lines: \"[src] if src.flag else []\"", "3:11: error: lines[]: the target requires 'lines[].sku'"),
    ("lines: src.lines", "3:10: error: lines[].n: a number is given here, the target wants text; write out the fields "
     "one by one"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "message"), TREES)
def test_codes_and_fields_are_checked_to_the_target(field: str, message: str) -> None:
    body = f"output:\n  id: src.name\n  {field}\n"
    try:
        faults = compiled(
            body, schemas=SCHEMAS, head=HEAD.replace("[units]", "[units]" if "units" in field else "[]")
        ).warnings
    except ProjectError as error:
        faults = tuple(error.faults)
    found = [str(fault).partition("sample.yaml:")[2] for fault in faults]
    assert [one for one in found if one.startswith(message)] == found[:1]
    assert len(found) == 1


def test_a_name_that_nothing_uses_is_a_warning_where_all_else_is_right() -> None:
    body = "let:\n  a: src.name\n  b: src.note\noutput:\n  id: a\n"
    warnings = compiled(body, schemas=SCHEMAS, head=HEAD.replace("[units]", "[]")).warnings
    assert [str(fault).partition(":")[2] for fault in warnings] == [
        "3:3: warning: the name 'b' is never used; take it out, or use it"
    ]
    with pytest.raises(ProjectError) as raised:
        compiled(body.replace("id: a", "id: aa"), schemas=SCHEMAS, head=HEAD.replace("[units]", "[]"))
    assert "never used" not in str(raised.value)
