"""Segments to the bytes of an interchange: right trailers and counts, released characters, the character set.

What an interchange or a message cannot carry gives a MappingError with its place: ``segment 4 FTX, element 4``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hub.errors import MappingError, shown
from hub.formats._edi_charsets import encoded
from hub.formats._edi_marks import is_mark
from hub.formats._edi_stream import Service
from hub.formats._edi_syntax import ISA_LENGTHS, part
from hub.formats._segments import Collision, Delimiters, Segment, joiner


class Style(NamedTuple):
    """How segments are written: ``charset`` is the name of Python's codec, ``label`` its name for a person."""

    delimiters: Delimiters
    charset: str
    label: str = ""
    line_end: str = ""
    has_service_string: bool = False


class Pen:
    """Writes segments in one style. Raises MappingError with the place of what cannot be written."""

    def __init__(self, style: Style) -> None:
        self._style, self._join = style, joiner(style.delimiters)

    def segments(self, segments: Sequence[Segment]) -> bytes:
        """Each with its terminator and the line end of the style."""
        style = self._style
        try:
            if any(type(segment[-1]) is bytes for segment in segments):
                return self._with_objects(segments)
            text = self._lines(segments) if style.line_end else self._join(segments)
        except Collision as fault:
            raise _collision(fault, segments) from None
        return self.text(text, segments)

    def _lines(self, segments: Sequence[Segment]) -> str:
        try:
            return self._style.line_end.join([*map(self._one, segments), ""])
        except Collision:
            return self._join(segments)  # which raises it anew, with its place among all

    def _one(self, segment: Segment) -> str:
        return self._join([segment])

    def _with_objects(self, segments: Sequence[Segment]) -> bytes:
        found, end = [], self._style.line_end.encode("latin-1")
        element, terminator = (
            char.encode("latin-1") for char in (self._style.delimiters.element, self._style.delimiters.terminator)
        )
        for segment in segments:
            if type(segment[-1]) is not bytes:
                found.append(self.text(self._one(segment), [segment]) + end)
                continue
            *heads, obj = segment
            place = 1 if heads[0] == "BIN" else 2
            heads[place : place + 1] = [str(len(obj))]
            found.append(self.text(self._one(heads))[:-1] + element + obj + terminator + end)
        return b"".join(found)

    def text(self, text: str, segments: Sequence[Segment] = ()) -> bytes:
        """The bytes of what was joined already; ``segments`` are told of where a character is foreign."""
        try:
            return encoded(text, self._style.charset, self._style.delimiters.all)
        except UnicodeEncodeError as error:
            raise self._foreign(error.object[error.start], segments) from None

    def _foreign(self, char: str, segments: Sequence[Segment]) -> MappingError:
        number, element = next(
            ((n, e) for n, segment in enumerate(segments, 1) for e, value in enumerate(segment) if char in str(value)),
            (0, 0),
        )
        label = self._style.label or self._style.charset
        return MappingError(
            f"the character {shown(char)} is not of the character set {label}", code="encode",
            position=_position(number, segments, element), value_excerpt=char, expected=f"characters of {label}",
            hint="agree on another charset:, or replace it in the mapping",
        )  # fmt: skip


