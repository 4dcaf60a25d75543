"""The file of a canonical document that its format takes with it into what is written: chosen, read and checked here.

An attachment says where its bytes are: ``data:application/pdf;base64,…`` holds them itself, ``store:ID`` names the
receipt that they came in as. They have to be those of its ``sha256``.
"""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any

from hub.errors import MappingError
from hub.formats import Codec, FileWanted, file_wanted

Stored = Callable[[str], bytes | None]  # the bytes of a receipt by its id
_STORE = "store:"
_FORMS = "store:ID, the id of a receipt, or data:TYPE;base64,…"


def nothing_stored(receipt_id: str) -> bytes | None:
    """For those who have no store."""
    return None


def with_file(
    codec: Codec, options: Mapping[str, Any], canonical: Any, document: Any, stored: Stored = nothing_stored
) -> Any:
    """The document with the file that its format wants of the canonical one; itself where it wants none. Raises
    MappingError where it is not there, or not what was attached."""
    wanted = file_wanted(codec, options)
    if wanted is None or not isinstance(document, Mapping) or wanted.field in document:
        return document
    attachment, path = _chosen(canonical, wanted)
    content = _content(attachment, path, stored)
    if hashlib.sha256(content).hexdigest() != attachment["sha256"].lower():
        raise _fault(f"{path}.sha256", "another hash than that of the bytes", "their SHA-256 in hexadecimal")
    return {**document, wanted.field: b64encode(content).decode()}


def _chosen(canonical: Any, wanted: FileWanted) -> tuple[Mapping[str, Any], str]:
    """The attachment, and its path."""
    every = list(enumerate(canonical.get("attachments") or () if isinstance(canonical, Mapping) else ()))
    found = [(number, each) for number, each in every if each["id"] == wanted.id or not wanted.id]
    found = [(number, each) for number, each in found if each["mime_code"].lower() == wanted.mime_code]
    named = f"{wanted.mime_code}{f' with the id {wanted.id!r}' if wanted.id else ''}"
    if not found:
        raise _fault("attachments", f"no attachment of the type {named}", "the one to be seen")
    if len(found) > 1:
        ids = ", ".join(repr(each["id"]) for _, each in found[:5])
        hint = "write visible: with its id beside the target's format" if not wanted.id else ""
        raise _fault("attachments", f"{len(found)} attachments of the type {named}: {ids}", "one", hint)
    [(number, attachment)] = found
    return attachment, f"attachments[{number}]"


def _content(attachment: Mapping[str, Any], path: str, stored: Stored) -> bytes:
    where, path = attachment["storage_ref"], f"{path}.storage_ref"
    if where.startswith(_STORE):
        content = stored(where.removeprefix(_STORE))
        if content is None:
            hint = "send the file once more, then the document"
            raise _fault(
                path, f"'{where[:80]}', whose bytes are not stored (any more)", "a receipt's id", hint, where[:80]
            )
        return content
    kind, comma, text = where.partition(",")
    if not kind.startswith("data:") or not kind.endswith(";base64") or not comma:
        raise _fault(path, f"'{where[:80]}'", _FORMS, quoted=where[:80])
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _fault(path, "what is no Base64", _FORMS) from None


def _fault(path: str, seen: str, expected: str, hint: str = "", quoted: str = "") -> MappingError:
    detail = f"{path}: {seen}; expected {expected}"
    return MappingError(detail, code="attachment", field_path=path, expected=expected, hint=hint, quoted=(quoted,))
