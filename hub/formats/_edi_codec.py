"""What the codecs of EDIFACT and X12 share: messages to records, the bad ones apart, and documents to bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hub.errors import DecodeError
from hub.formats import BadRecord, Option, Place, Places, Record, Step, only_record
from hub.formats._edi_documents import bytes_of, document_of, told_of
from hub.formats._edi_envelopes import Interchange, Interpret, Message
from hub.formats._edi_faults import EdiError, EdiFault
from hub.formats._edi_parts import parts
from hub.formats._edi_reading import Door, read
from hub.formats._edi_syntax import Agreed, Settings
from hub.formats._segments import Repeats

CHARSETS = ("", "utf-8", "ascii", "latin-1", "windows-1252", "iso8859-2", "iso8859-5", "iso8859-7", "iso8859-15")
OPTIONS = (
    Option("strict", "boolean", False, description="what is only tolerated (blanks between segments, an ISA that is "
           "not padded, characters that the envelope does not announce) is an error"),
    Option("faulty", "choice", "hold", ("hold", "pass"), "a message with errors is a bad record (`hold`), or "
           "a document like the others, with its faults in the field `faults` (`pass`)"),
    Option("charset", "choice", "", CHARSETS, "the character set, whatever the envelope says"),
    Option("records", "path", description="of a mapping that reads by a grammar: the list whose elements become "
           "documents of their own, each the whole message with this one element alone (`LIN_group`, "
           "`PGI_group.LIN_group`); a message without such an element stays one document; default: a document for each "
           "message"),
)  # fmt: skip
_MAX_RAW = 65_536


class EdiCodec:
    """The codec of one syntax: its methods are what a module of ``hub.formats`` offers."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def read(
        self, chunks: Iterable[bytes], *, strict: bool = False, charset: str = "", interpret: Interpret | None = None,
        agreed: Callable[[Interchange], Agreed] | None = None,
    ) -> Iterator[Interchange]:  # fmt: skip
        """Every interchange in turn, lazily; see ``hub.formats._edi_envelopes``. ``charset`` stands in for what the
        envelope says; ``agreed`` tells by a header what was agreed with its sender. Raises EdiError when there is no
        interchange in the bytes."""
        return read(self._door, chunks, Settings(strict, charset, interpret, agreed=agreed))

    def decode(
        self, chunks: Iterable[bytes], options: Mapping[str, Any], interpret: Interpret | None = None
    ) -> Iterator[Record | BadRecord]:
        """A record for each message, in constant memory; behind those of an interchange, a bad record for what is wrong
        with its envelope. The document is what ``interpret`` makes of a message, else its segments as they are. Raises
        DecodeError when there is no interchange in the bytes."""
        index, passes = 0, options.get("faulty") == "pass"
        for interchange in read(self._door, chunks, _settings(options, interpret)):
            warned = 0
            for message in interchange.messages():
                news = [fault for fault in interchange.faults[warned:] if not fault.is_error]
                warned = len(interchange.faults)
                for record in _records(message, news, index, passes, options.get("records") or ""):
                    yield record
                    index += 1
            if not interchange.is_accepted:
                error = EdiError(interchange.faults, interchange)
                yield BadRecord(error, b"", error.position or f"byte {interchange.offset}", index)
                index += 1

    def decode_one(self, raw: bytes, options: Mapping[str, Any]) -> Any:
        """The document of the one message. Raises DecodeError when there are more or none."""
        return only_record(self.decode([raw], options))

    def encode(self, documents: Iterable[Any], options: Mapping[str, Any]) -> bytes:
        """The messages in their interchanges and groups, with right trailers. Raises MappingError with the place of
        what cannot be written."""
        return bytes_of(documents, self._door.syntax, options.get("charset") or "")

    def encode_one(self, document: Any, options: Mapping[str, Any]) -> bytes:
        """An interchange with one message."""
        return self.encode([document], options)

    def places(self, raw: bytes, options: Mapping[str, Any], index: int) -> Places:
        """Where the parts of one document stand: line, column and byte, by ``segments``, number, element, component."""
        message, _ = self.message(raw, options, index)
        return EdiPlaces(raw, message) if message is not None else lambda steps: None

    def message(
        self, raw: bytes, options: Mapping[str, Any], index: int, interpret: Interpret | None = None
    ) -> tuple[Message | None, Sequence[Step]]:
        """The message of one record, None where there is none; and the path in it of the element that ``records`` made
        the record of, empty where it is the whole message."""
        number, passes, path = 0, options.get("faulty") == "pass", options.get("records") or ""
        with suppress(DecodeError):
            for interchange in read(self._door, [raw], _settings(options, interpret)):
                for message in interchange.messages():
                    for record in _records(message, [], number, passes, path):
                        if record.index == index:
                            return message, record.element if isinstance(record, _Part) else ()
                        number += 1
                number += not interchange.is_accepted
        return None, ()


