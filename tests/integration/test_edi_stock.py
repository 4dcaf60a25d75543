"""Stock, articles, customers and returns through EDI and back: what both sides can hold stays the same."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from edi_library import context, example, there_and_back

from hub.golden.compare import differences

COMPANY = {"party_id": "hub", "name": "Us", "identifiers": [{"id": "5412345000013", "scheme_id": "0088"}]}

# What may differ, by path, and why. [] stands for every element.
KIND = "kinds of article have no place"
OWN = {"item.lot_number": "a batch is not the article's", "item.expiry_date": "an expiry date is a batch's"}
STOCK = {
    "seller.endpoint": "electronic addresses of parties are the matter of the interchange",
    "stock_lines[].item.item_type": KIND,
    "stock_lines[].item.tax_category": "stock has no tax",
}
REGISTER = {"seller.legal_registration_id": "the register of companies has no qualifier"}
PRODUCT = {"product_id": "the seller's number is that of the article", "item.item_type": KIND, **OWN}
RETURN = {"requested_at": "the same moment in UTC", "lines[].item.item_type": KIND}
DAILY = {"as_of": "a day and no hour", "stock_lines[].item.name": "numbers and no names"}
BATCH = dict.fromkeys(
    ("stock_lines[].item.lot_number", "stock_lines[].item.expiry_date", "stock_lines[].next_replenishment_date"),
    "reports of shops tell neither batches nor the day of the next goods",
)
NUMBERED = ("party_id", "vat_id", "tax_registration_id", "legal_registration_id", "postal_address", "contact")
SHOPS = {
    **STOCK,
    **BATCH,
    **dict.fromkeys((f"seller.{each}" for each in NUMBERED), "of a party the number and the name alone"),
    "stock_lines[].item.classification_codes": "what an article is like has no place",
    "stock_lines[].item.additional_item_properties": "what an article is like has no place",
}
CUSTOMER = "what is agreed with a customer has no place"
CASES: list[tuple[str, str, str, Mapping[str, str]]] = [
    ("stock_level", "stock-level-to-edifact", "edifact-stock-level", STOCK),
    ("stock_level", "stock-level-to-x12", "x12-stock-level", {**STOCK, **REGISTER}),
    ("stock_level", "stock-level-to-edifact-slsrpt", "edifact-slsrpt-stock-level", SHOPS),
    ("stock_level", "stock-level-to-x12-852", "x12-852-stock-level", {**SHOPS, **DAILY}),
    ("edifact/edifact-slsrpt-stock-level#0", "stock-level-to-edifact-slsrpt", "edifact-slsrpt-stock-level", {}),
    ("edifact/edifact-slsrpt-stock-level#1", "stock-level-to-edifact-slsrpt", "edifact-slsrpt-stock-level", {}),
    ("x12/x12-852-stock-level#0", "stock-level-to-x12-852", "x12-852-stock-level", {"as_of": DAILY["as_of"]}),
    ("product", "product-to-edifact", "edifact-product", PRODUCT),
    ("product", "product-to-x12", "x12-product", PRODUCT),
    ("return_request", "return-request-to-edifact", "edifact-return-request", RETURN),
    ("return_request", "return-request-to-x12", "x12-return-request", {
        **RETURN,
        "lines[].item.tax_category": "a return has no tax",
        "return_location.name": "a place without a name or a number has its town for a name",
    }),
    ("customer", "customer-to-edifact", "edifact-customer", {
        "source_ids": "numbers in other systems have no place",
        **dict.fromkeys(
            ("credit_limit", "segment", "strategic", "risk_class", "dunning_profile", "language_code"), CUSTOMER
        ),
    }),
    # what came by EDI
    ("edifact/edifact-stock-level#0", "stock-level-to-edifact", "edifact-stock-level", {}),
    ("edifact/edifact-stock-level#2", "stock-level-to-edifact", "edifact-stock-level", {}),
    ("edifact/edifact-stock-level#3", "stock-level-to-edifact", "edifact-stock-level", {}),
    ("edifact/edifact-slsrpt-stock-level#0", "stock-level-to-edifact", "edifact-stock-level", {}),
    ("x12/x12-stock-level#0", "stock-level-to-x12", "x12-stock-level", {}),
    ("x12/x12-stock-level#2", "stock-level-to-x12", "x12-stock-level", {}),
    ("x12/x12-852-stock-level#1", "stock-level-to-x12", "x12-stock-level", {}),
    ("edifact/edifact-product#0", "product-to-edifact", "edifact-product", {}),
    ("edifact/edifact-product#1", "product-to-edifact", "edifact-product", {}),
    ("edifact/edifact-product#2", "product-to-edifact", "edifact-product", {}),
    ("x12/x12-product#0", "product-to-x12", "x12-product", {}),
    ("x12/x12-product#1", "product-to-x12", "x12-product", {}),
    ("edifact/edifact-return-request#0", "return-request-to-edifact", "edifact-return-request", {}),
    ("edifact/edifact-return-request#3", "return-request-to-edifact", "edifact-return-request", {}),
    ("x12/x12-return-request#0", "return-request-to-x12", "x12-return-request", {}),
    ("edifact/edifact-customer#0", "customer-to-edifact", "edifact-customer", {}),
    ("edifact/edifact-customer#3", "customer-to-edifact", "edifact-customer", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "there", "back", "allowed"), CASES)
def test_what_both_sides_hold_comes_back(name: str, there: str, back: str, allowed: Mapping[str, str]) -> None:
    given = example(name)
    found = differences(given, there_and_back(there, back, given, context(COMPANY, "America/Los_Angeles")))
    told = {re.sub(r"\[\d+\]", "[]", each.path): (each.expected, each.seen) for each in found}
    assert {path: told[path] for path in told if path not in allowed} == {}
    assert set(allowed) <= set(told), "what is allowed to differ does"
