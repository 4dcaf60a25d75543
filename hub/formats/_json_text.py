"""A JSON text as written: bounds checked at C speed around parsing it, and places in it for the words of an error.

A sample of the bytes and a count of brackets prove a usual text harmless. What they do not prove is read whole, a fixed
number of times, with ``bytes`` methods, so that it cannot be made slow. The token walk below runs only for a text that
has already failed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from gc import get_referents
from itertools import islice
from typing import Any, NamedTuple

from msgspec import json as msgspec_json

from hub.errors import DecodeError
from hub.formats._decimals import MAX_DIGITS

MAX_DEPTH = 100
MAX_EXPONENT = 20

# Digits become 0, brackets ( or ), quotes and backslashes stay; everything else becomes a blank.
_ROLES = {**dict.fromkeys(b"0123456789", b"0"), **dict.fromkeys(b"{[", b"("), **dict.fromkeys(b"}]", b")")}
_SHAPE = b"".join(_ROLES.get(byte, bytes([byte]) if byte in b'"\\' else b" ") for byte in range(256))
_TOO_LONG = b"0" * (MAX_DIGITS + 1)
_SAMPLE = 8  # who looks at every eighth byte sees an eighth of the digits of a number at least
_TOO_DEEP = b"(" * (MAX_DEPTH + 1)
_SLICE = 1 << 20
_WALK_LIMIT = 500_000

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]:"]|[-+0-9.][-+.0-9A-Za-z]*+|[A-Za-z]++', re.DOTALL)
_NUMBER = re.compile(rb"-?([0-9]+)(?:\.([0-9]+))?(?:[eE][+-]?0*([0-9]*))?")


class Flaw(Exception):
    """What is wrong in a JSON text and at which byte; -1 where the place is not known."""

    def __init__(
        self, offset: int, detail: str, *, code: str = "", expected: str = "", hint: str = "", cause: str = "",
        quoted: str = "",
    ) -> None:  # fmt: skip
        super().__init__(detail)
        self.offset, self.detail, self.cause = offset, detail, cause
        self.code, self.expected, self.hint, self.quoted = code, expected, hint, quoted

    def located(self, raw: bytes, first_line: int = 1, first_column: int = 1) -> DecodeError:
        """The error for a user: line and column in the faulty text, which begins where it is said to."""
        position = ""
        if self.offset >= 0:
            line, column = place(raw, self.offset)
            column += first_column - 1 if line == 1 else 0
            position = f"line {line + first_line - 1}, column {column}"
        return DecodeError(
            self.detail, code=self.code, position=position, expected=self.expected, hint=self.hint, cause=self.cause,
            quoted=(self.quoted,),
        )  # fmt: skip


class Token(NamedTuple):
    """One piece of a JSON text: a text with its quotes, a bracket, a colon, a number or a word."""

    offset: int
    text: bytes


def place(raw: bytes, offset: int) -> tuple[int, int]:
    """Line and column of a byte, both from 1; columns count characters."""
    start = raw.rfind(b"\n", 0, offset) + 1
    return raw.count(b"\n", 0, offset) + 1, len(raw[start:offset].decode("utf-8", "replace")) + 1


def check_digits(raw: bytes) -> None:
    """Raises Flaw for a whole number longer than 40 digits; decimals: ``check_number``."""
    if holds_digits(raw, MAX_DIGITS + 1) and _has_long_number(raw):
        raise _long_number(raw)


def holds_digits(raw: bytes, run: int) -> bool:
    """Whether so many digits stand side by side anywhere, also in a text."""
    return b"0" * (run // _SAMPLE) in raw[::_SAMPLE].translate(_SHAPE) and b"0" * run in raw.translate(_SHAPE)


def check_depth(raw: bytes, value: Any = None) -> None:
    """Raises Flaw for nesting deeper than 100; ``value`` is what the text was read as, if it could be."""
    if not _has_many_brackets(raw) or (value is not None and len(raw) <= _SLICE and _is_shallow(value)):
        return
    if _is_deep(raw):
        raise _deep(raw)


def check_number(text: str) -> str:
    """What is wrong with the size of a number; empty when nothing is."""
    match = _NUMBER.fullmatch(text.encode())
    whole, fraction, exponent = match.groups(b"") if match else (b"", b"", b"")
    if len(whole) + len(fraction) > MAX_DIGITS:
        return f"a number of {len(whole) + len(fraction)} digits; the limit is {MAX_DIGITS}"
    if len(exponent) > 2 or int(exponent or b"0") > MAX_EXPONENT:
        return f"a number with the exponent {exponent[:12].decode()}; the limit is {MAX_EXPONENT}"
    return ""


def tokens(raw: bytes) -> Iterator[Token]:
    """The tokens of a text, at most half a million of them: enough to find a place, never slow."""
    for match in islice(_TOKEN.finditer(raw), _WALK_LIMIT):
        yield Token(match.start(), match.group())


def number_offset(raw: bytes, text: str) -> int:
    """Where a number stands, by its text."""
    return next((token.offset for token in tokens(raw) if token.text == text.encode()), -1)


def repeated_key(raw: bytes, base: int = 0) -> Flaw:
    """The flaw of a well-formed text, at byte ``base`` of the whole, in which a key stands twice in one object."""
    objects: list[set[bytes]] = []
    previous = Token(0, b"")
    for token in tokens(raw):
        if token.text in b"{[":
            objects.append(set())
        elif token.text in b"}]":
            objects.pop()
        elif token.text == b":":
            key = _plain(previous.text)
            if key in objects[-1]:
                return _repeated(base + previous.offset, key)
            objects[-1].add(key)
        previous = token
    return _repeated(-1, b"")


def open_at_end(raw: bytes) -> Token | None:
    """The innermost bracket, or the quote, that nothing closes."""
    stack: list[Token] = []
    for token in tokens(raw):
        if token.text == b'"':
            return token
        if token.text in b"{[":
            stack.append(token)
        elif token.text in b"}]" and stack:
            stack.pop()
    return stack[-1] if stack else None


def _unescaped(raw: bytes) -> bytes:
    """The text without escaped backslashes and quotes, so that every quote left begins or ends a text."""
    return raw.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in raw else raw


def _outside_texts(raw: bytes) -> bytes:
    """What stands outside of quotes; read in slices, since a hostile text could be all quotes."""
    kept: list[bytes] = []
    inside = 0
    for start in range(0, len(raw), _SLICE):
        parts = raw[start : start + _SLICE].split(b'"')
        kept.append(b"".join(parts[inside::2]))
        inside = (inside + len(parts) - 1) % 2
    return b"".join(kept)


def _has_long_number(raw: bytes) -> bool:
    return _TOO_LONG in _outside_texts(_unescaped(raw)).translate(_SHAPE)


def _has_many_brackets(raw: bytes) -> bool:
    """Whether more open than may nest. Replacing finds a rare byte many times faster than counting does."""
    return b"[" in raw.replace(b"{", b"[").replace(b"[", b"(", MAX_DEPTH)


def _is_shallow(value: Any) -> bool:
    """Whether every value stands at most 100 deep: all that the values of a level hold is the next level. It takes the
    memory of the value once more."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = get_referents(*level)
        if not level:
            return True
    return False


