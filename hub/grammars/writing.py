"""A named document to the segments of a message, and everything that keeps it from being one, by its path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from hub.errors import DocumentFault
from hub.grammars.checks import Checker
from hub.grammars.filling import Filler, kind_of, unknown, wrong
from hub.grammars.findings import Finding
from hub.grammars.naming import EXTRA_ELEMENTS, STRAYS
from hub.grammars.types import GroupNode, MessageNode, MessageType, SegmentNode, SegmentType, Step

ENVELOPE = ("interchange", "group", "message")
_NO_SEGMENTS = (*ENVELOPE, STRAYS, "faults")
_order = itemgetter(0)
_MOST_FAULTS = 100


class _Level(msgspec.Struct, frozen=True):
    """The nodes of one level by key, each with its place in the order and the level below it."""

    nodes: Mapping[str, tuple[int, MessageNode, _Level | None]]
    required: tuple[MessageNode, ...]


def _level(nodes: Sequence[MessageNode]) -> _Level:
    below = [_level(node.nodes) if isinstance(node, GroupNode) else None for node in nodes]
    return _Level(
        {node.key: (at, node, below[at]) for at, node in enumerate(nodes)},
        tuple(node for node in nodes if node.is_mandatory),
    )


class Writer:
    """Writes the messages of one type. ``decimal_mark`` is that of the interchange they go into."""

    def __init__(self, message: MessageType, decimal_mark: str = ".") -> None:
        self._mark, self._root = decimal_mark, _level(message.nodes)
        self._checker = Checker(message, decimal_mark)
        self._fillers: dict[int, Filler] = {}
        self._kept: list[SegmentType] = []

    def segments(self, document: Any) -> tuple[list[list[Any]], list[DocumentFault]]:
        """The segments between header and trailer, in their order, and every fault; at most 100 of them."""
        faults: list[DocumentFault] = []
        segments: list[list[Any]] = []
        if isinstance(document, Mapping):
            self._nodes(document, self._root, "", segments, faults)
        else:
            faults.append(wrong("", f"is {kind_of(document)}; expected an object with the segments", document))
        return segments, faults[:_MOST_FAULTS]

    def _nodes(
        self, document: Mapping[str, Any], level: _Level, above: str, segments: list[list[Any]],
        faults: list[DocumentFault],
    ) -> None:  # fmt: skip
        there: list[tuple[int, MessageNode, _Level | None, Any]] = []
        for name, value in document.items():
            known = level.nodes.get(name)
            if known is not None:
                if value is not None and value != []:
                    there.append((*known, value))
            elif above or name not in _NO_SEGMENTS:
                faults.append(unknown(f"{above}{name}", str(name), list(level.nodes)))
        for node in level.required:
            if document.get(node.key) in (None, []):
                what = "group" if isinstance(node, GroupNode) else "segment"
                text = f"the {what} {node.key} is missing; it is mandatory"
                faults.append(DocumentFault(f"{above}{node.key}", "required", text))
        there.sort(key=_order)
        for _, node, below, value in there:
            for at, one in _every(value, node, f"{above}{node.key}", faults):
                if below is not None:
                    self._nodes(one, below, f"{at}.", segments, faults)
                elif isinstance(node, SegmentNode):
                    segments.append(self._segment(one, node.segment, at, faults))

    def _segment(
        self, document: Mapping[str, Any], kind: SegmentType, path: str, faults: list[DocumentFault]
    ) -> list[Any]:
        before = len(faults)
        elements = self._filler(kind).elements(document, path, faults)
        if isinstance(extra := document.get(EXTRA_ELEMENTS), list):
            elements += [""] * (len(kind.slots) - len(elements)) + extra
        segment = [kind.tag, *elements]
        if not self._checker.is_clean(segment, kind):
            # A value that could not be written is told once, as what it is, and not as missing too.
            told = {fault.path for fault in faults[before:]}
            found = [_located(one, kind, path) for one in self._checker.segment_findings(segment, kind, 0)]
            faults += [fault for fault in found if fault.path not in told]
        return segment

    def _filler(self, kind: SegmentType) -> Filler:
        filler = self._fillers.get(id(kind))
        if filler is None:
            filler = self._fillers[id(kind)] = Filler(kind.slots, self._mark, (EXTRA_ELEMENTS,))
            self._kept.append(kind)  # an id is that of one object only while it lives
        return filler


def _every(value: Any, node: MessageNode, path: str, faults: list[DocumentFault]) -> Iterator[tuple[str, Any]]:
    """Each object that stands for a node with its path; faults where there are too many, or other things."""
    if node.is_list and not isinstance(value, list | tuple):
        text = f"is {kind_of(value)}; expected a list, since {node.key} may repeat"
        faults.append(wrong(path, text, value))
        return
    many = value if node.is_list else [value]
    if len(many) > node.repeats:
        text = f"{node.key} stands {len(many)} times; at most {node.repeats}"
        faults.append(DocumentFault(path, "repeats", text))
    for at, one in enumerate(many):
        place = f"{path}[{at}]" if node.is_list else path
        if isinstance(one, Mapping):
            yield place, one
        else:
            faults.append(wrong(place, f"is {kind_of(one)}; expected an object", one))


def _located(finding: Finding, kind: SegmentType, path: str) -> DocumentFault:
    """What the check found in a written segment, at the path of its document."""
    place = path
    if 0 < finding.element <= len(kind.slots):
        slot = kind.slots[finding.element - 1]
        place = _join(path, slot.path)
        if finding.repetition:
            place += f"[{finding.repetition - 1}]"
        if 0 < finding.component <= len(slot.components):
            place = _join(place, slot.components[finding.component - 1].path)
    return DocumentFault(place, finding.problem, finding.message, finding.seen, finding.expected, finding.severity)


def _join(path: str, steps: Sequence[Step]) -> str:
    return path + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
