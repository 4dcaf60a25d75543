"""Bytes of a bank's text file to lines, in constant memory, whatever its line ends and its code page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hub.formats import Option

MAX_LINE = 65_536
MAX_RAW = 65_536
ENCODINGS = (
    "auto", "ascii", "utf-8", "latin-1", "iso-8859-2", "iso-8859-15", "windows-1250", "windows-1252", "cp850", "cp852",
)  # fmt: skip
ENCODING = Option(
    "encoding", "choice", "auto", ENCODINGS,
    "Of its characters. Reading, `auto`: UTF-8 where a line has its form, else Windows-1252; writing, `auto`: nothing "
    "beyond what the format itself allows",
)  # fmt: skip
STRICT = Option("strict", "boolean", False, (), "What is only tolerated, the known oddities of banks, is an error")

_MARK = b"\xef\xbb\xbf"
_ENDS = "\r\x00\x01\x03\x1a"  # of lines: also what transmissions and old systems leave behind
_UNREADABLE = re.compile("[\ud800-\udfff]")
_DOUBTFUL = re.compile("[\x80-\x9f]")


@dataclass(slots=True)
class TextLine:
    """One line without its end. ``is_cut``: it was longer than the limit, and the rest was thrown away."""

    number: int
    text: str
    raw: bytes
    is_cut: bool = False


@dataclass(slots=True)
class Beginning:
    """The first bytes of some lines: what is told of a record that cannot be read."""

    _lines: list[bytes] = field(default_factory=list)
    _size: int = 0

    def keep(self, line: TextLine) -> None:
        if self._size < MAX_RAW:
            self._lines.append(line.raw)
            self._size += len(line.raw) + 1

    @property
    def raw(self) -> bytes:
        return b"\n".join(self._lines)[:MAX_RAW]


def text_lines(chunks: Iterable[bytes], encoding: str) -> Iterator[TextLine]:
    """Every line, blank ones too. A byte that the encoding does not have becomes a lone surrogate, which
    ``unreadable`` finds, so that it spoils its own statement only."""
    number, parts, held = 1, list[bytes](), 0
    for chunk in _one_end(chunks):
        *complete, rest = chunk.split(b"\n")
        for piece in complete:
            if parts:
                piece, parts, held = b"".join((*parts, piece)), [], 0
            yield _line(number, piece, encoding)
            number += 1
        if held <= MAX_LINE and rest:
            parts.append(rest)
            held += len(rest)
    if held:
        yield _line(number, b"".join(parts), encoding)


def _line(number: int, raw: bytes, encoding: str) -> TextLine:
    if number == 1:
        raw = raw.removeprefix(_MARK)
    if len(raw) > MAX_LINE:
        return TextLine(number, _text(raw[:MAX_LINE], encoding).strip(_ENDS), raw[:MAX_LINE], True)
    return TextLine(number, _text(raw, encoding).strip(_ENDS), raw)


def unreadable(text: str) -> tuple[int, str] | None:
    """Column and hexadecimal value of the first byte of a line that the encoding does not have."""
    if text.isascii():
        return None
    match = _UNREADABLE.search(text)
    return (match.start() + 1, f"0x{ord(match.group()) & 0xFF:02X}") if match else None


def doubtful(text: str) -> tuple[int, str] | None:
    """The same of the first byte that Windows-1252 leaves open: the line is of another code page, such as cp850."""
    if text.isascii():
        return None
    match = _DOUBTFUL.search(text)
    return (match.start() + 1, f"0x{ord(match.group()):02X}") if match else None


def _one_end(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""The chunks with \n for each line end; a \r at the end of a chunk may be the first half of \r\n."""
    held = b""
    for chunk in chunks:
        chunk = held + chunk
        held = b"\r" if chunk.endswith(b"\r") else b""
        chunk = chunk.removesuffix(b"\r")
        yield chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in chunk else chunk
    if held:
        yield b"\n"


def _text(raw: bytes, encoding: str) -> str:
    if raw.isascii():
        return raw.decode("ascii")
    if encoding != "auto":
        return raw.decode(encoding, "surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1" if _has_open(raw) else "cp1252")


def _has_open(raw: bytes) -> bool:
    """Whether there is one of the five bytes that Windows-1252 leaves open."""
    return any(byte in raw for byte in b"\x81\x8d\x8f\x90\x9d")
