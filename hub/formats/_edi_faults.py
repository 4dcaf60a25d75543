"""What is wrong with an interchange, a group, a message, a segment, an element, and where exactly.

Faults are collected, never thrown: a reader goes on behind each. ``code`` is that of the standard's own list, so that
an acknowledgement can be made of it: 0085 of EDIFACT, as CONTRL tells it; of X12 I18 (TA1), 716 (group, AK9), 718
(transaction set, AK5), 720 (segment, AK3), 723 (data element, AK4). ``_ack_codes`` has their words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from hub.errors import DecodeError, quoted_in, shown, without_values

MOST_FAULTS = 1000


class EdiFault(NamedTuple):
    """One fault. Numbers count from 1 as the standards do, 0 where one does not apply.

    ``level`` is the smallest unit that is at fault: interchange, group, message, segment or element. ``code_list`` is
    one of those above. ``segment`` counts within the message: UNH or ST is 1; 0 for envelope segments. ``element``,
    ``component``: UNH is element 0, its reference 1. ``offset`` is the byte in the file, from 0; -1 where nobody knows.
    ``message`` is the sentence for a person; ``seen`` and ``expected`` are its parts. ``severity`` is ``error`` (its
    unit is not accepted) or ``warning``.
    """

    level: str
    code_list: str
    code: str
    message: str
    severity: str = "error"
    interchange: str = ""
    group: str = ""
    reference: str = ""
    segment: int = 0
    tag: str = ""
    element: int = 0
    component: int = 0
    repetition: int = 0
    offset: int = -1
    seen: str = ""
    expected: str = ""

    @property
    def position(self) -> str:
        """Where it is, in words: ``interchange 4711, message 1, segment 14 LIN, element 3, byte 812``."""
        parts = [
            f"interchange {self.interchange}" if self.interchange else "",
            f"group {self.group}" if self.group else "",
            f"message {self.reference}" if self.reference else "",
            f"segment {self.segment} {self.tag}".rstrip() if self.segment else self.tag,
            f"element {self.element}" if self.element else "",
            f"component {self.component}" if self.component else "",
            f"repetition {self.repetition}" if self.repetition else "",
            f"byte {self.offset}" if self.offset >= 0 else "",
        ]
        return ", ".join(part for part in parts if part)

    @property
    def full_code(self) -> str:
        """``718_4``: list and code."""
        return f"{self.code_list}_{self.code}"

    @property
    def problem(self) -> str:
        """The sentence without any value of the data."""
        return without_values(self.message.replace(shown(self.seen), "'…'"), self.seen)

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    def of_interchange(self, control_number: str) -> EdiFault:
        """The same with the control number, which was not known yet."""
        return self._replace(interchange=control_number)

    def moved(self, offset: int) -> EdiFault:
        """The same at another byte."""
        return self._replace(offset=offset)

    def __str__(self) -> str:
        return f"{self.position}: {self.severity}: {self.message} [{self.code_list}:{self.code}]"


class EdiError(DecodeError):
    """A message or an interchange that is not accepted; ``faults`` names every fault, the first error is the summary.
    ``interchange`` is what it came in, with its partners, as far as it was read."""

    def __init__(self, faults: Sequence[EdiFault], interchange: Any = None) -> None:
        self.faults, self.interchange = list(faults), interchange
        first = next((fault for fault in faults if fault.is_error), faults[0])
        more = sum(fault.is_error for fault in faults) - 1
        detail = first.message + (f" (and {more} more)" if more > 0 else "")
        super().__init__(
            detail,
            code=first.full_code,
            position=first.position,
            value_excerpt=first.seen,
            expected=first.expected,
            cause=f"{first.tag} {first.element} {first.component} {first.problem}",
            quoted=quoted_in(first.message),
        )
