"""Rules for single values: amounts, quantities, days, identifiers with check digits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from hub.business_rules.walk import Path, Rule, Walk, unknown_code
from hub.codes import CodeList
from hub.identifiers import (
    currencies,
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

# What of an amount must hold no point, by its currency: all but the last characters, as many as decimals and the point.
WHOLE = {code: slice(None, -1 - (currency_exponent(code) or 0)) for code in currencies()}
_OWN_DECIMALS = "'.' in (m := {value})['amount'][{whole}[m['currency']]]"


def _check_money(walk: Walk, value: Any, path: Path, name: str | int) -> None:
    """The document's currency, and no more decimals than it has."""
    amount, currency = value["amount"], value["currency"]
    if currency != walk.currency:
        _another_currency(walk, currency, (path, name))
        _decimals(walk, amount, currency, (path, name))
        return
    point = amount.find(".")
    if point >= 0 and len(amount) - point > walk.longest:
        _decimals(walk, amount, currency, (path, name))


def _check_price(walk: Walk, value: Any, path: Path, name: str | int) -> None:
    """A unit price: up to six decimals, whatever its currency."""
    if value["currency"] != walk.currency:
        _another_currency(walk, value["currency"], (path, name))


def _check_own_money(walk: Walk, value: Any, path: Path, name: str | int) -> None:
    """An amount that may be in a currency of its own."""
    if value["currency"] != walk.currency:
        _check_currency(walk, value["currency"], (path, name), "currency")
    _decimals(walk, value["amount"], value["currency"], (path, name))


def _check_currency(walk: Walk, value: Any, path: Path, name: str | int) -> None:
    """The code of a currency that exists."""
    if currency_exponent(value) is None:
        walk.fault((path, name), "unknown_currency", value, _CURRENCY)


def quantity(units: CodeList) -> Rule:
    """A rule for a quantity: its unit is one of the list."""
    names = units.names

    def check(walk: Walk, value: Any, path: Path, name: str | int) -> None:
        if value["unit_code"] not in names:
            unknown_code(walk, value["unit_code"], ((path, name), "unit_code"), units)

    return Rule(check, "{value}['unit_code'] not in {names}", uses={"names": names})


def country(countries: CodeList) -> Rule:
    """A rule for a country: two capital letters; one that is not listed is a warning."""

    def check(walk: Walk, value: Any, path: Path, name: str | int) -> None:
        if value in countries.names:
            return
        if len(value) == 2 and value.isascii() and value.isupper():
            unknown_code(walk, value, (path, name), countries)
        else:
            walk.fault((path, name), "unknown_code", value, "two capital letters such as DE")

    return Rule(check, "{value} not in {names}", uses={"names": countries.names})


def _check_day(walk: Walk, value: Any, path: Path, name: str | int) -> None:
    """A day that the calendar has."""
    if not _is_day(value):
        walk.fault((path, name), "not_a_day", value, "a day of the calendar such as 2026-02-28")


def _check_instant(walk: Walk, value: Any, path: Path, name: str | int) -> None:
    """An instant that the calendar has, with its offset."""
    try:
        aware = datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        walk.fault((path, name), "not_an_instant", value, "an instant with its offset such as 2026-03-05T10:00:00Z")


def _check_period(walk: Walk, value: Any, path: Path, name: str | int) -> None:
    """A period that does not end before it starts."""
    start, end = value.get("start_date"), value.get("end_date")
    if start is not None:
        _check_day(walk, start, (path, name), "start_date")
    if end is not None:
        _check_day(walk, end, (path, name), "end_date")
    if start is not None and end is not None and start > end:
        walk.fault((path, name), "period_order", f"{start} to {end}", "an end_date on or after the start_date")


def _check_digit(is_right: Callable[[str], bool], what: str) -> Rule:
    def check(walk: Walk, value: Any, path: Path, name: str | int) -> None:
        if not is_right(value):
            walk.fault((path, name), "check_digit", value, what)

    return Rule(check, "not {is_right}({value})", uses={"is_right": is_right})


