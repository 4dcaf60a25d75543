"""How far a source was read, as its items and its settings write it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors._watermark import Watermark

BEGAN = 1_772_400_000.0  # 2026-03-01T21:20:00Z


def asked(form: str, start: str, value: object) -> str:
    """What is asked for after an item with this value."""
    watermark = Watermark({"form": form, "start": start})
    return watermark.asked(watermark.higher(None, watermark.read(value), BEGAN))


@pytest.mark.parametrize(
    ("form", "start", "value", "expected"),
    [
        ("time", "2026-01-01T00:00:00Z", "2026-02-01T12:00:00Z", "2026-02-01T11:55:00Z"),
        ("time", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", "2026-01-01T00:00:00Z"),
        ("time", "2026-01-01T00:00:00", "2026-02-01T12:00:00", "2026-02-01T10:55:00"),  # clocks may be put back
        ("time", "2026-01-01", "2026-02-01T12:00:00", "2026-02-01"),
        ("time", "2026-01-01", "0001-01-01T00:00:00", "2026-01-01"),  # what some systems write where there is none
        ("time", "2026-01-01T00:00:00Z", "/Date(-999999999999999)/", "2026-01-01T00:00:00Z"),
        ("seconds", "1767225600", 1767225601, "1767225600"),
        ("milliseconds", "1767225600000", "1767312000000", "1767311700000"),
        ("number", "5", 3, "5"),
        ("number", "0", Decimal("1E+20"), "100000000000000000000"),
        ("text", "a", "b", "b"),
    ],
)
def test_nothing_is_asked_from_before_the_start(form: str, start: str, value: object, expected: str) -> None:
    assert asked(form, start, value) == expected


@pytest.mark.parametrize("value", [Decimal("1E+999999999"), "1E-999999999", Decimal("0E-999999999"), "1e41", "NaN"])
def test_a_number_that_would_fill_the_memory_is_none(value: object) -> None:
    with pytest.raises(ValueError, match="expected number such as 0, got another text or number"):
        Watermark({"form": "number", "start": "0"}).read(value)


def test_a_mark_that_was_kept_in_another_form_counts_for_none() -> None:
    assert Watermark({"form": "number", "start": "0"}).known("b-17") is None
    assert Watermark({"form": "number", "start": "0"}).known("17") == 17
