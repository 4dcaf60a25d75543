"""Room is shared by weight, and nobody who waits is left out for long."""

from __future__ import annotations

from collections import Counter

from hub.pipeline.turns import Turns


def test_room_is_shared_by_weight() -> None:
    assert Turns().share_out(40, {"a": 1.0, "b": 3.0}) == {"a": 10, "b": 30}


def test_also_a_room_of_one_comes_round() -> None:
    turns, had = Turns(), Counter[str]()
    for _ in range(40):
        had.update(turns.share_out(1, {"a": 1.0, "b": 3.0}))
    assert had == {"a": 10, "b": 30}


def test_who_comes_later_neither_waits_for_the_past_of_others_nor_makes_them_wait() -> None:
    turns = Turns()
    turns.share_out(10_000, {"a": 1.0})
    assert turns.share_out(10, {"a": 1.0, "b": 1.0}) == {"a": 5, "b": 5}


def test_no_room_and_nobody_who_waits() -> None:
    assert Turns().share_out(0, {"a": 1.0}) == {"a": 0}
    assert Turns().share_out(5, {}) == {}
