"""Accounts out of BAI2 files, each proved by its control total, its group's and its file's before it is given out.

A file holds groups, a group accounts, an account summaries and transactions. An account is a statement. What a group or
file says of its sums is known only at its end: so its accounts wait, packed, until then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from hub.errors import DecodeError, shown
from hub.formats import BadRecord, Record
from hub.formats._bai_accounts import BaiAccount, BaiSum
from hub.formats._bai_fields import (
    BaiRecord,
    count_of,
    detail_of,
    instant_of,
    more_of,
    padded,
    split,
    stated_in,
    text_of,
)  # fmt: skip
from hub.formats._bai_types import BALANCES, SUMMARIES, is_credit, status_of
from hub.formats._bank_lines import Beginning, TextLine
from hub.formats._bank_pages import Pages
from hub.formats._bank_told import Told, look_at, place
from hub.formats._bank_values import ValueFault, day_of
from hub.formats._statements import Sequence, StatementError, parted
from hub.identifiers import currency_exponent

Document = dict[str, Any]

_AMOUNT = re.compile(r"([+-]?)(\d{1,18})")
_MOST_LINES = 2000  # of one record with its continuations


class BaiReader:
    """All accounts of one file."""

    def __init__(self, is_strict: bool, part: int) -> None:
        self._is_strict, self._part = is_strict, part
        self._file: BaiSum | None = None
        self._group: BaiSum | None = None
        self._account: BaiAccount | None = None
        self._held: list[BaiAccount] = []
        self._file_head: Document = {}
        self._group_head: Document = {}
        self._group_currency = ""
        self._index = 0
        self._sequence = Sequence()
        self._read = Beginning()

    def records(self, lines: Iterable[TextLine]) -> Iterator[Record | BadRecord]:
        """Every account, or what is wrong with it. Raises DecodeError where there is none."""
        number = 0
        for record in self._joined(lines):
            number = record.line
            if record.code == "01" and self._file is not None:
                yield from self._give_out(f"the file breaks off before line {record.line}: no record 99", record.line)
            self._take(record)
            if record.code == "99":
                yield from self._give_out("", record.line)
        if self._file is not None:
            yield from self._give_out(f"the file breaks off behind line {number}: no record 99", number)
        if not self._index:
            raise DecodeError("no account of a BAI2 file in it", code="empty", expected="records 01, 02, 03")

    def _joined(self, lines: Iterable[TextLine]) -> Iterator[BaiRecord]:
        """Records with their continuations (88)."""
        record: BaiRecord | None = None
        for line in lines:
            text = line.text.rstrip()
            if not text:
                continue
            self._read.keep(line)
            code, _, rest = text.partition(",")
            code = code.removesuffix("/")[:8]
            if code == "88" and record is not None:
                self._go_on(record, rest, line)
                continue
            if record is not None:
                yield record
            record = BaiRecord(code, split(rest), line.number, 1, [rest])
            self._look_at(line, record)
        if record is not None:
            yield record

    def _go_on(self, record: BaiRecord, rest: str, line: TextLine) -> None:
        record.lines += 1
        self._look_at(line, record)
        if record.lines <= _MOST_LINES:
            record.text.append(rest)
            record.fields += split(rest)
        elif record.lines == _MOST_LINES + 1:
            self._told().error("too_long", "a record with too many continuations", line.number, 1, "record 88", "", "")

    def _look_at(self, line: TextLine, record: BaiRecord) -> None:
        if line.is_cut:
            self._told().error("too_long", "the line is too long", line.number, 0, f"record {record.code}")
        elif not line.text.isascii():
            look_at(line.text, self._told(), line.number, 0, f"record {record.code}")

    def _told(self) -> Told:
        if self._account is not None and not self._account.is_closed:
            return self._account.told
        within = self._group or self._file
        if within is None:
            self._file = within = BaiSum(Told(self._is_strict))
        return within.told

    def _error(self, code: str, detail: str, record: BaiRecord, seen: str = "", expected: str = "") -> None:
        self._told().error(code, detail, record.line, 0, f"record {record.code}", seen, expected)

    def _take(self, record: BaiRecord) -> None:
        take = _TAKE.get(record.code)
        if take is None and self._file is None:
            return  # a header of a mailbox or a transmission
        if take is None:
            self._error("record", f"no record of BAI2: {shown(record.code)}", record, record.code, "01 to 99")
            return
        if self._file is None:
            self._file = BaiSum(Told(self._is_strict), record.line)
        if self._file is not None:
            self._file.lines += record.lines
        if self._group is not None and record.code not in ("01", "02", "99"):
            self._group.lines += record.lines
        take(self, record)

    def _begin_file(self, record: BaiRecord) -> None:
        fields = padded(record.fields, 8)
        self._file_head = {
            name: value for name, value in
            (("sender_id", fields[0]), ("receiver_id", fields[1]), ("message_id", fields[4])) if value
        }  # fmt: skip
        if made := instant_of(fields[2], fields[3]):
            self._file_head["created_at"] = made
        if fields[7] and fields[7] != "2":
            self._told().error(
                "version", f"version {shown(fields[7])} of BAI", record.line, 0, "record 01", fields[7], "2"
            )

    def _begin_group(self, record: BaiRecord) -> None:
        fields = padded(record.fields, 7)
        self._account = None
        self._group = BaiSum(Told(self._is_strict), record.line, 0, record.lines)
        if self._file is not None:
            self._file.members += 1
        self._group_head = {"group": {
            name: value for name, value in
            (("receiver_id", fields[0]), ("originator_id", fields[1]), ("status_code", fields[2]),
             ("as_of_time", fields[4]), ("as_of_modifier", fields[6])) if value
        }}  # fmt: skip
        self._group_currency = fields[5] or "USD"
        try:
            self._group_head["as_of_date"] = day_of(fields[3]) if len(fields[3]) == 6 else day_of("")
        except ValueFault:
            self._error("date", f"{shown(fields[3])} is no day", record, fields[3], "YYMMDD")
        if fields[2] not in ("", "1", "3"):
            what = {"2": "a deletion", "4": "a test"}.get(fields[2], f"the status {shown(fields[2])}")
            self._error("status", f"a group that is {what}", record, fields[2], "1, an update, or 3, a correction")

    def _begin_account(self, record: BaiRecord) -> None:
        fields = record.fields
        currency = padded(fields, 2)[1] or self._group_currency
        modifier = self._group_head.get("group", {}).get("as_of_modifier", "")
        day = self._group_head.get("as_of_date", "")
        known = (day, self._file_head.get("message_id", ""))
        head: Document = {
            "report_type": "intraday" if modifier in ("1", "3") else "statement",
            "statement_id": "-".join(part for part in known if part), "format": "BAI2",
            **self._file_head, **self._group_head,
            "account": {"account_id": padded(fields, 1)[0]}, "account_currency_code": currency,
        }  # fmt: skip
        told = Told(self._is_strict)
        self._account = account = BaiAccount(record.line, head, told, Pages(self._part), currency)
        account.lines = record.lines
        self._held.append(account)
        if self._group is None:
            self._error("order", "an account outside of any group", record, "", "a record 02 before it")
        else:
            self._group.members += 1
        if currency_exponent(currency) is None:
            self._error("currency", f"{shown(currency)} is no currency", record, currency, "a code of ISO 4217")
        if not fields or not fields[0]:
            self._error("account", "an account without a number", record, "", "an account number")
        self._read_summaries(account, record, fields[2:])

    def _read_summaries(self, account: BaiAccount, record: BaiRecord, fields: list[str]) -> None:
        """Type, amount, count and availability, again and again."""
        at = 0
        while at < len(fields):
            kind, written, count, availability = padded(fields[at : at + 4], 4)
            if not kind:
                at += 1  # a comma more than there should be at the end of a line
                continue
            size = 4 + more_of(availability, fields[at + 4 : at + 6])
            amount = self._amount(record, written, account) if written else None
            if amount is None and written:
                return
            self._summary(account, kind, amount, count, availability, fields[at + 4 : at + size])
            at += size

    def _summary(
        self, account: BaiAccount, kind: str, amount: Decimal | None, count: str, availability: str, more: list[str]
    ) -> None:
        head = account.head
        if amount is not None and kind in BALANCES and not count:
            name = BALANCES[kind]
            money = {"amount": amount, "currency": account.currency}
            balance = {"type_code": name, "sub_type_code": kind, "amount": money}
            if kind in ("010", "015"):
                head["opening_balance" if kind == "010" else "closing_balance"] = money
            if availability:
                balance["availability"] = ",".join((availability, *more))
            head.setdefault("balances", []).append(balance)
            return
        summary: Document = {"type_code": kind}
        if amount is not None:
            summary["amount"] = amount
        if count:
            number = count_of(count)
            summary["count"] = count if number is None else number
        if availability:
            summary["availability"] = ",".join((availability, *more))
        head.setdefault("summaries", []).append(summary)
        if kind in SUMMARIES and amount is not None:
            figures: Document = {"sum": amount}
            if (number := count_of(count)) is not None:
                figures["count"] = number
            head.setdefault("summary", {})[SUMMARIES[kind]] = figures

    def _amount(self, record: BaiRecord, written: str, account: BaiAccount) -> Decimal | None:
        """An amount without a decimal mark, by the decimals of the currency; counted into the control total."""
        match = _AMOUNT.fullmatch(written)
        if not match:
            self._error("amount", f"not an amount: {shown(written)}", record, written, "digits, without a decimal mark")
            return None
        account.total += int(written)
        amount = Decimal(int(written)).scaleb(-(currency_exponent(account.currency) or 0))
        return amount if amount else abs(amount)

    def _transaction(self, record: BaiRecord) -> None:
        account = self._account
        if account is None or account.is_closed:
            self._error("order", "a transaction outside of any account", record, "", "a record 03 before it")
            return
        account.lines += record.lines
        kind, written, funds = padded(record.fields, 3)[:3]
        written = written or "0"
        more = more_of(funds, record.fields[3:5])
        amount = self._amount(record, written, account)
        if amount is None:
            return
        direction = is_credit(kind)
        if direction is None:
            if not written.strip("0") or kind == "890":
                direction = True  # a remark
            else:
                detail = f"the type {shown(kind)} says neither debit nor credit"
                self._error("type", detail, record, kind, "100 to 399, 400 to 699")
                return
        if amount < 0:
            amount, direction = -amount, not direction
        rest = padded(record.fields[3 + more :], 2)
        entry: Document = {
            "amount": {"amount": amount, "currency": account.currency},
            "credit_debit_indicator": "CRDT" if direction else "DBIT", "status": status_of(kind),
            "booking_date": account.head.get("as_of_date", ""), "proprietary_code": {"code": kind, "issuer": "BAI"},
        }  # fmt: skip
        self._value(entry, record, funds, record.fields[3 : 3 + more])
        if bank := rest[0].strip():
            entry["entry_ref"] = bank
        account.add({**entry, **detail_of(entry, rest[1].strip(), text_of(record, 5 + more))})

    def _value(self, entry: Document, record: BaiRecord, funds: str, more: list[str]) -> None:
        if funds == "V" and more and more[0]:
            try:
                entry["value_date"] = day_of(more[0])
            except ValueFault:
                self._error("date", f"the value date {shown(more[0])} is no day", record, more[0], "YYMMDD")
        if funds not in ("", "Z"):
            entry["availability"] = ",".join((funds, *more))

    def _end_account(self, record: BaiRecord) -> None:
        account = self._account
        if account is None or account.is_closed:
            self._error("order", "a record 49 without its account", record, "", "a record 03 before it")
            return
        account.lines += record.lines
        self._check(account.told, "account", record, account.total, account.lines, None)
        account.is_closed = True
        if self._group is not None:
            self._group.total += stated_in(record)

    def _end_group(self, record: BaiRecord) -> None:
        if self._group is None:
            self._error("order", "a record 98 without its group", record, "", "a record 02 before it")
            return
        self._close_account(record)
        self._account = None
        self._check(self._group.told, "group", record, self._group.total, self._group.lines, self._group.members)
        if self._file is not None:
            self._file.total += stated_in(record)
            self._file.told.errors += self._group.told.errors
            self._file.told.findings += self._group.told.findings
        self._group = None

    def _end_file(self, record: BaiRecord) -> None:
        if self._file is None:
            self._error("order", "a record 99 without its file", record, "", "a record 01 before it")
            return
        self._close_account(record)
        if self._group is not None:
            self._error("missing", "the group before has no record 98", record, "", "a record 98")
            self._file.told.errors += self._group.told.errors
            self._file.told.findings += self._group.told.findings
            self._group = None
        self._account = None
        self._check(self._file.told, "file", record, self._file.total, self._file.lines, self._file.members)

    def _close_account(self, record: BaiRecord) -> None:
        if self._account is not None and not self._account.is_closed:
            detail = f"the account has no record 49 before line {record.line}"
            self._account.told.error("missing", detail, self._account.line, 0, "record 49", "", "a record 49")
            self._account.is_closed = True

    def _check(self, told: Told, what: str, record: BaiRecord, total: int, lines: int, members: int | None) -> None:
        """The control total and the counts of a trailer."""
        fields = padded(record.fields, 3)
        wanted = [("control total", fields[0], total)]
        if members is not None:
            wanted.append(("number of its groups" if what == "file" else "number of its accounts", fields[1], members))
        wanted.append(("number of its records", fields[1 if members is None else 2], lines))
        for name, stated, seen in wanted:
            if not stated and not seen:
                told.odd("control_sum", f"no {name} of the {what}", record.line, 0, f"record {record.code}", "", "0")
            elif not re.fullmatch(r"[+-]?\d{1,18}", stated) or int(stated) != seen:
                detail = f"the {name} of the {what} does not hold: it says {shown(stated)}, {seen} is there"
                told.error("control_sum", detail, record.line, 0, f"record {record.code}", stated, str(seen))

    def _give_out(self, broken: str, line: int) -> Iterator[Record | BadRecord]:
        """Every account of the file, or all of them in one where the file does not hold."""
        held, file = self._held, self._file
        raw = self._read.raw
        self._held, self._file, self._group, self._account, self._read = [], None, None, None, Beginning()
        told = file.told if file is not None else Told()
        if broken:
            told.error("missing", broken, line, 0, "record 99", "", "a record 99")
        if told.errors:
            faults = [*told.all(), *(found for account in held for found in account.told.all())]
            yield BadRecord(StatementError(faults), raw, place(held[0].line if held else line), self._next_index())
            return
        for account in held:
            yield from self._give(account, raw)

    def _give(self, account: BaiAccount, raw: bytes) -> Iterator[Record | BadRecord]:
        account.check()
        position = place(account.line)
        if account.told.errors:
            yield BadRecord(StatementError(account.told.all()), raw, position, self._next_index())
            return
        faults = [*account.told.all(), *self._sequence.faults(account.head, position)]
        for document in parted(account.head, account.pages.out()):
            yield Record(document, position, self._next_index(), tuple(faults))
            faults = []

    def _next_index(self) -> int:
        self._index += 1
        return self._index - 1


_TAKE = {
    "01": BaiReader._begin_file, "02": BaiReader._begin_group, "03": BaiReader._begin_account,
    "16": BaiReader._transaction, "49": BaiReader._end_account, "98": BaiReader._end_group, "99": BaiReader._end_file,
}  # fmt: skip
