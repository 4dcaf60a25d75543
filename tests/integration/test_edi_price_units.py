"""A price may be for another unit than the quantity: ten cartons of what costs 3.50 a kilogram. EDIFACT says so, in X12
a line has one unit for both; what cannot be said is refused, never told as a price of the quantity's unit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from edi_library import context, document_of, example, text_of, there_and_back

from hub.errors import MappingError

CONTEXT = context({"party_id": "self", "name": "Example", "postal_address": {"country_code": "DE"}}, "UTC")
WRITERS = {
    "order": ("order-to-x12",), "order_change": ("order-change-to-x12",),
    "order_response": ("order-response-to-x12", "order-response-to-x12-865"),
    "invoice": ("invoice-to-x12",), "credit_note": ("credit-note-to-x12", "credit-note-to-x12-810"),
}  # fmt: skip
TOTALS = ("line_extension_amount", "tax_exclusive_amount", "tax_inclusive_amount", "payable_amount")
BESIDE = (
    "allowance_charges", "anticipated_monetary_total", "due_date", "payment_means", "payment_terms", "prepaid_payments",
    "tax_amount_accounting", "tax_currency_code", "tax_exchange_rate", "tax_subtotals", "tax_amount",
)  # fmt: skip


def of_one_line(kind: str, unit: str, priced_by: str, discount: str = "") -> Any:
    """A document with one line: ten of a unit, priced by another, which come to 400.00."""
    document = {key: value for key, value in example(kind).items() if key not in BESIDE}
    [key] = [key for key in document if key.endswith("_lines")]
    line, currency = document[key][0], document.get("document_currency_code", "EUR")
    for name in ("allowance_charges", "deliveries", "maximum_backorder_quantity", "tax_amount"):
        line.pop(name, None)
    document[key] = [line]
    line["quantity" if kind.startswith("order") else "invoiced_quantity"] = {"value": "10", "unit_code": unit}
    line["price"] = {
        "price_amount": {"amount": "3.50", "currency": currency},
        "base_quantity": {"value": "1", "unit_code": priced_by},
    }
    if kind != "order_response":
        line["line_extension_amount"] = {"amount": "400.00", "currency": currency}
    if discount:
        line["allowance_charges"] = [{"charge_indicator": False, "amount": {"amount": discount, "currency": currency}}]
    if not kind.startswith("order"):
        line["item"]["tax_category"] = {"category_code": "Z", "percent": "0"}
        whole, none = ({"amount": amount, "currency": currency} for amount in ("400.00", "0.00"))
        document |= {
            "tax_amount": none, "monetary_total": dict.fromkeys(TOTALS, whole),
            "tax_subtotals": [
                {"taxable_amount": whole, "tax_amount": none, "tax_category": line["item"]["tax_category"]}
            ],
        }  # fmt: skip
    if kind == "invoice":
        document["payment_terms"] = {"note": "30 days"}
    if kind == "order_response":
        document["order_change_id"] = "OC-1"
    return document


def prices(document: Any) -> Any:
    [line] = next(value for key, value in document.items() if key.endswith("_lines"))
    return line["price"], line.get("line_extension_amount"), line.get("allowance_charges")


@pytest.mark.parametrize(("unit", "priced_by"), [("XCT", "KGM"), ("XCT", "C62"), ("C62", "KGM"), ("C62", "C62")])
@pytest.mark.parametrize("kind", WRITERS)
def test_edifact_says_what_unit_a_price_is_for(kind: str, unit: str, priced_by: str) -> None:
    document, name = of_one_line(kind, unit, priced_by), kind.replace("_", "-")
    if unit == priced_by and kind != "order_response":
        document[next(key for key in document if key.endswith("_lines"))][0]["price"]["price_amount"]["amount"] = (
            "40.00"
        )
    back = there_and_back(f"{name}-to-edifact", f"edifact-{name}", document, CONTEXT)
    assert prices(back) == prices(document)


@pytest.mark.parametrize("kind", ["invoice", "credit_note"])
def test_edifact_says_the_price_before_a_discount_where_it_is_for_another_unit(kind: str) -> None:
    document, name = of_one_line(kind, "XCT", "KGM", discount="5.00"), kind.replace("_", "-")
    assert "PRI+AAB:3.50:::1:KGM" in text_of(f"{name}-to-edifact", document, CONTEXT)
    back = there_and_back(f"{name}-to-edifact", f"edifact-{name}", document, CONTEXT)
    assert prices(back) == prices(document)


@pytest.mark.parametrize(("unit", "priced_by"), [("C62", "EA"), ("H87", "C62"), ("EA", "H87")])
@pytest.mark.parametrize("kind", ["invoice", "credit_note"])
def test_edifact_says_the_net_price_of_a_piece_whatever_its_code(kind: str, unit: str, priced_by: str) -> None:
    document = of_one_line(kind, unit, priced_by, discount="5.00")
    assert "PRI+AAA:40:::1" in text_of(f"{kind.replace('_', '-')}-to-edifact", document, CONTEXT)


@pytest.mark.parametrize(("unit", "priced_by"), [("XCT", "KGM"), ("XCT", "C62"), ("DZN", "C62")])
@pytest.mark.parametrize("writer", [writer for writers in WRITERS.values() for writer in writers])
def test_x12_refuses_a_price_for_another_unit(writer: str, unit: str, priced_by: str) -> None:
    kind = next(kind for kind, writers in WRITERS.items() if writer in writers)
    with pytest.raises(MappingError) as told:
        text_of(writer, of_one_line(kind, unit, priced_by), CONTEXT)
    assert f"is one for {priced_by}, and its quantity is in {unit}" in str(told.value)


@pytest.mark.parametrize(("value", "price", "discount"), [("1", "40.00", ""), ("100", "4050.00", "5.00")])
@pytest.mark.parametrize("writer", [writer for kind in WRITERS if kind != "order_response" for writer in WRITERS[kind]])
def test_x12_takes_a_price_that_makes_the_amount_of_the_line(
    writer: str, value: str, price: str, discount: str
) -> None:
    kind = next(kind for kind, writers in WRITERS.items() if writer in writers)
    document = of_one_line(kind, "KGM", "C62", discount)
    [line] = next(value for key, value in document.items() if key.endswith("_lines"))
    line["price"]["price_amount"]["amount"], line["price"]["base_quantity"]["value"] = price, value
    assert "*10*KG*" in text_of(writer, document, CONTEXT)


@pytest.mark.parametrize("kind", ["order", "order_change"])
def test_x12_takes_a_line_that_says_its_amount_and_no_price(kind: str) -> None:
    document = of_one_line(kind, "XCT", "XCT")
    del document["order_lines"][0]["price"]
    assert "*10*CT*" in text_of(WRITERS[kind][0], document, CONTEXT)


@pytest.mark.parametrize("writer", ["order-to-x12", "order-response-to-x12"])
def test_x12_takes_a_piece_for_a_piece_whatever_its_code(writer: str) -> None:
    kind = next(kind for kind, writers in WRITERS.items() if writer in writers)
    assert "*10*EA*3.5" in text_of(writer, of_one_line(kind, "C62", "H87"), CONTEXT)


@pytest.mark.parametrize("kind", ["order", "order_change", "invoice", "credit_note"])
def test_a_line_that_comes_to_quantity_times_price_has_a_price_for_its_quantity(kind: str) -> None:
    document, name = of_one_line(kind, "XCT", "XCT", discount="50.00"), kind.replace("_", "-")
    [line] = next(value for key, value in document.items() if key.endswith("_lines"))
    line["price"]["price_amount"]["amount"] = "40.00"  # the discount is taken off already
    text = text_of(f"{name}-to-edifact", document, CONTEXT)
    for unit in (":NAR", "") if kind.startswith("order") else (":NAR",):
        back = document_of(f"edifact-{name}", text.replace(":10:CT", f":10{unit}"), CONTEXT)
        assert prices(back)[1:] == (line["line_extension_amount"], None)
        assert Decimal(prices(back)[0]["price_amount"]["amount"]) == 40


def test_a_price_that_names_a_unit_without_a_number_is_for_one_of_it() -> None:
    order = of_one_line("order", "XCT", "KGM")
    del order["order_lines"][0]["line_extension_amount"]
    text = text_of("order-to-edifact", order, CONTEXT)
    assert "PRI+AAA:3.50:::1:KGM" in text
    back = document_of("edifact-order", text.replace("PRI+AAA:3.50:::1:KGM", "PRI+AAA:3.50::::KGM"), CONTEXT)
    assert prices(back) == prices(order)


def test_x12_does_not_tell_a_list_price_for_the_unit_of_the_article() -> None:
    product = example("product")
    product["list_price"]["base_quantity"] = {"value": "1", "unit_code": "XXX"}
    with pytest.raises(MappingError, match="X12 has no unit for XXX, which the list price is for"):
        text_of("product-to-x12", product, CONTEXT)
