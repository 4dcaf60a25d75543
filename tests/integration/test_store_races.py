"""What two processes do to a PostgreSQL store at the same moment, step by step: two stores, two threads."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from servers import PostgresServer

sys.path.insert(0, str(Path(__file__).parent.parent / "conformance"))

from msgspec.structs import replace
from store_steps import accept, arrival, new_id
from test_statements_seen import FIVE, FOUR, THREE
from test_stores import claim, end, split

from hub.message import RAW, Delivery, Finish, Message, lane_seq
from hub.store import (
    Store,
    audit,
    counters,
    deliveries,
    due,
    findings,
    messages,
    open_store,
    payloads,
    receipts,
    statements,
)
from hub.store.database import Database, lock

SHORT = 0.3  # seconds in which somebody who is not kept waiting would long have gone on


@pytest.fixture
def stores(postgres: PostgresServer) -> Iterator[tuple[Store, Store]]:
    url = postgres.new_database()
    one, other = open_store(url, Path()), open_store(url, Path())
    yield one, other
    one.close()
    other.close()
    postgres.drop(url)


@pytest.fixture
def apart() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


@contextmanager
def begun(store: Store, apart: ThreadPoolExecutor, job: Callable[[Database], Any]) -> Iterator[Future[Any]]:
    """A transaction that has done its job and commits when the block ends; its result is in the future."""
    done, may_commit = threading.Event(), threading.Event()

    def slow(db: Database) -> Any:
        result = job(db)
        done.set()
        assert may_commit.wait(30)
        return result

    result = apart.submit(store.write, slow)
    assert done.wait(30)
    try:
        yield result
    finally:
        may_commit.set()
        result.result(30)


def is_waiting(future: Future[Any]) -> bool:
    try:
        future.result(SHORT)
    except TimeoutError:
        return True
    return False


def test_who_takes_of_several_sources_holds_none_while_it_waits_for_another(
    stores: tuple[Store, Store], apart: ThreadPoolExecutor
) -> None:
    """Whatever each was told of first: two that waited for each other would be undone by the server."""
    one, other = stores
    shop = [a.seq for a in accept(one, arrival(), arrival())]
    bank = [a.seq for a in accept(one, arrival(source="bank"), arrival(source="bank"))]
    with begun(one, apart, lambda db: receipts.take(db, shop, [], "one", 1.0)) as first:
        second = apart.submit(other.write, lambda db: receipts.take(db, [*bank, *shop], [], "other", 1.0))
        assert is_waiting(second)
        with psycopg.connect(one.url, autocommit=True) as connection:
            connection.execute("SELECT 1 FROM receipts WHERE source = 'bank' FOR UPDATE NOWAIT")
    assert [row[1] for row in first.result()[0]] == shop
    taken, left = second.result(30)
    assert ([row[1] for row in taken], left) == (bank, ["shop"])


def taken_in(source: str, key: str | None = None) -> Callable[[Database], Any]:
    one = arrival(source=source, dedupe_key=key)
    rows = payloads.packed_rows([(one.receipt_id, RAW, 1, "", b"x")], 1.0)
    return lambda db: receipts.accept(db, [one], rows)[0]


def test_receipts_of_a_source_are_committed_in_the_order_of_their_numbers(
    stores: tuple[Store, Store], apart: ThreadPoolExecutor
) -> None:
    one, other = stores
    with begun(one, apart, taken_in("shop")) as first:
        second = apart.submit(other.write, taken_in("shop"))
        assert is_waiting(second)
    assert first.result().seq < second.result(30).seq


def test_receipts_of_other_sources_wait_for_nobody(stores: tuple[Store, Store], apart: ThreadPoolExecutor) -> None:
    one, other = stores
    with begun(one, apart, taken_in("shop")) as first:
        second = apart.submit(other.write, taken_in("another"))
        assert not is_waiting(second)
        assert not first.done()


def test_an_id_that_two_take_in_at_once_is_the_first_ones(
    stores: tuple[Store, Store], apart: ThreadPoolExecutor
) -> None:
    one, other = stores
    with begun(one, apart, taken_in("shop", "k")) as first:
        second = apart.submit(other.write, taken_in("shop", "k"))
        assert is_waiting(second)
    assert second.result(30).receipt_id == first.result().receipt_id
    assert (first.result().duplicate, second.result().duplicate) == (False, True)


def queued(store: Store, seq: int, receipt_id: str) -> tuple[str, Callable[[Database], set[str]]]:
    """A delivery in the lane "k", and the job that stores it with its message and claims it if it may go."""
    delivery = Delivery(new_id(), receipt_id, lane_seq(seq, 0), "shop", "r", "erp", "erp", "k", "queued", 1.0)

    def job(db: Database) -> set[str]:
        messages.insert(db, [Message(receipt_id, seq, 0, "shop", "order", "r", "t", "routed", 1.0)], [])
        receipts.mark_split(db, [(seq, 1)])
        return deliveries.insert(db, [delivery], "w")

    return delivery.delivery_id, job


def ended(delivery_id: str) -> Callable[[Database], Any]:
    return lambda db: deliveries.finish(db, [Finish(delivery_id, "delivered", 2.0, 1.0, 1, 1, 1)], "w")


@pytest.mark.parametrize("first", ["the end", "the newcomer"])
def test_who_joins_a_lane_while_its_last_one_ends_is_woken(
    stores: tuple[Store, Store], apart: ThreadPoolExecutor, first: str
) -> None:
    one, other = stores
    [a, b] = accept(one, arrival(), arrival())
    [before] = split(one, a.seq, a.receipt_id, "k")
    claim(one, before)
    newcomer, join = queued(one, b.seq, b.receipt_id)
    jobs = [ended(before), join] if first == "the end" else [join, ended(before)]
    with begun(one, apart, jobs[0]):
        second = apart.submit(other.write, jobs[1])
        assert is_waiting(second)
    second.result(30)
    state, due = one.reader().execute("SELECT state, due_at FROM deliveries WHERE delivery_id = ?", (newcomer,)).get
    assert state == "delivering" or due is not None


@pytest.mark.parametrize("earlier_commits", [False, True])
def test_a_later_one_never_goes_before_an_earlier_one_that_is_stored_at_the_same_moment(
    stores: tuple[Store, Store], apart: ThreadPoolExecutor, earlier_commits: bool
) -> None:
    one, other = stores
    [a, b] = accept(one, arrival(), arrival())
    _, store_first = queued(one, a.seq, a.receipt_id)
    second, store_second = queued(one, b.seq, b.receipt_id)
    if earlier_commits:
        assert len(one.write(store_first)) == 1
        assert other.write(store_second) == set()
        return
    with begun(one, apart, lambda db: messages_only(db, a.seq, a.receipt_id)):
        # The earlier one is read as far as its transaction knows, and for everybody else not yet.
        assert other.write(store_second) == set()
    assert claim(other, second) == {second}


def messages_only(db: Database, seq: int, receipt_id: str) -> None:
    messages.insert(db, [Message(receipt_id, seq, 0, "shop", "order", "r", "t", "filtered", 1.0)], [])
    receipts.mark_split(db, [(seq, 1)])


def test_a_claim_is_one_processs_only(stores: tuple[Store, Store], apart: ThreadPoolExecutor) -> None:
    one, other = stores
    [a] = accept(one, arrival())
    [delivery] = split(one, a.seq, a.receipt_id, "k")
    with begun(one, apart, lambda db: deliveries.claim(db, {delivery: 0}, "w1", 2.0)) as first:
        second = apart.submit(other.write, lambda db: deliveries.claim(db, {delivery: 0}, "w2", 2.0))
        assert is_waiting(second)
    assert (first.result(), second.result(30)) == ({delivery}, set())


def test_what_is_due_is_shared_out_and_what_could_not_be_claimed_is_anybodys_again(
    stores: tuple[Store, Store], apart: ThreadPoolExecutor
) -> None:
    one, other = stores
    accepted = accept(one, *[arrival() for _ in range(6)])
    ids = [split(one, a.seq, a.receipt_id, "")[0] for a in accepted]
    with begun(one, apart, lambda db: due.take(db, "erp", {"r": 4}, 9.0, "w1")) as first:
        second = other.write(lambda db: due.take(db, "erp", {"r": 4}, 9.0, "w2"))
    taken = [d.delivery_id for d in [*first.result(), *second]]
    assert (len(taken), set(taken)) == (6, set(ids))
    assert due.due(one.reader(), "erp", "r", 9.0, 9) == []
    one.write(lambda db: due.give_back(db, taken, "w1"))
    assert {d.delivery_id for d in due.due(one.reader(), "erp", "r", 9.0, 9)} == set(taken[:4])


def test_an_effect_in_doubt_is_looked_up_by_one_process_only(stores: tuple[Store, Store]) -> None:
    one, other = stores
    [a] = accept(one, arrival())
    [delivery] = split(one, a.seq, a.receipt_id, "k")
    claim(one, delivery)
    end(one, delivery, "unknown", due_at=1.0, failure={"class": "x"})
    assert one.write(lambda db: deliveries.settle_unknown(db, delivery, 1, "w1", 3.0))
    assert not other.write(lambda db: deliveries.settle_unknown(db, delivery, 1, "w2", 3.0))


def test_locks_that_are_asked_for_crosswise_are_had_by_both_in_turn(
    stores: tuple[Store, Store], apart: ThreadPoolExecutor
) -> None:
    together = threading.Barrier(2, timeout=30)
    runs: list[str] = []

    def job(*names: str) -> Callable[[Database], None]:
        def take(db: Database) -> None:
            runs.append(names[0])
            lock(db, names[0])
            if len(runs) <= 2:
                together.wait()  # each holds one lock before either asks for its second
            lock(db, names[1])

        return take

    found = [
        apart.submit(store.write, job(*names)) for store, names in zip(stores, (("x", "y"), ("y", "x")), strict=True)
    ]
    for future in found:
        future.result(30)
    assert len(runs) == 3  # the server undoes one of the two, which begins again


def test_transactions_that_wait_for_each_others_rows_are_both_done_in_the_end(
    stores: tuple[Store, Store], apart: ThreadPoolExecutor
) -> None:
    together, met = threading.Barrier(2), set[str]()

    def both(first: str, second: str) -> Callable[[Database], None]:
        def job(db: Database) -> None:
            counters.add(db, [("k", first, "", 1, 0, 1.0)])
            if first not in met:
                met.add(first)
                together.wait(30)
            counters.add(db, [("k", second, "", 1, 0, 1.0)])

        return job

    jobs = [both("a", "b"), both("b", "a")]
    for future in [apart.submit(store.write, job) for store, job in zip(stores, jobs, strict=True)]:
        future.result(30)
    assert [row["count"] for row in counters.listed(stores[0].reader(), "k")] == [2, 2]


def test_the_chain_of_the_audit_holds_whoever_writes_to_it(
    stores: tuple[Store, Store], apart: ThreadPoolExecutor
) -> None:
    def write(store: Store, name: str) -> None:
        for number in range(25):
            store.write(lambda db, n=number: audit.append(db, float(n), audit.Actor(name), "act", "thing"))

    for future in [apart.submit(write, store, name) for store in stores for name in ("x", "y")]:
        future.result(60)
    assert audit.verify(stores[0].reader()) is None
    assert len(audit.listed(stores[0].reader(), 200)) == 100


def test_a_step_that_is_undone_leaves_no_gap_in_the_audit(stores: tuple[Store, Store]) -> None:
    def fail(db: Database) -> None:
        audit.append(db, 1.0, audit.Actor("x"), "act", "thing")
        raise ZeroDivisionError

    for store in stores:
        with pytest.raises(ZeroDivisionError):
            store.write(fail)
        store.write(lambda db: audit.append(db, 1.0, audit.Actor("x"), "act", "thing"))
    assert [row["audit_id"] for row in audit.listed(stores[0].reader(), 9)] == [2, 1]


def test_ending_a_delivery_twice_at_once_records_it_once(
    stores: tuple[Store, Store], apart: ThreadPoolExecutor
) -> None:
    one, other = stores
    [a] = accept(one, arrival())
    [delivery] = split(one, a.seq, a.receipt_id, "")
    claim(one, delivery)
    with begun(one, apart, ended(delivery)):
        second = apart.submit(end, other, delivery, "dead", failure={"class": "x"})
        assert is_waiting(second)
    second.result(30)
    assert one.reader().execute("SELECT state FROM deliveries").get == "delivered"
    assert one.reader().execute("SELECT count(*) FROM attempts").get == 1


def test_statements_of_one_account_see_each_other(stores: tuple[Store, Store], apart: ThreadPoolExecutor) -> None:
    one, other = stores
    one.write(lambda db: statements.remember(db, [THREE], 1.0))
    with begun(one, apart, lambda db: statements.remember(db, [FIVE], 1.0)):
        late = apart.submit(other.write, lambda db: statements.remember(db, [FOUR, FIVE], 2.0))
        assert is_waiting(late)
    assert [earlier.is_same for earlier in late.result(30).values()] == [True]
    assert findings.open_now(one.reader(), 9) == []


def test_statements_of_other_accounts_wait_for_nobody(stores: tuple[Store, Store], apart: ThreadPoolExecutor) -> None:
    one, other = stores
    elsewhere = replace(FOUR, account="NL02ABNA0123456789 EUR", message_id=new_id(), place=77)
    with begun(one, apart, lambda db: statements.remember(db, [THREE], 1.0)):
        assert apart.submit(other.write, lambda db: statements.remember(db, [elsewhere], 1.0)).result(30) == {}
