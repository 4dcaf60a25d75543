"""The dates and times of envelopes: UNB, UNG, ISA and GS say when they were made."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class Stamp(NamedTuple):
    """What a header says of when it was made, and where. ``what`` is ``date`` or ``time``; ``form`` is what the
    standard asks for: ``YYMMDD``, ``CCYYMMDD``, ``HHMM``, or ``HHMM to HHMMSSDD``."""

    what: str
    element: int
    component: int
    text: str
    form: str

    @property
    def is_right(self) -> bool:
        """There is such a day or time, and it is written in that form."""
        text = self.text
        if not (text.isascii() and text.isdigit()):
            return False
        if self.what == "date":
            return len(text) == len(self.form) and _is_day(text)
        return len(text) in ((4,) if self.form == "HHMM" else (4, 6, 7, 8)) and (
            text[:2] < "24" and text[2:4] < "60" and text[4:6] < "60"
        )


def _is_day(text: str) -> bool:
    year = int(text[:-4]) + (2000 if len(text) == 6 else 0)
    try:
        date(year, int(text[-4:-2]), int(text[-2:]))
    except ValueError:
        return False
    return True