def _is_period(value: Any) -> bool:
    start, end = value.get("start_date"), value.get("end_date")
    days = (start is None or _is_day(start)) and (end is None or _is_day(end))
    return days and (start is None or end is None or start <= end)


gln = _check_digit(is_gln, "a GLN: 13 digits, the last one a check digit")
gtin = _check_digit(is_gtin, "a GTIN: 8, 12, 13 or 14 digits, the last one a check digit")
sscc = _check_digit(is_sscc, "an SSCC: 18 digits, the last one a check digit")
vat_id = _check_digit(is_vat_id, "a VAT number with its country prefix such as DE123456789")
_SCHEMES: dict[str, tuple[Rule, Callable[[str], bool]]] = {"0088": (gln, is_gln), "0160": (gtin, is_gtin)}


def _check_account(walk: Walk, value: Any, path: Path, name: str | int) -> None:
    """An account number; where it has the form of an IBAN, a right one. It is personal data: never shown."""
    if not _is_account(value):
        walk.fault((path, name), "check_digit", "", "an IBAN of the right length with right check digits")


def _is_account(value: str) -> bool:
    return not looks_like_iban(value) or is_iban(value)


def _check_reference(walk: Walk, value: Any, path: Path, name: str | int) -> None:
    """A payment reference; where it says that it is one of ISO 11649, a right one."""
    if not _is_reference(value):
        walk.fault((path, name), "check_digit", value, "a creditor reference (ISO 11649) with right check digits")


def _is_reference(value: str) -> bool:
    return not (value.startswith("RF") and value[2:4].isdigit()) or is_creditor_reference(value)


def identifier(schemes: CodeList) -> Rule:
    """A rule for an identifier: its check digit where the scheme has one, and a scheme that is listed."""
    names = schemes.names

    def check(walk: Walk, value: Any, path: Path, name: str | int) -> None:
        scheme = value.get("scheme_id")
        if scheme in _SCHEMES:
            _SCHEMES[scheme][0].check(walk, value["id"], (path, name), "id")
        elif scheme is not None and scheme not in names:
            unknown_code(walk, scheme, ((path, name), "scheme_id"), schemes)

    def is_right(value: Any) -> bool:
        scheme = value.get("scheme_id")
        return _SCHEMES[scheme][1](value["id"]) if scheme in _SCHEMES else scheme is None or scheme in names

    return Rule(check, "not {is_right}({value})", uses={"is_right": is_right})


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
        walk.fault((path, "amount"), "decimals", amount, f"{allowed}, as {code} has", wanted="as its currency has")


def _another_currency(walk: Walk, code: str, path: Path) -> None:
    if currency_exponent(code) is None:
        walk.fault((path, "currency"), "unknown_currency", code, _CURRENCY)
    elif walk.currency is not None:
        wanted = "the currency of the document"
        walk.fault((path, "currency"), "currency_mismatch", code, f"{walk.currency}, {wanted}", wanted=wanted)


money = Rule(
    _check_money,
    "(m := {value})['currency'] != currency or '.' in m['amount'][whole]",
    mixed=_OWN_DECIMALS,
    uses={"whole": WHOLE},
)
price = Rule(
    _check_price,
    "{value}['currency'] != currency",
    mixed="{value}['currency'] not in {whole}",
    uses={"whole": WHOLE},
)
own_money = Rule(_check_own_money, _OWN_DECIMALS, uses={"whole": WHOLE})
currency = Rule(_check_currency, "{value} not in {whole}", uses={"whole": WHOLE})
day = Rule(_check_day, "not {is_day}({value})", uses={"is_day": _is_day})
instant = Rule(_check_instant, "{instant}({value}).tzinfo is None", uses={"instant": datetime.fromisoformat})
period = Rule(_check_period, "not {is_period}({value})", uses={"is_period": _is_period})
account = Rule(_check_account, "not {is_account}({value})", uses={"is_account": _is_account})
reference = Rule(_check_reference, "not {is_reference}({value})", uses={"is_reference": _is_reference})
