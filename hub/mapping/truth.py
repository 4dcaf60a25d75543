"""Conditions that can never hold: parts that exclude each other, and branches that an earlier one takes all from."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

_MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.Eq: ast.Eq, ast.NotEq: ast.NotEq,
}  # fmt: skip
_COUNTS = ("count", "length")

Words = Callable[[ast.AST], str]


def contradiction(test: ast.expr, before: tuple[ast.expr, ...], words: Words) -> str:
    """Why a condition never holds where those of ``before`` do not; empty where it may."""
    parts = list(_conjuncts(test))
    earlier = {ast.dump(node) for node in before}
    for part in parts:
        if _is_false(part):
            return f"{words(part)} never holds; take it out, or write what is meant"
        if ast.dump(part) in earlier:
            return f"this is never reached: a condition before it is {words(part)} too; take one of them out"
    facts: dict[str, _Facts] = {}
    for part in parts:
        key, is_denied = _plain(part)
        known = facts.setdefault(key, _Facts())
        if known.holds is not None and known.holds is is_denied:
            return f"this never holds: {words(part)} and its opposite; take one of them out"
        known.holds = not is_denied
        for expression, operator, value in _limits(part):
            if reason := facts.setdefault(ast.dump(expression), _Facts()).add(operator, value, words(expression)):
                return f"this never holds: {reason}"
            if _is_count(expression) and facts[ast.dump(expression)].is_below_zero:
                return f"this never holds: {words(expression)} is never below 0; turn the comparison round"
    return ""


@dataclass(slots=True)
class _Facts:
    """What the parts so far say of one expression."""

    holds: bool | None = None
    values: frozenset[object] | None = None
    others: set[object] = field(default_factory=set)
    low: tuple[Decimal, bool] | None = None
    high: tuple[Decimal, bool] | None = None

    def add(self, operator: type[ast.cmpop], value: object, words: str) -> str:
        """Take one more part into account; why it cannot be true with the others, else nothing."""
        if operator in (ast.Eq, ast.In):
            wanted = frozenset(value) if isinstance(value, tuple) else frozenset((value,))
            self.values = wanted if self.values is None else self.values & wanted
            if not self.values:
                return f"{words} cannot be two values at once; write 'or' for 'and', or in […]"
        elif operator is ast.NotEq:
            self.others.add(value)
        elif isinstance(value, Decimal):
            self._bound(operator, value)
        if self.values is not None and not self.values - self.others:
            return f"{words} cannot be that and not be it; take one of them out"
        return f"no number is both; look at what {words} is compared with" if self._is_empty() else ""

    def _bound(self, operator: type[ast.cmpop], value: Decimal) -> None:
        bound = value, operator in (ast.GtE, ast.LtE)
        if operator in (ast.Gt, ast.GtE) and (
            self.low is None or (bound[0], not bound[1]) > (self.low[0], not self.low[1])
        ):
            self.low = bound
        if operator in (ast.Lt, ast.LtE) and (self.high is None or (bound[0], bound[1]) < self.high):
            self.high = bound

    def _is_empty(self) -> bool:
        numbers = [value for value in self.values or () if isinstance(value, Decimal)]
        if self.values and numbers:
            return not any(self._holds(number) for number in numbers)
        if self.low is None or self.high is None:
            return False
        return self.low[0] > self.high[0] or (self.low[0] == self.high[0] and not (self.low[1] and self.high[1]))

    def _holds(self, number: Decimal) -> bool:
        is_above = self.low is None or number > self.low[0] or (self.low[1] and number == self.low[0])
        return is_above and (self.high is None or number < self.high[0] or (self.high[1] and number == self.high[0]))

    @property
    def is_below_zero(self) -> bool:
        below = self.high is not None and (self.high[0] < 0 or (self.high[0] == 0 and not self.high[1]))
        numbers = [value for value in self.values or () if isinstance(value, Decimal)]
        return below or (bool(numbers) and all(number < 0 for number in numbers))


def _conjuncts(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        for value in node.values:
            yield from _conjuncts(value)
    else:
        yield node


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("false", "null")


def _plain(node: ast.expr) -> tuple[str, bool]:
    """An atom without ``not``, and whether there was one."""
    is_denied = False
    while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        node, is_denied = node.operand, not is_denied
    return ast.dump(node), is_denied


def _limits(node: ast.expr) -> Iterator[tuple[ast.expr, type[ast.cmpop], object]]:
    """What a comparison with written values says: expression, operator, value."""
    if not isinstance(node, ast.Compare):
        return
    parts = [node.left, *node.comparators]
    for operator, left, right in zip(node.ops, parts, parts[1:], strict=False):
        if (value := _literal(right)) is not None and _literal(left) is None:
            yield left, type(operator), value
        elif (value := _literal(left)) is not None and _literal(right) is None and type(operator) in _MIRRORED:
            yield right, _MIRRORED[type(operator)], value


def _literal(node: ast.expr) -> object:
    match node:
        case ast.Constant(value=bool() | None):
            return None
        case ast.Constant(value=int() | float() as number):
            return Decimal(str(number))
        case ast.Constant(value=str() as text):
            return text
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -Decimal(str(number))
        case ast.List(elts=elements) if all(_literal(element) is not None for element in elements):
            return tuple(_literal(element) for element in elements)
    return None


def _is_count(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _COUNTS
