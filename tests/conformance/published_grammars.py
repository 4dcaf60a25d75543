"""Compare the shipped grammars with definitions that others have published, and print every difference.

    git clone https://github.com/microsoft/Integration FOLDER/Integration
    git clone https://github.com/bots-edi/bots-grammars FOLDER/bots-grammars
    python tests/conformance/published_grammars.py FOLDER

Of the first (MIT) the schemas for BizTalk are read, of the second the grammars of the Bots translator, as data: nothing
of them is run. What is not there is not compared. What is known to differ stands in published_grammars.txt, and
docs/reference/edi-directories.md says what was decided; the exit code is 1 where anything else differs, or one of
those no more.
"""

from __future__ import annotations

import ast
import difflib
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.grammars import Grammars, MessageType
from hub.grammars.types import UNLIMITED, SegmentNode, SegmentType, Slot

ROOT = Path(__file__).parents[2]
XS = "{http://www.w3.org/2001/XMLSchema}"
KNOWN = Path(__file__).with_suffix(".txt")
BIZTALK = "Integration/BizTalk Server/Schema"
XSD_FOLDERS = {
    f"{BIZTALK}/EDIFACT/D96A": "edifact/D96A", f"{BIZTALK}/EDIFACT/D01B": "edifact/D01B",
    f"{BIZTALK}/EANCOM/EAN97": "eancom/1997", f"{BIZTALK}/EANCOM/EAN02_Syntax-3": "eancom/2002",
}  # fmt: skip
BOTS_FOLDERS = {
    "bots-grammars/edifact/D96A": "edifact/D96A", "bots-grammars/edifact/D01B": "edifact/D01B",
    "bots-grammars/x12/4010": "x12/004010", "bots-grammars/x12/5010": "x12/005010",
}  # fmt: skip
ENVELOPE = ("UNH", "UNT", "ST", "SE")
MANY = 99_999  # Bots writes no limit so


@dataclass
class Definition:
    """One message as somebody published it: nodes as lines, segments as lines, code lists by element."""

    nodes: list[str] = field(default_factory=list)
    segments: dict[str, list[list[str]]] = field(default_factory=dict)
    codes: dict[str, set[str]] = field(default_factory=dict)


def main(folder: Path, known: list[str]) -> int:
    """Print the differences, then those that are not as ``known`` says. 0: every one is; else 1."""
    grammars = Grammars({
        path.relative_to(ROOT).as_posix(): path.read_bytes() for path in (ROOT / "schemas").rglob("*.yaml")
    })  # fmt: skip
    found, compared = list[str](), list[str]()
    for source, name, published in definitions(folder, set(grammars.names())):
        compared.append(f"{name} ({source}): ")
        found += [compared[-1] + difference for difference in compare(ours(grammars.message(name)), published)]
    news = [line for line in found if line not in known]
    gone = [line for line in known if line.startswith(tuple(compared)) and line not in found]
    print(*found, *(f"new: {line}" for line in news), *(f"no more: {line}" for line in gone), sep="\n")
    told = f"{len(found)} differences, {len(news)} of them new; {len(gone)} no more"
    print(f"{len(compared)} comparisons of a grammar; {told}")
    return int(bool(news or gone or not compared))


def definitions(folder: Path, names: set[str]) -> Iterator[tuple[str, str, Definition]]:
    for place, ours_at in XSD_FOLDERS.items():
        for path in sorted((folder / place).glob("*.xsd")):
            name = f"{ours_at}/{path.stem.rpartition('_')[2]}"
            if name in names:
                yield "xsd", name, _Xsd(path).definition
    for place, ours_at in BOTS_FOLDERS.items():
        at = folder / place
        records = next(at.glob("records*.py"), None)
        segments = (
            {tag: [bots_segment(lines)] for tag, lines in literal(records, "recorddefs").items()} if records else {}
        )
        for path in sorted(at.glob("*.py")):
            name = f"{ours_at}/{path.stem[:6] if 'edifact' in place else path.stem[:3]}"
            if name in names:
                nodes = list(bots_nodes(literal(path, "structure")[0]["LEVEL"], 0))
                yield "bots", name, Definition(nodes, segments)


