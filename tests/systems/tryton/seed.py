"""Fills a new Tryton database with a company that sells: ``python seed.py CONFIG DATABASE OUT``.

Runs in Tryton's own environment, with its own client library, as whoever sets a company up would. OUT is a folder: the
tables of the database's numbers that mappings look up (CSV), and ``keys.json`` with the key of the REST application.
"""

from __future__ import annotations

import csv
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from proteus import Model, config
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, create_tax, get_accounts
from trytond.modules.account_invoice.tests.tools import set_fiscalyear_invoice_sequences
from trytond.modules.company.tests.tools import create_company, get_company
from trytond.modules.currency.tests.tools import get_currency

BANK_ACCOUNT = "DE02120300000000202051"
PRODUCTS = {  # code: (name, price, rate, type); FC is what the hub calls freight
    "HOSE-DN8": ("Hydraulic hose DN8", "12.99", "19", "goods"),
    "VALVE-38": ("Ball valve 3/8", "34.95", "19", "goods"),
    "BOOK-7": ("Handbook of hydraulics", "8.45", "7", "goods"),
    "GAUGE-10": ("Pressure gauge 10 bar", "21.15", "19", "goods"),
    "FC": ("Freight", "4.90", "19", "service"),
}


def main(config_file: str, database: str, out: Path) -> None:
    config.set_trytond(database, config_file=config_file)
    euro = get_currency("EUR")
    create_company(currency=euro)
    company = get_company()
    company.party.name = "Hydro Schlauch GmbH"
    company.party.save()
    config.get_config()._context["company"] = company.id
    create_chart(company)
    year = set_fiscalyear_invoice_sequences(create_fiscalyear(company))
    year.click("create_period")
    accounts = get_accounts(company)
    taxes = {rate: _tax(rate) for rate in ("19", "7")}
    categories = {rate: _category(rate, tax, accounts) for rate, tax in taxes.items()}
    unit = _one("product.uom", "name", "Unit")
    products = {code: _product(code, unit, categories, *said) for code, said in PRODUCTS.items()}
    _stock([product for code, product in products.items() if code != "FC"])
    tables: dict[str, dict[str, Any]] = {
        "tryton_products": products,
        "tryton_units": {"C62": unit},
        "tryton_taxes": taxes,
        "tryton_currencies": {"EUR": euro},
        "tryton_countries": {code: _new("country.country", name=code, code=code) for code in ("DE", "FR")},
        "tryton_journals": _journals(accounts),
    }
    for name, rows in tables.items():
        with (out / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([("key", "value"), *((k, r.id) for k, r in rows.items())])
    (out / "keys.json").write_text(json.dumps({"rest": _key()}), encoding="utf-8")


def _one(model: str, field: str, value: Any) -> Any:
    [found] = Model.get(model).find([(field, "=", value)])
    return found


def _new(model: str, **values: Any) -> Any:
    record = Model.get(model)(**values)
    record.save()
    return record


def _tax(rate: str) -> Any:
    tax = create_tax(Decimal(rate) / 100)
    tax.save()
    return tax


def _category(rate: str, tax: Any, accounts: dict[str, Any]) -> Any:
    category = Model.get("product.category")(name=f"Goods at {rate} %", accounting=True)
    category.account_expense, category.account_revenue = accounts["expense"], accounts["revenue"]
    category.customer_taxes.append(Model.get("account.tax")(tax.id))
    category.save()
    return category


def _product(code: str, unit: Any, categories: dict[str, Any], name: str, price: str, rate: str, type: str) -> Any:
    template = Model.get("product.template")(name=name, default_uom=unit, type=type, salable=True)
    template.list_price, template.account_category = Decimal(price), categories[rate]
    template.save()
    [product] = template.products
    product.suffix_code = code
    product.save()
    return product


def _stock(products: list[Any]) -> None:
    """Enough of everything in the warehouse."""
    inventory = Model.get("stock.inventory")()
    inventory.location = _one("stock.location", "code", "STO")
    for product in products:
        line = inventory.lines.new(product=product)
        line.quantity = 10_000.0
    inventory.click("confirm")


def _journals(accounts: dict[str, Any]) -> dict[str, Any]:
    """Statements of the bank, which must add up, and of the payment provider; who pays names the invoice's reference
    (ISO 11649)."""
    found = {}
    ledger = _one("account.journal", "code", "STA")
    for key, name, validation in ((f"{BANK_ACCOUNT} EUR", "Bank", "balance"), ("stripe EUR", "Stripe", "amount")):
        found[key] = _new(
            "account.statement.journal", name=name, journal=ledger, account=accounts["cash"], validation=validation
        )
        rule = Model.get("account.statement.rule")(name=name, journal=found[key])
        rule.description = r"\b(?P<payment_reference>RF\d\d ?\d+)"
        rule.lines.new(amount="pending")
        rule.save()
    return found


def _key() -> str:
    """What a program proves itself by at the REST API, as its user."""
    user = _one("res.user", "login", "admin")
    application = _new("res.user.application", user=user, application="rest")
    return str(application.key)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
