"""Dates and instants as they are sent: with an offset, with a time, in the years that there are."""

from __future__ import annotations

from typing import Any

import pytest

from hub.functions import functions


@pytest.mark.parametrize("day", ["2026-03-05", "2026-03-05Z", "2026-03-05+01:00", "2026-03-05-14:00"])
@pytest.mark.parametrize(
    ("name", "more", "expected"),
    [
        ("date", (), "2026-03-05"),
        ("date", ("America/New_York",), "2026-03-05"),
        ("format_date", ("YYYYMMDDhhmm", "America/New_York"), "202603050000"),
        ("to_edifact", ("102",), "20260305"),
        ("add_days", (1,), "2026-03-06"),
        ("days_between", ("2026-03-06",), 1),
    ],
)
def test_a_date_with_an_offset_is_the_date_that_is_written(
    day: str, name: str, more: tuple[Any, ...], expected: Any
) -> None:
    assert functions()[name].call(day, *more) == expected


@pytest.mark.parametrize("between", ["T", "t", " "])
def test_a_time_stands_behind_a_t_or_a_blank(between: str) -> None:
    assert functions()["instant"].call(f"2026-03-05{between}10:00:00+01:00") == "2026-03-05T09:00:00Z"
