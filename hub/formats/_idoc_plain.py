"""What the options say of the segments of an IDoc, and its document by them alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from hub.errors import DecodeError
from hub.formats._idoc_parts import Idoc, Part, type_of
from hub.outline import Outline, Plain

_FIELD = re.compile(r"[A-Z/][A-Z0-9_/]*")
_LONGEST = 1000


class Segment(msgspec.Struct, frozen=True):
    """What the options say of a segment type: the name of its definition, the lengths of its fields, whether it comes
    once."""

    name: str = ""
    fields: Mapping[str, int] = msgspec.field(default_factory=dict)
    once: bool = False


class PlainDescription:
    """Segments as the option ``segments`` describes them; of all others nothing is known."""

    def __init__(self, segments: Mapping[str, Segment]) -> None:
        self._segments = segments
        self._kinds = {about.name: kind for kind, about in segments.items() if about.name}

    def kind_of(self, definition: str) -> str:
        return self._kinds.get(definition) or type_of(definition)

    def definition(self, kind: str) -> str:
        return self._segments[kind].name if kind in self._segments else ""

    def lengths(self, kind: str) -> Mapping[str, int]:
        return self._segments[kind].fields if kind in self._segments else {}

    def parents(self, kind: str) -> Collection[str] | None:
        return None

    def document(self, idoc: Idoc) -> dict[str, Any]:
        """A list for each segment type, an object where it comes once."""
        type = idoc.type or idoc.control.get("IDOCTYP", "")
        document: dict[str, Any] = {"type": type, "control": idoc.control}
        self._fill(document, idoc.parts)
        return document

    def _fill(self, home: dict[str, Any], parts: Sequence[Part]) -> None:
        for part in parts:
            if part.rest:
                raise DecodeError(
                    f"{part.rest[:40]!r} behind the last field of {part.kind}; expected what its fields hold",
                    position=part.place(part.rest_column),
                    expected="what its fields hold", quoted=(part.rest[:40],),
                )  # fmt: skip
            value: dict[str, Any] = dict(part.fields)
            self._put(home, part, value)
            self._fill(value, part.below)

    def _put(self, home: dict[str, Any], part: Part, value: dict[str, Any]) -> None:
        kind = part.kind
        once = kind in self._segments and self._segments[kind].once
        if not once and not isinstance(home.get(kind, []), list):
            raise DecodeError(f"{kind} is a field and a segment; expected one of them", position=part.place())
        if not once:
            home.setdefault(kind, []).append(value)
        elif kind in home:
            detail = f"a second {kind}; expected one (once: true)"
            raise DecodeError(detail, code="structure", position=part.place())
        else:
            home[kind] = value

    def prepared(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        return document

    def outline(self) -> Outline:
        """Of the segments that come once that they are objects, of all their fields."""
        fields: dict[str, Outline] = {
            "type": Plain("text"),
            "control": Plain("object", is_complete=False, others=Plain("text")),
        }
        for kind, about in self._segments.items():
            own = Plain("object", {name: Plain("text") for name in about.fields}, is_complete=False)
            fields[kind] = own if about.once else Plain("list", element=own)
        return Plain("object", fields, is_complete=False, required=("type", "control"))


def segments_of(options: Mapping[str, Any]) -> dict[str, Segment]:
    """The option ``segments``, once it is known to be right."""
    return {kind: Segment(**about) for kind, about in options.get("segments", {}).items()}


def segment_fault(kind: str, about: Any) -> str:
    """What is wrong with an entry of the option ``segments``; nothing where it is right."""
    known = {"name": str, "fields": Mapping, "once": bool}
    if not isinstance(about, Mapping) or any(
        name not in known or not isinstance(value, known[name]) for name, value in about.items()
    ):
        return f"the segment {kind} wants {{name: E2EDK01005, once: true, fields: {{ACTION: 3}}}}"
    for name, length in about.get("fields", {}).items():
        if not isinstance(length, int) or isinstance(length, bool) or not 1 <= length <= _LONGEST:
            return f"the field {name} of {kind} wants its length, from 1 to {_LONGEST}"
        if not _FIELD.fullmatch(str(name)):
            return f"the field {name} of {kind} is no name of SAP's"
    total = sum(about.get("fields", {}).values())
    return f"the fields of {kind} have {total} characters; a segment holds {_LONGEST}" if total > _LONGEST else ""
