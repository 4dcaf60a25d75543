"""Schemas of a user's own: what they may refer to, how every keyword is worded, what is wrong with a broken one."""

import json
from decimal import Decimal

import pytest

from hub.errors import ProjectError
from hub.schemas import SchemaSet
from hub.schemas.ubl import NAMES
from tests.unit.canonical import ROOT

DRAFT = "https://json-schema.org/draft/2020-12/schema"
PLACE = "schemas/shop/order.schema.json"
ODD = "['it's odd']: seen x; expected a whole number"
NOT_ONE = "(document): seen an object; expected what fits exactly one of the schema's alternatives, not several"


def shop(schema, **others):
    """A project with one schema of a shop's own."""
    files = {"schemas/shop/order.schema.json": schema if isinstance(schema, str) else json.dumps(schema)}
    return SchemaSet(files | {f"schemas/shop/{name}.schema.json": json.dumps(other) for name, other in others.items()})


def faults_of(schema, document):
    return [str(fault) for fault in shop(schema).faults("shop/order", document)]


TREE = {
    "$schema": DRAFT,
    "type": "object",
    "properties": {"name": {"type": "string"}, "below": {"type": "array", "items": {"$ref": "#"}}},
}


def test_a_schema_may_contain_itself():
    own = shop(TREE)
    assert own.field("shop/order", "below[].below[].below[].name") == {"type": "string"}
    assert own.schema("shop/order")["properties"]["below"]["items"] == {}
    assert [str(f) for f in own.faults("shop/order", {"below": [{"name": 1}]})] == [
        "below[0].name: seen the number 1; expected text"
    ]


def test_a_schema_may_refer_to_a_file_beside_it_and_to_the_shared_structures():
    own = SchemaSet(
        {
            "schemas/shop/order.schema.json": json.dumps(
                {
                    "properties": {
                        "a": {"$ref": "money.schema.json#/$defs/cents"},
                        "b": {"$ref": "urn:o2c:schema:structures:1.0.0#/$defs/money"},
                    }
                }
            ),
            "schemas/shop/money.schema.json": json.dumps({"$defs": {"cents": {"type": "integer", "minimum": 0}}}),
            "schemas/canonical/v1/structures.schema.json": (
                ROOT / "schemas/canonical/v1/structures.schema.json"
            ).read_bytes(),
        }
    )
    assert own.names() == sorted(["shop/order", *NAMES])
    assert own.field("shop/order", "b.amount")["type"] == "string"
    faults = own.faults("shop/order", {"a": -1, "b": {"amount": "1"}})
    assert [str(fault) for fault in faults] == [
        "a: seen the number -1; expected at least 0",
        "b.currency: missing; expected three capital letters of ISO 4217 such as EUR",
    ]


def test_decimals_are_numbers_and_large_ones_do_not_matter():
    own = shop({"properties": {"price": {"type": "number", "minimum": 1}, "count": {"type": "integer"}}})
    assert own.is_valid("shop/order", {"price": Decimal("1.10"), "count": Decimal(3)})
    assert not own.is_valid("shop/order", {"price": Decimal("0.99")})
    assert own.is_valid("shop/order", {"price": Decimal("1E+15")})


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        (
            {"oneOf": [{"type": "string"}, {"type": "integer"}]},
            [],
            "seen an empty list; expected text or a whole number",
        ),
        ({"maximum": 3}, 4, "seen the number 4; expected at most 3"),
        ({"multipleOf": 3}, 4, "seen the number 4; expected a multiple of 3"),
        ({"maxItems": 1}, [1, 2], "seen a list of 2; expected a list of at most 1"),
        ({"uniqueItems": True}, [1, 1], "seen a list of 2; expected a list in which no entry stands twice"),
        ({"type": "string", "pattern": "^A"}, "B", "seen B; expected text that matches ^A"),
        ({"type": "string", "minLength": 3}, "B", "seen B; expected at least 3 characters"),
        ({"format": "email"}, "B", "seen B; expected an e-mail address"),
        (False, "B", "must not be here; leave it out"),
        ({"enum": [1, None, "x"]}, "B", "seen B; expected one of 1, nothing, x"),
        ({"not": {"type": "string"}}, "B", "seen B; expected what the schema says"),
        ({"type": "integer"}, " B\n", "seen ' B '; expected a whole number"),
        ({"type": "integer"}, "x" * 99, f"seen {'x' * 59}…; expected a whole number"),
        ({"type": "integer"}, "to x@y.example", "seen to [redacted]; expected a whole number"),
        ({"type": "integer"}, True, "seen true; expected a whole number"),
    ],
)
def test_every_keyword_of_a_field_is_worded(schema, value, said):
    assert faults_of({"properties": {"a": schema}}, {"a": value}) == [f"a: {said}"]


