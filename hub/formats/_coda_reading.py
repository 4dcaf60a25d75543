"""Statements out of the records of CODA files, each proved by its balances and its trailer before it is given out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hub.errors import DecodeError, quoted_in, shown
from hub.formats import BadRecord, Record
from hub.formats._bank_lines import Beginning, TextLine
from hub.formats._bank_pages import Pages
from hub.formats._bank_told import Told, look_at, place
from hub.formats._bank_values import ValueFault, day_of
from hub.formats._coda_entries import account_of, completed, entry_of
from hub.formats._coda_records import LAYOUTS, WIDTH, Layout
from hub.formats._statements import Sequence, StatementError, Sums, parted
from hub.identifiers import currency_exponent, is_iban

Document = dict[str, Any]

_AMOUNT = re.compile(r"\d{15}")
_ZERO = "000000"


@dataclass(slots=True)
class CodaStatement:
    """One statement, from its record 0 to its record 9, while it is read."""

    line: int
    told: Told
    pages: Pages
    head: Document = field(default_factory=lambda: {"report_type": "statement", "format": "CODA"})
    currency: str = ""
    count: int = 0
    records: int = 0
    free: int = 0
    is_ended: bool = False
    _texts: list[str] = field(default_factory=list)
    _sums: Sums = field(default_factory=Sums)
    _entry: Document | None = None
    _movement: Document = field(default_factory=dict)
    _read: Beginning = field(default_factory=Beginning)
    _last_number: int = 0

    def take(self, line: TextLine) -> None:
        """The next record."""
        self._read.keep(line)
        text = self._fitted(line)
        kind = text[:2] if text[0] in "23" else text[0]
        layout = LAYOUTS.get(kind)
        if layout is None:
            self._error("record", f"no record of CODA: {shown(text[:12])}", line.number, 1, kind, text[:12], "0 to 9")
            return
        self.records += kind not in ("0", "9")
        _TAKE[kind](self, layout, text, line.number)

    def end(self, is_broken: bool, line: int) -> None:
        """Nothing comes any more."""
        self._finish_entry()
        for name, kind in (("opening_balance", "1"), ("closing_balance", "8")):
            if name not in self.head and not self.told.errors:
                self._error("missing", f"the record {kind} is missing", self.line, 0, kind, "", f"a record {kind}")
        if is_broken:
            detail = f"the statement breaks off behind line {line}"
            self._error("missing", f"{detail}: no record 9", self.line, 0, "9", "", "a record 9")
        if self._texts:
            self.head["additional_information"] = "\n".join(self._texts)
        self.head["balances"] = self.head.pop("balances", [])
        if not self.told.errors:
            for found in self._sums.faults(self.head, place(self.line)):
                self.told.findings.append(found)
                self.told.errors += found.is_error

    @property
    def raw(self) -> bytes:
        return self._read.raw

    def _fitted(self, line: TextLine) -> str:
        text, number = line.text, line.number
        look_at(text, self.told, number)
        if line.is_cut or len(text.rstrip()) > WIDTH:
            self._error("length", f"a record of {len(text)} signs", number, WIDTH + 1, text[:1], "", f"{WIDTH} signs")
        elif len(text) < WIDTH and text[0] != "9":
            # Only the link code is lost where blanks at the end were taken off; a trailer's is at the end of it.
            self.told.odd("length", f"a record of {len(text)} signs", number, len(text) + 1, "", "", f"{WIDTH} signs")
        return text.ljust(WIDTH)

    def _error(self, code: str, detail: str, line: int, column: int, kind: str, seen: str, expected: str) -> None:
        self.told.error(code, detail, line, column, f"record {kind}" if kind else "", seen, expected)

    def _day(self, layout: Layout, text: str, name: str, line: int) -> str:
        """A day; empty where it is all zeros or blank, or none, which is told."""
        written = layout.read(text, name)
        if written in ("", _ZERO):
            return ""
        try:
            return day_of(written[4:6] + written[2:4] + written[:2] if len(written) == 6 else "")
        except ValueFault:
            self._error(
                "date", f"{shown(written)} is no day", line, layout.column(name), layout.kind, written, "DDMMYY"
            )
            return ""

    def _money(self, layout: Layout, text: str, line: int) -> Decimal | None:
        """The amount of a record, by its sign: 0 credit, 1 debit."""
        written, sign = layout.read(text, "amount"), layout.read(text, "sign")
        if not _AMOUNT.fullmatch(written) or sign not in ("0", "1"):
            name = "sign" if sign not in ("0", "1") else "amount"
            self._error(
                "amount", f"not an amount: {shown(sign + written)}", line, layout.column(name), layout.kind, written,
                "0 or 1, then 12 digits and 3 decimals",
            )  # fmt: skip
            return None
        places = currency_exponent(self.currency)
        amount = Decimal(written).scaleb(-3)
        if places is not None and places < 3:
            rounded = amount.quantize(Decimal(1).scaleb(-places))
            amount = rounded if rounded == amount else amount
        return -amount if sign == "1" and amount else amount

    def _header(self, layout: Layout, text: str, line: int) -> None:
        head = self.head

        def read(name: str) -> str:
            return layout.read(text, name)

        if read("version") not in ("2", "1"):
            self.told.odd(
                "version", f"version {shown(read('version'))} of CODA", line, 128, "record 0", read("version"), "2"
            )
        for name, key in (
            ("file_ref", "message_id"),
            ("reference", "transaction_reference"),
            ("related", "related_reference"),
        ):
            if value := read(name).strip():
                head[key] = value
        if created := self._day(layout, text, "created", line):
            head["creation_date"] = created
        if read("duplicate") == "D":
            head["copy_duplicate_code"] = "DUPL"
        for name, key, usual in (
            ("application", "application_code", "05"),
            ("separate", "separate_application_code", "00000"),
        ):
            if (value := read(name)) not in ("", usual):
                head[key] = value
        owner = {
            key: value
            for name, key in (("addressee", "name"), ("company", "id"))
            if (value := read(name).strip()).strip("0")
        }
        account: Document = {}
        if read("bank").strip("0 "):
            account["servicer"] = {"clearing_id": read("bank")}
        if bic := read("bic").strip():
            account["bic"] = bic
        if owner:
            account["owner"] = owner
        head["account"] = account

    def _opening(self, layout: Layout, text: str, line: int) -> None:
        account, self.currency = account_of(layout.read(text, "account"), layout.read(text, "structure"))
        if currency_exponent(self.currency) is None:
            self._error(
                "currency", f"{shown(self.currency)} is no currency", line, layout.column("account") + 34, "1",
                self.currency, "a code of ISO 4217",
            )  # fmt: skip
        self._sums.currency = self.currency
        known = self.head.get("account", {})
        self.head["account"] = {"account_id": account, **known}
        if holder := layout.read(text, "holder").strip():
            self.head["account"]["account_name"] = holder
        if description := layout.read(text, "description").strip():
            self.head["account_description"] = description
        self.head["account_currency_code"] = self.currency
        coded, paper = layout.read(text, "coded").strip(), layout.read(text, "paper").strip()
        if coded.isdecimal():
            self.head["electronic_sequence_number"] = int(coded)
        if paper.isdecimal() and int(paper):
            self.head["legal_sequence_number"] = int(paper)
        self._balance(layout, text, line, "opening_balance", "OPBD")

    def _closing(self, layout: Layout, text: str, line: int) -> None:
        self._finish_entry()
        day = self._balance(layout, text, line, "closing_balance", "CLBD")
        number = self.head.get("electronic_sequence_number", 0)
        year = (day or self.head.get("creation_date", ""))[:4]
        self.head = {"report_type": "statement", "statement_id": f"{year}-{number}", **self.head}

    def _balance(self, layout: Layout, text: str, line: int, name: str, kind: str) -> str:
        amount, day = self._money(layout, text, line), self._day(layout, text, "day", line)
        if amount is not None:
            money = {"amount": amount, "currency": self.currency}
            self.head[name] = money
            balance = {"type_code": kind, "amount": money, **({"date": day} if day else {})}
            self.head.setdefault("balances", []).append(balance)
        return day

    def _movement_1(self, layout: Layout, text: str, line: int) -> None:
        amount, value_day = self._money(layout, text, line), self._day(layout, text, "value_day", line)
        day = self._day(layout, text, "day", line)
        if amount is None:
            return
        number, detail = layout.read(text, "number"), layout.read(text, "detail")
        code = layout.read(text, "code")
        movement: Document = {
            "amount": {"amount": abs(amount), "currency": self.currency},
            "credit_debit_indicator": "DBIT" if layout.read(text, "sign") == "1" else "CRDT",
            "_structured": layout.read(text, "structured") == "1", "_text": text[62:115],
        }  # fmt: skip
        if code:
            movement["proprietary_code"] = {"code": code}
        if reference := layout.read(text, "bank_ref").strip():
            movement["_bank_ref"] = reference
        self._finish_movement()
        if detail.strip("0"):
            self._add_detail(movement, line)
            return
        self._finish_entry()
        if number.isdecimal() and self._last_number and int(number) not in (self._last_number + 1, 1):
            self.told.odd(
                "sequence", f"movement {number} follows {self._last_number:04d}", line, 3, "record 21", number, ""
            )
        self._last_number = int(number) if number.isdecimal() else 0
        self.count += 1
        if layout.read(text, "day") in ("", _ZERO):
            self._error("date", "the movement has no entry date", line, 116, "21", "", "DDMMYY")
        self._entry = {"number": self.count, **entry_of(movement, day, value_day)}
        self._movement = movement

    def _add_detail(self, movement: Document, line: int) -> None:
        """A movement with a detail number is a part of the entry before it."""
        if self._entry is None:
            self._error("order", "a detail without its movement", line, 7, "21", "", "detail number 0000")
            return
        self._entry.setdefault("_parts", []).append(movement)
        self._movement = movement

    def _has_movement(self, kind: str, line: int) -> bool:
        if not self._movement:
            detail = f"a record {kind} without the movement it belongs to"
            self._error("order", detail, line, 1, kind, kind, "a record 21 before it")
        return bool(self._movement)

    def _movement_2(self, layout: Layout, text: str, line: int) -> None:
        if not self._has_movement("22", line):
            return
        movement = self._movement
        movement["_text"] = movement.get("_text", "") + text[10:63]
        for name in ("customer_ref", "bic", "reason", "category", "purpose", "return_type"):
            if value := layout.read(text, name).strip():
                movement[f"_{name}"] = value

    def _movement_3(self, layout: Layout, text: str, line: int) -> None:
        if not self._has_movement("23", line):
            return
        movement = self._movement
        movement["_text"] = movement.get("_text", "").ljust(106) + text[82:125]
        account = layout.read(text, "account")
        number, currency = account[:34].strip(), account[34:].strip()
        if number and not currency and currency_exponent(number[-3:]) is not None and is_iban(number[:-3].strip()):
            number = number[:-3].strip()
        if number:
            movement["_account"] = number
        if name := layout.read(text, "name").strip():
            movement["_name"] = name

    def _information(self, layout: Layout, text: str, line: int) -> None:
        if not self._has_movement(layout.kind, line):
            return
        if (number := layout.read(text, "number")).isdecimal():
            self._last_number = int(number)
        found = self._movement.setdefault("_information", [])
        start, size = layout.fields["text"]
        piece = text[start - 1 : start - 1 + size]
        if layout.kind == "31" or not found:
            found.append([layout.kind == "31" and layout.read(text, "structured") == "1", piece])
        else:
            width = 73 if layout.kind == "32" else 178
            found[-1][1] = found[-1][1].ljust(width) + piece

    def _free_text(self, layout: Layout, text: str, line: int) -> None:
        self._finish_entry()
        self.free += 1
        if words := layout.read(text, "text").strip():
            self._texts.append(words)

    def _trailer(self, layout: Layout, text: str, line: int) -> None:
        self._finish_entry()
        self.is_ended = True
        count = layout.read(text, "count")
        counts = {self.records, self.records - self.free}
        if not count.isdecimal() or int(count) not in counts:
            detail = f"the trailer counts {shown(count)} records, {self.records} are there"
            self._error("count", detail, line, layout.column("count"), "9", count, str(self.records))
        for name, direction in (("debits", "DBIT"), ("credits", "CRDT")):
            written = layout.read(text, name)
            seen = self._sums.booked[direction].sum
            if not _AMOUNT.fullmatch(written) or Decimal(written).scaleb(-3) != seen:
                detail = f"the trailer's sum of {name} does not hold: it says {shown(written)}, {seen} are booked"
                if not self.told.errors:
                    self._error("control_sum", detail, line, layout.column(name), "9", written, str(seen))

    def _finish_movement(self) -> None:
        self._movement = {}

    def _finish_entry(self) -> None:
        if self._entry is not None:
            entry = completed(self._entry)
            self._sums.add(entry, place(self.line))
            self.pages.add(entry)
        self._entry, self._movement = None, {}


_TAKE = {
    "0": CodaStatement._header, "1": CodaStatement._opening, "21": CodaStatement._movement_1,
    "22": CodaStatement._movement_2, "23": CodaStatement._movement_3, "31": CodaStatement._information,
    "32": CodaStatement._information, "33": CodaStatement._information, "8": CodaStatement._closing,
    "4": CodaStatement._free_text, "9": CodaStatement._trailer,
}  # fmt: skip


@dataclass(slots=True)
class CodaReader:
    """All statements of one file."""

    is_strict: bool
    part: int
    _index: int = 0
    _sequence: Sequence = field(default_factory=Sequence)

    def records(self, lines: Iterable[TextLine]) -> Iterator[Record | BadRecord]:
        """Every statement, or what is wrong with it. Raises DecodeError where there is none."""
        statement: CodaStatement | None = None
        stray: TextLine | None = None
        number = 0
        for line in lines:
            if not line.text.strip():
                continue
            number = line.number
            if line.text[0] == "0":
                if statement is not None:
                    yield from self._give_out(statement, True, number - 1)
                statement = CodaStatement(number, Told(self.is_strict), Pages(self.part))
                if stray is not None:
                    detail = f"outside of any statement: {shown(stray.text)}"
                    statement.told.odd("stray", detail, stray.number, 1, "", stray.text, "a record 0")
                    stray = None
            if statement is None:
                stray = stray or line
                continue
            statement.take(line)
            if statement.is_ended:
                yield from self._give_out(statement, False, number)
                statement = None
        if statement is not None:
            yield from self._give_out(statement, True, number)
        if not self._index:
            seen = shown(stray.text) if stray else ""
            detail = "no CODA statement in it" + (f": it begins with {seen}" if stray else "")
            position = place(stray.number) if stray else ""
            raise DecodeError(detail, code="empty", position=position, expected="a record 0", quoted=quoted_in(seen))

    def _give_out(self, statement: CodaStatement, is_broken: bool, line: int) -> Iterator[Record | BadRecord]:
        statement.end(is_broken, line)
        position = place(statement.line)
        if statement.told.errors:
            yield BadRecord(StatementError(statement.told.all()), statement.raw, position, self._next_index())
            return
        faults = [*statement.told.all(), *self._sequence.faults(statement.head, position)]
        for document in parted(statement.head, statement.pages.out()):
            yield Record(document, position, self._next_index(), tuple(faults))
            faults = []

    def _next_index(self) -> int:
        self._index += 1
        return self._index - 1
