"""What a partner does otherwise: an overlay's changes to the structure of the message that it extends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from hub.errors import Fault
from hub.grammars.draft import Change, Draft, read_structure
from hub.grammars.lines import BadLine, bounds_of, codes_of, is_addition, text_list
from hub.grammars.uses import read_uses
from hub.yamldoc import Node, did_you_mean

_PLACES = ("before", "after", "in")


def apply_overlay(root: Node, drafts: list[Draft], faults: list[Fault]) -> None:
    """Change the nodes as ``remove, add, restrict, relax, codes, uses`` of an overlay say; its mistakes to
    ``faults``."""
    for step in _steps(root, drafts, faults):
        try:
            step()
        except BadLine as bad:
            faults.append(bad.fault)


def _steps(root: Node, drafts: list[Draft], faults: list[Fault]) -> Iterator[Callable[[], None]]:
    removed = root.get("remove")
    for node in text_list(removed) if removed else ():
        yield partial(_remove, node, drafts)
    for key, place, node in _entries(root, "add", faults):
        yield partial(_add, key, place, node, drafts, faults)
    for section in ("restrict", "relax"):
        for key, place, node in _entries(root, section, faults):
            yield partial(_bound, key, place, node, drafts, section == "restrict")
    for key, place, node in _entries(root, "codes", faults):
        if "." in key:
            yield partial(_codes, key, place, node, drafts)
    for key, place, node in _entries(root, "uses", faults):
        yield partial(_uses, key, place, node, drafts)


def _entries(root: Node, section: str, faults: list[Fault]) -> Iterator[tuple[str, Node, Node]]:
    """Key, its place and its value of each entry of a section."""
    found = root.get(section)
    if found is not None and not found.is_map:
        faults.append(found.fault(f"'{section}' is {found.kind}; write one entry a line: PATH: …"))
    for key, node in found.items() if found else ():
        yield key, (found or root).key(key), node


def _remove(node: Node, drafts: list[Draft]) -> None:
    draft, path = _found(node.text, node, drafts)
    if path:
        draft.changes.append(Change(path, node, is_removed=True))
        return
    siblings = _siblings(draft, drafts)
    if siblings is not drafts and siblings[0] is draft:
        raise BadLine(node.fault(f"{draft.key} opens its group; remove the group"))
    siblings.remove(draft)


def _add(key: str, place: Node, node: Node, drafts: list[Draft], faults: list[Fault]) -> None:
    where, _, path = key.partition(" ")
    if where not in _PLACES or not path:
        advice = "write before PATH, after PATH or in PATH"
        raise BadLine(place.fault(f"'{key}' says not where{did_you_mean(where, _PLACES)}; {advice}"))
    draft, rest = _found(path.strip(), place, drafts)
    if rest:
        raise BadLine(place.fault(f"'{path}' is an element; nodes are added beside segments and groups"))
    added = read_structure(node, faults)
    if where == "in":
        if draft.nodes is None:
            raise BadLine(place.fault(f"{draft.key} is a segment, not a group; write after {path}"))
        siblings, at = draft.nodes, len(draft.nodes)
    else:
        siblings = _siblings(draft, drafts)
        at = next(index for index, one in enumerate(siblings) if one is draft) + (where == "after")
        if at == 0 and siblings is not drafts:
            raise BadLine(place.fault(f"{draft.key} opens its group; nothing comes before it"))
    known = {one.key for one in siblings}
    for one in added:
        if one.key in known:
            text = f"{one.key} stands there already; name this one otherwise: {one.place.text} as {one.key}_2"
            faults.append(one.place.fault(text))
    siblings[at:at] = [one for one in added if one.key not in known]


def _bound(key: str, place: Node, node: Node, drafts: list[Draft], must_narrow: bool) -> None:
    bounds = bounds_of(node)
    draft, path = _found(key, place, drafts)
    if path:
        draft.changes.append(Change(path, node, bounds=bounds, must_narrow=must_narrow))
        return
    if bounds.element is not None:
        raise BadLine(node.fault(f"{draft.key} is no element and has no type"))
    is_mandatory = draft.is_mandatory if bounds.is_mandatory is None else bounds.is_mandatory
    repeats = draft.repeats if bounds.repeats is None else bounds.repeats
    if must_narrow and (is_mandatory < draft.is_mandatory or repeats > draft.repeats):
        raise BadLine(node.fault(f"{draft.key} becomes wider by this; write it under relax:"))
    siblings = _siblings(draft, drafts)
    if siblings is not drafts and siblings[0] is draft and (not is_mandatory or repeats > 1):
        raise BadLine(node.fault(f"{draft.key} opens its group and stays M 1; say it of the group"))
    draft.is_mandatory, draft.repeats = is_mandatory, repeats
    draft.is_list = draft.is_list or repeats > 1


def _found(path: str, place: Node, drafts: list[Draft]) -> tuple[Draft, str]:
    """The node of a path, and what of the path is left for its elements. Raises BadLine."""
    steps = path.split(".")
    level: Sequence[Draft] = drafts
    for at, step in enumerate(steps):
        found = next((one for one in level if step in (one.key, one.tag if one.nodes else "")), None)
        if found is None:
            inside = f" in {'.'.join(steps[:at])}" if at else ""
            text = f"there is no '{step}'{inside}{did_you_mean(step, _names(level, step))}"
            raise BadLine(place.fault(text))
        level = found.nodes or ()
        if found.nodes is None or at + 1 == len(steps):
            return found, ".".join(steps[at + 1 :])
    raise BadLine(place.fault("a path is empty"))


def _names(level: Sequence[Draft], step: str) -> list[str]:
    """What might have been meant: the groups by their numbers where a number was written."""
    by_number = step.startswith("SG")
    return [one.tag if one.nodes and by_number else one.key for one in level]


def _codes(key: str, place: Node, node: Node, drafts: list[Draft]) -> None:
    draft, path = _found(key, place, drafts)
    if not path:
        raise BadLine(place.fault(f"{draft.key} is no element; codes are those of an element: {draft.key}.NAME"))
    if is_addition(node):
        raise BadLine(node.fault(f"codes are added to an element, not at one place; write all codes of {key}"))
    draft.changes.append(Change(path, place, codes=codes_of(node)))


def _uses(key: str, place: Node, node: Node, drafts: list[Draft]) -> None:
    draft, path = _found(key, place, drafts)
    if path or draft.nodes is not None:
        what = f"{path} is an element" if path else f"{draft.key} is a group"
        raise BadLine(place.fault(f"{what}; which elements are used is said of a segment"))
    draft.changes.append(Change("", node, uses=read_uses(node)))


def _siblings(draft: Draft, drafts: list[Draft]) -> list[Draft]:
    """The list that a node stands in."""
    for top in drafts:
        for parent in top.walk():
            if any(one is draft for one in parent.nodes or ()):
                return parent.nodes or []
    return drafts
