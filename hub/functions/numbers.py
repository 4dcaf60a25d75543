"""Numbers: exact decimals and whole numbers, rounded half up. Binary floats, NaN and giant exponents are refused."""

from __future__ import annotations

import re
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    Rounded,
)
from typing import Any

from hub.functions.refusal import expected, kind_of, refusal
from hub.functions.registry import function

DIGITS = 40
EXPONENT = 20
_LIMIT = 10**DIGITS
# 50 digits hold the product of any two amounts exactly; what grows beyond 10^100 is an attack, not an amount.
EXACT = Context(
    prec=50, rounding=ROUND_HALF_UP, Emax=100, Emin=-100, traps=[InvalidOperation, DivisionByZero, Overflow]
)
# Raises for a number that it would have to change: of more than 21 digits or 20 decimals, or of 10^21 and more.
_SHORT = Context(prec=EXPONENT + 1, Emax=EXPONENT, Emin=0, traps=[InvalidOperation, Rounded, Clamped])
# The decimal of a text without blanks or underscores, if it is a short one; else ArithmeticError. Also for other
# scripts' digits, NaN and Infinity.
short_decimal = _SHORT.create_decimal
_stays = _SHORT.plus
_DECIMAL_SIGNS = frozenset("0123456789.-+eE")
_WHOLE = re.compile(r"[+-]?[0-9]+")
# sign, whole number, decimals, sign; each part is of signs the next one has not
_WRITTEN = {
    ".": re.compile(r"([+-]?)([0-9]+(?:,[0-9]{3})*)(?:\.([0-9]*))?([+-]?)"),
    ",": re.compile(r"([+-]?)([0-9]+(?:\.[0-9]{3})*)(?:,([0-9]*))?([+-]?)"),
}


def checked(value: Decimal) -> Decimal:
    """The same decimal, refused when it is not finite or has more digits or a larger exponent than money ever needs."""
    try:
        if _stays(value).is_finite():
            return value
    except ArithmeticError:
        pass
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise refusal("expected a number, got one that is infinite or undefined", expected="a finite number")
    if len(digits) > DIGITS or abs(exponent) > EXPONENT:
        raise refusal(f"a number may have {DIGITS} digits and an exponent up to {EXPONENT}, got more", code="too_large")
    return value


@function(
    args="any",
    returns="decimal",
    nothing="empty",
    examples=[("dec('12.50')", Decimal("12.50")), ("dec(4)", Decimal(4)), ("dec(null)", None), ("dec('')", None)],
)
def dec(value: Any) -> Decimal | None:
    """Text or a whole number as an exact decimal number; nothing and empty text give nothing.

    The text is ``-12.50`` or ``1.5E2``: a point before the decimals, no blanks, no thousands.
    """
    if value.__class__ is str:
        try:
            if len(value) < DIGITS and value.isascii() and (found := short_decimal(value)).is_finite():
                return found
        except ArithmeticError:
            pass
        return _decimal_of_text(value)
    if value is None:
        return None
    if value.__class__ is Decimal:
        return checked(value)
    if value.__class__ is int:
        return Decimal(value) if -_LIMIT < value < _LIMIT else _too_large()
    raise expected("a decimal number", value)


def _decimal_of_text(value: str) -> Decimal | None:
    if not value:
        return None
    # Decimal() itself would also take blanks, underscores, other scripts' digits, NaN and Infinity.
    if len(value) > DIGITS + 10 or not _DECIMAL_SIGNS.issuperset(value):
        raise expected("a decimal number", value, hint=_advice(value))
    try:
        return checked(Decimal(value))
    except InvalidOperation:
        raise expected("a decimal number", value, hint=_advice(value)) from None


def _advice(value: str) -> str:
    if "," in value and "." in value:
        return "write dec(replace(replace(…, '.', ''), ',', '.')) where the point separates thousands"
    if "," in value:
        return "write dec(replace(…, ',', '.'))"
    return "write dec(strip(…))" if value != value.strip() else ""


def _too_large() -> Decimal:
    raise refusal(f"a number may have {DIGITS} digits, got more", code="too_large")


def plain_text(value: Decimal | int) -> str:
    """The digits of a number without an exponent; its decimals are kept."""
    if value.__class__ is int:
        return str(value) if -_LIMIT < value < _LIMIT else str(_too_large())
    return format(checked(value), "f")  # type: ignore[arg-type]


def number(value: Any, name: str) -> Any:
    """The value where it is a number; bool, float and text are refused with the name of who wanted it."""
    if value.__class__ is Decimal or value.__class__ is int:
        return value
    hint = f"write {name}(dec(…))" if isinstance(value, str) else ""
    raise refusal(f"{name} wants a number, got {kind_of(value)}", value, expected="a number", hint=hint)


def finite(value: Any, name: str) -> Any:
    """The value where it is a number of a size that money ever has."""
    found = number(value, name)
    return checked(found) if found.__class__ is Decimal else found


