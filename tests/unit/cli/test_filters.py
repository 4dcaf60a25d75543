"""Times on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hub.cli.filters import moment
from hub.errors import UsageError

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("24h", "2026-03-04T12:00:00+00:00"),
        ("15m", "2026-03-05T11:45:00+00:00"),
        ("2026-03-01", "2026-03-01T00:00:00+00:00"),
        ("2026-03-01T10:00:00", "2026-03-01T10:00:00+00:00"),
        ("2026-03-01T10:00:00+02:00", "2026-03-01T10:00:00+02:00"),
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00+00:00"),
    ],
)
def test_a_time_is_absolute_or_so_long_ago(text: str, expected: str | None) -> None:
    assert moment(text, "--since", NOW) == expected


@pytest.mark.parametrize("text", ["yesterday", "24", "-1h", "2026-13-01", "1e9h"])
def test_anything_else_says_what_to_write(text: str) -> None:
    with pytest.raises(UsageError, match="--since: expected 24h, 2026-03-05 or"):
        moment(text, "--since", NOW)
