"""What is wrong with a UBL document, and where: collected while it is read, placed afterwards, told all at once."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from hub.errors import DecodeError

MOST_FAULTS = 1000


class UblFault(msgspec.Struct, frozen=True):
    """One fault. ``part`` is where it is among the parts of the document; ``line`` and ``column`` count from 1, 0
    before they are known; ``path`` is the XPath. ``severity``: an ``error`` loses meaning, a ``warning`` does not."""

    full_code: str
    message: str
    severity: str = "error"
    part: int = 0
    path: str = ""
    line: int = 0
    column: int = 0
    seen: str = ""
    expected: str = ""

    @property
    def place(self) -> str:
        return f"line {self.line}, column {self.column}" if self.line else ""

    @property
    def position(self) -> str:
        """``line 12, column 5, /Invoice/cac:InvoiceLine[3]/cbc:ID``."""
        return ", ".join(part for part in (self.place, self.path) if part)

    def as_fields(self) -> dict[str, str]:
        """The same within a document."""
        told = {"position": self.position, "severity": self.severity, "code": self.full_code, "message": self.message}
        return {name: text for name, text in told.items() if text}


class UblError(DecodeError):
    """A document that is not accepted: ``faults`` names every fault of it, the first error is the summary."""

    def __init__(self, faults: Sequence[UblFault]) -> None:
        self.faults = list(faults)
        errors = [fault for fault in faults if fault.severity == "error"]
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(
            first.message + more, code=first.full_code, position=first.place, field_path=first.path,
            value_excerpt=first.seen, expected=first.expected,
        )  # fmt: skip


class Faults:
    """The faults of one document while it is read: at most so many of each severity, the others are counted."""

    def __init__(self) -> None:
        self._found: dict[str, list[UblFault]] = {"error": [], "warning": []}
        self._more = {"error": 0, "warning": 0}

    def add(self, fault: UblFault, part: int) -> None:
        found = self._found[fault.severity]
        if len(found) < MOST_FAULTS:
            found.append(replace(fault, part=part))
        else:
            self._more[fault.severity] += 1

    def is_full(self, severity: str) -> bool:
        """Whether one more of them is only counted, so that its words are no matter."""
        return len(self._found[severity]) >= MOST_FAULTS

    @property
    def found(self) -> list[UblFault]:
        """In the order of the document."""
        return sorted([*self._found["error"], *self._found["warning"]], key=lambda fault: fault.part)

    def counted(self) -> list[UblFault]:
        """What stands for those that are not told one by one."""
        return [
            UblFault("more", f"{count:,} more of them ({severity}s) are not told", severity)
            for severity, count in self._more.items()
            if count
        ]  # fmt: skip

    def __bool__(self) -> bool:
        return any(self._found.values())
