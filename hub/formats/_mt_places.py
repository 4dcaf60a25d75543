"""Where the values of an MT940 or MT942 stand: in which field, and in which of its subfields."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator

from hub.formats import Step
from hub.formats._bank_lines import TextLine
from hub.formats._bank_places import CURRENCY, BankPlaces, Spot
from hub.formats._mt_details import marks_of
from hub.formats._mt_entries import LINE
from hub.formats._mt_envelope import End, Envelope, MtField
from hub.formats._mt_heads import BALANCE, FLOOR, SUM
from hub.formats._mt_statement import HEAD

_PLAIN: dict[str, tuple[tuple[Step, ...], ...]] = {
    "20": (("message_id",),), "21": (("related_reference",),), "25": (("account",),), "25P": (("account",),),
    "28": (("statement_id",), ("electronic_sequence_number",)),
    "28C": (("statement_id",), ("electronic_sequence_number",)),
    "13": (("created_at",),), "13D": (("created_at",),), "86": (("additional_information",),),
}  # fmt: skip
_MONEY = {
    "60F": BALANCE, "60M": BALANCE, "62F": BALANCE, "62M": BALANCE, "64": BALANCE, "65": BALANCE, "34F": FLOOR,
    "90C": SUM, "90D": SUM,
}  # fmt: skip
_OF_LINE = {
    "amount": ("amount",), "credit_debit_indicator": ("mark",), "reversal_indicator": ("mark",), "status": ("mark",),
    "booking_date": ("entry", "value"), "value_date": ("value",), "proprietary_code": ("type",),
}  # fmt: skip
_ACCOUNTS = ("debtor_account", "creditor_account")
_TITLES = {"value": "value date", "entry": "entry date", "mark": "debit or credit"}
# The names of a transaction by those of subfields and words of field 86; a party is the one at the other end.
_OF_DETAILS = {
    "EREF": ("end_to_end_id",), "KREF": ("account_owner_ref",), "MREF": ("mandate_id",), "MARF": ("mandate_id",),
    "PURP": ("purpose_code",), "RTRN": ("return_reason_code",), "PREF": ("batch_id",), "IREF": ("instruction_id",),
    "NAME": ("debtor_name", "creditor_name"), "32": ("debtor_name", "creditor_name"),
    "IBAN": ("debtor_account", "creditor_account"), "31": ("debtor_account", "creditor_account"),
    "38": ("debtor_account", "creditor_account"),
    "BIC": ("debtor_bic", "creditor_bic"), "30": ("debtor_bic", "creditor_bic"),
    "CNTP": ("debtor_account", "creditor_account", "debtor_bic", "creditor_bic", "debtor_name", "creditor_name"),
    "SVWZ": ("remittance_unstructured",), "REMI": ("remittance_unstructured",),
}  # fmt: skip


def fill(places: BankPlaces, lines: Iterable[TextLine]) -> BankPlaces:
    """The places with all that the fields of their message say."""
    numbers, number, index = places.numbers(), 0, -1
    counts = dict[str, int]()
    is_entry = False
    headers = deque[TextLine](maxlen=4)
    for item, spots in _fields(lines, places.line, headers):
        if item.tag == "61":
            number, is_entry = number + 1, True
            index = numbers.get(number, -1)
            if index >= 0:
                _add_line(places, index, spots)
        elif item.tag == "86" and is_entry:
            if index >= 0:
                _add_details(places, index, spots)
        else:
            is_entry = False
            _add_head(places, item.tag, spots, counts)
    bic = places.document.get("account", {}).get("bic", "")
    for line in headers:
        if bic and bic[:8] in line.text:
            places.add(("account", "bic"), Spot(line.number, 1, line.text, "header"))
    return places


def _fields(lines: Iterable[TextLine], start: int, headers: deque[TextLine]) -> Iterator[tuple[MtField, list[Spot]]]:
    """The fields of the message that begins in a line, each with the stretches of lines that it is made of;
    ``headers`` gets the lines before it that may be its envelope."""
    seen = list[TextLine]()

    def kept() -> Iterator[TextLine]:
        for line in lines:
            if line.number >= start:
                seen.append(line)
            elif line.text.startswith("{"):
                headers.append(line)
            yield line

    begun = has_closed = False
    for event in Envelope().events(kept()):
        if isinstance(event, MtField) and event.line >= start:
            if has_closed and event.tag in HEAD:
                return
            begun, has_closed = True, has_closed or event.tag[:2] == "62"
            yield event, _stretches(event, seen)
            seen[:] = seen[-1:]
        elif begun and isinstance(event, End):
            return


def _stretches(item: MtField, lines: list[TextLine]) -> list[Spot]:
    spots = list[Spot]()
    for line in lines:
        at = line.text.find(f":{item.tag}:") if not spots and line.number == item.line else 0
        while len(spots) < len(item.lines) and line.number >= item.line:
            text = item.lines[len(spots)]
            if (at := line.text.find(text, max(at, 0))) < 0:
                break
            spots.append(Spot(line.number, at + 1, text, f":{item.tag}:"))
            at += len(text)
            if "@@" not in line.text:
                break
    return spots or [Spot(item.line, item.column, item.text, f":{item.tag}:")]


def _add_head(places: BankPlaces, tag: str, spots: list[Spot], counts: dict[str, int]) -> None:
    def counted(name: str) -> tuple[Step, ...]:
        counts[name] = counts.get(name, -1) + 1
        return (name, counts[name])

    if pattern := _MONEY.get(tag):
        paths = [counted("balances")] if pattern is BALANCE else [counted("floor_limits")] if pattern is FLOOR else []
        if tag[:2] in ("60", "62"):
            paths.append(("opening_balance" if tag[:2] == "60" else "closing_balance",))
        if tag[:2] == "90":
            paths.append(("summary", "credits" if tag == "90C" else "debits"))
        _add_money(places, pattern, paths, spots)
    else:
        for path in _PLAIN.get(tag) or [counted("other_fields")]:
            places.add(path, *spots)
        if tag == "20" and places.document["statement_id"] == places.document.get("message_id"):
            places.add(("statement_id",), *spots)
    if tag in ("28", "28C") and "/" in spots[0].text:
        places.add(("page",), spots[0].part(spots[0].text.index("/") + 1, None, "page"))


def _add_money(places: BankPlaces, pattern: re.Pattern[str], paths: list[tuple[Step, ...]], spots: list[Spot]) -> None:
    first = spots[0]
    shift = len(first.text) - len(first.text.lstrip())
    match = pattern.match(first.text, shift)
    for path in paths:
        places.add(path, first)
        for name in ("amount", "day", "count") if match else ():
            if name in pattern.groupindex and match:
                spot = first.part(*match.span(name), name)
                if name != "amount":
                    places.add((*path, "date" if name == "day" else name), spot)
                    continue
                currency = first.part(*match.span("currency"), "currency")
                is_plain = "balance" in str(path[0]) and len(path) == 1
                inner = path if is_plain else (*path, "sum") if path[0] == "summary" else (*path, "amount")
                places.add((*inner, "amount") if inner[-1] != "sum" else inner, spot)
                places.add((*inner, "currency"), currency)
    if match:
        places.add(CURRENCY, first.part(*match.span("currency"), "currency"))


def _add_line(places: BankPlaces, index: int, spots: list[Spot]) -> None:
    """Field 61: its subfields, and its second line."""
    base: tuple[Step, ...] = ("entries", index)
    first = spots[0]
    places.begin(index, first)
    match = LINE.fullmatch(first.text.rstrip())
    if match is None:
        return
    for name, groups in _OF_LINE.items():
        for group in groups:
            if (match[group] or "").strip():
                places.add((*base, name), first.part(*match.span(group), _TITLES.get(group, group)))
    places.add((*base, "transactions", 0, "amount"), first.part(*match.span("amount"), "amount"))
    start, end = match.span("rest")
    owner = first.text.find("//", start, end)
    owner = end if owner < 0 else owner
    places.add((*base, "transactions", 0, "account_owner_ref"), first.part(start, owner, "customer reference"))
    if owner + 2 <= end:
        places.add((*base, "entry_ref"), first.part(owner + 2, end, "bank reference"))
    supplement = [spot.part(0, None, "line 2") for spot in spots[1:]]
    for name in ("instructed_amount", "charges_amount", "exchange_rate", "additional_information", *_ACCOUNTS):
        places.add((*base, "transactions", 0, name), *supplement)


def _add_details(places: BankPlaces, index: int, spots: list[Spot]) -> None:
    """Field 86: all of it for what its transaction says, and each subfield or word that begins with its name."""
    base: tuple[Step, ...] = ("entries", index)
    places.add((*base, "transactions", 0), *spots)
    for name in ("proprietary_code", "additional_information", "bank_transaction_code"):
        places.add((*base, name), *spots)
    marks, word = marks_of([spot.text for spot in spots]), ""
    for spot in spots if marks else ():
        start = 0
        for match in [*marks.finditer(spot.text), None] if marks else ():
            for name in _OF_DETAILS.get(word, ()):
                places.add((*base, "transactions", 0, name), spot.part(start, match.start() if match else None, word))
            if match:
                start, word = match.end(), next(group for group in match.groups() if group)
