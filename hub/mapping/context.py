"""What a mapping is given beside the document, and what a trace says about each field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

_NONE: Mapping[str, Any] = MappingProxyType({})

FindXref = Callable[[str, str, str], str | None]
Record = Callable[[str, tuple[Any, ...], Any], None]


class Context(msgspec.Struct, frozen=True):
    """What stands around a document.

    ``company`` is the own Party, ``envelope`` says what is known of the message (id, source, event, received_at …),
    ``xref(system, kind, id)`` reads the store's cross-references. ``record`` is called with every look-up performed:
    ``("lookup", (table, key), value)`` or ``("xref", (system, kind, id), value)``, so that a re-run can repeat it.
    """

    company: Mapping[str, Any] | None = None
    envelope: Mapping[str, Any] = msgspec.field(default_factory=lambda: _NONE)
    xref: FindXref | None = None
    record: Record | None = None


EMPTY = Context()


class TraceEntry(msgspec.Struct, frozen=True):
    """Where one field came from: its path in the target, its value, the expression and the source paths it read."""

    path: str
    value: Any
    file: str
    line: int
    column: int
    expression: str
    sources: tuple[str, ...]
