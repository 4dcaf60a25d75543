"""What fast code writes out instead of calling gives what the call gives, to the last digit and word."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.mapping import EMPTY, Mapping
from tests.unit.mapping.build import compiled
from tests.unit.mapping.test_sums import outcome

MONEY = compiled("""
let:
  cur: src.currency
  amount: dec(src.amount)
output:
  plain: money(amount * 1, cur)
  priced: money(amount / 1, cur, 4)
  fixed: money(amount - 0, 'EUR')
  perhaps?: money(dec(src.other), cur)
""")
TEXTS = compiled("""
output:
  name: "src.a + (' - ' + src.b if src.b else '')"
  twice?: "'' if not src.b else src.a + text(src.b)"
""")
LINES = compiled("""
output:
  rows:
    each: src.rows
    as: row
    index: i
    item:
      id: text(i)
      first?: first(p.v for p in row.parts if p.k == 'x')
      all: "[p.v for p in row.parts]"
      sum: sum(dec(p.v) for p in row.parts)
      open: sum(dec(p.v) for p in row.parts if not p.k)
  none: sum(dec(p.v) for p in src.none)
  half: "1 + sum(dec(p.v) for p in src.none) / 3"
  either: "2 if src.none else dec(src.some) or 7"
""")

AMOUNTS: list[Any] = [
    "12.345", "12.3449", "0", "-0.004", "-0.00", "0.00001", 5, Decimal("2.5"), "1" * 30, "9" * 39, "1E20", None, "",
    "x", [], "0.12345678", "-7.125", True,
]  # fmt: skip
CURRENCIES: list[Any] = ["EUR", "JPY", "BHD", "eur", "XXY", None, "", 5, [], {}, Decimal("1")]
NOTHINGS: list[Any] = [None, [], {}, "", 0, False, Decimal(0), "text", True, 7, {"v": "1"}, [None], [[]], ["x"]]


def both(mapping: Mapping, document: Any) -> tuple[Any, Any]:
    """What fast code and safe code give, or what they say, types and digits as they are."""
    arguments = document, EMPTY.envelope, EMPTY.company, *mapping._finders
    safe = outcome(lambda: mapping._run(mapping._safe(), arguments, is_last=True))
    return repr(outcome(lambda: mapping.apply(document))), repr(safe)


@pytest.mark.parametrize("currency", CURRENCIES, ids=repr)
@pytest.mark.parametrize("amount", AMOUNTS, ids=repr)
def test_money_is_rounded_and_refused_alike(amount: Any, currency: Any) -> None:
    for other in (amount, None, "1.005"):
        fast, safe = both(MONEY, {"amount": amount, "currency": currency, "other": other})
        assert fast == safe


@pytest.mark.parametrize(
    "a", ["x", "", None, 5, [], {}, "x" * 300, "x" * 100_001, Decimal("1.5")], ids=lambda a: repr(a)[:9]
)
@pytest.mark.parametrize(
    "b", ["y", "", None, 5, [1], {"c": 1}, "y" * 300, "y" * 99_999, True], ids=lambda b: repr(b)[:9]
)
def test_texts_are_put_together_and_bounded_alike(a: Any, b: Any) -> None:
    fast, safe = both(TEXTS, {"a": a, "b": b})
    assert fast == safe


@pytest.mark.parametrize("parts", [[{"k": "x", "v": "1.5"}, {"k": "y", "v": "2"}], *NOTHINGS], ids=repr)
def test_lists_with_nothing_in_them_are_told_from_what_is_no_list(parts: Any) -> None:
    for other in (parts, None):
        document = {"rows": [{"parts": other}, {"parts": parts}], "none": parts, "some": "0.0"}
        fast, safe = both(LINES, document)
        assert fast == safe
    assert "'list'" not in fast


def test_long_texts_count_towards_what_one_document_may_make() -> None:
    mapping = compiled("""
    output:
      rows:
        each: src.rows
        as: row
        item: "'-' + row"
    """)
    fast, safe = both(mapping, {"rows": ["x" * 90_000] * 600})
    assert fast == safe
    assert "exceed 50000000 characters" in fast


def test_what_is_added_up_or_chosen_with_a_decimal_is_one() -> None:
    mapping = compiled("""
    output:
      sum: money(sum(dec(p) for p in src.parts), 'EUR')
      choice: money(dec(src.a) * 1 if src.a else 0, 'EUR')
    """)
    assert (
        "f_money" not in mapping._fast.run.__code__.co_names[: mapping._fast.run.__code__.co_names.index("_quantize")]
    )
    assert both(mapping, {"parts": [], "a": None}) == both(mapping, {"parts": None, "a": ""})


def test_only_fast_code_writes_calls_out() -> None:
    assert {"_quantize", "_quanta"} <= set(MONEY._fast.run.__code__.co_names)
    assert "_len" in TEXTS._fast.run.__code__.co_names
    assert {"_str", "_empty", "_sum_of"} <= set(LINES._fast.run.__code__.co_names)
    for mapping in (MONEY, TEXTS, LINES):
        assert not {"_quantize", "_len", "_empty", "_sum_of", "_str"} & set(mapping._safe().run.__code__.co_names)
