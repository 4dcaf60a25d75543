"""A schema from samples: what each kind of field becomes, and what of the samples must never stand in it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import jsonschema
import pytest

from hub.mapping import compile_expression
from hub.samples import MAX_FIELDS, Seen, TooMany, schema_of
from hub.schemas import SchemaSet
from tests.unit.mapping.test_outlines import faults


def seen(*documents: Any, enum: tuple[str, ...] = ()) -> Seen:
    found = Seen(wanted=frozenset(enum))
    for document in documents:
        found.add(document)
    return found


def field(*values: Any, enum: bool = False) -> Any:
    """What the schema says of the field ``f`` that had these values, ``...`` for none."""
    documents = [{} if value is ... else {"f": value} for value in values]
    return schema_of(seen(*documents, enum=("f",) if enum else ()))["properties"]["f"]


NUMBER = "A number written as text: arithmetic needs dec(…)."
DIGITS = "Digits as text: an identifier, or a number that arithmetic needs dec(…) for."


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("a", "b"), {"type": "string"}),
        ((1, 2), {"type": "integer"}),
        ((1, Decimal("2.5")), {"type": "number"}),
        ((True, False), {"type": "boolean"}),
        (("a", None), {"type": ["string", "null"]}),
        ((None, None), {"description": "Only null was seen."}),
        ((1, "a"), {"description": "Seen in several kinds.", "type": ["string", "integer"]}),
        (("2026-03-05", "2024-02-29"), {"type": "string", "format": "date"}),
        (("2026-03-05", "2023-02-29"), {"type": "string"}),  # no such day
        (("2026-03-05", ""), {"type": "string"}),
        (("2026-03-05", None), {"type": ["string", "null"], "format": "date"}),
        (("2026-03-05T10:00:00Z", "2026-03-05T10:00:00.5+01:00"), {"type": "string", "format": "date-time"}),
        (("2026-03-05T10:00:00Z", "2026-03-05T10:00:00"), {"type": "string"}),  # without an offset
        (("2026-03-05T10:00:00Z", "2026-03-05"), {"type": "string"}),
        (("12.50", "-3"), {"description": NUMBER, "type": "string"}),
        (("12.50", ""), {"description": NUMBER, "type": "string"}),
        (("12.50", "x"), {"type": "string"}),
        (("4711", "12"), {"description": DIGITS, "type": "string"}),
        (("04711", "12"), {"description": "Digits with zeros in front: an identifier.", "type": "string"}),
        (
            ("12,50", "3"),
            {
                "description": "A number written as text with a decimal comma: arithmetic needs "
                "dec(replace(…, ',', '.')).",
                "type": "string",
            },
        ),
        (("", ""), {"type": "string"}),
        (([], []), {"description": "A list that was always empty.", "type": "array"}),
        (([1], ["a"]), {"type": "array", "items": {"description": "Seen in several kinds.",
                                                   "type": ["string", "integer"]}}),
        (
            ({"a": 1}, [{"a": 2}]),
            {
                "description": "A list, and where there is only one of it an object without a list: read it through "
                "listed(…).",
                "type": ["object", "array"],
                "properties": {"a": {"type": "integer"}},
                "required": ["a"],
                "items": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
            },
        ),
        (("a@b.de", "c@d.de"), {"type": "string", "x-pii": True}),
    ],
)  # fmt: skip
def test_what_a_field_becomes(values: tuple[Any, ...], expected: Any) -> None:
    assert field(*values) == expected


def test_a_field_is_required_where_all_samples_have_it_at_every_depth() -> None:
    schema = schema_of(seen({"a": 1, "l": [{"x": 1}, {"x": 2, "y": 3}]}, {"a": None, "b": 1, "l": []}))
    assert schema["required"] == ["a", "l"]
    assert schema["properties"]["l"]["items"]["required"] == ["x"]
    assert schema["properties"]["a"] == {"type": ["integer", "null"]}


def test_codes_are_listed_only_where_asked_for_and_where_they_are_some() -> None:
    values = ("paid", "open", "paid", "open")
    assert "enum" not in field(*values)
    assert field(*values, enum=True)["enum"] == ["open", "paid"]
    assert field(*values, None, enum=True)["enum"] == ["open", "paid", None]
    assert "enum" not in field("paid", "open", "void", enum=True)  # each seen once: as good as free text
    assert "enum" not in field(*(f"n{number}" for number in range(40)), *(f"n{n}" for n in range(40)), enum=True)
    assert "enum" not in field("x" * 41, "x" * 41, enum=True)


SECRETS = {
    "name": "Erika Muster", "mail": "erika@example.com", "phone": "+33 1 23456789", "note": "ring twice",
    "by_customer": {"erika@example.com": {"total": "12.50"}}, "by_number": {"5001": 1, "5002": 2},
}  # fmt: skip


def test_no_value_of_a_sample_stands_in_the_schema_nor_a_name_that_is_data() -> None:
    text = json.dumps(schema_of(seen(SECRETS, SECRETS)))
    for secret in ("Erika", "erika", "example.com", "23456789", "twice", "12.50", "5001", "5002"):
        assert secret not in text
    open_object = schema_of(seen(SECRETS))["properties"]["by_customer"]
    assert open_object["additionalProperties"]["properties"] == {"total": {"description": NUMBER, "type": "string"}}


def test_the_samples_themselves_are_valid_against_their_schema() -> None:
    documents = [SECRETS, {"name": None, "extra": [1, "a", None, {"deep": [[1], []]}]}, {**SECRETS, "note": 5}]
    schema = schema_of(seen(*documents))
    jsonschema.Draft202012Validator.check_schema(schema)
    for document in documents:
        jsonschema.Draft202012Validator(schema).validate(document)


def test_documents_without_end_of_different_fields_are_refused() -> None:
    found = Seen()
    with pytest.raises(TooMany, match=f"more than {MAX_FIELDS} different fields"):
        for number in range(MAX_FIELDS + 1):
            found.add({f"f{number}": 1})


ORDER = {"order_no": "X-1", "rows": [{"sku": "a", "quantity": Decimal("1.5"), "due": "2026-03-05"}]}


@pytest.mark.parametrize("made", ["samples", "their schema"])
@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("src.ordr_no", "src has no field 'ordr_no'; did you mean 'order_no'?"),
        ("src.rows.sku", "src.rows is a list; loop over it or take [0]"),
        ("src.rows[0].sku * 2", "src.rows[0].sku is text in the source; arithmetic needs dec(src.rows[0].sku)"),
        ("src.rows[0].quantity * 2", ""),
        ("upper(src.rows[0].quantity)", "src.rows[0].quantity is a number; upper needs text(src.rows[0].quantity)"),
        ("date(src.rows[0].due)", ""),
    ],
)
def test_a_mapping_is_checked_by_samples_and_by_their_schema_alike(made: str, expression: str, message: str) -> None:
    found = seen(ORDER)
    schemas = SchemaSet({"schemas/shop/order.schema.json": json.dumps(schema_of(found))})
    outline = found if made == "samples" else schemas.outline("shop/order")
    assert faults(expression, outline) == ([message] if message else [])
    compile_expression("src.order_no", file="x", line=1, column=1, names=("src",), known={"src": outline})
