"""What a mapping is given beside the document, and what a trace says about each field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

_NONE: Mapping[str, Any] = MappingProxyType({})

FindXref = Callable[[str, str, str], str | None]
Record = Callable[[str, tuple[Any, ...], Any], None]


@dataclass(frozen=True, slots=True)
class Context:
    """What stands around a document.

    ``company`` is the own Party, ``envelope`` says what is known of the message (id, source, event, received_at …),
    ``xref(system, kind, id)`` reads the store's cross-references. ``record`` is called with every look-up performed:
    ``("lookup", (table, key), value)`` or ``("xref", (system, kind, id), value)``, so that a re-run can repeat it.
    """

    company: Mapping[str, Any] | None = None
    envelope: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    xref: FindXref | None = None
    record: Record | None = None


EMPTY = Context()


@dataclass(frozen=True, slots=True)
class TraceEntry:
    """Where one field came from: its path in the target, its value, the expression and the source paths it read."""

    path: str
    value: Any
    file: str
    line: int
    column: int
    expression: str
    sources: tuple[str, ...]
