"""Document to document, by the route's mapping; every look-up is kept with the message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.mapping import Context
from hub.mapping import Mapping as DocumentMapping

Xref = Callable[[str, str, str], str | None]


def apply(
    mapping: DocumentMapping, document: Any, company: Mapping[str, Any] | None, envelope: Mapping[str, Any], xref: Xref
) -> tuple[Any, list[Any]]:
    """The mapped document and the look-ups that were made. Raises MappingError."""
    lookups: list[Any] = []
    context = Context(company=company, envelope=envelope, xref=xref, record=lambda *seen: lookups.append(seen))
    return mapping.apply(document, context), lookups
