"""EDIFACT or X12 by a grammar: the format of a mapping that names one as its schema. Its documents are named.

Reading, a message of another type, or one with faults, is a bad record. Writing takes what stands around a message out
of the document, where reading puts it; a partner has all that, and control numbers of its own (``hub.partners``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from hub.errors import MappingError
from hub.formats import BadRecord, Codec, Places, Record, Step, codec, edifact, only_record, x12
from hub.formats._edi_envelopes import Message
from hub.formats._edi_faults import EdiFault
from hub.grammars.enveloping import enveloped
from hub.grammars.library import SYNTAXES, Grammars
from hub.grammars.matching import Matcher
from hub.grammars.positions import NamedPlaces
from hub.grammars.reading import Interpreter, grammar_name, segments_of
from hub.grammars.types import MessageType

_PLAIN = {"edifact": edifact.CODEC, "x12": x12.CODEC}


def codec_of(format: str, schema: str | None, grammars: Grammars) -> Codec:
    """The codec of a mapping's side: of a format of EDI with a grammar as its schema, the one that names."""
    if format in SYNTAXES and schema and grammars.has(schema):
        return NamedCodec(format, schema, grammars)
    return codec(format)


def decode_named(
    syntax: str, chunks: Iterable[bytes], options: Mapping[str, Any], grammars: Grammars
) -> Iterator[Record | BadRecord]:
    """A record for each message, named by the grammar of its own type and version."""
    return _PLAIN[syntax].decode(chunks, options, Interpreter(grammars))


def encode_named(
    syntax: str, documents: Iterable[Any], options: Mapping[str, Any], grammars: Grammars, name: str = ""
) -> bytes:
    """The interchanges of named documents, each by the grammar of its own type and version, or by the one with this
    name. Raises MappingError, NotFound."""
    charset, made = str(options.get("charset") or ""), []
    for number, document in enumerate(documents, 1):
        message = grammars.message(name or _grammar_of(document, syntax))
        made.append(enveloped(document, message, number, charset))
    return _PLAIN[syntax].encode(made, options)


def _grammar_of(document: Any, syntax: str) -> str:
    own = document.get("message") if isinstance(document, Mapping) else None
    for part in ("type", "version"):
        if not isinstance(own, Mapping) or not own.get(part):
            raise MappingError(
                f"nothing says which message the document is: message.{part} is missing", code="encode",
                field_path=f"message.{part}", expected="such as message: {type: ORDERS, version: D96A}",
                hint="or name the grammar: --grammar edifact/D96A/ORDERS",
            )  # fmt: skip
    return f"{syntax}/{own['version']}/{own['type']}"  # type: ignore[index]


class NamedCodec:
    """A codec like those of ``hub.formats``, for the messages of one grammar. ``declared`` gives the name of that of
    another version, by the version and the association code that a message declares."""

    def __init__(
        self, syntax: str, name: str, grammars: Grammars, declared: Callable[[str, str], str] | None = None
    ) -> None:
        plain = codec(syntax)
        self.__name__ = plain.__name__  # type: ignore[attr-defined]  # that of a module, like those of other codecs
        self.OPTIONS, self.CONTENT_TYPES, self.EXAMPLE = plain.OPTIONS, plain.CONTENT_TYPES, plain.EXAMPLE
        self._plain, self._name = _PLAIN[syntax], name
        self._grammars, self._declared = grammars, declared
        self._type = grammars.message(name).standard.rsplit("/", 1)[-1]
        self._interpreter = Interpreter(grammars, self._choose)

    def _choose(self, message: Message) -> str:
        if message.type != self._type:
            return grammar_name(message)
        return self._declared(message.version, message.association) if self._declared else self._name

    def _interpret(self, message: Message) -> tuple[Any, list[EdiFault]]:
        document, faults = self._interpreter(message)
        if message.type != self._type:
            faults = [other_type(message, self._type, f"the mapping reads {self._name}"), *faults]
        return document, faults

    def decode(self, chunks: Iterable[bytes], options: Mapping[str, Any]) -> Iterator[Record | BadRecord]:
        return self._plain.decode(chunks, options, self._interpret)

    def decode_one(self, raw: bytes, options: Mapping[str, Any]) -> Any:
        return only_record(self.decode([raw], options))

    def encode(self, documents: Iterable[Any], options: Mapping[str, Any]) -> bytes:
        """Whole interchanges. Raises MappingError with what is wrong, or missing, in a document."""
        charset, message = str(options.get("charset") or ""), self._grammars.message(self._name)
        made = [enveloped(document, message, number, charset) for number, document in enumerate(documents, 1)]
        return self._plain.encode(made, options)

    def encode_one(self, document: Any, options: Mapping[str, Any]) -> bytes:
        return self.encode([document], options)

    def places(self, raw: bytes, options: Mapping[str, Any], index: int) -> Places:
        """Where the values of one document stand: line, column, byte and segment."""
        message, element = self._plain.message(raw, options, index, self._interpret if options.get("records") else None)
        if message is None or not self._grammars.has(name := self._choose(message)):
            return lambda steps: None
        return places_of(raw, message, element, self._grammars.message(name))


def places_of(raw: bytes, message: Message, element: Sequence[Step], grammar: MessageType) -> Places:
    """Where the values of a message's named document stand in ``raw``, the whole bytes. ``element`` is the path of the
    element that the document is of, where it is of one alone."""
    places = NamedPlaces(raw, message, Matcher(grammar).match(segments_of(message)))
    return lambda steps: places(_in_whole(steps, element))


def _in_whole(steps: Sequence[Step], element: Sequence[Step]) -> Sequence[Step]:
    """A path in a part of a message as it is in the whole of it: the lists that hold one element alone there hold it at
    its own place here."""
    whole = list(steps)
    for number, (step, own) in enumerate(zip(steps, element, strict=False)):
        if isinstance(own, str) and step != own:
            break
        whole[number] = own
    return whole


def other_type(message: Message, wanted: str, why: str) -> EdiFault:
    """The fault of a message that is of another type than wanted."""
    code_list, code = ("718", "1") if message.interchange.syntax == "x12" else ("0085", "14")
    text = f"the message is of type {message.type}, and {why}"
    return message.fault(code_list, code, text, level="message", seen=message.type, expected=wanted)
