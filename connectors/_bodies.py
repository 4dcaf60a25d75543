"""Bodies that the settings write down: a tree of YAML, sent as JSON, with names in braces in its texts.

A text that is one name becomes the value itself (``params: "{body}"``: the document, ``"{body.lines.0.sku}"``: a part
of it, ``after: "{cursor}"``: null before there is one); a name within a text becomes text. A part that is not there
refuses a delivery, and is null in a question. ``{form}`` is the document as a form (``a[b]=1&a[c][0]=2``). Braces
around anything else are just braces, so that a query in GraphQL can be written as it is.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from connectors._extract import as_sent, field_values, text_of
from connectors.base import Parcel, PermanentError

PART = "body."  # what begins the name of a part of the document
# the third: the main key, such as order_id; the last: a part of the document, such as body.addresses.0.city
QUESTION_NAMES = ("key", "reference", r"[a-z]+(?:_[a-z]+)*_id", r"body(?:\.[A-Za-z0-9_-]+)+")
DELIVERY_NAMES = ("body", "form", "text", "base64", *QUESTION_NAMES)
_encode = msgspec.json.Encoder(decimal_format="number").encode
_one_level = msgspec.json.Decoder(dict[str, msgspec.Raw] | list[msgspec.Raw]).decode


class Unfit(Exception):
    """The document cannot stand in such a body; a sentence for an operator."""


class BodyTemplate:
    """One body; ``names`` are those that are filled in."""

    def __init__(self, tree: Any, names: Sequence[str], setting: str) -> None:
        if not isinstance(tree, Mapping | list | tuple | str):
            raise PermanentError(f"{setting}: expected a mapping, a list or a text")
        self._tree, self._name = tree, re.compile(r"\{(" + "|".join(names) + r")\}")
        self._setting, self.used = setting, frozenset(self._found(tree))
        self._is_question = names is QUESTION_NAMES

    def _found(self, part: Any) -> list[str]:
        if isinstance(part, Mapping | list | tuple):
            parts = part.values() if isinstance(part, Mapping) else part
            return [name for each in parts for name in self._found(each)]
        return self._name.findall(part) if isinstance(part, str) else []

    def fill(self, values: Mapping[str, Any]) -> bytes:
        """The body; a name without a value is null, within a text nothing."""
        if isinstance(self._tree, str):
            return self._in_text(self._tree, values).encode()
        return _encode(self._filled(self._tree, values))

    def _filled(self, part: Any, values: Mapping[str, Any]) -> Any:
        if isinstance(part, Mapping):
            return {name: self._filled(each, values) for name, each in part.items()}
        if isinstance(part, list | tuple):
            return [self._filled(each, values) for each in part]
        if not isinstance(part, str):
            return part
        whole = self._name.fullmatch(part)
        return values.get(whole[1]) if whole else self._in_text(part, values)

    def _in_text(self, text: str, values: Mapping[str, Any]) -> str:
        return self._name.sub(lambda found: _text(values.get(found[1])), text)

    def around(self, parcel: Parcel) -> bytes:
        """The body with a delivery's document in it. Raises Unfit where it is not of the kind that is asked for."""
        values: dict[str, Any] = {**parcel.variables, "key": parcel.key, "delivery_id": parcel.delivery_id}
        parts = sorted(name for name in self.used if name.startswith(PART))
        for name in [*sorted({"body", "form"} & self.used), *parts]:
            if "json" not in parcel.content_type:
                raise Unfit(f"{self._setting}: {{{name}}} takes JSON, and this document is {parcel.content_type}; "
                            "write {text} or {base64}")  # fmt: skip
        if "body" in self.used:
            values["body"] = msgspec.Raw(parcel.body)
        if "form" in self.used:
            values["form"] = urlencode(list(_fields(as_sent(parcel.body))))
        found = {name: _part(parcel.body, name) for name in parts}
        values |= {name: part for name, part in found.items() if part is not None or self._is_question}
        if "text" in self.used:
            values["text"] = _decoded(parcel.body, self._setting)
        if "base64" in self.used:
            values["base64"] = b64encode(parcel.body).decode()
        for name in sorted(self.used - values.keys() - {"reference"}):
            there = ", ".join(sorted(values))
            raise Unfit(f"{self._setting} needs the variable '{name}', which is missing; the document gives: {there}")
        return self.fill(values)


def _part(body: bytes, name: str) -> msgspec.Raw | None:
    """A part of a document as it stands there, to the digit; None where it is not there."""
    part = msgspec.Raw(body)
    for step in name.split(".")[1:]:
        try:
            below = _one_level(part)
            part = below[int(step)] if isinstance(below, list) else below[step]
        except (msgspec.DecodeError, KeyError, IndexError, ValueError):
            return None
    return part


def _fields(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Name and text of each field of a form; what is null is left out, objects and lists are told by brackets."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _fields(below, f"{name}[{key}]" if name else str(key))
    elif isinstance(value, list):
        for place, below in enumerate(value):
            yield from _fields(below, f"{name}[{place}]")
    elif (text := text_of(value)) is not None and name:
        yield name, text


def parts_of(body: bytes, names: Sequence[str]) -> dict[str, str]:
    """The texts of those names that are parts of a document in JSON: ``body.order.id``."""
    document = as_sent(body)
    found = {name: [text_of(value) for value in field_values(document, name[len(PART) :])] for name in names}
    return {name: texts[0] for name, texts in found.items() if texts and texts[0] is not None}


def _decoded(body: bytes, setting: str) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Unfit(f"{setting}: {{text}} takes text in UTF-8, which this document is not; write {{base64}}") from None


def _text(value: Any) -> str:
    if isinstance(value, msgspec.Raw):
        text = bytes(value).decode()
        return msgspec.json.decode(text) if text[:1] == '"' else "" if text == "null" else text
    return "" if value is None else str(value)
