"""Small things found in an HTTP message: a header, a field of a JSON body, a hash, a text made of several.

    header:X-Shopify-Topic             a header, whatever its case
    field:data.object.id               a field of the JSON body; digits are positions in a list, * is every element
    sha256                             the hash of the body
    {field:pspReference}:{field:code}  text with such parts in braces
    orders/create                      anything else is itself

Text and numbers come as they were sent: ``10.50`` stays ``10.50``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from connectors.base import PermanentError

Extractor = Callable[[Mapping[str, str], Any], str | None]

_PART = re.compile(r"\{([^{}]*)\}")
_FIELD = re.compile(r"[^.\s{}]+(\.[^.\s{}]+)*")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_AS_SENT = msgspec.json.Decoder(float_hook=str)
_ONE_LEVEL = msgspec.json.Decoder(dict[str, msgspec.Raw])


def extractor(spec: str, setting: str = "id") -> Extractor:
    """What ``spec`` describes, as a function of (headers by lower-case name, body as bytes or decoded).

    It gives None where the thing is not there. Raises PermanentError that names the setting for a spec that is none.
    """
    if "{" in spec or "}" in spec:
        return _template(spec, setting)
    kind, colon, rest = spec.partition(":")
    if kind == "header" and colon:
        return _header(rest, setting)
    if kind == "field" and colon:
        return _field(rest, setting)
    if spec == "sha256":
        return lambda headers, body: hashlib.sha256(_raw(body)).hexdigest()
    if not spec:
        raise PermanentError(f"{setting}: empty; write header:NAME, field:PATH or a fixed text")
    return lambda headers, body: spec


def field_values(document: Any, path: str) -> list[Any]:
    """Every value at a path of a decoded document; ``*`` in the path is every element of a list."""
    values = [document]
    for step in path.split("."):
        values = [below for value in values for below in _below(value, step)]
    return values


def as_sent(body: Any) -> Any:
    """A JSON body decoded with its numbers as they were sent; None when it is not JSON. Decoded bodies pass."""
    if not isinstance(body, bytes | bytearray | memoryview):
        return body
    try:
        return _AS_SENT.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def text_of(value: Any) -> str | None:
    """A scalar as it stood in JSON; None for null, objects and lists."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None or isinstance(value, dict | list) else str(value)


def _below(value: Any, step: str) -> list[Any]:
    if isinstance(value, dict):
        return [value[step]] if step in value else []
    if isinstance(value, list):
        if step == "*":
            return value
        return [value[int(step)]] if step.isascii() and step.isdigit() and int(step) < len(value) else []
    return []


def _header(name: str, setting: str) -> Extractor:
    if not _HEADER.fullmatch(name):
        raise PermanentError(f"{setting}: '{name}' cannot name a header; write header:X-Name")
    key = name.lower()
    return lambda headers, body: headers.get(key)


def _field(path: str, setting: str) -> Extractor:
    if not _FIELD.fullmatch(path):
        raise PermanentError(f"{setting}: '{path}' is not a path; write field:name or field:outer.inner")
    if "." not in path:
        return lambda headers, body: _shallow(body, path)

    def deep(headers: Mapping[str, str], body: Any) -> str | None:
        texts = [text for value in field_values(as_sent(body), path) if (text := text_of(value)) is not None]
        return ",".join(texts) if texts else None

    return deep


def _shallow(body: Any, name: str) -> str | None:
    """A field of the outermost object: the rest of the body is skipped over, not decoded."""
    if not isinstance(body, bytes | bytearray | memoryview):
        return text_of(body.get(name)) if isinstance(body, dict) else None
    try:
        found = _ONE_LEVEL.decode(body).get(name)
        return None if found is None else text_of(_AS_SENT.decode(found))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _template(spec: str, setting: str) -> Extractor:
    pieces = _PART.split(spec)
    if any("{" in text or "}" in text for text in pieces[::2]):
        raise PermanentError(f"{setting}: a brace without its partner in '{spec}'")
    parts = [extractor(piece, setting) if index % 2 else _fixed(piece) for index, piece in enumerate(pieces)]

    def fill(headers: Mapping[str, str], body: Any) -> str | None:
        decoded = as_sent(body) if "field:" in spec and "sha256" not in spec else body
        values = [part(headers, decoded) for part in parts]
        return None if None in values else "".join(filter(None, values))

    return fill


def _fixed(text: str) -> Extractor:
    return lambda headers, body: text


def _raw(body: Any) -> bytes:
    return body if isinstance(body, bytes) else bytes(body)