def _settings(options: Mapping[str, Any], interpret: Interpret | None = None) -> Settings:
    return Settings(bool(options.get("strict")), options.get("charset") or "", interpret)


@dataclass(frozen=True, slots=True)
class _Part(Record):
    """A record of a part of a message, with the path of its element."""

    element: Sequence[Step] = ()


def _records(
    message: Message, news: list[EdiFault], index: int, passes: bool, path: str
) -> Iterator[Record | BadRecord]:
    """The records of a message: one, or one for each element at ``path``. Its faults are told once."""
    whole = _record(message, news, index, passes)
    if not path or message.tree is None or isinstance(whole, BadRecord):
        yield whole
        return
    for number, part in enumerate(parts(whole.value, path)):
        position = f"{whole.position}, {part.where}" if part.where else whole.position
        yield _Part(part.document, position, index + number, () if number else whole.faults, part.element)


def _record(message: Message, news: list[EdiFault], index: int, passes: bool) -> Record | BadRecord:
    """``news`` are the warnings of the envelope since the message before."""
    faults = [*faults_above(message), *news, *message.faults]
    position = position_of(message)
    if passes or not any(fault.is_error for fault in faults):
        return Record(_document(message, faults if passes else ()), position, index, faults)
    return BadRecord(EdiError(faults, message.interchange), message.raw[:_MAX_RAW], position, index)


def _document(message: Message, faults: Sequence[EdiFault]) -> dict[str, Any]:
    if message.tree is None:
        return document_of(message, faults)
    return {**message.tree, "faults": told_of(faults)} if faults else message.tree


def position_of(message: Message) -> str:
    """Where a message is, in words."""
    return message.fault("", "", "").position


def faults_above(message: Message) -> list[EdiFault]:
    """What is wrong with the headers it stands under: such a message is not taken either."""
    found = [fault for fault in message.interchange.faults if fault.is_error and fault.tag in HEADERS]
    of_group = message.group.faults if message.group is not None else ()
    return found + [fault for fault in of_group if fault.is_error and fault.tag in GROUPS]


HEADERS, GROUPS = ("UNA", "UNB", "ISA"), ("UNG", "GS")


class EdiPlaces:
    """The places of one message's document, by the path in it."""

    def __init__(self, raw: bytes, message: Message) -> None:
        self._raw, self._interchange, self._message = raw, message.interchange, message

    def __call__(self, steps: Sequence[Step]) -> Place | None:
        message, numbers = self._message, [step for step in steps[1:] if isinstance(step, int)]
        match steps[:1]:
            case ["segments"] if numbers and numbers[0] < len(message.segments):
                what = f"segment {numbers[0] + 1} {message.segments[numbers[0]][0]}"
                return self._place(self._in_message(numbers), what)
            case ["group"] if message.group is not None:
                return self._place(message.group.offset, f"group {message.group.reference}")
            case ["interchange"]:
                return self._place(self._interchange.offset, f"interchange {self._interchange.control_number}")
            case [] | ["segments" | "type" | "version" | "association" | "reference"]:
                return self._place(message.offset, "segment 1")
        return None

    def _in_message(self, numbers: Sequence[int]) -> int:
        segment, element, *inner = [*numbers, 0] if len(numbers) == 1 else numbers
        elements = self._message.segments[segment]
        is_repeated = element < len(elements) and type(elements[element]) is Repeats
        first, second, *_ = [*(number + 1 for number in inner), 0, 0]
        repetition, component = (first, second) if is_repeated else (0, first)
        return self._message.offset_of(segment + 1, element, component, repetition)

    def _place(self, offset: int, what: str) -> Place:
        line = self._raw.count(b"\n", 0, offset) + 1
        column = offset - self._raw.rfind(b"\n", 0, offset)
        return Place(line, column, offset, f"{what}, byte {offset}")
