"""Units of measure by their codes of UN/ECE Recommendation 20."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hub.functions.listed_codes import column
from hub.functions.numbers import EXACT, checked, number
from hub.functions.refusal import expected, kind_of, refusal, seen
from hub.functions.registry import function

_PLACES = Decimal("1E-10")


def _factor(unit: object) -> tuple[str, Decimal]:
    """What a unit measures and how many of the base unit it is."""
    if unit.__class__ is not str:
        raise refusal(f"convert_unit wants a unit such as 'KGM', got {kind_of(unit)}", unit, expected="a unit")
    measure = column("units/rec20", "code", "measure").get(unit)
    if measure is None:
        hint = "multiply by a factor of your own: pieces in a box are another number for each article"
        raise refusal(f"no fixed factor is known for the unit {seen(unit)}", unit, expected="a unit", hint=hint)
    return measure, Decimal(column("units/rec20", "code", "factor")[unit])


@function(
    args="number, text, text",
    returns="decimal",
    examples=[
        ("convert_unit(2500, 'GRM', 'KGM')", Decimal("2.5")),
        ("convert_unit(1, 'LBR', 'KGM')", Decimal("0.45359237")),
        ("convert_unit(180, 'CMT', 'MTR')", Decimal("1.8")),
        ("convert_unit(2, 'DZN', 'C62')", Decimal(24)),
        ("convert_unit(null, 'GRM', 'KGM')", None),
    ],
)
def convert_unit(value: Any, unit: Any, wanted: Any) -> Decimal | None:
    """A number of one unit (Rec 20) as a number of another of the same measure, to ten decimals, half up."""
    if value is None:
        return None
    count = checked(Decimal(number(value, "convert_unit")))
    measure, factor = _factor(unit)
    other, divisor = _factor(wanted)
    if measure != other:
        raise refusal(f"{unit} measures {measure}, {wanted} measures {other}: one is not the other", expected=measure)
    return _plain(EXACT.divide(EXACT.multiply(count, factor), divisor))


def _plain(value: Decimal) -> Decimal:
    """The value to ten decimals without zeros at the end, written without an exponent."""
    if abs(value) > Decimal("1E30"):
        raise refusal("a number may have 40 digits, got more", code="too_large")
    short = value.quantize(_PLACES, context=EXACT).normalize(EXACT)
    return short.quantize(Decimal(1), context=EXACT) if int(short.as_tuple().exponent) > 0 else short


@function(
    args="text",
    returns="boolean",
    nothing="never",
    examples=[("is_unit_code('KGM')", True), ("is_unit_code('kg')", False), ("is_unit_code(null)", False)],
)
def is_unit_code(value: Any) -> bool:
    """Whether a text is a code of Recommendation 20 (units) or, with an X in front, 21 (packages)."""
    if value is None:
        return False
    if value.__class__ is not str:
        raise refusal(f"is_unit_code wants text, got {kind_of(value)}", value, expected="text")
    return value in column("codes/rec20", "code", "code")


@function(
    args="text, text",
    returns="text",
    examples=[("same_measure('GRM', 'KGM')", "mass"), ("same_measure('GRM', 'MTR')", None)],
    nothing="always",
)
def same_measure(unit: Any, other: Any) -> str | None:
    """What two units both measure, so that one can be converted to the other; nothing where they do not."""
    if unit is None or other is None:
        return None
    for value in (unit, other):
        if value.__class__ is not str:
            raise expected("a unit as text", value)
    measures = column("units/rec20", "code", "measure")
    return measures[unit] if measures.get(unit, "") == measures.get(other, " ") else None
