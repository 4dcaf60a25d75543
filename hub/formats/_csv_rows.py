"""Lines of a CSV file to rows of cells. A row that cannot be read is told from its neighbours and spares them."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from hub.errors import DecodeError
from hub.formats._csv_text import unreadable_byte

MAX_CELL = 1_000_000
# The parser's limit is one for the whole process and too low as it comes (131,072): ours is the one that holds.
csv.field_size_limit(MAX_CELL)

_DELIMITERS = ",;\t|"


class Dialect(msgspec.Struct, frozen=True):
    """How cells are told apart. ``delimiter`` may be ``auto``, an empty ``quote``, ``escape`` or ``comment`` none."""

    delimiter: str
    quote: str
    escape: str
    comment: str

    def arguments(self, delimiter: str) -> dict[str, object]:
        """The same in the parser's words."""
        return {
            "delimiter": delimiter,
            "quotechar": self.quote or None,
            "quoting": csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            "escapechar": self.escape or None,
        }


class Row(NamedTuple):
    """The cells of one row, the line it begins at and the lines it was written on."""

    line: int
    cells: list[str]
    written: list[str]


class BadRow(NamedTuple):
    """A row that cannot be read; ``key`` is its group, where that can be told."""

    line: int
    error: DecodeError
    written: list[str]
    key: tuple[object, ...] | None = None


class _Feed:
    """The lines as the parser takes them: it can be given back what a broken row swallowed."""

    def __init__(self, lines: Iterator[str], comment: str) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self._comment = comment
        self._budget = 100_000
        self.number = 0
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._next()
        while self._comment and not self.taken and line.startswith(self._comment):
            line = self._next()
        self.taken.append(line)
        return line

    def _next(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.number += 1
        return line

    def peek(self) -> str:
        """The first line that is neither blank nor a comment, which comes again; empty at the end."""
        line = next(self, "")
        while line and not line.strip():
            self.taken = []
            line = next(self, "")
        if line:
            self._again.append(line)
            self.number -= 1
        self.taken = []
        return line

    def give_back(self) -> list[str]:
        """The first line of what was taken; the others come again. A budget keeps a hostile file from doing so
        without end: once it is spent the broken row keeps all its lines."""
        more = self.taken[1:]
        self._budget -= len(more)
        if self._budget < 0:
            return self.taken
        self._again.extendleft(reversed(more))
        self.number -= len(more)
        return self.taken[:1]


def read_rows(lines: Iterator[str], dialect: Dialect) -> Iterator[Row | BadRow]:
    """Rows in their order, blank ones with no cells."""
    feed = _Feed(lines, dialect.comment)
    delimiter = dialect.delimiter
    if announced := _announced(feed.peek()):
        delimiter = announced
        next(feed)
    elif delimiter == "auto":
        delimiter = _sniffed(feed.peek(), dialect.quote)
    reader = csv.reader(feed, strict=True, **dialect.arguments(delimiter))  # type: ignore[arg-type]
    yield from _rows(reader, feed)


def _rows(reader: Iterator[list[str]], feed: _Feed) -> Iterator[Row | BadRow]:
    while True:
        feed.taken = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _broken(feed, str(error))
            continue
        written = feed.taken
        line = feed.number - len(written) + 1
        yield Row(line, cells, written) if _is_readable(written) else _unreadable(line, written)


def _is_readable(written: list[str]) -> bool:
    return all(line.isascii() or not unreadable_byte(line) for line in written)


def _unreadable(line: int, written: list[str]) -> BadRow:
    for number, text in enumerate(written, line):
        if found := unreadable_byte(text):
            column, byte = found
            detail = f"the byte {byte} is not of the file's encoding"
            hint = "set the option encoding, e.g. windows-1252 or latin-1"
            position = f"line {number}, column {column}"
            return BadRow(line, DecodeError(detail, code="encoding", position=position, hint=hint), written)
    raise AssertionError("called for a row that is readable")


def _broken(feed: _Feed, reason: str) -> BadRow:
    line = feed.number - len(feed.taken) + 1
    detail, hint = _words(reason)
    written = feed.give_back()
    return BadRow(line, DecodeError(detail, code="quoting", position=f"line {line}", hint=hint), written)


def _words(reason: str) -> tuple[str, str]:
    if "field limit" in reason:
        return f"a cell of more than {MAX_CELL} characters", "a quote that is opened and never closed looks like this"
    if "unexpected end" in reason:
        return "a quote is opened and never closed", "write a quote within a quoted cell twice"
    if "expected after" in reason:
        return "text after a closing quote; expected the delimiter", "write a quote within a quoted cell twice"
    return "cells that cannot be told apart", "check quotes and the options delimiter, quote and escape"


def _announced(line: str) -> str:
    """The delimiter of the line ``sep=;`` that spreadsheets write first."""
    text = line.rstrip("\r\n")
    return text[4] if len(text) == 5 and text.lower().startswith("sep=") else ""


def _sniffed(line: str, quote: str) -> str:
    """The candidate that stands most often in the first row, quoted parts left out; a comma when there is none."""
    bare = "".join(line.split(quote)[::2]) if quote else line
    return max(_DELIMITERS, key=bare.count)
