"""Bytes of a CSV file to lines of text, in constant memory, whatever the encoding and the line ends."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

from hub.errors import DecodeError

MAX_LINE = 10_000_000
ENCODINGS = (
    "auto", "utf-8", "utf-16", "latin-1", "iso-8859-2", "iso-8859-15", "windows-1250", "windows-1252", "cp850",
)  # fmt: skip

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# In an encoding of one byte a character these would be text: a header, and often no rows.
_PACKED = ((b"\x1f\x8b\x08", "gzip"), (b"PK\x03\x04", "a ZIP archive"))
# What str.splitlines takes for a line end and CSV does not.
_OTHER_ENDS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_UNREADABLE = re.compile("[\ud800-\udfff]")


def text_lines(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    """Lines with their ends (CR LF, LF or CR). A byte that the encoding does not have becomes a lone surrogate, which
    ``unreadable_byte`` finds, so that it spoils its own line only. Raises DecodeError for what is packed, a broken
    UTF-16 or a line of more than 10 million characters."""
    number, rest = 1, ""
    for text in _texts(iter(chunks), encoding):
        lines = _split(rest + text)
        # A CR at the very end may be the first half of CR LF.
        rest = lines.pop() if lines and not lines[-1].endswith("\n") else ""
        yield from lines
        number += len(lines)
        if len(rest) > MAX_LINE:
            detail = f"a line of more than {MAX_LINE} characters"
            raise DecodeError(detail, code="too_long", position=f"line {number}", expected="line ends")
    yield from _split(rest)


def unreadable_byte(line: str) -> tuple[int, str] | None:
    """Column and hexadecimal value of the first byte of a line that the encoding does not have."""
    match = _UNREADABLE.search(line)
    return (match.start() + 1, f"0x{ord(match.group()) & 0xFF:02X}") if match else None


def raw_bytes(text: str, encoding: str) -> bytes:
    """The bytes a text was read from."""
    if encoding == "utf-16":
        return text.encode("utf-16-le")
    return text.encode("utf-8" if encoding == "auto" else encoding, "surrogateescape")


def _texts(chunks: Iterator[bytes], encoding: str) -> Iterator[str]:
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) > 3:
            break
    for magic, kind in _PACKED:
        if head.startswith(magic):
            hint = "have it sent unpacked: the hub unpacks nothing"
            raise DecodeError(f"this is {kind}, and no CSV", code="packed", expected="text", hint=hint)
    mark, name = _detect(head, encoding)
    decoder = codecs.getincrementaldecoder(name)("strict" if name.startswith("utf-16") else "surrogateescape")
    read = 0
    try:
        for chunk in _with_head(head[len(mark) :], chunks):
            read += len(chunk)
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        start = len(mark) + read - len(error.object) + error.start
        detail = f"not UTF-16 from byte {start + 1} on"
        raise DecodeError(detail, code="encoding", expected="UTF-16") from None


def _with_head(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from chunks


def _detect(head: bytes, encoding: str) -> tuple[bytes, str]:
    """The byte order mark to leave out, and the encoding: a mark decides where the option leaves it open."""
    family = {"auto": "utf", "utf-8": "utf-8", "utf-16": "utf-16"}.get(encoding)
    for mark, name in _MARKS:
        if family and head.startswith(mark) and name.startswith(family):
            return mark, name
    return b"", {"auto": "utf-8", "utf-16": "utf-16-le"}.get(encoding, encoding)


def _split(text: str) -> list[str]:
    if any(end in text for end in _OTHER_ENDS):
        return _LINE.findall(text)
    return text.splitlines(keepends=True)
