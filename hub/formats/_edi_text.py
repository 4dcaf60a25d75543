"""The text of a message that is not plain: foreign characters, wrapped lines, objects, segments without an end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from hub.errors import shown
from hub.formats._edi_charsets import ALLOWED, Decode, Strange, outsider, unshifted
from hub.formats._edi_envelopes import Interchange, Message
from hub.formats._edi_faults import EdiFault
from hub.formats._edi_places import OBJECT, object_end, segment_spans
from hub.formats._edi_stream import package_length
from hub.formats._edi_syntax import Settings, Syntax
from hub.formats._segments import CutSegment, Delimiters, Segment, Split

MAX_SEGMENT = 1_000_000


def odd_looks(interchange: Interchange) -> Callable[[bytes], bool]:
    """A quick function that tells whether the bytes of a message need a closer look. It may say so of good ones."""
    terminator, level = interchange.delimiters.terminator.encode("latin-1"), interchange.level
    is_wrapped = interchange.is_wrapped
    all_of = interchange.delimiters.all.encode("latin-1")
    is_limited = level in ALLOWED
    is_line = terminator in b"\r\n"
    released = interchange.delimiters.release.encode("latin-1") + terminator

    def looks_odd(raw: bytes) -> bool:
        if is_wrapped or len(raw) > MAX_SEGMENT or raw[-1:] != terminator:
            return True
        if is_limited and outsider(raw, level, all_of) >= 0:
            return True
        if is_line or b"\n" not in raw:
            return False
        line_end = b"\r\n" if b"\r" in raw else b"\n"
        ends = raw.count(terminator + line_end)
        if released != terminator and released in raw:
            ends -= raw.count(released + line_end)
        return ends != raw.count(b"\n")

    return looks_odd


def segments_of(
    raw: bytes, interchange: Interchange, split: Split, decode: Decode
) -> tuple[list[Segment], Strange | None]:
    """The segments one by one, and what is strange about their characters."""
    strange, whole, is_wrapped = None, raw, interchange.is_wrapped
    if is_wrapped:
        raw = raw.translate(None, b"\r\n")
    found: list[Segment] = []
    delimiters = interchange.delimiters
    for start, end in segment_spans(unshifted(raw, interchange.charset), delimiters):
        piece = raw[start:end]
        if piece[:3] in OBJECT and not delimiters.release and (segment := _object_segment(piece, delimiters)):
            found.append(segment)
            continue
        if is_cut := len(piece) > MAX_SEGMENT:
            piece = piece[: piece.find(delimiters.element.encode("latin-1"))][:20]
        text, odd = decode(piece)
        if odd is not None and strange is None:
            at = start + odd.at
            strange = Strange(_wrapped_at(whole, at) if is_wrapped else at, odd.seen, odd.read_as)
        found.extend(map(CutSegment, split(text)) if is_cut else split(text))
    return found or [[""]], strange


def _wrapped_at(raw: bytes, byte: int) -> int:
    """Where the n-th byte stands that ends no line."""
    for found in _LINE_ENDS.finditer(raw):
        if found.start() > byte:
            break
        byte += len(found[0])
    return byte


def _object_segment(piece: bytes, delimiters: Delimiters) -> Segment | None:
    """BIN or BDS with the bytes of its object, be it cut off or longer than told; None where its length cannot be
    read."""
    if object_end(piece + b"~", delimiters, 0) == 0:
        return None
    *heads, obj = piece.split(delimiters.element.encode("latin-1"), OBJECT[piece[:3]] + 1)
    return [*(head.decode("latin-1") for head in heads), obj]


def package_parts(raw: bytes, delimiters: Delimiters) -> tuple[bytes, bytes, bytes]:
    """The UNO segment, the object, the UNP segment; the last may be missing."""
    spans = segment_spans(raw, delimiters)
    start, end = next(spans, (0, len(raw)))
    header, rest = raw[start : end + 1], raw[end + 1 :]
    told = package_length(header, delimiters)
    if told is not None and rest[told : told + 8].lstrip(b"\r\n ").startswith(b"UNP"):
        return header, rest[:told], rest[told:].lstrip(b"\r\n ")
    at = rest.rfind(b"UNP" + delimiters.element.encode("latin-1"))
    return (header, rest[:at], rest[at:]) if at >= 0 else (header, rest, b"")


def faults_of(message: Message, syntax: Syntax, settings: Settings, strange: Strange | None) -> Iterator[EdiFault]:
    """What is wrong with the text of a message whose look was odd."""
    raw, interchange = message.raw, message.interchange
    delimiters = interchange.delimiters
    if strange is not None and (interchange.level or syntax.name == "edifact"):
        label = interchange.level or interchange.charset
        yield _at(message, syntax, "charset", strange.at, settings.tolerated,
                  f"{strange.seen} is not of the character set {label}; read as {strange.read_as}",
                  strange.seen, f"characters of {label}")  # fmt: skip
    if (at := outsider(raw, interchange.level, delimiters.all.encode("latin-1"))) >= 0:
        seen = shown(chr(raw[at]))
        what = f"{'level' if syntax.name == 'edifact' else 'character set'} {interchange.level}"
        yield _at(message, syntax, "character", at, settings.tolerated, f"the character {seen} is not of the {what}",
                  seen, f"characters of {interchange.level}")  # fmt: skip
    if not raw.endswith(delimiters.terminator.encode("latin-1")) and message.segments[-1][0] == syntax.trailer_of(
        message
    ):
        yield _at(message, syntax, "end", len(raw) - 1, settings.tolerated, "the last segment has no terminator",
                  "the end", shown(delimiters.terminator))  # fmt: skip
    yield from _segment_faults(message, syntax, settings)


def _at(
    message: Message, syntax: Syntax, what: str, byte: int, severity: str, text: str, seen: str, expected: str
) -> EdiFault:
    code_list, code = syntax.codes["segment", what]
    number = message.places.segment_at(byte)
    fault = message.fault(code_list, code, text, segment=number, severity=severity, seen=seen, expected=expected)
    return fault.moved(message.offset + byte)


def _segment_faults(message: Message, syntax: Syntax, settings: Settings) -> Iterator[EdiFault]:
    raw, delimiters = message.raw, message.interchange.delimiters
    terminator = delimiters.terminator.encode("latin-1")
    is_line, is_wrapped, before = terminator in b"\r\n", message.interchange.is_wrapped, 0
    for start, end in segment_spans(unshifted(raw, message.interchange.charset), delimiters):
        is_object = raw[start : start + 3] in OBJECT and not delimiters.release
        if end - start > MAX_SEGMENT and not is_object:
            yield _at(message, syntax, "long", start, "error", f"a segment of {end - start} bytes; read are at most "
                      f"{MAX_SEGMENT}", str(end - start), f"at most {MAX_SEGMENT} bytes")  # fmt: skip
        told = object_end(raw[start : end + 1], delimiters, 0) if is_object else end - start
        if 0 < told < end - start:
            yield _at(message, syntax, "end", start + told, "error", f"the object is {end - start - told} bytes longer "
                      "than its length tells", "more bytes", "the terminator")  # fmt: skip
        if told < 0:
            yield _at(message, syntax, "end", start, "error", "the object is shorter than its length tells; the bytes "
                      "end", "the end", "as many bytes as the length tells")  # fmt: skip
        if not is_line and terminator in raw[before:start]:
            yield _at(message, syntax, "empty", before, settings.tolerated, "an empty segment", "nothing", "a segment")
        before = end + 1
        if not (is_line or is_wrapped or is_object) and (found := _LINE_END.search(raw, start, end)):
            yield _at(message, syntax, "character", found.start(), settings.tolerated,
                      "a line ends within a segment; it is kept in the data", "a line end", "none")  # fmt: skip


_LINE_END, _LINE_ENDS = re.compile(rb"[\r\n]"), re.compile(rb"[\r\n]+")
