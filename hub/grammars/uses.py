"""What a subset or a partner's guideline uses of a segment at one place; it is reported, and nothing is lost by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from hub.errors import Fault
from hub.grammars.lines import BadLine, Used, used_of
from hub.grammars.types import SegmentType, Slot
from hub.yamldoc import Node, did_you_mean


def read_uses(node: Node) -> dict[str, Used]:
    """The elements of one place by name. Raises BadLine."""
    if not node.elements():
        raise BadLine(node.fault("which elements are used is a list: [document.code M 220 221, number M]"))
    uses: dict[str, Used] = {}
    for line in node.elements():
        used = used_of(line)
        if used.name in uses:
            raise BadLine(line.fault(f"'{used.name}' stands here a second time"))
        uses[used.name] = used
    return uses


def using(segment: SegmentType, uses: Mapping[str, Used], place: Node, faults: list[Fault]) -> SegmentType:
    """The segment with what is used of it beside it: what ``uses`` does not name is not."""
    known = [name for name, _ in named_slots(segment.slots)]
    for name, used in uses.items():
        if name not in known:
            faults.append(used.node.fault(f"{segment.tag} has no element '{name}'{did_you_mean(name, known)}"))
    slots = tuple(_slots(segment.slots, uses, "", place, faults))
    return replace(segment, used=SegmentType(segment.tag, segment.title, slots, segment.notes))


def named_slots(slots: Sequence[Slot], above: str = "") -> Iterator[tuple[str, Slot]]:
    """Every slot with its path, the numbers of lists left out: an overlay speaks of all of them."""
    for slot in slots:
        name = slot_name(slot, above)
        yield name, slot
        yield from named_slots(slot.components, name)


def slot_name(slot: Slot, above: str = "") -> str:
    """The path of a slot as an overlay names it: ``party.id``, ``items.type``."""
    return ".".join([part for part in (above, *(step for step in slot.path if isinstance(step, str))) if part])


def _slots(
    slots: Sequence[Slot], uses: Mapping[str, Used], above: str, place: Node, faults: list[Fault]
) -> Iterator[Slot]:
    for slot in slots:
        name = slot_name(slot, above)
        is_whole = bool(slot.components) and name == above  # its components stand in the segment itself
        below = is_whole or any(one.startswith(f"{name}.") for one in uses) if slot.components else False
        used = None if is_whole else uses.get(name)
        if used is not None:
            slot = _used(slot, used, faults)
        elif not below:
            if slot.is_mandatory:
                faults.append(place.fault(f"'{name}' is mandatory and must be among what is used: {name} M"))
            slot = replace(slot, is_mandatory=False, repeats=0)
        yield replace(slot, components=tuple(_slots(slot.components, uses, name, place, faults))) if below else slot


def _used(slot: Slot, used: Used, faults: list[Fault]) -> Slot:
    """A mandatory element of a list is so in the first of its places."""
    if slot.is_mandatory and not used.is_mandatory:
        faults.append(used.node.fault(f"'{used.name}' is mandatory in the standard: {used.name} M"))
    is_first = not any(isinstance(step, int) and step for step in slot.path)
    slot = replace(slot, is_mandatory=slot.is_mandatory or (used.is_mandatory and is_first))
    if (used.element or used.codes) and slot.element is None:
        faults.append(used.node.fault(f"'{used.name}' is a composite; its components have types and codes"))
        return slot
    if used.element and slot.element:
        slot = replace(slot, element=replace(used.element, number=slot.element.number, name=slot.element.name))
    if used.codes:
        known = slot.codes
        if strange := [code for code in used.codes if known is not None and code not in known]:
            text = f"{slot.number} has no code {strange[0]}; add it to its list: codes: {slot.number}: + {strange[0]}"
            faults.append(used.node.fault(text))
        slot = replace(slot, codes={code: (known or {}).get(code, "") for code in used.codes})
    return slot
