"""Where the values of a CODA statement stand: in which record, and from which column on."""

from __future__ import annotations

from collections.abc import Iterable

from hub.formats import Step
from hub.formats._bank_lines import TextLine
from hub.formats._bank_places import CURRENCY, BankPlaces, Spot
from hub.formats._coda_records import LAYOUTS

_HEAD: dict[str, dict[str, tuple[tuple[Step, ...], ...]]] = {
    "0": {
        "file_ref": (("message_id",),), "reference": (("transaction_reference",),),
        "related": (("related_reference",),), "created": (("creation_date",),),
        "duplicate": (("copy_duplicate_code",),), "application": (("application_code",),),
        "separate": (("separate_application_code",),), "addressee": (("account", "owner", "name"),),
        "company": (("account", "owner", "id"),), "bank": (("account", "servicer"),), "bic": (("account", "bic"),),
    },
    "1": {
        "account": (("account",), ("account", "account_id"), CURRENCY), "holder": (("account", "account_name"),),
        "description": (("account_description",),),
        "coded": (("statement_id",), ("electronic_sequence_number",)), "paper": (("legal_sequence_number",),),
        "amount": (("opening_balance",), ("balances", 0)), "day": (("balances", 0, "date"),),
    },
    "8": {"amount": (("closing_balance",), ("balances", 1)), "day": (("balances", 1, "date"),)},
    "4": {"text": (("additional_information",),)},
}  # fmt: skip
_ENTRY = {
    "amount": "amount", "sign": "credit_debit_indicator", "value_day": "value_date", "day": "booking_date",
    "bank_ref": "entry_ref", "code": "proprietary_code",
}  # fmt: skip
_TRANSACTION: dict[str, dict[str, tuple[str, ...]]] = {
    "21": {
        "amount": ("amount",), "sign": ("credit_debit_indicator",), "bank_ref": ("transaction_ref",),
        "code": ("proprietary_code",),
    },
    "22": {
        "customer_ref": ("end_to_end_id",), "bic": ("debtor_bic", "creditor_bic"),
        "return_type": ("return_type_code",), "reason": ("return_reason_code",),
        "category": ("category_purpose_code",), "purpose": ("purpose_code",),
    },
    "23": {
        "account": ("debtor_account", "creditor_account"), "name": ("debtor_name", "creditor_name"),
    },
}  # fmt: skip


def fill(places: BankPlaces, lines: Iterable[TextLine]) -> BankPlaces:
    """The places with all that the records of their statement say."""
    numbers, number, index, detail, inner = places.numbers(), 0, -1, 0, 0
    bases = list[tuple[Step, ...]]()
    for line in lines:
        if line.number < places.line or not line.text.strip():
            continue
        kind = line.text[:2] if line.text[0] in "23" else line.text[0]
        spots = _spots(kind, line)
        if kind == "21" and not spots["detail"].text.strip("0 "):
            number, detail = number + 1, -1
            index = numbers.get(number, -1)
            if index >= 0:
                _add_entry(places, index, spots)
        if kind == "21" and detail > 0 and spots["code"].text[:1] == "9":
            inner += 1  # a detail of the detail before it
        elif kind == "21":
            detail, inner = detail + 1, 0
        if kind[0] not in "23":
            for name, paths in _HEAD.get(kind, {}).items():
                for path in paths:
                    places.add(path, spots[name])
        elif index >= 0:
            if kind == "21":
                bases = _bases(places, index, detail, inner)
            _add_record(places, bases, kind, spots)
        if kind == "9":
            break
    return places


def _spots(kind: str, line: TextLine) -> dict[str, Spot]:
    """The fields of a record by their names, without the blanks behind them."""
    record = Spot(line.number, 1, line.text, f"record {kind}")
    layout = LAYOUTS.get(kind)
    named = layout.fields if layout else {}
    title = record.part
    return {name: title(start - 1, start - 1 + size, name.replace("_", " ")) for name, (start, size) in named.items()}


def _bases(places: BankPlaces, index: int, detail: int, inner: int) -> list[tuple[Step, ...]]:
    """Where what the records of a movement (detail 0), of one of its details, or of a detail of that (from 1) say is in
    the document."""
    entry = places.document["entries"][index]
    own_details = "number_of_transactions" in entry
    base: tuple[Step, ...] = ("entries", index)
    if not detail:
        return [(*base, "movement")] if own_details else [(*base, "transactions", 0)]
    found = (*base, "transactions" if own_details else "details", detail - 1)
    return [(*found, "details", inner - 1) if inner else found]


def _add_entry(places: BankPlaces, index: int, spots: dict[str, Spot]) -> None:
    first = spots["number"]
    places.begin(index, Spot(first.line, 1, "", "record 21"))
    for name, key in _ENTRY.items():
        places.add(("entries", index, key), spots[name])


def _add_record(places: BankPlaces, bases: list[tuple[Step, ...]], kind: str, spots: dict[str, Spot]) -> None:
    for base in bases:
        for name, keys in _TRANSACTION.get(kind, {}).items():
            for key in keys:
                places.add((*base, key), spots[name])
        if "text" in spots:
            places.add((*base, "information") if kind[0] == "3" else base, spots["text"])
