"""Quantities of one line may have different units: of ten cartons three pieces are damaged. They keep them, or it is
refused."""

from __future__ import annotations

from typing import Any

import pytest
from edi_library import context, example, text_of, there_and_back

from hub.errors import MappingError

CONTEXT = context({"party_id": "self", "name": "Example", "postal_address": {"country_code": "DE"}}, "UTC")


def with_quantities(kind: str, **quantities: str) -> Any:
    """An example whose first line has these quantities, each ``3 C62``."""
    document = example(kind)
    lines = next(value for key, value in document.items() if key.endswith("lines"))
    for name, text in quantities.items():
        value, unit = text.split()
        lines[0][name] = {"value": value, "unit_code": unit}
    return document


def quantities(document: Any) -> dict[str, Any]:
    line = next(value for key, value in document.items() if key.endswith("lines"))[0]
    return {key: value for key, value in line.items() if key.endswith("quantity")} | {
        "deliveries": [part["quantity"] for part in line.get("deliveries", ())]
    }


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("receipt_advice", {"received_quantity": "10 XCT", "rejected_quantity": "3 C62", "short_quantity": "4 C62"}),
        ("receipt_advice", {"received_quantity": "10 C62", "rejected_quantity": "3 XCT", "short_quantity": "4 KGM"}),
        ("despatch_advice", {"delivered_quantity": "10 XCT", "outstanding_quantity": "3 C62"}),
        ("order_response", {"quantity": "10 XCT", "maximum_backorder_quantity": "3 C62"}),
        ("order", {"quantity": "10 XCT"}), ("order_change", {"quantity": "10 XCT"}),
        ("return_request", {"return_quantity": "1 XCT", "received_quantity": "12 H87", "accepted_quantity": "11 H87"}),
    ],
)  # fmt: skip
def test_edifact_keeps_the_unit_of_each_quantity(kind: str, told: dict[str, str]) -> None:
    document, name = with_quantities(kind, **told), kind.replace("_", "-")
    if kind.startswith("order") and kind != "order_response":
        document["order_lines"][0]["deliveries"] = [{"quantity": {"value": "120", "unit_code": "C62"}}]
        document.pop("anticipated_monetary_total", None)
        for line in document["order_lines"]:
            line.pop("line_extension_amount", None)
    back = there_and_back(f"{name}-to-edifact", f"edifact-{name}", document, CONTEXT)
    assert quantities(back) == quantities(document)


@pytest.mark.parametrize("name", ["received_quantity", "accepted_quantity"])
def test_a_return_counted_in_another_unit_is_refused_as_a_180(name: str) -> None:
    document = with_quantities(
        "return_request", return_quantity="1 XCT", received_quantity="1 XCT", accepted_quantity="1 XCT"
    )
    document["lines"][0][name] = {"value": "11", "unit_code": "C62"}
    with pytest.raises(MappingError, match="line 1 comes back in XCT and is counted in C62; a 180 has one unit"):
        text_of("return-request-to-x12", document, CONTEXT)


def test_a_return_counted_in_pieces_by_another_code_goes_as_a_180() -> None:
    document = with_quantities(
        "return_request", return_quantity="3 C62", received_quantity="3 EA", accepted_quantity="2 H87"
    )
    assert "*3*EA*" in text_of("return-request-to-x12", document, CONTEXT)


@pytest.mark.parametrize("kind", ["order", "order_change"])
def test_x12_keeps_the_unit_of_what_goes_to_a_place(kind: str) -> None:
    document, place = with_quantities(kind, quantity="10 XCT"), {"name": "Store 12", "address": {"country_code": "US"}}
    for line in document["order_lines"]:
        for name in ("price", "line_extension_amount", "tax_subtotals", "allowance_charges"):
            line.pop(name, None)
    for name in ("anticipated_monetary_total", "tax_subtotals", "tax_amount", "allowance_charges"):
        document.pop(name, None)
    parts = [{"quantity": {"value": value, "unit_code": "C62"}, "delivery_location": place} for value in ("50", "70")]
    document["order_lines"][0]["deliveries"] = parts
    name = kind.replace("_", "-")
    back = there_and_back(f"{name}-to-x12", f"x12-{name}", document, CONTEXT)
    assert quantities(back)["deliveries"] == quantities(document)["deliveries"]
