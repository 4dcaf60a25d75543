"""A document of any size against an XML Schema, in the memory of a part of it.

libxml2 validates while it reads, too, but tells of that the first fault alone, and no place. So the tree is judged
while it grows, piece by piece: what is complete is told once, what is still open when it has been closed. Then of equal
elements in a row all but the last few are taken out, so that what stays of a document is a few of each kind.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from lxml import etree

from hub.errors import DecodeError
from hub.formats._xml import Element
from hub.profiles.faults import RuleFault, element_at
from hub.profiles.xsd import as_fault, merged

_KEPT = 16  # of a row; what may stand a few times, such as the ten lines of an address, is counted so


class Parts:
    """The faults of a document that grows. ``found`` are the first, at most ``most``, by elements as they are closed;
    ``total`` is how many there are. ``size``: bytes that may come before anything can be taken out."""

    def __init__(self, schema: etree.XMLSchema, most: int, source: str, size: int) -> None:
        self.found: list[RuleFault] = []
        self.total = 0
        self._schema, self._most, self._source, self._size = schema, most, source, size
        self._judged: set[Element] = set()  # what is complete and stays
        self._gone: Counter[tuple[Element, str]] = Counter()
        self._waiting = 0

    def judge(self, root: Element, size: int, is_whole: bool) -> None:
        """Judge what has come since the last time, ``size`` bytes. Raises DecodeError where nothing can be taken out of
        what is too large."""
        ways = [] if is_whole else _open(root)
        if not self._schema.validate(root):
            self._tell(root, set() if is_whole else {*ways, None})
        is_less = [self._take_out(parent) for parent in ways[:-1]]
        self._forget(root)
        self._waiting = 0 if any(is_less) else self._waiting + size
        if self._waiting > self._size and not is_whole:
            detail = f"more than {self._size:,} bytes of it are no row of equal elements"
            raise DecodeError(f"{detail}; so much is not judged by its schema", code="too_large")

    def _tell(self, root: Element, open_: set[Element | None]) -> None:
        for entry in merged(self._schema):
            element = element_at(root, entry.path or "")
            if element in open_ or self._is_judged(element):
                continue
            self.total += 1
            if len(self.found) < self._most:
                self.found.append(as_fault(element, entry, self._source, self._gone))

    def _is_judged(self, element: Element | None) -> bool:
        while element is not None and element not in self._judged:
            element = element.getparent()
        return element is not None

    def _take_out(self, parent: Element) -> bool:
        """The beginning of each long row; its last may still be open. Text behind one is a fault of the parent: it
        stays."""
        is_less = False
        for _, row in groupby(list(parent), key=lambda child: child.tag):
            members = list(row)
            for child in members[:-_KEPT]:
                if (child.tail or "").strip():
                    parent.text = child.tail
                self._gone[parent, child.tag] += 1
                parent.remove(child)
                is_less = True
            self._judged.update(members[-_KEPT:])
        self._judged.discard(parent[-1])
        return is_less

    def _forget(self, root: Element) -> None:
        """What was known of elements that are gone."""
        self._judged = {each for each in self._judged if _is_in(root, each)}
        self._gone = Counter({key: count for key, count in self._gone.items() if _is_in(root, key[0])})


def _is_in(root: Element, element: Element) -> bool:
    return element is root or next(element.iterancestors(root.tag), None) is root


def _open(root: Element) -> list[Element]:
    """What may not be complete: the root, its last child, the last of that, ..."""
    found = [root]
    while len(found[-1]):
        found.append(found[-1][-1])
    return found
