"""Documents to JSON text: decimals as the numbers they are, and never a binary float, NaN or infinity."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

import msgspec

from hub.errors import MappingError

_write = msgspec.json.Encoder(decimal_format="number").encode
_pack = msgspec.msgpack.Encoder().encode
_FLOAT_MARK = b"\xcb"  # MessagePack's type byte of a 64-bit float
_PLAIN = (str, int, bool, type(None))


def encode_document(document: Any, indent: int) -> bytes:
    """The text of one document; ``indent`` blanks per level, 0 compact. Raises MappingError with the path."""
    try:
        text = _write(document)
        if _may_be_inexact(document, text):
            _refuse_inexact(document)
    except (OverflowError, UnicodeEncodeError, TypeError, RecursionError):
        _refuse_inexact(document)
        text = _again(document)
    return msgspec.json.format(text, indent=indent) if indent else text


def encode_exactly(document: Any) -> bytes:
    """The same, compact, of a document in which every number is known to be exact; what else JSON cannot carry is
    refused as well."""
    try:
        return _write(document)
    except (OverflowError, UnicodeEncodeError, TypeError, RecursionError):
        return encode_document(document, 0)


def encode_list(documents: list[Any], path: str, indent: int) -> bytes:
    """The documents as a list under a path (``data.orders``), ``.`` for the list alone."""
    whole: Any = documents
    for name in reversed([name for name in path.split(".") if name]):
        whole = {name: whole}
    return encode_document(whole, indent)


def _may_be_inexact(document: Any, text: bytes) -> bool:
    """A float always leaves its mark in MessagePack, which is packed at C speed; looking for one byte costs nothing,
    for a word a little. A false alarm costs the walk through the document and nothing else."""
    if _FLOAT_MARK in _pack(document):
        return True
    return (b"N" in text and b"NaN" in text) or (b"I" in text and b"Infinity" in text)


def _again(document: Any) -> bytes:
    """An integer beyond 64 bits stops the check, not the writing."""
    try:
        return _write(document)
    except (TypeError, RecursionError):
        _refuse("", "a value", "text, numbers, true, false, null, lists and mappings, at most 100 deep")


def _refuse_inexact(document: Any) -> None:
    for path, value in _values("", document, 0):
        if isinstance(value, float):
            _refuse(path, "a binary float", "a decimal; compute with dec()")
        if isinstance(value, Decimal) and not value.is_finite():
            _refuse(path, "not a number", "a decimal number or null")
        if isinstance(value, str) and not _is_text(value):
            _refuse(path, "half of a surrogate pair", "text that can be written as UTF-8")
        if not isinstance(value, (*_PLAIN, Decimal, float)) and not _can_write(value):
            _refuse(path, "a value that JSON does not have", "text, a number, true, false, null, a list or a mapping")


def _values(path: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > 100:
        _refuse(path[:80], "nesting deeper than 100", "at most 100 levels")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or not _is_text(key):
                _refuse(path, "a key that is not text", "text keys")
            yield from _values(f"{path}.{key}".lstrip("."), item, depth + 1)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _values(f"{path}[{index}]", item, depth + 1)
    else:
        yield path, value


def _can_write(value: Any) -> bool:
    try:
        _write(value)
    except TypeError:
        return False
    return True


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _refuse(path: str, seen: str, expected: str) -> NoReturn:
    where = path or "the document"
    raise MappingError(f"{where}: {seen}; expected {expected}", code="encode", field_path=path, expected=expected)
