"""The canonical document to the target's bytes: the target's mapping, then its format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.message import Body
from hub.pipeline.map import Xref, apply
from hub.pipeline.program import CompiledTarget


def encode(
    target: CompiledTarget, document: Any, company: Mapping[str, Any] | None, envelope: Mapping[str, Any], xref: Xref,
    written: bytes = b"",
) -> Body:  # fmt: skip
    """The bytes for one target. ``written`` is the canonical document as the store keeps it, which is what a target
    without a mapping gets as JSON. Raises MappingError or DecodeError's siblings of the codec."""
    if target.mapping is not None:
        document, _ = apply(target.mapping, document, company, envelope, xref)
    elif written and target.takes_canonical:
        return Body(written, target.codec.CONTENT_TYPES[0])
    content = target.codec.encode_one(document, target.codec_options)
    return Body(content, target.codec.CONTENT_TYPES[0])
