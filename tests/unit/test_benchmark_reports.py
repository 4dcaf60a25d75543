"""What the benchmarks make of their figures: growth, and many machines on paper."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.capacity import Costs, model, wall
from benchmarks.floor import Primitive, middle, total
from benchmarks.orders import OrderBook, topic
from benchmarks.slopes import Series
from benchmarks.soak import ALL, Samples, holds, report

HOURS = [number / 10 for number in range(10)]
FLAT = [100.0, 103.0, 98.0, 101.0, 99.0, 102.0, 98.0, 100.0, 103.0, 99.0]


@pytest.mark.parametrize(
    ("values", "does_hold"),
    [
        (FLAT, True),
        ([100.0 + 2 * number for number in range(10)], False),
        ([118.0 - 2 * number for number in range(10)], True),
        ([100.0 + number / 4 for number in range(10)], True),
        ([100.0] * 9 + [190.0], True),  # one that stands out is no growth
        ([100.0] * 5 + [112.0] * 5, False),
        ([100.0, 130.0, 105.0, 98.0, 140.0, 96.0, 135.0, 99.0, 138.0, 112.0], True),  # noise with a slope
    ],
)
def test_what_grows_is_told_from_what_jumps(values: list[float], does_hold: bool) -> None:
    assert Series("memory", "MB", 0.05, 5.0).judge(HOURS, values).holds is does_hold


def test_a_slope_is_told_by_the_hour() -> None:
    line = Series("memory", "MB", 0.05).judge(HOURS, [100.0 + 2 * number for number in range(10)])
    assert (round(line.per_hour, 6), round(line.growth, 6), line.middle, line.highest) == (20.0, 18.0, 109.0, 118.0)
    assert str(line).split() == ["memory", "109.0", "118.0", "+20.0", "MB", "GROWS"]


def test_what_is_only_told_has_no_verdict() -> None:
    line = Series("p50", "ms").judge(HOURS, [float(number) for number in range(10)])
    assert line.holds
    assert "GROWS" not in str(line)


def test_a_soak_holds_when_nothing_grows_and_nothing_is_lost() -> None:
    samples = Samples(orders=7)
    for hour, value in zip(HOURS, FLAT, strict=True):
        samples.add(hour, {series.name: value if series.name != "threads" else 9.0 for series in ALL})
    lines = samples.lines(skipped=2)
    assert holds(samples, lines)
    assert report(samples, lines).endswith("7 orders; accepted and not delivered 0, delivered twice 0")
    samples.lost = 1
    assert not holds(samples, lines)
    samples.lost = 0
    samples.values["open files"] = [10.0 * number for number in range(10)]
    assert not holds(samples, samples.lines(skipped=2))


def test_few_machines_are_held_by_their_own_cpu_and_many_by_the_first_wall() -> None:
    costs = Costs(hub_us=700.0, server_us=280.0, broker_us=5.0, line_per_second=9_000.0)
    points = model(costs)
    assert (points[0].per_second, points[0].limit) == (2_000.0, "the CPU of the hub's processes")
    assert points[1].per_second == 4_000.0
    end = wall(costs)
    assert (end.per_second, end.limit) == (9_000.0, "the transactions of one target, one after the other")
    assert end.machines == 5
    assert points[-1].per_second == end.per_second


def test_with_a_dear_server_its_cores_are_the_wall() -> None:
    end = wall(Costs(hub_us=700.0, server_us=700.0, broker_us=5.0, line_per_second=9_000.0))
    assert (end.per_second, end.limit) == (8_000.0, "the CPU of a PostgreSQL server with 8 cores")


def test_orders_are_spread_over_topics() -> None:
    book = OrderBook()
    assert [topic(0), topic(2)] == ["orders/create", "orders/create-2"]
    assert b"X-Shopify-Topic: orders/create-2\r\n" in book.request(8, b"/in/webshop", topics=3)
    assert b"X-Shopify-Topic: orders/create\r\n" in book.request(8, b"/in/webshop")


def test_the_floor_is_the_sum_of_the_medians_of_its_primitives() -> None:
    rounds = [
        [Primitive("commit", commit), Primitive("POST out", post)] for commit, post in ((20, 9), (90, 7), (30, 8))
    ]
    assert middle(rounds) == [Primitive("commit", 30), Primitive("POST out", 8)]
    assert total(middle(rounds)) == 38
