"""Lint of expressions that could run and would not do what their author means: zeros lost by ``or``, comparisons that
never hold, texts that were meant as paths, values of several kinds, codes that are in no list.

Only what is known of the values decides; where nothing is known, nothing is said.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import pairwise

import msgspec
from msgspec.structs import replace

from hub.errors import Fault
from hub.identifiers import currencies
from hub.mapping.place import Place, range_of
from hub.mapping.scope import Scope
from hub.mapping.shape import ANY, TEXTS, Shape
from hub.mapping.truth import contradiction
from hub.yamldoc import did_you_mean

_PATH = re.compile(r"([A-Za-z]\w*)((\[-?\d+\])?\.[A-Za-z]\w*)+(\[-?\d+\])?")
# What is worked on comes first; a literal there is an argument in the wrong place.
_WORKED_ON_FIRST = frozenset((
    "replace", "lstrip", "rstrip", "strip", "split", "left", "right", "substring", "pad_left", "pad_right", "round",
    "starts_with", "ends_with", "matches",
))  # fmt: skip
_CONVERSIONS = frozenset(("dec", "int", "text", "from_epoch", "from_epoch_ms", "from_minor", "is_number", "trim"))
_NUMBERS_ONLY = frozenset(("dec", "int"))
_WORDS = {"text": "text", "number": "a number", "boolean": "true/false", "object": "an object", "list": "a list"}
_CURRENCY = {"money": 1, "from_minor": 1, "to_minor": 1}
_MANY_CODES, _NEAR = 50, 0.8  # of more codes, one is near to many a word
_WHOLE = ("src", "envelope")


class Suspicion(msgspec.Struct, frozen=True):
    """Looks at one expression. ``shapes`` has what is known of its parts, ``scope`` the names around it, ``inner`` are
    those that its own loops give."""

    place: Place
    scope: Scope
    shapes: Mapping[ast.AST, Shape]
    inner: frozenset[str] = frozenset()

    def faults(self, node: ast.expr, *, is_test: bool = False) -> Iterator[Fault]:
        """What is wrong with an expression; ``is_test`` where only matters whether it holds."""
        looks = replace(self, inner=_bound_inside(node))
        if is_test:
            yield from looks._never(node, node, ())
        yield from looks._walk(node, is_test, ())

    def _walk(self, node: ast.AST, is_test: bool, before: tuple[ast.expr, ...]) -> Iterator[Fault]:
        """``before`` are the conditions that did not hold where this is reached."""
        match node:
            case ast.BoolOp(op=operator, values=values):
                if isinstance(operator, ast.Or) and not is_test:
                    yield from self._lost_zeros(values)
                    yield from self._mixed(values)
                    yield from self._near_code(values)
                for value in values[:-1]:
                    yield from self._walk(value, is_test or isinstance(operator, ast.And), ())
                yield from self._walk(values[-1], is_test, ())
            case ast.IfExp(test=test, body=body, orelse=otherwise):
                yield from self._never(test, test, before)
                yield from self._mixed([body, otherwise] if not is_test else [])
                yield from self._walk(test, True, ())
                yield from self._walk(body, is_test, ())
                yield from self._walk(otherwise, is_test, (*before, test))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield from self._walk(operand, True, ())
            case (
                ast.ListComp(elt=element, generators=generators) | ast.GeneratorExp(elt=element, generators=generators)
            ):
                yield from self._loop(element, generators)
            case ast.Compare():
                yield from self._comparison(node)
                yield from self._below(node)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                yield from self._call(name, arguments)
                for position, argument in enumerate(arguments):
                    yield from self._walk(argument, name == "require" and position == 1, ())
            case ast.Constant(value=str() as text):
                yield from self._path_in_quotes(node, text)
            case ast.List(elts=elements):
                yield from self._near_keys(elements)
                yield from self._below(node)
            case _:
                yield from self._below(node)

    def _below(self, node: ast.AST) -> Iterator[Fault]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from self._walk(child, False, ())

    def _loop(self, element: ast.expr, generators: list[ast.comprehension]) -> Iterator[Fault]:
        for generator in generators:
            yield from self._walk(generator.iter, False, ())
            for test in generator.ifs:
                yield from self._never(test, test, ())
                yield from self._walk(test, True, ())
        yield from self._walk(element, False, ())

    # -- what may be wrong ---------------------------------------------------------------------------------------

    def _lost_zeros(self, values: list[ast.expr]) -> Iterator[Fault]:
        for value, after in pairwise(values):
            if self._shape(value).group == "number":
                words, other = self._words(value), self._words(after)
                message = f"where {words} is 0, 'or' gives {other} instead; write default({words}, {other})"
                yield self._fault(value, message)

    def _mixed(self, values: list[ast.expr]) -> Iterator[Fault]:
        """Values of which one or the other comes out must be of one kind."""
        known = [(value, self._shape(value).group) for value in values if self._shape(value).group]
        for value, group in known[1:]:
            first, wanted = known[0]
            if group != wanted:
                message = f"{self._words(first)} is {_WORDS[wanted]} and {self._words(value)} is {_WORDS[group]}; "
                yield self._fault(value, f"{message}{_conversion(wanted, group, self._words(value))}")

    def _comparison(self, node: ast.Compare) -> Iterator[Fault]:
        parts = [node.left, *node.comparators]
        for operator, left, right in zip(node.ops, parts, parts[1:], strict=False):
            one, other = self._shape(left), self._shape(right)
            if isinstance(operator, ast.In | ast.NotIn):
                yield from self._membership(left, right)
                continue
            if (
                one.group
                and other.group
                and one.group != other.group
                and {one.group, other.group} != {"text", "number"}
            ):
                yield self._fault(node, self._unequal(left, right, isinstance(operator, ast.Eq | ast.NotEq)))
            yield from self._code(left, right)
            yield from self._code(right, left)

    def _unequal(self, left: ast.expr, right: ast.expr, is_equality: bool) -> str:
        one, other = self._shape(left), self._shape(right)
        named = f"{self._words(left)} is {_WORDS[one.group]} and {self._words(right)} is {_WORDS[other.group]}"
        lists = "; loop over it, or take [0] or count(…)" if "list" in (one.group, other.group) else ""
        objects = "; compare one of its fields" if "object" in (one.group, other.group) else ""
        plain = "; write true or false without quotes" if {one.group, other.group} == {"boolean", "text"} else ""
        verb = "they are never equal" if is_equality else "they cannot be compared"
        return f"{named}: {verb}{lists or objects or plain or '; compare values of one kind'}"

    def _membership(self, left: ast.expr, right: ast.expr) -> Iterator[Fault]:
        one, other = self._shape(left), self._shape(right)
        if other.kind == "object":
            yield self._fault(right, f"'in' wants a list or text, {self._words(right)} is an object; name its field")
        element = other.element.group if other.kind == "list" else ""
        if one.group and element and one.group != element:
            message = (
                f"{self._words(left)} is {_WORDS[one.group]}, and the list holds {_WORDS[element]}: it is never in it"
            )
            yield self._fault(right, f"{message}; write values of one kind")
        for each in right.elts if isinstance(right, ast.List) else []:
            yield from self._code(left, each)
        if isinstance(right, ast.List) and not element:
            yield from self._mixed(right.elts)

    def _code(self, field: ast.expr, literal: ast.expr) -> Iterator[Fault]:
        """A field that has codes is compared with a text that is none of them."""
        codes = self._shape(field).codes
        text = literal.value if isinstance(literal, ast.Constant) else None
        if codes is None or not isinstance(text, str) or text in codes.values or text == "":
            return
        advice = did_you_mean(text, codes.values) if len(codes.values) < 400 or not codes.is_open else ""
        message = (
            f"{self._words(field)} is never '{text}': that is not one of {codes.words}{advice or '; look it up there'}"
        )
        yield self._fault(literal, message, "warning" if codes.is_open else "error")

    def _call(self, name: str, arguments: list[ast.expr]) -> Iterator[Fault]:
        first = self._shape(arguments[0]) if arguments else ANY
        words = self._words(arguments[0]) if arguments else ""
        if name in _CONVERSIONS and first.kind in ("object", "list"):
            yield self._fault(
                arguments[0], f"{name} wants text or a number, {words} is {first.words}; {_inside(first)}"
            )
        if name in _NUMBERS_ONLY and first.kind in ("date", "instant"):
            yield self._fault(arguments[0], f"{words} is {first.words}, which is no number; write it without {name}( )")
        if (
            name in _WORKED_ON_FIRST
            and _is_literal(arguments[0])
            and not all(isinstance(part, ast.Constant) for part in arguments)
        ):
            message = f"{name} works on its first argument, and {words} is written out; the arguments may be exchanged"
            yield self._fault(arguments[0], f"{message}: write {name}({self._words(arguments[1])}, …)", "warning")
        if name == "int" and self._is_amount(arguments[0]):
            message = f"{words} is an amount, which may have decimals; write dec({words})"
            yield self._fault(arguments[0], message, "warning")
        if name == "sum" and (element := first.element).group not in ("", "number"):
            advice = "sum(dec(…) for …)" if element.group == "text" else "the number of each: sum(x.amount for x in …)"
            yield self._fault(arguments[0], f"sum adds numbers, each of these is {element.words}; write {advice}")
        if name in ("default", "coalesce") and len(arguments) > 1:
            yield from self._mixed(arguments)
            yield from self._near_code(arguments)
            if first.sure and not first.nullable and first.kind != "any" and not _may_be_empty(arguments[0], first):
                message = f"{words} is never nothing, so that {self._words(arguments[1])} is never taken"
                yield self._fault(arguments[0], f"{message}; write the value that may be missing first", "warning")
        if name == "join" and isinstance(arguments[0], ast.List):
            for each in arguments[0].elts:
                if (shape := self._shape(each)).kind in ("list", "object"):
                    message = f"join puts texts together, {self._words(each)} is {shape.words}; {_inside(shape)}"
                    yield self._fault(each, message)
        if name in _CURRENCY and len(arguments) > _CURRENCY[name]:
            yield from self._currency(arguments[_CURRENCY[name]])

    def _is_amount(self, node: ast.expr) -> bool:
        """Whether this is the number of an amount of money, beside its currency."""
        beside = self._shape(node.value).known_fields if isinstance(node, ast.Attribute) else None
        return isinstance(node, ast.Attribute) and node.attr == "amount" and "currency" in (beside or ())

    def _near_code(self, arguments: list[ast.expr]) -> Iterator[Fault]:
        """What stands in for a code is another one, or one of the author's own; never a code that is misspelt."""
        codes = self._shape(arguments[0]).codes
        for argument in arguments[1:]:
            text = argument.value if isinstance(argument, ast.Constant) else None
            if codes is None or not isinstance(text, str) or text in codes.values or len(codes.values) > _MANY_CODES:
                continue
            turned = [code for code in codes.values if sorted(code) == sorted(text)]
            if len(text) > 3 and (near := turned or get_close_matches(text, codes.values, 1, _NEAR)):
                message = f"'{text}' is not one of {codes.words} of {self._words(arguments[0])}"
                yield self._fault(argument, f"{message}; did you mean '{near[0]}'?", "warning")

    def _near_keys(self, elements: list[ast.expr]) -> Iterator[Fault]:
        """A key that one object of a list alone has, in place of one that the others have."""
        objects = [{str(key.value): key for key in each.keys if isinstance(key, ast.Constant)}
                   for each in elements if isinstance(each, ast.Dict)]  # fmt: skip
        everywhere = [key for each in objects for key in each]
        for own in objects:
            for key, node in own.items():
                missing = {other for other in everywhere if other not in own and everywhere.count(other) > 1}
                near = get_close_matches(key, missing, 1) if everywhere.count(key) == 1 else []
                if near:
                    yield self._fault(node, f"the others of this list have no '{key}'; did you mean '{near[0]}'?")

    def _currency(self, node: ast.expr) -> Iterator[Fault]:
        for spoken in self._shape(node).texts:
            if spoken.text not in currencies():
                upper = spoken.text.strip().upper()
                advice = f"write '{upper}'" if upper in currencies() else "write a code such as 'EUR'"
                yield self.place.fault(spoken.where, f"'{spoken.text}' is no currency of ISO 4217; {advice}")

    def _path_in_quotes(self, node: ast.expr, text: str) -> Iterator[Fault]:
        match = _PATH.fullmatch(text)
        if match and (match[1] in self.inner or self.scope.get(match[1]) is not None):
            yield self._fault(node, f"'{text}' is the text itself, not the field; write {text} without quotes")

    def _never(self, node: ast.expr, at: ast.expr, before: tuple[ast.expr, ...]) -> Iterator[Fault]:
        if reason := contradiction(node, before, self._words) or self._always(node):
            yield self._fault(at, reason)

    def _always(self, node: ast.expr) -> str:
        """Why a condition always holds: it is the whole document, a list that is written out, a text."""
        binding = self.scope.get(node.id) if isinstance(node, ast.Name) else None
        is_whole = binding is not None and (node.id in _WHOLE or binding.is_element) and binding.shape.kind == "object"  # type: ignore[attr-defined]
        if is_whole or (isinstance(node, ast.List) and node.elts) or isinstance(node, ast.Dict) or _is_literal(node):
            return f"{self._words(node)} is always there, so that this always holds; name the field that it depends on"
        return ""

    # -- words ---------------------------------------------------------------------------------------------------

    def _shape(self, node: ast.AST) -> Shape:
        return self.shapes.get(node, ANY)

    def _words(self, node: ast.AST) -> str:
        return self.place.words(node)

    def _fault(self, node: ast.AST, message: str, severity: str = "error") -> Fault:
        return self.place.fault(range_of(node), message, severity)


def _may_be_empty(node: ast.expr, shape: Shape) -> bool:
    """Whether an expression makes a text that may be empty, which default and coalesce pass over; a field that is
    never nothing is taken to say something."""
    return shape.kind in TEXTS and not isinstance(node, ast.Attribute | ast.Subscript | ast.Constant)


def _bound_inside(node: ast.expr) -> frozenset[str]:
    """The names that comprehensions of an expression give."""
    targets = [part.target for part in ast.walk(node) if isinstance(part, ast.comprehension)]
    return frozenset(target.id for target in targets if isinstance(target, ast.Name))


def _is_literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value not in (None, "", 0)


def _conversion(wanted: str, given: str, words: str) -> str:
    if {wanted, given} == {"text", "number"}:
        return f"write {'dec' if wanted == 'number' else 'text'}({words}), or the value without quotes"
    return (
        "write values of one kind, such as one of its fields"
        if "object" in (wanted, given)
        else "write values of one kind"
    )


def _inside(shape: Shape) -> str:
    names = shape.known_fields
    if shape.kind == "list":
        return "loop over it or take [0]"
    return f"name its field: {', '.join(list(names)[:6])}" if names else "name its field"
