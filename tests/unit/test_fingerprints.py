"""One cause is one issue, whatever was seen; different causes are different ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hub import formats
from hub.errors import MessageError
from hub.outcome import Failure, failure_of
from hub.pipeline.validate import validate
from hub.schemas import SchemaSet
from tests.unit.canonical import golden, put, schemas
from tests.unit.mapping.build import mapped

VALUES = [
    "abc", "xyz", "n/a", "ten", "fool", "pull", "O'Neil", "O'Brien", "rock 'n' roll", "'", "\"", "one", "expected",
    "12,50 EUR", "-", "a text that is longer than what is shown of a value in any of the sentences, it's sure",
    "Ünlü", "x@example.com", "(and 3 more)",
]  # fmt: skip
OWN = SchemaSet({
    "schemas/own/item.schema.json": json.dumps({
        "type": "object", "required": ["id"], "additionalProperties": False,
        "properties": {
            "id": {"type": "string", "pattern": "^[0-9]+$"},
            "address1": {"type": "string", "pattern": "^[0-9]+$"},
            "address2": {"type": "string", "pattern": "^[0-9]+$"},
            "colour": {"enum": ["red", "green", "full", "poll"]},
            "day": {"type": "string", "format": "date"},
            "count": {"type": "integer"},
            "short": {"type": "string", "maxLength": 0},
            "either": {"anyOf": [{"type": "integer"}, {"type": "boolean"}]},
            "parts": {"type": "array", "items": {"enum": [1]}},
        },
    }),
})  # fmt: skip


def of_schema(**fields: Any) -> None:
    validate(OWN, "own/item", {"id": "1", **fields})


def of_order(path: str, value: Any, name: str = "order") -> None:
    validate(schemas(), f"canonical/{name}", put(golden(name), path, value))


def of_csv(raw: str) -> None:
    for found in formats.codec("csv").decode([raw.encode()], {"types": {"qty": "decimal", "day": "date"}}):
        if isinstance(found, formats.BadRecord):
            raise found.error


def of_json(raw: str) -> None:
    formats.codec("json").decode_one(raw.encode(), {})


def of_edifact(tail: str) -> None:
    raw = f"UNA:+.? 'UNB+UNOC:3+A+B+261128:1200+1'UNH+1+ORDERS:D:96A:UN'BGM+220+1'{tail}UNZ+1+1'"
    for found in formats.codec("edifact").decode([raw.encode("latin-1", "replace")], {}):
        if isinstance(found, formats.BadRecord):
            raise found.error


def escaped(value: str) -> str:
    return "".join(f"?{sign}" if sign in "?+:'" else sign for sign in value)


CAUSES: dict[str, Callable[[str], Any]] = {
    "pattern": lambda value: of_schema(id=value),
    "pattern of a field with a number": lambda value: of_schema(address1=value),
    "pattern of its neighbour": lambda value: of_schema(address2=value),
    "enum": lambda value: of_schema(colour=value),
    "format": lambda value: of_schema(day=value),
    "type": lambda value: of_schema(count=value),
    "length": lambda value: of_schema(short=value),
    "alternatives": lambda value: of_schema(either=value),
    "an element": lambda value: of_schema(parts=[1] * len(value) + [value]),
    "decimal": lambda value: of_order("order_lines.0.quantity.value", value),
    "decimal of another field": lambda value: of_order("order_lines.0.price.price_amount.amount", value),
    "unknown unit": lambda value: of_order("order_lines.0.quantity.unit_code", value),
    "a number as text": lambda value: mapped("output: {a: dec(src.x)}", {"x": value}),
    "a number in another field": lambda value: mapped("output: {b: dec(src.x)}", {"x": value}),
    "a date": lambda value: mapped("output: {a: date(src.x)}", {"x": value}),
    "a currency": lambda value: mapped("output: {a: 'money(1, src.x)'}", {"x": value}),
    "a GTIN": lambda value: mapped("output: {a: gtin(src.x)}", {"x": value}),
    "a key of a table": lambda value: mapped("output: {a: 'lookup(src.x, ''units'')'}", {"x": value}),
    "a key of another table": lambda value: mapped("output: {a: 'lookup(src.x, ''parties'')'}", {"x": value}),
    "a requirement": lambda value: mapped(
        "output: {a: 'require(src.x, 1 > 2, f\"{src.x} of {src.x} is wrong\")'}", {"x": value}
    ),
    "another requirement": lambda value: mapped(
        "output: {a: 'require(src.x, 1 > 2, f\"{src.x} is not allowed\")'}", {"x": value}
    ),
    "a requirement at the end of a pipe": lambda value: mapped(
        "output: {a: 'src.x | trim() | require(1 > 2, f\"{src.x} is wrong in the end\")'}", {"x": value}
    ),
    "an element of a list": lambda value: mapped(
        "output: {a: {each: src.lines, as: l, item: {q: dec(l.q)}}}",
        {"lines": [{"q": "1"}] * len(value) + [{"q": value}]},
    ),
    "a cell": lambda value: of_csv('qty,day\n"' + value.replace('"', '""') + '",2026-03-05\n'),
    "a cell of another column": lambda value: of_csv('qty,day\n1,"' + value.replace('"', '""') + '"\n'),
    "a row too long": lambda value: of_csv('qty,day\n1,2026-03-05,"' + value.replace('"', '""') + '"\n'),
    "a word in JSON": lambda value: of_json('{"a": ~' + value + "}"),
    "a key twice": lambda value: of_json(json.dumps({value: 1})[:-1] + ", " + json.dumps({value: 1})[1:]),
    "an escape": lambda value: of_json('{"a": "\\z' + value.replace('"', "") + '"}'),
    "a count of segments": lambda value: of_edifact(f"UNT+{escaped(value)}+1'"),
    "a reference": lambda value: of_edifact(f"UNT+3+{escaped(value)}'"),
}  # fmt: skip


def issue(cause: Callable[[str], Any], value: str) -> str:
    with pytest.raises(MessageError) as raised:
        cause(value)
    return failure_of(raised.value, "map").printed("orders").fingerprint


@pytest.mark.parametrize("name", CAUSES)
def test_what_was_seen_makes_no_other_issue(name: str) -> None:
    issues = {value: issue(CAUSES[name], value) for value in VALUES}
    assert len(set(issues.values())) == 1, issues


def test_different_causes_are_different_issues() -> None:
    issues = {name: issue(cause, "abc") for name, cause in CAUSES.items()}
    assert len(set(issues.values())) == len(issues), issues


@pytest.mark.parametrize(
    ("name", "path", "values"),
    [
        ("order", "order_lines.0.price.price_amount.currency", ["USD", "GBP"]),
        ("order", "order_lines.0.line_extension_amount.amount", ["1.23", "-987654.21", "0"]),
        ("invoice", "tax_amount.amount", ["1.23", "4", "-0.01"]),
        ("payment", "amount", [{"amount": "1.005", "currency": "EUR"}, {"amount": "1.00005", "currency": "KWD"}]),
        ("order", "seller.identifiers.0.id", ["4012345000008", "4012345000007", "abc"]),
    ],
)
def test_a_broken_rule_is_one_issue_whatever_it_is_broken_by(name: str, path: str, values: list[Any]) -> None:
    assert len({issue(lambda value: of_order(path, value, name), value) for value in values}) == 1


def test_how_many_other_faults_there_are_makes_no_other_issue() -> None:
    alone = issue(lambda value: of_schema(colour=value), "abc")
    assert issue(lambda value: of_schema(colour=value, day="x", count="y"), "abc") == alone


def test_a_failure_that_is_told_in_words_alone_keeps_what_is_quoted_and_counted_out() -> None:
    said = [f"no answer to '{name}' within {seconds} s" for name, seconds in (("O'Neil", 3), ("x", 20), ("ab", 1.5))]
    assert len({Failure("timeout", "read_timeout", detail).printed("r").fingerprint for detail in said}) == 1


def test_what_tells_a_cause_is_not_stored() -> None:
    assert "cause" not in Failure("schema", "schema", "seen abc", cause="pattern: digits").printed("r").as_dict()
