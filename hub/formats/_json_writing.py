"""Documents to JSON text: decimals as the numbers they are, without exponents, and never a binary float, NaN or
infinity."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

import msgspec

from hub.errors import MappingError
from hub.formats._decimals import MAX_DIGITS, without_exponent
from hub.formats._json_text import holds_digits

_write = msgspec.json.Encoder(decimal_format="number").encode
_pack = msgspec.msgpack.Encoder().encode
_FLOAT_MARK = b"\xcb"  # MessagePack's type byte of a 64-bit float
_PLAIN = (str, int, bool, type(None))
_EXPONENT = re.compile(rb"E[+-](?<=[0-9]E.)[0-9]")  # begins with what is rare
# Digits in a row: of the 50 of a quotient as many stand before the point or behind it.
_LONG_RUN = 32
_LARGEST_WHOLE = 10**MAX_DIGITS


def encode_document(document: Any, indent: int) -> bytes:
    """The text of one document; ``indent`` blanks per level, 0 compact. Raises MappingError with the path."""
    try:
        text = _write(document)
        if _may_be_inexact(document, text):
            _refuse_inexact(document)
    except (OverflowError, UnicodeEncodeError, TypeError, RecursionError):
        _refuse_inexact(document)
        text = _again(document)
    text = _written_out(document, text)
    return msgspec.json.format(text, indent=indent) if indent else text


def encode_exactly(document: Any) -> bytes:
    """The same, compact, of a document in which every number is known to be exact; what else JSON cannot carry is
    refused as well."""
    try:
        return _written_out(document, _write(document))
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


def _written_out(document: Any, text: bytes) -> bytes:
    """The text as other readers, and the hub itself, read it: no exponent, at most 40 digits. Looking for that in the
    text costs little, and a false alarm no more than a walk through the document."""
    is_written_out = _EXPONENT.search(text) is None and not holds_digits(text, _LONG_RUN)
    return text if is_written_out else _write(_plainly("", document))


def _plainly(path: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plainly(f"{path}.{key}".lstrip("."), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plainly(f"{path}[{index}]", item) for index, item in enumerate(value)]
    if isinstance(value, Decimal) or (isinstance(value, int) and abs(value) >= _LARGEST_WHOLE):
        try:
            return msgspec.Raw(without_exponent(Decimal(value)).encode())
        except ValueError as error:
            _refuse(path, str(error), f"at most {MAX_DIGITS} digits; round it")
    return value


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
