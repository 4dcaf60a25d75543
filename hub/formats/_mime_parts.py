"""multipart/related (RFC 2387): the parts of a body that begins with its boundary, and one made of parts."""

from __future__ import annotations

import base64
import binascii
import hashlib
import quopri
import re
from collections.abc import Iterable, Sequence
from email.parser import BytesHeaderParser
from itertools import pairwise

import msgspec

from hub.errors import DecodeError

MOST = 1000  # parts
_BOUNDARY = re.compile(rb"\s*--([^\r\n]{1,70}?)[ \t]*\r?\n")
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_AS_IT_IS = "Content-Transfer-Encoding: binary"
_PLAIN = ("", "7bit", "8bit", "binary")


class Part(msgspec.Struct, frozen=True):
    """One part: ``content_id`` without the angle brackets, '' where it has none; ``content`` as it was before it was
    encoded for the way."""

    content_id: str
    content_type: str
    content: bytes


def parts_of(raw: bytes) -> list[Part] | None:
    """The parts in their order; None where the bytes begin with no boundary. Raises DecodeError."""
    if raw.lstrip()[:2] != b"--" or (begin := _BOUNDARY.match(raw)) is None:
        return None
    line = re.compile(rb"(?:\A|\r?\n)--" + re.escape(begin[1]) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    marks = list(line.finditer(raw))
    if len(marks) > MOST:
        raise DecodeError(f"{len(marks):,} parts of multipart/related; at most {MOST:,} are read", code="too_large")
    if not marks or not marks[-1][1]:
        at = raw.count(b"\n") + 1
        raise DecodeError(
            "the last part does not end: the line with its boundary and -- is missing",
            code="truncated", position=f"line {at}", expected="--boundary--",
        )  # fmt: skip
    return [
        _part(raw[here.end() : after.start()].removeprefix(b"\r").removeprefix(b"\n"), number)
        for number, (here, after) in enumerate(pairwise(marks), 1)
    ]


def _part(raw: bytes, number: int) -> Part:
    if raw[:1] == b"\n" or raw[:2] == b"\r\n":
        head, content = b"", raw.removeprefix(b"\r").removeprefix(b"\n")
    else:
        end = _HEADER_END.search(raw)
        head, content = (raw[: end.start()], raw[end.end() :]) if end else (raw, b"")
    headers = BytesHeaderParser().parsebytes(head + b"\r\n\r\n")
    encoding = str(headers.get("Content-Transfer-Encoding", "")).strip().lower()
    content_id = str(headers.get("Content-ID", "")).strip().removeprefix("<").removesuffix(">")
    return Part(content_id, str(headers.get("Content-Type", "")).strip(), _decoded(content, encoding, number))


def _decoded(content: bytes, encoding: str, number: int) -> bytes:
    if encoding in _PLAIN:
        return content
    if encoding == "quoted-printable":
        return quopri.decodestring(content)
    try:
        if encoding == "base64":
            return base64.b64decode(b"".join(content.split()), validate=True)
        raise DecodeError(
            f"part {number} has Content-Transfer-Encoding {encoding[:40]!r}",
            code="encoding", expected="base64, quoted-printable, binary, 8bit, 7bit",
        )  # fmt: skip
    except binascii.Error:
        raise DecodeError(f"part {number} is not the base64 that it says", code="encoding", expected="base64") from None


def joined(parts: Sequence[Part]) -> bytes:
    """One body of parts, the first of them the root; its first line tells the boundary. The same parts give the same
    bytes, so that a retry sends what was sent."""
    boundary = _boundary(part.content for part in parts)
    pieces = []
    for part in parts:
        head = (
            f"Content-Type: {part.content_type}",
            "Content-Transfer-Encoding: binary",
            f"Content-ID: <{part.content_id}>",
        )
        pieces += [b"--" + boundary + b"\r\n", "\r\n".join([*head, _AS_IT_IS, "", ""]).encode(), part.content, b"\r\n"]
    return b"".join([*pieces, b"--" + boundary + b"--\r\n"])


def _boundary(contents: Iterable[bytes]) -> bytes:
    known, digest = list(contents), hashlib.sha256()
    for content in known:
        digest.update(content)
    while True:
        boundary = b"o2c-" + digest.hexdigest()[:32].encode()
        if not any(boundary in content for content in known):
            return boundary
        digest.update(boundary)
