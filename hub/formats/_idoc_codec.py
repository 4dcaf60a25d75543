"""The codec of IDocs, whoever describes their segments: the options of the format, or a grammar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from hub.errors import DecodeError, UsageError
from hub.formats import BadRecord, Option, Place, Places, Record, Step, only_record, option_faults
from hub.formats._csv_text import ENCODINGS, raw_bytes
from hub.formats._idoc_lines import HEAD, read_idocs, write_idoc
from hub.formats._idoc_parts import CONTROL, Choose, Described, Idoc, IdocError, Part, refused
from hub.formats._idoc_plain import segment_fault
from hub.formats._idoc_xml import read_xml, write_xml
from hub.formats._xml_places import named_places

OPTIONS = (
    Option("layout", "choice", "xml", ("xml", "flat"), "what is written; both are read"),
    Option("segments", "map", {}, description="what is known of segment types: `{E1EDK01: {name: E2EDK01005, "
           "once: true, fields: {ACTION: 3, KZABS: 1}}}`, the fields in their order with their lengths"),
    Option("encoding", "choice", "auto", ENCODINGS, "of a flat file; `auto`: by byte order mark, else UTF-8"),
    Option("line_end", "choice", "crlf", ("crlf", "lf"), "line ends when writing a flat file; all are read"),
    Option("trailing_blanks", "boolean", True, description="whether flat lines are written to their full length"),
    Option("faulty", "choice", "hold", ("hold", "pass"), "an IDoc in which a grammar finds errors is a bad record "
           "(`hold`), or a document like the others, with its faults in the field `faults` (`pass`)"),
)  # fmt: skip
CONTENT_TYPES = ("application/idoc+xml", "application/x-sap.idoc", "text/xml", "application/xml")
_MAX_RAW = 65_536
_AROUND = b"\xef\xbb\xbf \r\n\t"
_MARK = b"\xef\xbb\xbf"


class IdocCodec:
    """Reads and writes IDocs; its methods are the functions of a format. ``described`` tells by the options who
    describes one, by its control record."""

    def __init__(self, described: Callable[[Mapping[str, Any]], Choose]) -> None:
        self._described = described

    def decode(self, chunks: Iterable[bytes], options: Mapping[str, Any]) -> Iterator[Record | BadRecord]:
        """Every IDoc of a file. Raises DecodeError for what is neither XML nor a flat file."""
        choose, encoding = self._choose(options), options.get("encoding", "auto")
        for index, idoc in enumerate(_idocs(chunks, encoding, choose)):
            if idoc.error is None:
                try:
                    yield self._record(idoc, choose(idoc.control), index, options)
                    continue
                except DecodeError as error:
                    idoc.error = error
            yield BadRecord(idoc.error, raw_bytes(idoc.raw, encoding)[:_MAX_RAW], idoc.place, index)

    def _record(self, idoc: Idoc, described: Described, index: int, options: Mapping[str, Any]) -> Record:
        """Raises DecodeError."""
        document = described.document(idoc)
        if any(fault.severity == "error" for fault in idoc.faults):
            if options.get("faulty") != "pass":
                raise IdocError(idoc.faults)
            document["faults"] = [fault.as_fields() for fault in idoc.faults]
        return Record(document, idoc.place, index, idoc.faults)

    def decode_one(self, raw: bytes, options: Mapping[str, Any]) -> Any:
        """The one IDoc of a body. Raises DecodeError where there are several or none."""
        return only_record(self.decode([raw], options))

    def encode(self, documents: Iterable[Any], options: Mapping[str, Any]) -> bytes:
        """One file of all IDocs. Raises MappingError for what does not fit its field, and for IDocs of several types in
        one file of XML."""
        choose, made = self._choose(options), []
        for document in documents:
            described = choose(_control_of(document))
            made.append((described, described.prepared(document)))
        if options.get("layout", "xml") != "flat":
            return write_xml([document for _, document in made])
        end, blanks = "\n" if options.get("line_end") == "lf" else "\r\n", options.get("trailing_blanks", True)
        lines = chain.from_iterable(write_idoc(document, described, blanks) for described, document in made)
        return _encoded("".join(line + end for line in lines), options.get("encoding", "auto"))

    def encode_one(self, document: Any, options: Mapping[str, Any]) -> bytes:
        """A file of one IDoc."""
        return self.encode([document], options)

    def places(self, raw: bytes, options: Mapping[str, Any], index: int) -> Places:
        """Where the segments and fields of one IDoc stand."""
        if raw.lstrip(_AROUND)[:1] == b"<":
            return lambda steps: _place_in_xml(raw, index, steps)
        choose = self._choose(options)
        found = _idocs([raw], options.get("encoding", "auto"), choose)
        idoc = next((each for number, each in enumerate(found) if number == index), None)
        return lambda steps: _place(idoc, steps, choose(idoc.control)) if idoc else None

    def _choose(self, options: Mapping[str, Any]) -> Choose:
        """Raises UsageError for options that are wrong."""
        if faults := faults_of(options):
            raise UsageError("; ".join(faults.values()))
        return self._described(options)


def faults_of(options: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the options, a sentence for each name."""
    if faults := option_faults(OPTIONS, options):
        return faults
    words = [word for kind, about in options.get("segments", {}).items() if (word := segment_fault(kind, about))]
    return {"segments": words[0]} if words else {}


