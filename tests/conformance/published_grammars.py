"""Compare the shipped grammars with definitions that others have published, and print every difference.

    git clone https://github.com/microsoft/Integration FOLDER/Integration
    git clone https://github.com/bots-edi/bots-grammars FOLDER/bots-grammars
    git clone https://github.com/EdiNation/edination-models-eancom FOLDER/edination-models-eancom
    git clone https://github.com/jskrobak/underware.Edifact FOLDER/underware.Edifact
    make conformance GRAMMARS=FOLDER [WRITE=1]

What is not there is not compared. What is known to differ stands in docs/reference/edi-differences.md, which WRITE=1
writes anew; docs/reference/edi-directories.md says what was decided. The exit code is 1 where anything else differs, or
one of those no more.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from hub.grammars import Grammars, MessageType
from hub.grammars.types import SegmentNode, SegmentType, Slot
from tests.conformance.published_sources import (
    Definition,
    Models,
    Xsd,
    bots_nodes,
    bots_segment,
    line,
    literal,
    outline,
    underware_segments,
)

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/edi-differences.md"
BIZTALK = "Integration/BizTalk Server/Schema"
XSD_FOLDERS = {
    f"{BIZTALK}/EDIFACT/D96A": "edifact/D96A", f"{BIZTALK}/EDIFACT/D01B": "edifact/D01B",
    f"{BIZTALK}/EANCOM/EAN97": "eancom/1997", f"{BIZTALK}/EANCOM/EAN02_Syntax-3": "eancom/2002",
}  # fmt: skip
CONTRL_XSD = f"{BIZTALK}/EDIFACT/Edifact_ContrlSchema.xsd"
BOTS_FOLDERS = {
    "bots-grammars/edifact/D96A": "edifact/D96A", "bots-grammars/edifact/D01B": "edifact/D01B",
    "bots-grammars/x12/4010": "x12/004010", "bots-grammars/x12/5010": "x12/005010",
}  # fmt: skip
EDINATION = "edination-models-eancom/EdiNation.Edifact"
MODEL_FOLDERS = {
    f"{EDINATION}.EAND96A": "eancom/1997", f"{EDINATION}.EAND01B.S3": "eancom/2002",
    f"{EDINATION}.EAND01B.S4": "eancom/2002",
}  # fmt: skip
# The CONTRL of version 4: BizTalk and EdiNation have no other, whatever the version of the messages beside it.
CONTRL, CONTRL_MODEL = "edifact/41/CONTRL", f"{EDINATION}.EAND01B.S4/CONTRL.cs"
# The segments of the CONTRL of version 3; its structure is what that of version 4 is.
CONTRL_SEGMENTS = "underware.Edifact/src/underware.Edifact/Structures/S3"
SOURCES = {"xsd": "BizTalk", "bots": "Bots", "edination": "EdiNation", "underware": "underware (segments)"}
HEAD = """# Grammars and what others publish

`make conformance GRAMMARS=FOLDER WRITE=1` writes this page; [EDI directories that are shipped](edi-directories.md)
tells which definitions these are, how to get them, and what was decided where they differ.

