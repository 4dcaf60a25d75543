"""Field 61, a statement line, and the field 86 behind it: one entry of a statement."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from hub.errors import shown
from hub.formats._bank_references import type_of
from hub.formats._bank_told import Told
from hub.formats._bank_values import ValueFault, amount_of, day_of, end_of_february, near_day
from hub.formats._mt_details import Details, details_of, reference_of, role_of
from hub.formats._mt_envelope import MtField
from hub.identifiers import is_iban

LINE = re.compile(
    r"(?P<value>\d{6})(?P<entry>\d{4}| {4})?(?P<mark>(?i:RC|RD|EC|ED|C|D))(?P<funds>[A-Z])?(?P<amount>[0-9,][0-9.,]*)"
    r"(?: ?(?!NONREF)(?P<type>[NSF][A-Z0-9]{2}[A-Z0-9 ]))?(?P<rest>.*)",
)
_MARKS = {
    "C": ("CRDT", False, "BOOK"), "D": ("DBIT", False, "BOOK"), "RC": ("DBIT", True, "BOOK"),
    "RD": ("CRDT", True, "BOOK"), "EC": ("CRDT", False, "PDNG"), "ED": ("DBIT", False, "PDNG"),
}  # fmt: skip
_AMOUNT = re.compile(r"/(OCMT|CHGS)/([A-Z]{3})([0-9.,]+)(?=/|$)")
_RATE = re.compile(r"/EXCH/([0-9]+,[0-9]*)(?=/|$)")
_ONLY_AMOUNTS = re.compile(r"(?:/(?:OCMT|CHGS)/[A-Z]{3}[0-9]+,[0-9]*/?|/EXCH/[0-9]+,[0-9]*/?)+")

# What stands where no reference of the account owner's is, or tells where in field 86 it is.
_NO_REFERENCE = {"NONREF", "EREF", "PREF", "MARF", "KREF+", "EREF+", "MREF+"}
# GVC of the German banks whose meaning in the words of ISO 20022 leaves no doubt.
CODES = {
    "104": "PMNT/RDDT/BBDD", "105": "PMNT/RDDT/ESDD", "116": "PMNT/ICDT/ESCT", "117": "PMNT/ICDT/STDO",
    "152": "PMNT/RCDT/STDO", "153": "PMNT/RCDT/SALA", "159": "PMNT/ICDT/RRTN", "166": "PMNT/RCDT/ESCT",
    "171": "PMNT/IDDT/ESDD", "174": "PMNT/IDDT/BBDD",
}  # fmt: skip


def entry_of(field: MtField, currency: str, number: int, told: Told) -> dict[str, Any] | None:
    """The entry of a field 61; None where its faults, which are told, leave nothing to count on. Its keys that begin
    with ``_`` wait for ``completed``."""
    match = LINE.fullmatch(field.text.rstrip())
    if not match:
        seen, at = _beginning(field.text)
        told.error(
            "line", f"not a statement line from {shown(seen)} on", field.line, field.column + at, ":61:", seen,
            "value date YYMMDD, entry date MMDD, C, D, RC or RD, amount, type, reference",
        )  # fmt: skip
        return None
    before = told.errors
    value_date = _value_date(match, field, told)
    booking_date = _booking_date(match, value_date, field, told)
    amount = read_amount(match["amount"], currency, field, match.start("amount"), told)
    mark = match["mark"].upper()
    if mark != match["mark"]:
        at = field.column + match.start("mark")
        told.odd("mark", f"a small letter: {match['mark']}", field.line, at, ":61:", match["mark"], mark)
    direction, is_reversal, status = _MARKS[mark]
    if told.errors > before or amount is None:
        return None
    entry: dict[str, Any] = {
        "number": number, "amount": {"amount": amount, "currency": currency}, "credit_debit_indicator": direction,
        "status": status, "booking_date": booking_date, "value_date": value_date,
    }  # fmt: skip
    if is_reversal:
        entry["reversal_indicator"] = True
    _references(match, field, entry, told)
    return entry


def completed(entry: dict[str, Any], field: MtField | None, currency: str) -> dict[str, Any]:
    """The entry with what its field 86 says, and its one transaction."""
    details = details_of(field.lines) if field is not None else Details()
    kind, owner_ref, supplement = entry.pop("_kind"), entry.pop("_owner_ref"), entry.pop("_supplement")
    code = "+".join((kind, details.code, details.journal, details.key)).rstrip("+")
    if code:
        entry["proprietary_code"] = {"code": code}
    if known := CODES.get(details.code):
        entry["bank_transaction_code"] = known
    if details.posting:
        entry["additional_information"] = details.posting
    role = role_of(entry, kind, details.code, details.values.get("return_reason_code", ""))
    transaction = _transaction(details, role)
    if owner_ref:
        transaction.setdefault("account_owner_ref", owner_ref)
    if is_iban(supplement) and transaction.get(f"{role}_account", supplement) == supplement:
        transaction[f"{role}_account"] = supplement  # the Rabobank has the account of the other end there
    elif supplement:
        _supplement(supplement, transaction)
    _original(transaction, currency)
    if transaction:
        entry["transactions"] = [{"amount": entry["amount"], **transaction}]
    return entry


def read_amount(text: str, currency: str, field: MtField, at: int, told: Told) -> Decimal | None:
    """An amount of a field, at a place of its first line; what is wrong or odd about it is told."""
    place = (field.line, field.column + at, f":{field.tag}:")
    try:
        amount, odd = amount_of(text, currency)
    except ValueFault as fault:
        told.error("amount", f"expected {fault}, got {shown(text)}", *place, text, str(fault))
        return None
    if odd:
        told.odd("amount", f"the amount {shown(text)} {odd}", *place, text, "a comma before the decimals")
    return amount


def _beginning(text: str) -> tuple[str, int]:
    """From where on a line is none of these."""
    at = 0
    for pattern in (r"\d{6}", r"(?:\d{4}| {4})?", r"(?i:RC|RD|EC|ED|C|D)", r"[A-Z]?", r"[0-9,][0-9.,]*"):
        match = re.compile(pattern).match(text, at)
        if match is None:
            break
        at = match.end()
    return text[at : at + 20], at


def _value_date(match: re.Match[str], field: MtField, told: Told) -> str:
    written, place = match["value"], (field.line, field.column, ":61:")
    try:
        return day_of(written)
    except ValueFault as fault:
        detail = f"the value date {written} is no day"
        if last := end_of_february(written):
            told.odd("date", f"{detail}; read as the last of that month", *place, written, last)
            return last
        told.error("date", detail, *place, written, str(fault))
        return ""


def _booking_date(match: re.Match[str], value_date: str, field: MtField, told: Told) -> str:
    """The entry date, of the year in which it is nearest to the value date; the value date where there is none."""
    written = (match["entry"] or "").strip()
    if not written or not value_date:
        return value_date
    try:
        return near_day(written, value_date)
    except ValueFault as fault:
        place = (field.line, field.column + match.start("entry"), ":61:")
        told.error("date", f"the entry date {written} is no day", *place, written, str(fault))
        return ""


def _references(match: re.Match[str], field: MtField, entry: dict[str, Any], told: Told) -> None:
    rest, kind = match["rest"], (match["type"] or "").rstrip()
    if not kind:
        told.odd(
            "type", "the statement line has no transaction type", field.line, field.column + match.end("amount"),
            ":61:", rest[:4], "N, S or F and three characters",
        )  # fmt: skip
    owner, _, bank = rest.partition("//")
    owner, bank = owner.strip(), bank.strip()
    if bank:
        entry["entry_ref"] = bank
    entry["_kind"], entry["_owner_ref"] = kind, "" if owner in _NO_REFERENCE else owner
    entry["_supplement"] = "\n".join(text for line in field.lines[1:] if (text := line.strip()))


def _supplement(text: str, transaction: dict[str, Any]) -> None:
    """Amounts in the second line of field 61; what else stands there is kept as it is."""
    plain = text.replace("\n", "")
    for word, other, written in _AMOUNT.findall(plain):
        try:
            money = {"amount": amount_of(written, other)[0], "currency": other}
        except ValueFault:
            continue
        transaction.setdefault("instructed_amount" if word == "OCMT" else "charges_amount", money)
    if rate := _RATE.search(plain):
        transaction["exchange_rate"] = Decimal(rate[1].replace(",", "."))
    if not _ONLY_AMOUNTS.fullmatch(plain):
        transaction["additional_information"] = text


def _original(transaction: dict[str, Any], currency: str) -> None:
    """What a German bank took back, OAMT: the amount of the entry may have charges and interest in it."""
    for ref in transaction.get("other_refs", ()):
        if ref["type_code"] == "OAMT" and "instructed_amount" not in transaction:
            try:
                transaction["instructed_amount"] = {"amount": amount_of(ref["ref"], currency)[0], "currency": currency}
            except ValueFault:
                continue


def _transaction(details: Details, role: str) -> dict[str, Any]:
    values = details.values
    found: dict[str, Any] = {}
    structured = _structured(values)
    for name in ("end_to_end_id", "instruction_id", "mandate_id", "account_owner_ref", "batch_id", "other_refs"):
        if name in values:
            found[name] = values[name]
    for name in ("name", "account", "bic"):
        if name in values:
            found[f"{role}_{name}"] = values[name]
    if "city" in values:
        found[role] = {"address": {"city_name": values["city"]}}
    for party in ("creditor", "debtor"):
        if identifier := values.get(f"{party}_id"):
            found[party] = {**found.get(party, {}), "id": identifier}
    for name in ("ultimate_debtor", "ultimate_creditor", "purpose_code", "return_reason_code"):
        if name in values:
            found[name] = values[name]
    if details.texts:
        found["remittance_unstructured"] = details.texts
    reference, kind = structured or reference_of(details.texts)
    if reference:
        found["creditor_reference"], found["creditor_reference_type"] = reference, kind
    return found


def _structured(values: dict[str, Any]) -> tuple[str, str] | None:
    """What a bank itself gives as a structured reference, where its check digits hold; else it stays a reference."""
    if "structured" not in values:
        return None
    reference, issuer = values["structured"]
    plain = re.sub(r"[\s+*/]", "", reference)
    if kind := type_of(plain):
        return plain.upper(), kind
    values.setdefault("other_refs", []).append({"type_code": issuer or "STRD", "ref": reference})
    return None
