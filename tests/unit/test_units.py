"""Durations, sizes and rates, both ways."""

import pytest

from hub.units import bytes_of, duration_text, rate_of, seconds_of, size_text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("15m", 900), ("24h", 86400), ("7d", 604800), ("250ms", 0.25), ("1.5s", 1.5), ("0s", 0)],
)
def test_a_duration_is_seconds(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "10", "s", "-1s", "1 s", "1S", "1h30m", "1e3s", "١s", "1w", "1s\n", "9999999999s"]
)
def test_anything_else_is_no_duration(text):
    assert seconds_of(text) is None


@pytest.mark.parametrize(
    ("text", "size"), [("1B", 1), ("500KB", 500_000), ("10MB", 10_000_000), ("2GB", 2_000_000_000)]
)
def test_a_size_is_bytes(text, size):
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["", "10", "10 MB", "10mb", "1.5MB", "10MiB", "-1B"])
def test_anything_else_is_no_size(text):
    assert bytes_of(text) is None


@pytest.mark.parametrize(("text", "rate"), [("20/s", 20), ("600/m", 10), ("3600/h", 1)])
def test_a_rate_is_a_number_a_second(text, rate):
    assert rate_of(text) == rate


@pytest.mark.parametrize("text", ["", "20", "0/s", "20/d", "20 /s", "1.5/s"])
def test_anything_else_is_no_rate(text):
    assert rate_of(text) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.25, "250ms"),
        (10, "10s"),
        (90, "1m30s"),
        (900, "15m"),
        (3010, "50m10s"),
        (90 * 86400, "90d"),
        (1.5, "1.5s"),
    ],
)
def test_seconds_are_written_short(seconds, text):
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0B"), (1, "1B"), (10_000_000, "10MB"), (1_500_000, "1500KB"), (3 * 10**9, "3GB")]
)
def test_a_size_is_written_exactly(size, text):
    assert size_text(size) == text
    assert bytes_of(text) == size
