"""Grammars for people: one in full, and what differs between two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hub.grammars.types import UNLIMITED, GroupNode, MessageNode, MessageType, SegmentType, Slot

_SHOWN_CODES = 12


def describe(message: MessageType) -> Iterator[str]:
    """The structure of a message, then the elements of its segments; one line each."""
    group = f", group {message.functional_group}" if message.functional_group else ""
    yield f"{message.name}  {message.title}{group}; what is not known: {message.extra}"
    yield ""
    for above, node in message.walk():
        yield f"{'  ' * len(above)}{_node_text(node)}"
    for path, segment in _segments(message):
        yield ""
        yield f"{segment.tag}  {segment.title}{f'  (as {path} uses it)' if segment.used else ''}"
        yield from (f"  {place:<5} {name:<32} {text}" for place, name, text in _elements(segment.used or segment))
        if segment.notes:
            yield f"  notes {' '.join(map(str, segment.notes))}"


def _node_text(node: MessageNode) -> str:
    limit = ">1" if node.repeats >= UNLIMITED else str(node.repeats)
    what = f"group {node.label}" if isinstance(node, GroupNode) else node.segment.title
    many = "  list" if node.is_list and node.repeats == 1 else ""
    return f"{node.key:<14} {_letter(node.is_mandatory)} {limit:<6} {what}{many}"


def _segments(message: MessageType) -> list[tuple[str, SegmentType]]:
    """Every segment once, with a place of it; one that an overlay changes at a place is one of its own."""
    return list({id(segment): (path, segment) for path, segment in _places(message)}.values())


def _places(message: MessageType) -> Iterator[tuple[str, SegmentType]]:
    for above, node in message.walk():
        if not isinstance(node, GroupNode):
            yield ".".join((*above, node.key)), node.segment


def _elements(segment: SegmentType) -> Iterator[tuple[str, str, str]]:
    """Position, name and the rest of every element of a segment."""
    for at, slot in enumerate(segment.slots, 1):
        yield f"{at:02}", slot.name or ".", _slot_text(slot)
        for number, component in enumerate(slot.components, 1):
            name = ".".join(part for part in (slot.name, component.name) if part)
            yield f"{at:02}-{number}", name, _slot_text(component)


def _slot_text(slot: Slot) -> str:
    words = [f"{slot.number:<5}", _letter(slot.is_mandatory), slot.element.form if slot.element else "composite"]
    if slot.repeats != 1:
        words.append(
            "not used" if not slot.repeats else f"repeats {'>1' if slot.repeats >= UNLIMITED else slot.repeats}"
        )
    if slot.codes is not None:
        codes = list(slot.codes)
        more = f" … ({len(codes)})" if len(codes) > _SHOWN_CODES else ""
        words.append(f"codes {' '.join(codes[:_SHOWN_CODES])}{more}")
    return "  ".join(words)


def differences(one: MessageType, other: MessageType) -> Iterator[str]:
    """What ``other`` has and ``one`` has not (+), has not (-), has otherwise (~). Groups are compared by the segment
    that opens them, since their numbers differ from version to version."""
    yield from compared(_structure(one), _structure(other))
    mine, theirs = _by_tag(one), _by_tag(other)
    for tag in mine:
        if tag in theirs:
            yield from compared(_details(tag, mine[tag]), _details(tag, theirs[tag]))
    here, there = dict(_places(one)), dict(_places(other))
    for path, segment in here.items():
        if path in there and (segment.used or there[path].used):
            used, others = segment.used or segment, there[path].used or there[path]
            yield from compared(_details(path, used), _details(path, others))


def compared(mine: Mapping[str, str], theirs: Mapping[str, str]) -> Iterator[str]:
    """What is gone (-), new (+) and otherwise (~), a line each."""
    for path in [*mine, *(path for path in theirs if path not in mine)]:
        if path not in theirs:
            yield f"- {path}  {mine[path]}"
        elif path not in mine:
            yield f"+ {path}  {theirs[path]}"
        elif mine[path] != theirs[path]:
            yield f"~ {path}  {_changed(mine[path], theirs[path])}"


def _changed(before: str, after: str) -> str:
    if not before.startswith("codes "):
        return f"{before} -> {after}"
    old, new = before.split()[1:], after.split()[1:]
    if len(new) * 2 < len(old):  # what is left tells more than what is gone
        return f"{len(old)} codes -> {after}"
    gone, come = [code for code in old if code not in new], [code for code in new if code not in old]
    return f"codes {' '.join([*(f'-{code}' for code in gone), *(f'+{code}' for code in come)])}"


def _structure(message: MessageType) -> dict[str, str]:
    found: dict[str, str] = {}
    _walk(message.nodes, "", found)
    return found


def _walk(nodes: Sequence[MessageNode], above: str, found: dict[str, str]) -> None:
    for node in nodes:
        limit = ">1" if node.repeats >= UNLIMITED else str(node.repeats)
        path = f"{above}{f'({node.tag})' if isinstance(node, GroupNode) else node.key}"
        while path in found:
            path += "'"
        found[path] = f"{_letter(node.is_mandatory)} {limit}"
        if isinstance(node, GroupNode):
            _walk(node.nodes, f"{path}.", found)


def _by_tag(message: MessageType) -> dict[str, SegmentType]:
    found: dict[str, SegmentType] = {}
    for _, segment in _segments(message):
        found.setdefault(segment.tag, segment)
    return found


def _details(tag: str, segment: SegmentType) -> dict[str, str]:
    details: dict[str, str] = {}
    for at, slot in enumerate(segment.slots, 1):
        _detail(f"{tag} {at:02} {slot.name}", slot, details)
        for number, component in enumerate(slot.components, 1):
            _detail(f"{tag} {at:02}-{number} {slot.name}.{component.name}", component, details)
    if segment.notes:
        details[f"{tag} notes"] = " ".join(map(str, segment.notes))
    return details


def _detail(path: str, slot: Slot, details: dict[str, str]) -> None:
    form = slot.element.form if slot.element else "composite"
    repeats = "" if slot.repeats == 1 else f" x{slot.repeats}" if slot.repeats else " not used"
    details[path] = f"{slot.number} {_letter(slot.is_mandatory)} {form}{repeats}"
    if slot.codes is not None:
        details[f"{path} codes"] = f"codes {' '.join(slot.codes)}"


def _letter(is_mandatory: bool) -> str:
    return "M" if is_mandatory else "C"