def compare(ours: Definition, theirs: Definition) -> Iterator[str]:
    for change in difflib.unified_diff(theirs.nodes, ours.nodes, n=0, lineterm=""):
        if change[0] in "+-" and change[:3] not in ("+++", "---"):
            yield f"{'ours' if change[0] == '+' else 'theirs'} alone: {change[1:].strip()}"
    for tag, (mine,) in ours.segments.items():
        published = theirs.segments.get(tag, [])
        if published and not any(agree(mine, one) for one in published):
            yield f"{tag}: ours {', '.join(mine)}; theirs {', '.join(published[0])}"
    for number in ours.codes.keys() & theirs.codes.keys():
        if extra := ours.codes[number] ^ theirs.codes[number]:
            yield f"codes of {number}: {' '.join(sorted(extra))} in one only"


def agree(ours: list[str], theirs: list[str]) -> bool:
    """Whether two segments are the same; of coded elements some tell no length."""
    return len(ours) == len(theirs) and all(
        mine == other or other == f"{mine[0]} ?" for mine, other in zip(ours, theirs, strict=True)
    )


def ours(message: MessageType) -> Definition:
    made = Definition()
    for above, node in message.walk():
        tag = node.tag if isinstance(node, SegmentNode) else f"group {node.tag}"
        made.nodes.append(line(len(above), tag, node.is_mandatory, node.repeats))
        if isinstance(node, SegmentNode):
            made.segments.setdefault(node.tag, [form(node.segment)])
            for slot in node.segment.slots:
                for one in slot.components or (slot,):
                    if one.codes:
                        made.codes[one.number] = set(one.codes)
    return made


def line(depth: int, tag: str, is_mandatory: bool, repeats: int) -> str:
    limit = "any" if repeats in (UNLIMITED, MANY) or repeats > 9_999_999 else str(repeats)
    return f"{'  ' * depth}{tag} {'M' if is_mandatory else 'C'} {limit}"


def form(segment: SegmentType) -> list[str]:
    """Presence and longest value of every position: two definitions agree where these do."""
    return [text for slot in segment.slots for text in _slot(slot)]


def _slot(slot: Slot) -> Iterator[str]:
    presence = "M" if slot.is_mandatory else "C"
    if slot.components:
        yield f"{presence} composite"
        for one in slot.components:
            yield from _slot(one)
    else:
        yield f"{presence} {slot.element.maximum if slot.element else ''}"


class _Xsd:
    """One schema of BizTalk."""

    def __init__(self, path: Path) -> None:
        root = ElementTree.parse(path).getroot()
        self._named = {one.get("name", ""): one for one in root.findall(f"{XS}element")}
        self._types = {
            one.get("name", ""): {code.get("value", "") for code in one.iter(f"{XS}enumeration")}
            for one in root.findall(f"{XS}simpleType")
        }  # fmt: skip
        self.definition = Definition()
        self._is_subset = (
            "/EANCOM/" in path.as_posix()
        )  # what EANCOM leaves out of segments and lists is no matter here
        start = next(one for name, one in self._named.items() if name.startswith("EFACT"))
        self._walk(start, 0)
        for name, codes in self._types.items():
            if codes and not self._is_subset and (number := re.fullmatch(r"EDIFACT_ID_(\d{4})", name)):
                self.definition.codes[number[1]] = codes

    def _children(self, element: ElementTree.Element) -> list[ElementTree.Element]:
        element = self._named.get(element.get("ref", ""), element)
        return element.findall(f"{XS}complexType/{XS}sequence/{XS}element")

    def _walk(self, element: ElementTree.Element, depth: int) -> None:
        for one in self._children(element):
            name = one.get("ref") or one.get("name") or ""
            repeats = 10**9 if (most := one.get("maxOccurs", "1")) == "unbounded" else int(most)
            tag = f"group {name[:3]}" if "Loop" in name else name[:3]
            if tag in ENVELOPE:
                continue
            self.definition.nodes.append(line(depth, tag, one.get("minOccurs") != "0", repeats))
            if "Loop" in name:
                self._walk(one, depth + 1)
            elif not self._is_subset and (shape := list(self._form(one))) not in self.definition.segments.setdefault(
                tag, []
            ):
                self.definition.segments[tag].append(shape)

    def _form(self, element: ElementTree.Element) -> Iterator[str]:
        for one in self._children(element):
            presence = "M" if one.get("minOccurs") != "0" else "C"
            if components := self._children(one):
                yield f"{presence} composite"
                yield from self._form(one)
            elif not components:
                lengths = [int(limit.get("value", "0")) for limit in one.iter() if limit.tag.endswith("ength")]
                yield f"{presence} {max(lengths, default='?')}"


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


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), KNOWN.read_text(encoding="utf-8").splitlines()))
