"""Bytes to documents, by the route's format: one record, or many, the bad ones apart from the good ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from hub.errors import DecodeError, UsageError
from hub.formats import BadRecord, Codec, RecordFault


class Decoded(msgspec.Struct, frozen=True):
    """One record of a receipt: its place in it, its document or why it has none, and what it was read in spite of."""

    position: int
    place: str
    document: Any = None
    error: DecodeError | None = None
    findings: Sequence[RecordFault] = ()


def decode(codec: Codec, options: Mapping[str, Any], chunks: Iterable[bytes]) -> Iterator[Decoded]:
    """Every record in turn. Raises DecodeError when the whole cannot be read."""
    try:
        for record in codec.decode(chunks, options):
            if isinstance(record, BadRecord):
                yield Decoded(record.index, record.position, error=record.error)
            else:
                yield Decoded(record.index, record.position, record.value, findings=record.faults)
    except UsageError as error:
        raise DecodeError(f"the format's options do not fit: {error}", code="options") from error
