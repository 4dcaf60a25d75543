"""Definitions of messages as others have published them, read as data and never run: schemas of BizTalk, models of
EdiNation, grammars of Bots, segments of underware."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.grammars.types import UNLIMITED

XS = "{http://www.w3.org/2001/XMLSchema}"
ENVELOPE = ("UNH", "UNT", "ST", "SE")
MANY = 99_999  # Bots writes no limit so


@dataclass
class Definition:
    """One message as somebody published it: nodes as lines, segments as lines, code lists by element. ``is_outline``:
    it tells neither presence nor lengths, and of repeats only whether there are any. ``has_nodes``: it tells nodes, not
    segments alone."""

    nodes: list[str] = field(default_factory=list)
    segments: dict[str, list[list[str]]] = field(default_factory=dict)
    codes: dict[str, set[str]] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)
    is_outline: bool = False
    has_nodes: bool = True


@dataclass(frozen=True)
class Place:
    """What a subset uses of one segment, the message's n-th: its composites that it does not use, by position."""

    tag: str
    unused: frozenset[int]


def line(depth: int, tag: str, is_mandatory: bool, repeats: int) -> str:
    limit = "any" if repeats in (UNLIMITED, MANY) or repeats > 9_999_999 else str(repeats)
    return f"{'  ' * depth}{tag} {'M' if is_mandatory else 'C'} {limit}"


def outline(depth: int, tag: str, is_many: bool) -> str:
    return f"{'  ' * depth}{tag}{' many' if is_many else ''}"


class Xsd:
    """One schema of BizTalk."""

    def __init__(self, path: Path) -> None:
        root = ElementTree.parse(path).getroot()
        self._named = {one.get("name", ""): one for one in root.findall(f"{XS}element")}
        self._is_subset = "/EANCOM/" in path.as_posix()  # of segments and lists only what EANCOM leaves out
        self.definition = Definition()
        self._walk(next(one for name, one in self._named.items() if name.upper().startswith("EFACT")), 0)
        for one in root.findall(f"{XS}simpleType"):
            codes = {code.get("value", "") for code in one.iter(f"{XS}enumeration")}
            # A message of EANCOM has a list for each place, ID1153_2; which it is of those of an element is not told.
            if codes and (number := re.fullmatch(r"(?:EDIFACT_)?ID_?(\d{4})(_\d+)?", one.get("name", ""))):
                self.definition.codes.setdefault(number[1], set()).update(codes)

    def _children(self, element: ElementTree.Element) -> list[ElementTree.Element]:
        element = self._named.get(element.get("ref", ""), element)
        return element.findall(f"{XS}complexType/{XS}sequence/{XS}element")

    def _walk(self, element: ElementTree.Element, depth: int) -> None:
        for one in self._children(element):
            name = (one.get("ref") or one.get("name") or "").rpartition(":")[2]
            repeats = 10**9 if (most := one.get("maxOccurs", "1")) == "unbounded" else int(most)
            is_group = "Loop" in name
            first = self._children(one)[0] if is_group else one
            tag = (first.get("ref") or first.get("name") or "").rpartition(":")[2][:3]
            if tag in ENVELOPE:
                continue
            self.definition.nodes.append(
                line(depth, f"{'group ' * is_group}{tag}", one.get("minOccurs") != "0", repeats)
            )
            if is_group:
                self._walk(one, depth + 1)
            elif self._is_subset:
                self.definition.places.append(self._place(tag, one))
            elif (shape := list(self._form(one))) not in self.definition.segments.setdefault(tag, []):
                self.definition.segments[tag].append(shape)

    def _place(self, tag: str, segment: ElementTree.Element) -> Place:
        slots = enumerate(self._children(segment), 1)
        return Place(tag, frozenset(at for at, slot in slots if any(one.get("Used") == "No" for one in slot.iter())))

    def _form(self, element: ElementTree.Element) -> Iterator[str]:
        for one in self._children(element):
            presence = "M" if one.get("minOccurs") != "0" else "C"
            if components := self._children(one):
                yield f"{presence} composite"
                yield from self._form(one)
            elif not components:
                lengths = [int(limit.get("value", "0")) for limit in one.iter() if limit.tag.endswith("ength")]
                yield f"{presence} {max(lengths, default='?')}"