@function(
    name="int",
    args="any",
    returns="integer",
    nothing="empty",
    examples=[("int('12')", 12), ("int(3.00)", 3), ("int(null)", None)],
)
def whole(value: Any) -> int | None:
    """A whole number; decimals other than zero are refused: round them first."""
    amount = dec(value)
    if amount is None:
        return None
    if amount != amount.to_integral_value():
        raise expected("a whole number", value, hint="write int(round(…))")
    return int(amount)


def _quantum(places: object) -> Decimal:
    if places.__class__ is int and 0 <= places <= EXPONENT:
        return Decimal(1).scaleb(-places)
    raise expected(f"from 0 to {EXPONENT} decimals", places)


def half_up(value: Decimal | int, places: int = 0) -> Decimal:
    """A number at so many decimals, rounded half up: away from zero at the middle."""
    found = Decimal(value).quantize(_quantum(places), ROUND_HALF_UP, EXACT)
    return found or found.copy_abs()  # no minus before a zero


@function(
    name="round",
    args="number, integer?",
    returns="decimal",
    examples=[("round(2.675, 2)", Decimal("2.68")), ("round(-0.5)", Decimal("-1")), ("round(null, 2)", None)],
)
def rounded(value: Any, places: Any = 0) -> Decimal | None:
    """A number at so many decimals, 0 without a second argument, rounded half up."""
    return None if value is None else half_up(_of_division(Decimal(number(value, "round"))), places)


@function(args="number", returns="integer", examples=[("floor(2.9)", 2), ("floor(-2.1)", -3)])
def floor(value: Any) -> int | None:
    """The next whole number below."""
    return None if value is None else int(_integral(value, "floor", ROUND_FLOOR))


@function(args="number", returns="integer", examples=[("ceil(2.1)", 3), ("ceil(-2.9)", -2)])
def ceil(value: Any) -> int | None:
    """The next whole number above."""
    return None if value is None else int(_integral(value, "ceil", ROUND_CEILING))


def _integral(value: object, name: str, rounding: str) -> Decimal:
    return _of_division(Decimal(number(value, name))).to_integral_value(rounding)


@function(name="abs", args="number", returns="number", examples=[("abs(-3.5)", Decimal("3.5")), ("abs(2)", 2)])
def absolute(value: Any) -> Decimal | int | None:
    """A number without its sign."""
    return None if value is None else abs(finite(value, "abs"))


@function(
    args="number",
    returns="text",
    examples=[("trim(19.00)", "19"), ("trim(7.50)", "7.5"), ("trim(100)", "100"), ("trim(null)", None)],
)
def trim(value: Any) -> str | None:
    """A number as text without zeros at the end of its decimals: a percentage of 19.00 is ``19``."""
    if value is None:
        return None
    written = plain_text(number(value, "trim") or 0)
    return written.rstrip("0").rstrip(".") if "." in written else written


@function(
    args="any",
    returns="boolean",
    nothing="never",
    examples=[("is_number('12.5')", True), ("is_number('12,5')", False), ("is_number(null)", False)],
)
def is_number(value: Any) -> bool:
    """Whether ``dec`` would take the value and give a number."""
    if value.__class__ is str:
        return bool(value) and len(value) <= DIGITS and _DECIMAL_SIGNS.issuperset(value) and _parses(value)
    return value.__class__ in (int, Decimal)


def _parses(value: str) -> bool:
    try:
        checked(Decimal(value))
    except Exception:
        return False
    return True


@function(
    args="number, integer?",
    returns="decimal",
    examples=[
        ("round_half_even(2.665, 2)", Decimal("2.66")),
        ("round_half_even(2.5)", Decimal(2)),
        ("round_half_even(null, 2)", None),
    ],
)
def round_half_even(value: Any, places: Any = 0) -> Decimal | None:
    """A number at so many decimals, the middle to the even side: bankers' rounding."""
    return _at(value, places, "round_half_even", ROUND_HALF_EVEN)


@function(args="number, integer?", returns="decimal", examples=[("round_down(2.679, 2)", Decimal("2.67"))])
def round_down(value: Any, places: Any = 0) -> Decimal | None:
    """A number at so many decimals, the rest cut off: towards zero."""
    return _at(value, places, "round_down", ROUND_DOWN)


@function(args="number, integer?", returns="decimal", examples=[("round_up(2.671, 2)", Decimal("2.68"))])
def round_up(value: Any, places: Any = 0) -> Decimal | None:
    """A number at so many decimals, away from zero wherever something is left."""
    return _at(value, places, "round_up", ROUND_UP)


def _at(value: object, places: object, name: str, rounding: str) -> Decimal | None:
    if value is None:
        return None
    return _quantized(_of_division(Decimal(number(value, name))), _quantum(places), rounding)


