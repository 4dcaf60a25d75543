"""The canonical document to the target's bytes: the target's mapping, then its format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from hub.attached import Stored, with_file
from hub.errors import MappingError, MessageError, ValidationError
from hub.formats import content_type, encode_exact
from hub.message import Body
from hub.pipeline.map import Xref, apply, written_down
from hub.pipeline.partners import interchange_for, interchange_of
from hub.pipeline.program import CompiledTarget

_read = msgspec.json.Decoder(float_hook=Decimal).decode


def read_canonical(written: bytes) -> Any:
    """The canonical document out of the bytes that the store keeps of it, exact again."""
    return _read(written)


def encode(
    target: CompiledTarget, document: Any, company: Mapping[str, Any] | None, envelope: Mapping[str, Any], xref: Xref,
    seen: list[Any], stored: Stored, written: bytes = b"",
) -> Body:  # fmt: skip
    """The bytes for one target. ``written`` is the canonical document as the store keeps it, which is what a target
    without a mapping gets as JSON; the cross-references that are read are added to ``seen``. Raises MappingError or
    DecodeError's siblings of the codec, ValidationError where they are not valid by the target's profile."""
    body = _encoded(target, document, company, envelope, xref, seen, stored, written)
    if target.require is not None:
        target.require(body.content)
    return body


def step_of(error: MessageError) -> str:
    """The step that a delivery's bytes did not come out of."""
    return "map" if isinstance(error, MappingError) else "validate" if isinstance(error, ValidationError) else "encode"


def _encoded(
    target: CompiledTarget, document: Any, company: Mapping[str, Any] | None, envelope: Mapping[str, Any], xref: Xref,
    seen: list[Any], stored: Stored, written: bytes,
) -> Body:  # fmt: skip
    if target.mapping is None and written and target.takes_canonical and target.partner is None:
        return Body(written, target.codec.CONTENT_TYPES[0])
    canonical, document = document, mapped(target, document, company, envelope, xref, seen)
    if target.partner is not None:
        return interchange_for(target.partner, document, written_down(seen), target.grammar, target.overlays)
    document = with_file(target.codec, target.codec_options, canonical, document, stored)
    content = encode_exact(target.codec, document, target.codec_options)
    return Body(content, content_type(target.codec, target.codec_options), written_down(seen))


def mapped(
    target: CompiledTarget, document: Any, company: Mapping[str, Any] | None, envelope: Mapping[str, Any], xref: Xref,
    seen: list[Any],
) -> Any:  # fmt: skip
    """What the target's mapping makes of the canonical document; itself where there is none. Raises MappingError."""
    if target.mapping is None:
        return document
    return apply(target.mapping, document, company, {**envelope, "time_zone": target.time_zone}, xref, seen)


def encode_together(target: CompiledTarget, documents: Sequence[Any]) -> Body:
    """The bytes of one file or interchange that holds all of these mapped documents. Raises MappingError."""
    if target.partner is not None:
        return interchange_of(target.partner, documents, b"", target.grammar, target.overlays)
    content = target.codec.encode(documents, target.codec_options)
    return Body(content, content_type(target.codec, target.codec_options))


def encode_groups(target: CompiledTarget, documents: Sequence[Any]) -> Iterator[tuple[Body, int]]:
    """The bytes of groups of these, each of as many as can stand together, in their order, and how many those are. Each
    can by itself. The last of several is left out: what comes behind it may stand with it."""
    start = 0
    while start < len(documents):
        body, count = _encode_most(target, documents, start)
        if start and start + count == len(documents):
            return
        yield body, count
        start += count


def _encode_most(target: CompiledTarget, documents: Sequence[Any], start: int) -> tuple[Body, int]:
    """As many as can stand together from ``start`` on: twice as many each time, then between what could and what could
    not, so that what is tried in vain is no more than a few times what is found."""
    most = len(documents) - start
    body, low, high = encode_together(target, documents[start : start + 1]), 1, most + 1
    while high - low > 1:
        middle = min(low * 2, most) if high > most else (low + high) // 2
        try:
            body, low = encode_together(target, documents[start : start + middle]), middle
        except MessageError:
            high = middle
    return body, low
