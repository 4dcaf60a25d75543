"""Schemas of a project: what is valid, how faults are worded, which fields there are, what is wrong with a schema."""

import json
from decimal import Decimal

import pytest

from hub.errors import NotFound
from hub.schemas import SchemaSet
from tests.unit.canonical import ROOT, golden, golden_names, put, schemas, type_of, types

ORDER = "canonical/order"
VALUE = "order_lines[2].quantity.value"


@pytest.mark.parametrize("name", golden_names())
def test_every_golden_document_is_valid(name):
    type_name = f"canonical/{type_of(name)}"
    assert schemas().faults(type_name, golden(name)) == []
    assert schemas().is_valid(type_name, golden(name))


def test_every_type_has_a_golden_document():
    assert {type_of(name) for name in golden_names()} == set(types())
    assert len(types()) == 24


@pytest.mark.parametrize("name", golden_names())
def test_a_document_without_a_required_field_is_refused_with_its_path(name):
    type_name = f"canonical/{type_of(name)}"
    for field in schemas().schema(type_name)["required"]:
        document = put(golden(name), field, ...)
        faults = schemas().faults(type_name, document)
        assert not schemas().is_valid(type_name, document)
        assert [fault.path for fault in faults if fault.code == "required"].count(field) == 1


@pytest.mark.parametrize("name", golden_names())
def test_a_document_with_a_field_of_its_own_is_refused_unless_it_is_an_extension(name):
    type_name = f"canonical/{type_of(name)}"
    assert not schemas().is_valid(type_name, golden(name) | {"my_own_field": "x"})
    assert schemas().is_valid(type_name, golden(name) | {"extensions": {"acme": {"anything": [1, None]}}})


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("issue_date", "2026-02-30", "issue_date: seen 2026-02-30; expected a day such as 2026-03-05"),
        ("issue_date", "05.03.2026", "issue_date: seen 05.03.2026; expected a day such as 2026-03-05"),
        ("issue_time", "yesterday", "issue_time: seen yesterday; expected an instant with its offset"),
        (
            "issue_time",
            "2026-03-05T10:00:00",
            "issue_time: seen 2026-03-05T10:00:00; expected an instant with its offset",
        ),
        ("order_lines.2.quantity.value", "1,5", f"{VALUE}: seen 1,5; expected a decimal string such as 1.5"),
        ("order_lines.2.quantity.value", 1.5, f"{VALUE}: seen the number 1.5; expected a decimal string"),
        ("order_lines.2.quantity.value", Decimal("1.50"), f"{VALUE}: seen the number 1.5; expected a decimal string"),
        ("order_lines.2.quantity.value", None, f"{VALUE}: seen nothing; expected a decimal string such as 1.5"),
        (
            "buyer.postal_address.country_code",
            ...,
            "buyer.postal_address.country_code: missing; expected a two-letter country code such as DE",
        ),
        (
            "buyer.party_type",
            "organization",
            "buyer.party_type: seen organization; expected one of organisation, person; did you mean 'organisation'?",
        ),
        ("order_lines.0.item.name", "", "order_lines[0].item.name: seen ''; expected text that is not empty"),
        ("order_lines", [], "order_lines: seen an empty list; expected a list of at least 1"),
        ("order_lines", {}, "order_lines: seen an object; expected a list"),
        ("isue_date", "2026-03-05", "isue_date: unknown field; did you mean 'issue_date'?"),
        ("a b", 1, "['a b']: unknown field; known: "),
        (
            "order_lines.0.price.price_amount",
            "26.25",
            "order_lines[0].price.price_amount: seen 26.25; expected an amount with its currency",
        ),
        ("channel", "x" * 200, None),
    ],
)
def test_a_fault_says_where_and_what_was_seen_and_expected(path, value, said):
    document = put(golden("order"), path, value)
    faults = [str(fault) for fault in schemas().faults(ORDER, document)]
    if said is None:
        assert faults == []
    else:
        assert faults[0].startswith(said)
        assert len(faults) == 1


@pytest.mark.parametrize(
    ("name", "removed", "said"),
    [
        ("invoice", ["payment_terms"], "(document): due_date or payment_terms is missing"),
        (
            "invoice",
            ["tax_amount_accounting"],
            "tax_amount_accounting: missing, needed because tax_currency_code is there; ",
        ),
        ("credit_note", ["preceding_invoices"], "(document): preceding_invoices or invoice_period is missing"),
        ("bank_statement", ["opening_balance"], "opening_balance: missing; expected an amount with its currency"),
        ("payment_applied", ["entry_ref"], "(document): entry_ref or payment_id is missing"),
        ("payment_applied", ["allocations"], "allocations: missing"),
        (
            "payment_applied",
            ["allocations.0.invoice_id"],
            "allocations[0]: invoice_id, credit_note_id or order_id is missing",
        ),
        ("dispute", ["payment_id"], "(document): invoice_id or payment_id is missing"),
        ("settlement", ["lines.0.payment_id"], "lines[0].payment_id: missing; expected text"),
    ],
)
def test_what_is_needed_together_is_named(name, removed, said):
    document = golden(name)
    for path in removed:
        document = put(document, path, ...)
    faults = schemas().faults(f"canonical/{type_of(name)}", document)
    assert [str(fault)[: len(said)] for fault in faults] == [said]


def test_a_statement_is_complete_and_an_intraday_report_need_not_be():
    document = put(put(golden("bank_statement"), "opening_balance", ...), "report_type", "intraday")
    assert schemas().is_valid("canonical/bank_statement", document)


