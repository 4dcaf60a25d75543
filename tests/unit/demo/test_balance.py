"""The sums of the demo say so when they do not add up."""

from __future__ import annotations

import pytest

from hub.demo.balance import Line
from hub.demo.facts import Facts


@pytest.mark.parametrize(
    ("line", "holds", "text"),
    [
        (Line("orders", 3, {"here": 1, "there": 2}), True, "orders: 3 = 1 here + 2 there"),
        (Line("orders", 4, {"here": 1, "there": 2}), False, "orders: 4 IS NOT 1 here + 2 there"),
        (Line("double effects", 0, {}), True, "double effects: 0 = 0"),
        (Line("double effects", 1, {}), False, "double effects: 1 IS NOT 0"),
    ],
)
def test_a_line_holds_where_its_parts_make_its_total(line: Line, holds: bool, text: str) -> None:
    assert (line.holds, str(line)) == (holds, text)


@pytest.mark.parametrize(
    ("facts", "is_quiet"),
    [
        (Facts(), True),
        (Facts(receipts={"received": 1}), False),
        (Facts(messages={"mapped": 1}), False),
        (Facts(deliveries={"retrying": 1}), False),
        (Facts(deliveries={"unknown": 1}), False),
        (Facts(deliveries={"held": 2, "delivered": 5, "dead": 1}), True),
        (Facts(deliveries={"held": 2, "queued": 1}), False),
    ],
)
def test_it_is_quiet_when_only_what_waits_for_a_person_waits(facts: Facts, is_quiet: bool) -> None:
    assert facts.is_quiet is is_quiet
