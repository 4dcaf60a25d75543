"""Codes of GS1 and ISO: check digits, article and location numbers, references."""

from __future__ import annotations

from typing import Any

from hub import identifiers
from hub.functions.refusal import expected, kind_of, refusal
from hub.functions.registry import function


def _plain(value: object, name: str) -> str:
    """The text without blanks and hyphens, as people write numbers in groups."""
    if value.__class__ is str:
        return "".join(value.split()).replace("-", "")
    raise refusal(f"{name} wants text, got {kind_of(value)}", value, expected="text", hint=f"write {name}(text(…))")


@function(
    args="text",
    returns="text",
    examples=[("check_digit('401234500000')", "9"), ("check_digit(null)", None)],
)
def check_digit(value: Any) -> str | None:
    """The check digit that completes a GTIN, GLN or SSCC given without it."""
    if value is None:
        return None
    digits = _plain(value, "check_digit")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 30):
        raise expected("up to 30 digits", value)
    return identifiers.gs1_check_digit(digits)


@function(args="text", returns="boolean", nothing="never", examples=[("is_gtin('4012345000009')", True)])
def is_gtin(value: Any) -> bool:
    """Whether a text is an article number (8, 12, 13 or 14 digits) with the right check digit."""
    return value is not None and identifiers.is_gtin(_plain(value, "is_gtin"))


@function(args="text", returns="boolean", nothing="never", examples=[("is_gln('4012345000008')", False)])
def is_gln(value: Any) -> bool:
    """Whether a text is a location number (13 digits) with the right check digit."""
    return value is not None and identifiers.is_gln(_plain(value, "is_gln"))


@function(args="text", returns="boolean", nothing="never", examples=[("is_sscc('340123450000000009')", False)])
def is_sscc(value: Any) -> bool:
    """Whether a text is the number of a shipping unit (18 digits) with the right check digit."""
    return value is not None and identifiers.is_sscc(_plain(value, "is_sscc"))


@function(args="text", returns="text", examples=[("gtin('4012 3450 0000 9')", "04012345000009"), ("gtin('')", None)])
def gtin(value: Any) -> str | None:
    """An article number in its form of 14 digits, blanks and hyphens removed; a wrong check digit is an error."""
    if value is None or value == "":
        return None
    digits = _plain(value, "gtin")
    if not identifiers.is_gtin(digits):
        raise expected("a GTIN with its check digit", value)
    return digits.zfill(14)


@function(args="text", returns="text", examples=[("gln('4012345 00000 9')", "4012345000009")])
def gln(value: Any) -> str | None:
    """A location number, blanks and hyphens removed; a wrong check digit is an error."""
    if value is None or value == "":
        return None
    digits = _plain(value, "gln")
    if not identifiers.is_gln(digits):
        raise expected("a GLN with its check digit", value)
    return digits


@function(
    args="text",
    returns="text",
    examples=[("rf_reference('539007547034')", "RF18539007547034"), ("rf_reference(null)", None)],
)
def rf_reference(value: Any) -> str | None:
    """The structured creditor reference (ISO 11649) made from a reference of up to 21 letters and digits."""
    if value is None or value == "":
        return None
    try:
        return identifiers.creditor_reference(_plain(value, "rf_reference"))
    except ValueError:
        raise expected("1 to 21 letters and digits", value) from None


@function(args="text", returns="boolean", nothing="never", examples=[("is_rf_reference('RF18 5390 0754 7034')", True)])
def is_rf_reference(value: Any) -> bool:
    """Whether a text is a structured creditor reference (ISO 11649) with the right check digits."""
    return value is not None and identifiers.is_creditor_reference(_plain(value, "is_rf_reference").upper())
