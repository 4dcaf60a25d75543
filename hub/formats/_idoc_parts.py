"""What an IDoc consists of before anybody names it: segments below each other, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from hub.errors import DecodeError, MappingError, quoted_in, without_values

CONTROL = {
    "TABNAM": 10, "MANDT": 3, "DOCNUM": 16, "DOCREL": 4, "STATUS": 2, "DIRECT": 1, "OUTMOD": 1, "EXPRSS": 1, "TEST": 1,
    "IDOCTYP": 30, "CIMTYP": 30, "MESTYP": 30, "MESCOD": 3, "MESFCT": 3, "STD": 1, "STDVRS": 6, "STDMES": 6,
    "SNDPOR": 10, "SNDPRT": 2, "SNDPFC": 2, "SNDPRN": 10, "SNDSAD": 21, "SNDLAD": 70, "RCVPOR": 10, "RCVPRT": 2,
    "RCVPFC": 2, "RCVPRN": 10, "RCVSAD": 21, "RCVLAD": 70, "CREDAT": 8, "CRETIM": 6, "REFINT": 14, "REFGRP": 14,
    "REFMES": 14, "ARCKEY": 70, "SERIAL": 20,
}  # fmt: skip
MOST_FAULTS = 1000
_TYPE = 7  # characters of the name of a segment type that is followed by the version of its definition


@dataclass(slots=True)
class Part:
    """A segment as it stands in a file. ``number`` counts in its IDoc from 1, ``offset`` is its byte in a flat file, -1
    in XML; ``rest`` is what stands behind the last field of a flat one, at ``rest_column``."""

    kind: str
    fields: dict[str, str]
    line: str
    number: int
    offset: int = -1
    rest: str = ""
    rest_column: int = 0
    below: list[Part] = field(default_factory=list)

    @property
    def position(self) -> str:
        """``line 3, column 1, segment 2 E1EDK02, byte 1589``."""
        return self.position_at(1)

    def position_at(self, column: int) -> str:
        """The same of a column of a flat one. The byte is that of the segment."""
        where = f"{self.place(column)}, segment {self.number} {self.kind}"
        return f"{where}, byte {self.offset}" if self.offset >= 0 else where

    def place(self, column: int = 1) -> str:
        """``line 3, column 1``; without the column in XML."""
        return f"{self.line}, column {column}" if self.offset >= 0 else self.line


class IdocFault(msgspec.Struct, frozen=True):
    """One fault: an ``error`` loses meaning, a ``warning`` does not. ``path`` is where it is in the document."""

    full_code: str
    message: str
    severity: str
    position: str
    path: str = ""
    seen: str = ""
    expected: str = ""

    def as_fields(self) -> dict[str, str]:
        """The same within a document."""
        return {
            "position": self.position, "severity": self.severity, "code": self.full_code, "message": self.message,
        }  # fmt: skip


class IdocError(DecodeError):
    """An IDoc that is not accepted: ``faults`` names every fault of it, the first error is the summary."""

    def __init__(self, faults: Sequence[IdocFault]) -> None:
        self.faults = list(faults)
        errors = [fault for fault in faults if fault.severity == "error"]
        first, more = errors[0], f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(
            first.message + more, code=first.full_code, position=first.position, field_path=first.path,
            value_excerpt=first.seen, expected=first.expected, cause=without_values(first.message, first.seen),
        )  # fmt: skip


@dataclass(slots=True)
class Idoc:
    """One IDoc of a file: its control record, its segments, the first thing that keeps it from being read, and what
    stood there. ``type`` is the root of XML, empty in a flat file. ``faults`` are those it has once it is named."""

    place: str
    type: str = ""
    control: dict[str, str] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    error: DecodeError | None = None
    raw: str = ""
    faults: list[IdocFault] = field(default_factory=list)


class Described(Protocol):
    """What is known of the segments of an IDoc: by the options of the format, or by a grammar."""

    def kind_of(self, definition: str) -> str:
        """The segment type of a definition: E1EDK01 of E2EDK01005."""
        ...

    def definition(self, kind: str) -> str:
        """The definition that a flat file is written with; empty where nobody knows it."""
        ...

    def lengths(self, kind: str) -> Mapping[str, int]:
        """The fields of a segment type in their order, with their lengths; none where nobody knows them."""
        ...

    def parents(self, kind: str) -> Collection[str] | None:
        """The segment types that it may stand below, ``""`` at the top; None where nobody knows them."""
        ...

    def document(self, idoc: Idoc) -> dict[str, Any]:
        """The document of what was read; what is wrong with it goes to ``idoc.faults``. Raises DecodeError."""
        ...

    def prepared(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """A document as it is written: segments in their order, values as texts. Raises MappingError."""
        ...


Choose = Callable[[Mapping[str, str]], Described]
"""Who describes an IDoc, by its control record."""


def type_of(name: str) -> str:
    """The segment type of a definition: E1EDK01 of E2EDK01005."""
    if len(name) > _TYPE and name[-3:].isdigit():
        name = name[:-3]
    return f"{name[0]}1{name[2:]}" if name[1:2] == "2" else name


def refused(path: str, seen: str, expected: str, hint: str = "") -> MappingError:
    """What cannot be written, and where in the document it stands."""
    return MappingError(
        f"{path}: {seen}; expected {expected}", code="encode", field_path=path, expected=expected, hint=hint,
        quoted=quoted_in(seen),
    )  # fmt: skip
