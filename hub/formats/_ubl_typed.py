"""UBL for documents of one type: the codec of a mapping's side whose schema names it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hub.errors import MappingError
from hub.formats import BadRecord, Codec, Option, Places, Record, only_record
from hub.formats._ubl_faults import UblError, UblFault


class TypedCodec:
    """The codec of UBL for documents of one type: another is not taken, and the type need not be said."""

    def __init__(self, plain: Codec, type: str, name: str) -> None:
        """``plain``: that for documents of any type; ``name``: of the schema, for messages."""
        self.__name__ = plain.__name__  # type: ignore[attr-defined]  # that of a module, like those of other codecs
        self.OPTIONS: tuple[Option, ...] = plain.OPTIONS
        self.CONTENT_TYPES: tuple[str, ...] = plain.CONTENT_TYPES
        self.EXAMPLE: tuple[bytes, Any] = plain.EXAMPLE
        self.of_any_type, self._name, self._type = plain, name, type

    def decode(self, chunks: Iterable[bytes], options: Mapping[str, Any]) -> Iterator[Record | BadRecord]:
        """The document; a bad record where it is of another type."""
        raw = b"".join(chunks)
        for record in self.of_any_type.decode([raw], options):
            if isinstance(record, Record) and record.value["type"] != self._type:
                yield BadRecord(UblError([self._other(record.value["type"])]), raw[:65_536], "line 1", record.index)
            else:
                yield record

    def decode_one(self, raw: bytes, options: Mapping[str, Any]) -> Any:
        return only_record(self.decode([raw], options))

    def encode(self, documents: Iterable[Any], options: Mapping[str, Any]) -> bytes:
        return self.of_any_type.encode((self._typed(document) for document in documents), options)

    def encode_one(self, document: Any, options: Mapping[str, Any]) -> bytes:
        return self.of_any_type.encode_one(self._typed(document), options)

    def places(self, raw: bytes, options: Mapping[str, Any], index: int) -> Places:
        found: Places = self.of_any_type.places(raw, options, index)  # type: ignore[attr-defined]  # all have it
        return found

    def _typed(self, document: Any) -> Any:
        if not isinstance(document, Mapping):
            return document
        if document.get("type", self._type) != self._type:
            fault = self._other(str(document["type"]))
            raise MappingError(fault.message, code="encode", field_path="type", expected=self._type)
        return {"type": self._type, **document}

    def _other(self, type: str) -> UblFault:
        message = f"the document is of type {type[:60]}, and the mapping's schema is {self._name}"
        return UblFault(
            "other_type", message, seen=type[:60], expected=self._type, path=f"/{type[:60]}", line=1, column=1
        )
