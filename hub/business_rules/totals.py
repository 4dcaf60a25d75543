"""Lines, taxes and totals of orders, invoices and credit notes: EN 16931, BR-CO-10 to BR-CO-17."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

from hub.business_rules.sums import (
    ZERO,
    amount,
    minor_unit,
    number,
    product,
    quotient,
    round_half_up,
    total,
    wrong_sum,
)
from hub.errors import DocumentFault

_PRICE_ERROR = Decimal("0.0000005")  # a price of six decimals may be off by half of the last one


def check_order(document: Any) -> Iterator[DocumentFault]:
    """An order's lines and, where it has them, its totals. Shops that sell with tax round elsewhere: lines may be off
    by two minor units, which is a warning."""
    lines = document.get("order_lines", ())
    nets: list[Decimal] = []
    for index, line in enumerate(lines):
        if "line_extension_amount" in line and "price" in line:
            net = Decimal(line["line_extension_amount"]["amount"])
            nets.append(net)
            fault = _line_fault(line, net, line["quantity"], ("order_lines", index), 2)
            if fault is not None:
                yield fault
        if "deliveries" in line:
            yield from _check_deliveries(line, f"order_lines[{index}]")
    totals = document.get("anticipated_monetary_total")
    if totals is None:
        return
    subtotals = document.get("tax_subtotals")
    taxes = None if subtotals is None else total(part["tax_amount"] for part in subtotals)
    if len(nets) < len(lines) and all("line_extension_amount" in line for line in lines):
        nets = [amount(line["line_extension_amount"]) for line in lines]
    all_lines = sum(nets, ZERO) if len(nets) == len(lines) else None
    yield from _check_totals(document, totals, "anticipated_monetary_total", all_lines, taxes)
    if subtotals:
        yield from _check_rates(document, len(lines))


def check_invoice(document: Any, lines_name: str) -> Iterator[DocumentFault]:
    """An invoice's or a credit note's lines, taxes and totals, to the last minor unit."""
    lines, totals = document[lines_name], document["monetary_total"]
    nets: list[Decimal] = []
    for index, line in enumerate(lines):
        nets.append(Decimal(line["line_extension_amount"]["amount"]))
        fault = _line_fault(line, nets[-1], line["invoiced_quantity"], (lines_name, index), slack=0)
        if fault is not None:
            yield fault
    tax = amount(document["tax_amount"])
    yield from _check_totals(document, totals, "monetary_total", sum(nets, ZERO), tax)
    wanted = total(part["tax_amount"] for part in document["tax_subtotals"])
    if tax != wanted:
        yield wrong_sum("tax_amount", "BR-CO-14", tax, wanted, "the sum of tax_subtotals")
    yield from _check_rates(document, len(lines))
    yield from _check_bases(document, lines, nets)
    yield from _check_prepaid(document, totals)
    yield from _check_tax_currency(document)
    for index, part in enumerate(document.get("allowance_charges", ())):
        if "tax_category" not in part:
            path = f"allowance_charges[{index}].tax_category"
            yield DocumentFault(path, "BR-32", "missing; expected the tax category of the allowance or charge")


def _line_fault(line: Any, seen: Decimal, quantity: Any, place: tuple[str, int], slack: int) -> DocumentFault | None:
    """Net amount = quantity × price ÷ base quantity − allowances + charges, rounded half up."""
    price = line["price"]
    count = number(quantity["value"])
    wanted = product(count, Decimal(price["price_amount"]["amount"]))
    base = price.get("base_quantity")
    if base is not None:
        fault = _base_fault(base, quantity, place)
        if fault is not None:
            return fault
        count = quotient(count, Decimal(base["value"]))
        wanted = quotient(wanted, Decimal(base["value"]))
    if "allowance_charges" in line:
        wanted += sum(map(_signed, line["allowance_charges"]), ZERO)
    if seen == wanted:
        return None
    unit = minor_unit(line["line_extension_amount"])
    rounded = round_half_up(wanted, unit)
    if seen == rounded or _is_price_error(seen, wanted, unit, price["price_amount"]["amount"], count):
        return None
    severity = "warning" if abs(seen - rounded) <= slack * unit else "error"
    why = "quantity × price, less allowances, plus charges, rounded half up"
    path = f"{place[0]}[{place[1]}].line_extension_amount"
    return wrong_sum(path, "line_amount", seen, rounded, why, severity)


def _signed(part: Any) -> Decimal:
    """An allowance or charge as it counts in a sum."""
    return amount(part["amount"]) if part["charge_indicator"] else -amount(part["amount"])


def _base_fault(base: Any, quantity: Any, place: tuple[str, int]) -> DocumentFault | None:
    """A price for a quantity of nothing, or in another unit than the line's: such a line cannot be computed."""
    path = f"{place[0]}[{place[1]}].price.base_quantity"
    if Decimal(base["value"]) <= 0:
        message = f"seen {base['value']}; expected more than 0"
        return DocumentFault(f"{path}.value", "base_quantity", message, base["value"], "more than 0")
    if base["unit_code"] != quantity["unit_code"]:
        expected = f"{quantity['unit_code']}, the unit of the line; the amount was not checked"
        message = f"seen {base['unit_code']}; expected {expected}"
        return DocumentFault(f"{path}.unit_code", "base_quantity", message, base["unit_code"], expected, "warning")
    return None


