"""The structure of a message while its files are read: nodes that overlays can still change, then the message type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec.structs import replace

from hub.errors import Fault
from hub.grammars.directory import Directory
from hub.grammars.lines import BadLine, Bounds, Use, Used, use_of
from hub.grammars.types import Codes, GroupNode, MessageNode, SegmentNode, SegmentType, Slot
from hub.grammars.uses import named_slots, slot_name, using
from hub.yamldoc import Node, did_you_mean

_NUMBERED = re.compile(r"SG[0-9]+")


class Change(msgspec.Struct, frozen=True):
    """What an overlay says of one element of a segment: gone, other bounds, or other codes; or, without a path, which
    elements of the segment are used."""

    path: str
    node: Node
    is_removed: bool = False
    bounds: Bounds | None = None
    codes: Codes | None = None
    must_narrow: bool = False
    uses: Mapping[str, Used] | None = None


@dataclass
class Draft:
    """One node: a segment, or a group where ``nodes`` is a list; ``tag`` is then its name in the standard, ``SG2``.
    ``place`` is where it is written."""

    tag: str
    key: str
    is_mandatory: bool
    repeats: int
    is_list: bool
    place: Node
    nodes: list[Draft] | None = None
    changes: list[Change] = field(default_factory=list)

    def walk(self) -> Iterator[Draft]:
        yield self
        for node in self.nodes or ():
            yield from node.walk()


def read_structure(node: Node | None, faults: list[Fault]) -> list[Draft]:
    """The nodes of a structure's list, with every fault of it."""
    if node is None or not node.is_list:
        if node is not None:
            faults.append(node.fault(f"a structure is {node.kind}; write a list of nodes: - BGM M 1"))
        return []
    drafts: list[Draft] = []
    for line in node.elements():
        try:
            drafts += _read_node(line, faults)
        except BadLine as bad:
            faults.append(bad.fault)
    _doubled(drafts, faults)
    return drafts


def _read_node(node: Node, faults: list[Fault]) -> Iterator[Draft]:
    if not node.is_map:
        use = use_of(node)
        yield Draft(use.tag, use.key, use.is_mandatory, use.repeats, use.is_list, node)
        return
    for key, below in node.items():
        place = node.key(key)
        use = use_of(place)
        if not below.elements():
            faults.append(place.fault(f"the group {use.key} is empty; write its nodes below it, or no colon"))
        elif nodes := read_structure(below, faults):
            _opening(nodes[0], use.key, faults)
            key = _group_key(use, nodes[0])
            yield Draft(use.tag, key, use.is_mandatory, use.repeats, use.is_list, place, nodes)


def _group_key(use: Use, first: Draft) -> str:
    """A group that has but a number is named by the segment that opens it: numbers change with the version."""
    return f"{first.tag}_group" if use.key == use.tag and _NUMBERED.fullmatch(use.tag) else use.key


def _opening(first: Draft, group: str, faults: list[Fault]) -> None:
    if first.nodes is not None:
        faults.append(first.place.fault(f"a group begins with a segment, {group} with the group {first.tag}"))
    elif first.is_list or not first.is_mandatory:
        faults.append(first.place.fault(f"{first.tag} opens the group {group}: write {first.tag} M 1"))


def _doubled(drafts: Sequence[Draft], faults: list[Fault]) -> None:
    known: dict[str, Draft] = {}
    for draft in drafts:
        first = known.setdefault(draft.key, draft)
        if first is not draft:
            advice = f"name this one otherwise: {draft.place.text} as {draft.key}_2"
            faults.append(draft.place.fault(f"{draft.key} stands here a second time; {advice}"))


def message_nodes(drafts: Sequence[Draft], directory: Directory, faults: list[Fault]) -> tuple[MessageNode, ...]:
    """The nodes as they are read by. A segment that is not defined is a fault, and left out."""
    return tuple(node for draft in drafts if (node := _message_node(draft, directory, faults)) is not None)


