"""What a grammar is made of once it is read: elements, segments, and the nodes of a message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

UNLIMITED = 1_000_000_000
Step = str | int
Codes = Mapping[str, str]
SEVERITIES = {"reject": "error", "report": "warning", "allow": ""}  # of what a grammar does not know, by its policy


class ElementType(msgspec.Struct, frozen=True):
    """A simple data element. ``type`` is ``a an n`` in EDIFACT; ``AN ID R N0 … N9 DT TM B`` in X12; lengths in
    characters, of numbers in digits."""

    number: str
    name: str
    type: str
    minimum: int
    maximum: int

    @property
    def decimals(self) -> int | None:
        """The implied decimal places of X12's N0 to N9; None of every other type."""
        return int(self.type[1]) if len(self.type) == 2 and self.type[0] == "N" and self.type[1].isdigit() else None

    @property
    def is_numeric(self) -> bool:
        return self.type in ("n", "R") or self.decimals is not None

    @property
    def form(self) -> str:
        """The type as grammars write it: ``an..35``, ``n3``, ``AN 1/22``."""
        if self.type in ("a", "an", "n"):
            dots = "" if self.minimum == self.maximum else ".."
            return f"{self.type}{dots}{self.maximum}"
        return f"{self.type} {self.minimum}/{self.maximum}"


class Slot(msgspec.Struct, frozen=True):
    """One position of a segment or a composite. ``path`` is where its value stands in the document, within the
    segment's or the composite's object; a number in it is a place in a list. Either ``element`` or ``components``."""

    number: str
    is_mandatory: bool
    repeats: int
    path: tuple[Step, ...]
    element: ElementType | None = None
    components: tuple[Slot, ...] = ()
    codes: Codes | None = None
    notes: tuple[Note, ...] = ()

    @property
    def is_list(self) -> bool:
        return self.repeats > 1

    @property
    def name(self) -> str:
        """Its path as a mapping writes it: ``items[0].id``."""
        text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return text.removeprefix(".")


class Note(msgspec.Struct, frozen=True):
    """A rule on which elements go together: ``letter`` of P R E C L O N, and positions from 1."""

    letter: str
    positions: tuple[int, ...]

    def __str__(self) -> str:
        return self.letter + "".join(f"{position:02}" for position in self.positions)


class SegmentType(msgspec.Struct, frozen=True):
    """A segment: its positions, the first at index 0, and the notes on them. ``used``: what a subset uses of it at
    its place, which is reported; None where nothing is said of that."""

    tag: str
    title: str
    slots: tuple[Slot, ...]
    notes: tuple[Note, ...] = ()
    used: SegmentType | None = None


class SegmentNode(msgspec.Struct, frozen=True):
    """A segment at its place in a message. ``key`` is its name in the document, ``is_list`` whether it is a list."""

    key: str
    segment: SegmentType
    is_mandatory: bool
    repeats: int
    is_list: bool

    @property
    def tag(self) -> str:
        return self.segment.tag


class GroupNode(msgspec.Struct, frozen=True):
    """A group, in X12 a loop: the first of its nodes is a segment and opens it. ``label`` is what the standard calls it
    (``SG2``), ``key`` its name in the document (``NAD_group``), which is the same in every version."""

    key: str
    is_mandatory: bool
    repeats: int
    is_list: bool
    nodes: tuple[MessageNode, ...]
    label: str = ""

    @property
    def tag(self) -> str:
        """The tag that opens it."""
        return self.nodes[0].tag


MessageNode = SegmentNode | GroupNode


class MessageType(msgspec.Struct, frozen=True):
    """What a message consists of, between its header and its trailer. ``extra`` and ``unknown_codes``: allow, report
    or reject what the grammar does not know; ``unused``: what a subset does not use. ``functional_group`` is GS01's,
    empty in EDIFACT. ``standard`` is the grammar that is no overlay, of which this one is made:
    ``edifact/D96A/ORDERS``."""

    name: str
    standard: str
    syntax: str
    title: str
    nodes: tuple[MessageNode, ...]
    functional_group: str = ""
    extra: str = "reject"
    unknown_codes: str = "reject"
    unused: str = "report"

    def walk(self) -> Iterator[tuple[tuple[str, ...], MessageNode]]:
        """Every node with the keys of the groups around it, in order."""
        yield from _walk((), self.nodes)


def _walk(above: tuple[str, ...], nodes: tuple[MessageNode, ...]) -> Iterator[tuple[tuple[str, ...], MessageNode]]:
    for node in nodes:
        yield above, node
        if isinstance(node, GroupNode):
            yield from _walk((*above, node.key), node.nodes)
