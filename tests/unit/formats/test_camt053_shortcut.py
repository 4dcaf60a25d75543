"""Entries that the XML reader never sees: whatever stands in a file, it is read as if the reader had seen all of it."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from typing import Any
from unittest import mock

import pytest

from benchmarks.xml_bank_samples import statement
from hub.errors import DecodeError
from hub.formats import BadRecord, _camt_reading, camt053
from hub.formats._camt_shortcut import without_known

ONE_LINE = b"".join(statement(24))
INDENTED = re.sub(rb"><(?!/)", b">\n  <", ONE_LINE)
WINDOWS = re.sub(rb"><", b">\r\n<", ONE_LINE)
PREFIXED = re.sub(rb"<(/?)(?=[A-Z])", rb"<\1b:", ONE_LINE).replace(b"xmlns=", b"xmlns:b=")
FILES = {"one line": ONE_LINE, "indented": INDENTED, "windows": WINDOWS, "prefixed": PREFIXED}
ENTRY = re.compile(rb"<(?:b:)?Ntry>.*?</(?:b:)?Ntry>", re.DOTALL)
ODD = (
    b"<", b">", b"&", b"&amp;", b"&lt;x&gt;", b"&#65;", b"&quot;", b"&none;", b"]]>", b"<!-- </Ntry> -->",
    b"<![CDATA[</Ntry>]]>", b"<?x </Ntry>?>", b"\x00", b"\x0b", b"\xff", b"\xc3\xa9", b"\xef\xbf\xbf", b"\r", b"\r\n",
    b" ", b"x", b"-", b",", b"<Ntry>", b"</Ntry>", b"<Ntry/>", b"</Stmt>", b"<x/>", b"NOTPROVIDED",
)  # fmt: skip


def read(raw: bytes, size: int) -> list[Any]:
    """What is made of a file that comes in pieces of a size, with all faults and their places."""
    told: list[Any] = []
    try:
        for record in camt053.decode([raw[at : at + size] for at in range(0, len(raw), size)], {}):
            if isinstance(record, BadRecord):
                told.append((str(record.error), record.position, getattr(record.error, "faults", ())))
            else:
                told.append((record.value, record.position, list(record.faults)))
    except DecodeError as error:
        told.append((str(error), error.position))
    return told


def seen(raw: bytes, size: int) -> tuple[int, list[Any]]:
    """How many entries the reader has seen, and what was made of the file."""
    tags: list[int] = []

    def counted(chunks: Iterable[bytes], current: Any) -> Iterator[bytes]:
        for piece in without_known(chunks, current):
            tags.append(piece.count(b"<b:Ntry>") + piece.count(b"<Ntry>"))
            yield piece

    with mock.patch.object(_camt_reading, "without_known", counted):
        told = read(raw, size)
    return sum(tags), told


@pytest.mark.parametrize("name", FILES)
def test_the_reader_sees_few_of_many_like_entries(name: str) -> None:
    raw = FILES[name]
    count, told = seen(raw, 2_000)
    assert 0 < count < 20
    assert told == seen(raw, len(raw))[1] and len(told[0][0]["entries"]) == 24


@pytest.mark.parametrize("seed", range(40))
def test_what_is_odd_is_read_and_told_as_by_the_reader_alone(seed: int) -> None:
    chance = random.Random(seed)
    raw = chance.choice(list(FILES.values()))
    for _ in range(25):
        begin, end = chance.choice([found.span() for found in ENTRY.finditer(raw)][4:])
        at = chance.randrange(begin, end + 1)
        changed = chance.choice(
            (raw[:at] + chance.choice(ODD) + raw[at:], raw[:at] + raw[end:], raw[:at], raw[:end] + raw[begin:])
        )
        assert read(changed, chance.choice((60, 700, 2_000))) == read(changed, len(changed))


def test_bytes_of_another_encoding_are_left_to_the_reader() -> None:
    raw = ONE_LINE.replace(b"UTF-8", b"ISO-8859-1")
    assert raw != ONE_LINE
    raw = raw.replace(b"</Nm>", "é".encode() + b"</Nm>")  # right in UTF-8 too
    assert read(raw, 2_000) == read(raw, len(raw))
    assert "Ã©" in str(read(raw, 2_000)) and "é" not in str(read(raw, 2_000))


def test_entries_in_a_comment_are_none() -> None:
    found = list(ENTRY.finditer(ONE_LINE))[6]
    hidden = b"<!-- </Ntry>" + 3 * found[0] + b" -->"
    raw = ONE_LINE[: found.end()] + hidden + ONE_LINE[found.end() :]
    assert read(raw, 2_000) == read(ONE_LINE, len(ONE_LINE))
    assert read(raw, 700) == read(ONE_LINE, len(ONE_LINE))
