"""Numbers: exact decimals and whole numbers, rounded half up. Binary floats, NaN and giant exponents are refused."""

from __future__ import annotations

from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
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
_DECIMAL_SIGNS = frozenset("0123456789.-+eE")


def checked(value: Decimal) -> Decimal:
    """The same decimal, refused when it is not finite or has more digits or a larger exponent than money ever needs."""
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise refusal("expected a number, got one that is infinite or undefined", expected="a finite number")
    if len(digits) > DIGITS or abs(exponent) > EXPONENT:
        raise refusal(f"a number may have {DIGITS} digits and an exponent up to {EXPONENT}, got more", code="too_large")
    return value


@function(
    args="any",
    returns="decimal",
    examples=[("dec('12.50')", Decimal("12.50")), ("dec(4)", Decimal(4)), ("dec(null)", None), ("dec('')", None)],
)
def dec(value: Any) -> Decimal | None:
    """Text or a whole number as an exact decimal number; nothing and empty text give nothing.

    The text is ``-12.50`` or ``1.5E2``: a point before the decimals, no blanks, no thousands.
    """
    if value.__class__ is str:
        # What is nothing but digits, points and hyphens, and short, is a number or refused by Decimal itself.
        if len(value) < EXPONENT and not value.strip("0123456789.-"):
            try:
                return Decimal(value)
            except InvalidOperation:
                pass
        return _decimal_of_text(value)
    if value is None:
        return None
    if value.__class__ is Decimal:
        written = str(value)
        return value if len(written) < EXPONENT and "E" not in written and value.is_finite() else checked(value)
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
    return Decimal(value).quantize(_quantum(places), ROUND_HALF_UP, EXACT)


@function(
    name="round",
    args="number, integer?",
    returns="decimal",
    examples=[("round(2.675, 2)", Decimal("2.68")), ("round(-0.5)", Decimal("-1")), ("round(null, 2)", None)],
)
def rounded(value: Any, places: Any = 0) -> Decimal | None:
    """A number at so many decimals, 0 without a second argument, rounded half up."""
    return None if value is None else half_up(checked(Decimal(number(value, "round"))), places)


@function(args="number", returns="integer", examples=[("floor(2.9)", 2), ("floor(-2.1)", -3)])
def floor(value: Any) -> int | None:
    """The next whole number below."""
    return None if value is None else int(_integral(value, "floor", ROUND_FLOOR))


@function(args="number", returns="integer", examples=[("ceil(2.1)", 3), ("ceil(-2.9)", -2)])
def ceil(value: Any) -> int | None:
    """The next whole number above."""
    return None if value is None else int(_integral(value, "ceil", ROUND_CEILING))


def _integral(value: object, name: str, rounding: str) -> Decimal:
    return checked(Decimal(number(value, name))).to_integral_value(rounding)


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
    written = plain_text(number(value, "trim"))
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
