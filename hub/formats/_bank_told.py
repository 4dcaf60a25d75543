"""What is wrong with a statement of a text format, collected with line, column and field while it is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from hub.formats._bank_lines import doubtful, unreadable
from hub.formats._statements import MOST_FINDINGS, Finding

_MOST_OF_ONE = 10  # a bank that does something its own way does it in each entry


@dataclass(slots=True)
class Told:
    """The findings of one statement. ``odd`` is what banks are known to do: a warning, and an error where strict."""

    is_strict: bool = False
    findings: list[Finding] = field(default_factory=list)
    errors: int = 0
    _seen: Counter[str] = field(default_factory=Counter)

    def error(
        self,
        code: str,
        message: str,
        line: int = 0,
        column: int = 0,
        what: str = "",
        seen: str = "",
        expected: str = "",
    ) -> None:
        """Something that makes the statement unfit to be taken in."""
        self.errors += 1
        if self.errors <= MOST_FINDINGS:
            self.findings.append(Finding(code, message, place(line, column, what), "error", seen[:80], expected))

    def odd(
        self,
        code: str,
        message: str,
        line: int = 0,
        column: int = 0,
        what: str = "",
        seen: str = "",
        expected: str = "",
    ) -> None:
        """Something that the format forbids and that leaves no doubt about what is meant."""
        if self.is_strict:
            self.error(code, message, line, column, what, seen, expected)
            return
        self._seen[code] += 1
        if self._seen[code] <= _MOST_OF_ONE:
            self.findings.append(Finding(code, message, place(line, column, what), "warning", seen[:80], expected))

    def all(self) -> list[Finding]:
        """Every finding, and how many were not told."""
        more = {code: count - _MOST_OF_ONE for code, count in self._seen.items() if count > _MOST_OF_ONE}
        found = [
            Finding("more", f"{count:,} more of the kind '{code}' are not told", "", "warning")
            for code, count in more.items()
        ]
        if self.errors > MOST_FINDINGS:
            found.append(Finding("more", f"{self.errors - MOST_FINDINGS:,} more errors are not told", ""))
        return self.findings + found


def look_at(text: str, told: Told, line: int, before: int = 0, what: str = "") -> None:
    """Tell of a line, or of what stands in it behind so many characters, whose bytes are not of its encoding."""
    if text.isascii():
        return
    if found := unreadable(text):
        detail, expected = f"the byte {found[1]} is not of the encoding", "a byte of the encoding"
        told.error("encoding", detail, line, found[0] + before, what, found[1], expected)
    elif found := doubtful(text):
        detail, expected = f"the byte {found[1]} is none of Windows-1252", "the option encoding, such as cp850"
        told.odd("encoding", detail, line, found[0] + before, what, found[1], expected)


def in_its_limits(found: Finding, statement: Mapping[str, Any]) -> Finding:
    """A bank counts entries that it does not list below its floor limit, and in the totals of a BAI2 report: sums that
    do not hold are then no error."""
    is_partial = statement.get("format") == "BAI2" or any(
        limit["amount"]["amount"] for limit in statement.get("floor_limits", ())
    )
    if found.code == "control_sum" and is_partial:
        return replace(found, severity="warning")
    return found


def place(line: int, column: int = 0, what: str = "") -> str:
    """A place in words: ``line 7, column 12, :61:``."""
    parts = (f"line {line}" if line else "", f"column {column}" if column else "", what)
    return ", ".join(part for part in parts if part)