_CLASS = re.compile(r"class\s+(\w+)\s*\{([^}]*)\}")
_FIELD = re.compile(r"public\s+(List<)?(\w+)>?\s+(\w+)\s*;")


class Models:
    """A folder of EdiNation's models: classes of C#, one for each segment, composite and loop."""

    def __init__(self, folder: Path) -> None:
        self._classes: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for path in sorted(folder.glob("_*.cs")):
            self._classes |= _classes(path)

    def definition(self, path: Path) -> Definition:
        made = Definition(is_outline=True)
        classes = {**self._classes, **_classes(path)}
        self._walk(classes, f"TS{path.stem}", 0, made)
        return made

    def _walk(self, classes: Mapping[str, list[tuple[str, str]]], name: str, depth: int, made: Definition) -> None:
        for many, kind in classes[name]:
            is_group = "Loop" in kind
            tag = (classes[kind][0][1] if is_group else kind)[:3]
            if tag in ENVELOPE:
                continue
            made.nodes.append(outline(depth, f"{'group ' * is_group}{tag}", bool(many)))
            if is_group:
                self._walk(classes, kind, depth + 1, made)
            elif (shape := list(_shape(classes, kind))) not in made.segments.setdefault(tag, []):
                made.segments[tag].append(shape)


def _classes(path: Path) -> dict[str, list[tuple[str, str]]]:
    text = path.read_text(encoding="utf-8-sig")
    return {one[1]: [(many, kind) for many, kind, _ in _FIELD.findall(one[2])] for one in _CLASS.finditer(text)}


def _shape(classes: Mapping[str, list[tuple[str, str]]], segment: str) -> Iterator[str]:
    for _, kind in classes[segment]:
        yield "value" if kind == "string" else f"composite of {len(classes[kind])}"


_ELEMENT = re.compile(r'ElementInfo\(\d+, "[^"]*", "([MC])", "[^"]*", "[a-z.]*(\d*)", ""\)\]\s*public (\w+)')


def underware_segments(folder: Path) -> Definition:
    """The segments of a folder of underware's classes, each in a file, and their composites."""
    elements = {path.stem: _ELEMENT.findall(path.read_text(encoding="utf-8-sig")) for path in folder.glob("*/*.cs")}

    def form(name: str) -> Iterator[str]:
        for presence, length, kind in elements[name]:
            yield f"{presence} {length or 'composite'}"
            yield from () if length else form(kind)

    segments = {path.stem: [list(form(path.stem))] for path in folder.glob("Segments/*.cs")}
    return Definition(segments=segments, has_nodes=False)


def literal(path: Path, name: str) -> Any:
    """The value that a Python file gives a name: literals only; names in it stand for themselves as texts."""
    for statement in ast.parse(path.read_text(encoding="utf-8", errors="replace")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name:
            return ast.literal_eval(_Named().visit(statement.value))
    raise SystemExit(f"{path}: no {name}")


class _Named(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.Constant:
        return ast.Constant(node.id)


def bots_nodes(nodes: list[Mapping[str, Any]], depth: int) -> Iterator[str]:
    for node in nodes:
        if node["ID"] in ENVELOPE:
            continue
        inner = node.get("LEVEL")
        tag = f"group {node['ID']}" if inner else node["ID"]
        yield line(depth, tag, bool(node["MIN"]), node["MAX"])
        if inner:
            yield line(depth + 1, node["ID"], True, 1)
            yield from bots_nodes(inner, depth + 1)


def bots_segment(lines: list[list[Any]]) -> list[str]:
    made: list[str] = []
    for _, presence, what, *_ in lines:
        if isinstance(what, list) and what and isinstance(what[0], list):
            made += [f"{presence} composite", *bots_segment(what)]
        else:
            made.append(f"{presence} {what[1] if isinstance(what, (list, tuple)) else what}")
    return made[1:] if lines[0][0] == "BOTSID" else made
