"""Other expected values into a test file: it then says what was wanted, and what was not touched is as it was."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.cases import Wanted, rewritten
from hub.yamldoc import parse_yaml

FILE = """\
# head
cases:
  - name: a            # the first
    input: {a: 1}
    expected:
      # above
      id: "1"          # behind
      lines:
      - a: x
        b: 2

      # between
      - a: y
      money: {amount: "1", currency: EUR}
      text: 'it''s'
    # below
  - name: b
    input_file: b.json
"""
OLD: dict[str, Any] = parse_yaml(FILE, "x").data()["cases"][0]["expected"]  # type: ignore[index, call-overload]


def after(**changes: Any) -> str:
    value = {**OLD, **changes}
    return rewritten(FILE, [Wanted(("cases", 0, "expected"), {k: v for k, v in value.items() if v is not ...})])


@pytest.mark.parametrize(
    ("changes", "gone", "new"),
    [
        ({"id": "2"}, '      id: "1"          # behind\n', '      id: "2"          # behind\n'),
        ({"text": "that's"}, "      text: 'it''s'\n", "      text: 'that''s'\n"),
        ({"text": ...}, "      text: 'it''s'\n", ""),
        ({"money": {"amount": "2.50", "currency": "EUR"}}, '{amount: "1", currency: EUR}',
         '\n        amount: "2.50"\n        currency: EUR'),
        ({"lines": [{"a": "x"}, {"a": "y"}]}, "        b: 2\n", ""),
        ({"lines": [{"a": "x", "b": 3}, {"a": "y"}]}, "b: 2", "b: 3"),
        ({"lines": [{"a": "x", "b": 2}, {"a": "z", "c": None}]}, "      - a: y\n",
         "      - a: z\n        c: null\n"),
        ({"more": {"deep": [1]}}, "      text: 'it''s'\n", "      text: 'it''s'\n      more:\n        deep: [1]\n"),
        ({"id": True}, '"1"', "true"),
        ({"id": Decimal("1.50")}, '"1"', "1.50"),
        ({"id": "1.50"}, '"1"', '"1.50"'),
        ({"id": "a\nb: c"}, '"1"', '"a\\nb: c"'),
    ],
)  # fmt: skip
def test_only_what_differs_is_changed(changes: dict[str, Any], gone: str, new: str) -> None:
    assert FILE.count(gone) == 1 or gone in FILE
    expected = FILE.replace(gone, new, 1)
    if "money" in changes:  # what stood in braces is written anew as a whole
        expected = expected.replace("money: \n", "money:\n")
    assert after(**changes) == expected


def test_an_expected_value_that_is_not_there_is_filled_in_behind_the_case() -> None:
    text = rewritten(FILE, [Wanted(("cases", 1, "expected"), {"a": "1", "b": []})])
    assert text == FILE + '    expected:\n      a: "1"\n      b: []\n'.removesuffix("\n") + "\n"


def test_an_element_that_is_gone_takes_its_lines_with_it_and_no_others() -> None:
    text = after(lines=[{"a": "x", "b": 2}])
    assert "- a: y" not in text
    for kept in ("# head", "# the first", "# above", "# behind", "b: 2", "# below", "input_file: b.json"):
        assert kept in text


def test_yaml_that_cannot_be_edited_is_left_to_a_person() -> None:
    text = "cases:\n- {name: a, input: {b?: 1}, expected: 1}\n"
    with pytest.raises(ValueError, match="change it by hand"):
        rewritten(text, [Wanted(("cases", 0, "expected"), 2)])


SIGNS = "abno1.0é🦊'\"\\ :#-{}[],&*!|>%@`~?\n\t\x85\u2028"
LEAVES = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(SIGNS, max_size=8) | (
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-1000, max_value=1000)
)  # fmt: skip
KEYS = st.text("abcdefyn_- :#", min_size=1, max_size=6)
VALUES = st.recursive(LEAVES, lambda each: st.lists(each, max_size=3) | st.dictionaries(KEYS, each, max_size=3))


@settings(deadline=None)  # how long one takes says nothing on a machine that is busy
@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=4), min_size=2, max_size=4))
def test_whatever_is_written_is_what_is_read_and_the_rest_stays(values: list[dict[str, Any]]) -> None:
    text = FILE
    for value in values:  # each over the one before
        text = rewritten(text, [Wanted(("cases", 0, "expected"), value)])
        found: Any = parse_yaml(text, "x").data()
        assert found["cases"][0]["expected"] == value
        assert found["cases"][0]["input"] == {"a": 1}
        assert found["cases"][1] == {"name": "b", "input_file": "b.json"}
        assert text.startswith("# head\ncases:\n  - name: a            # the first\n    input: {a: 1}\n")
