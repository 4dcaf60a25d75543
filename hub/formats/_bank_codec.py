"""What a codec of a text format of banks consists of, made of the parts that differ: its reader, writer and places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from hub.formats import BadRecord, Places, Record, only_record
from hub.formats._bank_lines import TextLine, text_lines
from hub.formats._bank_pages import PAGE
from hub.formats._bank_places import BankPlaces, nowhere, pieces, places_at
from hub.formats._bank_writing import in_shape, refusal
from hub.outline import Outline


class Reader(Protocol):
    """Reads the lines of one file."""

    def records(self, lines: Iterable[TextLine]) -> Iterator[Record | BadRecord]: ...


class BankCodec(msgspec.Struct, frozen=True):
    """``reader`` is made anew for each file, of ``strict`` and ``part``; ``write`` raises MappingError for what the
    format cannot carry; ``fill`` looks for the places of a document in its lines."""

    reader: Callable[[bool, int], Reader]
    write: Callable[[Iterable[Any], Mapping[str, Any]], bytes]
    fill: Callable[[BankPlaces, Iterable[TextLine]], BankPlaces]
    outline: Outline

    def decode(self, chunks: Iterable[bytes], options: Mapping[str, Any]) -> Iterator[Record | BadRecord]:
        """Every statement. Raises DecodeError where there is none."""
        reader = self.reader(options.get("strict", False), options.get("part", PAGE.default))
        return reader.records(text_lines(chunks, options.get("encoding", "auto")))

    def decode_one(self, raw: bytes, options: Mapping[str, Any]) -> Any:
        """The one statement of a file. Raises DecodeError when there are more or none."""
        return only_record(self.decode([raw], options))

    def encode(self, documents: Iterable[Any], options: Mapping[str, Any]) -> bytes:
        """One file with all statements. Raises MappingError for what the format cannot carry."""
        try:
            return self.write((in_shape(document, self.outline) for document in documents), options)
        except (KeyError, TypeError, AttributeError) as error:
            told = f"{error.args[0]} is missing" if isinstance(error, KeyError) else "a field is of another kind"
            raise refusal("", f"not a whole statement: {told[:60]}", "what the reference tells of statements") from None

    def encode_one(self, document: Any, options: Mapping[str, Any]) -> bytes:
        """A file with one statement."""
        return self.encode([document], options)

    def places(self, raw: bytes, options: Mapping[str, Any], index: int) -> Places:
        """Where the values of one statement stand: line and column, field and subfield."""
        found = places_at(self.decode(pieces(raw), options), index)
        return self.fill(found, text_lines(pieces(raw), options.get("encoding", "auto"))) if found else nowhere

    def outline_of(self, options: Mapping[str, Any]) -> Outline:
        """What statements look like."""
        return self.outline
