"""The small door for XML in connectors, which know nothing of the hub and of its door (hub/formats/_xml.py).

It refuses what that one refuses: a document type wherever it stands, too many attributes, too much depth, too many
bytes. Comments and processing instructions are left out, so that a text is one text. Nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from lxml import etree

from connectors.base import ConnectorError

Element = etree._Element

# "internal": an entity that nobody has declared is an error; left alone it would cut the text that it stands in
_SETTINGS: Mapping[str, Any] = MappingProxyType({
    "resolve_entities": "internal", "no_network": True, "load_dtd": False, "dtd_validation": False, "recover": False,
    "remove_comments": True, "remove_pis": True, "strip_cdata": True, "huge_tree": False,
})  # fmt: skip
_DEEPEST, _MOST_ATTRIBUTES = 200, 200
_WIDE = etree.XPath(f"(//*[@*[{_MOST_ATTRIBUTES + 1}]])[1]")
_DEEP = etree.XPath(f"({'/*' * (_DEEPEST + 1)})[1]")


class XmlRefused(ConnectorError):
    """It is not read: ``detail`` says why, ``line`` where (0: as a whole)."""

    def __init__(self, detail: str, line: int = 0) -> None:
        self.detail, self.line = detail, line
        super().__init__(f"{detail} (line {line})" if line else detail)


def parse(raw: bytes, most: int) -> Element:
    """The root of a document of at most ``most`` bytes. Raises XmlRefused."""
    if len(raw) > most:
        raise XmlRefused(f"{len(raw):,} bytes of XML; at most {most:,} are read")
    parser = etree.XMLParser(**_SETTINGS)
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError as error:
        text = re.sub(r",? line \d+, column \d+.*$", "", error.msg or "it is empty")
        raise XmlRefused(f"the XML is not well formed: {text[:200]}", error.position[0]) from None
    except (ValueError, LookupError) as error:
        raise XmlRefused(f"it is no XML: {str(error)[:200]}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise XmlRefused("it has a document type (<!DOCTYPE …>); none is read")
    for found, what in ((_WIDE(root), "attributes of one element"), (_DEEP(root), "elements in each other")):
        for element in cast("list[Element]", found):
            raise XmlRefused(f"more than {_DEEPEST} {what}", line_of(element))
    return root


def line_of(element: Element) -> int:
    """The line an element begins in."""
    return cast("int | None", element.sourceline) or 0


def name_of(element: Element) -> tuple[str, str]:
    """(namespace, local name) of an element."""
    uri, _, local = element.tag.rpartition("}")
    return uri.removeprefix("{"), local
