"""An account of a BAI2 file while it is read, and what groups and files add up to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from hub.formats._bank_pages import Pages
from hub.formats._bank_told import Told, in_its_limits, place
from hub.formats._statements import Sums

Document = dict[str, Any]


@dataclass(slots=True)
class BaiAccount:
    """One account while it is read."""

    line: int
    head: Document
    told: Told
    pages: Pages
    currency: str
    total: int = 0
    lines: int = 0
    count: int = 0
    control: int = 0
    is_closed: bool = False
    raw: bytes = b""
    _sums: Sums = field(default_factory=Sums)

    def add(self, entry: Document) -> None:
        self.count += 1
        entry = {"number": self.count, **entry}
        self._sums.add(entry, place(self.line))
        self.pages.add(entry)

    def check(self) -> None:
        """What it says of its own balances, where it has both and lists its transactions."""
        if self.told.errors:
            return
        self._sums.currency = self.currency
        self._complete()
        for found in self._sums.faults(self.head, place(self.line)):
            found = in_its_limits(found, self.head)
            if found.code == "balance" and not self.count:
                found = replace(found, severity="warning")  # a summary without its transactions
            self.told.findings.append(found)
            self.told.errors += found.is_error

    def _complete(self) -> None:
        """A balance that a report leaves out follows from the other where all its transactions are listed."""
        head, net = self.head, self._sums.net
        known = [name for name in ("opening_balance", "closing_balance") if name in head]
        is_whole = not any(found.code == "control_sum" for found in self._sums.faults(head))
        if head["report_type"] != "statement" or len(known) != 1 or not self.count or not is_whole:
            return
        money = head[known[0]]
        if "closing_balance" in head:
            missing, what, amount = "opening_balance", "opening balance (010)", money["amount"] - net
        else:
            missing, what, amount = "closing_balance", "closing balance (015)", money["amount"] + net
        head[missing] = {**money, "amount": amount}
        detail = f"it has no {what}; what follows from the other and its transactions is taken"
        self.told.odd("missing", detail, self.line, 0, "record 03", "", what)


@dataclass(slots=True)
class BaiSum:
    """What a group or a file adds up to."""

    told: Told
    line: int = 0
    total: int = 0
    lines: int = 0
    members: int = 0