| grammars | compared with | comparisons | differences |
|---|---|---|---|
"""


def main(folder: Path, known: Sequence[str], page: Path | None = None) -> int:
    """Print the differences, then those that are not as ``known`` says. 0: every one is; else 1. ``page`` is written
    with what was found, in place of all that."""
    grammars = Grammars({
        path.relative_to(ROOT).as_posix(): path.read_bytes() for path in (ROOT / "schemas").rglob("*.yaml")
    })  # fmt: skip
    found, compared = list[str](), list[str]()
    for source, name, published in definitions(folder, set(grammars.names())):
        compared.append(f"{name} ({source}): ")
        found += [compared[-1] + difference for difference in compare(grammars.message(name), published)]
    if page is not None:
        page.write_text("".join(page_of(compared, found)), encoding="utf-8")
        return 0
    news = [one for one in found if one not in known]
    gone = [one for one in known if one.startswith(tuple(compared)) and one not in found]
    print(*found, *(f"new: {one}" for one in news), *(f"no more: {one}" for one in gone), sep="\n")
    told = f"{len(found)} differences, {len(news)} of them new; {len(gone)} no more"
    print(f"{len(compared)} comparisons of a grammar; {told}")
    return int(bool(news or gone or not compared))


def page_of(compared: Iterable[str], found: Sequence[str]) -> Iterator[str]:
    """The page of differences, from which ``known_in`` reads them again."""
    yield HEAD
    differ = Counter(map(_row, found))
    for (grammars, source), times in Counter(map(_row, compared)).items():
        yield f"| {grammars} | {SOURCES[source]} | {times} | {differ[grammars, source]} |\n"
    yield from ("\nEvery difference:\n\n```text\n", *(f"{one}\n" for one in found), "```\n")


def _row(text: str) -> tuple[str, str]:
    name, source = re.match(r"(\S+)/\w+ \((\w+)", text).groups()  # type: ignore[union-attr]
    return name, source


def known_in(page: str) -> list[str]:
    return page.partition("```text\n")[2].partition("```")[0].splitlines()


def definitions(folder: Path, names: set[str]) -> Iterator[tuple[str, str, Definition]]:
    for place, ours_at in XSD_FOLDERS.items():
        for path in sorted((folder / place).glob("*.xsd")):
            name = f"{ours_at}/{path.stem.rpartition('_')[2]}"
            if name in names:
                yield "xsd", name, Xsd(path).definition
    if (path := folder / CONTRL_XSD).exists():
        yield "xsd", CONTRL, Xsd(path).definition
    if (folder / CONTRL_SEGMENTS).exists():
        yield "underware", "edifact/D3/CONTRL", underware_segments(folder / CONTRL_SEGMENTS)
    for place, ours_at in MODEL_FOLDERS.items():
        models = Models(folder / place)
        for path in sorted((folder / place).glob("[A-Z]*.cs")):
            name = CONTRL if path == folder / CONTRL_MODEL else f"{ours_at}/{path.stem}"
            if name in names:
                yield f"edination {place.rpartition('.')[2]}", name, models.definition(path)
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


def compare(message: MessageType, theirs: Definition) -> Iterator[str]:
    mine = ours(message, is_outline=theirs.is_outline)
    nodes = mine.nodes if theirs.has_nodes else []
    for change in difflib.unified_diff(theirs.nodes, nodes, n=0, lineterm=""):
        if change[0] in "+-" and change[:3] not in ("+++", "---"):
            yield f"{'ours' if change[0] == '+' else 'theirs'} alone: {change[1:].strip()}"
    for tag, (segment,) in mine.segments.items():
        published = theirs.segments.get(tag, [])
        if published and not any(agree(segment, one) for one in published):
            yield f"{tag}: ours {', '.join(segment)}; theirs {', '.join(published[0])}"
    if theirs.places:
        yield from _places(message, theirs)
        return
    for number in mine.codes.keys() & theirs.codes.keys():
        if extra := mine.codes[number] ^ theirs.codes[number]:
            yield f"codes of {number}: {' '.join(sorted(extra))} in one only"


def _places(message: MessageType, theirs: Definition) -> Iterator[str]:
    """What is said to be used at a place, and what the other has of it."""
    segments = [
        (".".join((*above, node.key)), node.segment) for above, node in message.walk() if isinstance(node, SegmentNode)
    ]
    tags, others = [segment.tag for _, segment in segments], [place.tag for place in theirs.places]
    blocks = difflib.SequenceMatcher(None, tags, others, autojunk=False).get_matching_blocks()
    both = [(segments[a + at], theirs.places[b + at]) for a, b, size in blocks for at in range(size)]
    for (path, segment), place in both:
        for at, (slot, whole) in enumerate(
            zip(segment.used.slots, segment.slots, strict=True) if segment.used else (), 1
        ):
            if slot.components and (not slot.repeats) != (at in place.unused):
                yield f"uses of {path}: {slot.number} is {'' if slot.repeats else 'not '}used; theirs is otherwise"
            for one, before in zip(slot.components or (slot,), whole.components or (whole,), strict=True):
                listed = theirs.codes.get(one.number, set())
                extra = sorted({*one.codes} - listed) if one.codes and one.codes is not before.codes and listed else []
                if extra:
                    yield f"uses of {path}: codes of {one.number}: {' '.join(extra)} in ours only"


def agree(ours: list[str], theirs: list[str]) -> bool:
    """Whether two segments are the same; of coded elements some tell no length."""
    return len(ours) == len(theirs) and all(
        mine == other or other == f"{mine[0]} ?" for mine, other in zip(ours, theirs, strict=True)
    )


def ours(message: MessageType, *, is_outline: bool = False) -> Definition:
    made = Definition()
    for above, node in message.walk():
        tag = node.tag if isinstance(node, SegmentNode) else f"group {node.tag}"
        made.nodes.append(
            outline(len(above), tag, node.repeats > 1) if is_outline
            else line(len(above), tag, node.is_mandatory, node.repeats)
        )  # fmt: skip
        if isinstance(node, SegmentNode):
            made.segments.setdefault(node.tag, [shape(node.segment) if is_outline else form(node.segment)])
            for slot in node.segment.slots:
                for one in slot.components or (slot,):
                    if one.codes:
                        made.codes[one.number] = set(one.codes)
    return made


def form(segment: SegmentType) -> list[str]:
    """Presence and longest value of every position: two definitions agree where these do."""
    return [text for slot in segment.slots for text in _slot(slot)]


def shape(segment: SegmentType) -> list[str]:
    return [f"composite of {len(slot.components)}" if slot.components else "value" for slot in segment.slots]


def _slot(slot: Slot) -> Iterator[str]:
    presence = "M" if slot.is_mandatory else "C"
    if slot.components:
        yield f"{presence} composite"
        for one in slot.components:
            yield from _slot(one)
    else:
        yield f"{presence} {slot.element.maximum if slot.element else ''}"


if __name__ == "__main__":
    is_to_write = sys.argv[2:] == ["--write"]
    sys.exit(main(Path(sys.argv[1]), known_in(PAGE.read_text(encoding="utf-8")), PAGE if is_to_write else None))
