"""The elements of a list somewhere in a JSON text, each as the bytes it was written with and where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from hub.formats._json_fault import malformed
from hub.formats._json_text import Flaw, place, repeated_key
from hub.yamldoc import did_you_mean

_any = msgspec.json.Decoder(msgspec.Raw).decode
_list_of = msgspec.json.Decoder(list[msgspec.Raw]).decode
_members_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_KEY = re.compile(rb'[\s,]*+"[^"\\]*+(?:\\.[^"\\]*+)*+"\s*+:\s*+', re.DOTALL)
_SEPARATOR = re.compile(rb"[\s,]*+")


class Element(NamedTuple):
    """One element: the byte, line and column it begins at, and its text."""

    offset: int
    line: int
    column: int
    raw: bytes


class Part(NamedTuple):
    """A value within a JSON text and the byte it begins at."""

    offset: int
    raw: bytes


def document(raw: bytes) -> Part | None:
    """The whole of a JSON text; None where it is none."""
    start = len(raw) - len(raw.lstrip())
    return Part(start, raw[start:]) if raw[start:] else None


def members_of(part: Part) -> dict[str, Part]:
    """The members of an object with where they begin. Raises Flaw where it cannot be read."""
    return _places(part, _read(_members_of, part.raw))


def elements_of(part: Part) -> list[Part]:
    """The elements of a list with where they begin. Raises Flaw where it cannot be read."""
    found = _each(part.raw, 1, _read(_list_of, part.raw))
    return [Part(part.offset + element.offset, element.raw) for element in found]


def elements(raw: bytes, path: str) -> Iterator[Element]:
    """The elements of the list at ``path`` (``.`` is the document itself). Raises Flaw at once when there is none."""
    _read(_any, raw)
    start = len(raw) - len(raw.lstrip())
    part, walked = Part(start, raw[start:]), ""
    for name in [name for name in path.split(".") if name]:
        part = _member(part, name, walked)
        walked = f"{walked}.{name}".lstrip(".")
    if part.raw[:1] != b"[":
        raise _unexpected(part, "a list", walked)
    return _each(raw, part.offset + 1, _read(_list_of, part.raw))


def _each(raw: bytes, cursor: int, found: list[msgspec.Raw]) -> Iterator[Element]:
    line, column, counted = 1, 1, 0
    for item in found:
        text = bytes(item)
        cursor = _after(_SEPARATOR, raw, cursor)
        lines, more = place(raw[counted:cursor], cursor - counted)
        line, column, counted = line + lines - 1, more if lines > 1 else column + more - 1, cursor
        yield Element(cursor, line, column, text)
        cursor += len(text)


def _member(part: Part, name: str, walked: str) -> Part:
    if part.raw[:1] != b"{":
        raise _unexpected(part, "an object", walked)
    places = _places(part, _read(_members_of, part.raw))
    if name not in places:
        where = f"in '{walked}'" if walked else "in the document"
        raise Flaw(part.offset, f"no member '{name}' {where}{did_you_mean(name, places)}", code="no_records")
    return places[name]


def _places(part: Part, members: dict[str, msgspec.Raw]) -> dict[str, Part]:
    """Where each member's value begins. A key that stands twice shows as a member more than the parser kept."""
    places: dict[str, Part] = {}
    cursor = 1
    for key, value in members.items():
        text = bytes(value)
        cursor = _after(_KEY, part.raw, cursor)
        if not part.raw.startswith(text, cursor):
            break
        places[key] = Part(part.offset + cursor, text)
        cursor += len(text)
    end = _after(_SEPARATOR, part.raw, cursor)
    if part.raw[end : end + 1] != b"}":
        raise repeated_key(part.raw, part.offset)
    return places


def _after(pattern: re.Pattern[bytes], raw: bytes, cursor: int) -> int:
    match = pattern.match(raw, cursor)
    return match.end() if match else cursor


def _read(decode: Callable[[bytes], Any], raw: bytes) -> Any:
    try:
        return decode(raw)
    except msgspec.DecodeError as error:
        raise malformed(raw, str(error)) from None
    except UnicodeDecodeError:
        raise malformed(raw, "") from None
    except RecursionError:
        raise Flaw(-1, "nested too deep", code="too_deep") from None


_KINDS = {b"{": "an object", b"[": "a list", b'"': "a text", b"t": "true", b"f": "false", b"n": "null"}


def _unexpected(part: Part, expected: str, walked: str) -> Flaw:
    what = f"'{walked}'" if walked else "the document"
    seen = _KINDS.get(part.raw[:1], "a number")
    return Flaw(part.offset, f"{what} is {seen}; expected {expected}", code="no_records", expected=expected)
