"""The codec of a standard in XML whose documents are told by definitions: one file is one document, nothing is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hub.errors import DocumentFault, MappingError
from hub.formats import BadRecord, Codec, Option, Places, Record, codec, only_record
from hub.formats._ubl_checking import checked
from hub.formats._ubl_definitions import Standard
from hub.formats._ubl_faults import UblError, UblFault
from hub.formats._ubl_outline import outline
from hub.formats._ubl_places import UblPlaces, placed
from hub.formats._ubl_reading import read_document
from hub.formats._ubl_typed import TypedCodec
from hub.formats._ubl_writing import write_document
from hub.formats._xml import parse
from hub.formats._xml_plain import NotPlain, parts_as_it_came, parts_of_tree
from hub.formats._xml_tree import tree_of
from hub.outline import Outline

OPTIONS = (
    Option("faulty", "choice", "hold", ("hold", "pass"), "a document with errors is a bad record (`hold`), or a "
           "document like the others, with its faults in the field `faults` (`pass`)"),
    Option("indent", "integer", 0, description="blanks per level when writing a document that does not say how it is "
           "set (`indent`); 0 writes it in one line"),
    Option("records", description="reading: the list of a document whose elements become documents of their own, each "
           "the whole with this one element alone (`CatalogueLine`); default: one document"),
)  # fmt: skip
CONTENT_TYPES = ("application/xml", "text/xml")
_MAX_RAW = 65_536


class StandardCodec:
    """Reads and writes the documents of one standard; its methods are the functions of a format."""

    def __init__(self, standard: Standard) -> None:
        self._standard = standard

    def decode(self, chunks: Iterable[bytes], options: Mapping[str, Any]) -> Iterator[Record | BadRecord]:
        """The one document of a file, with its warnings; with ``records`` one for each element of that list. Raises
        DecodeError where it is no XML, or none of the standard; a document with errors is a bad record whose error
        names all of them."""
        raw = b"".join(chunks)
        document, faults = self._read(raw)
        if not any(fault.severity == "error" for fault in faults):
            yield from _records(document, faults, options)
        elif options.get("faulty") == "pass":
            yield from _records({**document, "faults": [fault.as_fields() for fault in faults]}, faults, options)
        else:
            error = UblError(faults)
            yield BadRecord(error, raw[:_MAX_RAW], error.position or "line 1", 0)

    def decode_one(self, raw: bytes, options: Mapping[str, Any]) -> Any:
        """The document of a file. Raises DecodeError, of a document with errors one that names all of them."""
        return only_record(self.decode([raw], options))

    def encode(self, documents: Iterable[Any], options: Mapping[str, Any]) -> bytes:
        """A file of one document. Raises MappingError with the path of what the standard cannot carry."""
        every = list(documents)
        if len(every) != 1:
            message = f"{len(every)} documents for one file; a {self._standard.word} file holds one"
            raise MappingError(message, code="encode", expected="one document")
        return self.encode_one(every[0], options)

    def holds_several(self, options: Mapping[str, Any]) -> bool:
        """A file holds one document."""
        return False

    def encode_one(self, document: Any, options: Mapping[str, Any]) -> bytes:
        """A file of one document: XML in UTF-8, in the standard's order where the document tells no other."""
        blanks = options.get("indent") if options else 0
        return write_document(self._standard, document, " " * blanks if blanks else None)

    def places(self, raw: bytes, options: Mapping[str, Any], index: int) -> Places:
        """Where the values of the document stand: line, column and byte of their elements."""
        return UblPlaces(raw, str(options.get("records") or ""), index)

    def raw_of(self, raw: bytes, options: Mapping[str, Any]) -> Any:
        """The elements as they stand, without the standard's kinds. Raises DecodeError."""
        return tree_of(raw)

    def checked(self, document: Any, type: str = "", is_strict: bool = False) -> Iterator[DocumentFault]:
        """Every fault of a document, in its order; see ``_ubl_checking``."""
        return checked(self._standard, document, type, is_strict)

    def outline(self, type: str) -> Outline:
        """The outline of a type of document."""
        return outline(self._standard, type)

    def typed(self, type: str, name: str) -> Codec:
        """The codec for documents of one type, those of the schema with this name."""
        return TypedCodec(codec(self._standard.word.lower()), type, name)

    def _read(self, raw: bytes) -> tuple[dict[str, Any], list[UblFault]]:
        try:
            parts, prove = parts_as_it_came(raw)
            document, faults = read_document(self._standard, parts, prove)
        except NotPlain:
            parts = parts_of_tree(parse(raw))
            document, faults = read_document(self._standard, parts, is_of_tree=True)
        return document, placed(faults, parts, raw) if faults else []


def _records(document: dict[str, Any], faults: list[UblFault], options: Mapping[str, Any]) -> Iterator[Record]:
    """The document, or its parts; what was found in all of it is told of the first."""
    name = str(options.get("records") or "")
    elements = document.get(name)
    if not isinstance(elements, list):
        yield Record(document, faults=faults)
        return
    for index, element in enumerate(elements):
        part = {**document, name: [element]}
        yield Record(part, f"{name} {index + 1}", index, () if index else faults)
