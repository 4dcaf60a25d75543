"""Lines, taxes and totals of orders and invoices, in currencies of no, two and three decimals."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hub.business_rules import check
from tests.unit.canonical import golden, put, type_of


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def found(name, document, severity="error"):
    return [(fault.path, fault.code) for fault in check(type_of(name), document) if fault.severity == severity]


@pytest.mark.parametrize("name", ["invoice", "credit_note"])
@pytest.mark.parametrize(
    ("path", "cents", "codes"),
    [
        ("monetary_total.line_extension_amount", 1, ["BR-CO-10", "BR-CO-13"]),
        ("monetary_total.charge_total_amount", 1, ["BR-CO-12", "BR-CO-13"]),
        ("monetary_total.tax_exclusive_amount", -1, ["BR-CO-13", "BR-CO-15"]),
        ("monetary_total.tax_inclusive_amount", 1, ["BR-CO-15", "BR-CO-16"]),
        ("monetary_total.payable_amount", -1, ["BR-CO-16"]),
        ("tax_amount", 1, ["BR-CO-15", "BR-CO-14"]),
        ("tax_subtotals.0.taxable_amount", 100, ["BR-CO-17", "tax_basis"]),
        ("tax_subtotals.0.tax_amount", 3, ["BR-CO-14", "BR-CO-17"]),
        ("allowance_charges.0.amount", 1, None),
    ],
)
def test_a_total_that_is_off_by_a_cent_is_refused(name, path, cents, codes):
    document = golden(name)
    node = document
    for part in path.split("."):
        node = node[int(part) if part.isdigit() else part]
    node["amount"] = str(Decimal(node["amount"]) + Decimal(cents) / 100)
    faults = [code for _, code in found(name, document)]
    assert faults == codes or (codes is None and faults)


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("monetary_total.allowance_total_amount", ..., ("monetary_total.allowance_total_amount", "BR-CO-11")),
        ("monetary_total.prepaid_amount", ..., ("monetary_total.payable_amount", "BR-CO-16")),
        ("allowance_charges.0.tax_category", ..., ("allowance_charges[0].tax_category", "BR-32")),
        ("tax_subtotals.0.tax_category.percent", "7", ("tax_subtotals[0].tax_amount", "BR-CO-17")),
        ("invoice_lines.0.item.tax_category.percent", "7", ("tax_subtotals", "BR-CO-18")),
        ("invoice_lines.0.invoiced_quantity.value", "2", ("invoice_lines[0].line_extension_amount", "line_amount")),
        (
            "invoice_lines.1.price.price_amount.amount",
            "70.002",
            ("invoice_lines[1].line_extension_amount", "line_amount"),
        ),
        ("prepaid_payments.0.paid_amount.amount", "137.99", ("monetary_total.prepaid_amount", "prepaid")),
    ],
)
def test_an_invoice_that_does_not_add_up_is_refused(path, value, fault):
    assert fault in found("invoice", put(golden("invoice"), path, value))


def simple_invoice(currency, price, quantity, net, percent, tax, base=None, allowance=None):
    category = {"category_code": "S", "percent": percent}
    line = {
        "line_id": "1",
        "item": {"name": "Hose", "tax_category": category},
        "invoiced_quantity": {"value": quantity, "unit_code": "C62"},
        "line_extension_amount": money(net, currency),
        "price": {"price_amount": money(price, currency)},
    }
    if base:
        line["price"]["base_quantity"] = {"value": base, "unit_code": "C62"}
    if allowance:
        line["allowance_charges"] = [{"charge_indicator": False, "amount": money(allowance, currency)}]
    total = str(Decimal(net) + Decimal(tax))
    return golden("invoice") | {
        "document_currency_code": currency,
        "payment_terms": {"note": "net"},
        "prepaid_payments": [],
        "allowance_charges": [],
        "invoice_lines": [line],
        "tax_amount": money(tax, currency),
        "tax_subtotals": [
            {"taxable_amount": money(net, currency), "tax_amount": money(tax, currency), "tax_category": category}
        ],
        "monetary_total": {
            "line_extension_amount": money(net, currency),
            "tax_exclusive_amount": money(net, currency),
            "tax_inclusive_amount": money(total, currency),
            "payable_amount": money(total, currency),
        },
    }


@pytest.mark.parametrize(
    ("currency", "price", "quantity", "net", "percent", "tax"),
    [
        ("EUR", "10.00", "3", "30.00", "19", "5.70"),
        ("EUR", "0.125", "1", "0.13", "19", "0.02"),  # halves go up
        ("EUR", "-0.125", "1", "-0.13", "19", "-0.02"),  # away from zero
        ("EUR", "0.335", "1", "0.34", "0", "0.00"),  # binary floats say 0.33
        ("EUR", "1.005", "1", "1.01", "0", "0.00"),
        ("JPY", "333.5", "1", "334", "10", "33"),
        ("JPY", "105", "1", "105", "10", "11"),  # 10.5 goes up
        ("KWD", "0.0005", "1", "0.001", "5", "0.000"),
        ("KWD", "1.2345", "3", "3.704", "5", "0.185"),
        ("EUR", "0.333333", "3000000", "1000000.00", "0", "0.00"),  # what six decimals cannot hold
        ("EUR", "0.333333", "3000000", "999999.00", "0", "0.00"),
        ("EUR", "99999999999.999999", "1000", "100000000000000.00", "0", "0.00"),
    ],
)
def test_line_amounts_and_taxes_are_exact_in_every_currency(currency, price, quantity, net, percent, tax):
    assert found("invoice", simple_invoice(currency, price, quantity, net, percent, tax)) == []


@pytest.mark.parametrize(
    ("currency", "price", "quantity", "net", "base", "allowance"),
    [
        ("EUR", "125", "6", "75.00", "10", None),
        ("EUR", "10", "1", "3.33", "3", None),
        ("EUR", "27.50", "1", "25.00", None, "2.50"),
        ("JPY", "1000", "1", "333", "3", None),
    ],
)
def test_a_price_may_be_for_several_and_a_line_may_have_an_allowance(currency, price, quantity, net, base, allowance):
    zero = "0" if currency == "JPY" else "0.00"
    assert found("invoice", simple_invoice(currency, price, quantity, net, "0", zero, base, allowance)) == []


@pytest.mark.parametrize(
    ("currency", "price", "net", "percent", "tax"),
    [
        ("EUR", "0.125", "0.12", "0", "0.00"),
        ("EUR", "10.00", "10.01", "0", "0.00"),
        ("EUR", "10.00", "10.00", "19", "1.91"),
        ("KWD", "1.2345", "1.234", "0", "0.000"),
    ],
)
def test_a_minor_unit_too_much_or_too_little_is_refused(currency, price, net, percent, tax):
    assert found("invoice", simple_invoice(currency, price, "1", net, percent, tax)) != []


def test_a_price_for_nothing_and_a_price_in_another_unit_are_named():
    nothing = simple_invoice("EUR", "10", "1", "10.00", "0", "0.00", base="0")
    assert found("invoice", nothing) == [("invoice_lines[0].price.base_quantity.value", "base_quantity")]
    other = simple_invoice("EUR", "10", "1", "99.00", "0", "0.00", base="1")
    other["invoice_lines"][0]["price"]["base_quantity"]["unit_code"] = "KGM"
    assert found("invoice", other) == []
    assert found("invoice", other, "warning") == [("invoice_lines[0].price.base_quantity.unit_code", "base_quantity")]


def test_tax_that_was_rounded_per_line_is_a_warning():
    document = simple_invoice("EUR", "0.03", "1", "0.03", "19", "0.01")
    lines = document["invoice_lines"] = [dict(document["invoice_lines"][0], line_id=str(n)) for n in range(10)]
    net, tax, total = money("0.30"), money("0.10"), money("0.40")  # 19 % of 0.30 is 0.06; ten times 0.01 is 0.10
    document |= {
        "tax_amount": tax,
        "tax_subtotals": [dict(document["tax_subtotals"][0], taxable_amount=net, tax_amount=tax)],
    }
    document["monetary_total"] = {
        "line_extension_amount": net,
        "tax_exclusive_amount": net,
        "tax_inclusive_amount": total,
        "payable_amount": total,
    }
    assert len(lines) == 10
    assert found("invoice", document) == []
    assert found("invoice", document, "warning") == [("tax_subtotals[0].tax_amount", "BR-CO-17")]


@pytest.mark.parametrize(
    ("currency", "price", "percent", "tax"),
    [
        ("EUR", "10.05", "10", "1.00"),  # 1.005, to the even cent
        ("JPY", "105", "10", "10"),  # 10.5, cut off
        ("EUR", "10.01", "19", "1.91"),  # 1.9019, up
    ],
)
def test_tax_that_was_rounded_in_another_way_is_a_warning(currency, price, percent, tax):
    document = simple_invoice(currency, price, "1", price, percent, tax)
    assert found("invoice", document) == []
    assert found("invoice", document, "warning") == [("tax_subtotals[0].tax_amount", "BR-CO-17")]


def test_two_authorities_may_tax_one_line():
    document = simple_invoice("USD", "100.00", "1", "100.00", "4", "4.00")
    del document["tax_currency_code"], document["tax_amount_accounting"]
    state = {"category_code": "S", "percent": "4", "tax_scheme_id": "STT"}
    city = {"category_code": "S", "percent": "4.5", "tax_scheme_id": "LOC"}
    parts = [
        {"taxable_amount": money("100.00", "USD"), "tax_amount": money("4.00", "USD"), "tax_category": state},
        {"taxable_amount": money("100.00", "USD"), "tax_amount": money("4.50", "USD"), "tax_category": city},
    ]
    document |= {"tax_subtotals": parts, "tax_amount": money("8.50", "USD")}
    document["monetary_total"] |= {
        "tax_inclusive_amount": money("108.50", "USD"),
        "payable_amount": money("108.50", "USD"),
    }
    assert check("invoice", document) == []


def test_cash_is_rounded_in_the_open():
    document = simple_invoice("CHF", "10.03", "1", "10.03", "0", "0.00")
    document["monetary_total"] |= {
        "payable_rounding_amount": money("0.02", "CHF"),
        "payable_amount": money("10.05", "CHF"),
    }
    assert check("invoice", document) == []
    del document["monetary_total"]["payable_rounding_amount"]
    assert found("invoice", document) == [("monetary_total.payable_amount", "BR-CO-16")]


@pytest.mark.parametrize(("net", "severity"), [("100.01", "warning"), ("99.98", "warning"), ("100.03", "error")])
def test_the_lines_of_a_shop_may_be_off_by_two_minor_units(net, severity):
    document = put(golden("order"), "order_lines.0.line_extension_amount.amount", net)
    del document["anticipated_monetary_total"]
    assert ("order_lines[0].line_extension_amount", "line_amount") in found("order", document, severity)


def test_an_order_without_totals_or_prices_is_fine():
    document = golden("order")
    for name in ("anticipated_monetary_total", "tax_subtotals", "allowance_charges"):
        del document[name]
    for line in document["order_lines"]:
        del line["line_extension_amount"]
    assert check("order", document) == []
    for line in document["order_lines"]:
        del line["price"]
    assert check("order", document) == []


@pytest.mark.parametrize(
    ("path", "codes"),
    [
        ("line_extension_amount", ["BR-CO-10", "BR-CO-13"]),
        ("charge_total_amount", ["BR-CO-12", "BR-CO-13"]),
        ("tax_exclusive_amount", ["BR-CO-13", "BR-CO-15"]),
        ("tax_inclusive_amount", ["BR-CO-15", "BR-CO-16"]),
        ("payable_amount", ["BR-CO-16"]),
    ],
)
def test_the_totals_of_an_order_add_up(path, codes):
    document = golden("order")
    total = document["anticipated_monetary_total"][path]
    total["amount"] = str(Decimal(total["amount"]) + Decimal("0.01"))
    assert [code for _, code in found("order", document)] == codes


def test_the_deliveries_of_a_line_make_its_quantity():
    document = put(golden("order"), "order_lines.0.deliveries.1.quantity.value", "2")
    assert found("order", document) == [("order_lines[0].quantity.value", "deliveries")]


def test_two_currencies_are_not_added_up():
    document = put(golden("order"), "order_lines.0.line_extension_amount", money("7.00", "USD"))
    assert [code for _, code in found("order", document)] == ["currency_mismatch"]
