"""EDI as a test shows it: a whole interchange, one message from UNH to UNT or ST to SE, or only what is between them.

What stands alone is EDIFACT with the usual delimiters, or those of a UNA in front of it; or X12 whose elements are
separated by the character behind the first tag, and whose segments end with ``~`` or with their lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from hub.errors import DecodeError
from hub.formats import Codec
from hub.formats._segments import EDIFACT, X12, Collision, Delimiters, Segment, joiner, splitter
from hub.golden.compare import Difference, differences
from hub.grammars import ENVELOPE, MessageType

_TAG = re.compile(r"([A-Z][A-Z0-9]{1,2})([^A-Za-z0-9\s])")
_EDIFACT_ENVELOPE: Segment = ["UNB", ["UNOW", "3"], "SENDER", "RECEIVER", ["260305", "2230"], "1"]


def completed(raw: bytes, grammar: MessageType) -> bytes:
    """An interchange: the bytes themselves, or a message that stands alone with what it lacks around it. Raises
    DecodeError for what begins like neither."""
    text = raw.decode("utf-8", "surrogateescape").lstrip("\ufeff")
    start = text.lstrip()
    if start.startswith(("UNB", "ISA")):
        return raw
    made = _edifact(start, grammar) if grammar.syntax == "edifact" else _x12(start, grammar)
    return made.encode("utf-8", "surrogateescape")


def message_text(segments: Sequence[Segment], grammar: MessageType) -> str:
    """A message of these segments as it stands alone, a segment a line. Raises DecodeError for X12 that cannot be
    written with ``*``, ``>`` and ``~``."""
    join = joiner(EDIFACT if grammar.syntax == "edifact" else X12)
    header, trailer = _around(len(segments), grammar)
    try:
        return "".join(f"{join([segment])}\n" for segment in [header, *segments, trailer])
    except Collision as error:
        raise DecodeError(f"the data holds '{error.character}', which X12 cannot release: {error.text}") from None


def text_differences(expected: bytes, seen: bytes, grammar: MessageType, named: Codec) -> Iterator[Difference]:
    """What differs between two messages, by the names of their grammar, whatever stands around them. Raises DecodeError
    for what is no message."""
    one, other = (named.decode_one(completed(raw, grammar), {}) for raw in (expected, seen))
    yield from differences(_inner(one), _inner(other))


def _inner(tree: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in tree.items() if name not in ENVELOPE}


def _around(count: int, grammar: MessageType) -> tuple[Segment, Segment]:
    """Header and trailer of a message of so many segments."""
    _, release, type = grammar.standard.split("/")
    if grammar.syntax == "edifact":
        return ["UNH", "1", [type, release[:1], release[1:], "UN"]], ["UNT", str(count + 2), "1"]
    return ["ST", type, "0001"], ["SE", str(count + 2), "0001"]


def _edifact(text: str, grammar: MessageType) -> str:
    service, delimiters = "", EDIFACT
    if text.startswith("UNA") and len(text) > 9:
        service, text = text[:9], text[9:].lstrip()
        delimiters = Delimiters(service[4], service[3], service[8], service[6].strip(), "", service[5])
        if text.startswith("UNB"):
            return service + text
    body = _message(text, delimiters, "UNH", grammar, "BGM+220+4711'")
    messages = sum(segment[0] == "UNH" for segment in splitter(delimiters)(body))
    join = joiner(delimiters)
    return f"{service}{join([_EDIFACT_ENVELOPE])}{body}{join([['UNZ', str(messages), '1']])}"


def _x12(text: str, grammar: MessageType) -> str:
    sign, ends = text[len(_tag(text)) :][:1], "~" if "~" in text else "\n"
    delimiters = Delimiters(sign, X12.component if sign != X12.component else ":", ends)
    body = _message(text, delimiters, "ST", grammar, "BEG*00*SA*4711**20260305~")
    messages = sum(segment[0] == "ST" for segment in splitter(delimiters)(body))
    release = grammar.standard.split("/")[1]
    isa = ["ISA", "00", " " * 10, "00", " " * 10, "ZZ", "SENDER".ljust(15), "ZZ", "RECEIVER".ljust(15), "260305",
           "2230", "U", "00401", "000000001", "0", "P"]  # fmt: skip
    group = ["GS", grammar.functional_group, "SENDER", "RECEIVER", "20260305", "2230", "1", "X", release]
    join = joiner(delimiters)
    trailers = join([["GE", str(messages), "1"], ["IEA", "1", "000000001"]])
    return f"{sign.join(isa)}{sign}{delimiters.component}{ends}{join([group])}{body}{trailers}"


def _message(text: str, delimiters: Delimiters, header: str, grammar: MessageType, such_as: str) -> str:
    """The text of messages with header and trailer, its last segment ended."""
    tag = _tag(text)
    if not tag or text[len(tag)] != delimiters.element:
        seen, wanted = (
            text[:20].partition("\n")[0],
            f"an interchange, a message from {header} on, or its segments alone",
        )
        raise DecodeError(f"the text begins with '{seen}'; expected {wanted}, such as {such_as}", code="no_interchange")
    text = text.rstrip() if delimiters.terminator != "\n" else text.rstrip() + "\n"
    text += "" if text.endswith(delimiters.terminator) else delimiters.terminator
    if tag == header:
        return text
    first, last = _around(len(splitter(delimiters)(text)), grammar)
    join = joiner(delimiters)
    return f"{join([first])}{text}{join([last])}"


def _tag(text: str) -> str:
    found = _TAG.match(text)
    return found[1] if found is not None else ""
