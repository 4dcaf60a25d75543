"""Line ends within texts, in every format that is XML."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import reduce
from typing import Any

import pytest

from hub.errors import DecodeError, MappingError
from hub.formats import codec


def texts_of(document: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every text."""
    if isinstance(document, str):
        yield path
    elif isinstance(document, dict | list):
        for step, value in document.items() if isinstance(document, dict) else enumerate(document):
            yield from texts_of(value, (*path, step))


@pytest.mark.parametrize("name", ["xml", "soap", "idoc", "ubl", "cii", "pain", "camt053"])
def test_line_ends_within_a_text_come_back_as_they_were_written(name: str) -> None:
    """A carriage return that stands in XML as it is comes back as a line feed."""
    format, text, kept = codec(name), "one\r\nother\rthird\nlast", 0
    for path in texts_of(format.EXAMPLE[1]):
        document = copy.deepcopy(format.EXAMPLE[1])
        within = reduce(lambda value, step: value[step], path[:-1], document)
        within[path[-1]] = text
        try:
            raw = format.encode_one(document, {})
            found: Any = format.decode_one(raw, {})
        except (MappingError, DecodeError):
            continue  # no free text
        if b"&#13;" in raw or b"\r" in raw:
            assert reduce(lambda value, step: value[step], path, found) == text, path
            kept += 1
    assert kept
