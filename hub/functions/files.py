"""Files that belong to a document."""

from __future__ import annotations

import binascii
from base64 import b64decode
from hashlib import sha256
from typing import Any

from hub.functions.allowance import spend
from hub.functions.refusal import kind_of, refusal
from hub.functions.registry import function

_EXAMPLE = {
    "id": "v", "mime_code": "application/pdf", "storage_ref": "data:application/pdf;base64,JVBERi0xLjc=",
    "sha256": "86edbaa24831badfa0a8b04bb410141e2ee4182b6d0014493fe262a7a331c20b",
}  # fmt: skip


@function(
    args="text, text, text, text?",
    returns="object",
    examples=[
        ("attachment('JVBERi0xLjc=', 'v', 'application/pdf')", _EXAMPLE),
        ("attachment(null, 'v', 'application/pdf')", None),
    ],
)
def attachment(content: Any, id: Any, mime_code: Any, filename: Any = None) -> dict[str, str] | None:
    """A file that came within a document, in Base64, as an attachment of the canonical one: ``{id, mime_code, filename,
    storage_ref, sha256}``."""
    if content is None:
        return None
    for name, value in (("content", content), ("id", id), ("mime_code", mime_code), ("filename", filename or "-")):
        if value.__class__ is not str or not value:
            raise refusal(f"attachment wants text as its {name}, got {kind_of(value)}", value, expected="text")
    spend(len(content))
    try:
        digest = sha256(b64decode(content, validate=True)).hexdigest()
    except (binascii.Error, ValueError):
        raise refusal("attachment wants its content in Base64", content[:40], expected="Base64") from None
    where, named = f"data:{mime_code};base64,{content}", {"filename": filename} if filename else {}
    return {"id": id, "mime_code": mime_code, **named, "storage_ref": where, "sha256": digest}
