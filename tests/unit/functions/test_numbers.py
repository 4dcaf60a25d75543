"""Decimals of texts: the quick way in takes nothing that the rules refuse, and changes no digit."""

from __future__ import annotations

import re
from decimal import Decimal
from random import Random

import pytest

from hub.errors import MappingError
from hub.functions.numbers import checked, dec
from tests.unit.mapping.build import evaluated

# Spelt out once more: digits with a point, an exponent, nothing of other scripts, at most 50 characters.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_ODD = [
    "NaN", "sNaN", "nan", "-Infinity", "inf", "NaN12", "1_000", " 1", "1 ", "1\n", "1\x00", "\x001", "١٢", "２", "1,5",
    "1e", "e5", "--1", "+", "-", ".", "0x10", "1E+20", "1E+21", "1E-20", "1E-21", "1.5E-20", "0E20", "0E21", "0E-21",
    "-0", "-0.00", "+1.50", "00000000000000000000000000000000000001.5", "0." + "0" * 20, "0." + "0" * 21, "9" * 21,
    "9" * 22, "9" * 40, "9" * 41, "0" * 39, "0" * 60, "1" * 19 + "e1", "1.23E-20", "12345E18", "9" * 20 + "e20",
]  # fmt: skip


def wanted(text: str) -> Decimal | None:
    """The number of a text; nothing where it is none, or too large."""
    if len(text) > 50 or not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    _, digits, exponent = number.as_tuple()
    return number if len(digits) <= 40 and isinstance(exponent, int) and abs(exponent) <= 20 else None


def given(text: str) -> Decimal | None:
    try:
        return dec(text)
    except MappingError:
        return None


def test_a_text_is_a_number_or_refused_whichever_way_it_goes() -> None:
    draw = Random(5)
    made = ["".join(draw.choices("0123456789.-+eE_ ٣", k=draw.randint(1, 9))) for _ in range(20_000)]
    exact = [f"{draw.randint(0, 10 ** draw.randint(0, 22))}.{'7' * draw.randint(0, 22)}" for _ in range(2_000)]
    for text in [*_ODD, *made, *exact]:
        assert repr(given(text)) == repr(wanted(text)), text
    assert dec("") is None


@pytest.mark.parametrize("text", [text for text in _ODD if _NUMBER.fullmatch(text)])
def test_a_decimal_is_checked_as_its_text_is_and_stays_as_it_is(text: str) -> None:
    number = Decimal(text)
    if wanted(text) is None and len(text) <= 50:
        with pytest.raises(MappingError):
            checked(number)
    else:
        assert repr(checked(number)) == repr(number)
        assert checked(number) is dec(number) is number


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_finite_number_is_refused(text: str) -> None:
    with pytest.raises(MappingError, match="infinite or undefined"):
        checked(Decimal(text))


@pytest.mark.parametrize(
    ("expression", "result"),
    [("round(1 / 3, 2)", "0.33"), ("round(20 / 7, 6)", "2.857143"), ("round_up(1 / 3)", "1"), ("floor(20 / 7)", "2"),
     ("round_half_even(0.0000000001 / 7, 12)", "0.000000000014")],
)  # fmt: skip
def test_what_a_division_gives_is_rounded_however_long_it_is(expression: str, result: str) -> None:
    assert evaluated(expression) == Decimal(result)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("text(round(dec('-0.001'), 2))", "0.00"),
        ("text(round(dec('-0.4')))", "0"),
        ("trim(round(dec('-0.001'), 2))", "0"),
        ("trim(dec('-0.00'))", "0"),
        ("text(round_half_even(dec('-0.005'), 2))", "0.00"),
        ("text(round_down(dec('-0.009'), 2))", "0.00"),
        ("number_text(dec('-0.001'), 2)", "0.00"),
        ("text(round_to(dec('-0.01'), 0.05))", "0.00"),
        ("text(round(dec('-0.005'), 2))", "-0.01"),
    ],
)
def test_what_is_rounded_to_zero_has_no_sign(text: str, expected: str) -> None:
    assert evaluated(text) == expected
