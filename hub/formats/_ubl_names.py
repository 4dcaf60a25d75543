"""Prefixes and namespaces: what a tag of a document names, and how it is written again."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from hub.formats._xml_plain import unescaped

_ATTRIBUTE = re.compile(r"""\s([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_BLANKS = str.maketrans("\t\n", "  ")  # XML 1.0, 3.3.3: in an attribute each is read as a blank
_XML = "http://www.w3.org/XML/1998/namespace"


class Head(msgspec.Struct, frozen=True):
    """What stands in a start tag: ``declared`` are its namespaces by prefix, the empty one for the default."""

    prefix: str
    name: str
    attributes: dict[str, str]
    declared: dict[str, str]
    is_empty: bool


def head_of(text: str) -> Head:
    """A start tag, or one of an element without content."""
    is_empty = text.endswith("/")
    tag = text.split(None, 1)[0].rstrip("/")
    prefix, _, name = tag.rpartition(":")
    attributes, declared = {}, {}
    for own, double, single in _ATTRIBUTE.findall(text) if "=" in text else ():
        value = unescaped((double or single).translate(_BLANKS))
        if own == "xmlns" or own.startswith("xmlns:"):
            declared[own[6:]] = value
        else:
            attributes[own] = value
    return Head(prefix, name, attributes, declared, is_empty)


class Names:
    """Which namespace a prefix stands for at a place of a document, and the prefix that a namespace has there: of
    several the one declared nearest, of those of one tag the first."""

    def __init__(self, declared: Mapping[str, str]) -> None:
        self.declared = dict(declared)
        self._prefixes: dict[str, str] = {}
        for prefix, uri in declared.items():
            self._prefixes.setdefault(uri, prefix)

    def uri(self, prefix: str) -> str:
        """The namespace of a prefix; empty where it stands for none."""
        return _XML if prefix == "xml" else self.declared.get(prefix, "")

    def prefix(self, uri: str) -> str | None:
        """The prefix of a namespace, None where it has none."""
        return self._prefixes.get(uri)

    def below(self, declared: Mapping[str, str]) -> Names:
        """The same below a tag that declares these."""
        return Names({**declared, **{own: uri for own, uri in self.declared.items() if own not in declared}})

    def key(self) -> tuple[tuple[str, str], ...]:
        return tuple(self.declared.items())
