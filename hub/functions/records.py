"""Lists of objects: joining two, adding up by a field, finding by a key, and objects as lists. Each goes through
its lists once: nothing here becomes slow as lists grow."""

from __future__ import annotations

from decimal import Decimal
from itertools import zip_longest
from typing import Any

from hub.functions.lists import elements, field_of, mark_of
from hub.functions.numbers import dec
from hub.functions.refusal import expected, kind_of, refusal
from hub.functions.registry import function
from hub.functions.text import LONGEST


@function(
    args="list, any, text",
    returns="list",
    nothing="never",
    examples=[
        (
            "sum_by([{'r': '19', 't': '1.90'}, {'r': '7', 't': '0.70'}, {'r': '19', 't': '3.80'}], 'r', 't')",
            [{"key": "19", "total": Decimal("5.70")}, {"key": "7", "total": Decimal("0.70")}],
        ),
        ("sum_by(null, 'rate', 'tax')", []),
    ],
)
def sum_by(values: Any, key: Any, amount: Any) -> list[dict[str, Any]]:
    """The numbers of one field added up for each value of another: ``{key, total}`` in order of appearance. Fields
    may lie deeper (``'tax_category.percent'``), and the key may be a list of fields. A number that is missing
    counts as nothing."""
    totals: dict[object, dict[str, Any]] = {}
    for value in elements(values, "sum_by"):
        mark = field_of(value, key, "sum_by")
        entry = totals.setdefault(mark_of(mark), {"key": mark, "total": Decimal(0)})
        entry["total"] += dec(field_of(value, amount, "sum_by")) or Decimal(0)
    return list(totals.values())


@function(
    args="list, text",
    returns="object",
    nothing="never",
    examples=[
        (
            "index_by([{'sku': 'A', 'n': 1}, {'sku': 'B', 'n': 2}], 'sku')",
            {"A": {"sku": "A", "n": 1}, "B": {"sku": "B", "n": 2}},
        ),
        ("index_by(null, 'sku')", {}),
    ],
)
def index_by(values: Any, key: Any) -> dict[str, Any]:
    """The objects of a list by the text in one of their fields, for ``pick``; of two with the same text the first
    counts, and those without one are left out."""
    found: dict[str, Any] = {}
    for value in elements(values, "index_by"):
        name = field_of(value, key, "index_by")
        if name is None:
            continue
        if not isinstance(name, str):
            raise refusal(f"index_by wants text in the field, got {kind_of(name)}", name, expected="text")
        found.setdefault(name, value)
    return found


@function(
    args="object, text",
    returns="any",
    nothing="always",
    examples=[("pick({'A': 1, 'B': 2}, 'B')", 2), ("pick({'A': 1}, 'C')", None), ("pick(null, 'A')", None)],
)
def pick(value: Any, key: Any) -> Any:
    """The field of an object whose name the document gives: ``pick(by_sku, l.sku)`` after ``index_by``."""
    if value is None or key is None:
        return None
    if not isinstance(value, dict) or not isinstance(key, str):
        raise refusal(f"pick wants an object and a text, got {kind_of(value)} and {kind_of(key)}")
    return value.get(key)


@function(
    args="list, list, text, text?",
    returns="list",
    nothing="never",
    examples=[
        (
            "join_by([{'id': '1', 'q': 2}, {'id': '2', 'q': 5}], [{'ref': '2', 'p': 9}], 'id', 'ref')",
            [
                {"left": {"id": "1", "q": 2}, "right": None},
                {"left": {"id": "2", "q": 5}, "right": {"ref": "2", "p": 9}},
            ],
        ),
        ("join_by(null, [], 'id')", []),
    ],
)
def join_by(left: Any, right: Any, key: Any, other: Any = None) -> list[dict[str, Any]]:
    """Each object of the first list with the first of the second that has the same value in a field: ``{left,
    right}``, ``right`` being nothing where there is none. The fourth argument names the field in the second list
    where it differs."""
    by_mark: dict[object, Any] = {}
    for value in elements(right, "join_by"):
        mark = field_of(value, key if other is None else other, "join_by")
        if mark is not None:
            by_mark.setdefault(mark_of(mark), value)
    pairs = []
    for value in elements(left, "join_by"):
        mark = field_of(value, key, "join_by")
        pairs.append({"left": value, "right": None if mark is None else by_mark.get(mark_of(mark))})
    return pairs


@function(
    name="zip",
    args="list, list",
    returns="list",
    nothing="never",
    examples=[
        ("zip(['a', 'b'], [1])", [{"left": "a", "right": 1}, {"left": "b", "right": None}]),
        ("zip(null, null)", []),
    ],
)
def zip_lists(left: Any, right: Any) -> list[dict[str, Any]]:
    """Two lists side by side, by position: ``{left, right}``; nothing where one is shorter."""
    first, second = elements(left, "zip"), elements(right, "zip")
    return [{"left": one, "right": other} for one, other in zip_longest(first, second)]


