"""Units of one interchange to its messages: counted, compared with what the trailers say, every fault told."""

from __future__ import annotations

from collections.abc import Iterator

from hub.errors import shown
from hub.formats import _edi_text as texts
from hub.formats._ack_codes import WORDS
from hub.formats._edi_charsets import decoder
from hub.formats._edi_envelopes import Group, Interchange, Message, tag_of
from hub.formats._edi_faults import MOST_FAULTS, EdiFault
from hub.formats._edi_numbers import Numbers
from hub.formats._edi_places import is_released, offset_in
from hub.formats._edi_stream import KEPT, Cutter, Feed, Unit, package_length
from hub.formats._edi_syntax import Settings, Syntax, part
from hub.formats._segments import Segment, bare_splitter, splitter, with_plain_tags

MAX_SEGMENTS = 1_000_000  # of one message: they take thirty times the memory of their bytes
_MOST_NOTES = 1000
_MOST_PLAIN, _LONGEST_PLAIN = 300, 300


class Assembly:
    """The messages of one interchange, whose header was read."""

    def __init__(self, syntax: Syntax, settings: Settings, interchange: Interchange, feed: Feed) -> None:
        self._syntax, self._settings, self._interchange, self._feed = syntax, settings, interchange, feed
        self._cutter = Cutter(
            feed, syntax.service, interchange.delimiters, interchange.is_wrapped, interchange.line_end, settings.limit
        )
        self._split, self._bare_split = splitter(interchange.delimiters), bare_splitter(interchange.delimiters)
        self._terminator = interchange.delimiters.terminator.encode("latin-1")
        is_exact = settings.is_strict or bool(settings.charset)
        self._decode = decoder(interchange.charset, is_exact, interchange.delimiters.all.encode("latin-1"))
        self._looks_odd = texts.odd_looks(interchange)
        self._closing, self._service_tags = syntax.service.message[1], frozenset(syntax.service.tags)
        self._plain: dict[tuple[str, ...], tuple[str, ...]] = {}  # tags of messages that were looked at, to themselves
        self._usual_tags: dict[int, tuple[str, ...]] = {}  # those that came last, by how many they are
        self._objects = tuple(tag.encode() for tag in syntax.service.objects)
        self._group: Group | None = None
        self._references, self._group_references = Numbers(), Numbers()
        self._loose, self._fits = 0, ""

    def messages(self) -> Iterator[Message]:
        """Each message once its trailer was read; the faults of the envelope go to the interchange."""
        likely, usual, cutter = self._cutter.likely, self._usual, self._cutter
        while True:
            while raw := likely():
                if (message := usual(raw)) is not None:
                    yield message
            if (unit := cutter.next()) is None:
                break
            if unit.kind in ("message", "long"):
                yield self._message(unit)
            elif unit.kind == "package":
                yield self._package(unit)
            elif unit.kind == "segment":
                self._envelope(unit)
            else:
                self._stray(unit)
        self._end()

    def _usual(self, raw: bytes) -> Message | None:
        """The message that these bytes are likely to be; None where they have to be looked at more closely."""
        if len(raw) <= MAX_SEGMENTS and not self._looks_odd(raw):
            text, strange = self._decode(raw)
            segments = self._bare_split(text)
            if strange is None and (tags := self._plain_tags(segments)):
                message = self._counted(raw, self._feed.offset - len(raw), segments, tags)
                if segments[-1] != [self._closing, str(len(segments)), message.reference]:
                    self._check_trailer(message, segments[-1])
                return message
        self._cutter.look_closer(raw)
        return None

    def _plain_tags(self, segments: list[Segment]) -> tuple[str, ...]:
        """The tags of these, if they are those of one message: no service segment, no object, nothing between two
        terminators; else none. Those seen before are the same tuple again, which is quick to look up."""
        tags = tuple(map(tag_of, segments))
        if tags == (usual := self._usual_tags.get(len(tags))):  # quicker than the hash of new texts
            return usual
        tags = tuple(map(tag_of, with_plain_tags(segments, self._interchange.delimiters.component)))
        if (known := self._plain.get(tags)) is not None:
            self._usual_tags[len(tags)] = known
            return known
        inner = tags[1:-1]
        if "" in tags or not self._service_tags.isdisjoint(inner) or any(tag.startswith("UNA") for tag in inner):
            return ()
        if len(self._plain) < _MOST_PLAIN and len(tags) < _LONGEST_PLAIN:
            self._plain[tags] = self._usual_tags[len(tags)] = tags
        return tags

    def _message(self, unit: Unit) -> Message:
        too_many, strange, tags = 0, None, ()
        if len(unit.raw) > MAX_SEGMENTS:
            unit, too_many = self._cut(unit)
        if unit.kind == "long":
            unit = unit._replace(raw=self._whole_segments(unit.raw))
        raw = unit.raw
        is_odd = self._looks_odd(raw) or any(map(raw.__contains__, self._objects))
        if not is_odd:
            text, strange = self._decode(raw)
            segments = self._split(text)
            tags = tuple(map(tag_of, segments))
            is_odd = "" in tags  # nothing, or blanks alone, between two terminators
        if is_odd:
            segments, strange = texts.segments_of(raw, self._interchange, self._split, self._decode)
            tags = ()
        message = self._counted(unit.raw, unit.offset, segments, tags)
        last = segments[-1]
        if unit.kind == "long":
            message.is_cut = True
            self._too_long(message, unit, too_many)
        elif last != [self._closing, str(len(segments)), message.reference]:
            self._check_trailer(message, last)
        if is_odd or strange is not None:
            message.found(texts.faults_of(message, self._syntax, self._settings, strange))
        return message

    def _counted(
        self, raw: bytes, offset: int, segments: list[Segment], tags: tuple[str, ...] = ()
    ) -> Message:  # fmt: skip
        """The message with its facts; its reference and its place among groups are looked at."""
        interchange, group, syntax = self._interchange, self._group, self._syntax
        message = Message(interchange, group, raw, offset, interchange.count, segments, self._settings.interpret, tags)
        syntax.describe(message)
        interchange.count += 1
        if group is not None:
            group.messages += 1
        else:
            self._loose += 1
        if (group is None) is not (interchange.groups == 0 and not syntax.needs_groups):
            self._tell(message, "mixed", 1, 0, f"{segments[0][0]} stands outside a group", "", "it within a group")
        elif group is not None and message.type != self._fits:
            self._check_group(message, group)
        if not message.reference:
            self._tell(message, "number", 1, syntax.reference_element, "the reference is missing", "", "one")
        elif not self._references.add(message.reference):
            self._tell(message, "duplicate", 1, syntax.reference_element,
                       f"the reference {shown(message.reference)} stood before in the same "
                       f"{'group' if group else 'interchange'}", message.reference, "one of its own")  # fmt: skip
        if not message.type and message.kind == "message":
            self._tell(message, "type", 1, syntax.type_element, "the message type is missing", "", "one")
        return message

    def _check_group(self, message: Message, group: Group) -> None:
        """Whether a message belongs into its group; what does is not looked at again."""
        syntax = self._syntax
        if (wanted := _group_type(message, syntax)) and group.type != wanted:
            severity = self._settings.tolerated if syntax.needs_groups else "error"
            self._tell(message, "types", 1, syntax.type_element, f"the message {shown(message.type)} stands in a group "
                       f"of {shown(group.type)}", message.type, f"a group of {shown(wanted)}", severity)  # fmt: skip
        elif message.kind == "message":
            self._fits = message.type

    def _tell(
        self, message: Message, what: str, segment: int, element: int, text: str, seen: str, expected: str,
        severity: str = "error",
    ) -> None:  # fmt: skip
        fault = message.fault(
            *self._syntax.codes["message", what], text, level="message", segment=segment, element=element,
            severity=severity, seen=shown(seen) if seen else "", expected=expected,
        )  # fmt: skip
        message.found([fault])

    def _check_trailer(self, message: Message, last: Segment) -> None:
        tag, number = self._syntax.trailer_of(message), len(message.segments)
        if last[0] != tag:
            seen = "the bytes end" if not self._feed.left else "the next service segment follows"
            self._tell(message, "trailer", number, 0, f"{tag} is missing: {seen}", str(last[0]), tag)
            return
        count, reference = part(last, 1), part(last, 2)
        if reference != message.reference:
            self._tell(message, "reference", number, 2, f"{tag} has the reference {shown(reference)}, its header "
                       f"{shown(message.reference)}", reference, message.reference)  # fmt: skip
        if last[3:] or not all(type(value) is str for value in last):
            text = f"{tag} holds more than a count and a reference"
            message.found([message.fault(*self._syntax.codes["message", "extra"], text, level="message",
                                         segment=number, severity=self._settings.tolerated)])  # fmt: skip
        if message.kind == "message" and not _says(count, number):
            self._tell(message, "count", number, 1, f"{tag} counts {shown(count)} segments; there are {number}",
                       count, str(number))  # fmt: skip

    def _cut(self, unit: Unit) -> tuple[Unit, int]:
        """What can be kept of a message with too many segments, and how many those are; else 0."""
        count = unit.raw.count(self._terminator)
        if count <= MAX_SEGMENTS:
            return unit, 0
        return unit._replace(kind="long", raw=unit.raw[:KEPT]), count

    def _whole_segments(self, raw: bytes) -> bytes:
        """The beginning of a message without the segment that it was cut in; as it is where that is the first."""
        release, end = self._interchange.delimiters.release.encode("latin-1"), raw.rfind(self._terminator)
        while release and end > 0 and is_released(raw, release, end, 0):
            end = raw.rfind(self._terminator, 0, end)
        return raw[: end + 1] or raw

    def _too_long(self, message: Message, unit: Unit, segments: int) -> None:
        count, what, most = unit.length, "bytes", self._settings.limit
        if segments:
            count, what, most = segments, "segments", MAX_SEGMENTS
        self._tell(message, "long", 1, 0, f"the message has {count} {what}; read are at most {most}", str(count),
                   f"at most {most} {what}")  # fmt: skip

    def _package(self, unit: Unit) -> Message:
        """UNO to UNP: the object between them is not text."""
        delimiters = self._interchange.delimiters
        header, obj, trailer = texts.package_parts(unit.raw, delimiters)
        segments = [self._segment(piece) for piece in (header, trailer) if piece]
        message = self._counted_package(unit, segments)
        message.object = obj
        told = package_length(header, delimiters)
        if told != len(obj):
            self._tell(message, "length", 1, 4, f"UNO tells an object of {told} bytes; there are {len(obj)}",
                       str(told), str(len(obj)))  # fmt: skip
        if len(segments) == 2 and not _says(part(segments[1], 1), len(obj)):
            self._tell(message, "length", 2, 1, f"UNP tells an object of {part(segments[1], 1)} bytes; there are "
                       f"{len(obj)}", part(segments[1], 1), str(len(obj)))  # fmt: skip
        self._check_trailer(message, segments[-1])
        return message

    def _counted_package(self, unit: Unit, segments: list[Segment]) -> Message:
        references, self._references = self._references, Numbers()  # a package has references of its own
        message = self._counted(unit.raw, unit.offset, segments)
        self._references = references
        return message

    def _segment(self, raw: bytes) -> Segment:
        text, _ = self._decode(raw.translate(None, b"\r\n") if self._interchange.is_wrapped else raw)
        return self._split(text)[0]

    def _envelope(self, unit: Unit) -> None:
        segment, service = self._segment(unit.raw), self._syntax.service
        if unit.tag == service.group[0]:
            self._open_group(segment, unit)
        elif unit.tag == service.group[1]:
            self._close_group(segment, unit)
        elif unit.tag == service.closer:
            self._close(segment, unit)
        elif len(self._interchange.notes) < _MOST_NOTES:
            self._note(segment, unit)

    def _open_group(self, segment: Segment, unit: Unit) -> None:
        self._end_group(unit.tag, unit.offset)
        group = self._syntax.group_of(segment, unit.offset)
        self._group, self._references, self._fits = group, Numbers(), ""
        self._interchange.groups += 1
        element = self._syntax.group_element
        if not group.reference:
            self._envelope_fault("group", "number", unit, element, "the group's reference is missing")
        elif not self._group_references.add(group.reference):
            self._envelope_fault("group", "duplicate", unit, element, f"the group's reference "
                                 f"{shown(group.reference)} stood before in the same interchange")  # fmt: skip
        self._check_stamps("group", "the group's", segment, unit)
        if self._loose and not self._syntax.needs_groups:
            self._envelope_fault("interchange", "mixed", unit, 0, "a group stands beside messages without one")
            self._loose = 0

    def _note(self, segment: Segment, unit: Unit) -> None:
        self._interchange.notes.append(segment)
        if unit.tag != "TA1":
            return
        if (status := part(segment, 4)) not in ("A", "E", "R"):
            text = f"the TA1's acknowledgement code {shown(status)} is none of A, E and R"
            self._envelope_fault("interchange", "note", unit, 4, text, status, "A, E or R", self._settings.tolerated)
        if (code := part(segment, 5)) not in WORDS["I18"]:
            text = f"the TA1's note code {shown(code)} is none"
            self._envelope_fault("interchange", "note", unit, 5, text, code, "000 to 031", self._settings.tolerated)
        self._check_stamps("interchange", "the TA1's", segment, unit)

    def _check_stamps(self, level: str, whose: str, segment: Segment, unit: Unit) -> None:
        for stamp in self._syntax.stamps_of(segment, self._interchange):
            if not stamp.is_right:
                text = f"{whose} {stamp.what} {shown(stamp.text)} is none"
                self._envelope_fault(level, stamp.what, unit, stamp.element, text, stamp.text, stamp.form,
                                     self._settings.tolerated, stamp.component)  # fmt: skip

    def _end_group(self, follower: str, offset: int) -> None:
        if self._group is not None:
            tag = self._syntax.service.group[1]
            unit = Unit("segment", tag, b"", offset, 0)
            where = f"{follower} follows" if follower else "the bytes end"
            self._envelope_fault("group", "trailer", unit, 0, f"{tag} is missing: {where}", "", tag)
            self._group = None

    def _close_group(self, segment: Segment, unit: Unit) -> None:
        group = self._group
        if group is None:
            self._stray(unit)
            return
        self._compare("group", segment, unit, group.messages, "messages", group.reference)
        if not group.messages:
            self._envelope_fault("group", "empty", unit, 0, "the group holds no message")
        self._group, self._references = None, Numbers()

    def _close(self, segment: Segment, unit: Unit) -> None:
        self._end_group(unit.tag, unit.offset)
        interchange = self._interchange
        interchange.trailer = segment
        in_groups = interchange.groups > 0 or self._syntax.needs_groups
        count, units = (interchange.groups, "groups") if in_groups else (interchange.count, "messages")
        self._compare("interchange", segment, unit, count, units, interchange.control_number)
        if not interchange.count and not interchange.notes and not interchange.groups:
            self._envelope_fault("interchange", "empty", unit, 0, "the interchange holds no message")

    def _compare(self, level: str, segment: Segment, unit: Unit, count: int, units: str, reference: str) -> None:
        told, number = part(segment, 1), part(segment, 2).strip()
        if not _says(told, count):
            self._envelope_fault(level, "count", unit, 1, f"{unit.tag} counts {shown(told)} {units}; there are {count}",
                                 told, str(count))  # fmt: skip
        if number != reference:
            is_number = reference.isascii() and reference.isdigit() and len(reference) < 19
            is_padded = self._syntax.needs_groups and is_number and _says(number, int(reference))
            self._envelope_fault(level, "reference", unit, 2, f"{unit.tag} has the number {shown(number)}, its header "
                                 f"{shown(reference)}", number, reference,
                                 self._settings.tolerated if is_padded else "error")  # fmt: skip
        if not unit.raw.endswith(self._interchange.delimiters.terminator.encode("latin-1")):
            self._envelope_fault(level, "end", unit, 0, f"the last segment has no terminator after {unit.tag}",
                                 severity=self._settings.tolerated)  # fmt: skip

    def _stray(self, unit: Unit) -> None:
        raw = unit.raw.rstrip(b"\r\n")
        seen = shown(raw[:40].decode("latin-1"))
        self._envelope_fault("interchange", "outside", unit, 0,
                             f"{unit.length} bytes between messages that belong to none: {seen}", seen)  # fmt: skip

    def _end(self) -> None:
        interchange = self._interchange
        if interchange.trailer is None:
            follower = "the next interchange begins" if self._feed.left else "the bytes end"
            self._end_group("" if not self._feed.left else self._syntax.service.openers[0], self._feed.offset)
            closer = self._syntax.service.closer
            unit = Unit("segment", closer, b"", self._feed.offset, 0)
            self._envelope_fault("interchange", "trailer", unit, 0, f"{closer} is missing: {follower}", "", closer)

    def _envelope_fault(
        self, level: str, what: str, unit: Unit, element: int, text: str, seen: str = "", expected: str = "",
        severity: str = "error", component: int = 0,
    ) -> None:  # fmt: skip
        interchange, faults = self._interchange, self._interchange.faults
        code_list, code = self._syntax.codes[level, what]
        offset = unit.offset + (offset_in(unit.raw, interchange.delimiters, 0, element, component) if element else 0)
        group = self._group
        fault = EdiFault(
            level, code_list, code, text, severity, interchange.control_number, group.reference if group else "",
            tag=unit.tag, element=element, component=component, offset=offset, seen=seen, expected=expected,
        )  # fmt: skip
        if len(faults) < MOST_FAULTS:
            faults.append(fault)
        if group is not None and unit.tag in self._syntax.service.group:
            group.faults.append(fault)


def _group_type(message: Message, syntax: Syntax) -> str:
    """The type of the group that a message belongs in; empty where any will do."""
    group, version = message.group, message.interchange.version
    # ISO 9735-1 version 4: a group without 0038 holds messages of several types; packages stand in any.
    if message.kind == "package" or (version == "4" and group is not None and not group.type):
        return ""
    return syntax.group_type(message.type)


def _says(told: str, count: int) -> bool:
    """Whether a control count is the number, be it with leading zeros."""
    return told == str(count) or (told.isascii() and told.isdigit() and len(told) < 19 and int(told) == count)
