"""Sums of one field: fast code adds up in one call, and says of what it cannot add what safe code says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.errors import MappingError
from hub.mapping import EMPTY
from tests.unit.mapping.build import compiled

BODY = """
output:
  total: sum(dec(l.price) for l in src.lines)
  tax: sum(dec(l.tax.amount) for l in src.lines)
"""


def line(price: Any, tax: Any = "0.10") -> dict[str, Any]:
    return {"price": price, "tax": {"amount": tax}}


DOCUMENTS: list[Any] = [
    [], None, [line("1.10"), line("2.25")], [line(Decimal("1.5")), line(2)], [line("1e2")], [line("-3")],
    [line("x")], [line(None)], [line("")], [line("1,5")], [line(True)], [line({})], [line("--")], [line("1" * 60)],
    [line("1", None)], [{"price": "1"}], [{"price": "1", "tax": "2"}], ["text"], [None], {"price": "1"}, "text", [[1]],
    [line("1.1.1")], [line(0.5)], {}, "", 0, False, [line("NaN")], [line("Infinity"), line("-Infinity")],
    [line("1e30")], [line("٣")], [line("0.1", "9" * 30)],
]  # fmt: skip


def outcome(apply: Any) -> Any:
    try:
        return apply()
    except MappingError as error:
        return str(error), error.field_path, error.value_excerpt


@pytest.mark.parametrize("lines", DOCUMENTS, ids=lambda lines: str(lines)[:40])
def test_fast_sums_are_those_of_safe_code(lines: Any) -> None:
    mapping = compiled(BODY)
    arguments = {"lines": lines}, EMPTY.envelope, EMPTY.company, *mapping._finders
    slow = outcome(lambda: mapping._run(mapping._safe(), arguments, is_last=True))
    assert outcome(lambda: mapping.apply({"lines": lines})) == slow
    assert "_sum_of" in mapping._fast.run.__code__.co_names
    assert "_sum_of" not in mapping._safe().run.__code__.co_names


@pytest.mark.parametrize("values", [None, [], [{"a": "1"}], [{}], [None], {"a": 1}, "x", 7, {}, "", 0, False])
def test_a_list_made_of_nothing_is_empty_in_fast_code_too(values: Any) -> None:
    mapping = compiled("""
    output:
      made: "[l.a for l in src.lines]"
      first?: first(l.a for l in src.lines if l.a)
      known: "['x' for l in src.lines if has(l.a)]"
    """)
    arguments = {"lines": values}, EMPTY.envelope, EMPTY.company, *mapping._finders
    slow = outcome(lambda: mapping._run(mapping._safe(), arguments, is_last=True))
    assert outcome(lambda: mapping.apply({"lines": values})) == slow
    assert "_w" in mapping._fast.run.__code__.co_varnames


@pytest.mark.parametrize("net", ["12.345", "-3", None, "9" * 39, "8" * 25, "0.001"])
def test_amounts_of_money_that_the_mapping_made_are_added_up_as_they_are(net: Any) -> None:
    mapping = compiled("""
    let:
      lines:
        each: src.lines
        as: l
        item: {net: "money(dec(l.net), 'EUR')", other?: "money(dec(l.net), 'EUR')"}
    output:
      net: sum(dec(l.net.amount) for l in lines)
      other: sum(dec(l.other.amount) for l in lines)
    """)
    document = {"lines": [{"net": net}, {"net": "1"}]}
    arguments = document, EMPTY.envelope, EMPTY.company, *mapping._finders
    slow = outcome(lambda: mapping._run(mapping._safe(), arguments, is_last=True))
    assert repr(outcome(lambda: mapping.apply(document))) == repr(slow)
    assert {"_sum_of_money", "_sum_of_inner"} <= set(mapping._fast.run.__code__.co_names)
