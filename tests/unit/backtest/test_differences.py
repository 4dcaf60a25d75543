"""Where two documents differ, and how."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.backtest.differences import differences


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", "changed", 1, 2)]),
        ({"a": {"b": "x"}}, {"a": {"b": "y", "c": 1}}, [("a.b", "changed", "x", "y"), ("a.c", "added", None, 1)]),
        ({"a": None}, {}, [("a", "removed", None, None)]),
        ({"a": None}, {"a": "x"}, [("a", "retyped", None, "x")]),
        ({"a": 1}, {"a": "1"}, [("a", "retyped", 1, "1")]),
        ({"a": 1}, {"a": True}, [("a", "retyped", 1, True)]),
        ({"a": Decimal("1.0")}, {"a": Decimal("1.00")}, [("a", "changed", Decimal("1.0"), Decimal("1.00"))]),
        ({"a": 1}, {"a": Decimal("1.0")}, [("a", "changed", 1, Decimal("1.0"))]),
        ({"a": {"b": 1}}, {"a": [1]}, [("a", "retyped", {"b": 1}, [1])]),
        ({"l": [{"n": 1}, {"n": 2}]}, {"l": [{"n": 1}, {"n": 3}]}, [("l[].n", "changed", 2, 3)]),
        ({"a.b": 1, "": 2}, {"a.b": 2, "": 3}, [("'a.b'", "changed", 1, 2), ("''", "changed", 2, 3)]),
        ({"(state)": 1}, {"(state)": 2}, [("'(state)'", "changed", 1, 2)]),
        ([[1], [2]], [[1], [3]], [("[][]", "changed", 2, 3)]),
    ],
)
def test_each_field_that_differs_is_told_by_its_place_and_kind(before: Any, after: Any, found: list[Any]) -> None:
    told = [(each.path, each.kind, each.before, each.after) for each in differences(before, after)]
    assert told == found
    assert [type(each[3]) for each in told] == [type(each[3]) for each in found]


def test_the_order_of_fields_is_no_difference() -> None:
    assert list(differences({"a": 1, "b": 2}, {"b": 2, "a": 1})) == []


def test_an_element_that_goes_from_the_middle_is_the_only_difference() -> None:
    [gone] = differences({"l": [1, 2, 3, 4]}, {"l": [1, 3, 4]})
    assert (gone.path, gone.kind, gone.before) == ("l[]", "removed", 2)


def test_an_element_that_comes_at_the_end_is_the_only_difference() -> None:
    [new] = differences({"l": [{"n": 1}]}, {"l": [{"n": 1}, {"n": 1}]})
    assert (new.path, new.kind, new.after) == ("l[]", "added", {"n": 1})


def test_documents_nested_without_end_are_compared_as_a_whole_somewhere() -> None:
    found = list(differences(_nested(150, 1), _nested(150, 2)))
    assert [(each.kind, each.path.count("[]")) for each in found] == [("changed", 101)]


def _nested(depth: int, value: Any) -> Any:
    for _ in range(depth):
        value = [value]
    return value
