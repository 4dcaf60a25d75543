"""Bytes in chunks to lines, in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

MAX_LINE = 10_000_000


class Line(msgspec.Struct, frozen=True):
    """One line without its end. ``is_cut`` says that it was longer than the limit and the rest was thrown away."""

    number: int
    raw: bytes
    is_cut: bool = False


def split_lines(chunks: Iterable[bytes], limit: int = MAX_LINE) -> Iterator[Line]:
    r"""Lines that end with \n or \r\n, the last one also with nothing."""
    number, parts, held = 1, list[bytes](), 0
    for chunk in chunks:
        *complete, rest = chunk.split(b"\n")
        for piece in complete:
            yield _line(number, b"".join((*parts, piece)), limit)
            number, parts, held = number + 1, [], 0
        if held <= limit:
            parts.append(rest)
            held += len(rest)
    if held:
        yield _line(number, b"".join(parts), limit)


def _line(number: int, raw: bytes, limit: int) -> Line:
    return Line(number, raw[:limit], True) if len(raw) > limit else Line(number, raw.removesuffix(b"\r"))
