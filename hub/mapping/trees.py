"""The target tree of a mapping file: YAML nodes -> objects, lists, loops, optional blocks and expressions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from hub.errors import Fault
from hub.mapping.place import Place, place_of
from hub.mapping.syntax import read_expression
from hub.yamldoc import Node, unknown_keys

_LOOP_KEYS = ("each", "as", "index", "when", "let", "item")
_BLOCK_KEYS = frozenset({"when", "let", "item"})


class Formula(msgspec.Struct, frozen=True):
    """An expression of the file."""

    place: Place
    node: ast.expr


class Literal(msgspec.Struct, frozen=True):
    """A value written in the file: true, false, null, a number, or what stands under ``const``."""

    value: object
    where: Node


class Entry(msgspec.Struct, frozen=True):
    """One field of an object; an optional one (``key?``) is left out when its value is nothing or empty."""

    key: str
    optional: bool
    where: Node
    tree: Tree


class Branch(msgspec.Struct, frozen=True):
    """An object with its fields."""

    entries: tuple[Entry, ...]
    where: Node


class Let(msgspec.Struct, frozen=True):
    """A named intermediate value."""

    name: str
    where: Node
    tree: Tree


class Loop(msgspec.Struct, frozen=True):
    """A list made of another list, one ``item`` for each element that passes ``when``."""

    each: Formula
    element: str
    index: str
    when: Formula | None
    lets: tuple[Let, ...]
    item: Tree
    where: Node


class Block(msgspec.Struct, frozen=True):
    """A tree that is there only when its condition holds, with names of its own."""

    when: Formula | None
    lets: tuple[Let, ...]
    item: Tree
    where: Node


class Items(msgspec.Struct, frozen=True):
    """A list written out; a loop among its elements adds its own."""

    elements: tuple[Tree, ...]
    where: Node


Tree = Formula | Literal | Branch | Loop | Block | Items


def is_block(node: Node) -> bool:
    """Whether a mapping is a loop or an optional block around an ``item``, and not an object with fields."""
    keys = [key for key, _ in node.items()]
    return "each" in keys or ("item" in keys and len(keys) > 1 and _BLOCK_KEYS.issuperset(keys))


def written_fields(node: Node) -> Iterator[Node]:
    """The keys of all fields that are written out at a node and below it."""
    if is_block(node):
        item = node.get("item")
        yield from written_fields(item) if item is not None else ()
        return
    for element in node.elements():
        yield from written_fields(element)
    if [key for key, _ in node.items()] != ["const"]:
        for key, child in node.items():
            yield node.key(key)
            yield from written_fields(child)


@dataclass(slots=True)
class Reader:
    """Reads the trees of one file; what is wrong is gathered in ``faults``."""

    lines: list[str]
    faults: list[Fault] = field(default_factory=list)

    def tree(self, node: Node) -> Tree:
        """The tree below a node."""
        if node.is_list:
            return Items(tuple(self.tree(element) for element in node.elements()), node)
        if not node.is_map:
            return self._leaf(node)
        keys = [key for key, _ in node.items()]
        if keys == ["const"]:
            return Literal(node.get("const").data(), node)  # type: ignore[union-attr]
        if is_block(node):
            return self._loop(node) if "each" in keys else self._block(node)
        return self._branch(node)

    def _leaf(self, node: Node) -> Tree:
        if node.plain and not node.text:
            self.faults.append(node.fault("a value is missing; write an expression, or null for nothing"))
            return Literal(None, node)
        if not isinstance(node.value, str):
            return Literal(node.value, node)
        return self.formula(node)

    def formula(self, node: Node) -> Formula:
        """An expression; where it cannot be read, one that gives nothing stands in for it."""
        text = node if isinstance(node.value, str) else None
        place = place_of(node, self.lines)
        if text is None and not node.is_scalar:
            self.faults.append(node.fault(f"expected an expression, got {node.kind}"))
            return Formula(place, _nothing(node))
        tree, faults = read_expression(place)
        self.faults.extend(faults)
        return Formula(place, tree if tree is not None else _nothing(node))

    def _branch(self, node: Node) -> Tree:
        entries: list[Entry] = []
        names: set[str] = set()
        for key, child in node.items():
            name = key.removesuffix("?")
            where = node.key(key)
            if name in names:
                self.faults.append(where.fault(f"the field '{name}' is set twice"))
            if child.is_scalar and child.plain and not child.text and _is_torn(key):
                self.faults.append(where.fault("a comma inside { } ends an unquoted expression: quote it"))
                continue
            names.add(name)
            entries.append(Entry(name, key.endswith("?"), where, self.tree(child)))
        return Branch(tuple(entries), node)

    def _loop(self, node: Node) -> Tree:
        self.faults.extend(unknown_keys(node, _LOOP_KEYS, "a loop"))
        item = node.get("item")
        if item is None:
            self.faults.append(node.fault("a loop needs item: what each element becomes"))
        name = node.get("as")
        if name is None:
            self.faults.append(node.fault("a loop needs as: the name of the element"))
        each, when = node.get("each"), node.get("when")
        assert each is not None
        return Loop(
            self.formula(each),
            self._name(name) if name else "_",
            self._name(index) if (index := node.get("index")) else "",
            self.formula(when) if when else None,
            self.lets(node.get("let")),
            self.tree(item) if item else Literal(None, node),
            node,
        )

    def _block(self, node: Node) -> Tree:
        when, item = node.get("when"), node.get("item")
        assert item is not None
        return Block(self.formula(when) if when else None, self.lets(node.get("let")), self.tree(item), node)

    def _name(self, node: Node) -> str:
        if isinstance(node.value, str) and node.value.isidentifier():
            return node.value
        self.faults.append(node.fault(f"expected a name of letters, digits and '_', got '{node.text}'"))
        return "_"

    def lets(self, node: Node | None) -> tuple[Let, ...]:
        """The names under ``let``, in their order: each may use those before it."""
        if node is None:
            return ()
        if not node.is_map:
            self.faults.append(node.fault(f"let wants names with their values, got {node.kind}"))
            return ()
        return tuple(Let(self._name(node.key(key)), node.key(key), self.tree(child)) for key, child in node.items())


def _is_torn(key: str) -> bool:
    """Whether a key looks like the rest of an expression that a comma of YAML cut off."""
    return sum(map(key.count, "([{'\"")) != sum(map(key.count, ")]}'\"")) or any(sign in key for sign in "()'\"")


def _nothing(node: Node) -> ast.expr:
    name = ast.Name("null", ast.Load())
    name.lineno = name.end_lineno = node.line
    name.col_offset, name.end_col_offset = node.column - 1, node.column
    return name