class Writer:
    """One interchange, written piece by piece: ``open``, then groups and messages, then ``close``."""

    def __init__(self, service: Service, style: Style, header: Segment) -> None:
        self._service, self._style, self._header = service, style, header
        self._reference = part(header, 13 if header[0] == "ISA" else 5)
        self._pen = Pen(style)
        self._group: Segment | None = None
        self._messages = self._in_group = self._groups = 0

    def open(self) -> bytes:
        """UNA and UNB, or ISA in its fixed lengths."""
        delimiters = self._style.delimiters
        if self._header[0] == "ISA":
            return self._pen.text(_fixed_isa(self._header, delimiters) + self._style.line_end)
        service_string = ""
        if self._style.has_service_string:
            service_string = "UNA" + delimiters.component + delimiters.element + delimiters.decimal_mark
            service_string += (delimiters.release or " ") + (delimiters.repetition or " ") + delimiters.terminator
            service_string += self._style.line_end
        return self._pen.text(service_string) + self._pen.segments([self._header])

    def open_group(self, header: Segment) -> bytes:
        """UNG or GS."""
        self._group, self._in_group = header, 0
        self._groups += 1
        return self._pen.segments([header])

    def close_group(self) -> bytes:
        """UNE or GE with the number of its messages; nothing where no group is open."""
        header, self._group = self._group, None
        if header is None:
            return b""
        reference = part(header, 6 if header[0] == "GS" else 5)
        return self._pen.segments([[self._service.group[1], str(self._in_group), reference]])

    def message(self, segments: Sequence[Segment]) -> bytes:
        """All segments of one message; its trailer is made right, or made where there is none."""
        self._messages += 1
        self._in_group += 1
        return self._pen.segments(closed(segments, self._service))

    def package(self, segments: Sequence[Segment], obj: bytes) -> bytes:
        """UNO, the object, UNP with its length."""
        self._messages += 1
        header, length = segments[0], str(len(obj))
        trailer: Segment = [self._service.package[1], length, part(header, 1)]
        return self._pen.segments([header]) + obj + self._pen.segments([trailer])

    def notes(self, segments: Sequence[Segment]) -> bytes:
        """TA1 and TA3, which stand before the first group."""
        return self._pen.segments(segments) if segments else b""

    def close(self) -> bytes:
        """The trailers of the group and of the interchange."""
        written = self.close_group()
        in_groups = self._groups > 0 or self._header[0] == "ISA"
        count = self._groups if in_groups else self._messages
        return written + self._pen.segments([[self._service.closer, str(count), self._reference]])


def closed(segments: Sequence[Segment], service: Service) -> list[Segment]:
    """The segments with a trailer that counts them and repeats the header's reference."""
    opener, closer = service.message
    reference = part(segments[0], 1 if opener == "UNH" else 2)
    inner = segments[:-1] if segments[-1][0] == closer else segments
    count = len(inner) + 1
    told = part(segments[-1], 1) if len(inner) < len(segments) else ""
    as_told = told.isascii() and told.isdigit() and len(told) < 12 and int(told) == count
    return [*inner, [closer, told if as_told else str(count), reference]]


def _fixed_isa(header: Segment, delimiters: Delimiters) -> str:
    fields = [str(value) for value in header[1:17]]
    for number, (value, length) in enumerate(zip(fields, ISA_LENGTHS, strict=True), 1):
        if is_mark(value):
            continue
        if len(value) > length:
            raise MappingError(f"{shown(value)} is longer than the {length} characters of ISA{number:02d}",
                               code="encode", position=f"ISA, element {number}", value_excerpt=value)  # fmt: skip
        if set(value) & {delimiters.element, delimiters.terminator}:
            raise MappingError(f"{shown(value)} holds a delimiter; X12 has no way to release one", code="encode",
                               position=f"ISA, element {number}", value_excerpt=value)  # fmt: skip
        fields[number - 1] = value.rjust(length, "0") if number == 13 else value.ljust(length)
    fields[15] = delimiters.component
    return delimiters.element.join(["ISA", *fields]) + delimiters.terminator


def _collision(fault: Collision, segments: Sequence[Segment]) -> MappingError:
    position = _position(fault.segment, segments, fault.element)
    position += f", component {fault.component}" if fault.component else ""
    position += f", repetition {fault.repetition}" if fault.repetition else ""
    if not fault.character:
        return MappingError(
            "the element is repeated, and this interchange has no separator for that", code="encode",
            position=position, value_excerpt=fault.text[:100], expected="one value",
            hint="agree on delimiters: {repetition: …}, for a partner in config/partners.yaml, or send one of them",
        )  # fmt: skip
    return MappingError(
        f"{shown(fault.text)} holds the delimiter {shown(fault.character)}; X12 has no way to release one",
        code="encode", position=position, value_excerpt=fault.text[:100],
        expected=f"text without {shown(fault.character)}",
        hint="replace the character, or take other delimiters, for a partner in config/partners.yaml",
    )  # fmt: skip


def _position(number: int, segments: Sequence[Segment], element: int) -> str:
    if not 0 < number <= len(segments):
        return ""
    return f"segment {number} {segments[number - 1][0]}" + (f", element {element}" if element else "")
