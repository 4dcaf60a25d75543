"""What the admin API gives about where values came from."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.api.bodies import Failure, Given


class RawPlace(Given):
    """Where a value stands in the raw document: line and column from 1; the byte it begins at, from 0, where the format
    has that; ``what`` names the place (``column 'price'``)."""

    line: int
    column: int
    offset: int | None = None
    what: str | None = None


class TraceField(Given):
    """A field, and the expression that made it. ``sources`` are the paths that it read, ``places`` where each of them
    stands in the raw document, null where nothing is."""

    path: str
    value: Any = Field(description="With `is_cut` the beginning of its JSON, as text.")
    is_cut: bool
    file: str
    line: int
    column: int
    expression: str
    sources: list[str]
    places: list[RawPlace | None] | None = None


class SentField(TraceField):
    """A field of what a target was sent. ``from`` are the canonical fields that it was made of, the first 20 of
    ``from_total``; where a target has no mapping it has ``places`` itself."""

    from_: list[TraceField] | None = Field(default=None, alias="from")
    from_total: int | None = None


class TraceFinding(Given):
    """What the bytes of a message from a partner were read in spite of: where, by which code of the standard."""

    position: str
    code: str
    detail: str | None = Field(description="Null for who may not see personal data.")


class MessageTrace(Given):
    """Where the fields of a canonical document came from, ``total`` of them; made anew with the files and look-ups of
    then. ``reproduced``: the same came out as is stored; null where nothing is stored to compare with. ``positions``:
    whether the format tells where in the raw document something stands. ``error``: why there are no fields.
    A page ends after ``limit`` fields or about a megabyte."""

    message_id: str
    route: str
    mapping: str | None
    schema_: str | None = Field(alias="schema")
    set_id: int
    reaches: str = Field(description="`raw`; `canonical` where what that was made of is not stored any more.")
    positions: bool
    reproduced: bool | None
    masked: bool = Field(description="Without personal data, as for a viewer.")
    error: Failure | None
    findings: list[TraceFinding] = Field(description="What was tolerated in the raw document, the first 100.")
    total: int
    fields_: list[TraceField] = Field(alias="fields")
    next_cursor: str | None


class DeliveryTrace(MessageTrace):
    """Where the fields of what a target was sent came from, back through the canonical document to the raw bytes."""

    delivery_id: str
    target: str
    fields_: list[SentField] = Field(alias="fields")  # type: ignore[assignment]


class FieldUseView(Given):
    """One use of a field. ``level`` counts the mappings between it and the source; ``field`` is the path that is read,
    ``becomes`` the field that is made of it, the key of a route, or nothing for a name under ``let``."""

    level: int
    field: str
    becomes: str
    file: str
    line: int
    column: int
    expression: str
    where: str


class FieldUses(Given):
    """Each use followed by those of what it makes; of ``total`` the first 1,000."""

    path: str
    set_id: int
    total: int
    items: list[FieldUseView]
