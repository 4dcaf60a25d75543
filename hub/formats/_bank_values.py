"""Amounts and days as the text formats of banks write them; cached, since days come again and again."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from hub.identifiers import currency_exponent

_PLAIN = re.compile(r"[0-9]{1,14},[0-9]{0,6}")
_CENTS = re.compile(r",[0-9]{1,6}")
_POINT = re.compile(r"[0-9]{1,14}\.[0-9]{1,6}")
_WHOLE = re.compile(r"[0-9]{1,15}")
_GROUPED = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]{0,2}|[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]{1,2}")


class ValueFault(Exception):
    """A value that is none: what was expected."""


def amount_of(text: str, currency: str) -> tuple[Decimal, str]:
    """An amount with a comma before its decimals, and what is odd about how it is written, empty where nothing is.

    Raises ValueFault for what is no amount, or may be two: ``1.234`` is a thousand or one.
    """
    if len(text) > 15 and (shorter := re.sub("^0+(?=[0-9])", "", text)) != text:
        return amount_of(shorter, currency)[0], "is longer than 15 characters, with zeros before it"
    if _PLAIN.fullmatch(text):
        return Decimal(text.replace(",", ".")), ""
    if _CENTS.fullmatch(text):
        return Decimal(f"0.{text[1:]}"), "has no digit before its decimal comma"
    if _WHOLE.fullmatch(text):
        return Decimal(text), "has no decimal comma"
    if _POINT.fullmatch(text):
        if len(text) - text.index(".") == 4 and currency_exponent(currency) != 3:
            raise ValueFault("a decimal comma: 1.234 may be a thousand or one")
        return Decimal(text), "has a point for its decimal comma"
    if _GROUPED.fullmatch(text):
        whole, cents = re.split(r"[.,](?=[0-9]*$)", text)
        return Decimal(f"{re.sub('[.,]', '', whole)}.{cents}"), "has marks between its thousands"
    raise ValueFault("digits with a comma before the decimals, at most 15 characters")


@lru_cache(4096)
def day_of(text: str) -> str:
    """``260309`` as ``2026-03-09``; 80 to 99 are of the last century. Raises ValueFault for a day there is not."""
    try:
        year = int(text[:2])
        return date(year + (1900 if year >= 80 else 2000), int(text[2:4]), int(text[4:6])).isoformat()
    except ValueError:
        raise ValueFault("a day as YYMMDD") from None


def end_of_february(text: str) -> str:
    """The last day of a February that has ``30``, or ``29`` where it has none: banks that count 30 days a month value
    on it. Empty for any other day."""
    is_it = text[2:6] in ("0229", "0230")
    return (date.fromisoformat(day_of(f"{text[:2]}0301")) - timedelta(days=1)).isoformat() if is_it else ""


@lru_cache(4096)
def near_day(month_and_day: str, near: str) -> str:
    """``1231`` beside ``2027-01-02`` as ``2026-12-31``: of the year in which it is nearest. Raises ValueFault."""
    other = date.fromisoformat(near)
    days = []
    for year in (other.year, other.year - 1, other.year + 1):
        try:
            days.append(date(year, int(month_and_day[:2]), int(month_and_day[2:4])))
        except ValueError:
            continue
    if not days:
        raise ValueFault("a day as MMDD")
    return min(days, key=lambda day: abs(day - other)).isoformat()


def written_amount(amount: Decimal, currency: str, mark: str = ",") -> str:
    """An amount without its sign, with the decimals of its currency. Raises ValueFault where it has more."""
    exponent = currency_exponent(currency)
    places = 2 if exponent is None else exponent
    _, digits, power = amount.as_tuple()
    if isinstance(power, int) and -power > places and any(digits[power + places :]):
        raise ValueFault(f"at most {places} decimals in {currency}")
    whole, _, cents = f"{abs(amount):.{places}f}".partition(".")
    return f"{whole}{mark}{cents}"
