"""What a schema cannot say: each rule with what it refuses and what it lets pass."""

from __future__ import annotations

import json
import re

import pytest

from hub.business_rules import check
from hub.business_rules.fields import tables
from hub.business_rules.walk import Walk, visit
from hub.codes import INDEX, CodeLists, reference_codes
from tests.unit.canonical import ROOT, golden, golden_names, put, schemas, type_of, types


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def found(name, document, severity="error"):
    return [(fault.path, fault.code) for fault in check(type_of(name), document) if fault.severity == severity]


@pytest.mark.parametrize("name", golden_names())
def test_no_golden_document_breaks_a_rule(name):
    assert check(type_of(name), golden(name)) == []


def written(path: str) -> str:
    return re.sub(r"\.(\d+)", r"[\1]", path)


# --- single values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path", "value", "code"),
    [
        ("payment", "amount.currency", "ZZZ", "unknown_currency"),
        ("payment", "amount", money("1000.50", "JPY"), "decimals"),
        ("payment", "amount", money("1000.00", "JPY"), "decimals"),
        ("payment", "amount", money("1.005", "EUR"), "decimals"),
        ("payment", "amount", money("1.0005", "KWD"), "decimals"),
        ("order", "document_currency_code", "XTS", "unknown_currency"),
        ("order", "order_lines.0.price.price_amount.currency", "USD", "currency_mismatch"),
        ("order", "order_lines.0.line_extension_amount.currency", "USD", "currency_mismatch"),
        ("invoice", "tax_amount_accounting.currency", "USD", "currency_mismatch"),
        ("invoice", "prepaid_payments.0.paid_amount.currency", "USD", "currency_mismatch"),
        ("settlement", "lines.0.fee_amount.currency", "USD", "currency_mismatch"),
        ("bank_statement", "entries.0.amount.currency", "USD", "currency_mismatch"),
        ("reminder", "lines.0.penalty_amount.currency", "EUR", "currency_mismatch"),
        ("order", "issue_date", "2026-02-30", "not_a_day"),
        ("order", "issue_date", "20260305", "not_a_day"),
        ("order", "issue_time", "2026-02-30T00:00:00Z", "not_an_instant"),
        ("order", "issue_time", "2026-02-28T00:00:00+99:00", "not_an_instant"),
        ("order", "issue_time", "2026-02-28T00:00:00", "not_an_instant"),
        ("settlement", "period", {"start_date": "2026-03-08", "end_date": "2026-03-07"}, "period_order"),
        ("settlement", "period", {"start_date": "2026-04-31"}, "not_a_day"),
        ("order", "seller.identifiers.0.id", "4012345000008", "check_digit"),
        ("order", "order_lines.0.item.standard_item_id.id", "04012345000017", "check_digit"),
        ("despatch_advice", "despatch_lines.0.package_sscc", "340123450000000018", "check_digit"),
        ("transport_status", "sscc.0", "340123450000000018", "check_digit"),
        ("despatch_advice", "delivery_location.location_id.id", "4012345000024", "check_digit"),
        ("bank_statement", "account.account_id", "DE02120300000000202052", "check_digit"),
        ("bank_statement", "entries.1.transactions.1.creditor_reference", "RF19539007547034", "check_digit"),
        ("remittance_advice", "payment_reference", "RF19539007547034", "check_digit"),
        ("order", "payment_means.1.payment_id", "RF19539007547034", "check_digit"),
        ("order", "seller.vat_id", "123456788", "check_digit"),
        ("order", "buyer.postal_address.country_code", "Germany", "unknown_code"),
        ("order", "buyer.postal_address.country_code", "de", "unknown_code"),
        ("settlement", "lines.0.line_type", "tip", "unknown_code"),
        ("payment_applied", "allocations.0.deduction_reason_code", "mood", "unknown_code"),
        ("return_request", "lines.0.reason_code", "mood", "unknown_code"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(name, path, value, code):
    faults = found(name, put(golden(name), path, value))
    assert [fault_code for _, fault_code in faults] == [code]
    assert faults[0][0].startswith(written(path))


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("order", "channel", "webshop-fr"),
        ("order", "order_lines.0.quantity.unit_code", "QQQ"),
        ("order", "order_lines.0.item.tax_category.category_code", "Q"),
        ("order", "payment_means.0.payment_means_code", "777"),
        ("order", "seller.endpoint.scheme_id", "7777"),
        ("order", "order_type_code", "7777"),
        ("order", "allowance_charges.0.reason_code", "95"),  # a reason of allowances, on a charge
        ("order", "order_lines.0.allowance_charges.0.reason_code", "FC"),  # and the other way round
        ("order", "delivery_location.address.country_code", "QQ"),
        ("order_response", "order_lines.0.line_status_code", "99"),
        ("bank_statement", "entries.2.transactions.0.return_reason_code", "QQ99"),
        ("customer", "language_code", "qq"),
        ("product", "base_unit_code", "QQQ"),
        ("transport_booking", "transport_mode_code", "77"),
    ],
)
def test_an_unknown_code_of_an_open_list_is_a_warning(name, path, value):
    document = put(golden(name), path, value)
    assert found(name, document) == []
    assert [code for _, code in found(name, document, "warning")] == ["unknown_code"]


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("order", "order_lines.0.price.gross_price_amount", money("26.250001")),
        ("bank_statement", "account.account_id", "0001234567"),
        ("bank_statement", "entries.0.transactions.0.creditor_account", "NL-123"),
        ("order", "payment_means.1.payment_id", "REF-2026-1"),
        ("payment", "settlement_amount", money("39000", "JPY")),
        ("bank_statement", "entries.1.transactions.1.charges_amount", money("1.000", "KWD")),
        ("stock_level", "stock_lines.0.location_id", "not a GLN"),
        ("refund", "reason_code", "my own reason"),
        ("credit_note", "reason_code", "my own reason"),
        ("customer", "source_ids.0.scheme_id", "my own system"),
        ("order", "order_lines.0.item.classification_codes.0.scheme_id", "TST"),
        ("settlement", "period", {"start_date": "2026-03-01", "end_date": "2026-03-01"}),
        ("payment", "event_time", "2026-03-06T04:23:00.123456+05:30"),
    ],
)
def test_what_is_right_passes(name, path, value):
    assert check(type_of(name), put(golden(name), path, value)) == []


