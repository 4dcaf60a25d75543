"""Statements out of the fields of MT940 and MT942 messages: each is proved right before any of it is given out.

The pages of one statement (60F to 62M, 60M to 62M, 60M to 62F) stand or fall together, and so do the entries of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from hub.errors import DecodeError, shown
from hub.formats import BadRecord, Record
from hub.formats._bank_lines import MAX_RAW, TextLine
from hub.formats._bank_pages import Pages
from hub.formats._bank_told import Told, in_its_limits, look_at, place
from hub.formats._mt_entries import completed, entry_of
from hub.formats._mt_envelope import MOST_LINES, End, Envelope, MtField, Start, Stray
from hub.formats._mt_heads import account_of, balance_of, floor_of, made_at, number_of, sum_of
from hub.formats._statements import Finding, Sequence, StatementError, Sums, parted
from hub.identifiers import is_bic

Document = dict[str, Any]

_TEXT = {"86", "NS", "20", "21"}
HEAD = ("25", "25P", "28", "28C", "60F", "60M")


@dataclass(slots=True)
class MtMessage:
    """One message while it is read, and what was read of it."""

    is_interim: bool
    start: Start
    told: Told
    pages: Pages
    head: Document = field(default_factory=dict)
    balances: list[Document] = field(default_factory=list)
    currency: str = ""
    opening: MtField | None = None
    closing: MtField | None = None
    number: tuple[int, int | None] | None = None
    raw: bytes = b""
    count: int = 0
    _sums: Sums = field(default_factory=Sums)
    _entry: Document | None = None
    _details: MtField | None = None
    _entry_line: int = 0
    _texts: list[str] = field(default_factory=list)

    def take(self, item: MtField) -> None:
        """The next field."""
        self._look_at(item)
        if item.tag == "61":
            self._take_entry(item)
        elif item.tag == "86":
            self._take_text(item)
        else:
            self._finish_entry()
            self._take_head(item)

    def end(self, event: End) -> None:
        """Nothing comes any more: what is missing, and whether it adds up."""
        self._finish_entry()
        self.raw = event.raw
        self._check_type()
        if not self.is_interim:
            self._check_balances(event)
        elif not self.currency:
            self._miss("34F", "the currency of its entries")
        if "account" not in self.head:
            self._miss("25", "the account")
        if "message_id" not in self.head:
            self.told.odd("missing", "the statement has no reference", self.start.line, 0, ":20:", "", ":20:")
        if self.number is None and not self.told.errors:
            self.told.odd("number", "the statement has no number", self.start.line, 0, ":28C:", "", ":28C:")
        self._finish_head()
        if not self.told.errors:
            head = {name: value for name, value in self.head.items() if name != "page"}
            if self._is_page:
                head["page"] = True  # its control sums may be those of the whole statement
            for found in self._sums.faults(head, place(self.start.line)):
                self._tell(found)

    @property
    def _is_page(self) -> bool:
        """Whether it is one of several, by its balances or its number."""
        ends = [balance.tag for balance in (self.opening, self.closing) if balance is not None]
        return "60M" in ends or "62M" in ends or self.head.get("page", {}).get("number", 1) != 1

    def _tell(self, found: Finding) -> None:
        found = in_its_limits(found, self.head)
        self.told.errors += found.is_error
        self.told.findings.append(found)

    def _look_at(self, item: MtField) -> None:
        if len(item.lines) >= MOST_LINES:
            detail = f"the field has {MOST_LINES} lines or more"
            self.told.error("too_long", detail, item.line, 0, f":{item.tag}:", "", "at most 6 lines")
        for at, text in enumerate(item.lines):
            before = item.column - 1 if at == 0 else 0
            look_at(text, self.told, item.line + at, before, f":{item.tag}:")
        if (
            item.tag not in _TEXT
            and item.tag not in ("61", "25P", "25")
            and any(line.strip() for line in item.lines[1:])
        ):
            self.told.odd(
                "more_lines", f"the field :{item.tag}: has more than one line", item.line + 1, 1, f":{item.tag}:",
                item.lines[1], "a field",
            )  # fmt: skip

    def _take_entry(self, item: MtField) -> None:
        self._finish_entry()
        if self.closing is not None:
            self.told.error(
                "order", "an entry behind the closing balance", item.line, 1, ":61:", item.text[:40], ":62F:"
            )
            return
        self.count += 1
        self._entry_line = item.line
        self._entry = entry_of(item, self.currency, self.count, self.told)

    def _take_text(self, item: MtField) -> None:
        if self._entry is not None and self._details is None:
            self._details = item
        elif self._entry is not None and self._details is not None:
            self._details.lines.extend(item.lines)  # some banks give each line a tag of its own
        else:
            self._texts += [text for line in item.lines if (text := line.strip())]

    def _finish_entry(self) -> None:
        if self._entry is not None:
            entry = completed(self._entry, self._details, self.currency)
            self._sums.add(entry, place(self._entry_line, 0, ":61:"))
            self.pages.add(entry)
        self._entry = self._details = None

    def _take_head(self, item: MtField) -> None:
        match item.tag:
            case "20" | "21":
                name = "message_id" if item.tag == "20" else "related_reference"
                if name in self.head:
                    detail = f"a second reference; that before it is {shown(self.head[name])}"
                    self.told.odd("twice", detail, item.line, 1, f":{item.tag}:", item.text, "one")
                if text := item.text.strip():
                    self.head[name] = text
            case "25" | "25P":
                self.head["account"] = account_of(item, self.told)
            case "28" | "28C":
                self.number = number_of(item, self.told)
            case "60F" | "60M" | "62F" | "62M" | "64" | "65":
                self._take_balance(item)
            case "13" | "13D":
                if instant := made_at(item, self.told):
                    self.head["created_at"] = instant
            case "34F":
                self._take_floor(item)
            case "90C" | "90D":
                self._take_sum(item)
            case _:
                self._take_other(item)

    def _take_balance(self, item: MtField) -> None:
        if item.tag[:2] == "60":
            self.opening = item
        elif item.tag[:2] == "62":
            self.closing = item
        balance = balance_of(item, self.told)
        if balance is None:
            return
        currency = balance["amount"]["currency"]
        if self.currency and currency != self.currency:
            detail = f"the balance is in {currency}, those before it in {self.currency}"
            place = (item.line, item.column + 7, f":{item.tag}:")
            self.told.error("currency", detail, *place, currency, self.currency)
            return
        self.currency = self._sums.currency = currency
        self.balances.append(balance)

    def _take_floor(self, item: MtField) -> None:
        if limit := floor_of(item, self.told):
            self.currency = self._sums.currency = self.currency or limit["amount"]["currency"]
            self.head.setdefault("floor_limits", []).append(limit)

    def _take_sum(self, item: MtField) -> None:
        if found := sum_of(item, self.told):
            currency, figures = found
            self.currency = self._sums.currency = self.currency or currency
            self.head.setdefault("summary", {})["credits" if item.tag == "90C" else "debits"] = figures

    def _take_other(self, item: MtField) -> None:
        tag = f":{item.tag}:"
        if item.tag != "NS":
            self.told.odd(
                "field", f"a statement has no field {tag}", item.line, 1, tag, tag, "a field of MT940 or MT942"
            )
        self.head.setdefault("other_fields", []).append({"tag": item.tag, "text": "\n".join(item.lines)})

    def _check_type(self) -> None:
        wanted, kind = "942" if self.is_interim else "940", self.start.message_type
        if self.is_interim and self.opening is not None:
            kind = "940"
        if kind and kind != wanted:
            hint = " (the format mt942 reads it)" if kind == "942" else " (mt940 reads it)" if kind == "940" else ""
            self.told.error(
                "message_type", f"this is an MT{kind}, not an MT{wanted}{hint}", self.start.line, 0, "", kind, wanted
            )

    def _check_balances(self, event: End) -> None:
        if self.opening is None:
            kind = " (this may be an MT942)" if {"created_at", "floor_limits", "summary"} & self.head.keys() else ""
            self._miss("60F", f"the opening balance{kind}")
        if self.closing is None:
            how = {"file": "the file ends", "next": "the next message begins"}.get(event.mark, "the message ends")
            self.told.error(
                "missing", f"no closing balance: {how} behind line {event.line}; the statement may have broken off",
                self.start.line, 0, ":62F:", "", ":62F:",
            )  # fmt: skip

    def _miss(self, tag: str, what: str) -> None:
        self.told.error(
            "missing", f"the field :{tag}: is missing: {what}", self.start.line, 0, f":{tag}:", "", f":{tag}:"
        )

    def _finish_head(self) -> None:
        known, self.head = self.head, {"report_type": "intraday" if self.is_interim else "statement"}
        head = self.head
        if self.number is not None and (self.number[0] or "message_id" not in known):
            year = self._year(known)
            head["statement_id"] = f"{year}-{self.number[0]}" if year else str(self.number[0])
        elif "message_id" in known:  # 0 is what banks give that number their statements by the reference
            head["statement_id"] = known["message_id"]
        if self.number is not None:
            head["electronic_sequence_number"] = self.number[0]
            if self.number[1] is not None:
                head["page"] = {"number": self.number[1], "is_last": self.closing is None or self.closing.tag != "62M"}
        head["format"] = "MT942" if self.is_interim else "MT940"
        head.update(known)
        if is_bic(self.start.bic) and "account" in head:
            head["account"].setdefault("bic", self.start.bic)
        head["account_currency_code"] = self.currency
        for name, kind in (("opening_balance", "OPBD"), ("closing_balance", "CLBD")):
            if found := next((balance for balance in self.balances if balance["type_code"] == kind), None):
                head[name] = found["amount"]
        if self.balances:
            head["balances"] = self.balances
        if self._texts:
            head["additional_information"] = "\n".join(self._texts)

    def _year(self, known: Document) -> str:
        """Numbers of statements begin again each year."""
        days = [str(balance["date"]) for balance in reversed(self.balances) if "date" in balance]
        closing = next((str(b["date"]) for b in self.balances if b["type_code"] == "CLBD" and "date" in b), "")
        return (closing or known.get("created_at", "") or (days[0] if days else ""))[:4]


@dataclass(slots=True)
class MtReader:
    """All messages of one file."""

    is_interim: bool
    is_strict: bool
    part: int
    _index: int = 0
    _held: list[MtMessage] = field(default_factory=list)
    _strays: list[Stray] = field(default_factory=list)
    _sequence: Sequence = field(default_factory=Sequence)

    def records(self, lines: Iterable[TextLine]) -> Iterator[Record | BadRecord]:
        """Every statement, or what is wrong with it. Raises DecodeError where there is none."""
        message: MtMessage | None = None
        envelope = Envelope()
        for event in envelope.events(lines):
            if isinstance(event, Stray):
                self._take_stray(event, message)
            elif isinstance(event, Start):
                message = self._begin(event)
            elif isinstance(event, MtField) and message is not None:
                if message.closing is not None and event.tag in HEAD:
                    message.end(End(event.line, "next", envelope.cut()))
                    yield from self._hold(message)
                    message = self._go_on(message, event)
                message.take(event)
            elif isinstance(event, End) and message is not None:
                message.end(event)
                yield from self._hold(message)
                message = None
        yield from self._give_out()
        if not self._index:
            name = "MT942" if self.is_interim else "MT940"
            seen = self._strays[0] if self._strays else None
            position, text = (place(seen.line), seen.text) if seen else ("", "")
            detail = f"no {name} in it" + (f": it begins with {shown(text)}" if seen else "")
            raise DecodeError(detail, code="empty", position=position, value_excerpt=text, expected="a field :20:")

    def _begin(self, start: Start) -> MtMessage:
        message = MtMessage(self.is_interim, start, Told(self.is_strict), Pages(self.part))
        for stray in self._strays[:5]:
            message.told.odd(
                "stray", f"outside of any message: {shown(stray.text)}", stray.line, 1, "", stray.text, ":20:"
            )
        self._strays = []
        return message

    def _go_on(self, before: MtMessage, item: MtField) -> MtMessage:
        message = self._begin(Start(item.line, before.start.bic, before.start.message_type))
        message.told.odd("order", "a statement begins without :20:", item.line, 1, f":{item.tag}:", "", ":20:")
        for name in ("message_id", "account"):
            if name in before.head:
                message.head[name] = before.head[name]
        return message

    def _take_stray(self, stray: Stray, message: MtMessage | None) -> None:
        if message is not None and stray.is_cut:
            message.told.error(
                "too_long", "the line is too long", stray.line, 0, "", stray.text, "lines of 65 characters"
            )
        elif message is not None:
            detail = "the end of a message before its closing balance"
            message.told.odd("stray", detail, stray.line, 1, "", stray.text, ":62F:")
        elif len(self._strays) < 5:
            self._strays.append(stray)

    def _hold(self, message: MtMessage) -> Iterator[Record | BadRecord]:
        """Pages of one statement wait for each other."""
        if self._held and not self._is_next(message):
            yield from self._give_out()
        self._held.append(message)
        if message.closing is None or message.closing.tag != "62M" or len(self._held) >= _MOST_PAGES:
            yield from self._give_out()

    def _is_next(self, message: MtMessage) -> bool:
        before = self._held[-1]
        if message.opening is None or message.opening.tag != "60M":
            return False
        same = message.number is None or before.number is None or message.number[0] == before.number[0]
        return same and message.head.get("account") == before.head.get("account")

    def _give_out(self) -> Iterator[Record | BadRecord]:
        held, self._held = self._held, []
        if not held:
            return
        self._check_chain(held)
        if any(message.told.errors for message in held):
            faults = [found for message in held for found in message.told.all()]
            error = StatementError(faults)
            raw = b"\n".join(message.raw for message in held)[:MAX_RAW]
            yield BadRecord(error, raw, place(held[0].start.line), self._next_index())
            return
        for message in held:
            position = place(message.start.line)
            faults = [*message.told.all(), *self._sequence.faults(message.head, position)]
            for document in parted(message.head, message.pages.out()):
                yield Record(document, position, self._next_index(), tuple(faults))
                faults = []

    def _check_chain(self, held: list[MtMessage]) -> None:
        for before, after in pairwise(held):
            closing, opening = before.head.get("closing_balance"), after.head.get("opening_balance")
            line = after.opening.line if after.opening else after.start.line
            if closing and opening and closing != opening:
                after.told.error(
                    "pages",
                    f"the page before closes with {closing['amount']}, this one opens with {opening['amount']}",
                    line, 0, ":60M:", str(opening["amount"]), str(closing["amount"]),
                )  # fmt: skip
            numbers = [message.head.get("page", {}).get("number") for message in (before, after)]
            if numbers in ([0, 0], [1, 1]):
                detail = f"its page has the number {numbers[0]}, as that before it"
                after.told.odd("pages", detail, after.start.line, 0, ":28C:", str(numbers[0]), str(numbers[0] + 1))
            elif None not in numbers and numbers[1] != numbers[0] + 1:
                after.told.error(
                    "pages", f"page {numbers[1]} follows page {numbers[0]}", after.start.line, 0, ":28C:",
                    str(numbers[1]), str(numbers[0] + 1),
                )  # fmt: skip
        first, last = held[0], held[-1]
        if not self.is_interim and not any(message.told.errors for message in held):
            if first.opening and first.opening.tag == "60M":
                first.told.odd(
                    "pages", "the pages before are not in this file", first.start.line, 0, ":60M:", "", ":60F:"
                )
            if last.closing and last.closing.tag == "62M":
                last.told.odd("pages", "the last page is not in this file", last.start.line, 0, ":62M:", "", ":62F:")

    def _next_index(self) -> int:
        self._index += 1
        return self._index - 1


_MOST_PAGES = 10_000
