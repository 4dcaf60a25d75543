"""Lint of a target tree against the target's JSON Schema: unknown fields, missing fields, kinds that do not fit."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hub.errors import Fault
from hub.mapping.place import Range, range_of
from hub.mapping.shape import NUMBERS, TEXTS, Shape
from hub.mapping.trees import Block, Branch, Entry, Formula, Items, Literal, Loop, Tree
from hub.yamldoc import Node, did_you_mean

_WANTED = {"text": "text", "date": "a date", "instant": "an instant", "number": "a number", "integer": "a whole number",
           "boolean": "true/false", "object": "an object", "list": "a list"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Conformity:
    """Checks trees. ``shapes`` gives the static shape of each expression, ``lets`` the trees names stand for."""

    shapes: Mapping[int, Shape]
    lets: Mapping[str, Tree]

    def faults(self, tree: Tree, wanted: Shape, path: str, where: Node) -> Iterator[Fault]:
        """What of a tree does not fit the shape the target wants."""
        if wanted.kind == "any":
            return
        match tree:
            case Branch():
                yield from self._branch(tree, wanted, path, where)
            case Loop():
                yield from self._list(tree.item, wanted, path, where)
            case Items():
                for element in tree.elements:
                    inner = element.item if isinstance(element, Loop) else element
                    yield from self._list(inner, wanted, path, where)
            case Block():
                yield from self.faults(tree.item, wanted, path, where)
            case Literal():
                yield from _literal(tree, wanted, path, where)
            case Formula():
                yield from self._formula(tree, wanted, path, where)

    def _branch(self, tree: Branch, wanted: Shape, path: str, where: Node) -> Iterator[Fault]:
        if wanted.kind != "object":
            yield where.fault(f"{path}: an object stands here, the target wants {_WANTED[wanted.kind]}")
            return
        known = wanted.known_fields
        for entry in tree.entries:
            inner = f"{path}.{entry.key}" if path else entry.key
            if known is not None and entry.key not in known:
                yield entry.where.fault(f"the target has no field '{inner}'{did_you_mean(entry.key, known)}")
                continue
            if entry.optional and entry.key in wanted.required and not self._always(entry):
                message = f"the target requires '{inner}'; '{entry.key}?' may leave it out"
                yield entry.where.fault(message, "warning")
            yield from self.faults(entry.tree, wanted.field(entry.key), inner, entry.where)
        given = {entry.key for entry in tree.entries}
        for name in wanted.required:
            if name not in given:
                inner = f"{path}.{name}" if path else name
                yield where.fault(f"required target field '{inner}' is never set")

    def _always(self, entry: Entry) -> bool:
        """Whether an optional field is never nothing after all."""
        if isinstance(entry.tree, Formula):
            shape = self.shapes.get(id(entry.tree.node))
            return shape is not None and not shape.nullable
        return False

    def _list(self, item: Tree, wanted: Shape, path: str, where: Node) -> Iterator[Fault]:
        if wanted.kind != "list":
            yield where.fault(f"{path}: a list stands here, the target wants {_WANTED[wanted.kind]}")
            return
        yield from self.faults(item, wanted.element, f"{path}[]", where)

    def _formula(self, tree: Formula, wanted: Shape, path: str, where: Node) -> Iterator[Fault]:
        if isinstance(tree.node, ast.Name) and tree.node.id in self.lets:
            yield from self.faults(self.lets[tree.node.id], wanted, path, where)
            return
        shape = self.shapes.get(id(tree.node))
        if shape is not None and not _fits(shape, wanted):
            message = f"{path}: the expression gives {shape.words}, the target wants {_WANTED[wanted.kind]}"
            yield tree.place.fault(_start(tree), message + _advice(shape, wanted, tree))


def _start(tree: Formula) -> Range:
    return range_of(tree.node)


def _fits(shape: Shape, wanted: Shape) -> bool:
    if shape.kind in ("any", "nothing") or shape.kind == wanted.kind:
        return True
    if wanted.kind in TEXTS:
        # Text may be a date; that a date is one is certain, that it is an instant is not.
        return shape.kind == "text" or (wanted.kind == "text" and shape.kind in TEXTS)
    return wanted.kind in NUMBERS and shape.kind in NUMBERS


def _advice(shape: Shape, wanted: Shape, tree: Formula) -> str:
    written = " ".join(tree.place.text.split())
    if wanted.kind == "text" and shape.kind in NUMBERS:
        return f"; write text({written})" if len(written) < 40 else "; write text(…)"
    if wanted.kind == "date" and shape.kind == "instant":
        return "; write date(…)"
    return "; write dec(…)" if wanted.kind in NUMBERS and shape.kind in TEXTS else ""


def _literal(tree: Literal, wanted: Shape, path: str, where: Node) -> Iterator[Fault]:
    kinds = {bool: "boolean", int: "integer", str: "text", dict: "object", list: "list"}
    given = Shape("nothing" if tree.value is None else kinds.get(type(tree.value), "number"))
    if not _fits(given, wanted):
        quote = f"; write {{const: '{tree.value}'}}" if wanted.kind in TEXTS and given.kind in NUMBERS else ""
        yield tree.where.fault(f"{path}: {given.words} stands here, the target wants {_WANTED[wanted.kind]}{quote}")
    enum = (wanted.schema or {}).get("enum")
    if enum and given.kind == "text" and tree.value not in enum:
        yield tree.where.fault(
            f"{path}: '{tree.value}' is not one of the target's values{did_you_mean(str(tree.value), enum)}"
        )
