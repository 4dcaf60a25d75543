"""One fault that a schema or a rule finds in a document, and where it stands: by its element, its line, its column."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast

from hub.formats._xml import Element, path_of
from hub.formats._xml_places import places_of

ERRORS = ("fatal", "error")
_CODE, _HEAD = 3, 20
_ATTRIBUTE = re.compile(r"/@(?:[\w.-]+:|Q\{[^}]*\})?(?:\*\[)?.*?([\w.-]+)['\"]?\]*$")
_STEP = re.compile(
    r"/(?:\*:(?P<any>[^/\[]+)(?:\[namespace-uri\(\)\s*=\s*['\"](?P<space>[^'\"]*)['\"]\])?"  # the ISO skeleton's
    r"|Q\{(?P<uri>[^}]*)\}(?P<local>[^/\[]+)"  # SchXslt's
    r"|(?P<prefix>[^/\[:*@]+:)?(?P<name>[^/\[:@]+))"  # libxml2's
    r"(?:\[(?P<number>\d+)\])?"
)


@dataclass(frozen=True, slots=True)
class RuleFault:
    """``rule`` is the identifier its publisher gave it (``BR-CO-10``), or that of XML Schema (``cvc-minLength-valid``);
    ``severity`` fatal, error, warning or information; ``line`` and ``column`` from 1, 0 where they are not known;
    ``xpath`` has the prefixes of the document; ``source`` is the file of the schema or the rules; ``quoted`` is what
    the message has of the document."""

    rule: str
    severity: str
    message: str
    line: int = 0
    column: int = 0
    xpath: str = ""
    source: str = ""
    quoted: tuple[str, ...] = ()

    @property
    def is_error(self) -> bool:
        return self.severity in ERRORS

    @property
    def position(self) -> str:
        """``line 7, column 3``."""
        column = f", column {self.column}" if self.column else ""
        return f"line {self.line}{column}" if self.line else ""

    def __str__(self) -> str:
        where = ", ".join(filter(None, [self.position, self.xpath]))
        return f"{where + ': ' if where else ''}{self.rule}: {self.message}"


def element_at(root: Element, path: str) -> Element | None:
    """The element that a path of a schema's or a rule's judgement leads to; None where it leads to none."""
    here: Element | None = None
    for step in _STEP.finditer(path):
        found = [root] if here is None else _children(here, step)
        number = int(step["number"] or 1)
        if number > len(found):
            return None
        here = found[number - 1]
    return here


def _children(parent: Element, step: re.Match[str]) -> list[Element]:
    if step["name"] == "*" and not step["prefix"]:
        return list(parent)
    local = step["any"] or step["local"] or step["name"]
    space = step["uri"] if step["local"] else step["space"]
    if space is None and step["prefix"]:
        prefix = step["prefix"][:-1]
        return [child for child in parent if child.tag.rpartition("}")[2] == local and child.prefix == prefix]
    if space is None:
        return [child for child in parent if child.tag.rpartition("}")[2] == local]
    tag = f"{{{space}}}{local}" if space else local
    return [child for child in parent if child.tag == tag]


def located(root: Element, fault: RuleFault) -> RuleFault:
    """A fault whose ``xpath`` is as its rule says it, with the line, and with the path as the hub writes it."""
    element = element_at(root, fault.xpath.partition("/@")[0])
    if element is None:
        return fault
    attribute = _ATTRIBUTE.search(fault.xpath) if "/@" in fault.xpath else None
    xpath = path_of(element) + (f"/@{attribute[1]}" if attribute else "")
    return replace(fault, xpath=xpath, line=fault.line or int(cast(int, element.sourceline) or 0))


def with_values(root: Element, faults: Sequence[RuleFault], waiting: Callable[[], None]) -> list[RuleFault]:
    """The same, each with the document's texts and attributes that its message has in it, but for codes of a few
    letters."""
    texts: dict[str, None] = {}
    for element in root.iter() if faults else ():
        for text in (element.text, *element.attrib.values()):
            texts[" ".join(str(text or "").split())] = None
    long = [text for text in texts if len(text) > _CODE]
    told = []
    for fault in faults:
        values = tuple(text for text in long if text[:_HEAD] in fault.message)
        told.append(replace(fault, quoted=(*fault.quoted, *values)))
        waiting()
    return told


def with_columns(raw: bytes, faults: Sequence[RuleFault]) -> list[RuleFault]:
    """The same with their columns, by one more pass over the document."""
    places = places_of([raw], {fault.xpath.partition("/@")[0] for fault in faults if fault.xpath})
    told = []
    for fault in faults:
        place = places.get(fault.xpath.partition("/@")[0])
        told.append(replace(fault, line=place.line, column=place.column) if place else fault)
    return told
