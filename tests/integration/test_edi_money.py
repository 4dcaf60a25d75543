"""Invoices, credit notes and remittance advices go out as EDI and come back as the same document.

What may differ is listed below, each with its reason.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from edi_library import context, example, library, read, text_of, there_and_back

from hub.business_rules import check
from hub.errors import MappingError
from hub.golden.compare import differences
from tests.unit.canonical import golden, schemas, type_of

NOT_IN_EDI = {
    "seller.endpoint": "neither syntax knows addresses of networks",
    "payee.endpoint": "neither syntax knows addresses of networks",
    "item.item_type": "what is not said is goods or a service alike",
    "tax_representative.party_type": "a party that names itself is taken for an organisation",
}
NOT_IN_EDIFACT = {
    "payment_means[0].mandate_id": "D.96A is older than mandates",
    "payment_means[0].creditor_id": "D.96A is older than creditor ids",
    "prepaid_payments[0].prepayment_invoice_id": "one reference beside an amount paid, that of the payment",
}
NOT_IN_REMADV = {
    "payer.vat_id": "REMADV has no references of parties",
    "payee.vat_id": "REMADV has no references of parties",
    "payee.tax_registration_id": "REMADV has no references of parties",
    "payee.legal_registration_id": "REMADV has no references of parties",
    "payee.party_id": "the GLN stands in its place",
}
NOT_IN_X12 = {
    "seller.legal_registration_id": "no qualifier for registers of companies",
    "payee.legal_registration_id": "no qualifier for registers of companies",
    "payment_means": "an 810 has no codes of them",
}
NOT_IN_810 = {
    "tax_currency_code": "one currency",
    "tax_exchange_rate": "one currency",
    "tax_amount_accounting": "one currency",
    "allowance_charges[0].base_amount": "SAC has a percentage, and not of what",
    "prepaid_payments": "their sum only",
    "despatch_line_id": "REF has no line",
    "preceding_invoices[0].issue_date": "REF has no date",
}
NOT_IN_812 = {
    "item.additional_item_properties": "LIN of the 812 is for numbers of articles",
    "item.classification_codes": "LIN of the 812 is for numbers of articles",
    "item.tax_category": "taxes stand in the sums alone",
}
PAIRS = [
    ("invoice", "invoice-to-edifact", "edifact-invoice", NOT_IN_EDIFACT),
    ("invoice_prepaid_in_full", "invoice-to-edifact", "edifact-invoice", NOT_IN_EDIFACT),
    ("invoice", "invoice-to-x12", "x12-invoice", NOT_IN_X12 | NOT_IN_810),
    ("invoice_prepaid_in_full", "invoice-to-x12", "x12-invoice", NOT_IN_X12 | NOT_IN_810),
    ("credit_note", "credit-note-to-edifact", "edifact-credit-note", NOT_IN_EDIFACT),
    ("credit_note", "credit-note-to-x12", "x12-credit-note", NOT_IN_X12 | NOT_IN_812),
    ("credit_note", "credit-note-to-x12-810", "x12-810-credit-note", NOT_IN_X12 | NOT_IN_810),
    ("remittance_advice", "remittance-advice-to-edifact", "edifact-remittance-advice", NOT_IN_REMADV),
    ("remittance_advice", "remittance-advice-to-x12", "x12-remittance-advice", NOT_IN_X12),
]
AMOUNTS = ("tax_amount", "tax_subtotals", "monetary_total", "total_payment_amount")
CONTEXT = context({}, "UTC", "2026-03-05T22:30:00Z")


@pytest.mark.parametrize(("name", "writer", "reader", "apart"), PAIRS, ids=[f"{p[0]}-{p[1]}" for p in PAIRS])
def test_a_document_comes_back_as_it_went_out(name: str, writer: str, reader: str, apart: dict[str, str]) -> None:
    document = golden(name)
    back = there_and_back(writer, reader, document, CONTEXT)
    found = [each.path for each in differences(document, back)]
    assert [path for path in found if not path.endswith(tuple(NOT_IN_EDI | apart))] == []
    assert not schemas().faults(f"canonical/{type_of(name)}", back)
    assert check(type_of(name), back) == []


@pytest.mark.parametrize(("name", "writer", "reader", "apart"), PAIRS, ids=[f"{p[0]}-{p[1]}" for p in PAIRS])
def test_no_amount_changes_on_the_way(name: str, writer: str, reader: str, apart: dict[str, str]) -> None:
    document = golden(name)
    back = there_and_back(writer, reader, document, CONTEXT)
    assert {key: back.get(key) for key in AMOUNTS} == {key: document.get(key) for key in AMOUNTS}
    lines = next(key for key in document if key.endswith("lines"))
    amounts = [[line.get("line_extension_amount"), line.get("paid_amount")] for line in document[lines]]
    assert [[line.get("line_extension_amount"), line.get("paid_amount")] for line in back[lines]] == amounts


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_freight_invoice_comes_back_as_it_went_out(number: int) -> None:
    document = example(f"x12/x12-210-invoice#{number}")
    back = there_and_back("invoice-to-x12-210", "x12-210-invoice", document, CONTEXT)
    assert list(differences(document, back)) == []


@pytest.mark.parametrize("kind", ["invoice", "credit-note"])
def test_every_account_that_takes_the_money_comes_back(kind: str) -> None:
    name = f"edifact/edifact-{kind}#0"
    document = example(name)
    back = there_and_back(f"{kind}-to-edifact", f"edifact-{kind}", document, CONTEXT)
    assert len(back["payment_means"]) > 1
    assert back["payment_means"] == document["payment_means"]


def test_a_dispute_comes_back_as_it_went_out() -> None:
    document = golden("dispute_invoice_response")
    back = there_and_back("dispute-to-edifact", "edifact-dispute", document, CONTEXT)
    # COMDIS has no answer code; a reason that is none of 4465 goes by the kind of dispute; the instant is the same
    found = {each.path for each in differences(document, back)}
    assert found == {"response_code", "status_reason_code", "opened_at"}
    assert not schemas().faults("canonical/dispute", back)


def turned_round(value: Any) -> Any:
    """A document with the other sign at each amount and quantity of a line, so that it still adds up."""
    if isinstance(value, list):
        return [turned_round(each) for each in value]
    if not isinstance(value, dict):
        return value
    changed = {key: turned_round(each) for key, each in value.items() if key not in ("price", "prepaid_payments")}
    kept = {key: value[key] for key in value.keys() - changed.keys()}
    sign = {key: str(-Decimal(changed[key])) for key in ("amount",) if isinstance(changed.get(key), str)}
    if "invoiced_quantity" in changed:
        changed["invoiced_quantity"] = {
            **changed["invoiced_quantity"], "value": str(-Decimal(changed["invoiced_quantity"]["value"])),
        }  # fmt: skip
    return {**changed, **kept, **sign}


@pytest.mark.parametrize("writer", ["credit-note-to-edifact", "credit-note-to-x12-810"])
def test_a_credit_note_below_zero_is_refused_and_not_read_as_one_above(writer: str) -> None:
    document = turned_round(golden("credit_note"))
    assert check("credit_note", document) == [] and Decimal(document["monetary_total"]["payable_amount"]["amount"]) < 0
    with pytest.raises(MappingError, match=r"the credit note comes to -35\.58: below zero it is taken for one"):
        text_of(writer, document, CONTEXT)


def test_a_credit_note_below_zero_goes_as_an_812() -> None:
    document = turned_round(golden("credit_note"))
    back = there_and_back("credit-note-to-x12", "x12-credit-note", document, CONTEXT)
    assert back["monetary_total"]["payable_amount"] == document["monetary_total"]["payable_amount"]


@pytest.mark.parametrize(
    ("writer", "reader", "seen", "instead"),
    [
        ("invoice-to-edifact", "edifact-invoice", "MOA+77:238.00'", "MOA+77:283.00'"),
        ("invoice-to-edifact", "edifact-invoice", "MOA+203:175.00'", "MOA+203:157.00'"),
        ("invoice-to-edifact", "edifact-invoice", "MOA+124:38.00'", "MOA+124:83.00'"),
        ("invoice-to-x12", "x12-invoice", "TDS*23800~", "TDS*2380000~"),
        ("invoice-to-x12", "x12-invoice", "IT1*2*2.5*HR*70*", "IT1*2*2.5*HR*7*"),
        ("invoice-to-x12", "x12-invoice", "TXI*VA*38.00*", "TXI*VA*83.00*"),
    ],
)
def test_an_amount_that_two_digits_of_are_exchanged_in_is_found(
    writer: str, reader: str, seen: str, instead: str
) -> None:
    text = text_of(writer, golden("invoice"), CONTEXT)
    assert seen in text
    mapping = library().mappings[reader]
    back = mapping.apply(read(mapping.source.schema or "", text.replace(seen, instead)), CONTEXT)
    assert [fault for fault in check("invoice", back) if fault.severity == "error"]
