"""Documents of UBL other than orders, deliveries and invoices: what goes out comes back, and nothing in it breaks UBL.

Five hundred of each are made by chance. What may differ on the way back is listed below, each with its reason.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import there_and_back
from edi_library import context
from random_ubl import MAKERS, documents
from there_and_back import places

from hub.business_rules import check
from tests.unit.canonical import golden, schemas

OF_EACH = 500
CONTEXT = context({"name": "Example GmbH", "postal_address": {"country_code": "DE"}}, "Europe/Berlin")
SAID_OTHERWISE = {
    "extensions.ubl.customization_id": "of an answer that is not the Peppol one nothing is kept",
    "extensions.ubl.receiver": "who an answer was sent to are we",
}
LEFT_OUT = {
    "party_type": "that a party is an organisation is what UBL takes it for",
    "item_type": "UBL has no kinds of articles",
    "channel": "what comes as UBL came by EDI",
    "on_hand_quantity": "UBL has one quantity, that which is available",
    "reserved_quantity": "UBL has one quantity, that which is available",
    "requested_at": "an instant is given in UTC",
    "event_time": "an instant is given in UTC",
    "product_id": "an article is known by the seller's number",
}


def written(kind: str, document: Any) -> bytes:
    return there_and_back.written("ubl", kind, document, CONTEXT)


def read(kind: str, raw: bytes) -> Any:
    return there_and_back.read("ubl", kind, raw, CONTEXT)


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_what_goes_out_comes_back(kind: str) -> None:
    for document in documents(kind, 1, OF_EACH):
        assert not schemas().faults(f"canonical/{kind}", document)
        assert check(kind, document) == []
        back = read(kind, written(kind, document))
        assert places(document, back) - set(SAID_OTHERWISE) == set()


@pytest.mark.parametrize("kind", sorted(set(MAKERS) - {"dispute"}))  # that of the example is about a payment alone
def test_the_examples_go_out_and_come_back(kind: str) -> None:
    document = golden(kind)
    if kind == "stock_level":  # of two places
        document["stock_lines"] = document["stock_lines"][:1]
    left = places(document, read(kind, written(kind, document)))
    assert [path for path in left if not path.endswith(tuple(LEFT_OUT))] == []


@pytest.mark.parametrize(
    ("kind", "counted", "others"),
    [
        ("despatch_advice", "delivered_quantity", ["outstanding_quantity"]),
        ("receipt_advice", "received_quantity", ["short_quantity", "rejected_quantity"]),
        ("order_response", "quantity", ["maximum_backorder_quantity"]),
    ],
)
def test_a_quantity_without_a_unit_has_that_of_its_line(kind: str, counted: str, others: list[str]) -> None:
    document = golden(kind)
    line = next(value for key, value in document.items() if key.endswith("lines"))[0]
    for name in (counted, *others):
        line[name] = {"value": "3", "unit_code": "XCT"}
    said = re.compile(rb"(<cbc:(?:Outstanding|Short|Rejected|MaximumBackorder)Quantity) unitCode=\"XCT\"")
    raw, times = said.subn(rb"\1", written(kind, document))
    assert times == len(others)
    back = next(value for key, value in read(kind, raw).items() if key.endswith("lines"))[0]
    assert [back[name]["unit_code"] for name in (counted, *others)] == ["XCT"] * (1 + len(others))
