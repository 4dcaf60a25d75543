"""Whether the formats of a mapping's two sides exist, and whether their options are right."""

from __future__ import annotations

from collections.abc import Iterator

from hub import formats
from hub.errors import Fault
from hub.formats._xml_writing import is_name
from hub.mapping import Side
from hub.mapping.header import side_of
from hub.mapping.trees import is_block, written_fields
from hub.yamldoc import Node, did_you_mean

_NO_GRAMMAR = "records needs a grammar, which names the lists of a message; write schema: {}/VERSION/MESSAGE beside it"


def mapping_format_faults(root: Node) -> Iterator[Fault]:
    """Faults of a mapping's formats, at their place in its file (``root``), whether or not it compiles."""
    yield from _xml_faults(root, side_of(root, "target", []))
    for name in ("source", "target"):
        # What is wrong with the side itself is the compiler's to tell.
        yield from _side_faults(root.get(name) or root, name, side_of(root, name, []))


def _side_faults(node: Node, name: str, side: Side) -> Iterator[Fault]:
    known = formats.names()
    if side.format is None:
        for option in side.options:
            yield node.key(option).fault(f"{name}: the option '{option}' needs format: beside it")
    elif side.format not in known:
        place = node.get("format") or node
        yield place.fault(f"{name}: unknown format '{side.format}'{did_you_mean(side.format, known)}")
    else:
        for option, message in formats.faults_of(side.format, side.options).items():
            yield (node.get(option) or node).fault(f"{name}: {message}")
        if side.format in ("edifact", "x12") and "records" in side.options and side.schema is None:
            yield node.key("records").fault(f"{name}: {_NO_GRAMMAR.format(side.format)}")


def _xml_faults(root: Node, target: Side) -> Iterator[Fault]:
    """What XML cannot hold of what a mapping writes: a second root element, and names that are none."""
    output = root.get("output")
    if target.format != "xml" or output is None:
        return
    for key in written_fields(output):
        name = key.text.removesuffix("?")
        if not is_name(name.removeprefix("_")):
            yield key.fault(
                f"target: XML has no element or attribute called '{name}'; a name begins with a letter and goes on "
                "with letters, digits, '-', '.' and '_'"
            )
    always = [key for key, _ in output.items() if not key.endswith("?")]
    if len(always) > 1 and "records" not in target.options and not is_block(output):
        yield output.key(always[1]).fault(
            f"target: an XML document has one root element, '{always[0]}' here; put '{always[1]}' below it"
        )
