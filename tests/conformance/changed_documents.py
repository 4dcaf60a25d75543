"""The tests of XRechnung's rules: documents that say how to change them, and which rules each change breaks or keeps.

Before an element stands ``<?xmute mutator="remove" schematron-invalid="xrubl:BR-DE-1"?>``; mutators are ``identity``,
``remove``, ``empty`` and ``code`` with its ``values``, each of the element or of its ``attribute``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial

from lxml import etree

_PAIR = re.compile(r'([\w-]+)="([^"]*)"')
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
Change = Callable[[etree._Element], None]


def is_one(raw: bytes) -> bool:
    return b"<?xmute" in raw


def changed_documents(raw: bytes) -> Iterator[tuple[etree._Element, dict[str, bool]]]:
    """Each document after its change, and whether it is to break a rule."""
    root = etree.fromstring(raw, _PARSER)
    for number, instruction in enumerate(_instructions(root)):
        said = dict(_PAIR.findall(instruction.text or ""))
        wanted = {
            name.rpartition(":")[2]: breaks
            for key, breaks in (("schematron-valid", False), ("schematron-invalid", True))
            for name in re.split(r"[\s,]+", said.get(key, "").strip())
            if name
        }
        for change in _changes(said) if wanted else ():
            document = deepcopy(root)
            change(next(_instructions(document)[number].itersiblings(tag=etree.Element)))
            etree.strip_tags(document, etree.ProcessingInstruction)
            yield document, wanted


def _instructions(root: etree._Element) -> list[etree._ProcessingInstruction]:
    return [each for each in root.iter(etree.ProcessingInstruction) if each.target == "xmute"]


def _changes(said: dict[str, str]) -> Iterator[Change]:
    attribute, mutator = said.get("attribute"), said.get("mutator")
    if mutator == "identity":
        yield lambda element: None
    elif mutator == "remove":
        yield partial(_remove, attribute=attribute)
    elif mutator == "empty":
        yield partial(_set, attribute=attribute, value="")
    elif mutator == "code":
        yield from (partial(_set, attribute=attribute, value=value.strip()) for value in said["values"].split(","))


def _remove(element: etree._Element, attribute: str | None) -> None:
    if attribute:
        del element.attrib[attribute]
    elif (parent := element.getparent()) is not None:
        parent.remove(element)


def _set(element: etree._Element, attribute: str | None, value: str) -> None:
    if attribute:
        element.set(attribute, value)
        return
    element[:] = []
    element.text = value
