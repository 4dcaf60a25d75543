"""Dates and instants as they are sent: with an offset, with a time, in the years that there are."""

from __future__ import annotations

from typing import Any

import pytest

from hub.errors import MappingError
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


@pytest.mark.parametrize(
    ("name", "value", "more"),
    [
        ("date", "0001-01-01T00:00:00Z", ("America/New_York",)),
        ("date", "9999-12-31T23:30:00Z", ("Europe/Paris",)),
        ("format_date", "9999-12-31T23:30:00Z", ("YYYYMMDD", "Europe/Paris")),
        ("to_edifact", "9999-12-31T23:30:00Z", ("102", "Europe/Paris")),
    ],
)
def test_what_leads_beyond_the_years_there_are_is_refused(name: str, value: str, more: tuple[Any, ...]) -> None:
    with pytest.raises(MappingError, match="expected a date such as 2026-03-05"):
        functions()[name].call(value, *more)


@pytest.mark.parametrize(
    ("value", "code", "said"),
    [
        ("202603051030xyz", "203", "expected a time of 12 digits"),
        ("20260305103000+01", "204", "expected a time of 14 digits"),
        ("202603051030xyz", "205", "expected an offset such as \\+01"),
        ("202603051030+25", "303", "expected an offset such as \\+01"),
    ],
)
@pytest.mark.parametrize("name", ["edifact_date", "edifact_instant"])
def test_what_stands_behind_the_time_of_a_dtm_is_an_offset_or_refused(
    name: str, value: str, code: str, said: str
) -> None:
    with pytest.raises(MappingError, match=said):
        functions()[name].call(value, code)


def test_an_offset_or_a_blank_behind_the_time_of_a_dtm_changes_nothing_of_its_date() -> None:
    for value, code in (("202603051030 ", "203"), ("202603050030+0100", "303"), ("20260305003000CET", "304")):
        assert functions()["edifact_date"].call(value, code) == "2026-03-05"


@pytest.mark.parametrize("between", ["T", "t", " "])
def test_a_time_stands_behind_a_t_or_a_blank(between: str) -> None:
    assert functions()["instant"].call(f"2026-03-05{between}10:00:00+01:00") == "2026-03-05T09:00:00Z"