def test_a_wrong_account_number_is_not_shown():
    fault = check("bank_statement", put(golden("bank_statement"), "account.account_id", "DE02120300000000202052"))[0]
    assert (
        str(fault)
        == "account.account_id: not right (not shown); expected an IBAN of the right length with right check digits"
    )
    assert fault.seen == ""


def test_a_fault_says_what_was_seen_and_expected():
    document = put(golden("payment"), "amount", money("1000.50", "JPY"))
    assert (
        str(check("canonical/payment", document)[0]) == "amount.amount: seen 1000.50; expected no decimals, as JPY has"
    )


def test_the_lists_of_a_project_count():
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in (ROOT / "schemas/codes").iterdir()}
    codes = CodeLists(files | {"schemas/codes/extra/settlement.csv": "code,name\ntip,tip\n"})
    document = put(put(golden("settlement"), "lines.0.line_type", "tip"), "lines.0.payment_id", ...)
    assert check("settlement", document, codes) == []
    assert INDEX in files


# --- every field of the schemas has the rule it deserves --------------------------------------------------------------


def leaves(schema, path=()):
    """Every place of a schema that a rule is for, as (path, what it is)."""
    fields = schema.get("properties", {})
    if {"amount", "currency"} == set(fields):
        yield path, "money"
    elif {"value", "unit_code"} == set(fields):
        yield path, "quantity"
    elif schema.get("format") in ("date", "date-time"):
        yield path, schema["format"]
    elif "x-code-list" in schema:
        yield path, schema["x-code-list"]
    elif schema.get("type") == "array":
        yield from leaves(schema["items"], (*path, 0))
    else:
        for name, below in fields.items():
            yield from leaves(below, (*path, name))


def build(path, value):
    for part in reversed(path):
        value = [value] if part == 0 else {part: value, **({"charge_indicator": True} if part == "reason_code" else {})}
    return value


WRONG = {"money": money("1.00", "ZZZ"), "quantity": {"value": "1", "unit_code": "QQQ"}, "date": "2026-02-30"}


@pytest.mark.parametrize("type_name", types())
def test_no_amount_quantity_day_or_code_escapes(type_name):
    rules = tables(reference_codes())
    for path, what in leaves(schemas().schema(f"canonical/{type_name}")):
        if path[-1] == "scheme_id" and any(part in ("classification_codes", "source_ids") for part in path):
            continue  # there the scheme is a list of classifications, or a system
        walk = Walk(None)
        visit(walk, build(path, WRONG.get(what, "QQ-no-such-code")), None, rules.get(type_name) or rules[""])
        assert len(walk.faults) == 1, f"{path} is {what}"


# --- documents that are not what their schema says --------------------------------------------------------------------


@pytest.mark.parametrize(
    "document", [None, [], "x", 1, {}, {"order_lines": None}, {"order_lines": [None]}, {"buyer": 5}]
)
@pytest.mark.parametrize("type_name", [*types(), "nothing"])
def test_no_document_however_odd_makes_the_check_fail(type_name, document):
    assert isinstance(check(type_name, document), list)


@pytest.mark.parametrize("name", golden_names())
@pytest.mark.parametrize("value", [None, 5, "x", [], {}, [None], True, ""])
def test_no_single_odd_value_makes_the_check_fail(name, value):
    for field in golden(name):
        assert isinstance(check(type_of(name), golden(name) | {field: value}), list)


def test_a_hundred_faults_are_enough():
    lines = [
        {"line_id": str(n), "item": {"name": "x"}, "quantity": {"value": "1", "unit_code": "QQQ"}} for n in range(500)
    ]
    assert len(check("order", golden("order") | {"order_lines": lines})) == 100


def test_what_is_not_canonical_has_no_rules():
    assert check("shopify/order", json.loads('{"issue_date": "never"}')) == []
    assert check("canonical/v1/order", golden("order")) == []
