"""Values to the elements of leaves: text escaped, attributes in their order, nothing but what the kind allows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from hub.formats._decimals import MAX_DIGITS, without_exponent
from hub.formats._ubl_names import Names
from hub.formats._ubl_values import KINDS, Kind, spelled_as
from hub.formats._xml_plain import counted

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
ATTRIBUTE_NAME = re.compile(r"(?:[^\W\d][\w.\-]*:)?[^\W\d][\w.\-]*")


class Refused(Exception):
    """A value that its kind does not have; what exactly is wrong is found by a closer look at the whole document."""


def escaped(text: str) -> str:
    """A text between tags. Raises Refused for a character that XML does not have."""
    if not text.isprintable() and FORBIDDEN.search(text):
        raise Refused
    return _escaped(text)


def _escaped(text: str) -> str:
    if "&" in text or "<" in text or ">" in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;") if "\r" in text else text


def quoted(text: Any) -> str:
    """A text as the value of an attribute, with its quotes."""
    if type(text) is not str:
        raise Refused
    return f'"{_in_quotes(escaped(text))}"'


def _in_quotes(text: str) -> str:
    return text.replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


def filled(parts: list[str]) -> str:
    """Markup and texts in turns, ``parts`` from the first on, as one text; what a tag goes on with after ``="`` is the
    value of an attribute. Raises Refused for a character that XML does not have, TypeError for what is no text."""
    texts = parts[1::2]
    every = "".join(texts)
    is_plain = every.isprintable()
    if not is_plain and FORBIDDEN.search(every):
        raise Refused
    if "&" in every or "<" in every or ">" in every or "\r" in every:
        parts[1::2] = _escaped("\0".join(texts)).split("\0")
    if '"' in every or not is_plain:
        for at in range(1, len(parts), 2):
            if parts[at - 1].endswith('="'):
                parts[at] = _in_quotes(parts[at])
    return "".join(parts)


def digits(value: Any) -> str:
    """A number, without exponent."""
    if type(value) is Decimal:
        if not value.is_finite():
            raise Refused
        text = str(value)
        if "E" not in text and len(text) <= MAX_DIGITS:
            return text
        try:
            return without_exponent(value)
        except ValueError:
            raise Refused from None
    if type(value) is int:
        return str(value)
    raise Refused


def text_of(value: Any) -> str:
    if type(value) is not str:
        raise Refused
    return escaped(value)


def indicator_of(value: Any) -> str:
    if type(value) is not bool:
        raise Refused
    return "true" if value else "false"


def _xml(value: Any) -> str:
    if type(value) is not str:
        raise Refused
    return value


_SCALARS: Mapping[str, Callable[[Any], str]] = {
    "number": digits,
    "boolean": indicator_of,
    "text": text_of,
    "date": text_of,
}


def content_of(kind: str, value: Any) -> str:
    """What stands between the tags for a value, or for the main part of one that is an object."""
    return _xml(value) if kind == "Xml" else _SCALARS[KINDS[kind].scalar](value)


def element(kind_name: str, tag: str, value: Any, attributes: Mapping[str, str], spelled: str | None) -> str:
    """The whole element of any value, with attributes that are no part of it, spelled as it was where it still is what
    that was read as."""
    kind = KINDS[kind_name]
    main = value.get(kind.main) if kind.main and isinstance(value, Mapping) else value
    if kind.main and set(value) - {kind.main, *kind.parts}:
        raise Refused
    given = {own: value[name] for name, own in kind.parts.items() if value.get(name) is not None} if kind.main else {}
    every = "".join(f" {name}={quoted(text)}" for name, text in {**attributes, **given}.items())
    if spelled is not None and is_still(kind, main, spelled, given):
        content = escaped(spelled)
    elif kind.forms:
        content = _formatted(kind, main, given)
    else:
        content = content_of(kind_name, main)
    return f"<{tag}{every}>{content}</{tag}>"


def _formatted(kind: Kind, value: Any, given: Mapping[str, str]) -> str:
    if type(value) is not str:
        raise Refused
    return escaped(kind.form(given).write(value))


def attributes_of(attributes: Mapping[str, str], names: Names) -> str:
    """Attributes as they stand in a tag, where these namespaces are declared."""
    for name, text in attributes.items():
        prefix = name.partition(":")[0] if ":" in name else ""
        is_known = not prefix or (bool(text) if prefix == "xmlns" else bool(names.uri(prefix)))
        if not ATTRIBUTE_NAME.fullmatch(name) or not is_known:
            raise Refused
    return "".join(f" {name}={quoted(text)}" for name, text in attributes.items())


def check_fragment(xml: str, names: Names, *, is_element: bool) -> None:
    """Raises Refused for what is not well formed, or not one element, where these namespaces are declared."""
    spaces = "".join(f" {f'xmlns:{own}' if own else 'xmlns'}={quoted(uri)}" for own, uri in names.declared.items())
    found = counted(f"<x{spaces}>{xml}</x>")
    if found is None or (is_element and found != (1, False)):
        raise Refused


def is_still(kind: Kind, value: Any, spelled: str, given: Mapping[str, str]) -> bool:
    """Whether a value is what its text was read as."""
    read = spelled_as(kind, spelled, given)
    return type(read) is type(value) and bool(read == value)
