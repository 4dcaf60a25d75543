"""What follows an order has the order's key, so that it keeps behind it: by every mapping that travels with the hub."""

from __future__ import annotations

from typing import Any

import pytest
from edi_library import ROOT, cases_of, context, document_of, library, mapped
from there_and_back import read, written

COMPANY = {
    "party_id": "self", "name": "Hydro Schlauch GmbH", "identifiers": [{"id": "4012345000009", "scheme_id": "0088"}],
    "postal_address": {"country_code": "DE"},
}  # fmt: skip
HERE = context(COMPANY, "Europe/Berlin")

AT = "2026-11-30T08:00:00"
# The cases of a shop's orders, what reads its cancellations, what a cancelled order has beside, a guest and a customer.
SHOPS: list[tuple[str, str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("woocommerce/woocommerce-order", "woocommerce-cancellation", {"status": "cancelled", "date_modified_gmt": AT},
     {"customer_id": 0}, {"customer_id": 5001}),
    ("shopify/shopify-webhook-order", "shopify-cancellation", {"cancelled_at": AT + "Z"},
     {"customer": None}, {"customer": {"id": 5001}}),
    ("orders/shopify-order", "shopify-cancellation", {"cancelled_at": AT + "Z"},
     {"customer": None}, {"customer": {"id": 5001}}),
]  # fmt: skip
OTHERS = {"edifact-order-change", "x12-order-change", "ubl-order-change", "ubl-order-cancellation"}


def main_key(reader: str, document: Any) -> str:
    keys = library().schemas.keys(library().mappings[reader].target.schema or "", document)
    return keys[0].text


def test_every_mapping_of_a_change_is_looked_at() -> None:
    files = [path for path in (ROOT / "mappings").rglob("*.yaml") if not path.name.endswith(".test.yaml")]
    changes = {path.stem for path in files if "target: {schema: canonical/order_change}" in path.read_text("utf-8")}
    assert changes == {follower for _, follower, *_ in SHOPS} | OTHERS


@pytest.mark.parametrize(("file", "follower", "cancelled", "guest", "customer"), SHOPS)
def test_the_cancellation_of_a_shop_has_the_key_of_its_order(
    file: str, follower: str, cancelled: dict[str, Any], guest: dict[str, Any], customer: dict[str, Any]
) -> None:
    reader = file.partition("/")[2]
    for case in cases_of(file):
        for who, issuer in ((guest, "ecommerce"), (customer, "C-5001")) if "expected" in case else ():
            order = {**case["input"], **cancelled, **who}
            key = f"order:{issuer}:{case['expected']['order_id']}"
            assert main_key(reader, mapped(reader, order, HERE)) == key
            assert main_key(follower, mapped(follower, order, HERE)) == key


EDIFACT_ORDER = "BGM+220+PO-77+9'DTM+137:20260305:102'{parties}CUX+2:EUR:9'LIN+1++4000862141404:EN'QTY+21:48'UNS+S'"
EDIFACT_CHANGE = (
    "BGM+230+C-1+4'DTM+137:20260306:102'RFF+ON:PO-77'{parties}CUX+2:EUR:9'LIN+1+3+4000862141404:EN'QTY+21:40'UNS+S'"
)
EDIFACT_CANCELLATION = "BGM+230+C-2+1'DTM+137:20260306:102'RFF+ON:PO-77'{parties}UNS+S'"
X12_ORDER = "BEG*00*SA*PO-77**20260305~{parties}PO1*1*5*EA*2**VN*SKU-1~"
X12_CHANGE = "BCH*04*SA*PO-77**1*20260306~{parties}POC*1*QD*4*1*EA***VN*SKU-1~"
X12_CANCELLATION = "BCH*01*SA*PO-77**2*20260306~{parties}"
EDIFACT_PARTIES = [
    ("NAD+BY+V-1::92++Rohr AG'NAD+SU+4012345000009::9'", "V-1"),
    ("NAD+BY+V-1::92++Rohr AG'RFF+ADE:77'NAD+SU+4012345000009::9'", "77"),
    ("NAD+OB+V-1::92++Rohr AG'", "V-1"),
    ("NAD+BY+++Rohr AG'NAD+SU+4012345000009::9'", "edi"),  # has no number
    ("NAD+BY+++Rohr AG'NAD+SU+++Hydro Schlauch'", "edi"),
    ("NAD+BY+4012345000009::9'NAD+SU+L-1::92++Teile AG'", "self"),  # we buy
]
X12_PARTIES = [
    ("N1*BY*Rohr AG*92*V-1~N1*SE**92*self~", "V-1"),
    ("N1*BY*Rohr AG*92*V-1~REF*11*77~", "77"),
    ("N1*BY*Rohr AG~N1*SE**92*self~", "edi"),
    ("N1*BT*Rohr AG*92*V-2~N1*ST*Rohr AG Nord*92*V-3~N1*SE*Hydro*92*4711~", "V-2"),
    ("N1*ST*Rohr AG Nord*92*V-3~N1*SE*Hydro*92*4711~", "V-3"),  # we by the number that the buyer has for us
    ("N1*ST*Rohr AG Nord*92*V-3~", "V-3"),
    ("N1*BY**UL*4012345000009~N1*SE*Teile AG*92*L-1~", "self"),  # we buy
]


@pytest.mark.parametrize(
    ("syntax", "order", "followers", "parties", "issuer"),
    [
        *(("edifact", EDIFACT_ORDER, [EDIFACT_CHANGE, EDIFACT_CANCELLATION], *row) for row in EDIFACT_PARTIES),
        *(("x12", X12_ORDER, [X12_CHANGE, X12_CANCELLATION], *row) for row in X12_PARTIES),
    ],
)
def test_a_change_by_edi_has_the_key_of_its_order(
    syntax: str, order: str, followers: list[str], parties: str, issuer: str
) -> None:
    reader, follower = f"{syntax}-order", f"{syntax}-order-change"
    assert main_key(reader, document_of(reader, order.format(parties=parties), HERE)) == f"order:{issuer}:PO-77"
    for text in followers:
        change = document_of(follower, text.format(parties=parties), HERE)
        assert main_key(follower, change) == f"order:{issuer}:PO-77"


@pytest.mark.parametrize(
    ("party", "issuer"), [({"party_id": "V-1", "name": "Rohr AG"}, "V-1"), ({"name": "Rohr AG"}, "edi")]
)
def test_a_change_by_ubl_has_the_key_of_its_order(party: dict[str, str], issuer: str) -> None:
    plain = {"extensions": {"ubl": {"customization_id": ""}}, "issue_date": "2026-03-05", "order_id": "PO-77",
             "buyer": party, "seller": {"party_id": "self", "name": "Hydro Schlauch GmbH"}}  # fmt: skip
    line = {"line_id": "1", "item": {"name": "Hose"}, "quantity": {"value": "4", "unit_code": "C62"}}
    change = {**plain, "order_change_id": "C-1", "sequence_number": 1, "change_type": "change", "order_lines": [line]}
    documents = [
        ("order", {**plain, "channel": "edi", "document_currency_code": "EUR", "order_lines": [line]}),
        ("order_change", change),
        ("order_cancellation", {**plain, "order_change_id": "C-2", "sequence_number": 2, "change_type": "cancel"}),
    ]
    for kind, document in documents:
        made = read("ubl", kind, written("ubl", kind, document, HERE), HERE)
        assert main_key(f"ubl-{kind.replace('_', '-')}", made) == f"order:{issuer}:PO-77"
