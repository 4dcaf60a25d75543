"""No list walks a whole table, and none leaves anything out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import apsw
import pytest
from world import World, order

from connectors.base import REFUSED, Verdict
from hub.errors import UsageError
from hub.replay import selection
from hub.replay.request import START, Request
from hub.store import conservation, dead_letters, due, search
from hub.store.retention import Keep, Policy, Pruner
from hub.store.search_terms import Filter
from hub.store.tally import Tallier

NO = Verdict(REFUSED, code="http_422", status=422, detail="unknown item")
FILTERS = [
    Filter(), Filter(route="orders"), Filter(source="shop"), Filter(type="canonical/order"), Filter(destination="erp"),
    Filter(state="dead"), Filter(state="held"), Filter(state="expired"), Filter(state="queued"),
    Filter(state="delivered"), Filter(state="delivering"), Filter(state="filtered"), Filter(state="resolved"),
    Filter(error_class="schema"),
    Filter(code="http_422"), Filter(issue="abc"), Filter(issue="held_by_operator@orders"), Filter(text="x"),
    Filter(text="x", is_masked=True),
    Filter(keys=(("order", "1"),)), Filter(keys=(("order", "1"), ("customer", "2"))), Filter(replay_of="x"),
    Filter(received_from=1.0, received_until=2.0), Filter(state="dead", destination="erp", keys=(("order", "1"),)),
]  # fmt: skip


@pytest.fixture
def store_url() -> str:
    return "sqlite:///hub.db"  # whose query plans these are


@pytest.fixture
def plans(world: World) -> Iterator[list[str]]:
    """The query plan of every statement that this thread's reader runs."""
    found: list[str] = []
    db = world.store.reader()
    explaining = False

    def trace(cursor: Any, statement: str, bindings: Any) -> bool:
        nonlocal explaining
        if not explaining and statement.lstrip().upper().startswith(("SELECT", "WITH")):
            explaining = True
            found.extend(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", bindings))
            explaining = False
        return True

    db.exec_trace = trace
    yield found
    db.exec_trace = None


TABLES = {"m", "d", "r", "k", "e", "b", "x", "messages", "deliveries", "receipts", "keys", "payloads", "attempts"}
SMALL = {
    "receipts_open", "receipts_failed", "receipts_dead", "messages_dead", "messages_beside", "deliveries_troubled",
    "deliveries_dead", "deliveries_closed", "deliveries_due", "deliveries_lane", "deliveries_claimed",
    "deliveries_waiting",
}  # fmt: skip


def full_scans(plans: list[str]) -> list[str]:
    """Steps that read a whole table, or an index that holds more than what is in trouble, open or waiting."""
    scans = [step for step in plans if step.startswith("SCAN ") and step.split()[1] in TABLES]
    return [step for step in scans if step.rpartition("INDEX ")[2] not in SMALL]


def test_a_scan_would_be_seen(world: World, plans: list[str]) -> None:
    list(world.store.reader().execute("SELECT sum(size) FROM receipts"))
    list(world.store.reader().execute("SELECT count(*) FROM deliveries"))
    assert len(full_scans(plans)) == 2


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_a_list_never_scans_a_table(world: World, plans: list[str], wanted: Filter) -> None:
    db = world.store.reader()
    search.find(db, wanted)
    dead_letters.find(db, wanted)
    dead_letters.count(db, wanted)
    dead_letters.issues(db, wanted)
    assert plans and full_scans(plans) == []


def from_the_start(world: World, wanted: Filter) -> None:
    request = Request(filter=wanted, begin=START, max_items=1000)
    selection.select(world.store.reader(), request, world.engine.program)


@pytest.mark.parametrize(
    "find",
    [
        lambda world, wanted: search.find(world.store.reader(), wanted),
        lambda world, wanted: dead_letters.find(world.store.reader(), wanted),
        lambda world, wanted: dead_letters.count(world.store.reader(), wanted),
        from_the_start,
    ],
    ids=["messages", "dead letters", "count", "replay from the start"],
)
def test_to_find_what_has_a_key_costs_as_much_for_each_however_many_have_it(
    world: World, monkeypatch: pytest.MonkeyPatch, find: Callable[[World, Filter], object]
) -> None:
    monkeypatch.setattr(search, "MAX_LIMIT", 50)
    costs, found = list[int](), []
    world.store.reader().trace_v2(
        apsw.SQLITE_TRACE_PROFILE, lambda event: costs.append(event["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"])
    )
    for first in (0, 100):
        world.target("erp").answers.extend([NO] * 300)
        world.send(*[order(number) for number in range(first, first * 3 + 100)])
        costs.clear()
        find(world, Filter(keys=(("stock", "main"),)))
        found.append(sum(costs))
    assert found[1] < 6 * found[0]  # for four times as many


def test_counting_for_the_status_page_never_scans_a_table_twice(world: World, plans: list[str]) -> None:
    tallier = Tallier()
    tallier.count(world.store.reader(), world.clock.at)
    plans.clear()
    tallier.count(world.store.reader(), world.clock.at)
    search.retrying(world.store.reader(), 10)
    search.waiting_by_system(world.store.reader())
    search.blocked_lanes(world.store.reader(), 1.0)
    assert plans and full_scans(plans) == []


def test_what_has_expired_is_found_by_an_index_of_what_can_expire(world: World, plans: list[str]) -> None:
    due.expired(world.store.reader(), world.clock.at, 10)
    due.next_expiry(world.store.reader())
    assert len(plans) == 2
    assert all("USING INDEX deliveries_expiring" in step for step in plans), plans


def test_a_walk_that_finds_little_goes_on_by_its_cursor(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "WALK", 10)
    first = world.send(order(1))[0].receipt_id
    world.send(*[order(n) for n in range(2, 60)], event="ping")
    db = world.store.reader()
    pages, found, cursor = 0, [], None
    while True:
        page = search.find(db, Filter(route="orders"), 50, cursor)
        pages, cursor = pages + 1, page.next_cursor
        found += [item.message_id for item in page.items]
        if cursor is None:
            break
    assert (found, pages) == ([first], 6)


def test_every_message_is_on_one_page_whatever_the_page_size(world: World) -> None:
    world.target("erp").answers.extend([NO] * 5)
    world.send(*[order(n) for n in range(10)], b"{", {"id": "x", "lines": [{"name": "a", "qty": "b"}]})
    world.send(order(3), event="ping")
    everything = [found.message_id for found in search.find(world.store.reader(), Filter(), 500).items]
    assert len(everything) == 13
    for limit in (1, 2, 3, 7, 12, 13, 14):
        seen: list[str] = []
        cursor = None
        while True:
            page = search.find(world.store.reader(), Filter(), limit, cursor)
            seen += [found.message_id for found in page.items]
            if (cursor := page.next_cursor) is None:
                break
        assert seen == everything, limit


@pytest.mark.parametrize("cursor", ["", "x", "MS4y!", "bm9wZQ", "LjE", "\u00e4", "MS4yLjM"])
def test_a_cursor_that_is_none_is_refused(world: World, cursor: str) -> None:
    if cursor == "":
        assert search.find(world.store.reader(), Filter(), 5, cursor or None).items == []
        return
    with pytest.raises(UsageError, match="cursor: not one that a list has given"):
        search.find(world.store.reader(), Filter(), 5, cursor)


def test_a_time_span_is_found_by_bisecting_also_where_the_clock_was_set_back(world: World) -> None:
    for at in (1000, 2000, 1500, 90_000, 100_000, 99_000, 200_000):
        world.clock.at = float(at)
        world.send(order(at))
    db = world.store.reader()

    def between(low: float | None, high: float | None) -> list[float]:
        page = search.find(db, Filter(received_from=low, received_until=high))
        return sorted(found.received_at for found in page.items)

    assert between(1500, 100_000) == [1500, 2000, 90_000, 99_000]
    assert between(None, 1500) == [1000]
    assert between(99_500, None) == [100_000, 200_000]
    assert between(300_000, None) == []


def test_quick_counts_are_those_of_the_rows_at_every_moment(world: World) -> None:
    tallier = Tallier()

    def check() -> None:
        with world.store.snapshot() as db:
            quick, rows = tallier.count(db, world.clock.at), conservation.counted(db)
        for what in ("receipts", "messages", "deliveries"):
            assert {k: v for k, v in getattr(quick, what).items() if v} == getattr(rows, what)

    check()
    for number in range(1, 40):
        world.clock.at += 50
        if number % 3 == 0:
            world.target("erp").answers.append(NO)
        world.engine.accept([world.arrival(order(number % 7))])
        check()
        world.run()
        check()
        if number % 5 == 0:
            world.send(b"{", order(1), {"id": "x", "lines": [{"name": "a", "qty": "b"}]})
            world.send(order(2), event="ping")
        check()


def test_what_retention_left_behind_is_found_without_a_scan(world: World, plans: list[str]) -> None:
    world.target("erp").answers.append(NO)
    world.send(order(1), order(2))
    world.clock.at += 95 * 86400.0
    pruner, policy = Pruner(world.store, world.clock), Policy(Keep(90 * 86400.0, 30 * 86400.0, 400 * 86400.0), {}, {})
    pruner.prune(policy)
    plans.clear()
    assert pruner.prune(policy) == 0
    assert any("SEARCH l USING" in step for step in plans) and full_scans(plans) == []


def test_an_issue_without_a_fingerprint_is_grouped_and_found_by_its_name(world: World) -> None:
    world.send(order(1))
    world.store.write(_hold_all)
    [issue] = dead_letters.issues(world.store.reader(), Filter())
    assert issue.issue == "held_by_operator@orders"
    for wanted in (Filter(issue=issue.issue), Filter(issue=issue.issue, state="held"), Filter(text="an operator")):
        assert len(search.find(world.store.reader(), wanted).items) == 1
        assert dead_letters.count(world.store.reader(), wanted) == 1
    assert search.find(world.store.reader(), Filter(issue="other@orders")).items == []


def _hold_all(db: apsw.Connection) -> None:
    """As an operator's hold leaves it, without a try before (which would have left a fingerprint)."""
    db.execute("DROP TRIGGER deliveries_final")
    db.execute(
        """UPDATE deliveries SET state = 'held', hold_reason = 'x', failure = '{"code": "held_by_operator",
           "class": "business_rule", "detail": "an operator holds this"}'"""
    )