@pytest.mark.parametrize(
    ("schema", "document", "faults"),
    [
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
            5,
            ["(document): seen the number 5; expected text or nothing"],
        ),
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1, "b": 1}, [NOT_ONE]),
        (
            {"anyOf": [{"properties": {"a": {"properties": {"b": {"const": 1}}}}}, {"type": "string"}]},
            {"a": {"b": 2}},
            ["a.b: seen the number 2; expected 1"],
        ),
        ({"dependentSchemas": {"x": {"required": ["y"]}}}, {"x": 1}, ["y: missing"]),
        ({"properties": {"it's odd": {"type": "integer"}}}, {"it's odd": "x"}, [ODD]),
    ],
)
def test_every_keyword_of_a_document_is_worded(schema, document, faults):
    assert faults_of(schema, document) == faults


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("{", "1:2", "not JSON: expecting property name enclosed in double quotes"),
        ("[]", "1:1", "a schema is a JSON object; write { … }"),
        ('{"type": "object",\n "type": "array"}', "2:1", "the key 'type' stands twice"),
        ('{\n "properties": {\n  "a": {"type": "strin"}\n }\n}', "3:17", "not a schema: "),
        ('{\n\t"required": "a"\n}', "2:14", "not a schema: "),
        (
            '{"properties": {"a": {"$ref": "#/$defs/nowhere"}}}',
            "1:31",
            "the reference '#/$defs/nowhere' leads nowhere; ",
        ),
        (
            '{"properties": {"a": {"$ref": "https://example.com/x.json"}}}',
            "1:31",
            "the reference 'https://example.com/x.json' leads nowhere; ",
        ),
        ('{"properties": {"a": {"pattern": "["}}}', "1:34", "not a schema: "),
        ('{"type": "object",\n"x-keys": [{"scheme": "order", "value": "a b"}]}', "2:11", "x-keys is a list of"),
        ('{"type": "object",\n"x-keys": [{"scheme": "order"}]}', "2:11", "x-keys is a list of"),
        (
            '{"type": "object",\n"x-keys": 5}',
            "2:11",
            "x-keys is a list of {scheme, value, issuer}: expected a list of rules",
        ),
        ('{"$schema": "http://example.com/own"}', "1:1", "cannot be used with the other schemas: "),
        ('{"a": ' * 400 + "1" + "}" * 400, "1:1", "nested too deeply"),
        ("[" * 100_000, "1:1", "nested too deeply"),
    ],
)
def test_a_broken_schema_is_named_with_its_place(text, place, message):
    with pytest.raises(ProjectError) as error:
        shop(text)
    assert str(error.value).startswith(f"{PLACE}:{place}: error: {message}")
    assert "Traceback" not in str(error.value)


def test_a_schema_that_is_not_utf8_is_named():
    with pytest.raises(ProjectError, match="not UTF-8 text: byte 1 cannot be read"):
        SchemaSet({"schemas/shop/order.schema.json": b"{\xff}"})


def test_two_files_cannot_have_one_id():
    same = {"$id": "urn:x:y", "type": "object"}
    with pytest.raises(
        ProjectError, match=r"order\.schema\.json:1:9: error: the \$id 'urn:x:y' is already that of .*a\.schema"
    ):
        shop(same, a=same)


def test_every_broken_file_is_named_at_once():
    with pytest.raises(ProjectError) as error:
        SchemaSet({"schemas/a/x.schema.json": "{", "schemas/b/y.schema.json": "[]"})
    assert [fault.file for fault in error.value.faults] == ["schemas/a/x.schema.json", "schemas/b/y.schema.json"]


def test_other_files_are_left_alone():
    files = {"schemas/edifact/D96A.json": "{", "mappings/x.schema.json": "{", "schemas/README.md": "#"}
    assert SchemaSet(files).names() == sorted(NAMES)