def _message_node(draft: Draft, directory: Directory, faults: list[Fault]) -> MessageNode | None:
    if draft.nodes is not None:
        nodes = message_nodes(draft.nodes, directory, faults)
        if not nodes or isinstance(nodes[0], GroupNode):
            return None
        return GroupNode(draft.key, draft.is_mandatory, draft.repeats, draft.is_list, nodes, draft.tag)
    segment = directory.segment(draft.tag)
    if segment is None:
        advice = did_you_mean(draft.tag, directory.segments)
        faults.append(draft.place.fault(f"unknown segment '{draft.tag}'{advice}"))
        return None
    segment = changed_segment(segment, draft.changes, faults)
    return SegmentNode(draft.key, segment, draft.is_mandatory, draft.repeats, draft.is_list)


def changed_segment(segment: SegmentType, changes: Sequence[Change], faults: list[Fault]) -> SegmentType:
    """A segment after an overlay's changes to its elements."""
    for change in changes:
        if change.uses is not None:
            segment = using(segment, change.uses, change.node, faults)
            continue
        slots, found = _changed(segment.slots, change, "", faults)
        if found:
            used = segment.used
            if used is not None:  # what an overlay says of an element holds, whatever a subset below it uses
                used = replace(used, slots=_changed(used.slots, change, "", [])[0])
            segment = replace(segment, slots=slots, used=used)
        else:
            names = [name for name, _ in named_slots(segment.slots)]
            advice = did_you_mean(change.path, names)
            faults.append(change.node.fault(f"{segment.tag} has no element '{change.path}'{advice}"))
    return segment


def _changed(slots: Sequence[Slot], change: Change, above: str, faults: list[Fault]) -> tuple[tuple[Slot, ...], bool]:
    result, found = [], False
    for slot in slots:
        name = slot_name(slot, above)
        if name == change.path and (name != above or not slot.components):
            slot, found = _applied(slot, change, faults), True
        elif slot.components and (not name or change.path.startswith(f"{name}.")):
            below, hit = _changed(slot.components, change, name, faults)
            slot, found = (replace(slot, components=below), True) if hit else (slot, found)
        result.append(slot)
    return tuple(result), found


def _applied(slot: Slot, change: Change, faults: list[Fault]) -> Slot:
    if change.is_removed:
        if slot.is_mandatory:
            faults.append(change.node.fault(f"'{change.path}' is mandatory and cannot be removed; relax it first"))
        return replace(slot, repeats=0, is_mandatory=False)
    if change.codes is not None:
        return replace(slot, codes=change.codes)
    bounds = change.bounds or Bounds(None, None, None)
    element = slot.element
    if bounds.element is not None:
        if element is None:
            faults.append(change.node.fault(f"'{change.path}' is a composite; its components have types"))
        else:
            element = replace(bounds.element, number=element.number, name=element.name)
            if change.must_narrow and not (
                slot.element and element.maximum <= slot.element.maximum and element.minimum >= slot.element.minimum
            ):
                text = (
                    f"{element.form} is wider than {slot.element.form if slot.element else ''}; write it under relax:"
                )
                faults.append(change.node.fault(text))
    is_mandatory = slot.is_mandatory if bounds.is_mandatory is None else bounds.is_mandatory
    repeats = (slot.repeats or 1) if bounds.repeats is None else bounds.repeats
    if change.must_narrow and (repeats > slot.repeats or is_mandatory < slot.is_mandatory):
        faults.append(change.node.fault(f"'{change.path}' becomes wider by this; write it under relax:"))
    is_list_before = slot.is_list
    if is_list_before != (repeats > 1):
        faults.append(
            change.node.fault(f"'{change.path}' would become a list, or no list any more; that cannot change")
        )
        repeats = slot.repeats
    return replace(slot, element=element, is_mandatory=is_mandatory, repeats=repeats)
