"""Money without its currency or through a binary float: each way somebody might try, and what is told instead."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal, localcontext
from typing import Any

import pytest

from hub.errors import MappingError, ProjectError
from hub.formats import codec, names
from hub.functions import functions
from hub.functions.numbers import EXACT
from hub.mapping import compile_expression
from hub.mapping.context import EMPTY
from hub.schemas import SchemaSet
from hub.schemas.numbers import number_faults
from tests.unit.mapping.build import TABLES, compiled
from tests.unit.mapping.reference import floats

_TEXT: dict[str, Any] = {"type": "string"}
_MONEY = {"type": "object", "required": ["amount", "currency"], "additionalProperties": False,
          "properties": {"amount": _TEXT, "currency": _TEXT}}  # fmt: skip
_SOURCE = {"price": _TEXT, "n": {"type": "number"}, "currency": _TEXT, "paid": _MONEY}
SCHEMAS = SchemaSet({
    f"schemas/{name}.schema.json": json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema",
                                              "$id": f"urn:{name}", "type": "object", "properties": fields})
    for name, fields in (("shop/order", _SOURCE), ("erp/order", {"total": _MONEY, "n": _TEXT}))
})  # fmt: skip
HEAD = "source: {schema: shop/order}\ntarget: {schema: erp/order}\ntables: []"

FLOATS = [
    ("float(src.price)", "'float' would lose cents; write dec(src.price), which is exact, or money(dec(src.price), "
     "currency) for an amount"),
    ("src.price | float", "'float' would lose cents; write dec(src.price)"),
    ("src.price | float()", "'float' would lose cents; write dec(src.price)"),
    ("float(dec(src.price))", "'float' would lose cents; write dec(src.price), which is exact, or money(dec("),
    ("Decimal(src.price)", "'Decimal' would lose cents; write dec(src.price)"),
    ("number(src.price)", "'number' would lose cents; write dec(src.price)"),
    ("parseFloat(src.price)", "'parseFloat' would lose cents; write dec(src.price)"),
    ("src.price.toFixed(2)", "an object's methods cannot be called: 'toFixed' would lose cents; write dec(src.price)"),
    ("f'{src.n:.2f}'", "f-text takes no format after ':' or '!'; write round(x, 2), money(x, currency).amount"),
    ("'%.2f' % src.n", "'%' is not allowed in an expression; write f'{a} {b}' for a text, round(x, 2) or money("),
    ("src.price * 1.19", "src.price is text in the source; arithmetic needs dec(src.price)"),
    ("1e400 * src.n", "a number may have 40 digits and an exponent up to 20"),
    ("int(src.paid.amount)", "src.paid.amount is an amount, which may have decimals; write dec(src.paid.amount)"),
    ("round(src.price, 2)", "src.price is text in the source; round needs dec(src.price)"),
]  # fmt: skip
WITHOUT_CURRENCY = [
    ("money(src.n)", "an amount needs its currency; write money(src.n, 'EUR'), or money(src.n, src.currency)"),
    ("money(src.n, null)", "an amount needs its currency; write money(src.n, 'EUR')"),
    ("money(src.n, '')", "'' is no currency of ISO 4217; write a code such as 'EUR'"),
    ("money(src.n, 'EURO')", "'EURO' is no currency of ISO 4217"),
    ("money('EUR', src.n)", "the number comes first; write money(src.n, 'EUR')"),
    ("money(src.price, 'EUR')", "src.price is text in the source; money needs dec(src.price)"),
    ("from_minor(src.n)", "an amount needs its currency; write from_minor(src.n, 'EUR')"),
    ("to_minor(src.n)", "an amount needs its currency; write to_minor(src.n, 'EUR')"),
    ("src.paid * 2", "src.paid is an object; arithmetic needs numbers"),
    ("src.paid.amount + 1", "src.paid.amount is text in the source; arithmetic needs dec(src.paid.amount)"),
    ("src.paid + src.paid", "src.paid is an object; arithmetic needs numbers"),
    ("dec(src.paid)", "dec wants text or a number, src.paid is an object; name its field: amount, currency"),
    ("sum(p for p in [src.paid])", "sum adds numbers, each of these is an object; write the number of each"),
]  # fmt: skip
TARGETS = [
    ("total: src.n", "total: the expression gives a number, the target wants an object; write money(src.n, currency)"),
    ("total: src.price", "the target wants an object; write money(dec(src.price), currency)"),
    ("total: 19.90", "a number stands here, the target wants an object; write {amount: {const: '19.90'}, currency: "),
    ("total: {const: '19.90'}", "text stands here, the target wants an object; write {amount: {const: '19.90'}"),
    ("total: {amount: text(src.n)}", "required target field 'total.currency' is never set"),
    ("total: {amount: src.n, currency: src.currency}", "total.amount: the expression gives a number, the target wants "
     "text; write text(src.n)"),
    ("total: {amount: 19.90, currency: src.currency}", "a number stands here, the target wants text; write {const: "
     "'19.90'}"),
]  # fmt: skip


def told(body: str) -> list[str]:
    try:
        return [fault.message for fault in compiled(body, schemas=SCHEMAS, head=HEAD).warnings]
    except ProjectError as error:
        return [fault.message for fault in error.faults]


@pytest.mark.parametrize(("expression", "message"), [*FLOATS, *WITHOUT_CURRENCY])
def test_an_expression_that_would_lose_cents_or_the_currency_is_told_what_to_write(
    expression: str, message: str
) -> None:
    found = told(f"let:\n  it: >-\n    {expression}\noutput: {{n: text(it)}}\n")
    assert message in found[0]


@pytest.mark.parametrize(("field", "message"), TARGETS)
def test_an_amount_of_the_target_is_never_a_bare_number(field: str, message: str) -> None:
    found = told(f"output:\n  {field}\n")
    assert len(found) == 1, found
    assert message in found[0]


@pytest.mark.parametrize(
    "expression",
    [
        "money(dec(src.price), src.currency)",
        "money(src.n, default(src.currency, 'EUR'))",
        "money(from_minor(5, 'EUR'), 'EUR')",
    ],
)
def test_money_that_is_right_is_left_in_peace(expression: str) -> None:
    assert told(f'output:\n  total: "{expression}"\n') == []


def test_a_schema_that_calls_a_number_binary_is_told_with_its_place() -> None:
    schema = b"""{"type": "object", "properties": {
      "price": {"type": "number", "format": "double"},
      "rates": {"type": "array", "items": {"type": ["number", "null"], "format": "float"}},
      "format": {"type": "string", "enum": ["float"]}}}"""
    found = list(number_faults({"schemas/shop/order.schema.json": schema}))
    assert [(fault.line, fault.column, fault.severity) for fault in found] == [
        (2, 45, "warning"), (3, 82, "warning"),
    ]  # fmt: skip
    assert found[0].message == (
        "a binary number ('double') cannot hold 0.10; the hub reads and writes it as the exact decimal it is: take "
        "format out here"
    )


# Of every kind a function takes: numbers that a binary float would round.
_VALUES: dict[str, list[Any]] = {
    "number": [Decimal("0.1"), Decimal("12345678901234567.10"), 3], "decimal": [Decimal("0.1")], "integer": [2],
    "text": ["0.1", "EUR", "2026-03-05"], "any": [Decimal("0.1"), "0.1", 7], "boolean": [True], "date": ["2026-03-05"],
    "instant": ["2026-03-05T10:00:00Z"], "money": [{"amount": "0.10", "currency": "EUR"}],
    "object": [{"amount": Decimal("0.1")}], "list": [[Decimal("0.1"), Decimal("0.2")], [{"n": Decimal("0.1")}]],
    "same": [Decimal("0.1")], "element": [Decimal("0.1")],
}  # fmt: skip


def _calls(kinds: list[str]) -> Iterator[list[Any]]:
    for turn in range(3):
        yield [_VALUES[kind][turn % len(_VALUES[kind])] for kind in kinds]


@pytest.mark.parametrize("name", sorted(functions()))
def test_no_function_gives_a_binary_float(name: str) -> None:
    function = functions()[name]
    given = [evaluated for written, _ in function.examples for evaluated in _evaluated(written)]
    if not function.special:
        for arguments in _calls([argument.kind for argument in function.args]):
            with localcontext(EXACT), suppress(MappingError):
                given.append(function.call(*arguments))
    assert [place for value in given for place in floats(value)] == []


def _evaluated(written: str) -> Iterator[Any]:
    with suppress(ProjectError, MappingError):
        yield compile_expression(written, file="x", line=1, column=1, names=(), tables=TABLES)()


def amounts(value: Any) -> Iterator[Any]:
    """What stands under the name ``amount`` and is no money itself."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in entries:
        if name == "amount" and not isinstance(child, dict):
            yield child
        yield from amounts(child)


