"""A document of a grammar to what is written: segments in order, values as SAP has them, every fault by its path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.errors import DocumentFault
from hub.formats._idoc_parts import CONTROL
from hub.idocs.types import IdocType, Node
from hub.idocs.values import Wrong, text_of
from hub.spelling import did_you_mean

_MOST_FAULTS = 100
_OUTSIDE = ("type", "control", "faults")


def prepared(document: Any, type: IdocType) -> tuple[dict[str, Any], list[DocumentFault]]:
    """The document as it is written, and what keeps it from being; at most 100 faults."""
    faults: list[DocumentFault] = []
    if not isinstance(document, Mapping):
        return {}, [_wrong("", "is no object", "an object with the control record and the segments")]
    control = document.get("control")
    own_type = document.get("type")
    made: dict[str, Any] = {"type": own_type if isinstance(own_type, str) else type.type}
    made["control"] = _control(control, type, faults)
    if (seen := made["control"]["IDOCTYP"]) != type.type:
        faults.append(_wrong("control.IDOCTYP", f"is {str(seen)[:40]!r}", type.type))
    segments = {name: value for name, value in document.items() if name not in _OUTSIDE}
    _fill(made, segments, type.below, type.nodes, "", faults)
    return made, faults[:_MOST_FAULTS]


def _control(control: Any, type: IdocType, faults: list[DocumentFault]) -> dict[str, Any]:
    """The control record in its order."""
    made: dict[str, Any] = {"TABNAM": "EDI_DC40", "IDOCTYP": type.type}
    if not isinstance(control, Mapping):
        faults.append(_wrong("control", "is missing", "the control record: {MESTYP: ORDERS, SNDPRN: …}"))
        return made
    for name, value in control.items():
        path = f"control.{name}"
        if name not in CONTROL:
            faults.append(_unknown(path, "the control record has no such field", str(name), CONTROL))
        elif value not in (None, ""):
            text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
            if not isinstance(text, str):
                faults.append(_wrong(path, "is no text", "a text"))
            elif len(text) > CONTROL[name]:
                faults.append(_too_long(path, text, CONTROL[name]))
            else:
                made[name] = text
    return {name: made[name] for name in CONTROL if name in made}


def _fill(
    made: dict[str, Any], values: Mapping[str, Any], below: Mapping[str, Node], nodes: Sequence[Node], path: str,
    faults: list[DocumentFault],
) -> None:  # fmt: skip
    """The segments below one, in the order of the grammar."""
    for name in values:
        if name not in below:
            known = [node.kind for node in nodes]
            here = path.rstrip(".").rpartition(".")[2].partition("[")[0]
            text = f"{here} has no field and no segment of this name" if here else "there is no segment of this name"
            faults.append(_unknown(f"{path}{name}", text, str(name), known))
    for node in nodes:
        given = values.get(node.kind)
        at = f"{path}{node.kind}"
        if given is None or given == []:
            if node.is_mandatory:
                faults.append(DocumentFault(at, "required", f"the segment {node.kind} is missing; it is mandatory"))
            continue
        every = [_segment(one, node, place, faults) for place, one in _each(given, node, at, faults)]
        if every:
            made[node.kind] = every if node.is_list else every[0]


def _each(given: Any, node: Node, path: str, faults: list[DocumentFault]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if node.is_list and not isinstance(given, list | tuple):
        faults.append(_wrong(path, "is no list", f"a list, since {node.kind} may repeat"))
        return
    many = given if node.is_list else [given]
    if len(many) > node.repeats:
        text = f"{node.kind} stands {len(many)} times; at most {node.repeats}"
        faults.append(DocumentFault(path, "repeats", text))
    for index, one in enumerate(many):
        place = f"{path}[{index}]" if node.is_list else path
        if isinstance(one, Mapping):
            yield place, one
        else:
            faults.append(_wrong(place, "is no object", "an object with the fields of the segment"))


def _segment(value: Mapping[str, Any], node: Node, path: str, faults: list[DocumentFault]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    inner: dict[str, Any] = {}
    fields = node.segment.fields
    for name, one in value.items():
        field = fields.get(name)
        if field is None:
            if name in node.below or isinstance(one, Mapping | list):
                inner[name] = one
            else:
                text = f"{node.kind} has no such field"
                faults.append(_unknown(f"{path}.{name}", text, str(name), [*fields, *node.below]))
            continue
        if one is None or one == "":
            continue
        written = text_of(field, one)
        if isinstance(written, Wrong):
            seen = str(one)[:40] if isinstance(one, str | int) else ""
            what = f"is {seen!r}" if seen else "is no value of this field"
            faults.append(DocumentFault(f"{path}.{name}", "type", f"{what}; expected {written.expected}", seen))
        elif len(written) > field.length:
            faults.append(_too_long(f"{path}.{name}", written, field.length))
        elif "\n" in written or "\r" in written:
            faults.append(_wrong(f"{path}.{name}", "holds a line end", "text of one line"))
        else:
            made[name] = written
    ordered = {name: made[name] for name in fields if name in made}
    _fill(ordered, inner, node.below, node.nodes, f"{path}.", faults)
    return ordered


def _too_long(path: str, text: str, length: int) -> DocumentFault:
    return DocumentFault(
        path, "too_long", f"is {len(text)} long: {text[:40]!r}; expected at most {length}", text[:40],
        f"at most {length}",
    )  # fmt: skip


def _wrong(path: str, what: str, expected: str) -> DocumentFault:
    return DocumentFault(path, "type", f"{what}; expected {expected}", "", expected)


def _unknown(path: str, text: str, name: str, known: Any) -> DocumentFault:
    return DocumentFault(path, "unknown_field", f"{text}{did_you_mean(name, known)}", name[:40])
