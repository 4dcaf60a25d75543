"""Exact arithmetic on amounts: adding up, rounding half up, and saying where a sum does not come out."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from hub.errors import DocumentFault
from hub.identifiers import currency_exponent

ZERO = Decimal(0)
_EXACT = Context(prec=60)  # 21 digits times 21 digits, and room for a division
_WHOLE = {str(number): Decimal(number) for number in range(1000)}
_UNITS = {exponent: Decimal(1).scaleb(-exponent) for exponent in range(7)}


def number(text: str) -> Decimal:
    """The number of a quantity. Most are small and whole: those are not made anew."""
    return _WHOLE.get(text) or Decimal(text)


def amount(money: Any) -> Decimal:
    """The number of an amount; nothing is zero."""
    return ZERO if money is None else Decimal(money["amount"])


def total(moneys: Iterable[Any]) -> Decimal:
    """The sum of amounts."""
    return sum(map(amount, moneys), ZERO)


def minor_unit(money: Any) -> Decimal:
    """The smallest amount of a currency: 0.01 for EUR, 1 for JPY."""
    return _UNITS[currency_exponent(money["currency"]) or 0]


def round_half_up(value: Decimal, unit: Decimal) -> Decimal:
    """``value`` as a multiple of ``unit``; halves go away from zero."""
    return value.quantize(unit, rounding=ROUND_HALF_UP, context=_EXACT)


product, quotient = _EXACT.multiply, _EXACT.divide


def wrong_sum(path: str, code: str, seen: Decimal, wanted: Decimal, why: str, severity: str = "error") -> DocumentFault:
    """A fault for a number that is not what the others make it: ``seen 10.00; expected 10.01: the sum of …``."""
    expected = f"{wanted:f}: {why}"
    message = f"seen {seen:f}; expected {expected}"
    return DocumentFault(path, code, message, f"{seen:f}", expected, severity, "what the others make it")
