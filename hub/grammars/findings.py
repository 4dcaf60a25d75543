"""What a grammar finds wrong with a message, and the codes that the standards have for it."""

from __future__ import annotations

import msgspec

# EDIFACT: list 0085. X12: 718 of a message, 720 of a segment, 723 of an element.
CODES = {
    "missing_segment": (("0085", "13"), ("720", "3")),
    "missing_group": (("0085", "13"), ("720", "3")),
    "unknown_segment": (("0085", "15"), ("720", "6")),
    "misplaced_segment": (("0085", "15"), ("720", "7")),
    "too_many_segments": (("0085", "35"), ("720", "5")),
    "too_many_groups": (("0085", "36"), ("720", "4")),
    "missing_element": (("0085", "13"), ("723", "1")),
    "missing_related": (("0085", "13"), ("723", "2")),
    "excluded_element": (("0085", "15"), ("723", "10")),
    "unused_element": (("0085", "15"), ("723", "10")),
    "too_many_elements": (("0085", "16"), ("723", "3")),
    "too_many_components": (("0085", "16"), ("723", "3")),
    "too_many_repetitions": (("0085", "35"), ("723", "3")),
    "too_short": (("0085", "40"), ("723", "4")),
    "too_long": (("0085", "39"), ("723", "5")),
    "wrong_characters": (("0085", "37"), ("723", "6")),
    "wrong_decimal": (("0085", "19"), ("723", "6")),
    "unknown_code": (("0085", "12"), ("723", "7")),
    "wrong_date": (("0085", "12"), ("723", "8")),
    "wrong_time": (("0085", "12"), ("723", "9")),
}


class Finding(msgspec.Struct, frozen=True):
    """One fault. ``segment`` counts within the message from 1, its header being 1; element, component and repetition
    from 1, 0 where they do not apply. ``message`` is a whole sentence; ``seen`` and ``expected`` are its parts."""

    problem: str
    message: str
    segment: int
    element: int = 0
    component: int = 0
    repetition: int = 0
    seen: str = ""
    expected: str = ""
    severity: str = "error"

    def code(self, syntax: str) -> tuple[str, str]:
        """The standard's list and the code in it."""
        return CODES[self.problem][syntax == "x12"]
