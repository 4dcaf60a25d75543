"""XML as parts, by splitting it at ``<`` and ``>``: several times quicker than a tree, for formats that need none.

A document in which these begin and end tags and nothing else, as machines write it, is split as it came. Whether it is
well formed expat says; a reader need not ask where every tag is one that stood in a document before that was. Any other
comes through the door, and the tree is written anew: without comments, CDATA and carriage returns, with what has to be
escaped escaped. The door decides in doubt, and words what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from xml.parsers import expat  # reads only what has no document type, in UTF-8

from lxml import etree

from hub.formats._xml import LIMITS, Element, Limits, check_prolog

_DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml\s([^?]*)\?>")
_UTF8 = re.compile(rb"""encoding\s*=\s*["']utf-?8["']""", re.IGNORECASE)
_REFERENCE = re.compile(r"&(#x)?#?([^;]*);")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


Prove = Callable[[], None]
# All bytes but controls and what begins and ends tags; of more than one byte are what Python reads as UTF-8.
_HARMLESS = bytes(byte for byte in range(256) if (byte >= 32 or byte in b"\t\n") and byte not in b"<>")
_NAMED_REFERENCE = re.compile(b"&(?:amp|lt|gt|quot|apos);")
_LONGEST, _MOST_PROVED = 10_000, 200
_proved: set[tuple[bytes, str]] = set()  # declaration and head of the root of documents that were well formed


class NotPlain(Exception):
    """The parts as they came are no good, or too much; those of the tree that the door gives are."""


def parts_as_it_came(raw: bytes, limits: Limits = LIMITS) -> tuple[list[str], Prove]:
    """Head and text by turns, from the root's on: ``cbc:ID schemeID="0088"``, ``4711``, ``/cbc:ID``, …: what stands
    in a tag, then what follows it. Raises NotPlain where the document is not so simple or not well formed; a reader
    does too where a head begins with ``!`` or ``?``, and where depth and attributes are beyond the limits. Raises
    DecodeError for a document type, another encoding, no XML at all.

    What comes with them raises NotPlain where it is not well formed. A reader calls it before it trusts a head below
    the root's that he has not met in a document that was, and where these do not end one after the other as they began.
    """
    if len(raw) > limits.size:
        raise NotPlain
    check_prolog(raw, is_all=True)
    start = _start(raw)
    text = _text(raw, start)
    before, *pieces = text.replace(">", "<").split("<")
    if len(pieces) != 2 * text.count("<"):
        raise NotPlain
    known = raw[:start], pieces[0]
    prove = partial(_prove, raw, known)
    if known not in _proved or before.strip(" \t\n") or not _is_harmless(raw, text):
        prove()
        return pieces, nothing_to_prove
    return pieces, prove


def nothing_to_prove() -> None:
    """For what is known to be well formed."""


def _prove(raw: bytes, known: tuple[bytes, str]) -> None:
    try:
        expat.ParserCreate(namespace_separator=" ").Parse(raw, True)
    except expat.ExpatError:
        raise NotPlain from None
    if len(_proved) >= _MOST_PROVED:
        _proved.clear()
    if len(known[0]) + len(known[1]) < _LONGEST:
        _proved.add(known)


def _is_harmless(raw: bytes, text: str) -> bool:
    """Whether tags and texts take turns, and no character and no reference is in it that XML does not have."""
    if raw.translate(None, _HARMLESS) != b"<>" * raw.count(b"<") or "\ufffe" in text or "\uffff" in text:
        return False
    return b"&" not in raw or raw.count(b"&") == len(_NAMED_REFERENCE.findall(raw))


def parts_of_tree(root: Element) -> list[str]:
    """The parts of what the door gives, whatever it came from."""
    return _split(etree.tostring(root, encoding="unicode"))


def counted(text: str) -> tuple[int, bool] | None:
    """How many elements are in the root, and whether text is between them; None where it is not well formed or has a
    document type."""
    reader = expat.ParserCreate(namespace_separator=" ")
    depth = count = 0
    has_text = False

    def begin(_: str, __: object) -> None:
        nonlocal depth, count
        count += depth == 1
        depth += 1

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    def characters(_: str) -> None:
        nonlocal has_text
        has_text = has_text or depth == 1

    reader.StartElementHandler, reader.EndElementHandler, reader.CharacterDataHandler = begin, end, characters
    try:
        reader.Parse(text.encode(), True)
    except (expat.ExpatError, UnicodeEncodeError):
        return None
    return count, has_text


def _split(text: str) -> list[str]:
    return text.replace(">", "<").split("<")[1:]


def _start(raw: bytes) -> int:
    """Where the XML declaration ends; NotPlain where it is of another encoding."""
    if not says_utf8(raw):
        raise NotPlain
    declared = _DECLARATION.match(raw)
    return declared.end() if declared else 0


def says_utf8(head: bytes) -> bool:
    """Whether a document that begins so declares no other encoding."""
    declared = _DECLARATION.match(head)
    return not declared or b"encoding" not in declared[1] or bool(_UTF8.search(declared[1]))


def _text(raw: bytes, start: int) -> str:
    """The text behind the declaration; NotPlain where a reader would have to change it."""
    if b"\r" in raw or b"\0" in raw:
        raise NotPlain
    try:
        return raw[start:].decode()
    except UnicodeDecodeError:
        raise NotPlain from None


def unescaped(text: str) -> str:
    """A text with its references resolved; they are right where the document is well formed."""
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(found: re.Match[str]) -> str:
    is_hexadecimal, name = found.groups()
    if found[0][1] != "#":
        return _NAMED[name]
    return chr(int(name, 16 if is_hexadecimal else 10))
