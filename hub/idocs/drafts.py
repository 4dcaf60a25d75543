"""A grammar of an IDoc while its files are read: the notation of their lines, and nodes that overlays can change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hub.errors import Fault
from hub.grammars.lines import BadLine, Words, bounds_of, use_of
from hub.idocs.types import KINDS, Field, SegmentType
from hub.yamldoc import Node, did_you_mean

_KIND = re.compile(r"[A-Z/][A-Z0-9_/]*")
_FIELD = "NAME LENGTH, and date, time or number where it is one, for example DATUM 8 date"
_SEGMENT = "a list of its definition and its fields: [E2EDK03, IDDAT 3, DATUM 8 date]"
_PLACES = ("before", "after", "in")
_LONGEST = 1000


@dataclass
class Draft:
    """One node. ``place`` is where it is written."""

    kind: str
    is_mandatory: bool
    repeats: int
    is_list: bool
    place: Node
    nodes: list[Draft] = field(default_factory=list)


def read_nodes(node: Node, faults: list[Fault]) -> list[Draft]:
    """The nodes of a list, with every fault of it."""
    if not node.is_list:
        faults.append(node.fault(f"a structure is {node.kind}; write a list of segments: - E1EDK01 M 1"))
        return []
    drafts: list[Draft] = []
    for line in node.elements():
        try:
            drafts += _read(line, faults)
        except BadLine as bad:
            faults.append(bad.fault)
    known: set[str] = set()
    for draft in drafts:
        if draft.kind in known:
            faults.append(draft.place.fault(f"{draft.kind} stands here a second time"))
        known.add(draft.kind)
    return drafts


def _read(line: Node, faults: list[Fault]) -> Iterator[Draft]:
    """``- E1EDK03 C 10``, or ``- E1EDP01 C >1:`` with a list of what stands below it."""
    for place, below in [(line.key(key), one) for key, one in line.items()] if line.is_map else [(line, None)]:
        use = use_of(place)
        draft = Draft(use.tag, use.is_mandatory, use.repeats, use.is_list, place)
        if use.key != use.tag:
            faults.append(place.fault(f"{use.tag} keeps its own name in an IDoc; leave out 'as {use.key}'"))
        if below is not None:
            draft.nodes = read_nodes(below, faults)
        yield draft


def definition_of(key: str, place: Node, entry: Node, faults: list[Fault]) -> SegmentType | None:
    """A segment: ``E1EDK03 Dates: [E2EDK03, IDDAT 3, DATUM 8 date, UZEIT 6 time]``; None where it is wrong."""
    kind, _, title = key.partition(" ")
    lines = entry.elements()
    if not _KIND.fullmatch(kind) or not entry.is_list or not lines or not _KIND.fullmatch(lines[0].text):
        faults.append((place if not _KIND.fullmatch(kind) else entry).fault(f"a segment is {_SEGMENT}"))
        return None
    fields: dict[str, Field] = {}
    for line in lines[1:]:
        try:
            one = _field(line)
        except BadLine as bad:
            faults.append(bad.fault)
            continue
        if one.name in fields:
            faults.append(line.fault(f"the field {one.name} stands in {kind} a second time"))
        fields[one.name] = one
    if (total := sum(one.length for one in fields.values())) > _LONGEST:
        faults.append(entry.fault(f"the fields of {kind} have {total} characters; a segment holds {_LONGEST}"))
    return SegmentType(kind, title.strip(), lines[0].text, fields)


def _field(line: Node) -> Field:
    """Raises BadLine."""
    words = Words(line)
    name = words.take(_FIELD)
    if not _KIND.fullmatch(name):
        raise words.bad(f"'{name}' is no name of SAP's; expected {_FIELD}")
    length = words.take(_FIELD)
    if not length.isdecimal() or not 1 <= int(length[:5]) <= _LONGEST:
        raise words.bad(f"'{length}' is no length from 1 to {_LONGEST}; expected {_FIELD}")
    kind = words.take("") if words.peek() else "text"
    if kind not in KINDS:
        raise words.bad(f"'{kind}' is no kind of field{did_you_mean(kind, KINDS)}; expected {_FIELD}")
    if {"date": 8, "time": 6}.get(kind, int(length)) != int(length):
        raise words.bad(f"a {kind} is {'YYYYMMDD' if kind == 'date' else 'HHMMSS'}; expected a field of that length")
    words.end(_FIELD)
    return Field(name, int(length), kind)


def add_nodes(key: str, place: Node, entry: Node, drafts: list[Draft], faults: list[Fault]) -> None:
    """Change the nodes as one line of an overlay says: ``after E1EDK01``, ``in E1EDP01``, or ``remove``."""
    where, _, path = key.partition(" ")
    try:
        if where == "remove":
            siblings, draft = _found(entry.text, entry, drafts)
            siblings.remove(draft)
            return
        if where not in _PLACES or not path:
            advice = "write before SEGMENT, after SEGMENT or in SEGMENT"
            raise BadLine(place.fault(f"'{key}' says not where{did_you_mean(where, _PLACES)}; {advice}"))
        siblings, draft = _found(path.strip(), place, drafts)
    except BadLine as bad:
        faults.append(bad.fault)
        return
    at = next(index for index, one in enumerate(siblings) if one is draft) + (where == "after")
    if where == "in":
        siblings, at = draft.nodes, len(draft.nodes)
    added = read_nodes(entry, faults)
    known = {one.kind for one in siblings}
    faults += [one.place.fault(f"{one.kind} stands there already") for one in added if one.kind in known]
    siblings[at:at] = [one for one in added if one.kind not in known]


def bound_nodes(section: Node | None, must_narrow: bool, drafts: list[Draft], faults: list[Fault]) -> None:
    """What an overlay says of how often segments may stand: ``E1EDK02: M 3``."""
    for path, entry in section.items() if section else ():
        place = (section or entry).key(path)
        try:
            bounds = bounds_of(entry)
            _, draft = _found(path, place, drafts)
        except BadLine as bad:
            faults.append(bad.fault)
            continue
        is_mandatory = draft.is_mandatory if bounds.is_mandatory is None else bounds.is_mandatory
        repeats = draft.repeats if bounds.repeats is None else bounds.repeats
        if must_narrow and (is_mandatory < draft.is_mandatory or repeats > draft.repeats):
            faults.append(entry.fault(f"{draft.kind} becomes wider by this; write it under relax:"))
            continue
        draft.is_mandatory, draft.repeats, draft.is_list = is_mandatory, repeats, draft.is_list or repeats > 1


def _found(path: str, place: Node, drafts: list[Draft]) -> tuple[list[Draft], Draft]:
    """The node of a path (``E1EDP01.E1EDP19``), and the list that it stands in. Raises BadLine."""
    level = drafts
    steps = path.split(".")
    for number, step in enumerate(steps):
        draft = next((one for one in level if one.kind == step), None)
        if draft is None:
            inside = f" in {'.'.join(steps[:number])}" if number else ""
            advice = did_you_mean(step, [one.kind for one in level])
            raise BadLine(place.fault(f"there is no '{step}'{inside}{advice}"))
        if number + 1 == len(steps):
            return level, draft
        level = draft.nodes
    raise BadLine(place.fault("a path is empty"))
