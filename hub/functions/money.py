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

QUANTA = {code: Decimal(1).scaleb(-(currency_exponent(code) or 0)) for code in currencies()}


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
    try:
        quantum = QUANTA[currency]
        rounded = amount.quantize(quantum, ROUND_HALF_UP)
    except (KeyError, TypeError, AttributeError, InvalidOperation):
        if amount is None:
            return None
        amount, quantum = Decimal(number(amount, "money")), _quantum_of(currency)
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
        return QUANTA[currency]
    except (KeyError, TypeError):
        raise _no_currency(currency) from None


def _no_currency(currency: object) -> MappingError:
    if currency is None:
        return refusal("money needs a currency, got nothing", expected="an ISO 4217 code such as EUR")
    if not isinstance(currency, str):
        return refusal(f"money needs a currency, got {kind_of(currency)}", expected="an ISO 4217 code such as EUR")
    upper = currency.strip().upper()
    hint = f"write '{upper}', in capitals" if upper in QUANTA else ""
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
    nothing="empty",
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
        detail, wanted = f"the amount has more decimals than {currency} has", "the decimals of its currency"
        raise refusal(detail, amount, expected=wanted, hint="write round(…) first")
    return int(units)


@function(
    args="list",
    returns="money",
    nothing="always",
    examples=[
        (
            "total_money([{'amount': '1.50', 'currency': 'EUR'}, {'amount': '2.25', 'currency': 'EUR'}])",
            {"amount": "3.75", "currency": "EUR"},
        ),
        ("total_money([])", None),
    ],
)
def total_money(values: Any) -> dict[str, str] | None:
    """Money values added up; more than one currency is an error, no value at all is nothing."""
    if not isinstance(values, list | None):
        raise refusal(f"total_money wants a list, got {kind_of(values)}", expected="a list")
    found = [value for value in values or () if value is not None]
    currencies_seen = {value.get("currency") if isinstance(value, dict) else None for value in found if _is_flat(value)}
    if len(currencies_seen) > 1:
        raise refusal("total_money cannot add amounts of different currencies", expected="amounts of one currency")
    if not found:
        return None
    return money(sum((amount(value) or Decimal(0) for value in found), Decimal(0)), currencies_seen.pop())


def _is_flat(value: object) -> bool:
    if isinstance(value, dict) and not isinstance(value.get("currency"), dict | list):
        return True
    raise refusal(f"total_money wants money, got {kind_of(value)}", expected="objects {amount, currency}")


_MOST_SHARES = 10_000


@function(
    args="number, list, text",
    returns="list",
    nothing="never",
    examples=[
        ("allocate(100, [1, 1, 1], 'EUR')", [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]),
        ("allocate(10, [70, 30, 0], 'JPY')", [Decimal(7), Decimal(3), Decimal(0)]),
        ("allocate(-0.05, [1, 1], 'EUR')", [Decimal("-0.03"), Decimal("-0.02")]),
        ("allocate(null, [1], 'EUR')", []),
    ],
)
def allocate(amount: Any, shares: Any, currency: Any) -> list[Decimal]:
    """An amount spread over shares, in the decimals of the currency, with no cent lost: the parts always add up to it.
    What rounding leaves over goes to the largest remainders, the first of equal ones first."""
    if amount is None:
        return []
    whole, quantum = checked(Decimal(number(amount, "allocate"))), _quantum_of(currency)
    if not isinstance(shares, list) or not 0 < len(shares) <= _MOST_SHARES:
        raise expected(f"a list of 1 to {_MOST_SHARES} shares", shares)
    weights = [checked(Decimal(number(share, "allocate"))) for share in shares]
    if min(weights) < 0 or not any(weights):
        raise refusal("allocate wants shares of 0 or more, one of them above 0", expected="shares")
    units = EXACT.divide(whole, quantum)
    if units % 1:
        detail, wanted = f"the amount has more decimals than {currency} has", "the decimals of its currency"
        raise refusal(detail, amount, expected=wanted, hint="write round(…) first")
    return [EXACT.multiply(part, quantum).quantize(quantum) for part in _spread(int(units), weights)]


def _spread(units: int, weights: list[Decimal]) -> list[Decimal]:
    """Whole units by weight: rounded down first, then one more for the largest remainders."""
    places = max(-int(weight.as_tuple().exponent) for weight in weights)
    whole = [int(weight.scaleb(max(places, 0), EXACT)) for weight in weights]
    total, sign = sum(whole), -1 if units < 0 else 1
    parts = [divmod(abs(units) * weight, total) for weight in whole]
    left = abs(units) - sum(part for part, _ in parts)
    by_rest = sorted(range(len(parts)), key=lambda place: -parts[place][1])
    more = set(by_rest[:left])
    return [Decimal(sign * (part + (place in more))) for place, (part, _) in enumerate(parts)]


@function(
    args="number, number, text",
    returns="decimal",
    examples=[("tax_on_net(100, 19, 'EUR')", Decimal("19.00")), ("tax_on_net(null, 19, 'EUR')", None)],
)
def tax_on_net(net: Any, percent: Any, currency: Any) -> Decimal | None:
    """The tax on an amount without tax, rounded half up to the decimals of the currency."""
    if net is None:
        return None
    return _rounded(EXACT.multiply(*_pair(net, percent, "tax_on_net")) / 100, _quantum_of(currency))


@function(
    args="number, number, text",
    returns="decimal",
    examples=[
        ("tax_in_gross(119, 19, 'EUR')", Decimal("19.00")),
        ("tax_in_gross(10, 7.7, 'CHF')", Decimal("0.71")),
        ("tax_in_gross(null, 19, 'EUR')", None),
    ],
)
def tax_in_gross(gross: Any, percent: Any, currency: Any) -> Decimal | None:
    """The tax inside an amount with tax, rounded half up; the rest, ``gross - tax_in_gross(…)``, is the net amount."""
    if gross is None:
        return None
    amount, rate = _pair(gross, percent, "tax_in_gross")
    return _rounded(EXACT.divide(EXACT.multiply(amount, rate), 100 + rate), _quantum_of(currency))


def _pair(amount: object, percent: object, name: str) -> tuple[Decimal, Decimal]:
    value, rate = (checked(Decimal(number(part, name))) for part in (amount, percent))
    if not 0 <= rate <= 1000:
        raise expected("a rate from 0 to 1000 per cent", percent)
    return value, rate
