"""A document against its schema, then against the business rules: all faults, each with its path."""

from __future__ import annotations

from typing import Any

from hub.business_rules import check
from hub.errors import DocumentFault, ValidationError
from hub.schemas import SchemaSet

_SHOWN = 10


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
        expected=first.expected,
    )  # fmt: skip
