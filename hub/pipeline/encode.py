"""The canonical document to the target's bytes: the target's mapping, then its format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.message import Body
from hub.pipeline.map import Xref, apply
from hub.pipeline.program import CompiledTarget


def encode(
    target: CompiledTarget, document: Any, company: Mapping[str, Any] | None, envelope: Mapping[str, Any], xref: Xref
) -> Body:
    """The bytes for one target. Raises MappingError or DecodeError's siblings of the codec."""
    if target.mapping is not None:
        document, _ = apply(target.mapping, document, company, envelope, xref)
    content = target.codec.encode_one(document, target.codec_options)
    return Body(content, target.codec.CONTENT_TYPES[0])
