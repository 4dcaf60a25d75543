"""How much text and how many list elements one run of a mapping may make.

What a loop makes of a long text each time round adds up to more than the machine has, long before one text is too long.
"""

from __future__ import annotations

import threading

from hub.functions.refusal import refusal

MOST = 50_000_000  # characters and elements for one document
ELEMENT = 50  # characters that an element of a list counts for
SMALL = 256  # what is shorter is not counted


class _Allowance(threading.local):
    """What is left for the run of this thread; None outside of a run, where nothing is counted."""

    left: int | None = None


_OWN = _Allowance()


def begin() -> None:
    """A run begins in this thread."""
    _OWN.left = MOST


def end() -> None:
    """A run has ended in this thread."""
    _OWN.left = None


def spend(size: int) -> None:
    """Count what is made. Raises MappingError when it is more than one document may make."""
    left = _OWN.left
    if left is None:
        return
    if size > left:
        raise refusal(f"the texts and lists made for this document exceed {MOST} characters", code="too_large")
    _OWN.left = left - size
