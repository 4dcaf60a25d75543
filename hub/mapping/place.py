"""Where each character of an expression stands in its file, whatever quotes or folding YAML put around it."""

from __future__ import annotations

import ast
from bisect import bisect_left

import msgspec

from hub.errors import Fault
from hub.yamldoc import Node

_WITHOUT_PLACE = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop)
Range = tuple[int, int, int, int]  # line, column, end line, end column; lines from 1, columns from 0


class Place(msgspec.Struct, frozen=True):
    """An expression's text and the (line, column from 0) of each of its characters, and of its end."""

    file: str
    text: str
    spots: tuple[tuple[int, int], ...]
    plain: bool = True

    def at(self, offset: int) -> tuple[int, int]:
        return self.spots[min(max(offset, 0), len(self.spots) - 1)]

    def span(self, start: int, stop: int) -> Range:
        """The range in the file of the characters from ``start`` up to ``stop``."""
        line, column = self.at(start)
        end_line, end_column = self.at(stop - 1) if stop > start else (line, column)
        return line, column, end_line, end_column + 1

    @property
    def whole(self) -> Range:
        return self.span(0, len(self.text))

    def slice(self, node: ast.AST) -> str:
        """The text of a node whose position is one in the file."""
        return self.between(range_of(node))

    def words(self, node: ast.AST) -> str:
        """The same as the author wrote it, short enough for an error text."""
        text = " ".join(self.slice(node).split())
        return text if len(text) <= 60 else text[:57] + "…"

    def between(self, where: Range) -> str:
        """The text at a range of the file."""
        line, column, end_line, end_column = where
        start = bisect_left(self.spots, (line, column))
        return self.text[start : bisect_left(self.spots, (end_line, end_column - 1)) + 1]

    def fault(self, where: Range, message: str, severity: str = "error") -> Fault:
        width = where[3] - where[1] if where[0] == where[2] else 1
        return Fault(self.file, where[0], where[1] + 1, message, severity, width=max(width, 1))


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes directly below a node that have a position of their own; many times as fast as ``ast``'s."""
    found: list[ast.AST] = []
    for value in node.__dict__.values():
        if isinstance(value, list):
            found += [part for part in value if isinstance(part, ast.AST)]
        elif isinstance(value, ast.AST) and not isinstance(value, _WITHOUT_PLACE):
            found.append(value)
    return found


def range_of(node: ast.AST) -> Range:
    """The range of a node; its positions are those of the file since the expression was read."""
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]


def place_inline(text: str, file: str, line: int, column: int) -> Place:
    """The place of an expression that stands on one line without quotes. ``column`` counts from 1."""
    return Place(file, text, tuple((line, column - 1 + offset) for offset in range(len(text) + 1)))


def place_of(node: Node, lines: list[str]) -> Place:
    """The place of a YAML scalar; ``lines`` are those of its file."""
    start = node.column - 1
    raw = lines[node.line - 1] if node.line <= len(lines) else ""
    if raw[start : start + len(node.text)] == node.text:
        return place_inline(node.text, node.file, node.line, node.column)
    return Place(node.file, node.text, tuple(_align(node.text, lines, node.line, start)), node.plain)


def _align(text: str, lines: list[str], line: int, column: int) -> list[tuple[int, int]]:
    """Find each character in the file in turn: folding, quotes and escapes only add characters between them."""
    spots: list[tuple[int, int]] = []
    at = line, column
    if lines[line - 1][column : column + 1] in ("|", ">"):
        at = line + 1, 0
    elif lines[line - 1][column : column + 1] in ("'", '"'):
        at = line, column + 1
    for sign in text:
        at = _seek(sign, lines, at)
        spots.append(at)
        at = at[0], at[1] + 1
    spots.append(at)
    return spots


def _seek(sign: str, lines: list[str], at: tuple[int, int]) -> tuple[int, int]:
    if sign.isspace():
        return at
    line, column = at
    while line <= len(lines):
        found = lines[line - 1].find(sign, column)
        if found >= 0 and not lines[line - 1][column:found].strip("\\' \t\""):
            return line, found
        line, column = line + 1, 0
    return at
