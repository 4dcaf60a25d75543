"""An account of a BAI2 file while it is read, and what groups and files add up to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

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
        for found in self._sums.faults(self.head, place(self.line)):
            found = in_its_limits(found, self.head)
            if found.code == "balance" and not self.count:
                found = replace(found, severity="warning")  # a summary without its transactions
            self.told.findings.append(found)
            self.told.errors += found.is_error


@dataclass(slots=True)
class BaiSum:
    """What a group or a file adds up to."""

    told: Told
    line: int = 0
    total: int = 0
    lines: int = 0
    members: int = 0
