"""Lint of a target tree against the target's JSON Schema: unknown fields, missing fields, kinds that do not fit."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

import msgspec

from hub.errors import Fault
from hub.mapping.agreement import code_faults, no_code, structure_fault
from hub.mapping.place import Range, range_of
from hub.mapping.shape import NUMBERS, TEXTS, Shape
from hub.mapping.trees import Block, Branch, Entry, Formula, Items, Literal, Loop, Tree
from hub.yamldoc import Node, did_you_mean

_WANTED = {"text": "text", "date": "a date", "instant": "an instant", "number": "a number", "integer": "a whole number",
           "boolean": "true/false", "object": "an object", "list": "a list"}  # fmt: skip
_SCHEMES = {"gln": "0088", "gtin": "0160"}  # ISO 6523
_SCHEME_DIGITS = 4


class Conformity(msgspec.Struct, frozen=True):
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
                yield from _literal(tree, wanted, path)
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
        yield from _mislabelled(tree)
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
        elif shape is not None:
            yield from _undated(shape, wanted, path, tree)
            yield from code_faults(shape, wanted, path, tree)
            if difference := structure_fault(shape, wanted, path):
                yield tree.place.fault(_start(tree), difference)


def _mislabelled(tree: Branch) -> Iterator[Fault]:
    """An identifier that one function makes and that is called one of another scheme, or of one that cannot be."""
    entries = {entry.key: entry.tree for entry in tree.entries}
    match entries.get("scheme_id"):
        case Literal(value=str() as number) as written if number.isdigit() and len(number) != _SCHEME_DIGITS:
            known = ", ".join(f"{code} ({name.upper()})" for name, code in _SCHEMES.items())
            message = f"'{number}' is no scheme of ISO 6523, which have four digits; did you mean one of {known}?"
            yield written.where.fault(message)
    match entries.get("id"), entries.get("scheme_id"):
        case Formula(node=ast.Call(func=ast.Name(id=name))), Literal(value=str() as scheme) as written:
            other = next((known for known, code in _SCHEMES.items() if code == scheme), "")
            if name in _SCHEMES and other and other != name:
                message = f"'{scheme}' is the scheme of a {other.upper()}, and the id is a {name.upper()}"
                yield written.where.fault(f"{message}; write '{_SCHEMES[name]}', or {other}(…)")


def _undated(shape: Shape, wanted: Shape, path: str, tree: Formula) -> Iterator[Fault]:
    """Text that may be a date or not: a function makes sure, and says at which document it is none."""
    if wanted.kind in ("date", "instant") and shape.kind == "text":
        name = "date" if wanted.kind == "date" else "instant"
        message = f"{path}: the expression gives text that may be no {name}; write {name}(…), which makes sure"
        yield tree.place.fault(_start(tree), message, "warning")


def _start(tree: Formula) -> Range:
    return range_of(tree.node)


def _fits(shape: Shape, wanted: Shape) -> bool:
    if shape.kind in ("any", "nothing") or shape.kind == wanted.kind:
        return True
    if wanted.kind in TEXTS:
        # Text may be a date; that a date is one is certain, that it is an instant is not.
        return shape.kind == "text" or (wanted.kind == "text" and shape.kind in TEXTS)
    return wanted.kind in NUMBERS and shape.kind in NUMBERS


def _is_money(wanted: Shape) -> bool:
    return wanted.kind == "object" and {"amount", "currency"} <= set(wanted.known_fields or ())


def _advice(shape: Shape, wanted: Shape, tree: Formula) -> str:
    written = " ".join(tree.place.text.split())
    if _is_money(wanted) and (shape.kind in NUMBERS or shape.kind in TEXTS):
        number = written if shape.kind in NUMBERS else f"dec({written})"
        return f"; write money({number}, currency)" if len(written) < 40 else "; write money(…, currency)"
    if wanted.kind == "text" and shape.kind in NUMBERS:
        return f"; write text({written})" if len(written) < 40 else "; write text(…)"
    if shape.kind == "list" and wanted.kind != "object":
        return "; write count(…) or [0]" if wanted.kind in NUMBERS else "; take [0], or join(…)"
    if wanted.kind == "date" and shape.kind == "instant":
        return "; write date(…)"
    return "; write dec(…)" if wanted.kind in NUMBERS and shape.kind in TEXTS else ""


def _literal(tree: Literal, wanted: Shape, path: str) -> Iterator[Fault]:
    kinds = {bool: "boolean", int: "integer", str: "text", dict: "object", list: "list"}
    given = Shape("nothing" if tree.value is None else kinds.get(type(tree.value), "number"))
    if not _fits(given, wanted):
        quote = f"; write {{const: '{tree.value}'}}" if wanted.kind in TEXTS and given.kind in NUMBERS else ""
        if _is_money(wanted) and given.kind in NUMBERS | TEXTS:
            quote = f"; write {{amount: {{const: '{tree.value}'}}, currency: {{const: EUR}}}}"
        yield tree.where.fault(f"{path}: {given.words} stands here, the target wants {_WANTED[wanted.kind]}{quote}")
    if given.kind == "text" and (problem := no_code(str(tree.value), wanted.codes)):
        severity = "warning" if wanted.codes and wanted.codes.is_open else "error"
        yield tree.where.fault(f"{path}: {problem}", severity)
