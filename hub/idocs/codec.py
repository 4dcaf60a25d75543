"""IDocs by a grammar: the format of a mapping that names one as its schema; commands find one by the type."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from hub.errors import MappingError
from hub.formats import BadRecord, Record, idoc
from hub.formats._idoc_codec import IdocCodec
from hub.formats._idoc_parts import Choose, Described, Idoc, type_of
from hub.formats._idoc_plain import PlainDescription, Segment, segments_of
from hub.idocs.library import IdocTypes
from hub.idocs.naming import named
from hub.idocs.preparing import prepared
from hub.idocs.types import IdocType


class TypedIdocs(IdocCodec):
    """A codec like that of ``hub.formats``, for the IDocs of one grammar."""

    def __init__(self, type: IdocType) -> None:
        super().__init__(lambda options: _always(ByGrammar(type, segments_of(options))))
        self.__name__ = idoc.__name__  # that of a module, like those of other codecs
        self.OPTIONS, self.CONTENT_TYPES, self.EXAMPLE = idoc.OPTIONS, idoc.CONTENT_TYPES, idoc.EXAMPLE


def decode_by_type(
    chunks: Iterable[bytes], options: Mapping[str, Any], types: IdocTypes
) -> Iterator[Record | BadRecord]:
    """Every IDoc by the grammar of its own type; by the options alone where there is none."""
    return IdocCodec(lambda given: _by_type(types, given)).decode(chunks, options)


def encode_by_type(documents: Iterable[Any], options: Mapping[str, Any], types: IdocTypes, name: str = "") -> bytes:
    """IDocs by the grammar of their own type, or by the one with this name. Raises MappingError, NotFound."""
    if name:
        return TypedIdocs(types.type(name)).encode(documents, options)
    return IdocCodec(lambda given: _by_type(types, given)).encode(documents, options)


def is_plain(document: Any, types: IdocTypes) -> bool:
    """Whether a document is one that no grammar has named: a list stands where the grammar has an object."""
    control = document.get("control") if isinstance(document, Mapping) else None
    name = types.of_idoc({"IDOCTYP": document.get("type"), **control}) if isinstance(control, Mapping) else ""
    nodes = types.type(name).nodes if name else ()
    return not name or any(isinstance(document.get(node.kind), list) for node in nodes if not node.is_list)


def _always(described: Described) -> Choose:
    return lambda control: described


def _by_type(types: IdocTypes, options: Mapping[str, Any]) -> Choose:
    segments = segments_of(options)
    made: dict[str, Described] = {"": PlainDescription(segments)}

    def choose(control: Mapping[str, str]) -> Described:
        name = types.of_idoc(control)
        if name not in made:
            made[name] = ByGrammar(types.type(name), segments)
        return made[name]

    return choose


class ByGrammar:
    """The segments of a grammar. What the option ``segments`` says of one, its definition or its fields, wins."""

    def __init__(self, type: IdocType, given: Mapping[str, Segment]) -> None:
        self._type, self._given = type, given
        self._definitions = {kind: segment.definition for kind, segment in type.segments.items()}
        self._definitions |= {kind: about.name for kind, about in given.items() if about.name}
        self._kinds = {definition: kind for kind, definition in self._definitions.items()}

    def kind_of(self, definition: str) -> str:
        return self._kinds.get(definition) or type_of(definition)

    def definition(self, kind: str) -> str:
        return self._definitions.get(kind, "")

    def lengths(self, kind: str) -> Mapping[str, int]:
        if kind in self._given and self._given[kind].fields:
            return self._given[kind].fields
        return self._type.segments[kind].lengths if kind in self._type.segments else {}

    def parents(self, kind: str) -> Collection[str] | None:
        return self._type.parents.get(kind)

    def document(self, idoc: Idoc) -> dict[str, Any]:
        return named(idoc, self._type)

    def prepared(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        made, faults = prepared(document, self._type)
        errors = [fault for fault in faults if fault.severity == "error"]
        if errors:
            first, more = errors[0], f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
            raise MappingError(
                f"{first}{more}", code="encode", field_path=first.path, value_excerpt=first.seen,
                expected=first.expected, cause=first.cause,
            )  # fmt: skip
        return made
