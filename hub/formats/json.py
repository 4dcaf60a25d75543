"""JSON (RFC 8259), exact: decimals stay decimals, a key that stands twice is refused, so are NaN and endless numbers.

One body is one document; ``records`` makes many out of a list in it, ``lines`` out of one document per line (NDJSON).
Limits: nesting 100, 40 digits, exponent 20; the size of the body is bounded by who hands it in, a line's is 10 MB.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from hub.errors import DecodeError
from hub.formats import BadRecord, Option, Places, Record, only_record
from hub.formats._json_fault import malformed
from hub.formats._json_list import elements
from hub.formats._json_places import JsonPlaces
from hub.formats._json_stream import pieces, shifted
from hub.formats._json_text import Flaw, check_depth, check_digits, check_number, number_offset, oversized, repeated_key
from hub.formats._json_writing import encode_document, encode_exactly, encode_list
from hub.formats._lines import Line, split_lines

OPTIONS = (
    Option("records", "path", description="the list whose elements are the records: `data.orders`, `.` for a whole "
           "document that is a list; default: the whole document is one record"),
    Option("lines", "boolean", False, description="one document per line (NDJSON); a bad line spares the others"),
    Option("indent", "integer", 0, description="blanks per level when writing; 0 writes compact"),
)  # fmt: skip
CONTENT_TYPES = ("application/json", "application/x-ndjson", "application/jsonl", "text/json")
EXAMPLE = (b'{"order_id":"4711","total":129.90}', {"order_id": "4711", "total": Decimal("129.90")})

_BOM = b"\xef\xbb\xbf"
_MAX_RAW = 65_536
_MAX_KNOWN = 4096
_SHORT = 41  # 40 digits and a point: a longer text, or one with an exponent, is looked at more closely
# The one escape that makes a colon out of none.
_ESCAPED_COLON = re.compile(rb"\\u003[aA]")


def decode(chunks: Iterable[bytes], options: Mapping[str, Any]) -> Iterator[Record | BadRecord]:
    """The documents of a body. NDJSON is read in constant memory, everything else as a whole."""
    if options.get("lines"):
        yield from _decode_lines(chunks)
    elif path := options.get("records"):
        yield from _decode_list(b"".join(chunks), path)
    else:
        yield Record(_located(b"".join(chunks)))


def decode_one(raw: bytes, options: Mapping[str, Any]) -> Any:
    """The document of a body. Raises DecodeError with line and column."""
    if options and (options.get("lines") or options.get("records")):
        return only_record(decode([raw], options))
    return _located(raw)


def decode_any(chunks: Iterable[bytes]) -> Iterator[Record | BadRecord]:
    """The objects of a file, be it one, a list or one a line; in twice the memory of the largest. Raises DecodeError
    where something else stands between them."""
    for index, piece in enumerate(pieces(chunks)):
        position = f"line {piece.line}"
        try:
            yield Record(_located(piece.raw), position, index)
        except DecodeError as error:
            yield BadRecord(shifted(error, piece), piece.raw[:_MAX_RAW], position, index)


def encode(documents: Iterable[Any], options: Mapping[str, Any]) -> bytes:
    """One document as it is; several as NDJSON where ``lines`` says so, else as a list (under the path ``records``)."""
    if options.get("lines"):
        return b"".join(encode_document(document, 0) + b"\n" for document in documents)
    if path := options.get("records"):
        return encode_list(list(documents), path, options.get("indent", 0))
    every = list(documents)
    return encode_document(every[0] if len(every) == 1 else every, options.get("indent", 0))


def encode_one(document: Any, options: Mapping[str, Any]) -> bytes:
    """One document, compact, in the order of its keys. Raises MappingError for a float or what JSON cannot carry."""
    return encode([document], options) if options else encode_document(document, 0)


def encode_exact(document: Any, options: Mapping[str, Any]) -> bytes:
    """``encode_one`` without the search for binary floats and infinities in it."""
    return encode([document], options) if options else encode_exactly(document)


def together(options: Mapping[str, Any]) -> dict[str, Any]:
    """Lines stay lines; else a list, also of one."""
    return dict(options) if options.get("lines") or options.get("records") else {**options, "records": "."}


def places(raw: bytes, options: Mapping[str, Any], index: int) -> Places:
    """Where the values of one record stand: line, column and byte."""
    return JsonPlaces(raw, options, index)


class _Oversized(Exception):
    """A decimal beyond the limits; its text and what is wrong. Not a ValueError, which the parser would rename."""


def _checked(text: str) -> Decimal:
    if fault := check_number(text):
        raise _Oversized(text, fault)
    return Decimal(text)


class _Decimals(dict[str, Decimal]):
    """The decimal of a text. The first few thousand short ones are kept: rates and prices come again and again."""

    def __missing__(self, text: str) -> Decimal:
        if len(text) > _SHORT or "e" in text or "E" in text:
            return _checked(text)
        value = Decimal(text)
        if len(self) < _MAX_KNOWN:
            self[text] = value
        return value


_parse = msgspec.json.Decoder(float_hook=_Decimals().__getitem__).decode
_write_into = msgspec.json.Encoder(decimal_format="number").encode_into


def _document(raw: bytes) -> Any:
    """The value of a JSON text. Raises Flaw with a byte offset."""
    check_digits(raw)
    try:
        value = _parse(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, _Oversized) as error:
        check_depth(raw)
        raise _flaw(raw, error) from None
    check_depth(raw, value)
    _check_keys(raw, value)
    return value


def _flaw(raw: bytes, error: Exception) -> Flaw:
    match error:
        case _Oversized(args=(text, fault)):
            return oversized(number_offset(raw, text), fault)
        case RecursionError():
            return Flaw(-1, "nested too deep", code="too_deep")
        case msgspec.DecodeError():
            return malformed(raw, str(error))
    return malformed(raw, "")


def _check_keys(raw: bytes, value: Any) -> None:
    """The parser keeps the last of two equal keys in silence. Written again, a dropped member misses its colon."""
    written = bytearray(len(raw))
    _write_into(value, written)
    if written != raw and written.count(b":") != raw.count(b":") + _escaped_colons(raw):
        check_depth(raw)  # what was dropped may have been too deep
        raise repeated_key(raw)


def _escaped_colons(raw: bytes) -> int:
    if b"\\" not in raw or _ESCAPED_COLON.search(raw) is None:
        return 0
    return len(_ESCAPED_COLON.findall(raw.replace(b"\\\\", b"")))


def _located(raw: bytes) -> Any:
    raw = raw.removeprefix(_BOM)
    try:
        return _document(raw)
    except Flaw as flaw:
        raise flaw.located(raw) from None


def _decode_lines(chunks: Iterable[bytes]) -> Iterator[Record | BadRecord]:
    index = 0
    for line in split_lines(chunks):
        raw = line.raw.removeprefix(_BOM) if line.number == 1 else line.raw
        if raw.strip():
            yield _line_record(line, raw, index)
            index += 1


def _line_record(line: Line, raw: bytes, index: int) -> Record | BadRecord:
    position = f"line {line.number}"
    try:
        if line.is_cut:
            raise Flaw(len(raw), f"a line of more than {len(raw)} bytes", code="too_long", expected="a shorter line")
        return Record(_document(raw), position, index)
    except Flaw as flaw:
        return BadRecord(flaw.located(raw, line.number), raw[:_MAX_RAW], position, index)


def _decode_list(raw: bytes, path: str) -> Iterator[Record | BadRecord]:
    raw = raw.removeprefix(_BOM)
    try:
        found = elements(raw, path)
    except Flaw as flaw:
        raise flaw.located(raw) from None
    for index, (_, line, column, element) in enumerate(found):
        position = f"line {line}"
        try:
            yield Record(_document(element), position, index)
        except Flaw as flaw:
            yield BadRecord(flaw.located(element, line, column), element[:_MAX_RAW], position, index)
