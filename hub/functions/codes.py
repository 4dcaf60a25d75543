"""Codes of GS1: check digits, numbers of articles, places and shipping units."""

from __future__ import annotations

from typing import Any

from hub import identifiers
from hub.functions.refusal import expected, kind_of, refusal, ungrouped
from hub.functions.registry import function


@function(
    args="text",
    returns="text",
    examples=[("check_digit('401234500000')", "9"), ("check_digit(null)", None)],
)
def check_digit(value: Any) -> str | None:
    """The check digit that completes a GTIN, GLN or SSCC given without it."""
    if value is None:
        return None
    digits = ungrouped(value, "check_digit")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 30):
        raise expected("up to 30 digits", value)
    return identifiers.gs1_check_digit(digits)


@function(args="text", returns="boolean", nothing="never", examples=[("is_gtin('4012345000009')", True)])
def is_gtin(value: Any) -> bool:
    """Whether a text is an article number (8, 12, 13 or 14 digits) with the right check digit."""
    return value is not None and identifiers.is_gtin(ungrouped(value, "is_gtin"))


@function(args="text", returns="boolean", nothing="never", examples=[("is_gln('4012345000008')", False)])
def is_gln(value: Any) -> bool:
    """Whether a text is a location number (13 digits) with the right check digit."""
    return value is not None and identifiers.is_gln(ungrouped(value, "is_gln"))


@function(args="text", returns="boolean", nothing="never", examples=[("is_sscc('340123450000000009')", False)])
def is_sscc(value: Any) -> bool:
    """Whether a text is the number of a shipping unit (18 digits) with the right check digit."""
    return value is not None and identifiers.is_sscc(ungrouped(value, "is_sscc"))


@function(
    args="text",
    returns="text",
    nothing="empty",
    examples=[("gtin('4012 3450 0000 9')", "04012345000009"), ("gtin('')", None)],
)
def gtin(value: Any) -> str | None:
    """An article number in its form of 14 digits, blanks and hyphens removed; a wrong check digit is an error."""
    if value is None or value == "":
        return None
    digits = ungrouped(value, "gtin")
    if not identifiers.is_gtin(digits):
        raise expected("a GTIN with its check digit", value)
    return digits.zfill(14)


@function(args="text", returns="text", nothing="empty", examples=[("gln('4012345 00000 9')", "4012345000009")])
def gln(value: Any) -> str | None:
    """A location number, blanks and hyphens removed; a wrong check digit is an error."""
    if value is None or value == "":
        return None
    digits = ungrouped(value, "gln")
    if not identifiers.is_gln(digits):
        raise expected("a GLN with its check digit", value)
    return digits


@function(
    args="text",
    returns="text",
    nothing="empty",
    examples=[("sscc('00 3 4012345 000000001 7')", "340123450000000017"), ("sscc(null)", None)],
)
def sscc(value: Any) -> str | None:
    """The number of a shipping unit as 18 digits, without blanks and the identifier ``00``; a wrong check digit is an
    error."""
    if value is None or value == "":
        return None
    digits = ungrouped(value, "sscc").removeprefix("(00)")
    digits = digits[2:] if len(digits) == 20 and digits.startswith("00") else digits
    if not identifiers.is_sscc(digits):
        raise expected("an SSCC with its check digit", value)
    return digits


@function(
    args="text, text, text",
    returns="text",
    examples=[("build_sscc('3', '4012345', '1')", "340123450000000017"), ("build_sscc('3', '4012345', null)", None)],
    nothing="always",
)
def build_sscc(extension: Any, prefix: Any, serial: Any) -> str | None:
    """The number of a shipping unit from its extension digit, the company prefix and a serial number, with the check
    digit. Who counts the serial numbers must never give one twice within a year."""
    if extension is None or prefix is None or serial is None:
        return None
    parts = [ungrouped(part, "build_sscc") for part in (extension, prefix, serial)]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise expected("digits for an SSCC", next(p for p in parts if not (p.isascii() and p.isdigit())))
    try:
        return identifiers.sscc_of(*parts)
    except ValueError as error:
        raise refusal(str(error), "".join(parts), expected="1 digit, 4 to 12 digits, the rest of 17") from None


@function(
    args="text",
    returns="text",
    nothing="empty",
    examples=[
        ("short_gtin('04012345000009')", "4012345000009"),
        ("short_gtin('00000096385074')", "96385074"),
        ("short_gtin(null)", None),
    ],
)
def short_gtin(value: Any) -> str | None:
    """An article number in its shortest form: 8, 12, 13 or 14 digits without zeros in front."""
    whole = gtin(value)
    if whole is None:
        return None
    kept = whole.lstrip("0")
    return whole[-next(size for size in (8, 12, 13, 14) if size >= len(kept)) :]


@function(
    args="text, text",
    returns="text",
    examples=[
        ("label_part('(01)04012345000009(10)L-77(17)260831', '10')", "L-77"),
        ("label_part('(01)04012345000009', '10')", None),
    ],
    nothing="always",
)
def label_part(value: Any, identifier: Any) -> str | None:
    """What stands behind an application identifier of a GS1 label as it is printed, with the identifiers in ( )."""
    if value is None or value == "":
        return None
    if not (isinstance(identifier, str) and identifier.isascii() and identifier.isdigit() and len(identifier) <= 4):
        raise expected("an application identifier such as '10'", identifier)
    _, found, rest = _plain_text(value).partition(f"({identifier})")
    return rest.partition("(")[0].strip() or None if found else None


def _plain_text(value: object) -> str:
    if value.__class__ is str:
        return value
    raise refusal(f"label_part wants text, got {kind_of(value)}", value, expected="text")
