"""Grammars of IDocs for people: one in full, and what differs between two."""

from __future__ import annotations

from collections.abc import Iterator

from hub.grammars.describe import compared
from hub.grammars.types import UNLIMITED
from hub.idocs.types import IdocType, Node


def describe(type: IdocType) -> Iterator[str]:
    """The segments below each other, then the fields of each; one line each."""
    yield f"{type.name}  {type.title}, IDOCTYP {type.type}; what is not known: {type.extra}"
    yield ""
    for above, node in type.walk():
        yield f"{'  ' * len(above)}{node.kind:<14} {_bounds(node):<9} {node.segment.title}".rstrip()
    for segment in type.segments.values():
        yield ""
        yield f"{segment.kind}  {segment.definition}  {segment.title}".rstrip()
        start = 1
        for field in segment.fields.values():
            kind = "" if field.kind == "text" else field.kind
            yield f"  {start:<5} {field.name:<20} {field.length:<5} {kind}".rstrip()
            start += field.length


def differences(one: IdocType, other: IdocType) -> Iterator[str]:
    """What ``other`` has and ``one`` has not (+), has not (-), has otherwise (~)."""
    yield from compared(_details(one), _details(other))


def _details(type: IdocType) -> dict[str, str]:
    found = {".".join([*above, node.kind]): _bounds(node) for above, node in type.walk()}
    for segment in type.segments.values():
        found[f"{segment.kind} definition"] = segment.definition
        for field in segment.fields.values():
            found[f"{segment.kind} {field.name}"] = f"{field.length} {field.kind}"
    return found


def _bounds(node: Node) -> str:
    limit = ">1" if node.repeats >= UNLIMITED else str(node.repeats)
    many = " list" if node.is_list and node.repeats == 1 else ""
    return f"{'M' if node.is_mandatory else 'C'} {limit}{many}"
