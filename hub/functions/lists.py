"""Lists: counting, adding up, choosing, ordering, grouping. Nothing is an empty list."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hub.functions.numbers import finite
from hub.functions.refusal import kind_of, refusal
from hub.functions.registry import function


def elements(values: object, name: str) -> list[Any]:
    """The list itself; nothing is an empty one, anything else is refused with the name of who wanted it."""
    if values.__class__ is list:
        return values
    if values is None:
        return []
    hint = "write listed(…) for one object that stands without a list" if isinstance(values, dict) else ""
    raise refusal(f"{name} wants a list, got {kind_of(values)}", expected="a list", hint=hint)


@function(
    name="sum",
    args="list",
    returns="number",
    nothing="never",
    examples=[("sum([1, 2.50])", Decimal("3.50")), ("sum([])", 0), ("sum(null)", 0)],
)
def total(values: Any) -> Decimal | int:
    """The numbers of a list added up; 0 for an empty list. Nothing inside the list is refused."""
    result: Decimal | int = 0
    for position, value in enumerate(elements(values, "sum"), 1):
        if value.__class__ is not Decimal and value.__class__ is not int:
            hint = "write sum(dec(x) for x in …)" if isinstance(value, str) else ""
            raise refusal(f"sum: element {position} is {kind_of(value)}", value, expected="a number", hint=hint)
        result += value
    return result


@function(args="list", returns="integer", nothing="never", examples=[("count(['a', 'b'])", 2), ("count(null)", 0)])
def count(values: Any) -> int:
    """How many elements a list has."""
    return len(elements(values, "count"))


@function(args="list", returns="element", nothing="always", examples=[("first([3, 4])", 3), ("first([])", None)])
def first(values: Any) -> Any:
    """The first element of a list; nothing for an empty one."""
    found = elements(values, "first")
    return found[0] if found else None


@function(args="list", returns="element", nothing="always", examples=[("last([3, 4])", 4), ("last([])", None)])
def last(values: Any) -> Any:
    """The last element of a list; nothing for an empty one."""
    found = elements(values, "last")
    return found[-1] if found else None


def _extreme(choose: Callable[..., Any], name: str, values: tuple[Any, ...]) -> Any:
    found = elements(values[0], name) if len(values) == 1 else list(values)
    present = [value for value in found if value is not None]
    if len({_family(value) for value in present}) > 1:
        raise refusal(f"{name} wants values of one kind, got {' and '.join(sorted({kind_of(v) for v in present}))}")
    return choose(present, default=None)


def _family(value: object) -> str:
    if isinstance(value, str):
        return "text"
    finite(value, "min and max")
    return "number"


@function(
    name="min",
    args="any, any*",
    returns="any",
    nothing="always",
    examples=[("min(3, 2.5)", Decimal("2.5")), ("min(['2026-03-05', '2026-01-01'])", "2026-01-01"), ("min([])", None)],
)
def least(*values: Any) -> Any:
    """The least of a list or of the arguments, numbers or texts; nothing is passed over."""
    return _extreme(min, "min", values)


@function(
    name="max",
    args="any, any*",
    returns="any",
    nothing="always",
    examples=[("max(0, -2.5)", 0), ("max([1, null, 7])", 7), ("max([])", None)],
)
def greatest(*values: Any) -> Any:
    """The greatest of a list or of the arguments, numbers or texts; nothing is passed over."""
    return _extreme(max, "max", values)


@function(
    args="list",
    returns="same",
    nothing="never",
    examples=[("distinct(['a', 'b', 'a'])", ["a", "b"]), ("distinct([{'id': 1}, {'id': 1}])", [{"id": 1}])],
)
def distinct(values: Any) -> list[Any]:
    """The list without repeats; the first of each is kept, in order."""
    seen: set[object] = set()
    kept = []
    for value in elements(values, "distinct"):
        mark = _frozen(value)
        if mark not in seen:
            seen.add(mark)
            kept.append(value)
    return kept


def _frozen(value: object) -> object:
    if isinstance(value, dict):
        return ("object", frozenset((key, _frozen(child)) for key, child in value.items()))
    if isinstance(value, list):
        return ("list", tuple(_frozen(child) for child in value))
    return (value.__class__ is bool, value)


def _field(element: object, key: object, name: str) -> Any:
    if not isinstance(element, dict):
        raise refusal(f"{name} by a field wants objects, got {kind_of(element)}", expected="a list of objects")
    return element.get(key)


@function(
    args="list, text?",
    returns="same",
    nothing="never",
    examples=[("sort([3, 1.5])", [Decimal("1.5"), 3]), ("sort([{'n': 2}, {'n': 1}], 'n')", [{"n": 1}, {"n": 2}])],
)
def sort(values: Any, key: Any = None) -> list[Any]:
    """The list in rising order, of its values or of one field of its objects; equal ones keep their order."""
    found = elements(values, "sort")
    marks = [value if key is None else _field(value, key, "sort") for value in found]
    if any(mark is None for mark in marks):
        raise refusal("sort cannot place nothing", expected="a number or text in every element")
    if len({_family(mark) for mark in marks}) > 1:
        raise refusal("sort wants values of one kind, got text and numbers")
    order = sorted(range(len(found)), key=marks.__getitem__)
    return [found[position] for position in order]


@function(
    args="list, text",
    returns="list",
    nothing="never",
    examples=[
        (
            "group([{'c': 'S', 'n': 1}, {'c': 'Z', 'n': 2}, {'c': 'S', 'n': 3}], 'c')",
            [
                {"key": "S", "items": [{"c": "S", "n": 1}, {"c": "S", "n": 3}]},
                {"key": "Z", "items": [{"c": "Z", "n": 2}]},
            ],
        )
    ],
)
def group(values: Any, key: Any) -> list[dict[str, Any]]:
    """The objects of a list gathered by one field: ``{key, items}`` for each value, in order of appearance."""
    groups: dict[object, dict[str, Any]] = {}
    for value in elements(values, "group"):
        mark = _field(value, key, "group")
        entry = groups.setdefault(_frozen(mark), {"key": mark, "items": []})
        entry["items"].append(value)
    return list(groups.values())


@function(args="list", returns="list", nothing="never", examples=[("flatten([[1, 2], [3], null])", [1, 2, 3])])
def flatten(values: Any) -> list[Any]:
    """One list of the elements of the lists in a list."""
    return [value for inner in elements(values, "flatten") for value in elements(inner, "flatten")]


@function(
    args="any",
    returns="list",
    nothing="never",
    examples=[("listed({'id': 1})", [{"id": 1}]), ("listed([1])", [1]), ("listed(null)", [])],
)
def listed(value: Any) -> list[Any]:
    """A list from what some systems send as a list and, when there is only one, without."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
