"""A file of JSON objects, whatever stands between them: one, a list of them, one a line; each read when it is whole.

Memory is twice that of the largest object. Nothing has to be said beforehand: what comes first tells which it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hub.errors import DecodeError
from hub.formats._json_text import place

MAX_OBJECT = 64_000_000

_SOLID = re.compile(rb"\S")
_INSIDE = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]"]', re.DOTALL)
_BOM = b"\xef\xbb\xbf"
_DOCUMENT = "a document, an object in { }"
# Inside a list that is still open, and where a document may begin.
_EXPECTED = {(True, True): _DOCUMENT, (False, True): _DOCUMENT, (True, False): "a comma or ']'",
             (False, False): "nothing more"}  # fmt: skip


class Piece(NamedTuple):
    """The bytes of one object, and the line and column it begins at."""

    line: int
    column: int
    raw: bytes


class _Window:
    """The part of a file that is looked at, and where it begins."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.data = b""
        self._line, self._column, self._counted = 1, 1, 0

    def more(self, keep: int) -> bool:
        """Drop what stands before ``keep`` and add at least as many bytes as are left, so that who looks at them once
        more is not slow; False where there are none."""
        self.place(keep)
        parts, gathered = [self.data[keep:]], 0
        wanted = len(parts[0])
        for chunk in self._chunks:
            parts.append(chunk)
            gathered += len(chunk)
            if gathered and gathered >= wanted:
                break
        self.data, self._counted = b"".join(parts), 0
        return gathered > 0

    def place(self, at: int) -> tuple[int, int]:
        """Line and column of a byte, which stands behind those asked for before."""
        lines, column = place(self.data[self._counted : at], at - self._counted)
        self._line, self._column = self._line + lines - 1, column if lines > 1 else self._column + column - 1
        self._counted = at
        return self._line, self._column

    def piece(self, at: int, end: int) -> Piece:
        return Piece(*self.place(at), self.data[at:end])


def pieces(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """The objects of a file, in their order. Raises DecodeError where something else stands between them."""
    window = _Window(chunks)
    while len(window.data) < len(_BOM) and window.more(0):
        pass
    at = len(_BOM) if window.data.startswith(_BOM) else 0
    is_list, may_begin, is_open = False, True, True
    found, opens = 0, (1, 1)
    while (at := _next(window, at)) >= 0:
        sign = window.data[at : at + 1]
        if sign == b"[" and not found and not is_list:
            is_list, opens = True, window.place(at)
        elif sign == b"," and is_list and is_open and not may_begin:
            may_begin = True
        elif sign == b"]" and is_list and is_open and (not may_begin or not found):
            is_open, may_begin = False, False
        elif sign == b"{" and may_begin:
            start, end = _end(window, at)
            yield window.piece(start, end)
            at, found, may_begin = end - 1, found + 1, not is_list
        else:
            raise _unexpected(window, at, expected=_EXPECTED[(is_list and is_open, may_begin)])
        at += 1
    if is_list and is_open:
        position = f"line {opens[0]}, column {opens[1]}"
        detail = "the list that opens here is never closed; expected ']' at the end"
        raise DecodeError(detail, code="truncated", position=position, expected="]")


def shifted(error: DecodeError, piece: Piece) -> DecodeError:
    """The error of an object by itself, at its place in the file."""
    found = re.fullmatch(r"line (\d+)(?:, column (\d+))?", error.position)
    if not found:
        position = f"line {piece.line}"
    else:
        line, column = int(found[1]), int(found[2] or 1)
        column += piece.column - 1 if line == 1 else 0
        position = f"line {piece.line + line - 1}, column {column}"
    return DecodeError(
        error.detail, code=error.code, position=position, expected=error.expected, hint=error.hint, cause=error.cause,
        value_excerpt=error.value_excerpt, quoted=error.quoted,
    )  # fmt: skip


def _next(window: _Window, at: int) -> int:
    """Where the next thing that is no blank stands; -1 at the end of the file."""
    while not (match := _SOLID.search(window.data, at)):
        if not window.more(len(window.data)):
            return -1
        at = 0
    return match.start()


def _end(window: _Window, at: int) -> tuple[int, int]:
    """Where the object that opens at ``at`` begins and ends; what is never closed ends with the file."""
    depth, position = 0, at
    while True:
        for match in _INSIDE.finditer(window.data, position):
            sign = match[0]
            if sign == b'"':
                position = match.start()
                break
            depth += (sign in (b"{", b"[")) - (sign in (b"}", b"]"))
            if depth == 0:
                return at, match.end()
            position = match.end()
        else:
            position = len(window.data)
        if len(window.data) - at > MAX_OBJECT:
            raise _too_long(window, at)
        position, kept = position - at, at
        at = 0
        if not window.more(kept):
            return 0, len(window.data)


def _too_long(window: _Window, at: int) -> DecodeError:
    line, column = window.place(at)
    detail = f"an object of more than {MAX_OBJECT} bytes; expected documents of a size that one message may have"
    return DecodeError(detail, code="too_long", position=f"line {line}, column {column}")


def _unexpected(window: _Window, at: int, expected: str) -> DecodeError:
    line, column = window.place(at)
    seen = window.data[at : at + 1].decode("utf-8", "replace")
    position = f"line {line}, column {column}"
    return DecodeError(f"expected {expected}, found '{seen}'", code="json", position=position, expected=expected)
