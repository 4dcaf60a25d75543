"""Document to document, by the route's mapping; what it read of the store's cross-references is kept.

Look-ups in tables need no record: a table is a file of the set that the message is pinned to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from hub.mapping import Context
from hub.mapping import Mapping as DocumentMapping

Xref = Callable[[str, str, str], str | None]


def apply(
    mapping: DocumentMapping, document: Any, company: Mapping[str, Any] | None, envelope: Mapping[str, Any], xref: Xref,
    seen: list[Any],
) -> Any:  # fmt: skip
    """The mapped document; the cross-references that are read are added to ``seen``, also where it fails. Raises
    MappingError."""
    if not mapping.xrefs:
        return mapping.apply(document, Context(company, envelope))

    def record(kind: str, asked: tuple[Any, ...], value: Any) -> None:
        if kind == "xref":
            seen.append((kind, asked, value))

    return mapping.apply(document, Context(company, envelope, xref, record))


def written_down(seen: Sequence[Any]) -> bytes:
    """Look-ups as they are stored, each ``["xref", [system, kind, id], value]``; b"" where there were none."""
    return msgspec.json.encode(seen) if seen else b""