def _idocs(chunks: Iterable[bytes], encoding: str, choose: Choose) -> Iterator[Idoc]:
    pieces, head = iter(chunks), b""
    for piece in pieces:
        head += piece
        if head.lstrip(_AROUND):
            break
    whole = chain([head], pieces)
    if head.lstrip(_AROUND)[:1] == b"<" or head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return read_xml(whole)
    return read_idocs(whole, encoding, choose, len(_MARK) if head.startswith(_MARK) else 0)


def _control_of(document: Any) -> Mapping[str, str]:
    control = document.get("control") if isinstance(document, Mapping) else None
    if not isinstance(control, Mapping):
        raise refused("control", "no control record", "{control: {…}, E1…: […]}")
    type = document.get("type")
    return {"IDOCTYP": type, **control} if isinstance(type, str) else control


def _encoded(text: str, encoding: str) -> bytes:
    try:
        return text.encode("utf-8" if encoding == "auto" else encoding)
    except UnicodeEncodeError as error:
        seen = f"the character U+{ord(text[error.start]):04X}, which {encoding} does not have"
        raise refused("", seen, f"characters of {encoding}") from None


def _place_in_xml(raw: bytes, index: int, steps: Sequence[Step]) -> Place | None:
    wanted = [("IDOC", index)]
    for step in steps:
        if isinstance(step, int):
            wanted[-1] = (wanted[-1][0], step)
        elif step != "type":
            wanted.append(("EDI_DC40" if step == "control" else step, 0))
    return next((place for path, place in named_places(raw) if list(path[1:]) == wanted), None)


def _place(idoc: Idoc, steps: Sequence[Step], described: Described) -> Place | None:
    line = int(idoc.place.removeprefix("line "))
    if steps[:1] == ["control"]:
        return _field_place(line, 1, CONTROL, str(steps[1])) if len(steps) > 1 else Place(line, 1)
    parts, found = idoc.parts, None
    for number, step in enumerate(steps):
        if isinstance(step, int):
            continue
        every = [part for part in parts if part.kind == step]
        if not every:
            is_field = found is not None and step in found.fields
            return _field_place(line, HEAD + 1, described.lengths(found.kind), step) if found and is_field else None
        at = steps[number + 1] if number + 1 < len(steps) else 0
        if not isinstance(at, int):
            at = 0
        if not -len(every) <= at < len(every):
            return None
        found = every[at]
        line, parts = _line(found), found.below
    return Place(line, 1)


def _line(part: Part) -> int:
    return int(part.line.removeprefix("line "))


def _field_place(line: int, column: int, lengths: Mapping[str, int], field: str) -> Place:
    for name, length in lengths.items():
        if name == field:
            break
        column += length
    return Place(line, column, what=f"field {field}")
