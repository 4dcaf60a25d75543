"""What goes out as an IDoc comes back: the examples of the canonical model, as XML and as flat files.

What may differ on the way back is listed below, each with its reason.
"""

from __future__ import annotations

from decimal import Decimal
from json import dumps, loads
from typing import Any

import pytest
from edi_library import context, example, library, mapped
from there_and_back import places, read, written

from hub.business_rules import check
from hub.errors import MappingError

COMPANY = {"party_id": "1000", "name": "Example GmbH", "postal_address": {"country_code": "DE"}}
CONTEXT = context(COMPANY, "Europe/Berlin")
KEYS = {"VKORG": "1000", "VTWEG": "10", "SPART": "00", "BUKRS": "1000", "KKBER": "1000"}
LEFT_OUT = {
    "party_type": "SAP does not say what kind of party one is, but for customers",
    "item_type": "SAP has no kinds of articles here",
    "endpoint": "an IDoc has no electronic addresses of parties",
    "legal_registration_id": "an IDoc has no place for it",
    "tax_registration_id": "an IDoc has VAT numbers alone, but for customers",
    "electronic_mail": "E1EDKA1 has no place for it",
    "additional_item_properties": "not carried", "classification_codes": "not carried", "tax_category": "not carried",
    "lot_number": "not carried, but for deliveries", "expiry_date": "not carried, but for deliveries",
    "reason_code": "a condition has words", "payment_means": "bank accounts alone", "extensions": "the control record",
}  # fmt: skip
OF = {
    "order": {
        "anticipated_monetary_total": "SAP computes it", "tax_subtotals": "as above", "tax_amount": "as above",
        "channel": "an IDoc came by EDI", "source_order_id": "not carried", "order_type_code": "not carried",
        "issue_time": "not carried", "reason": "a condition without words has its kind", "id": "conditions have none",
        "delivery_party.postal_address": "that of the place", "seller.contact": "not carried",
        "price_amount.amount": "85 is 85.00", "seller.vat_id": "the own company's", "seller.identifiers": "as above",
        "seller.party_id": "as above", "seller.name": "as above", "seller.postal_address.city_name": "as above",
        "seller.postal_address.postal_zone": "as above", "seller.postal_address.street_name": "as above",
    },
    "order_response": {
        "channel": "an IDoc came by EDI", "substituted_item": "not carried",
        "order_lines[].quantity": "what is not accepted is 0",
        "order_lines[].note": "an item's, with its first schedule line",
    },
    "despatch_advice": {
        "shipment_id": "it is the delivery's number", "tracking_ids[]": "the first alone", "vat_id": "not carried",
        "identifiers": "not carried", "outstanding_reason": "not carried", "location_id": "not carried",
        "actual_despatch_time": "an instant is given in UTC",
    },
    "invoice": {
        "accounting_cost": "not carried", "actual_delivery_date": "of the whole", "allowance_charges": "net price",
        "base_amount": "not carried", "reason": "its code where it has none", "invoice_period": "not carried",
        "price_amount.amount": "the net price", "instalments": "not carried", "tax_amount_accounting": "not carried",
        "tax_currency_code": "not carried", "tax_exchange_rate": "not carried", "tax_representative": "not carried",
        "vat_id": "of buyer and seller", "preceding_invoices": "of credit memos", "due_date": "terms stand for it",
        "prepaid_payments": "refused", "receipt_advice_id": "not carried", "tax_point_date": "not carried",
    },
    "credit_note": {"return_id": "not carried", "dispute_id": "not carried"},
    "customer": {
        "dunning_profile": "no key of SAP's", "segment": "no key of SAP's", "risk_class": "no key of SAP's",
        "payment_terms": "no key of SAP's", "source_ids": "not carried", "strategic": "not carried",
    },
}  # fmt: skip


def document(kind: str) -> Any:
    made = example(kind)
    if kind == "invoice":  # what is paid in part is refused
        made.pop("prepaid_payments", None)
        made["monetary_total"].pop("prepaid_amount", None)
        made["monetary_total"]["payable_amount"] = dict(made["monetary_total"]["tax_inclusive_amount"])
    if kind == "customer":
        made["extensions"] = {"idoc": KEYS}
    assert check(kind, made) == []
    return made


