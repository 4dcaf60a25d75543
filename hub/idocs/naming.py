"""The segments of an IDoc as a document of its grammar, and every fault of them at its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import takewhile
from typing import Any

from hub.formats._idoc_lines import HEAD
from hub.formats._idoc_parts import MOST_FAULTS, Idoc, IdocFault, Part
from hub.grammars.types import SEVERITIES
from hub.idocs.types import IdocType, Node
from hub.idocs.values import Wrong, value_of


def named(idoc: Idoc, type: IdocType) -> dict[str, Any]:
    """The document of an IDoc: a list for a segment that may repeat, an object for one that may not. What is wrong is
    added to ``idoc.faults``, at most 1000 of it."""
    own = idoc.control.get("IDOCTYP", "")
    document: dict[str, Any] = {"type": idoc.type or own or type.type, "control": idoc.control}
    namer = _Namer(idoc, type)
    if (own or idoc.type) != type.type:
        seen = own or idoc.type
        namer.tell("other_type", f"the IDoc is of type {seen[:40]}; expected {type.type}", idoc.place, seen, type.type)
    namer.fill(document, idoc.parts, type.below, type.nodes, idoc.place, "")
    return document


class _Namer:
    def __init__(self, idoc: Idoc, type: IdocType) -> None:
        self._idoc, self._type = idoc, type
        self._extra = SEVERITIES[type.extra]

    def tell(
        self, code: str, message: str, position: str, seen: str = "", expected: str = "", path: str = "",
        severity: str = "error",
    ) -> None:  # fmt: skip
        if len(self._idoc.faults) < MOST_FAULTS:
            self._idoc.faults.append(IdocFault(code, message, severity, position, path, seen[:40], expected))

    def fill(
        self, home: dict[str, Any], parts: Sequence[Part], below: Mapping[str, Node], nodes: Sequence[Node],
        position: str, path: str,
    ) -> None:  # fmt: skip
        """The segments below one, or at the top: ``position`` and ``path`` are its own."""
        counts: Counter[str] = Counter()
        for part in parts:
            node = below.get(part.kind)
            at = f"{path}{part.kind}[{counts[part.kind]}]"
            counts[part.kind] += 1
            if node is None:
                self._unknown(part, path, at)
                if self._extra != "error":
                    home.setdefault(part.kind, []).append(_as_it_is(part))
                continue
            if counts[part.kind] == node.repeats + 1:
                message = f"{part.kind} stands here more than {node.repeats} times"
                message = message if node.repeats > 1 else f"a second {part.kind}; it stands here once"
                self.tell("too_many_segments", message, part.position, path=at)
            at = at if node.is_list else f"{path}{part.kind}"
            value = self._fields(part, node, at)
            if node.is_list:
                home.setdefault(part.kind, []).append(value)
            else:
                home.setdefault(part.kind, value)
            self.fill(value, part.below, node.below, node.nodes, part.position, f"{at}.")
        for node in nodes:
            if node.is_mandatory and not counts[node.kind]:
                where = f"below {path.rstrip('.').rpartition('.')[2].partition('[')[0]}" if path else "in the IDoc"
                message = f"the segment {node.kind} is missing {where}; it is mandatory"
                self.tell("missing_segment", message, position, expected=node.kind, path=f"{path}{node.kind}")

    def _unknown(self, part: Part, path: str, at: str) -> None:
        if not self._extra:
            return
        if homes := self._type.parents.get(part.kind):
            here = f"below {path.rstrip('.').rpartition('.')[2].partition('[')[0]}" if path else "at the top"
            there = " or ".join(f"below {home}" if home else "at the top" for home in sorted(homes))
            message = f"{part.kind} stands {here}; expected {there}"
            self.tell("misplaced_segment", message, part.position, part.kind, there, at, self._extra)
        else:
            message = f"{self._type.name} has no segment {part.kind[:40]}"
            self.tell("unknown_segment", message, part.position, part.kind, "", at, self._extra)

    def _fields(self, part: Part, node: Node, at: str) -> dict[str, Any]:
        value: dict[str, Any] = {}
        known, here = node.segment.fields, partial(_place_of, part, node)
        for name, text in part.fields.items():
            field = known.get(name)
            if field is None:
                value[name] = text
                if self._extra:
                    message = f"{part.kind} has no field {name[:40]} in {self._type.name}"
                    self.tell("unknown_field", message, part.position, name, "", f"{at}.{name}", self._extra)
                continue
            if field.kind != "text":
                found = value_of(field, text)
                if type(found) is Wrong:
                    message = f"{part.kind}.{name} is no {field.kind}: {text[:40]!r}; expected {found.expected}"
                    self.tell(f"wrong_{field.kind}", message, here(name), text, found.expected, f"{at}.{name}")
                elif found is not None:
                    value[name] = found
                continue
            value[name] = text
            if len(text) > field.length:
                message = f"{part.kind}.{name} is {len(text)} long: {text[:40]!r}; SAP cuts it at {field.length}"
                expected = f"at most {field.length}"
                self.tell("too_long", message, here(name), text, expected, f"{at}.{name}", "warning")
        if part.rest and self._extra:
            message = f"{part.rest[:40]!r} behind the last field that {self._type.name} has of {part.kind}"
            self.tell("unknown_field", message, part.position_at(part.rest_column), part.rest, "", at, self._extra)
        return value


def _place_of(part: Part, node: Node, field: str) -> str:
    """Where a field of a segment stands."""
    lengths = node.segment.lengths
    before = sum(lengths[name] for name in takewhile(lambda name: name != field, lengths))
    return part.position_at(HEAD + before + 1)


def _as_it_is(part: Part) -> dict[str, Any]:
    """A segment that no grammar knows: its fields, and lists of what stands below it."""
    value: dict[str, Any] = dict(part.fields)
    for kind, below in _grouped(part.below):
        value[kind] = below
    return value


def _grouped(parts: Sequence[Part]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for part in parts:
        found.setdefault(part.kind, []).append(_as_it_is(part))
    yield from found.items()
