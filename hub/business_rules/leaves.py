"""Rules for single values: amounts, quantities, days, identifiers with check digits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from hub.business_rules.walk import Path, Rule, Walk, unknown_code
from hub.codes import CodeList
from hub.identifiers import (
    currency_exponent,
    is_creditor_reference,
    is_gln,
    is_gtin,
    is_iban,
    is_sscc,
    is_vat_id,
    looks_like_iban,
)

_CURRENCY = "a currency code of ISO 4217"


def money(walk: Walk, value: Any, path: Path, name: str | int) -> None:
    """The document's currency, and no more decimals than it has."""
    amount, currency = value["amount"], value["currency"]
    if currency != walk.currency:
        _another_currency(walk, currency, (path, name))
        _decimals(walk, amount, currency, (path, name))
        return
    point = amount.find(".")
    if point >= 0 and len(amount) - point > walk.longest:
        _decimals(walk, amount, currency, (path, name))


def price(walk: Walk, value: Any, path: Path, name: str | int) -> None:
    """A unit price: up to six decimals, whatever its currency."""
    if value["currency"] != walk.currency:
        _another_currency(walk, value["currency"], (path, name))


def own_money(walk: Walk, value: Any, path: Path, name: str | int) -> None:
    """An amount that may be in a currency of its own."""
    if value["currency"] != walk.currency:
        currency(walk, value["currency"], (path, name), "currency")
    _decimals(walk, value["amount"], value["currency"], (path, name))


def currency(walk: Walk, value: Any, path: Path, name: str | int) -> None:
    """The code of a currency that exists."""
    if currency_exponent(value) is None:
        walk.fault((path, name), "unknown_currency", value, _CURRENCY)


def quantity(units: CodeList) -> Rule:
    """A rule for a quantity: its unit is one of the list."""
    names = units.names

    def rule(walk: Walk, value: Any, path: Path, name: str | int) -> None:
        if value["unit_code"] not in names:
            unknown_code(walk, value["unit_code"], ((path, name), "unit_code"), units)

    return rule


def country(countries: CodeList) -> Rule:
    """A rule for a country: two capital letters; one that is not listed is a warning."""

    def rule(walk: Walk, value: Any, path: Path, name: str | int) -> None:
        if value in countries.names:
            return
        if len(value) == 2 and value.isascii() and value.isupper():
            unknown_code(walk, value, (path, name), countries)
        else:
            walk.fault((path, name), "unknown_code", value, "two capital letters such as DE")

    return rule


def day(walk: Walk, value: Any, path: Path, name: str | int) -> None:
    """A day that the calendar has."""
    if not _is_day(value):
        walk.fault((path, name), "not_a_day", value, "a day of the calendar such as 2026-02-28")


def instant(walk: Walk, value: Any, path: Path, name: str | int) -> None:
    """An instant that the calendar has, with its offset."""
    try:
        aware = datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        walk.fault((path, name), "not_an_instant", value, "an instant with its offset such as 2026-03-05T10:00:00Z")


def period(walk: Walk, value: Any, path: Path, name: str | int) -> None:
    """A period that does not end before it starts."""
    start, end = value.get("start_date"), value.get("end_date")
    if start is not None:
        day(walk, start, (path, name), "start_date")
    if end is not None:
        day(walk, end, (path, name), "end_date")
    if start is not None and end is not None and start > end:
        walk.fault((path, name), "period_order", f"{start} to {end}", "an end_date on or after the start_date")


def _check_digit(is_right: Callable[[str], bool], what: str) -> Rule:
    def rule(walk: Walk, value: Any, path: Path, name: str | int) -> None:
        if not is_right(value):
            walk.fault((path, name), "check_digit", value, what)

    return rule


gln = _check_digit(is_gln, "a GLN: 13 digits, the last one a check digit")
gtin = _check_digit(is_gtin, "a GTIN: 8, 12, 13 or 14 digits, the last one a check digit")
sscc = _check_digit(is_sscc, "an SSCC: 18 digits, the last one a check digit")
vat_id = _check_digit(is_vat_id, "a VAT number with its country prefix such as DE123456789")
_SCHEMES: dict[str, Rule] = {"0088": gln, "0160": gtin}


def account(walk: Walk, value: Any, path: Path, name: str | int) -> None:
    """An account number; where it has the form of an IBAN, a right one. It is personal data: never shown."""
    if looks_like_iban(value) and not is_iban(value):
        walk.fault((path, name), "check_digit", "", "an IBAN of the right length with right check digits")


def reference(walk: Walk, value: Any, path: Path, name: str | int) -> None:
    """A payment reference; where it says that it is one of ISO 11649, a right one."""
    if value.startswith("RF") and value[2:4].isdigit() and not is_creditor_reference(value):
        walk.fault((path, name), "check_digit", value, "a creditor reference (ISO 11649) with right check digits")


def identifier(schemes: CodeList) -> Rule:
    """A rule for an identifier: its check digit where the scheme has one, and a scheme that is listed."""
    names = schemes.names

    def rule(walk: Walk, value: Any, path: Path, name: str | int) -> None:
        scheme = value.get("scheme_id")
        checked = _SCHEMES.get(scheme)
        if checked is not None:
            checked(walk, value["id"], (path, name), "id")
        elif scheme is not None and scheme not in names:
            unknown_code(walk, scheme, ((path, name), "scheme_id"), schemes)

    return rule


@lru_cache(4096)
def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10


def _decimals(walk: Walk, amount: str, code: str, path: Path) -> None:
    exponent = currency_exponent(code)
    if exponent is not None and len(amount.partition(".")[2]) > exponent:
        allowed = "no decimals" if exponent == 0 else f"at most {exponent} decimals"
        walk.fault((path, "amount"), "decimals", amount, f"{allowed}, as {code} has")


def _another_currency(walk: Walk, code: str, path: Path) -> None:
    if currency_exponent(code) is None:
        walk.fault((path, "currency"), "unknown_currency", code, _CURRENCY)
    elif walk.currency is not None:
        walk.fault((path, "currency"), "currency_mismatch", code, f"{walk.currency}, the currency of the document")
