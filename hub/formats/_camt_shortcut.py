"""Entries that need no XML reader: those whose tags are, one by one, the tags of an entry that it has read before.

An entry in the bytes that follows another one and whose shape is known is well formed where its characters and
references are, so that it is taken as it stands. The reader gets blanks for it, and lines and columns stay what they
are. Whatever is otherwise in any way goes to the reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from hub.formats._xml_plain import says_utf8

_END = re.compile(rb"</(?:[\w.\-]+:)?Ntry>")
_blanks = re.compile(rb"[ \t\r\n]*").match
_CHARACTERS = bytes(byte for byte in range(256) if byte >= 32 or byte in b"\t\r\n")
_NO_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
_HEAD = 1_000  # bytes that hold the declaration
_MOST_HELD = 1_000_000  # bytes of an entry that has no end yet


class Taking(Protocol):
    """A statement while it is read. ``count``: its entries so far; ``name``: how their tag is spelled, empty where
    they have to be read as XML."""

    @property
    def count(self) -> int: ...
    @property
    def name(self) -> bytes: ...
    def takes_bytes(self, raw: bytes) -> bool: ...


def without_known(chunks: Iterable[bytes], current: Callable[[], Taking | None]) -> Iterator[bytes]:
    """What the reader has to see of a file. It asks for the next piece when it is done with those before: ``current``
    is the statement that it is in then."""
    rest, head, gap = b"", b"", _Gap()
    for chunk in chunks:
        head += chunk[: _HEAD - len(head)]
        data, pos, is_held = rest + chunk, 0, False
        if not rest and ((statement := current()) is None or not statement.name):
            yield chunk
            continue
        is_right = (
            says_utf8(head)
            and not data.translate(None, _CHARACTERS)
            and not any(each in data for each in _NO_CHARACTERS)
        )
        while found := _END.search(data, pos):
            before = _state(current())
            yield gap.blanks() + data[pos : found.end()]
            pos, statement = found.end(), current()
            if is_right and statement is not None and statement.name and _state(statement) == _next(before, statement):
                pos, is_held = _taken(statement, data, pos, gap)
                if is_held:
                    break
        rest = data[pos:] if is_held and len(data) - pos < _MOST_HELD else b""
        if not rest and pos < len(data):
            yield gap.blanks() + data[pos:]
    if rest:
        yield gap.blanks() + rest


def _state(statement: Taking | None) -> tuple[Taking | None, int]:
    return (statement, statement.count) if statement is not None else (None, 0)


def _next(before: tuple[Taking | None, int], statement: Taking) -> tuple[Taking | None, int]:
    """The state when one more entry has come, or the first of a statement."""
    return (statement, before[1] + 1) if before[0] is statement else (statement, 1)


def _taken(statement: Taking, data: bytes, pos: int, gap: _Gap) -> tuple[int, bool]:
    """Take the entries from ``pos`` on that can be. Where they end, and whether one is there of which more has to
    come."""
    begin, end = b"<" + statement.name + b">", b"</" + statement.name + b">"
    while True:
        matched = _blanks(data, pos)
        assert matched is not None
        start = matched.end()
        if not data.startswith(begin, start):
            return pos, begin.startswith(data[start:])
        stop = data.find(end, start)
        if stop < 0:
            return pos, True
        stop += len(end)
        if not statement.takes_bytes(data[start:stop]):
            return pos, False
        gap.add(data, pos, stop)
        pos = stop


class _Gap:
    """Where the reader would be, had it seen what was taken."""

    def __init__(self) -> None:
        self._lines = self._columns = 0

    def add(self, data: bytes, start: int, stop: int) -> None:
        if lines := data.count(b"\n", start, stop):
            self._lines += lines
            self._columns = stop - data.rfind(b"\n", start, stop) - 1
        else:
            self._columns += stop - start

    def blanks(self) -> bytes:
        """Blanks of as many lines and columns, once."""
        lines, columns = self._lines, self._columns
        self._lines = self._columns = 0
        return b"\n" * lines + b" " * columns
