"""Business keys: from the rules of a schema and a document, as text and back."""

import pytest

from hub.keys import LONGEST, Key, bounded, compile_keys, compile_path, keys_of
from tests.unit.canonical import golden, golden_names, schemas, type_of, types

SCHEMES = {
    "order", "sales_order", "source_order", "despatch", "shipment", "tracking", "sscc", "receipt", "invoice",
    "credit_note", "payment", "end_to_end", "creditor_ref", "bank_entry", "settlement", "return", "dispute", "promise",
    "customer", "vat", "gln", "iban",
    # numbers of types that the journey does not tie together
    "order_response", "order_change", "credit_check", "stock", "stock_report", "fulfilment", "transport_booking",
    "refund", "statement", "remittance", "application", "reminder", "product", "gtin",
}  # fmt: skip


def found(specs, document):
    return [key.text for key in keys_of(compile_keys(specs), document)]


@pytest.mark.parametrize(
    ("spec", "keys"),
    [
        ({"scheme": "order", "value": "id"}, ["order::1001"]),
        ({"scheme": "order", "value": "id", "issuer": "shop"}, ["order:web:1001"]),
        ({"scheme": "order", "value": "id", "issuer": ["buyer.party_id", "shop"]}, ["order:web:1001"]),
        ({"scheme": "order", "value": "id", "issuer": ["none", "nothing.at.all"]}, ["order::1001"]),
        ({"scheme": "sscc", "value": "sscc[]"}, ["sscc::A", "sscc::B"]),
        ({"scheme": "sscc", "value": "sscc[]", "except": ["A"]}, ["sscc::B"]),
        ({"scheme": "x", "value": "lines[].ref"}, ["x::R1", "x::R2"]),
        ({"scheme": "x", "value": "lines[].refs[]"}, ["x::P", "x::Q", "x::R"]),
        ({"scheme": "gln", "value": "ids[scheme_id=0088].id"}, ["gln::401"]),
        ({"scheme": "gln", "value": "one[scheme_id=0088].id"}, ["gln::402"]),
        ({"scheme": "c", "value": "ids[].id", "issuer": "ids[].scheme_id"}, ["c:0088:401", "c:erp:7"]),
        ({"scheme": "c", "value": "ids[].id", "issuer": "lines[].ref"}, ["c::401", "c::7"]),
        ({"scheme": "c", "value": "id", "issuer": "sscc[]"}, ["c::1001"]),
        ({"scheme": "c", "value": "id", "issuer": "one[].id"}, ["c:402:1001"]),
        ({"scheme": "c", "value": "id", "issuer": ["null", "lines[].ref"]}, ["c:R1:1001"]),
        ({"scheme": "c", "value": "sscc[]", "issuer": "one.id"}, ["c:402:A", "c:402:B"]),
        ({"scheme": "c", "value": "id", "except": "1001"}, []),
        ({"scheme": "x", "value": "number"}, ["x::12"]),
        ({"scheme": "x", "value": "spaced"}, ["x::S 1"]),
        ({"scheme": "x", "value": "shop.deeper"}, []),
        ({"scheme": "x", "value": "blank"}, []),
        ({"scheme": "x", "value": "flag"}, []),
        ({"scheme": "x", "value": "lines"}, []),
        ({"scheme": "x", "value": "null"}, []),
    ],
)
def test_a_rule_finds_its_keys(spec, keys):
    document = {
        "id": "1001",
        "shop": "web",
        "sscc": ["A", "B", "A"],
        "lines": [{"ref": "R1", "refs": ["P"]}, {"refs": ["Q", "R"]}, {"ref": "R2"}, {"ref": "R1"}, "odd"],
        "ids": [{"scheme_id": "0088", "id": "401"}, {"scheme_id": "erp", "id": "7"}],
        "one": {"scheme_id": "0088", "id": "402"},
        "number": 12,
        "spaced": " S 1 ",
        "blank": "  ",
        "flag": True,
        "null": None,
    }
    assert found([spec], document) == keys