def _is_price_error(seen: Decimal, wanted: Decimal, unit: Decimal, price: str, count: Decimal) -> bool:
    """Whether the digits that a price of six decimals cannot hold explain the difference."""
    if len(price.partition(".")[2]) < 6:
        return False
    error = product(abs(count), _PRICE_ERROR)
    return round_half_up(wanted - error, unit) <= seen <= round_half_up(wanted + error, unit)


def _check_deliveries(line: Any, path: str) -> Iterator[DocumentFault]:
    quantities = [part["quantity"] for part in line["deliveries"]]
    if any(part["unit_code"] != line["quantity"]["unit_code"] for part in quantities):
        return
    seen, wanted = Decimal(line["quantity"]["value"]), sum((Decimal(part["value"]) for part in quantities), ZERO)
    if seen != wanted:
        yield wrong_sum(f"{path}.quantity.value", "deliveries", seen, wanted, "the sum of its deliveries")


def _check_totals(
    document: Any, totals: Any, path: str, lines: Decimal | None, tax: Decimal | None
) -> Iterator[DocumentFault]:
    """BR-CO-10 to BR-CO-16. ``lines``, their sum, and ``tax`` are None where the document does not tell them."""
    net, exclusive = amount(totals["line_extension_amount"]), amount(totals["tax_exclusive_amount"])
    inclusive, payable = amount(totals["tax_inclusive_amount"]), amount(totals["payable_amount"])
    allowances, charges = amount(totals.get("allowance_total_amount")), amount(totals.get("charge_total_amount"))
    sums = {True: ZERO, False: ZERO}
    for part in document.get("allowance_charges", ()):
        sums[bool(part["charge_indicator"])] += Decimal(part["amount"]["amount"])
    if lines is not None and net != lines:
        yield wrong_sum(f"{path}.line_extension_amount", "BR-CO-10", net, lines, "the sum of the lines")
    if allowances != sums[False]:
        why = "the sum of the allowances"
        yield wrong_sum(f"{path}.allowance_total_amount", "BR-CO-11", allowances, sums[False], why)
    if charges != sums[True]:
        yield wrong_sum(f"{path}.charge_total_amount", "BR-CO-12", charges, sums[True], "the sum of the charges")
    wanted = net - allowances + charges
    if exclusive != wanted:
        yield wrong_sum(f"{path}.tax_exclusive_amount", "BR-CO-13", exclusive, wanted, "lines − allowances + charges")
    if tax is not None and inclusive != exclusive + tax:
        why = "tax_exclusive_amount + tax"
        yield wrong_sum(f"{path}.tax_inclusive_amount", "BR-CO-15", inclusive, exclusive + tax, why)
    wanted = inclusive - amount(totals.get("prepaid_amount")) + amount(totals.get("payable_rounding_amount"))
    if payable != wanted:
        why = "tax_inclusive_amount − prepaid_amount + payable_rounding_amount"
        yield wrong_sum(f"{path}.payable_amount", "BR-CO-16", payable, wanted, why)


