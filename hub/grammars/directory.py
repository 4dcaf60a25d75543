"""The segments, composites, elements and code lists that the messages of one version share, made when asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from hub.errors import Fault
from hub.grammars.lines import (
    BadLine,
    Entry,
    cluster_of,
    codes_of,
    element_of,
    entry_of,
    is_addition,
    note_of,
    title_of,
)
from hub.grammars.places import place_faults
from hub.grammars.types import Codes, ElementType, Note, SegmentType, Slot, Step
from hub.project import document_of
from hub.yamldoc import Node, did_you_mean, unknown_keys

KINDS = ("segments", "composites", "elements", "codes")
SCHEMAS = "schemas/"


class Definition(msgspec.Struct, frozen=True):
    """A segment or composite as its file has it: the key's title, and the node of its list."""

    title: str
    node: Node


@dataclass
class Directory:
    """What is defined for one version. A mistake in a definition is told once, in ``faults``, when it is first used."""

    segments: dict[str, Definition] = field(default_factory=dict)
    composites: dict[str, Definition] = field(default_factory=dict)
    elements: dict[str, Node] = field(default_factory=dict)
    codes: dict[str, tuple[Node, ...]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    _made_segments: dict[str, SegmentType] = field(default_factory=dict)
    _made_elements: dict[str, ElementType | None] = field(default_factory=dict)
    _made_codes: dict[str, Codes] = field(default_factory=dict)

    def with_own(self, root: Node) -> Directory:
        """The same with the definitions that one message has for itself."""
        if not any(root.get(kind) for kind in KINDS):
            return self
        own = Directory(dict(self.segments), dict(self.composites), dict(self.elements), dict(self.codes), self.faults)
        for kind in KINDS:
            own.add(kind, root.get(kind))
        return own

    def with_shared(self, files: Mapping[str, bytes], folder: str) -> Directory:
        """The same with the definitions that all messages of a folder share."""
        directory = self
        for kind in KINDS:
            path = f"{SCHEMAS}{folder}/{kind}.yaml"
            if path in files:
                root = document_of(files, path)[0]
                self.faults += unknown_keys(root, (kind,), f"a file of {kind} for overlays")
                directory = directory.with_own(root)
        return directory

    def add(self, kind: str, node: Node | None) -> None:
        """Take over the definitions of one kind from a file, over those there are."""
        if node is None:
            return
        if not node.is_map:
            self.faults.append(node.fault(f"'{kind}' is {node.kind}; write one entry a line: NUMBER: …"))
            return
        for key, entry in node.items():
            try:
                self._define(kind, node.key(key), key, entry)
            except BadLine as bad:
                self.faults.append(bad.fault)

    def _define(self, kind: str, key_node: Node, key: str, entry: Node) -> None:
        if kind == "elements":
            _put(self.elements, key, entry)
        elif kind == "codes":
            if "." not in key:  # a path is the overlay's matter
                self._define_codes(key, entry)
        else:
            tag, title = title_of(key_node)
            defined = self.segments if kind == "segments" else self.composites
            if entry.text == "remove":
                defined.pop(tag, None)
            elif not entry.is_list:
                raise BadLine(entry.fault(f"{tag} is {entry.kind}; expected a list of its elements: [1225 C function]"))
            else:
                defined[tag] = Definition(title, entry)

    def _define_codes(self, key: str, entry: Node) -> None:
        if entry.text == "remove":
            self.codes.pop(key, None)
        elif is_addition(entry):
            self.codes[key] = (*self.codes.get(key, ()), entry)
        else:
            self.codes[key] = (entry,)

    def segment(self, tag: str) -> SegmentType | None:
        """The segment of a tag; None where there is none."""
        if tag not in self._made_segments and tag in self.segments:
            definition = self.segments[tag]
            slots, notes = self._contents(definition.node.elements(), in_segment=True)
            self.faults += place_faults(definition.node, slots)
            self._made_segments[tag] = SegmentType(tag, definition.title, slots, notes)
        return self._made_segments.get(tag)

    def element(self, number: str) -> ElementType | None:
        if number not in self._made_elements:
            self._made_elements[number] = self._make_element(number)
        return self._made_elements[number]

    def _make_element(self, number: str) -> ElementType | None:
        node = self.elements.get(number)
        if node is None:
            return None
        try:
            return element_of(number, node)
        except BadLine as bad:
            self.faults.append(bad.fault)
            return ElementType(number, f"element_{number.lower()}", "an", 0, 999_999)

    def code_list(self, number: str) -> Codes | None:
        """The codes of an element with their meanings; None where every value may stand."""
        if number in self.codes and number not in self._made_codes:
            codes: dict[str, str] = {}
            for node in self.codes[number]:
                if node.is_scalar:
                    codes |= codes_of(node)
                else:
                    advice = "write them with blanks between"
                    self.faults.append(node.fault(f"the codes of {number} are {node.kind}; {advice}"))
            self._made_codes[number] = codes
        return self._made_codes.get(number)

    def make_all(self) -> None:
        """Make every definition, so that all of their faults are told."""
        for tag in self.segments:
            self.segment(tag)
        for definition in self.composites.values():
            self._contents(definition.node.elements(), in_segment=False)
        for number in (*self.elements, *self.codes):
            self.element(number)
            self.code_list(number)
            if number in self.codes and self.elements and number not in self.elements:
                self.faults.append(
                    self.codes[number][-1].fault(f"codes of {number}, which is no element of this version")
                )

    def _contents(self, nodes: Sequence[Node], *, in_segment: bool) -> tuple[tuple[Slot, ...], tuple[Note, ...]]:
        slots: list[Slot] = []
        notes: list[tuple[Note, Node]] = []
        for node in nodes:
            try:
                if (note := note_of(node)) is not None:
                    notes.append((note, node))
                elif node.is_map:
                    slots += self._cluster(node)
                else:
                    slots += self._entry(entry_of(node), node, in_segment=in_segment)
            except BadLine as bad:
                self.faults.append(bad.fault)
        for note, node in notes:
            if not all(1 <= position <= len(slots) for position in note.positions):
                self.faults.append(node.fault(f"{note} names an element beyond the last, which is {len(slots)}"))
        return tuple(slots), tuple(note for note, _ in notes if max(note.positions) <= len(slots))

    def _cluster(self, node: Node) -> Iterator[Slot]:
        """``{items x10: [235 C qualifier, 234 C id]}``: the positions of all ten, one after the other."""
        for key, entries in node.items():
            name, times = cluster_of(node.key(key))
            inner, notes = self._contents(entries.elements(), in_segment=True)
            if not entries.is_list or not inner or notes:
                raise BadLine(entries.fault(f"expected the elements of one of the {name}: [235 C qualifier, 234 C id]"))
            for at in range(times):
                for slot in inner:
                    yield _moved(slot, (*name.split("."), at), slot.is_mandatory and at == 0)

    def _entry(self, entry: Entry, node: Node, *, in_segment: bool) -> Iterator[Slot]:
        """The positions of one entry: as many as its ``x`` says."""
        if in_segment and entry.number in self.composites:
            definition = self.composites[entry.number]
            components, notes = self._contents(definition.node.elements(), in_segment=False)
            base = Slot(entry.number, entry.is_mandatory, entry.repeats, (), None, components, None, notes)
            name = entry.name or re.sub("[^a-z0-9]+", "_", definition.title.lower()).strip("_")
        elif (element := self.element(entry.number)) is not None:
            codes = self.code_list(entry.number)
            base = Slot(entry.number, entry.is_mandatory, entry.repeats, (), element, (), codes)
            name = entry.name or element.name
        else:
            known = [*self.elements, *(self.composites if in_segment else ())]
            kind = "composite" if entry.number[0].isalpha() else "element"
            raise BadLine(node.fault(f"unknown {kind} '{entry.number}'{did_you_mean(entry.number, known)}"))
        if name == "." and (base.element or entry.positions > 1 or entry.repeats > 1):
            raise BadLine(node.fault(f"'.' puts one composite's components here; {entry.number} needs a name"))
        path: tuple[Step, ...] = () if name == "." else tuple(name.split("."))
        for at in range(entry.positions):
            yield _moved(base, (*path, at) if entry.positions > 1 else path, entry.is_mandatory and at == 0)


def read_directory(files: Mapping[str, bytes], folder: str) -> Directory:
    """The shared files of a version's folder, ``edifact/D96A``; what each extends comes first."""
    directory = Directory()
    for kind in KINDS:
        for root in reversed(_chain(files, f"{SCHEMAS}{folder}/{kind}.yaml", kind, directory.faults)):
            directory.add(kind, root.get(kind))
    return directory


def _chain(files: Mapping[str, bytes], path: str, kind: str, faults: list[Fault]) -> list[Node]:
    """The file and those that it extends, the nearest first."""
    roots: list[Node] = []
    seen: list[str] = []
    while path in files and path not in seen:
        seen.append(path)
        root = document_of(files, path)[0]
        roots.append(root)
        faults += unknown_keys(root, ("extends", kind), f"a file of {kind}")
        base = root.get("extends")
        if base is None:
            return roots
        path = f"{SCHEMAS}{base.text}/{kind}.yaml"
        if path not in files:
            faults.append(base.fault(f"there is no {path} to extend"))
        elif path in seen:
            faults.append(base.fault(f"extends itself: {' > '.join([*seen, path])}"))
    return roots


def _moved(slot: Slot, path: tuple[Step, ...], is_mandatory: bool) -> Slot:
    return Slot(slot.number, is_mandatory, slot.repeats, (*path, *slot.path), slot.element, slot.components,
                slot.codes, slot.notes)  # fmt: skip


def _put(entries: dict[str, Node], key: str, entry: Node) -> None:
    if entry.text == "remove":
        entries.pop(key, None)
    else:
        entries[key] = entry
