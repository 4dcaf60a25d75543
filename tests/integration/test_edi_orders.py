"""Orders, their changes and the answers to them through EDI and back: what both sides can hold stays the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from edi_library import context, example, there_and_back

from hub.golden.compare import differences

COMPANY = {"party_id": "hub", "name": "Another party", "postal_address": {"country_code": "DE"}}

# What may differ, by path, and why. [] stands for every element.
PEOPLE = {
    "seller.endpoint": "electronic addresses of parties are the matter of the interchange",
    "buyer.party_type": "who buys by EDI is an organisation",
}
SHOP = {
    "channel": "what comes back came by EDI",
    "source_order_id": "the number in the channel has no place",
    "delivery_party.party_type": "kinds of party have no place",
    "delivery_party.postal_address": "the place's address is that of who receives there",
    "delivery_location.name": "who receives lends the place its name",
    "order_lines[].item.item_type": "kinds of article have no place",
}
X12 = {"seller.legal_registration_id": "the register of companies has no qualifier"}
CASES: list[tuple[str, str, str, str, Mapping[str, str]]] = [
    ("order", "order-to-edifact", "edifact-order", "America/Los_Angeles", {
        **PEOPLE, **SHOP,
        "payment_means[].card_last4": "cards have no place",
        "payment_means[]": "PAI names one means of payment",
    }),
    ("order", "order-to-x12", "x12-order", "America/Los_Angeles", {
        **PEOPLE, **SHOP, **X12,
        "payment_means": "means of payment have no place",
        "allowance_charges[].tax_category": "SAC has no tax",
        "tax_subtotals[].tax_category.category_code": "TXI06 says exempt, and not why",
        "tax_subtotals[].tax_category.percent": "TXI03 goes with TXI08",
        "order_lines[].item.tax_category": "a category without a rate has no place",
        "anticipated_monetary_total.prepaid_amount": "AMT*TT is what it comes to",
        "anticipated_monetary_total.payable_amount.amount": "AMT*TT is what it comes to",
    }),
    ("order_change", "order-change-to-edifact", "edifact-order-change", "UTC", {
        "channel": SHOP["channel"], "seller.endpoint": PEOPLE["seller.endpoint"],
        "issue_time": "the same moment in UTC",
        "order_lines[].item.item_type": SHOP["order_lines[].item.item_type"],
    }),
    ("order_change", "order-change-to-x12", "x12-order-change", "UTC", {
        "channel": SHOP["channel"], "seller.endpoint": PEOPLE["seller.endpoint"], **X12,
        "issue_time": "the same moment in UTC",
        "order_lines[].item.item_type": SHOP["order_lines[].item.item_type"],
        "order_lines[].price.base_quantity": "a price of ten becomes one of one",
        "order_lines[].price.price_amount.amount": "a price of ten becomes one of one",
    }),
    ("order_change_cancel", "order-change-to-edifact", "edifact-order-change", "UTC", {
        "channel": SHOP["channel"], "seller.endpoint": PEOPLE["seller.endpoint"],
    }),
    ("order_change_cancel", "order-change-to-x12", "x12-order-change", "UTC", {
        "channel": SHOP["channel"], "seller.endpoint": PEOPLE["seller.endpoint"],
        "seller.legal_registration_id": X12["seller.legal_registration_id"],
    }),
    ("order_response", "order-response-to-edifact", "edifact-order-response", "UTC", {
        "channel": SHOP["channel"], "seller.endpoint": PEOPLE["seller.endpoint"],
    }),
    ("order_response", "order-response-to-x12", "x12-order-response", "UTC", {
        "channel": SHOP["channel"], "seller.endpoint": PEOPLE["seller.endpoint"],
        "seller.legal_registration_id": X12["seller.legal_registration_id"],
        "order_lines[].line_status_code": "IS, a substitute, is no refusal",
    }),
    # what came by EDI
    ("edifact/edifact-order#0", "order-to-edifact", "edifact-order", "Europe/Berlin", {}),
    ("edifact/edifact-order#2", "order-to-edifact", "edifact-order", "Europe/Berlin", {}),
    ("edifact/edifact-order#3", "order-to-edifact", "edifact-order", "Europe/Berlin", {}),
    ("edifact/edifact-order-change#0", "order-change-to-edifact", "edifact-order-change", "Europe/Berlin", {}),
    ("edifact/edifact-order-response#0", "order-response-to-edifact", "edifact-order-response", "Europe/Berlin", {}),
    ("x12/x12-order#0", "order-to-x12", "x12-order", "America/Chicago", {}),
    ("x12/x12-order#1", "order-to-x12", "x12-order", "America/Chicago", {}),
    ("x12/x12-order#4", "order-to-x12", "x12-order", "America/Chicago", {}),
    ("x12/x12-order-change#0", "order-change-to-x12", "x12-order-change", "America/Chicago", {}),
    ("x12/x12-order-response#0", "order-response-to-x12", "x12-order-response", "America/Chicago", {}),
    ("x12/x12-865-order-response#0", "order-response-to-x12-865", "x12-865-order-response", "America/Chicago", {}),
]  # fmt: skip


def plain(value: Any, key: str = "") -> Any:
    """The same with numbers in one form: 125 is 125.00."""
    if isinstance(value, dict):
        return {name: plain(child, name) for name, child in value.items()}
    if isinstance(value, list):
        return [plain(child) for child in value]
    return Decimal(value) if key in ("amount", "value", "percent") and re.fullmatch(r"-?[0-9.]+", value) else value


@pytest.mark.parametrize(("name", "there", "back", "zone", "allowed"), CASES)
def test_what_both_sides_hold_comes_back(
    name: str, there: str, back: str, zone: str, allowed: Mapping[str, str]
) -> None:
    given = example(name)
    found = differences(plain(given), plain(there_and_back(there, back, given, context(COMPANY, zone))))
    told = {re.sub(r"\[\d+\]", "[]", each.path): (each.expected, each.seen) for each in found}
    assert {path: told[path] for path in told if path not in allowed} == {}
    assert set(allowed) <= set(told), "what is allowed to differ does"
