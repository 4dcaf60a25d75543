"""Where a typing mistake may be made: the expressions of a mapping, the keys and values of a YAML file, its lines."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import yaml

from hub.mapping.place import Range, range_of
from hub.mapping.trees import Branch, Formula, Items, Let, Loop, Reader, Tree
from hub.yamldoc import read_yaml


@dataclass(frozen=True)
class Part:
    """A part of an expression: its syntax, and where it begins and ends in the file."""

    node: ast.expr
    start: int
    end: int
    parent: ast.AST | None
    formula: Formula


@dataclass(frozen=True)
class Pair:
    """A key of a YAML mapping with its value; ``path`` are the keys above it. Offsets into the file."""

    path: tuple[str, ...]
    key: str
    start: int
    end: int
    value: str | None
    value_start: int
    value_end: int
    is_quoted: bool


@lru_cache(maxsize=256)
def parts(text: str) -> tuple[Part, ...]:
    """Every part of every expression of a mapping file that stands on one line."""
    root, _ = read_yaml(text, "x.yaml")
    lines = text.splitlines()
    starts = line_starts(text)
    reader = Reader(lines)
    lets = reader.lets(root.get("let"))
    output = root.get("output")
    assert output is not None
    trees = [*(let.tree for let in lets), reader.tree(output)]
    found = []
    for formula in (formula for tree in trees for formula in formulas(tree)):
        parents: dict[ast.AST, ast.AST] = {}
        for node in ast.walk(formula.node):
            for child in ast.iter_child_nodes(node):
                parents[child] = node
        for node in ast.walk(formula.node):
            if isinstance(node, ast.expr) and (span := _span(range_of(node), starts)):
                found.append(Part(node, *span, parents.get(node), formula))
    return tuple(found)


def formulas(tree: Tree | Let) -> Iterator[Formula]:
    """The expressions of a tree, in the order of the file."""
    match tree:
        case Formula():
            yield tree
        case Branch():
            for entry in tree.entries:
                yield from formulas(entry.tree)
        case Loop():
            yield tree.each
            yield from [tree.when] if tree.when else []
            for let in tree.lets:
                yield from formulas(let.tree)
            yield from formulas(tree.item)
        case Items():
            for element in tree.elements:
                yield from formulas(element)
        case _ if hasattr(tree, "item"):
            yield from [tree.when] if tree.when else []
            for let in tree.lets:
                yield from formulas(let.tree)
            yield from formulas(tree.item)


def line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def _span(where: Range, starts: list[int]) -> tuple[int, int] | None:
    line, column, end_line, end_column = where
    return (starts[line - 1] + column, starts[line - 1] + end_column) if line == end_line else None


@lru_cache(maxsize=256)
def pairs(text: str) -> tuple[Pair, ...]:
    """Every key of a YAML file with its value."""
    return tuple(_pairs(yaml.compose(text, Loader=yaml.CSafeLoader), ()))


def _pairs(node: yaml.Node | None, path: tuple[str, ...]) -> Iterator[Pair]:
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from _pairs(child, (*path, "[]"))
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            scalar = child.value if isinstance(child, yaml.ScalarNode) else None
            yield Pair(
                path, key.value, key.start_mark.index, key.end_mark.index, scalar, child.start_mark.index,
                child.end_mark.index, isinstance(child, yaml.ScalarNode) and bool(child.style),
            )  # fmt: skip
            yield from _pairs(child, (*path, key.value))
