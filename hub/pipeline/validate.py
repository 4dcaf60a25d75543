"""What comes by its route's profile; a document against its schema, then against the business rules: all faults."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub.business_rules import check
from hub.errors import DocumentFault, ValidationError
from hub.loggers import structlog
from hub.message import Receipt
from hub.pipeline.program import CompiledRoute
from hub.schemas import SchemaSet

_log = structlog.get_logger("validate")
_SHOWN = 10


def judged(receipt: Receipt, compiled: CompiledRoute, chunks: Iterable[bytes] | None) -> Iterable[bytes] | None:
    """The chunks to be read, once more, after the bytes have been held to the route's profile, where it has one. Raises
    ValidationError where they are not valid, unless the route takes them in all the same."""
    if compiled.require is None:
        return chunks
    try:
        compiled.require(receipt.raw if chunks is None else chunks)
    except ValidationError as error:
        if compiled.route.invalid == "refuse":
            raise
        _log.warning(
            "a document is not valid by its profile and is taken in", route=compiled.route.name, seq=receipt.seq,
            profile=compiled.route.profile, rule=error.code, position=error.position, path=error.field_path,
        )  # fmt: skip
    return chunks


def validate(schemas: SchemaSet, type_name: str, document: Any) -> None:
    """Raises ValidationError naming every fault; warnings pass. A message without a schema is not checked."""
    if not type_name:
        return
    if not schemas.is_valid(type_name, document):
        raise _error("schema", schemas.faults(type_name, document))
    if type_name.startswith("canonical/"):
        faults = [fault for fault in check(type_name, document, schemas.codes) if fault.severity == "error"]
        if faults:
            raise _error("business_rule", faults)


def _error(code: str, faults: list[DocumentFault]) -> ValidationError:
    first = faults[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return ValidationError(
        f"{first}{more}", faults=faults[:_SHOWN], code=code, field_path=first.path, value_excerpt=first.seen,
        expected=first.expected, cause=first.cause,
    )  # fmt: skip