def test_every_fault_is_named_once_and_in_one_go():
    document = golden("order")
    put(document, "buyer.party_type", "x")
    put(document, "order_id", "")
    put(document, "order_lines.1.line_id", 7)
    paths = [fault.path for fault in schemas().faults(ORDER, document)]
    assert sorted(paths) == ["buyer.party_type", "order_id", "order_lines[1].line_id"]


def test_a_document_that_is_wrong_everywhere_gives_a_hundred_faults():
    document = put(golden("order"), "order_lines", [{} for _ in range(5000)])
    assert len(schemas().faults(ORDER, document)) == 100


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("buyer.name", 4711_0815),
        ("buyer.contact.electronic_mail", ["erika@example.com"]),
        ("buyer.contact", "erika@example.com"),
        ("buyer", "Erika Muster"),
        ("notes", "Erika Muster"),
        ("notes.0", 4711_0815),
        ("payment_means.0.card_last4", 4242),
        ("order_lines.0.quantity.value", "erika@example.com"),
    ],
)
def test_personal_data_is_never_shown(path, value):
    faults = schemas().faults(ORDER, put(golden("order"), path, value))
    text = " ".join(f"{fault} {fault.seen}" for fault in faults)
    assert faults
    assert not any(word in text for word in ("Erika", "erika", "47110815", "4242"))


@pytest.mark.parametrize("document", [None, "order", 1, [], [golden("order")], True])
def test_anything_but_an_object_is_no_document(document):
    assert not schemas().is_valid(ORDER, document)
    assert len(schemas().faults(ORDER, document)) == 1


@pytest.mark.parametrize("value", [b"bytes", {1: 2}])
def test_what_json_cannot_hold_is_a_fault(value):
    document = put(golden("order"), "order_id", value)
    assert not schemas().is_valid(ORDER, document)
    assert schemas().faults(ORDER, document)


# --- the planted errors of the design: the schema refuses what form can tell, the business rules the rest -------------


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("amount", 10.5),
        ("amount", "1e3"),
        ("amount", "1,000.00"),
        ("amount", "007.00"),
        ("amount", "NaN"),
        ("amount", "1.1234567"),
        ("amount", "10.00\n"),
        ("amount", "١٠"),
        ("amount", "+1.00"),
        ("amount", ".5"),
        ("amount", "1."),
        ("amount", " 1.00"),
        ("amount", "1000000000000000"),
        ("currency", ...),
        ("currency", "eur"),
        ("currency", "EURO"),
        ("cents", "1050"),
    ],
)
def test_an_amount_that_is_not_exact_money_is_refused(path, value):
    document = put(golden("payment"), f"amount.{path}", value)
    assert not schemas().is_valid("canonical/payment", document)


# --- names and fields -------------------------------------------------------------------------------------------------


def test_a_name_without_version_is_the_newest_major():
    folder = "schemas/canonical"
    files = {
        f"{folder}/v{major}/thing.schema.json": json.dumps({"type": kind})
        for major, kind in ((9, "string"), (10, "array"))
    }
    both = SchemaSet(files)
    own = [name for name in both.names() if not name.startswith(("cii/", "ubl/"))]
    assert own == ["canonical/thing", "canonical/v10/thing", "canonical/v9/thing"]
    assert both.is_valid("canonical/thing", [])
    assert both.is_valid("canonical/v9/thing", "x")


def test_definitions_for_others_are_no_type():
    assert "canonical/structures" not in schemas().names()


def test_an_unknown_name_says_what_is_near():
    with pytest.raises(NotFound, match=r"no schema 'canonical/ordr'; did you mean 'canonical/order'\?"):
        schemas().is_valid("canonical/ordr", {})


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("order_id", "string"),
        ("order_lines", "array"),
        ("order_lines[].quantity.value", "string"),
        ("order_lines[3].quantity.value", "string"),
        ("order_lines.item.tax_category.percent", "string"),
        ("buyer.identifiers[0].scheme_id", "string"),
        ("", "object"),
    ],
)
def test_a_field_is_found_by_its_path(path, kind):
    assert schemas().field(ORDER, path)["type"] == kind


@pytest.mark.parametrize(
    "path", ["order", "buyer.town", "order_lines[].quantity.amount", "order_id.x", "order_id[0]", "buyer[0].name"]
)
def test_a_field_that_is_not_declared_is_none(path):
    assert schemas().field(ORDER, path) is None


def test_extensions_hold_anything():
    assert schemas().field(ORDER, "extensions.acme.colour") == {}


def test_what_stands_beside_a_reference_wins():
    field = schemas().field("canonical/invoice", "due_date")
    assert field["description"] == "When it is due."
    assert field["format"] == "date"


def test_a_schema_is_given_without_references():
    text = json.dumps(schemas().schema(ORDER))
    assert "$ref" not in text
    assert schemas().schema(ORDER)["properties"]["order_lines"]["items"]["properties"]["item"]["properties"]["name"]


def test_every_field_says_what_it_is_and_every_code_names_its_list():
    for path in (ROOT / "schemas/canonical/v1").glob("*.json"):
        root = json.loads(path.read_text(encoding="utf-8"))
        nodes = [root, *root.get("$defs", {}).values()]
        fields = [field for node in nodes for name, field in node.get("properties", {}).items() if name != "extensions"]
        assert [node for node in [*nodes, *fields] if not node.get("description")] == []
        lists = {field["x-code-list"] for field in fields if "x-code-list" in field}
        assert lists <= set(schemas().codes.names())