def _of_division(value: Decimal) -> Decimal:
    """The same decimal, which may be as long as a division makes it, since it is about to be rounded."""
    _, digits, exponent = value.as_tuple()
    if isinstance(exponent, int) and len(digits) <= EXACT.prec and EXACT.Etiny() <= exponent <= 0:
        return value
    return checked(value)


def _quantized(value: Decimal, quantum: Decimal, rounding: str) -> Decimal:
    try:
        found = value.quantize(quantum, rounding, EXACT)
        return found or found.copy_abs()
    except InvalidOperation:
        raise refusal(f"a number may have {DIGITS} digits, got more", code="too_large") from None


@function(
    args="number, number",
    returns="decimal",
    examples=[
        ("round_to(12.37, 0.05)", Decimal("12.35")),
        ("round_to(12.375, 0.05)", Decimal("12.40")),
        ("round_to(1234, 50)", Decimal(1250)),
        ("round_to(null, 0.05)", None),
    ],
)
def round_to(value: Any, step: Any) -> Decimal | None:
    """The nearest multiple of a step, half up: 0.05 for cash in Switzerland."""
    if value is None:
        return None
    width = checked(Decimal(number(step, "round_to")))
    if width <= 0:
        raise expected("a step above 0", step)
    times = EXACT.divide(checked(Decimal(number(value, "round_to"))), width)
    return EXACT.multiply(_quantized(times, Decimal(1), ROUND_HALF_UP), width)


@function(
    args="number, number",
    returns="decimal",
    examples=[("percent_of(250, 19)", Decimal("47.5")), ("percent_of(null, 19)", None)],
)
def percent_of(value: Any, percent: Any) -> Decimal | None:
    """So many per cent of a number, not rounded."""
    if value is None:
        return None
    product = EXACT.multiply(*(checked(Decimal(number(part, "percent_of"))) for part in (value, percent)))
    whole = EXACT.divide(product, Decimal(100))
    return whole.quantize(Decimal(1)) if not whole % 1 and abs(whole) < _LIMIT else whole


@function(
    args="text, text?",
    returns="decimal",
    nothing="empty",
    examples=[
        ("parse_number('1.234,50', ',')", Decimal("1234.50")),
        ("parse_number('1 234.50-')", Decimal("-1234.50")),
        ("parse_number('+7')", Decimal(7)),
        ("parse_number(null)", None),
        ("parse_number('', ',')", None),
    ],
)
def parse_number(value: Any, decimal_sign: Any = ".") -> Decimal | None:
    """A number as people and older systems write it: a comma or a point before the decimals, thousands set apart by the
    other one, blanks or apostrophes, the sign also behind."""
    if value is None or value == "":
        return None
    if decimal_sign not in (".", ","):
        raise expected("'.' or ',' as the sign before the decimals", decimal_sign)
    if not isinstance(value, str) or len(value) > DIGITS + 20:
        raise expected("a number as text", value)
    found = _WRITTEN[str(decimal_sign)].fullmatch("".join(value.split()).replace("'", "").replace("’", ""))
    if found is None or (found[1] and found[4]):
        raise expected(f"a number with '{decimal_sign}' before its decimals", value)
    sign = "-" if "-" in (found[1], found[4]) else ""
    return checked(Decimal(f"{sign}{re.sub('[.,]', '', found[2])}.{found[3] or ''}"))


@function(
    args="text, integer",
    returns="decimal",
    nothing="empty",
    examples=[("implied_decimals('0000012345', 2)", Decimal("123.45")), ("implied_decimals(null, 2)", None)],
)
def implied_decimals(value: Any, places: Any) -> Decimal | None:
    """A number whose last digits are decimals without a point, as in X12 (``N2``) and files of fixed columns."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > DIGITS or not _WHOLE.fullmatch(value):
        raise expected("digits without a point", value)
    _quantum(places)
    return checked(Decimal(value).scaleb(-places, EXACT))


@function(
    args="number, integer, text?, text?",
    returns="text",
    examples=[
        ("number_text(1234.5, 2)", "1234.50"),
        ("number_text(1234567.5, 2, ',', '.')", "1.234.567,50"),
        ("number_text(null, 2)", None),
    ],
)
def number_text(value: Any, places: Any, decimal_sign: Any = ".", thousands: Any = "") -> str | None:
    """A number with so many decimals, rounded half up, for people or a file: which sign stands before the decimals, and
    which sets thousands apart."""
    if value is None:
        return None
    for sign in (decimal_sign, thousands):
        if not isinstance(sign, str) or len(sign) > 1 or sign.isdigit():
            raise expected("one sign or empty text", sign)
    amount = _at(value, places, "number_text", ROUND_HALF_UP)
    written = format(amount or Decimal(0).quantize(_quantum(places)), ",f")
    return written.translate({ord(","): thousands, ord("."): decimal_sign})
