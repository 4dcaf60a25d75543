"""Decimals as text: without an exponent, which XML Schema, EDI and many readers of JSON and CSV do not take, and with
no more digits than the hub reads."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

MAX_DIGITS = 40
_ENOUGH = 20  # digits that are left of what is rounded
_LARGEST = 120  # places before or behind the point; what is larger is not even written
_EXACT = Context(prec=2 * _LARGEST, rounding=ROUND_HALF_UP)


def without_exponent(value: Decimal) -> str:
    """A finite decimal in at most 40 digits. What a division leaves behind those is rounded half up. Raises ValueError
    for a number of which too little would be left."""
    if abs(value.adjusted()) > _LARGEST:
        raise ValueError(_too_long(f"{abs(value.adjusted())}"))
    text = f"{value:f}"
    digits = len(text.lstrip("-").replace(".", ""))
    if digits <= MAX_DIGITS:
        return text
    decimals = MAX_DIGITS - len(text.lstrip("-").partition(".")[0])
    rounded = value.quantize(Decimal(1).scaleb(-max(decimals, 0)), context=_EXACT)
    if decimals < 1 or (rounded != value and len(rounded.as_tuple().digits) < _ENOUGH):
        raise ValueError(_too_long(f"{digits}"))
    text = f"{rounded:f}"
    return text if len(text.lstrip("-")) <= MAX_DIGITS + 1 else text[:-1]  # 9.99… has become 10.00…


def _too_long(digits: str) -> str:
    return f"a number of {digits} digits"
