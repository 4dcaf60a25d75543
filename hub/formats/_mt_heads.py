"""The fields of an MT940 or MT942 around its entries: account, numbers, balances, limits, sums, when it was made."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from hub.errors import shown
from hub.formats._bank_told import Told
from hub.formats._bank_values import ValueFault, day_of
from hub.formats._mt_entries import read_amount
from hub.formats._mt_envelope import MtField
from hub.identifiers import currency_exponent, is_bic, is_iban

Document = dict[str, Any]

BALANCE = re.compile(r"(?P<mark>[CD])(?P<day>\d{6})(?P<currency>[A-Z]{3})(?P<amount>[0-9,][0-9.,]*)")
FLOOR = re.compile(r"(?P<currency>[A-Z]{3})(?P<mark>[CD])?(?P<amount>[0-9][0-9.,]*)")
SUM = re.compile(r"(?P<count>\d{1,5})(?P<currency>[A-Z]{3})(?P<amount>[0-9][0-9.,]*)")
_NUMBER = re.compile(r"(\d{1,9})(?:/(\d{1,9}))?")
_MADE = re.compile(r"(\d{6})(\d{4})([+-])?(\d{4})?")
_TYPES = {
    "60F": ("OPBD", ""), "60M": ("OPBD", "INTM"), "62F": ("CLBD", ""), "62M": ("CLBD", "INTM"), "64": ("CLAV", ""),
    "65": ("FWAV", ""),
}  # fmt: skip


def balance_of(field: MtField, told: Told) -> Document | None:
    """A balance as ``balances`` holds it; None where it is none, which is told."""
    what = f":{field.tag}:"
    match = BALANCE.fullmatch(field.text.strip())
    if not match:
        has_no_currency = re.fullmatch(r"[CD]\d{6}[0-9.,]+", field.text.strip())
        detail = "the balance has no currency" if has_no_currency else f"not a balance: {shown(field.text)}"
        expected = "C or D, the day YYMMDD, a currency, an amount: C260309EUR418,33"
        told.error("field", detail, field.line, field.column + 7 * bool(has_no_currency), what, field.text, expected)
        return None
    currency = match["currency"]
    if currency_exponent(currency) is None:
        told.error(
            "currency", f"{currency} is no currency", field.line, field.column + 7, what, currency, "a code of ISO 4217"
        )
        return None
    amount = read_amount(match["amount"], currency, field, match.start("amount"), told)
    if amount is None:
        return None
    kind, part = _TYPES[field.tag]
    found: Document = {"type_code": kind, **({"sub_type_code": part} if part else {})}
    found["amount"] = {"amount": -amount if match["mark"] == "D" and amount else amount, "currency": currency}
    if match["day"] == "000000":
        told.odd("date", "the balance has no day", field.line, field.column + 1, what, match["day"], "YYMMDD")
        return found
    try:
        found["date"] = day_of(match["day"])
    except ValueFault as fault:
        told.error(
            "date", f"the day {match['day']} of the balance is none", field.line, field.column + 1, what, match["day"],
            str(fault),
        )  # fmt: skip
        return None
    return found


def account_of(field: MtField, told: Told) -> Document:
    """An IBAN, or a national bank and account number as one text, without a currency behind it."""
    text = re.sub(r"\s", "", field.text).lstrip("/")
    if (short := text[:-3]) and currency_exponent(text[-3:]) is not None and (is_iban(short) or not is_iban(text)):
        text = short if re.search(r"\d$", short) or is_iban(short) else text
    if not text:
        told.error("field", "the account is empty", field.line, field.column, f":{field.tag}:", "", "an IBAN")
    found: Document = {"account_id": text}
    if len(field.lines) > 1 and is_bic(bic := field.lines[1].strip()):
        found["bic"] = bic
    return found


def number_of(field: MtField, told: Told) -> tuple[int, int | None] | None:
    """The number of a statement and of its page."""
    match = _NUMBER.fullmatch(re.sub(r"\s", "", field.text))
    if not match:
        told.odd(
            "number", f"not a statement number: {shown(field.text)}", field.line, field.column, f":{field.tag}:",
            field.text, "digits, and the number of the page behind a slash",
        )  # fmt: skip
        return None
    return int(match[1]), int(match[2]) if match[2] else None


def floor_of(field: MtField, told: Told) -> Document | None:
    """The limit below which entries are not listed one by one."""
    match = FLOOR.fullmatch(field.text.strip())
    if not match or currency_exponent(match["currency"]) is None:
        _tell_form(field, told, "a currency, D or C, an amount: EURD100,00")
        return None
    amount = read_amount(match["amount"], match["currency"], field, match.start("amount"), told)
    if amount is None:
        return None
    found: Document = {"amount": {"amount": amount, "currency": match["currency"]}}
    if match["mark"]:
        found["credit_debit_indicator"] = "CRDT" if match["mark"] == "C" else "DBIT"
    return found


def sum_of(field: MtField, told: Told) -> tuple[str, Document] | None:
    """The currency, and the number and sum of all debits or credits."""
    match = SUM.fullmatch(field.text.strip())
    if not match:
        _tell_form(field, told, "a number, a currency, an amount: 2EUR150,00")
        return None
    amount = read_amount(match["amount"], match["currency"], field, match.start("amount"), told)
    return None if amount is None else (match["currency"], {"count": int(match["count"]), "sum": amount})


def made_at(field: MtField, told: Told) -> str:
    """The instant of an interim report, without an offset where the bank gives none."""
    match = _MADE.fullmatch(field.text.strip())
    try:
        if not match:
            raise ValueFault("YYMMDDHHMM and the offset: 2603091305+0100")
        day, time = day_of(match[1]), match[2]
        offset = f"{match[3] or '+'}{match[4][:2]}:{match[4][2:]}" if match[4] else ""
        instant = f"{day}T{time[:2]}:{time[2:]}:00{offset}"
        datetime.fromisoformat(instant)
    except (ValueFault, ValueError):
        expected = "YYMMDDHHMM and the offset: 2603091305+0100"
        told.odd(
            "date", f"not an instant: {shown(field.text)}", field.line, field.column, f":{field.tag}:", field.text,
            expected,
        )  # fmt: skip
        return ""
    return instant


def _tell_form(field: MtField, told: Told, expected: str) -> None:
    told.error(
        "field", f"expected {expected}, got {shown(field.text)}", field.line, field.column, f":{field.tag}:",
        field.text, expected,
    )  # fmt: skip
