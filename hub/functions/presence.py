"""What is there and what is not: defaults, requirements, look-ups."""

from __future__ import annotations

from typing import Any

from hub.functions.refusal import refusal
from hub.functions.registry import function


@function(
    args="any, any",
    returns="same",
    nothing="first",
    examples=[("default(null, 'C62')", "C62"), ("default('', 'x')", "x"), ("default(0, 7)", 0)],
)
def default(value: Any, otherwise: Any) -> Any:
    """The value, or another where it is nothing or empty text. Zero and false are values."""
    return otherwise if value is None or value == "" else value


@function(
    args="any, any*",
    returns="same",
    nothing="always",
    examples=[("coalesce(null, '', 0, 5)", 0), ("coalesce(null, null)", None)],
)
def coalesce(*values: Any) -> Any:
    """The first of its arguments that is neither nothing nor empty text; nothing if none is."""
    return next((value for value in values if value is not None and value != ""), None)


@function(
    args="any, any, text",
    returns="same",
    examples=[("require(5, 5 > 0, 'must be positive')", 5)],
)
def require(value: Any, condition: Any, message: Any) -> Any:
    """The value if the condition holds; else the message ends in the dead letter, class ``business_rule``."""
    if condition:
        return value
    raise refusal(message if isinstance(message, str) else "a requirement does not hold", value, code="business_rule")


@function(
    args="any",
    returns="boolean",
    nothing="never",
    examples=[("is_empty('')", True), ("is_empty([])", True), ("is_empty(0)", False)],
)
def is_empty(value: Any) -> bool:
    """Whether a value is nothing, empty text, an empty list or an empty object."""
    return value is None or (isinstance(value, str | list | dict) and not value)


@function(args="any", returns="boolean", nothing="never", special=True, examples=[("has({'a': null}.a)", True)])
def has(field: Any) -> bool:
    """Whether a field stands in the source at all, even with the value null: ``has(src.note)``."""
    raise refusal("has wants a path such as src.note")


@function(args="text, text, any?", returns="any", nothing="always", special=True, examples=[])
def lookup(key: Any, table: Any, otherwise: Any = None) -> Any:
    """The value of a key in a table under ``mappings/tables/``, or the third argument, or nothing.

    ``lookup(code, 'units')`` reads the column ``value``; ``lookup(code, 'parties.vat_id')`` another one.
    """
    raise refusal("lookup wants a table of the project")


@function(args="text, text, text", returns="text", nothing="always", special=True, examples=[])
def xref(system: Any, kind: Any, identifier: Any) -> Any:
    """What the hub knows another system's id by: ``xref('crm', 'customer', text(src.customer.id))``, or nothing."""
    raise refusal("xref wants the cross-references of the store")