@function(
    args="list",
    returns="list",
    nothing="never",
    examples=[
        ("running_total([1, 2.5, -1])", [Decimal(1), Decimal("3.5"), Decimal("2.5")]),
        ("running_total(null)", []),
    ],
)
def running_total(values: Any) -> list[Decimal]:
    """For each number of a list what it and those before it add up to: the balance after each line of a statement."""
    total, found = Decimal(0), []
    for position, value in enumerate(elements(values, "running_total"), 1):
        if value.__class__ not in (int, Decimal):
            hint = "write [dec(x) for x in …]" if isinstance(value, str) else ""
            raise refusal(f"running_total: element {position} is {kind_of(value)}", value, hint=hint)
        total += value
        found.append(total)
    return found


@function(
    args="list, text",
    returns="element",
    nothing="always",
    examples=[
        ("min_by([{'d': '2026-03-05'}, {'d': '2026-01-01'}], 'd')", {"d": "2026-01-01"}),
        ("min_by([], 'd')", None),
    ],
)
def min_by(values: Any, key: Any) -> Any:
    """The object whose field is least, the first of equal ones; those without the field are passed over."""
    return _extreme(values, key, "min_by", first=True)


@function(
    args="list, text",
    returns="element",
    nothing="always",
    examples=[
        ("max_by([{'n': 1, 'x': 'a'}, {'n': 7, 'x': 'b'}], 'n')", {"n": 7, "x": "b"}),
        ("max_by(null, 'n')", None),
    ],
)
def max_by(values: Any, key: Any) -> Any:
    """The object whose field is greatest, the first of equal ones; those without the field are passed over."""
    return _extreme(values, key, "max_by", first=False)


def _extreme(values: object, key: object, name: str, *, first: bool) -> Any:
    marked = [(field_of(value, key, name), value) for value in elements(values, name)]
    present = [(mark, value) for mark, value in marked if mark is not None]
    kinds = {kind_of(mark) for mark, _ in present}
    if not kinds <= {"text"} and not kinds <= {"a number"}:
        raise refusal(f"{name} wants texts or numbers of one kind in the field, got {' and '.join(sorted(kinds))}")
    choose = min if first else max
    return choose(present, key=lambda pair: pair[0], default=(None, None))[1]


@function(
    args="object",
    returns="list",
    nothing="never",
    examples=[
        ("entries({'S': 19, 'Z': 0})", [{"key": "S", "value": 19}, {"key": "Z", "value": 0}]),
        ("entries(null)", []),
    ],
)
def entries(value: Any) -> list[dict[str, Any]]:
    """The fields of an object as a list of ``{key, value}``, to loop over those whose names the mapping does not
    know."""
    if value is None:
        return []
    if not isinstance(value, dict):
        raise refusal(f"entries wants an object, got {kind_of(value)}", expected="an object")
    return [{"key": key, "value": child} for key, child in value.items()]


@function(
    args="object, object*",
    returns="object",
    nothing="never",
    examples=[("merge({'a': 1, 'b': 2}, {'b': 3}, null)", {"a": 1, "b": 3}), ("merge(null)", {})],
)
def merge(*values: Any) -> dict[str, Any]:
    """One object of the fields of several; of two with the same name the later one counts."""
    merged: dict[str, Any] = {}
    for value in values:
        if not isinstance(value, dict | None):
            raise refusal(f"merge wants objects, got {kind_of(value)}", expected="objects")
        merged.update(value or {})
    return merged


@function(
    args="list, integer",
    returns="same",
    nothing="never",
    examples=[("take([1, 2, 3], 2)", [1, 2]), ("take(null, 2)", [])],
)
def take(values: Any, count: Any) -> list[Any]:
    """The first elements of a list, at most so many."""
    return elements(values, "take")[: _count(count)]


@function(args="list, integer", returns="same", nothing="never", examples=[("skip([1, 2, 3], 2)", [3])])
def skip(values: Any, count: Any) -> list[Any]:
    """The elements of a list behind the first so many."""
    return elements(values, "skip")[_count(count) :]


@function(
    args="list, integer",
    returns="list",
    nothing="never",
    examples=[("batches([1, 2, 3], 2)", [[1, 2], [3]]), ("batches(null, 2)", [])],
)
def batches(values: Any, size: Any) -> list[list[Any]]:
    """The list cut into lists of a size, the last one shorter."""
    found = elements(values, "batches")
    if not _count(size):
        raise refusal("batches wants a size of 1 or more, got 0")
    return [found[at : at + size] for at in range(0, len(found), size)]


def _count(value: object) -> int:
    if value.__class__ is int and 0 <= value <= LONGEST:
        return value
    raise expected(f"a whole number from 0 to {LONGEST}", value)
