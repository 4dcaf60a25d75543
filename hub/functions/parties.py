"""Who and where: bank accounts, tax numbers, countries."""

from __future__ import annotations

from typing import Any

from hub import identifiers
from hub.functions.refusal import expected, kind_of, refusal
from hub.functions.registry import function


def _compact(value: object, name: str, also: str = "") -> str:
    if value.__class__ is not str:
        raise refusal(f"{name} wants text, got {kind_of(value)}", value, expected="text", hint=f"write {name}(text(…))")
    kept = "".join(value.split()).upper()
    return "".join(sign for sign in kept if sign not in also)


@function(
    args="text",
    returns="text",
    examples=[("iban('de89 3704 0044 0532 0130 00')", "DE89370400440532013000"), ("iban(null)", None)],
)
def iban(value: Any) -> str | None:
    """An account number in its electronic form; wrong length or check digits are an error."""
    if value is None or value == "":
        return None
    account = _compact(value, "iban")
    if not identifiers.is_iban(account):
        # An account number is personal: the text does not show it.
        raise refusal("expected an IBAN with right length and check digits", value, expected="an IBAN")
    return account


@function(args="text", returns="boolean", nothing="never", examples=[("is_iban('DE89370400440532013001')", False)])
def is_iban(value: Any) -> bool:
    """Whether a text is an IBAN of the right length with the right check digits."""
    return value is not None and identifiers.is_iban(_compact(value, "is_iban"))


@function(args="text", returns="text", examples=[("vat_id('de 123.456.788')", "DE123456788"), ("vat_id('')", None)])
def vat_id(value: Any) -> str | None:
    """A VAT number with its country in front, without blanks, points and hyphens; a wrong form is an error."""
    if value is None or value == "":
        return None
    number = _compact(value, "vat_id", ".-")
    if not identifiers.is_vat_id(number):
        raise expected("a VAT number with its country, such as DE123456788", value)
    return number


@function(args="text", returns="boolean", nothing="never", examples=[("is_vat_id('DE123')", False)])
def is_vat_id(value: Any) -> bool:
    """Whether a text has the form of a VAT number of its country."""
    return value is not None and identifiers.is_vat_id(_compact(value, "is_vat_id", ".-"))


@function(args="text", returns="text", examples=[("country_code('fr ')", "FR"), ("country_code(null)", None)])
def country_code(value: Any) -> str | None:
    """A country's code of two letters (ISO 3166) in capitals; names and longer codes need a table."""
    if value is None or value == "":
        return None
    code = _compact(value, "country_code")
    if len(code) != 2 or not (code.isascii() and code.isalpha()):
        hint = "write lookup(…, 'countries') with a table of your own"
        raise refusal("expected a country code of two letters", value, expected="two letters", hint=hint)
    return code
