"""When a circuit opens, and what a verdict says of a system."""

from __future__ import annotations

import pytest

from connectors.base import ABSENT, DELIVERED, DOUBT, LATER, REFUSED, STOPPED, Verdict
from hub.pipeline.breaker import BAD, GOOD, NEITHER, Breaker, BreakerPolicy, weigh


@pytest.mark.parametrize(
    ("verdict", "sign"),
    [
        (Verdict(DELIVERED, status=200), GOOD),
        (Verdict(REFUSED, status=422), GOOD),
        (Verdict(ABSENT), GOOD),
        (Verdict(LATER, "connect_refused"), BAD),
        (Verdict(LATER, "http_503", status=503, slow_down=True), BAD),
        (Verdict(LATER, "http_429", status=429, slow_down=True), NEITHER),
        (Verdict(LATER, "paused"), NEITHER),
        (Verdict(LATER, "queue_full"), NEITHER),
        (Verdict(DOUBT, "read_timeout"), BAD),
        (Verdict(DOUBT, "http_500", status=500), BAD),
        (Verdict(DOUBT, "error_in_success", status=200), NEITHER),
        (Verdict(STOPPED, "credentials_refused", status=401), NEITHER),
    ],
)
def test_only_what_the_system_itself_fails_at_counts_against_it(verdict: Verdict, sign: str) -> None:
    assert weigh(verdict) == sign


def test_failures_in_a_row_open_it_and_a_success_between_starts_anew() -> None:
    breaker = Breaker(BreakerPolicy(failures=3))
    assert [breaker.note(sign, 1.0) for sign in (BAD, BAD, GOOD, BAD, BAD)] == [""] * 5
    assert breaker.note(BAD, 1.0) == "3 tries in a row failed"


def test_the_share_of_failures_counts_within_the_window_and_from_twenty_tries() -> None:
    breaker = Breaker(BreakerPolicy(failures=0, ratio=0.5, window=60.0))
    for number in range(19):
        assert breaker.note(BAD if number % 2 else GOOD, 100.0 + number) == ""
    assert breaker.note(BAD, 119.0) == "10 of 20 tries within 60 s failed"
    assert breaker.note(BAD, 200.0) == ""  # all that came before is forgotten


def test_nothing_opens_it_where_both_are_zero() -> None:
    breaker = Breaker(BreakerPolicy(failures=0, ratio=0.0))
    assert {breaker.note(BAD, float(number)) for number in range(100)} == {""}


def test_probes_come_after_a_second_and_ever_later_up_to_the_longest_wait() -> None:
    policy = BreakerPolicy.of({"open": 30.0})
    assert [policy.probe_wait(failed) for failed in (0, 1, 2, 4, 5, 90)] == [1.0, 2.0, 4.0, 16.0, 30.0, 30.0]


def test_tries_are_forgotten_when_the_clock_is_put_back() -> None:
    breaker = Breaker(BreakerPolicy(failures=0, ratio=0.5, window=60.0))
    for number in range(19):
        assert breaker.note(BAD, 5000.0 + number / 10) == ""
    assert breaker.note(BAD, 1400.0) == ""
    assert [breaker.note(BAD, 1400.0 + number) for number in range(18)] == [""] * 18
    assert breaker.note(BAD, 1419.0) == "20 of 20 tries within 60 s failed"
