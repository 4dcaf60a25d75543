"""Where the values of an account of BAI2 stand: in which record, and in which of its fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hub.formats import Step
from hub.formats._bai_fields import more_of, split
from hub.formats._bai_types import BALANCES, SUMMARIES
from hub.formats._bank_lines import TextLine
from hub.formats._bank_places import CURRENCY, BankPlaces, Spot

_HEAD: dict[str, tuple[tuple[int, tuple[Step, ...], str], ...]] = {
    "01": (
        (0, ("sender_id",), "sender"), (1, ("receiver_id",), "receiver"), (2, ("created_at",), "date"),
        (4, ("message_id",), "file number"), (4, ("statement_id",), "file number"),
    ),
    "02": (
        (0, ("group",), "receiver"), (0, ("group", "receiver_id"), "receiver"),
        (1, ("group", "originator_id"), "originator"), (2, ("group", "status_code"), "status"),
        (3, ("as_of_date",), "as-of date"), (4, ("group", "as_of_time"), "as-of time"), (5, CURRENCY, "currency"),
        (6, ("group", "as_of_modifier"), "as-of modifier"),
    ),
    "03": ((0, ("account",), "account"), (0, ("account", "account_id"), "account"), (1, CURRENCY, "currency")),
}  # fmt: skip


@dataclass(slots=True)
class _Record:
    """One record with its continuations: its fields, and the rest of each of its lines."""

    code: str
    line: int
    fields: list[Spot] = field(default_factory=list)
    rests: list[Spot] = field(default_factory=list)

    def field(self, number: int, name: str) -> list[Spot]:
        """A field by its number, from 0, under a name; none where it is empty."""
        found = self.fields[number] if number < len(self.fields) else None
        return [found.part(0, None, name)] if found and found.text.strip() else []


def fill(places: BankPlaces, lines: Iterable[TextLine]) -> BankPlaces:
    """The places with all that the records of their account, its group and its file say."""
    above = dict[str, _Record]()
    numbers, number = places.numbers(), 0
    for record in _records(lines):
        if record.line < places.line:
            if record.code in ("01", "02"):
                above[record.code] = record
            continue
        if record.code == "03" and record.line == places.line:
            for one in (record, *above.values()):
                _add_head(places, one)
            _add_summaries(places, record)
        elif record.code != "16":
            break
        else:
            number += 1
            if number in numbers:
                _add_entry(places, numbers[number], record)
    return places


def _records(lines: Iterable[TextLine]) -> Iterator[_Record]:
    record: _Record | None = None
    for line in lines:
        text = line.text.rstrip()
        code, _, rest = text.partition(",")
        if not text:
            continue
        code = code.removesuffix("/")[:8]
        if code != "88" or record is None:
            if record is not None:
                yield record
            record = _Record(code, line.number)
        at = len(text) - len(rest)
        whole = Spot(line.number, at + 1, rest, f"record {record.code}")
        record.rests.append(whole)
        start = 0
        for cell in split(rest):
            shift = len(cell) - len(cell.lstrip())
            record.fields.append(whole.part(start + shift, start + len(cell)))
            start += len(cell) + 1
    if record is not None:
        yield record


def _add_head(places: BankPlaces, record: _Record) -> None:
    for number, path, name in _HEAD[record.code]:
        places.add(path, *record.field(number, name))


def _add_summaries(places: BankPlaces, record: _Record) -> None:
    """Type, amount, count and availability, again and again."""
    at, counts = 2, {"balances": -1, "summaries": -1}
    while at < len(record.fields):
        kind, amount, count, funds = (
            record.fields[at + step].text.strip() if at + step < len(record.fields) else "" for step in range(4)
        )
        if not kind:
            at += 1
            continue
        is_balance = bool(amount) and kind in BALANCES and not count
        name = "balances" if is_balance else "summaries"
        counts[name] += 1
        base: tuple[Step, ...] = (name, counts[name])
        money = record.field(at + 1, f"amount of {kind}")
        places.add(base, *record.field(at, "type"))
        places.add((*base, "sub_type_code" if is_balance else "type_code"), *record.field(at, "type"))
        places.add((*base, "amount"), *money)
        places.add((*base, "count"), *record.field(at + 2, f"count of {kind}"))
        places.add((*base, "availability"), *record.field(at + 3, f"availability of {kind}"))
        if is_balance and kind in ("010", "015"):
            places.add(("opening_balance" if kind == "010" else "closing_balance",), *money)
        elif not is_balance and kind in SUMMARIES:
            places.add(("summary", SUMMARIES[kind]), *money)
        following = [spot.text for spot in record.fields[at + 4 : at + 6]]
        at += 4 + more_of(funds, following)


def _add_entry(places: BankPlaces, index: int, record: _Record) -> None:
    base: tuple[Step, ...] = ("entries", index)
    transaction = (*base, "transactions", 0)
    funds = record.fields[2].text.strip() if len(record.fields) > 2 else ""
    more = more_of(funds, [spot.text for spot in record.fields[3:5]])
    places.begin(index, Spot(record.line, 1, "", "record 16"))
    for number, keys, name in (
        (0, ("proprietary_code", "credit_debit_indicator", "status"), "type"), (1, ("amount",), "amount"),
        (2, ("availability",), "funds"), (3 + more, ("entry_ref",), "bank reference"),
    ):  # fmt: skip
        for key in keys:
            places.add((*base, key), *record.field(number, name))
    if funds == "V":
        places.add((*base, "value_date"), *record.field(3, "value date"))
    places.add((*transaction, "amount"), *record.field(1, "amount"))
    places.add((*transaction, "account_owner_ref"), *record.field(4 + more, "customer reference"))
    if 5 + more < len(record.fields):
        text = record.fields[5 + more]
        first = next(rest for rest in record.rests if rest.line == text.line)
        places.add(transaction, first.part(text.column - first.column, None, "text"))
        places.add(transaction, *(rest.part(0, None, "text") for rest in record.rests if rest.line > text.line))
