"""How many retries may go beside the traffic there is."""

from __future__ import annotations

from hub.pipeline.budget import RetryBudget


def test_a_share_of_the_traffic_and_ten_a_second_may_be_retries() -> None:
    budget = RetryBudget(0.2)
    assert budget.room(1000.0) == 100
    budget.sent(1000, 0, 1000.0)
    assert budget.room(1000.0) == 300
    budget.sent(300, 300, 1001.0)
    assert budget.room(1001.0) == 60  # what was sent again is traffic too
    assert budget.room(1009.9) == 60
    assert budget.room(1012.0) == 100


def test_what_is_put_off_comes_spread_out() -> None:
    budget = RetryBudget(0.0)
    waits = [budget.wait_seconds() for _ in range(100)]
    assert waits == sorted(waits)
    assert (waits[9], waits[99]) == (2.0, 11.0)


def test_what_was_sent_is_forgotten_when_the_clock_is_put_back() -> None:
    budget = RetryBudget(0.2)
    budget.sent(100, 100, 5000.0)
    assert budget.room(5000.0) == 20
    assert budget.room(1400.0) == 100


def test_what_may_always_go_is_shared_by_all_processes() -> None:
    budget = RetryBudget(0.0)
    budget.processes = 4
    assert budget.room(1000.0) == 25
    assert [budget.wait_seconds() for _ in range(5)][-1] == 3.0
    budget.processes = 1000
    assert budget.room(1000.0) == 1
