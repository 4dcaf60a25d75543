"""Whether what a format's options say of documents agrees with the schema that stands beside them."""

from __future__ import annotations

from collections.abc import Iterator

from hub import formats
from hub.errors import Fault
from hub.mapping.mapping import Side
from hub.mapping.shape import Shape, shape_of
from hub.outline import Outline
from hub.yamldoc import Node, did_you_mean

_DEEPEST = 4
_PARTED = ("edifact", "x12", "ubl", "cii")  # those whose documents ``records`` parts, each with the whole around it


def side_faults(node: Node, side: Side, schema: Outline | None) -> Iterator[Fault]:
    """Fields that only the options or only the schema has, and fields that are of another kind in each. ``node`` is the
    side in the mapping's file."""
    if schema is None or side.format not in formats.names() or (side.schema or "").startswith("idoc/"):
        return
    path = side.options.get("records")
    if side.format in _PARTED and isinstance(path, str) and (fault := _records_fault(path, side, schema)):
        yield (node.get("records") or node).fault(fault)
    given = formats.outline_of(side.format or "", side.options)
    if given is not None:
        yield from _Comparison(node, side.schema or "").faults(shape_of(given), shape_of(schema), "", 0)


def _records_fault(path: str, side: Side, schema: Outline) -> str:
    """What is wrong with the list whose elements of a message are to become documents; nothing where it is right."""
    here: Outline | None = schema
    for number, name in enumerate(names := path.split(".")):
        here = here.element if number and here is not None and here.kind == "list" else here
        known = here.names or () if here is not None else ()
        if here is None or name not in known:
            above = f"in {'.'.join(names[:number])}" if number else f"at the top of {side.schema}"
            return f"records: there is no '{name}' {above}{did_you_mean(name, known)}"
        here = here.field(name)
    if here is None or here.kind != "list":
        kinds = "a segment or a group" if side.format in ("edifact", "x12") else "an element"
        return f"records: '{path}' stands once in {side.schema}; name {kinds} that may repeat"
    if "." in path and side.format in ("ubl", "cii"):
        return f"records: '{path}' does not stand at the top of {side.schema}; name a list that does"
    return ""


class _Comparison:
    def __init__(self, node: Node, schema: str) -> None:
        self._node, self._schema = node, schema

    def faults(self, given: Shape, wanted: Shape, path: str, depth: int) -> Iterator[Fault]:
        if depth > _DEEPEST:
            return
        if given.group and wanted.group and given.group != wanted.group:
            yield self._kinds(given, wanted, path)
        elif given.kind == "list" == wanted.kind:
            yield from self.faults(given.element, wanted.element, f"{path}[]", depth + 1)
        elif given.kind == "object" == wanted.kind:
            yield from self._fields(given, wanted, path, depth)

    def _fields(self, given: Shape, wanted: Shape, path: str, depth: int) -> Iterator[Fault]:
        named, known_fields = _named(given), wanted.known_fields
        for name in named if known_fields is not None else ():
            if name not in (known_fields or ()):
                known = [other for other in known_fields or () if other not in named]
                advice = did_you_mean(name, known) or "; take it out of one, or add it to the other"
                yield self._place(name).fault(f"'{_below(path, name)}' is not in the schema {self._schema}{advice}")
        for name in known_fields or ():
            if given.known_fields is None or name in given.known_fields:
                yield from self.faults(given.field(name), wanted.field(name), _below(path, name), depth + 1)
                continue
            severity = "error" if name in wanted.required else "warning"
            message = f"the schema {self._schema} has '{_below(path, name)}', which the options here lack"
            others = [other for other in named if other not in (known_fields or ())]
            advice = did_you_mean(name, others, "; it would never be there")
            yield self._place(*named).fault(f"{message}{advice}", severity)

    def _kinds(self, given: Shape, wanted: Shape, path: str) -> Fault:
        name = path.rpartition(".")[2].removesuffix("[]")
        kinds = {"number": "decimal", "integer": "integer", "boolean": "boolean", "text": "text"}
        advice = (
            f"; write types: {{{name}: {kinds[wanted.kind]}}}, or change the schema" if wanted.kind in kinds else ""
        )
        message = f"'{path}' is {given.words} by the options here, and {wanted.words} in the schema {self._schema}"
        return self._place(name).fault(message + advice)

    def _place(self, *names: str) -> Node:
        """Where the options say the first of these names, else the side as a whole."""
        for name in names:
            for _, child in self._node.items():
                if child.is_map and child.get(name) is not None:
                    return child.key(name)
                for element in child.elements() if child.is_list else ():
                    if element.text == name:
                        return element
        return self._node.get("schema") or self._node


def _named(shape: Shape) -> list[str]:
    """The fields that are written out, also where there may be others."""
    written = getattr(shape.outline, "fields", None)
    return list(written) if isinstance(written, dict) else list(shape.known_fields or ())


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