def _is_deep(raw: bytes) -> bool:
    """Whether brackets nest too deep: take away innermost pairs, round by round; each round is one level."""
    shape = _unescaped(raw).translate(_SHAPE)
    # Taking away two quotes side by side changes for no bracket whether it stands inside a text.
    brackets = shape.translate(None, b" 0").replace(b'""', b"")
    if b'"' in brackets:
        brackets = _outside_texts(brackets)
    for level in range(MAX_DEPTH):
        if b"()" not in brackets:
            return level + brackets.count(b"(") > MAX_DEPTH
        if _TOO_DEEP in brackets:
            return True
        brackets = brackets.replace(b"()", b"")
    return b"(" in brackets


def _deep(raw: bytes) -> Flaw:
    depth, offset = 0, -1
    for token in tokens(raw):
        depth += (token.text in b"{[") - (token.text in b"}]")
        if depth > MAX_DEPTH:
            offset = token.offset
            break
    return Flaw(offset, f"nested more than {MAX_DEPTH} deep", code="too_deep", expected=f"at most {MAX_DEPTH} levels")


def _long_number(raw: bytes) -> Flaw:
    digits = (token for token in tokens(raw) if _TOO_LONG in token.text.translate(_SHAPE) and token.text[:1] != b'"')
    token = next(digits, Token(-1, b""))
    return oversized(token.offset, f"a number of more than {MAX_DIGITS} digits; the limit is {MAX_DIGITS}")


def oversized(offset: int, detail: str) -> Flaw:
    """The flaw of a number beyond the limits."""
    hint = "write the number out" if "exponent" in detail else "send an identifier as text, in quotes"
    return Flaw(offset, detail, code="number_too_long", hint=hint)


def _plain(key: bytes) -> bytes:
    return msgspec_json.decode(key, type=str).encode() if b"\\" in key else key[1:-1]


def _repeated(offset: int, key: bytes) -> Flaw:
    name = f" '{key[:40].decode('utf-8', 'replace')}'" if key else ""
    return Flaw(
        offset,
        f"the key{name} stands twice in one object",
        code="duplicate_key",
        expected="each key once",
        hint="which of the two values is meant cannot be told; the sender has to correct it",
    )
