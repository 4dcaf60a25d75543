"""Lists: counting, adding up, choosing, ordering, grouping. Nothing is an empty list."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hub.functions.allowance import ELEMENT, SMALL, spend
from hub.functions.numbers import EXACT, finite, plain_text
from hub.functions.refusal import kind_of, refusal
from hub.functions.registry import function


def elements(values: object, name: str) -> list[Any]:
    """The list itself; nothing is an empty one, anything else is refused with the name of who wanted it."""
    if values.__class__ is list:
        if len(values) > SMALL:
            spend(ELEMENT * len(values))
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
    return len(values if values.__class__ is list else elements(values, "count"))


@function(args="list", returns="element", nothing="always", examples=[("first([3, 4])", 3), ("first([])", None)])
def first(values: Any) -> Any:
    """The first element of a list; nothing for an empty one."""
    found = values if values.__class__ is list else elements(values, "first")
    return found[0] if found else None


@function(args="list", returns="element", nothing="always", examples=[("last([3, 4])", 4), ("last([])", None)])
def last(values: Any) -> Any:
    """The last element of a list; nothing for an empty one."""
    found = values if values.__class__ is list else elements(values, "last")
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
        mark = mark_of(value)
        if mark not in seen:
            seen.add(mark)
            kept.append(value)
    return kept


def mark_of(value: object) -> object:
    """What stands for a value where equal ones are looked for: 1 and 1.0 are equal, 1 and true are not."""
    if value.__class__ is str:
        return value
    if isinstance(value, dict):
        spend(ELEMENT)
        return ("object", frozenset((key, mark_of(child)) for key, child in value.items()))
    if isinstance(value, list):
        spend(ELEMENT)
        return ("list", tuple(mark_of(child) for child in value))
    if value is None or isinstance(value, bool):
        return (value,)
    # As text: numbers can be chosen so that their hashes are all the same, and a table of them is slow.
    return ("number", plain_text(EXACT.normalize(finite(value, "a comparison"))))


def field_of(element: object, key: object, name: str) -> Any:
    """A field of an object, ``'a.b'`` one that lies deeper; of a list of fields an object with all of them."""
    if isinstance(key, list) and all(isinstance(part, str) for part in key):
        return {part: field_of(element, part, name) for part in key}
    if not isinstance(element, dict):
        raise refusal(f"{name} by a field wants objects, got {kind_of(element)}", expected="a list of objects")
    if not isinstance(key, str):
        raise refusal(f"{name} wants the name of a field as text, got {kind_of(key)}", expected="a field")
    found: Any = element
    for part in (key,) if key in element else key.split("."):
        if found is None:
            return None
        if not isinstance(found, dict):
            raise refusal(f"{name}: '{part}' is looked for in {kind_of(found)}", expected="an object")
        found = found.get(part)
    return found


@function(
    args="list, text?",
    returns="same",
    nothing="never",
    examples=[("sort([3, 1.5])", [Decimal("1.5"), 3]), ("sort([{'n': 2}, {'n': 1}], 'n')", [{"n": 1}, {"n": 2}])],
)
def sort(values: Any, key: Any = None) -> list[Any]:
    """The list in rising order, of its values or of one field of its objects; equal ones keep their order."""
    found = elements(values, "sort")
    marks = [value if key is None else field_of(value, key, "sort") for value in found]
    if any(mark is None for mark in marks):
        raise refusal("sort cannot place nothing", expected="a number or text in every element")
    if len({_family(mark) for mark in marks}) > 1:
        raise refusal("sort wants values of one kind, got text and numbers")
    order = sorted(range(len(found)), key=marks.__getitem__)
    return [found[position] for position in order]


@function(
    args="list, any",
    returns="list",
    nothing="never",
    examples=[
        (
            "group([{'t': {'c': 'S'}, 'r': 19}], ['t.c', 'r'])",
            [{"key": {"t.c": "S", "r": 19}, "items": [{"t": {"c": "S"}, "r": 19}]}],
        ),
        (
            "group([{'c': 'S', 'n': 1}, {'c': 'Z', 'n': 2}, {'c': 'S', 'n': 3}], 'c')",
            [
                {"key": "S", "items": [{"c": "S", "n": 1}, {"c": "S", "n": 3}]},
                {"key": "Z", "items": [{"c": "Z", "n": 2}]},
            ],
        ),
    ],
)
def group(values: Any, key: Any) -> list[dict[str, Any]]:
    """The objects of a list gathered by a field: ``{key, items}`` for each value, in order of appearance. The field
    may lie deeper (``'tax.code'``); a list of fields gathers by all of them, and ``key`` is then an object."""
    groups: dict[object, dict[str, Any]] = {}
    for value in elements(values, "group"):
        mark = field_of(value, key, "group")
        entry = groups.setdefault(mark_of(mark), {"key": mark, "items": []})
        entry["items"].append(value)
    return list(groups.values())


@function(
    args="list",
    returns="same",
    nothing="never",
    examples=[("reverse([1, 2, 3])", [3, 2, 1]), ("reverse(sort([2, 3, 1]))", [3, 2, 1])],
)
def reverse(values: Any) -> list[Any]:
    """The list from its end to its start; with ``sort``, falling order."""
    return elements(values, "reverse")[::-1]


@function(
    args="list",
    returns="same",
    nothing="never",
    examples=[("compact(['a', null, '', 0])", ["a", 0]), ("compact(null)", [])],
)
def compact(values: Any) -> list[Any]:
    """The list without nothing and empty texts, lists and objects; zero and false stay."""
    return [value for value in elements(values, "compact") if value or value == 0]


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
