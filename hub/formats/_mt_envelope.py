"""SWIFT messages out of lines of text: blocks or bare fields, one after the other, each field with its place.

Banks send them in blocks ``{1:...}{2:...}{4: ... -}{5:...}``, as bare fields with a ``-`` behind each message or with
nothing, and with headers of their own in front. What is in no message is told, but for the headers that are known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from hub.formats._bank_lines import Beginning, TextLine

MOST_LINES = 500  # of a field; the standard has 6
_MOST_IN_A_LINE = 20  # messages

_FIELD = re.compile(r":(\d\d[A-Z]?|NS):")
_KNOWN = {
    "13", "13D", "20", "21", "25", "25P", "28", "28C", "28D", "34F", "60F", "60M", "61", "62F", "62M", "64", "65", "86",
    "90C", "90D", "NS",
}  # fmt: skip
_FREE = {"86", "NS", "61"}  # fields whose text may hold what looks like the tag of a field
_OPENING = {"60F", "60M"}
_CLOSING = {"62F", "62M", "64", "65"}
_BLOCK = re.compile(r"\{[1-5S]:")
_TRAILER = re.compile(r"-\}(?:\{[5S]:(?:\{[^{}]*\})*[^{}]*\})*")
_LOGICAL_TERMINAL = re.compile(r"\{1:[A-Z]\d\d([A-Z0-9]{12})")
_APPLICATION = re.compile(r"\{2:(?:I(\d{3})|O(\d{3})\d{10}([A-Z0-9]{12}))")
_DASH = re.compile(r"-(?:X{3})?\s*")
_HEADERS = re.compile(
    r":?94[02]:?(?: *\d\d)?|[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3,4})?|\d{4} ?\d\d ?[A-Z0-9]{6,22}|\$|FIN.{0,30}"
)


class MtField(msgspec.Struct, frozen=True):
    """One field: its tag, the line it begins in, the column of its value's first character, and its lines."""

    tag: str
    line: int
    column: int
    lines: list[str]

    @property
    def text(self) -> str:
        return self.lines[0]


@dataclass(slots=True)
class Start:
    """A message begins. ``bic`` and ``message_type`` are those of its envelope, empty for bare fields."""

    line: int
    bic: str = ""
    message_type: str = ""


@dataclass(slots=True)
class End:
    """It has ended: ``mark`` is what showed it (``-}``, ``-``, ``next``, or ``file``); ``raw`` its beginning."""

    line: int
    mark: str
    raw: bytes


class Stray(msgspec.Struct, frozen=True):
    """A line outside of any message, or one that was too long for a line."""

    line: int
    text: str
    is_cut: bool = False


Event = Start | MtField | End | Stray


@dataclass(slots=True)
class Envelope:
    """What the lines of a file hold, in their order: Start, its fields, End."""

    _field: MtField | None = None
    _is_open: bool = False
    _has_opened: bool = False
    _has_closed: bool = False
    _header: str = ""
    _read: Beginning = field(default_factory=Beginning)
    _line: int = 0

    def events(self, lines: Iterable[TextLine]) -> Iterator[Event]:
        """Read them all."""
        for line in lines:
            self._line = line.number
            if not line.text and not self._is_open:
                continue
            if line.is_cut:
                yield Stray(line.number, line.text[:80], True)
            elif "@@:" in line.text:
                # An old German form has two signs where others have an end of line.
                for piece in line.text.split("@@"):
                    yield from self._take(piece, line)
            else:
                yield from self._take(line.text, line)
        yield from self._end("file")

    def _take(self, text: str, line: TextLine, depth: int = 0) -> Iterator[Event]:
        if depth > _MOST_IN_A_LINE:
            yield Stray(line.number, text[:80])
            return
        match = _FIELD.match(text)
        if match and self._is_field(match[1]):
            yield from self._begin_field(match[1], text, match.end(), line, 0, depth)
        elif text.startswith("-") and (end := _TRAILER.match(text)):
            yield from self._end("-}")
            if rest := text[end.end() :].strip():
                yield from self._take(rest, line, depth + 1)
        elif _BLOCK.match(text) and not (self._is_open and self._field and self._field.tag == "86" and text[1] in "3S"):
            yield from self._take_blocks(text, line)
        elif self._is_open and not _DASH.fullmatch(text):
            self._read.keep(line)
            if self._field is not None and len(self._field.lines) < MOST_LINES:
                self._field.lines.append(text)
        elif self._is_open and (self._has_closed or not self._has_opened):
            yield from self._end("-")
        elif self._is_open:
            yield Stray(line.number, text)
        elif text.strip() and not _DASH.fullmatch(text) and not _HEADERS.fullmatch(text.strip()):
            yield Stray(line.number, text[:80])

    def _is_field(self, tag: str) -> bool:
        """Within a text only the tags that there are begin a field: ``:15:30 Uhr`` is the rest of a line."""
        return tag in _KNOWN or not (self._field and self._field.tag in _FREE)

    def _take_blocks(self, text: str, line: TextLine) -> Iterator[Event]:
        yield from self._end("next")
        self._read.keep(line)
        before, mark, rest = text.partition("{4:")
        self._header = (self._header + before)[:2000]
        if mark and (rest := rest.strip()):
            match = _FIELD.match(rest)
            if match:
                yield from self._begin_field(match[1], rest, match.end(), line, len(text) - len(rest))
            elif rest != "-}":
                yield Stray(line.number, rest[:80])

    def _begin_field(self, tag: str, text: str, at: int, line: TextLine, shift: int, depth: int = 0) -> Iterator[Event]:
        if tag == "20" and self._is_open and (self._field is None or self._field.tag != "20"):
            yield from self._end("next")
        if not self._is_open:
            yield self._start(line.number)
        elif self._field is not None:
            yield self._field
        self._read.keep(line)
        value, mark, rest = text[at:].partition("-}") if tag in _CLOSING else (text[at:], "", "")
        self._field = MtField(tag, line.number, shift + at + 1, [value])
        self._has_opened = self._has_opened or tag in _OPENING
        self._has_closed = self._has_closed or tag in _CLOSING
        if mark:
            yield from self._take("-}" + rest, line, depth + 1)

    def _start(self, line: int) -> Start:
        self._is_open, self._has_opened, self._has_closed = True, False, False
        header, self._header = self._header, ""
        terminal, application = _LOGICAL_TERMINAL.search(header), _APPLICATION.search(header)
        sender = application[3] if application and application[3] else terminal[1] if terminal else ""
        kind = (application[1] or application[2]) if application else ""
        branch = sender[9:] if sender[9:] != "X" * 3 else ""
        return Start(line, sender[:8] + branch, kind)

    def _end(self, mark: str) -> Iterator[Event]:
        if not self._is_open:
            return
        if self._field is not None:
            yield self._field
        yield End(self._line, mark, self.cut())
        self._field, self._is_open = None, False

    def cut(self) -> bytes:
        """The beginning of what was read since the last time."""
        raw, self._read = self._read.raw, Beginning()
        return raw
