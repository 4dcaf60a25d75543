"""Money: always an amount as decimal text beside its currency, rounded half up to what the currency has."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from typing import Any

from hub.errors import MappingError
from hub.functions.numbers import DIGITS, EXACT, checked, dec, number
from hub.functions.refusal import expected, kind_of, refusal
from hub.functions.registry import function
from hub.identifiers import currencies, currency_exponent

_QUANTA = {code: Decimal(1).scaleb(-(currency_exponent(code) or 0)) for code in currencies()}


@function(
    args="number, text, integer?",
    returns="money",
    examples=[
        ("money(2.675, 'EUR')", {"amount": "2.68", "currency": "EUR"}),
        ("money(5, 'JPY')", {"amount": "5", "currency": "JPY"}),
        ("money(0.1234567, 'EUR', 6)", {"amount": "0.123457", "currency": "EUR"}),
        ("money(26.250000, 'EUR', 6)", {"amount": "26.25", "currency": "EUR"}),
        ("money(null, 'EUR')", None),
    ],
)
def money(amount: Any, currency: Any, max_decimals: Any = None) -> dict[str, str] | None:
    """``{amount, currency}``, rounded half up to the decimals of the currency.

    A unit price may keep more: with a third argument the amount has up to that many decimals, without zeros at the
    end beyond the currency's own.
    """
    if amount is None:
        return None
    if amount.__class__ is not Decimal:
        amount = Decimal(number(amount, "money"))
    try:
        quantum = _QUANTA[currency]
    except (KeyError, TypeError):
        raise _no_currency(currency) from None
    try:
        rounded = amount.quantize(quantum, ROUND_HALF_UP)
    except InvalidOperation:
        rounded = _rounded(amount, quantum)
    if max_decimals is not None and rounded != amount:
        return {"amount": _priced(amount, quantum, max_decimals), "currency": currency}
    return {"amount": str(rounded or abs(rounded)), "currency": currency}  # no minus zero


def _rounded(amount: Decimal, quantum: Decimal) -> Decimal:
    try:
        rounded = amount.quantize(quantum, ROUND_HALF_UP, EXACT)
    except InvalidOperation:
        raise refusal(f"an amount may have {DIGITS} digits, got more", code="too_large") from None
    return rounded or abs(rounded)


def _priced(amount: Decimal, quantum: Decimal, max_decimals: object) -> str:
    least = -int(quantum.as_tuple().exponent)
    if max_decimals.__class__ is not int or not least <= max_decimals <= 10:
        raise expected(f"from {least} to 10 decimals for this currency", max_decimals)
    written = format(_rounded(amount, _quantum(max_decimals)), "f")
    head, _, decimals = written.partition(".")
    kept = decimals.rstrip("0").ljust(least, "0")
    return f"{head}.{kept}" if kept else head


@cache
def _quantum(places: Any) -> Decimal:
    return Decimal(1).scaleb(-places)


def _quantum_of(currency: Any) -> Decimal:
    try:
        return _QUANTA[currency]
    except (KeyError, TypeError):
        raise _no_currency(currency) from None


def _no_currency(currency: object) -> MappingError:
    if currency is None:
        return refusal("money needs a currency, got nothing", expected="an ISO 4217 code such as EUR")
    if not isinstance(currency, str):
        return refusal(f"money needs a currency, got {kind_of(currency)}", expected="an ISO 4217 code such as EUR")
    upper = currency.strip().upper()
    hint = f"write '{upper}', in capitals" if upper in _QUANTA else ""
    shown = f"'{currency}'" if len(currency) <= 5 else "a longer text"
    return refusal(f"expected a currency of ISO 4217, got {shown}", currency, expected="an ISO 4217 code", hint=hint)


@function(
    args="object",
    returns="decimal",
    examples=[("amount({'amount': '12.50', 'currency': 'EUR'})", Decimal("12.50")), ("amount(null)", None)],
)
def amount(value: Any) -> Decimal | None:
    """The number of a money value."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise refusal(f"amount wants money, got {kind_of(value)}", value, expected="an object {amount, currency}")
    return dec(value.get("amount"))


@function(
    args="any, text",
    returns="decimal",
    examples=[
        ("from_minor(1234, 'EUR')", Decimal("12.34")),
        ("from_minor('500', 'JPY')", Decimal(500)),
        ("from_minor(null, 'EUR')", None),
    ],
)
def from_minor(units: Any, currency: Any) -> Decimal | None:
    """A decimal amount from the minor units (cents) some systems count in."""
    count = dec(units)
    if count is None:
        return None
    if count != count.to_integral_value():
        raise expected("a whole number of minor units", units, hint="write dec(…) if it is a decimal amount")
    quantum = _quantum_of(currency)
    return (count * quantum).quantize(quantum, ROUND_HALF_UP, EXACT)


@function(
    args="number, text",
    returns="integer",
    examples=[("to_minor(12.34, 'EUR')", 1234), ("to_minor(500, 'JPY')", 500), ("to_minor(null, 'EUR')", None)],
)
def to_minor(amount: Any, currency: Any) -> int | None:
    """An amount in minor units (cents). An amount with more decimals than the currency has is refused: round it."""
    if amount is None:
        return None
    quantum = _quantum_of(currency)
    units = checked(Decimal(number(amount, "to_minor"))) / quantum
    if units != units.to_integral_value():
        raise refusal(f"the amount has more decimals than {currency} has", amount, hint="write round(…) first")
    return int(units)
