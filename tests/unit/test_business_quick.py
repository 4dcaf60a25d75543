"""The quick answer and the walk that words faults: they never contradict each other."""

from __future__ import annotations

from typing import Any

import pytest

from hub.business_rules import check
from hub.business_rules.quick import passes
from hub.business_rules.structure import structure_of
from hub.business_rules.values import NOT_LIKE_ITS_SCHEMA, are_right, collect_faults
from hub.codes import reference_codes
from hub.errors import DocumentFault
from tests.unit.canonical import golden, golden_names, put, schemas, type_of, types
from tests.unit.mutations import all_mutations, mutations


def walked(kind: str, document: Any) -> list[DocumentFault]:
    faults: list[DocumentFault] = []
    try:
        collect_faults(kind, document, reference_codes(), faults)
    except NOT_LIKE_ITS_SCHEMA:
        return faults
    return faults


@pytest.mark.parametrize("name", golden_names())
def test_a_golden_document_is_right_without_a_walk(name: str) -> None:
    assert are_right(type_of(name), golden(name), reference_codes())


@pytest.mark.parametrize("name", golden_names())
def test_the_quick_answer_is_that_of_the_walk(name: str) -> None:
    """For what the schema accepts it is the same; of anything else nothing is called right in which the walk finds
    a fault."""
    kind = type_of(name)
    for document in mutations(name, 150):
        is_right, faults = are_right(kind, document, reference_codes()), walked(kind, document)
        assert not (is_right and faults), (faults, document)
        if schemas().is_valid(f"canonical/{kind}", document):
            assert is_right == (not faults), (faults, document)


def test_the_mutations_are_worth_something() -> None:
    """Of the documents that a schema accepts, many break a rule and many do not; and many are refused."""
    found = [
        (schemas().is_valid(f"canonical/{kind}", document), bool(walked(kind, document)))
        for kind, document in all_mutations(40)
    ]
    assert all(found.count(case) > 50 for case in ((True, True), (True, False), (False, True), (False, False)))


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("order", "anticipated_monetary_total.prepaid_amount.amount", "30.001"),
        ("order", "anticipated_monetary_total.prepaid_amount.currency", "USD"),
        ("order", "order_lines.0.price.price_amount.currency", "USD"),
        ("product", "list_price.price_amount.currency", "XQQ"),
        ("invoice", "tax_amount_accounting.amount", "30.001"),
        ("customer", "default_currency_code", "XQQ"),
        ("order", "order_lines.2.quantity.unit_code", "QQQ"),
        ("order", "buyer.postal_address.country_code", "QQ"),
        ("order", "issue_date", "2026-02-30"),
        ("order", "issue_time", "2026-03-05T10:00:00"),
        ("settlement", "period.end_date", "2020-01-01"),
        ("order", "seller.identifiers.0.id", "4012345000008"),
        ("order", "seller.endpoint.scheme_id", "7777"),
        ("order", "seller.vat_id", "123456788"),
        ("transport_status", "sscc.0", "340123450000000018"),
        ("bank_statement", "account.account_id", "DE02120300000000202052"),
        ("remittance_advice", "payment_reference", "RF19539007547034"),
        ("order", "allowance_charges.0.reason_code", "95"),
        ("order", "channel", "door"),
        ("return_request", "lines.0.reason_code", "mood"),
    ],
)
def test_each_kind_of_wrong_value_needs_a_walk(name: str, path: str, value: str) -> None:
    document = put(golden(name), path, value)
    assert not are_right(type_of(name), document, reference_codes())
    assert len(walked(type_of(name), document)) == 1


@pytest.mark.parametrize("kind", types())
def test_every_type_has_a_quick_answer(kind: str) -> None:
    assert structure_of(kind) is not None
    assert passes(kind, (), reference_codes()).__name__ == "passes"


def test_a_type_that_is_not_known_is_always_walked() -> None:
    assert structure_of("parcel") is None
    assert not are_right("parcel", {}, reference_codes())
    assert [str(fault) for fault in check("parcel", {"issue_date": "2026-02-30"})] == [
        "issue_date: seen 2026-02-30; expected a day of the calendar such as 2026-02-28"
    ]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("order", "received_date"),
        ("order", "buyer.received_date"),
        ("order", "order_lines.2.received_date"),
        ("order", "order_lines.0.price.received_date"),
        ("order", "order_lines.0.tax_subtotals.0.tax_category.received_date"),
        ("order", "order_lines.0.deliveries.1.received_date"),
        ("bank_statement", "entries.0.transactions.0.received_date"),
        ("stock_level", "stock_lines.0.item.received_date"),
    ],
)
def test_a_field_that_its_structure_does_not_have_is_looked_at_too(name: str, path: str) -> None:
    """As in a later version of the model, or in a project's own."""
    document = put(golden(name), path, "2026-02-30")
    assert [fault.code for fault in check(type_of(name), document)] == ["not_a_day"]


@pytest.mark.parametrize("amount", ["1", "0", "12", "0.5", "100", "-3.25", "12.34"])
def test_an_amount_may_have_fewer_decimals_than_its_currency(amount: str) -> None:
    document = put(golden("payment"), "amount.amount", amount)
    assert are_right("payment", document, reference_codes())


@pytest.mark.parametrize(
    ("currency", "amount", "is_right"),
    [
        ("JPY", "1000", True),
        ("JPY", "1000.5", False),
        ("EUR", "1.25", True),
        ("EUR", "1.255", False),
        ("KWD", "1.255", True),
        ("KWD", "1.2555", False),
        ("CLF", "1.2555", True),
        ("XQQ", "1", False),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(currency: str, amount: str, is_right: bool) -> None:
    document = put(golden("payment"), "amount", {"amount": amount, "currency": currency})
    assert are_right("payment", document, reference_codes()) is is_right
    assert bool(walked("payment", document)) is not is_right
