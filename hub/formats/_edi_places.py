"""Where a segment, an element, a component stands in the bytes of a message. Works on bytes once more: for faults."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator

from hub.formats._segments import Delimiters

BLANK = b" \t\r\n"
OBJECT = {b"BIN": 1, b"BDS": 2}  # the element that tells the length of the next one


def segment_spans(raw: bytes, delimiters: Delimiters, start: int = 0) -> Iterator[tuple[int, int]]:
    """The first byte of each segment and that of its terminator; empty segments are left out."""
    end = start
    while start < len(raw):
        while (
            start < len(raw)
            and raw[start] in BLANK
            and raw[start : start + 1] != delimiters.terminator.encode("latin-1")
        ):
            start += 1
        end = segment_end(raw, delimiters, start)
        if end < 0:
            end = len(raw)
        if end > start:
            yield start, end
        start = end + 1


def segment_end(raw: bytes | bytearray, delimiters: Delimiters, start: int) -> int:
    """The byte of the terminator of the segment that begins at ``start``; -1 when it does not stand in ``raw``."""
    terminator, release = delimiters.terminator.encode("latin-1"), delimiters.release.encode("latin-1")
    begin = start
    if not release and bytes(raw[start : start + 3]) in OBJECT:
        begin = object_end(raw, delimiters, start)
        if begin < 0:
            return -1
    end = raw.find(terminator, begin)
    while release and end > 0 and is_released(raw, release, end, start):
        end = raw.find(terminator, end + 1)
    return end


def is_released(raw: bytes | bytearray, release: bytes, at: int, start: int) -> bool:
    """An odd number of release characters stands before the byte."""
    count = 0
    while at - count > start and raw[at - count - 1] == release[0]:
        count += 1
    return count % 2 == 1


def object_end(raw: bytes | bytearray, delimiters: Delimiters, start: int) -> int:
    """The byte behind the object of a BIN or BDS segment; ``start`` when its length cannot be read, -1 when the bytes
    end before."""
    separator = delimiters.element.encode("latin-1")
    parts = bytes(raw[start : start + 64]).split(separator)
    place = OBJECT[bytes(raw[start : start + 3])]
    if len(parts) <= place + 1 or not (parts[place].isdigit() and len(parts[place]) < 16):
        return start
    begin = start + sum(len(part) + 1 for part in parts[: place + 1])
    end = begin + int(parts[place])
    return end if end < len(raw) else -1


class Places:
    """Where the segments of a message and their parts begin. The message is walked once."""

    def __init__(self, raw: bytes, delimiters: Delimiters) -> None:
        self._starts = array("Q", (start for start, _ in segment_spans(raw, delimiters))) or array("Q", [0])
        self._parts = _Parts(raw, delimiters)

    def offset(self, segment: int, element: int = 0, component: int = 0, repetition: int = 0) -> int:
        """The byte where the part begins; of the nearest one before it where there are not as many."""
        start = self._starts[min(max(segment, 1), len(self._starts)) - 1]
        return self._parts.offset(start, element, component, repetition) if element else start

    def segment_at(self, byte: int) -> int:
        """The number of the segment that holds a byte."""
        return max(bisect_right(self._starts, byte), 1)


def offset_in(
    raw: bytes, delimiters: Delimiters, start: int, element: int, component: int = 0, repetition: int = 0
) -> int:
    """The byte where a part of the segment that begins at ``start`` begins."""
    return _Parts(raw, delimiters).offset(start, element, component, repetition)


class _Parts:
    """Where parts of segments begin. The separators of the part asked for last are kept: the next is mostly beside it,
    and one element may hold a million."""

    def __init__(self, raw: bytes, delimiters: Delimiters) -> None:
        self._raw, self._delimiters = raw, delimiters
        self._marks: dict[str, tuple[tuple[int, int], array[int]]] = {}

    def offset(self, start: int, element: int, component: int, repetition: int) -> int:
        found = segment_end(self._raw, self._delimiters, start)
        end = found if found >= 0 else len(self._raw)
        for separator, number in (
            (self._delimiters.element, element + 1), (self._delimiters.repetition, repetition),
            (self._delimiters.component, component),
        ):  # fmt: skip
            if separator and number > 1:
                start, end = self._part(start, end, separator, number)
        return start

    def _part(self, start: int, end: int, separator: str, number: int) -> tuple[int, int]:
        """The span of the n-th part between separators, or of the last there is."""
        span, marks = self._marks.get(separator, ((0, 0), array("Q")))
        if span != (start, end):
            release = self._delimiters.release
            released = re.escape(release) + "." if release else "(?!)"
            pattern = re.compile(f"{released}|{re.escape(separator)}".encode("latin-1"), re.DOTALL)
            every = pattern.finditer(self._raw, start, end)
            marks = array("Q", (found.start() for found in every if len(found[0]) == 1))
            self._marks[separator] = ((start, end), marks)
        at = min(number - 1, len(marks))
        return marks[at - 1] + 1 if at else start, marks[at] if at < len(marks) else end
