"""What systems say is left of their limits, and how the hub keeps to it."""

from __future__ import annotations

import itertools

import pytest

from connectors._ration import Left, Names, Ration, left_of

NOW = 1_790_000_000.0
SECONDS = Names("X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Limit")
TIME = Names("X-RateLimit-Remaining", "X-RateLimit-Reset", reset_is_time=True)


@pytest.mark.parametrize(
    ("limit", "policy", "left"),
    [
        ('"default";r=50;t=30', '"default";q=100;w=10', Left(50, 30.0, 100)),
        ('"default";r=50;t=30', "", Left(50, 30.0)),
        ("default; r=50; t=30", "default;q=100;w=60", Left(50, 30.0, 100)),
        ('"default";r=0;t=7', '"default";q=100;w=10', Left(0, 7.0, 100)),
        ('"default";r=5', '"default";q=100;w=10', Left(5, 10.0, 100)),  # no time: within the window of the policy
        ('"default";r=5', "", None),
        ('"hour";r=900;t=3600, "burst";r=9;t=10', '"burst";q=10;w=10,"hour";q=1000;w=3600', Left(900, 3600.0, 1000)),
        ('"a";r=9;t=10;pk=:c2hvcA==:', '"a";q=10;w=10;pk=:c2hvcA==:', Left(9, 10.0, 10)),
        ('"bytes";r=1;t=10', '"bytes";q=65535;qu="content-bytes";w=10', None),
        (
            '"bytes";r=1;t=10,"n";r=8;t=10',
            '"bytes";q=9;qu="content-bytes";w=10,"n";q=9;qu="requests"',
            Left(8, 10.0, 9),
        ),
        ('"d";r=5;t=99999999', "", Left(5, 86400.0)),
        ('"d";r=5;t=0', "", None),
        ('"d";r=-1;t=5', "", None),
        ('"d";r=1.5;t=5', "", None),
        ('"d";r="many";t=5', "", None),
        ('"d"', "", None),
        ('"a, ;b";r=5;t=9', "", Left(5, 9.0)),
        ('"d";r=5;t=9,', "", None),  # what is not well formed says nothing
        ('"d";r=5;t=9 and more', "", None),
        ('"d";r=5;t=9', "not; a ,,", Left(5, 9.0)),
        ("limit=100, remaining=50, reset=5", "", None),  # an older draft
        ("50", "", None),
        ("", "", None),
        ('"d";r=' + "9" * 5000 + ";t=1", "", None),
    ],
)
def test_the_draft_header_tells_what_is_left(limit: str, policy: str, left: Left | None) -> None:
    headers = {"ratelimit": limit} | ({"ratelimit-policy": policy} if policy else {})
    assert left_of(headers, None, NOW) == left


@pytest.mark.parametrize(
    ("headers", "names", "left"),
    [
        (
            {"x-ratelimit-remaining": "5", "x-ratelimit-reset": "9", "x-ratelimit-limit": "10"},
            SECONDS,
            Left(5, 9.0, 10),
        ),
        ({"x-ratelimit-remaining": "5", "x-ratelimit-reset": "1790000030"}, TIME, Left(5, 30.0)),
        ({"x-ratelimit-remaining": "5", "x-ratelimit-reset": "1789999999"}, TIME, None),
        ({"x-ratelimit-remaining": "5"}, SECONDS, None),
        ({"x-ratelimit-remaining": "5, 5", "x-ratelimit-reset": "9"}, SECONDS, None),
        ({"x-ratelimit-remaining": "5", "x-ratelimit-reset": "9"}, None, None),  # only where somebody says so
    ],
)
def test_other_headers_count_where_the_system_names_them(
    headers: dict[str, str], names: Names | None, left: Left | None
) -> None:
    assert left_of(headers, names, NOW) == left


def starts(ration: Ration, now: float, until: float, most: int = 1000) -> list[float]:
    """When requests go, each at once when it may."""
    times: list[float] = []
    while len(times) < most and (now := now + ration.wait_seconds(now)) < until:
        ration.take(now)
        times.append(now)
    return times


def test_much_that_is_left_goes_as_it_comes_and_little_is_spread_over_the_time_until_more_is_allowed() -> None:
    ration = Ration()
    ration.learn(Left(80, 10.0, 100), 0, 0.0, 0.0)
    assert starts(ration, 0.0, 10.0, most=30) == [0.0] * 30
    ration.learn(Left(20, 10.0, 100), 0, 0.0, 0.0)
    spread = starts(ration, 0.0, 10.0)
    assert len(spread) == 19 or len(spread) == 20
    assert [round(b - a, 3) for a, b in itertools.pairwise(spread)] == [0.5] * (len(spread) - 1)
    assert ration.wait_seconds(10.0) == 0.0


def test_nothing_goes_beyond_what_is_left_though_the_answer_is_late() -> None:
    ration = Ration()
    ration.learn(Left(60, 10.0, 100), 55, 0.0, 0.0)  # 55 are on their way that it may not have counted
    assert len(starts(ration, 0.0, 9.99)) == 5
    ration.learn(Left(0, 4.0, 100), 3, 0.0, 0.0)
    assert ration.wait_seconds(1.0) == 3.0
    assert ration.wait_seconds(4.0) == 0.0


def test_without_a_quota_the_most_that_was_ever_left_counts_for_it() -> None:
    ration = Ration()
    ration.learn(Left(10, 10.0), 0, 0.0, 0.0)
    assert ration.wait_seconds(0.0) == 0.0
    ration.learn(Left(4, 10.0), 0, 0.0, 0.0)
    assert ration.wait_seconds(0.0) == pytest.approx(2.5)


def test_an_answer_that_was_overtaken_never_gives_more() -> None:
    ration = Ration()
    ration.learn(Left(60, 10.0, 100), 0, started=0.0, now=1.0)
    ration.learn(Left(55, 10.0, 100), 4, started=2.0, now=3.0)
    ration.learn(Left(59, 10.0, 100), 3, started=2.5, now=3.1)  # it went out before the last answer was heard
    assert len(starts(ration, 3.1, 9.9, most=100)) == 51
    ration.learn(Left(59, 10.0, 100), 3, started=3.2, now=4.0)
    assert len(starts(ration, 4.0, 9.9, most=100)) == 56
