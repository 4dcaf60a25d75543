"""What every store promises of bank statements: each is taken in once, and what is missing is found in any order."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace
from store_steps import new_id

from hub.message import Stated, lane_seq
from hub.store import Store, findings, statements


def stated(number: int, day: str, opening: str, closing: str, **fields: Any) -> Stated:
    given = {"page": 1, "part": 1, "made_at": "", "report_type": "statement", **fields}
    given.setdefault("digest", f"{number} {day} {opening} {closing} {given['page']} {given['part']}")
    return Stated(
        message_id=new_id(), place=lane_seq(number + 1, 0), source="bank", route="bank", set_id=1,
        account="DE02120300000000202051 EUR", statement_id=f"2026-{number}", day=day, number=number, opening=opening,
        closing=closing, sums=given["digest"], **given,
    )  # fmt: skip


THREE = stated(3, "2026-03-03", "100", "105")
FOUR = stated(4, "2026-03-04", "105", "125")
FIVE = stated(5, "2026-03-05", "125", "126")
SIX = stated(6, "2026-03-06", "126", "126")


def take(store: Store, *several: Stated, at: float = 1.0) -> dict[str, statements.Earlier]:
    return store.write(lambda db: statements.remember(db, several, at))  # type: ignore[no-any-return]


def still_open(store: Store) -> list[str]:
    return [one.code for one in findings.open_now(store.reader(), 100)]


@pytest.mark.parametrize("order", list(permutations([THREE, FOUR, FIVE, SIX])))
def test_whatever_the_order_nothing_is_missing_when_all_are_there(store: Store, order: tuple[Stated, ...]) -> None:
    for at, each in enumerate(order):
        assert take(store, each, at=float(at)) == {}
    assert still_open(store) == []
    [(last, count)] = statements.last_seen(store.reader())
    assert (last.statement_id, count) == ("2026-6", 4)


@pytest.mark.parametrize("order", list(permutations([THREE, FIVE, SIX])))
def test_whatever_the_order_what_is_missing_is_told_once(store: Store, order: tuple[Stated, ...]) -> None:
    take(store, *order)
    assert still_open(store) == ["gap"]
    [one] = findings.open_now(store.reader(), 100)
    assert one.message_id == FIVE.message_id


def test_the_same_and_another_one_in_its_place_are_not_taken_in(store: Store) -> None:
    take(store, THREE)
    again = replace(THREE, message_id=new_id(), place=99)
    other = replace(again, message_id=new_id(), digest="x", sums="x")
    found = take(store, again, other)
    assert [(id, one.row.message_id, one.is_same) for id, one in found.items()] == [
        (again.message_id, THREE.message_id, True), (other.message_id, THREE.message_id, False),
    ]  # fmt: skip
    assert store.reader().execute("SELECT count(*) FROM statements_seen").get == 1


def test_a_replay_is_known_by_its_place_whatever_has_become_of_its_id_and_day(store: Store) -> None:
    take(store, THREE, FIVE)
    moved = replace(FIVE, message_id=new_id(), day="2026-03-04", statement_id="2026-9", number=4, is_replayed=True)
    take(store, moved)
    rows = store.reader().execute("SELECT statement_id FROM statements_seen ORDER BY day").fetchall()
    assert rows == [("2026-3",), ("2026-9",)]
    [one] = findings.open_now(store.reader(), 9)
    assert (one.message_id, one.code) == (moved.message_id, "balance")


def test_hundreds_of_pages_of_one_day_are_looked_at_one_by_one(store: Store) -> None:
    pages = [stated(4, "2026-03-04", str(105 + at), str(106 + at), page=at + 1) for at in range(300)]
    take(store, THREE, stated(7, "2026-03-09", "1", "2"))  # something is open all the while
    take(store, *pages)
    assert [one.detail[:21] for one in findings.open_now(store.reader(), 9)] == ["the numbers 5 to 6 are"[:21]]
    assert store.reader().execute("SELECT count(*) FROM statements_seen").get == 302


def test_of_however_many_under_one_id_each_is_known_again(store: Store) -> None:
    days = [str(date(2026, 3, 3) + timedelta(each)) for each in range(1002)]
    reports = [stated(3, day, "", "", digest=day, report_type="intraday", made_at=f"{day}T09:00:00Z") for day in days]
    assert take(store, *reports) == {}
    first, last = (replace(each, message_id=new_id(), place=99) for each in (reports[0], reports[-1]))
    found = take(store, first, last, replace(first, message_id="other", digest="x", sums="x"))
    assert [(one.row.day, one.is_same) for one in found.values()] == [
        (days[0], True), (days[-1], True), (days[0], False),
    ]  # fmt: skip


def test_what_is_long_or_odd_in_an_id_is_kept(store: Store) -> None:
    odd = replace(THREE, statement_id="\0'%_" + "ß" * 60, message_id=new_id(), place=7)
    take(store, odd)
    assert [one.is_same for one in take(store, replace(odd, message_id=new_id())).values()] == [True]


def test_only_what_is_older_is_forgotten(store: Store) -> None:
    take(store, THREE, at=10.0)
    take(store, FIVE, at=20.0)
    assert store.write(lambda db: statements.prune(db, 15.0)) == 1
    assert store.write(lambda db: findings.prune(db, 15.0)) == 0
    assert store.write(lambda db: findings.prune(db, 25.0)) == 1
    assert store.reader().execute("SELECT statement_id FROM statements_seen").fetchall() == [("2026-5",)]