def _check_rates(document: Any, lines: int) -> Iterator[DocumentFault]:
    """BR-CO-17: tax = basis × rate, rounded half up. A warning is tax that was rounded in another way, or per line and
    then added up, which may make half a minor unit per line."""
    parts = lines + len(document.get("allowance_charges", ()))
    for index, subtotal in enumerate(document.get("tax_subtotals", ())):
        tax, percent = subtotal["tax_amount"], subtotal["tax_category"].get("percent")
        if percent is None and subtotal["tax_category"]["category_code"] == "S":
            continue
        unit = minor_unit(tax)
        exact = product(amount(subtotal["taxable_amount"]), Decimal(percent or 0)).scaleb(-2)
        seen, wanted = amount(tax), round_half_up(exact, unit)
        if seen != wanted:
            off = abs(seen - exact)
            is_rounding = off < unit or (parts > 1 and off <= unit * parts / 2)
            path, why = f"tax_subtotals[{index}].tax_amount", "taxable_amount × percent, rounded half up"
            yield wrong_sum(path, "BR-CO-17", seen, wanted, why, "warning" if is_rounding else "error")


def _check_bases(document: Any, lines: Any, nets: list[Decimal]) -> Iterator[DocumentFault]:
    """BR-S-08 and its like: the basis of a category and rate is the sum of what is taxed so. Only checked where every
    line tells its category and VAT is the only tax, since two authorities may tax one line."""
    subtotals = [part["tax_category"] for part in document["tax_subtotals"]]
    taxed = [(line["item"].get("tax_category"), net) for line, net in zip(lines, nets, strict=True)]
    for part in document.get("allowance_charges", ()):
        taxed.append((part.get("tax_category"), _signed(part)))
    if any(category is None or category.get("tax_scheme_id", "VAT") != "VAT" for category, _ in taxed):
        return
    if any(category.get("tax_scheme_id", "VAT") != "VAT" for category in subtotals):
        return
    sums: dict[tuple[str, Decimal], Decimal] = {}
    for category, value in taxed:
        rate = _rate(category)
        sums[rate] = sums.get(rate, ZERO) + value
    for index, category in enumerate(subtotals):
        seen, wanted = amount(document["tax_subtotals"][index]["taxable_amount"]), sums.pop(_rate(category), ZERO)
        if seen != wanted:
            why = f"the sum of what is taxed as {category['category_code']} {category.get('percent', '')}".rstrip()
            yield wrong_sum(f"tax_subtotals[{index}].taxable_amount", "tax_basis", seen, wanted, why)
    for code, percent in sums:
        expected = f"a tax subtotal for {code} {percent:f}"
        yield DocumentFault(
            "tax_subtotals", "BR-CO-18", f"missing; expected {expected}", expected=expected, wanted="one for each rate"
        )


def _rate(category: Any) -> tuple[str, Decimal]:
    return category["category_code"], _percent(category.get("percent", "0"))


@lru_cache(256)
def _percent(text: str) -> Decimal:
    """The number of a rate, the same for ``19`` and ``19.00``; there are few."""
    return Decimal(text).normalize()


def _check_prepaid(document: Any, totals: Any) -> Iterator[DocumentFault]:
    payments = document.get("prepaid_payments")
    if payments is None:
        return
    seen, wanted = amount(totals.get("prepaid_amount")), total(part["paid_amount"] for part in payments)
    if seen != wanted:
        yield wrong_sum("monetary_total.prepaid_amount", "prepaid", seen, wanted, "the sum of prepaid_payments")


def _check_tax_currency(document: Any) -> Iterator[DocumentFault]:
    accounted, code = document.get("tax_amount_accounting"), document.get("tax_currency_code")
    if accounted is not None and code is not None and accounted["currency"] != code:
        expected = f"{code}, the tax_currency_code"
        message = f"seen {accounted['currency']}; expected {expected}"
        path = "tax_amount_accounting.currency"
        yield DocumentFault(
            path, "currency_mismatch", message, accounted["currency"], expected, wanted="the tax_currency_code"
        )