def in_pieces(made: Any) -> Any:
    """SAP has one ISO code for a piece, PCE, which comes back as H87."""
    return loads(dumps(made).replace('"C62"', '"H87"'))


@pytest.mark.parametrize("kind", sorted(OF))
def test_the_examples_go_out_and_come_back(kind: str) -> None:
    made = document(kind)
    back = read("idoc", kind, written("idoc", kind, made, CONTEXT), CONTEXT)
    may_differ = tuple({**LEFT_OUT, **OF[kind]})
    assert [path for path in sorted(places(in_pieces(made), back)) if not path.endswith(may_differ)] == []


@pytest.mark.parametrize("kind", sorted(OF))
def test_the_flat_file_says_the_same_as_xml(kind: str) -> None:
    mapping = library().mappings[f"{kind.replace('_', '-')}-to-idoc"]
    codec = library().schemas.codec("idoc", mapping.target.schema)
    tree = mapped(mapping.name, document(kind), CONTEXT)
    xml, flat = codec.encode_one(tree, {}), codec.encode_one(tree, {"layout": "flat"})
    assert codec.decode_one(xml, {}) == codec.decode_one(flat, {})
    assert {len(line) for line in flat.decode().splitlines()} == {524, 1063}


def test_an_invoice_that_comes_back_adds_up_to_what_it_was() -> None:
    made = document("invoice")
    back = read("idoc", "invoice", written("idoc", "invoice", made, CONTEXT), CONTEXT)
    assert back["monetary_total"] == {**made["monetary_total"], **back["monetary_total"]}
    assert back["tax_subtotals"] == made["tax_subtotals"] and check("invoice", back) == []


@pytest.mark.parametrize("kind", ["order", "invoice", "credit_note"])
def test_a_charge_below_zero_is_an_allowance_to_sap(kind: str) -> None:
    made = document(kind)
    [lines] = [key for key in made if key.endswith("_lines")]
    currency = made["document_currency_code"]
    below = {"charge_indicator": True, "amount": {"amount": "-5.00", "currency": currency}, "reason": "Bonus"}
    made["allowance_charges"] = [below | {"tax_category": {"category_code": "S", "percent": "19"}}]
    made[lines][0]["allowance_charges"] = [below]
    mapping = library().mappings[f"{kind.replace('_', '-')}-to-idoc"]
    tree = mapping.apply(made, CONTEXT)
    of_lines = [x for line in tree["E1EDP01"] for x in line.get("E1EDP05", ())]
    assert kind != "order" or of_lines
    for condition in (*tree["E1EDK05"], *of_lines):
        assert (condition["ALCKZ"], condition["BETRG"]) == ("-", 5) and condition.get("KSCHL", "RABT") == "RABT"


@pytest.mark.parametrize(
    ("kind", "part", "told"),
    [
        ("order", "deliveries", "a delivery of line 1 is counted in KGM, the line in C62; SAP has one unit for both"),
        ("despatch_advice", "outstanding_quantity", "what is still to come has another unit than what was delivered"),
    ],
)
def test_quantities_of_an_item_in_two_units_are_refused(kind: str, part: str, told: str) -> None:
    made, counted = document(kind), {"value": "3", "unit_code": "KGM"}
    [lines] = [key for key in made if key.endswith("_lines")]
    made[lines][0][part] = [{"quantity": counted}] if part == "deliveries" else counted
    with pytest.raises(MappingError, match=told):
        library().mappings[f"{kind.replace('_', '-')}-to-idoc"].apply(made, CONTEXT)


def test_nothing_that_is_outstanding_has_any_unit() -> None:
    made = document("despatch_advice")
    line = made["despatch_lines"][0]
    line["outstanding_quantity"] = {"value": "0", "unit_code": "KGM"}
    tree = library().mappings["despatch-advice-to-idoc"].apply(made, CONTEXT)
    assert tree["E1EDL20"][0]["E1EDL24"][0]["ORMNG"] == Decimal(line["delivered_quantity"]["value"])
