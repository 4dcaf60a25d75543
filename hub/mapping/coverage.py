"""What of a mapping ran: probes that are compiled into its code, and which of them were hit.

A probe stands for an expression, or for one way that a branch can go. Code with probes computes the same; it is for
tests only and slower.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hub.mapping.place import Place, Range, range_of

EXPRESSION, BRANCH = "expression", "branch"
_LONGEST = 80


@dataclass(frozen=True, slots=True, order=True)
class Probe:
    """One thing that may run: where it stands (lines and columns from 1, the end column behind it), EXPRESSION or
    BRANCH, which way of the branch (``else``, ``the list is empty``), and the text at that place."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    kind: str
    way: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: never ran: {self.way}: {self.text}"


class Probes:
    """The probes of one file, in the order in which they were compiled, and the numbers of those that were hit."""

    def __init__(self) -> None:
        self._numbers: dict[Probe, int] = {}
        self.hits: set[int] = set()

    @property
    def all(self) -> Sequence[Probe]:
        return list(self._numbers)

    def hit(self) -> list[Probe]:
        """The probes that were hit."""
        return [probe for probe, number in self._numbers.items() if number in self.hits]

    def declare(self, probe: Probe) -> Callable[[], None]:
        """A probe that is no part of a compiled expression; call what is given when it is hit."""
        number = self._numbers.setdefault(probe, len(self._numbers))
        return lambda: self.hits.add(number)

    # -- what the compiler weaves in -------------------------------------------------------------------------------

    def expression(self, place: Place, code: ast.expr) -> ast.expr:
        """Code that notes that a whole expression is about to be computed."""
        return self._arm(self._number(place, place.whole, EXPRESSION, "expression"), code)

    def arm(self, place: Place, node: ast.expr, way: str, code: ast.expr) -> ast.expr:
        """Code that notes that this way was taken."""
        return self._arm(self._number(place, range_of(node), BRANCH, way), code)

    def truth(self, place: Place, node: ast.expr, yes: str, no: str, code: ast.expr) -> ast.expr:
        """Code that notes whether its value holds; a way without a name is not counted."""
        return self._call("_truth", node, [*self._ways(place, node, (yes, no)), code])

    def listed(self, place: Place, node: ast.expr, code: ast.expr) -> ast.expr:
        """Code that notes whether the list that a loop goes over holds anything, as one that is written out does."""
        empty = "" if isinstance(node, ast.List) and node.elts else "the list is empty"
        return self.truth(place, node, "the loop runs", empty, code)

    def choice(self, place: Place, node: ast.expr, function: ast.expr, arguments: Sequence[ast.expr]) -> ast.expr:
        """A call of ``default`` or ``coalesce`` that notes which of its arguments it gives."""
        last = len(arguments) - 1
        names = [f"argument {n + 1} is given" if last > 1 else "the value is there" for n in range(last)]
        ways = self._ways(place, node, [*names, "the default is used"])
        return self._call("_choice", node, [ast.List(ways, ast.Load()), function, *arguments])

    def found(self, place: Place, node: ast.expr, find: ast.expr, key: ast.expr, otherwise: ast.expr) -> ast.expr:
        """A look-up that notes whether the table had the key, or the default was used."""
        ways = self._ways(place, node, ("the key is found", "the look-up's default is used"))
        return self._call("_found", node, [*ways, find, key, otherwise])

    def helpers(self) -> dict[str, Any]:
        """The functions that code with probes calls."""
        add = self.hits.add

        def truth(yes: int, no: int, value: Any) -> Any:
            add(yes if value else no)
            return value

        def choice(ways: list[int], function: Callable[..., Any], *arguments: Any) -> Any:
            there = (n for n, value in enumerate(arguments[:-1]) if value is not None and value != "")
            add(ways[next(there, len(ways) - 1)])
            return function(*arguments)

        def found(yes: int, no: int, find: Callable[..., Any], key: Any, otherwise: Any) -> Any:
            value = find(key)
            add(no if value is None else yes)
            return otherwise if value is None else value

        return {"_hit": add, "_truth": truth, "_choice": choice, "_found": found}

    def _ways(self, place: Place, node: ast.expr, ways: Iterable[str]) -> list[ast.expr]:
        return [ast.Constant(self._number(place, range_of(node), BRANCH, way) if way else -1) for way in ways]

    def _number(self, place: Place, where: Range, kind: str, way: str) -> int:
        line, column, end_line, end_column = where
        text = " ".join(place.between(where).split())
        shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
        probe = Probe(place.file, line, column + 1, end_line, end_column + 1, kind, way, shown)
        return self._numbers.setdefault(probe, len(self._numbers))

    def _arm(self, number: int, code: ast.expr) -> ast.expr:
        noted = ast.BoolOp(ast.Or(), [self._call("_hit", code, [ast.Constant(number)]), code])
        return ast.copy_location(noted, code)

    def _call(self, name: str, like: ast.expr, arguments: list[ast.expr]) -> ast.expr:
        return ast.copy_location(ast.Call(ast.Name(name, ast.Load()), arguments, []), like)