@pytest.mark.parametrize(
    "key", [Key("order", "webshop", "1001"), Key("order", "webshop:77", "10:01"), Key("x", "", "1")]
)
def test_a_key_can_be_read_back_from_its_text(key):
    assert Key.parse(key.text) == key


def test_two_keys_never_have_one_text():
    assert Key("order", "a:b", "c").text != Key("order", "a", "b:c").text
    assert Key("order", "a%3Ab", "c").text != Key("order", "a:b", "c").text


@pytest.mark.parametrize("text", ["order", "order:1001", ":a:1", "order:a:"])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(ValueError):
        Key.parse(text)


@pytest.mark.parametrize("path", ["", "a..b", "a[0]", "a[", "a b", "a[x=]"])
def test_a_path_that_is_not_understood_is_refused(path):
    with pytest.raises(ValueError, match="is not a step of a path"):
        compile_path(path)


@pytest.mark.parametrize("type_name", types())
def test_every_type_has_a_main_key_that_is_always_there(type_name):
    root = schemas().schema(f"canonical/{type_name}")
    rules = root["x-keys"]
    assert {rule["scheme"] for rule in rules} <= SCHEMES
    assert rules[0]["value"].split("[")[0].split(".")[0] in root["required"]


@pytest.mark.parametrize("type_name", types())
def test_the_paths_of_the_keys_are_fields_of_the_type(type_name):
    for rule in schemas().schema(f"canonical/{type_name}")["x-keys"]:
        issuer = rule.get("issuer", [])
        for path in [rule["value"], *([issuer] if isinstance(issuer, str) else issuer)]:
            plain = ".".join(part.split("[")[0] + ("[]" if "[]" in part else "") for part in path.split("."))
            assert schemas().field(f"canonical/{type_name}", plain.replace("[]", "")) is not None, path


@pytest.mark.parametrize("name", golden_names())
def test_the_main_key_comes_first(name):
    type_name = type_of(name)
    keys = schemas().keys(f"canonical/{type_name}", golden(name))
    assert keys[0].scheme == schemas().schema(f"canonical/{type_name}")["x-keys"][0]["scheme"]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("order", ["order:ecommerce:1001", "source_order:ecommerce:5500000000001"]),
        ("order_response", ["order:C100042:PO-77", "sales_order:S1:SO-9", "order_response:S1:OR-1"]),
        ("invoice", ["invoice:S1:2026-1001", "order:C100042:PO-77", "despatch:S1:DA-1", "payment::pi_1"]),
        ("payment", ["payment::pi_3NK", "order::1001"]),  # NOTPROVIDED is no reference
    ],
)
def test_documents_assert_their_keys(name, keys):
    assert [key.text for key in schemas().keys(f"canonical/{type_of(name)}", golden(name))] == keys


def test_a_message_without_a_schema_has_no_keys():
    assert schemas().keys("", {"order_id": "1"}) == []


@pytest.mark.parametrize("text", ["", "1001", "ü" * 200, "x" * LONGEST])
def test_a_text_of_usual_length_is_looked_up_as_it_is(text):
    assert bounded(text) == text


def test_very_long_texts_stay_different_and_no_longer_than_every_store_can_look_up():
    long = ["x" * (LONGEST + 1), "x" * (LONGEST + 2), "ü" * 201, "\U0001f600" * 5000, "x" * 5000 + "\ud800"]
    made = [bounded(text) for text in long]
    assert len(set(made)) == len(long)
    assert max(len(text.encode()) for text in made) <= LONGEST
    assert made == [bounded(text) for text in made]
    assert made[0].startswith("x" * 300)


def test_a_key_is_bounded():
    document = {"id": "a\0b", "issuer": "y" * 5000}
    [key] = keys_of(compile_keys([{"scheme": "order", "value": "id", "issuer": "issuer"}]), document)
    assert key == Key("order", bounded("y" * 5000), "a\u2400b")
