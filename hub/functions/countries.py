"""Countries (ISO 3166), currencies (ISO 4217) and terms of delivery (Incoterms): from one code to another."""

from __future__ import annotations

from typing import Any

from hub.functions.listed_codes import column
from hub.functions.refusal import LONGEST, expected, kind_of, refusal
from hub.functions.registry import function
from hub.identifiers import currency_exponent


def _code(value: object, name: str) -> str:
    if value.__class__ is str:
        return "".join(value[:LONGEST].split()).upper()
    raise refusal(f"{name} wants text, got {kind_of(value)}", value, expected="text", hint=f"write {name}(text(…))")


@function(
    args="text",
    returns="text",
    nothing="empty",
    examples=[
        ("country_code('fr ')", "FR"),
        ("country_code('DEU')", "DE"),
        ("country_code('756')", "CH"),
        ("country_code(null)", None),
    ],
)
def country_code(value: Any) -> str | None:
    """A country's code of two letters (ISO 3166) in capitals, from that of two or three letters or three digits."""
    if value is None or value == "":
        return None
    code = _code(value, "country_code")
    if len(code) == 3:
        code = column("codes/iso3166-1", "alpha3", "code").get(code) or column(
            "codes/iso3166-1", "numeric", "code"
        ).get(code, code)
    if len(code) != 2 or not (code.isascii() and code.isalpha()):
        hint = "write lookup(…, 'countries') with a table of your own"
        raise refusal("expected a country code of two letters", value, expected="two letters", hint=hint)
    return code


def _of_country(value: object, wanted: str) -> str | None:
    if value is None or value == "":
        return None
    code = country_code(value)
    found = column("codes/iso3166-1", "code", wanted).get(code or "")
    if found is None:
        raise expected("a country of ISO 3166", value)
    return found


@function(
    args="text",
    returns="text",
    nothing="empty",
    examples=[("country_code3('FR')", "FRA"), ("country_code3(null)", None)],
)
def country_code3(value: Any) -> str | None:
    """A country's code of three letters (ISO 3166)."""
    return _of_country(value, "alpha3")


@function(
    args="text",
    returns="text",
    nothing="empty",
    examples=[("country_number('FR')", "250"), ("country_number('BEL')", "056")],
)
def country_number(value: Any) -> str | None:
    """A country's code of three digits (ISO 3166)."""
    return _of_country(value, "numeric")


@function(
    args="text",
    returns="text",
    nothing="empty",
    examples=[("country_name('FR')", "France"), ("country_name(null)", None)],
)
def country_name(value: Any) -> str | None:
    """A country's name in English."""
    return _of_country(value, "name")


@function(
    args="text",
    returns="boolean",
    nothing="never",
    examples=[("is_country_code('FR')", True), ("is_country_code('UK')", False), ("is_country_code(null)", False)],
)
def is_country_code(value: Any) -> bool:
    """Whether a text is a country's code of two capital letters in ISO 3166."""
    return value is not None and _code(value, "is_country_code") == value in column("codes/iso3166-1", "code", "name")


@function(
    args="text",
    returns="text",
    nothing="empty",
    examples=[("currency_code('eur')", "EUR"), ("currency_code('978')", "EUR"), ("currency_code(null)", None)],
)
def currency_code(value: Any) -> str | None:
    """A currency's code of three letters (ISO 4217), from letters or from its three digits."""
    if value is None or value == "":
        return None
    code = _code(value, "currency_code")
    code = column("codes/iso4217", "numeric", "code").get(code, code)
    if currency_exponent(code) is None:
        raise expected("a currency of ISO 4217", value)
    return code


@function(
    args="text",
    returns="text",
    nothing="empty",
    examples=[("currency_number('EUR')", "978"), ("currency_number(null)", None)],
)
def currency_number(value: Any) -> str | None:
    """A currency's code of three digits (ISO 4217)."""
    code = currency_code(value)
    return None if code is None else column("codes/iso4217", "code", "numeric").get(code)


@function(
    args="text",
    returns="integer",
    nothing="empty",
    examples=[("currency_decimals('JPY')", 0), ("currency_decimals('KWD')", 3), ("currency_decimals(null)", None)],
)
def currency_decimals(value: Any) -> int | None:
    """How many decimals amounts of a currency have (ISO 4217)."""
    code = currency_code(value)
    return None if code is None else currency_exponent(code)


@function(
    args="text", returns="text", nothing="empty", examples=[("incoterm('cip ')", "CIP"), ("incoterm(null)", None)]
)
def incoterm(value: Any) -> str | None:
    """A term of delivery by its three letters (Incoterms, also those of 2000 and 2010) in capitals."""
    if value is None or value == "":
        return None
    code = _code(value, "incoterm")
    if code not in column("codes/incoterms", "code", "name"):
        raise expected("a term of delivery such as DAP", value)
    return code
