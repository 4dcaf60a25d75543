"""The control numbers and references that were seen, to find those that stand twice. Numbers that count up, as they
mostly do, take no memory."""

from __future__ import annotations


class Numbers:
    """References as texts: ``0007`` and ``7`` are two."""

    __slots__ = ("_others", "_runs")

    def __init__(self) -> None:
        self._runs: dict[int, list[int]] = {}  # by the width of numbers with leading zeros: the first and last of a run
        self._others: set[str] = set()

    def add(self, text: str) -> bool:
        """Remember it; False when it was there already."""
        if self._others and text in self._others:
            return False
        if text.isdecimal() and text.isascii() and len(text) < 18:
            number, width = int(text), len(text) if text[0] == "0" else 0
            run = self._runs.get(width) or self._runs.setdefault(width, [number, number - 1])
            if number == run[1] + 1:
                run[1] = number
                return True
            if run[0] <= number <= run[1]:
                return False
        self._others.add(text)
        return True
