"""Why a text is not JSON, in words: what the parser stumbled over, what was expected, what to write instead."""

from __future__ import annotations

import re

from hub.formats._json_text import Flaw, open_at_end

_PLACE = re.compile(r"\(byte (\d+)\)")
_HALF_PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]..")
_WORD = re.compile(rb"-?[A-Za-z]+")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_WORDS = {
    "NaN": "null, or leave the key out",
    "Infinity": "null, or leave the key out",
    "None": "null",
    "undefined": "null",
    "nan": "null",
    "True": "true",
    "False": "false",
}  # fmt: skip


def malformed(raw: bytes, message: str) -> Flaw:
    """The flaw of a text that the parser refused with ``message``; empty where bytes were not UTF-8."""
    if raw.startswith(_UTF_16) or b"\0" in raw[:2]:
        return Flaw(0, "the text is UTF-16; expected UTF-8", code="encoding", hint="have it sent as UTF-8")
    if flaw := _not_utf8(raw):
        return flaw
    match = _PLACE.search(message)
    return _at(raw, int(match[1]), message) if match else _truncated(raw)


def _not_utf8(raw: bytes) -> Flaw | None:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        detail = f"byte {error.start + 1} (0x{raw[error.start]:02X}) is not UTF-8"
        hint = "have it sent as UTF-8; letters such as ä or é come as one byte in older encodings"
        return Flaw(error.start, detail, code="encoding", expected="UTF-8", hint=hint)
    return None


def _at(raw: bytes, offset: int, message: str) -> Flaw:
    """The words for what the parser says, by the phrases it uses; its own words for a phrase that is not known."""
    if "trailing comma" in message:
        comma = raw.rfind(b",", 0, offset)
        detail, cause = f"a comma before {_seen(raw, offset)}; expected another value", "a comma before the end"
        return Flaw(comma, detail, hint="remove the comma", cause=cause)
    if "surrogate" in message:
        return _half_pair(raw, offset)
    if "escape" in message:
        return _bad_escape(raw, offset)
    if "invalid character" in message:
        return _bad_character(raw, offset)
    if "trailing characters" in message:
        offset -= 1  # here the parser counts the character it has seen
    expected, hint = _expected(raw, offset, message)
    return Flaw(offset, f"expected {expected}, found {_seen(raw, offset)}", expected=expected, hint=hint)


def _expected(raw: bytes, offset: int, message: str) -> tuple[str, str]:
    if "keys must be strings" in message or "expected '\"'" in message:
        return "a key in double quotes", "write \"key\": with double quotes; no comments, no comma before '}'"
    if "trailing characters" in message:
        return "the end of the document", "several documents, one on each line, need the option lines: true"
    if "expected ':'" in message:
        return "':' after the key", ""
    if "number" in message:
        return "a number such as 12.50", "no leading zeros, digits on both sides of the point"
    separators = ("',' or ']'", "',' or '}'")
    return next((f"{pair} after the value" for pair in separators if pair in message), "JSON"), ""


def _bad_character(raw: bytes, offset: int) -> Flaw:
    """A control character within a text, or what cannot begin a value."""
    if _is_in_text(raw, offset):
        hint = "write \\n for a line end, \\t for a tab"
        detail, cause = f"{_seen(raw, offset)} within a text; expected it escaped", "a control character in a text"
        return Flaw(offset, detail, code="control", hint=hint, cause=cause)
    word = _word(raw, offset)
    seen = f"'{word}'" if word else _seen(raw, offset)
    hint = f"write {_WORDS[word.lstrip('-')]}" if word.lstrip("-") in _WORDS else _value_hint(raw, offset)
    return Flaw(offset, f"expected a value, found {seen}", expected="a value", hint=hint, quoted=word)


def _value_hint(raw: bytes, offset: int) -> str:
    hints = {
        b"'": "texts stand in double quotes",
        b"/": "JSON has no comments",
        b"<": "this looks like XML or HTML",
        b".": "a number begins with a digit: 0.5",
        b"+": "a number has no plus sign",
        b"\xef": "a byte order mark may stand only at the very beginning",
    }
    return hints.get(raw[offset : offset + 1], "")


def _word(raw: bytes, offset: int) -> str:
    """The word around a byte, ``-Infinity`` and ``tru`` too; empty when there is none."""
    start = offset
    while start and offset - start < 20 and (raw[start - 1 : start].isalpha() or raw[start - 1 : start] == b"-"):
        start -= 1
    match = _WORD.match(raw, start)
    return match.group().decode()[:20] if match else ""


def _is_in_text(raw: bytes, offset: int) -> bool:
    line = raw[raw.rfind(b"\n", 0, offset) + 1 : offset].replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"" < raw[offset : offset + 1] < b" " and line.count(b'"') % 2 == 1


def _bad_escape(raw: bytes, offset: int) -> Flaw:
    start = raw.rfind(b"\\", 0, offset)
    seen = raw[start : start + 2].decode("utf-8", "replace")
    hint = 'allowed are \\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hexadecimal digits'
    what = "an escape that JSON does not have"
    return Flaw(start, f"{what}: {seen}", code="escape", hint=hint, cause=what)


def _half_pair(raw: bytes, offset: int) -> Flaw:
    start = raw.rfind(b"\\u", 0, offset)
    hint = "a character beyond U+FFFF is written as two escapes; the sender cut one off"
    return Flaw(max(start, 0), "half of a surrogate pair", code="escape", hint=hint)


def _truncated(raw: bytes) -> Flaw:
    if not raw.strip():
        return Flaw(0, "the text is empty; expected a JSON document", code="empty", expected="a JSON document")
    if match := re.search(_HALF_PAIR, raw):
        return _half_pair(raw, match.end())
    opened = open_at_end(raw)
    kinds = {b"{": "'}'", b"[": "']'", b'"': "a closing quote"}
    closing = kinds.get(opened.text if opened else b"", "the rest of the value")
    hint = "the sender or the line cut it off" if opened else ""
    return Flaw(len(raw), f"the text ends too early; expected {closing}", code="truncated", expected=closing, hint=hint)


def _seen(raw: bytes, offset: int) -> str:
    """The character at a byte, for a reader."""
    if offset >= len(raw):
        return "the end of the text"
    character = raw[offset : offset + 4].decode("utf-8", "ignore")[:1] or f"byte 0x{raw[offset]:02X}"
    names = {"\n": "a line end", "\r": "a line end", "\t": "a tab", '"': "'\"'", "\ufeff": "a byte order mark"}
    return names.get(
        character, f"'{character}'" if character.isprintable() else f"the character U+{ord(character):04X}"
    )
