"""Invoices and credit notes of the canonical model, made by chance and right to the last minor unit.

What may differ from one to the next is all that EN 16931 has: currencies of 0, 2 and 3 decimals, tax categories and
rates, allowances and charges of lines and of the whole, prices per 10 or 100, negative lines, prepayments, rounding, a
second currency, parties with the numbers of their countries. The same seed gives the same documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

EXPONENTS = {
    "EUR": 2,
    "USD": 2,
    "CHF": 2,
    "GBP": 2,
    "PLN": 2,
    "JPY": 0,
    "ISK": 0,
    "KRW": 0,
    "KWD": 3,
    "TND": 3,
    "BHD": 3,
}
RATES = {"SE": ("25", "12", "6"), "FR": ("20", "10", "5.5", "2.1"), "CH": ("8.1", "2.6"), "AT": ("20", "13", "10")}
_RATES = ("19", "7", "21", "25.5")
_UNTAXED = ("Z", "E", "AE", "K", "G")
_PARTIES: tuple[tuple[str, str, str, str], ...] = (
    ("DE", "DE136695976", "HRB 12345", ""),
    ("AT", "ATU13585627", "FN 72544g", ""),
    ("FR", "FR40303265045", "303265045", ""),
    ("BE", "BE0428759497", "0428759497", ""),
    ("NL", "NL004495445B01", "12345678", ""),
    ("PL", "PL5260001246", "0000012345", ""),
    ("SE", "SE556036079301", "5560360793", ""),
    ("FI", "FI20774740", "2077474-0", ""),
    ("IE", "IE6433435F", "", "0088"),
    ("LU", "LU15027442", "B 12345", "0060"),
)
_NUMBERS = {"0088": "4012345000009", "0060": "150483782"}
_UNITS = ("C62", "KGM", "HUR", "LTR", "MTR")


def money(value: Decimal, currency: str) -> dict[str, str]:
    """An amount of a currency, which must fit it."""
    places = EXPONENTS[currency]
    written = value.quantize(Decimal(1).scaleb(-places))
    assert written == value, (value, currency)
    return {"amount": f"{written if written else abs(written)}", "currency": currency}


def documents(seed: int, number: int) -> list[tuple[str, dict[str, Any]]]:
    """So many documents, each with its type: ``invoice``, or ``credit_note`` of every fourth."""
    random = Random(seed)
    return [
        _Maker(random, f"{seed}-{index}", "credit_note" if index % 4 == 3 else "invoice").make()
        for index in range(number)
    ]


@dataclass
class _Taxed:
    """What is taxed together."""

    category: dict[str, str]
    basis: Decimal = Decimal(0)


class _Maker:
    """Makes one document; what it decides early holds for the rest of it."""

    def __init__(self, random: Random, name: str, kind: str) -> None:
        self._random, self._name, self._kind = random, name, kind
        self._currency = random.choice(list(EXPONENTS) if random.random() < 0.6 else ["EUR"])
        self._start = date(2026, 1, 1) + timedelta(random.randrange(300))
        self._seller, self._buyer = random.sample(_PARTIES, 2)
        self._is_whole = EXPONENTS[self._currency] != 2
        rates = RATES.get(self._seller[0], _RATES)
        self._rates = [rate for rate in rates if "." not in rate or not self._is_whole] + (
            [] if self._seller[0] == "SE" else ["17"]
        )
        self._is_untaxed = random.random() < 0.08
        self._categories = self._choose_categories()
        self._taxed: dict[tuple[str, str], _Taxed] = {}

    def make(self) -> tuple[str, dict[str, Any]]:
        lines = [self._line(number) for number in range(1, self._random.choice((1, 2, 3, 5, 9)) + 1)]
        net = sum((Decimal(line["line_extension_amount"]["amount"]) for line in lines), Decimal(0))
        extras = [self._extra(net) for _ in range(self._random.choice((0, 0, 1, 2, 3)))]
        document = self._head()
        document["seller"] = self._party(self._seller, is_seller=True)
        document["buyer"] = self._party(self._buyer, is_seller=False)
        if extras:
            document["allowance_charges"] = extras
        subtotals = [self._subtotal(taxed) for taxed in self._taxed.values()]
        tax = sum((Decimal(part["tax_amount"]["amount"]) for part in subtotals), Decimal(0))
        document["tax_amount"] = self._money(tax)
        if self._chance(0.2):
            document |= self._second_currency(tax)
        document["tax_subtotals"] = subtotals
        document["monetary_total"] = self._totals(document, net, extras, tax)
        document["invoice_lines" if self._kind == "invoice" else "credit_note_lines"] = lines
        if self._chance(0.4):
            document["notes"] = ["Thank you for <your> order & trust", "Zweite Zeile: äöü €"][
                : self._random.choice((1, 1, 2))
            ]
        return self._kind, document

    # -- money -----------------------------------------------------------------------------------------------------

    def _rounded(self, value: Decimal) -> Decimal:
        """An amount in cents, or in whole units of a currency that has none, or has a third decimal."""
        return value.quantize(Decimal(1).scaleb(0 if self._is_whole else -2), ROUND_HALF_UP)

    def _money(self, value: Decimal) -> dict[str, str]:
        return money(value, self._currency)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _some(self, least: int, most: int) -> Decimal:
        places = 0 if self._is_whole else 2
        return Decimal(self._random.randint(least * 10**places, most * 10**places)).scaleb(-places)

    # -- taxes -----------------------------------------------------------------------------------------------------

    def _choose_categories(self) -> list[dict[str, str]]:
        if self._is_untaxed:
            return [{"category_code": "O"}]
        chosen = [{"category_code": "S", "percent": rate} for rate in self._random.sample(self._rates, 2)]
        chosen += [{"category_code": code, "percent": "0"} for code in self._random.sample(_UNTAXED, 2)]
        return self._random.sample(chosen, self._random.choice((1, 1, 2, 3, 4)))

    def _tax(self, value: Decimal) -> dict[str, str]:
        """A category that so much is taxed by."""
        category = self._random.choice(self._categories)
        key = (category["category_code"], category.get("percent", ""))
        self._taxed.setdefault(key, _Taxed(category)).basis += value
        return dict(category)

    def _subtotal(self, taxed: _Taxed) -> dict[str, Any]:
        category = dict(taxed.category)
        reason = {"E": ("VATEX-EU-132", "exempt by article 132"), "AE": ("VATEX-EU-AE", "reverse charge")}.get(
            category["category_code"]
        )
        if reason is not None:
            category |= self._random.choice(({"exemption_reason_code": reason[0]}, {"exemption_reason": reason[1]}))
        exact = taxed.basis * Decimal(category.get("percent", "0")) / 100
        tax = exact.quantize(Decimal(1).scaleb(-EXPONENTS[self._currency]), ROUND_HALF_UP)
        return {"taxable_amount": self._money(taxed.basis), "tax_amount": self._money(tax), "tax_category": category}

    def _second_currency(self, tax: Decimal) -> dict[str, Any]:
        code = self._random.choice([code for code in EXPONENTS if code != self._currency])
        value = (tax * Decimal("1.25")).quantize(Decimal(1).scaleb(-min(EXPONENTS[code], 2)), ROUND_HALF_UP)
        value = value if value or not tax else tax.copy_sign(1).quantize(Decimal(1)).copy_sign(tax)
        return {"tax_currency_code": code, "tax_amount_accounting": money(value, code)}

    # -- lines -----------------------------------------------------------------------------------------------------

    def _line(self, number: int) -> dict[str, Any]:
        quantity, price, base = self._price()
        line: dict[str, Any] = {"line_id": str(number)}
        net = self._rounded(quantity * price / base)
        extras = [self._line_extra(net) for _ in range(self._random.choice((0, 0, 0, 1, 2)))]
        for extra in extras:
            change = Decimal(extra["amount"]["amount"])
            net += change if extra["charge_indicator"] else -change
        unit = self._random.choice(_UNITS)
        line["item"] = self._item(number, self._tax(net))
        line["invoiced_quantity"] = {"value": f"{quantity.normalize():f}", "unit_code": unit}
        line["line_extension_amount"] = self._money(net)
        line["price"] = {"price_amount": self._price_money(price)}
        if base != 1:
            line["price"]["base_quantity"] = {"value": f"{base}", "unit_code": unit}
        if self._chance(0.2):
            line["price"]["gross_price_amount"] = self._price_money(price + 1)
        if extras:
            line["allowance_charges"] = extras
        if self._chance(0.2):
            line["invoice_period"] = {"start_date": f"{self._start}", "end_date": f"{self._start + timedelta(9)}"}
        line |= {key: f"{key} {number}" for key in ("accounting_cost", "note", "order_line_id") if self._chance(0.3)}
        return line

    def _price(self) -> tuple[Decimal, Decimal, Decimal]:
        """Quantity, price and what quantity that is for. Without cents, or with a third decimal that may not be used,
        a line comes out whole: Peppol has two hundredths of any currency for what is rounded."""
        sign = -1 if self._chance(0.08) else 1
        if self._is_whole:
            base = Decimal(self._random.choice((1, 1, 10)))
            return sign * base * self._random.randint(1, 40), self._some(1, 900), base
        places = self._random.choice((0, 0, 1, 3))
        quantity = Decimal(self._random.randint(1, 90 * 10**places)).scaleb(-places)
        decimals = self._random.choice((2, 2, 2, 4, 6))
        price = Decimal(self._random.randint(1, 500 * 10**decimals)).scaleb(-decimals)
        return sign * quantity, price, Decimal(self._random.choice((1, 1, 1, 10, 100)))

    def _price_money(self, price: Decimal) -> dict[str, str]:
        """A price: it has the decimals of the currency, and more where it needs them."""
        places = max(EXPONENTS[self._currency], -int(price.normalize().as_tuple().exponent))
        return {"amount": f"{price.quantize(Decimal(1).scaleb(-places))}", "currency": self._currency}

    def _item(self, number: int, tax: dict[str, str]) -> dict[str, Any]:
        item: dict[str, Any] = {"name": f"Item {number}", "tax_category": tax}
        optional = {
            "description": "of steel, < 5 mm & black",
            "sellers_item_id": f"SKU-{number}",
            "buyers_item_id": f"B{number}",
            "standard_item_id": {"id": "04012345000016", "scheme_id": "0160"},
            "classification_codes": [{"id": "40092100", "scheme_id": "HS"}],
            "additional_item_properties": [{"name": "colour", "value": "black"}, {"name": "size", "value": "XL"}],
            "origin_country_code": "CN",
        }
        return item | {key: value for key, value in optional.items() if self._chance(0.3)}

    # -- allowances and charges ------------------------------------------------------------------------------------

    def _change(self, basis: Decimal) -> dict[str, Any]:
        is_charge = self._chance(0.5)
        extra: dict[str, Any] = {"charge_indicator": is_charge}
        if basis > 0 and self._chance(0.5):
            percent = self._random.choice(("5", "2.5", "33.333"))
            extra |= {
                "amount": self._money(self._rounded(basis * Decimal(percent) / 100)),
                "base_amount": self._money(basis),
                "percent": percent,
            }
        else:
            extra["amount"] = self._money(self._some(0, 30))
        reason = {"reason_code": "FC" if is_charge else "95", "reason": "Freight" if is_charge else "Discount"}
        kept = self._random.choice((["reason_code"], ["reason"], ["reason_code", "reason"]))
        return extra | {key: reason[key] for key in kept}

    def _line_extra(self, net: Decimal) -> dict[str, Any]:
        return self._change(net)

    def _extra(self, net: Decimal) -> dict[str, Any]:
        extra = self._change(net)
        change = Decimal(extra["amount"]["amount"])
        return extra | {"tax_category": self._tax(change if extra["charge_indicator"] else -change)}

    # -- the whole -------------------------------------------------------------------------------------------------

    def _totals(self, document: dict[str, Any], net: Decimal, extras: list[Any], tax: Decimal) -> dict[str, Any]:
        sums = {True: Decimal(0), False: Decimal(0)}
        for extra in extras:
            sums[extra["charge_indicator"]] += Decimal(extra["amount"]["amount"])
        exclusive = net - sums[False] + sums[True]
        inclusive = exclusive + tax
        totals = {"line_extension_amount": self._money(net)}
        totals |= {"allowance_total_amount": self._money(sums[False])} if sums[False] else {}
        totals |= {"charge_total_amount": self._money(sums[True])} if sums[True] else {}
        totals |= {"tax_exclusive_amount": self._money(exclusive), "tax_inclusive_amount": self._money(inclusive)}
        prepaid = self._prepaid(document, inclusive)
        totals |= {"prepaid_amount": self._money(prepaid)} if prepaid else {}
        payable = inclusive - prepaid
        if self._chance(0.2) and EXPONENTS[self._currency]:
            rounding = payable.quantize(Decimal(1), ROUND_HALF_UP) - payable
            totals |= {"payable_rounding_amount": self._money(rounding)} if rounding else {}
            payable += rounding
        totals["payable_amount"] = self._money(payable)
        if self._kind == "invoice" and payable > 0:
            document |= self._due()
        return totals

    def _prepaid(self, document: dict[str, Any], inclusive: Decimal) -> Decimal:
        if inclusive <= 0 or self._kind != "invoice" or self._chance(0.6):
            return Decimal(0)
        parts = [inclusive] if self._chance(0.3) else [self._rounded(inclusive / 3), self._rounded(inclusive / 4)]
        parts = [part for part in parts if part]
        if parts and self._chance(0.5):
            document["prepaid_payments"] = [
                {"payment_id": f"p{n}", "paid_amount": self._money(part)} for n, part in enumerate(parts)
            ]
        return sum(parts, Decimal(0))

    def _due(self) -> dict[str, Any]:
        due = {"due_date": f"{self._start + timedelta(40)}"}
        return self._random.choice(
            (due, due | {"payment_terms": {"note": "30 days net"}}, {"payment_terms": {"note": "30 days"}})
        )

    def _head(self) -> dict[str, Any]:
        is_invoice = self._kind == "invoice"
        head: dict[str, Any] = {
            f"{self._kind}_id": self._name,
            "issue_date": f"{self._start + timedelta(12)}",
            f"{self._kind}_type_code": self._random.choice(("380", "380", "386")) if is_invoice else "381",
            "document_currency_code": self._currency,
            "invoice_period": {"start_date": f"{self._start}", "end_date": f"{self._start + timedelta(10)}"},
        }
        head |= self._random.choice(
            ({"buyer_reference": "B 1"}, {"order_id": "PO-1"}, {"order_id": "PO-1", "buyer_reference": "B 1"})
        )
        head |= {"tax_point_date": f"{self._start}"} if self._chance(0.2) else {}
        is_dutch = self._seller[0] == "NL"  # whose rules ask for more
        head |= {"order_id": "PO-1"} if is_dutch else {}
        earlier = [{"id": "2025-1", "issue_date": "2025-12-01"}, {"id": "2025-2"}]
        head |= {"preceding_invoices": earlier} if is_dutch or self._chance(0.3) else {}
        head |= {"payment_means": self._means()} if is_dutch or self._chance(0.7) else {}
        if is_invoice:
            head |= self._invoice_head()
        return head

    def _invoice_head(self) -> dict[str, Any]:
        numbers = ("accounting_cost", "contract_id", "sales_order_id", "receipt_advice_id", "despatch_advice_id")
        head: dict[str, Any] = {key: f"{key} 7" for key in numbers if self._chance(0.3)}
        country = self._buyer[0]
        place = {"address": self._address(country), "location_id": {"id": "4012345000009", "scheme_id": "0088"}}
        is_within = any(category["category_code"] == "K" for category in self._categories)
        head |= {"delivery_location": place} if is_within or self._chance(0.5) else {}
        head |= (
            {"delivery_party": {"name": "Works 2"}, "actual_delivery_date": f"{self._start}"}
            if self._chance(0.4)
            else {}
        )
        if self._chance(0.15):
            head["payee"] = {"name": "Factor Ltd", "party_id": "F-1", "legal_registration_id": "774"}
        if self._chance(0.15) and not self._is_untaxed:
            head["tax_representative"] = {
                "name": "Fiscal AG",
                "vat_id": "DE136695976",
                "postal_address": self._address("DE"),
            }
        return head

    def _means(self) -> list[dict[str, Any]]:
        account = {"account_id": "DE02120300000000202051", "account_name": "Our bank", "bic": "BYLADEM1001"}
        ways: tuple[dict[str, Any], ...] = (
            {"payment_means_code": "58", "payment_id": "RF18539007547034", "payee_financial_account": account},
            {"payment_means_code": "30", "payee_financial_account": {"account_id": "DE02120300000000202051"}},
            {"payment_means_code": "48", "card_last4": "4242"},
            {"payment_means_code": "59", "mandate_id": "M-1", "creditor_id": "DE98ZZZ09999999999",
             "payer_financial_account": {"account_id": "DE02120300000000202051"}},
        )  # fmt: skip
        return [dict(self._random.choice(ways))]

    def _address(self, country: str) -> dict[str, Any]:
        address = {"street_name": "Main street 1", "city_name": "Town", "postal_zone": "10115", "country_code": country}
        optional = {"additional_street_name": "Gate 2", "address_line": "Yard 3", "country_subentity": "Region"}
        return address | {key: value for key, value in optional.items() if self._chance(0.2)}

    def _party(self, known: tuple[str, str, str, str], *, is_seller: bool) -> dict[str, Any]:
        country, vat, register, scheme = known
        party: dict[str, Any] = {"name": f"Party of {country}", "postal_address": self._address(country)}
        party |= {} if self._is_untaxed else {"vat_id": vat}
        party |= {"legal_registration_id": register} if register else {}
        party |= {"trading_name": "Traders & Sons"} if self._chance(0.3) else {}
        if scheme:
            party["identifiers"] = [{"id": _NUMBERS[scheme], "scheme_id": scheme}]
        elif self._chance(0.5):
            party["party_id"] = "C-1"
        if self._is_untaxed or country in ("SE", "FI") or self._chance(0.6):
            party["endpoint"] = (
                {"id": vat, "scheme_id": "9930"} if country == "DE" else {"id": "4012345000009", "scheme_id": "0088"}
            )
        if is_seller and country == "SE":
            party["tax_registration_id"] = "Godkänd för F-skatt"
        party["contact"] = {"name": "Sales", "telephone": "+49 30 123456", "electronic_mail": "sales@example.com"}
        return party