def ubl_amount(whole: int) -> Any:
    raw = codec("ubl").EXAMPLE[0].replace(b">119.00<", f">{whole}.10<".encode())
    return codec("ubl").decode_one(raw, {})


@pytest.mark.parametrize("name", names())
def test_no_format_reads_a_binary_float_and_a_number_comes_out_as_it_came_in(name: str) -> None:
    digits = {"json": b'{"a": 12345678901234567.10, "b": [0.1, 1e2, 3]}', "csv": b"a,b\r\n12345678901234567.10,0.1\r\n"}
    options = {"types": {"a": "decimal", "b": "decimal"}} if name == "csv" else {}
    if name in ("edifact", "flat", "idoc", "soap", "x12", "xml"):  # every value is text
        assert list(floats(codec(name).decode_one(codec(name).EXAMPLE[0], {}))) == []
        return
    if name in ("bai2", "camt053", "coda", "mt940", "mt942", "pain"):
        found = codec(name).decode_one(codec(name).EXAMPLE[0], {})
        assert list(floats(found)) == []
        assert {type(amount) for amount in amounts(found)} == {Decimal}
        return
    if name == "ubl":
        read = ubl_amount(12345678901234567)
        assert list(floats(read)) == [] and b">12345678901234567.10<" in codec(name).encode_one(read, options)
        mapping = compiled("output: {t: src.LegalMonetaryTotal.PayableAmount.amount + 0.1}", head="tables: []")
        assert mapping.apply(read, EMPTY) == {"t": Decimal("12345678901234567.20")}
        return
    if name == "cii":
        raw = codec(name).EXAMPLE[0].replace(b">119.00<", b">12345678901234567.10<")
        read = codec(name).decode_one(raw, {})
        assert list(floats(read)) == [] and codec(name).encode_one(read, options) == raw
        return
    assert name in digits, "a new format: say here how a number looks in it"
    read = codec(name).decode_one(digits[name], options)
    assert list(floats(read)) == []
    assert b"12345678901234567.10" in codec(name).encode_one(read, options)
    mapping = compiled("output: {t: src.a + 0.1}", head="tables: []")
    assert mapping.apply(read, EMPTY) == {"t": Decimal("12345678901234567.20")}
