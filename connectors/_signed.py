"""What a signature covers, as a template: ``{body}``, ``{timestamp}.{body}``, ``{field:id}:{field:amount.value}``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from connectors._extract import field_values, text_of
from connectors.base import PermanentError

Covered = Callable[[Mapping[str, str], bytes, str], bytes | None]

_PART = re.compile(r"\{([^{}]*)\}")
_HEADER = re.compile(r"header:[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD = re.compile(r"field:[^.\s{}*]+(\.[^.\s{}*]+)*")
_SETTING = "verify.signed"


def covered(signed: str) -> Covered:
    """The signed bytes of a request from its headers, body and time; None when a header of them is not there."""
    pieces = _pieces(signed, lambda part: part in ("body", "timestamp") or bool(_HEADER.fullmatch(part)))
    if signed == "{body}":
        return lambda headers, body, timestamp: body
    if "{body}" not in signed:
        raise PermanentError(
            f"{_SETTING}: the body is not part of it, so a signature would prove nothing; add {{body}}"
        )
    fixed = [text.encode() for text in pieces[::2]]
    names = [part.removeprefix("header:").lower() for part in pieces[1::2]]
    parts = list(zip(pieces[1::2], names, fixed[1:], strict=True))

    def join(headers: Mapping[str, str], body: bytes, timestamp: str) -> bytes | None:
        message = [fixed[0]]
        for part, name, text in parts:
            value = body if part == "body" else timestamp if part == "timestamp" else headers.get(name)
            if value is None:
                return None
            message += (value if isinstance(value, bytes) else value.encode("utf-8", "replace"), text)
        return b"".join(message)

    return join


def covered_fields(signed: str) -> Callable[[Any], bytes]:
    """The signed bytes of one item of a body; a field that is not there is signed as empty text."""
    pieces = _pieces(signed, lambda part: bool(_FIELD.fullmatch(part)))
    if len(pieces) == 1:
        raise PermanentError(f"{_SETTING}: it names no field, so a signature proves nothing; add {{field:NAME}}")
    texts, paths = pieces[::2], [part.removeprefix("field:") for part in pieces[1::2]]

    def join(item: Any) -> bytes:
        values = [next(iter(field_values(item, path)), None) for path in paths]
        message = texts[0] + "".join(
            f"{text_of(value) or ''}{text}" for value, text in zip(values, texts[1:], strict=True)
        )
        return message.encode()

    return join


def names_time(signed: str, timestamp: str) -> bool:
    """Whether the time is among what is signed."""
    return "{timestamp}" in signed or f"{{{timestamp}}}".lower() in signed.lower()


def _pieces(signed: str, is_known: Callable[[str], bool]) -> list[str]:
    pieces = _PART.split(signed)
    for part in pieces[1::2]:
        if not is_known(part):
            raise PermanentError(f"{_SETTING}: '{{{part}}}' is not known here; write {{body}}, {{timestamp}}, "
                                 "{header:NAME}, or {field:PATH} where the signature is in a field")  # fmt: skip
    if any("{" in text or "}" in text for text in pieces[::2]):
        raise PermanentError(f"{_SETTING}: a brace without its partner in '{signed}'")
    return pieces
