"""The character sets of EDIFACT and X12: the name in the envelope, what it promises, and what was really sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

# ISO 9735: the repertoire that each syntax level stands for, as the name of Python's codec.
LEVELS = {
    "UNOA": "ascii", "UNOB": "ascii", "UNOC": "latin-1", "UNOD": "iso8859-2", "UNOE": "iso8859-5", "UNOF": "iso8859-7",
    "UNOG": "iso8859-3", "UNOH": "iso8859-4", "UNOI": "iso8859-6", "UNOJ": "iso8859-8", "UNOK": "iso8859-9",
    "UNOL": "iso8859-15", "UNOW": "utf-8", "UNOX": "iso2022_jp_2", "UNOY": "utf-8", "KECA": "euc_kr",
}  # fmt: skip
# X12.5: the sets that partners agree on; an interchange does not say which. The names of Python's codecs.
X12_SETS = {"basic": "ascii", "extended": "ascii", "ascii": "ascii", "latin-1": "latin-1", "utf-8": "utf-8"}
CODECS = {**LEVELS, **X12_SETS}
_SEVEN_BITS = {"iso2022_jp_2"}  # ASCII bytes that are not ASCII characters
_SHIFTED = re.compile(rb"(\x1b\$(?:[@AB]|\([CD]))([^\x1b]+)")  # ISO 2022: two bytes are a character
_WINDOWS = {"latin-1": "1252", "iso8859-9": "1254"}  # has the same letters, and others where those have controls
_CONTROLS = re.compile(rb"[\x80-\x9f]")
_ISO_8859 = re.compile("iso8859-|latin-1")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")

# ISO 9735: level A has capital letters, digits and these; level B small letters too. X12.5 likewise.
_LEVEL_A = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,-()/='+:?!\"%&*;<>\r\n\x1c\x1d\x1f"
_BASIC = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !\"&'()*+,-./:;?=\r\n"
_SMALL = b"abcdefghijklmnopqrstuvwxyz"
ALLOWED = {
    "UNOA": _LEVEL_A, "UNOB": _LEVEL_A + _SMALL, "basic": _BASIC, "extended": _BASIC + _SMALL + b"%@[]_{}\\|<>~#$^`",
}  # fmt: skip


class Strange(NamedTuple):
    """Bytes that are not what the envelope says: where the first one is, and as what they were read."""

    at: int
    seen: str
    read_as: str


Decode: TypeAlias = Callable[[bytes], tuple[str, Strange | None]]


def decoder(charset: str, is_exact: bool, delimiters: bytes = b"") -> Decode:
    """The function from the bytes of a message to its text, and to what was strange about them.

    ``is_exact`` takes the label at its word. Else UTF-8 is known by its form, whatever the label says, and Windows-1252
    by the characters it has where ISO 8859-1 has controls (1254 and ISO 8859-9 likewise). A byte that the set does not
    have is read as Windows-1252, those beside it by the label. ``delimiters`` are one byte each, also those beyond
    ASCII, and the character of ISO 8859-1 in the text.
    """

    def decode(raw: bytes) -> tuple[str, Strange | None]:
        if raw.isascii() and charset not in _SEVEN_BITS:
            return raw.decode("ascii"), None
        text = None if is_exact else _as_utf_8(raw, charset)
        if text is not None:
            return text, None if charset == "utf-8" else _strange(raw, "UTF-8")
        odd = _CONTROLS.search(raw) if _ISO_8859.match(charset) else None
        try:
            if odd is None:
                return raw.decode(charset), None
            page = "" if is_exact else _WINDOWS.get(charset, "")
            text = _byte_by_byte(raw, f"cp{page}") if page else raw.decode(charset)
        except UnicodeDecodeError as error:
            return _byte_by_byte(raw, charset), Strange(error.start, _named(raw[error.start]), "Windows-1252")
        number = _ISO_8859.sub("", charset) or "1"
        return text, Strange(odd.start(), _named(raw[odd.start()]), f"Windows-{page}" if page else f"ISO 8859-{number}")

    return decode if delimiters.isascii() else _between(decode, delimiters)


def _between(decode: Decode, delimiters: bytes) -> Decode:
    """Decodes what stands between delimiters that are not ASCII."""
    odd = re.compile(b"([" + re.escape(delimiters) + b"])")

    def decode_parts(raw: bytes) -> tuple[str, Strange | None]:
        texts, first, at = list[str](), None, 0
        for index, part in enumerate(odd.split(raw)):
            text, strange = (part.decode("latin-1"), None) if index % 2 else decode(part)
            if strange is not None and first is None:
                first = strange._replace(at=at + strange.at)
            texts.append(text)
            at += len(part)
        return "".join(texts), first

    return decode_parts


def encoded(text: str, charset: str, delimiters: str) -> bytes:
    """The bytes of a text; a delimiter is the one byte of ISO 8859-1. Raises UnicodeEncodeError, of a part."""
    if delimiters.isascii():
        return text.encode(charset)
    parts = re.split(f"([{re.escape(delimiters)}])", text)
    return b"".join(part.encode("latin-1" if index % 2 else charset) for index, part in enumerate(parts))


def _as_utf_8(raw: bytes, charset: str) -> str | None:
    if charset in _SEVEN_BITS:
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _byte_by_byte(raw: bytes, charset: str) -> str:
    """In a set of single bytes; what it does not have is of Windows-1252, and what that leaves open a control of ISO
    8859-1. All of it is of Windows-1252 where the set has characters of several bytes."""
    characters = _characters(charset if _ISO_8859.match(charset) or charset.startswith("cp") else "cp1252")
    return "".join(map(characters.__getitem__, raw))


@lru_cache(maxsize=32)
def _characters(charset: str) -> tuple[str, ...]:
    every = (bytes([byte]) for byte in range(256))
    return tuple(one.decode(charset, "ignore") or one.decode("cp1252", "ignore") or chr(one[0]) for one in every)


def unshifted(raw: bytes, charset: str) -> bytes:
    """The same bytes with none among them that only look like delimiters: those of characters of two bytes, in ISO
    2022, are ``x``."""
    if charset not in _SEVEN_BITS or b"\x1b" not in raw:
        return raw
    return _SHIFTED.sub(lambda found: found[1] + b"x" * len(found[2]), raw)


def _strange(raw: bytes, read_as: str) -> Strange:
    found = _NOT_ASCII.search(raw)
    at = found.start() if found else 0
    return Strange(at, _named(raw[at]), read_as)


def _named(byte: int) -> str:
    return f"the byte {byte:02X}"


def writable(text: str, label: str) -> str:
    """The text without what a level of EDIFACT or a set of X12 does not have: small letters become capitals where it
    has only those, and for all else there is ``?`` or a blank."""
    codec, allowed = CODECS[label], ALLOWED.get(label)
    text = text.encode(codec, "replace").decode(codec)
    if allowed is None:
        return text
    known = frozenset(allowed.decode("latin-1"))
    return "".join(next((char for char in (one, one.upper()) if char in known), " ") for one in text)


def outsider(raw: bytes, level: str, delimiters: bytes) -> int:
    """Where the first ASCII character stands that the level does not have; -1 where there is none."""
    allowed = ALLOWED.get(level)
    if allowed is None or not (left := raw.translate(None, allowed + delimiters)):
        return -1
    return next((raw.index(byte) for byte in left if byte < 0x80), -1)
