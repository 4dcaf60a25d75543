"""What a grammar of an IDoc is once it is read: fields, segments, and the nodes of a type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec

KINDS = ("text", "date", "time", "number")


class Field(msgspec.Struct, frozen=True):
    """A field: its length in characters, and what it holds. A ``date`` is YYYYMMDD in the file and YYYY-MM-DD in a
    document, a ``time`` HHMMSS and HH:MM:SS, a ``number`` a decimal, the minus sign behind it in the file."""

    name: str
    length: int
    kind: str = "text"


@dataclass(frozen=True)
class SegmentType:
    """A segment type with its fields in their order. ``definition`` is what flat files name it by."""

    kind: str
    title: str
    definition: str
    fields: Mapping[str, Field]

    @cached_property
    def lengths(self) -> Mapping[str, int]:
        return {field.name: field.length for field in self.fields.values()}


@dataclass(frozen=True)
class Node:
    """A segment at its place in a type, with those below it. ``is_list``: whether it is a list in a document."""

    segment: SegmentType
    is_mandatory: bool
    repeats: int
    is_list: bool
    nodes: tuple[Node, ...] = ()

    @property
    def kind(self) -> str:
        return self.segment.kind

    @cached_property
    def below(self) -> Mapping[str, Node]:
        """The nodes directly below, by their segment types."""
        return by_kind(self.nodes)


@dataclass(frozen=True)
class IdocType:
    """What an IDoc consists of. ``type`` is its IDOCTYP; ``extra``: allow, report or reject what the grammar does not
    know. ``segments`` are all that stand somewhere, by their types."""

    name: str
    type: str
    title: str
    nodes: tuple[Node, ...]
    extra: str

    @cached_property
    def below(self) -> Mapping[str, Node]:
        return by_kind(self.nodes)

    @cached_property
    def segments(self) -> Mapping[str, SegmentType]:
        return {node.kind: node.segment for _, node in self.walk()}

    @cached_property
    def parents(self) -> Mapping[str, frozenset[str]]:
        """What each segment type may stand below; ``""`` is the top."""
        found: dict[str, set[str]] = {}
        for above, node in self.walk():
            found.setdefault(node.kind, set()).add(above[-1] if above else "")
        return {kind: frozenset(kinds) for kind, kinds in found.items()}

    def walk(self) -> Iterator[tuple[tuple[str, ...], Node]]:
        """Every node with the types of the segments it stands below, in order."""
        yield from _walk((), self.nodes)


def by_kind(nodes: Sequence[Node]) -> dict[str, Node]:
    return {node.kind: node for node in nodes}


def _walk(above: tuple[str, ...], nodes: Sequence[Node]) -> Iterator[tuple[tuple[str, ...], Node]]:
    for node in nodes:
        yield above, node
        yield from _walk((*above, node.kind), node.nodes)
