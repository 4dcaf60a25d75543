"""What PostgreSQL looks at to answer a statement of the hub: no more than it must, however much is stored."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from servers import PostgresServer

sys.path.insert(0, str(Path(__file__).parent.parent / "conformance"))

from store_steps import accept, arrival
from test_embedded_store import HOT, TABLES
from test_stores import split

from hub.message import Finish
from hub.store import Store, deliveries, due, receipts
from hub.store.postgres.connection import connect
from hub.store.postgres.dialect import translate
from hub.store.postgres.store import _BY_KEY


@pytest.fixture
def store(postgres: PostgresServer) -> Iterator[Store]:
    with postgres.opened() as opened:
        yield opened


@pytest.mark.parametrize("statement", HOT)
def test_no_hot_statement_reads_a_whole_table(store: Store, statement: str) -> None:
    plan = "\n".join(row[0] for row in store.reader().execute(f"EXPLAIN {statement}"))
    assert [table for table in re.findall(r"Seq Scan on (\w+)", plan) if table in TABLES] == []


def rows_looked_at(plan: dict[str, Any]) -> int:
    """The most rows that one step of an executed plan has seen."""
    own = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Join Filter", 0)
    return max([int(own * plan["Actual Loops"]), *map(rows_looked_at, plan.get("Plans", ()))])


@pytest.fixture
def outgrown(store: Store) -> Store:
    """A store with 2,000 receipts, all of them waiting, whose planner still knows the few that there were, none of
    which waited, and nothing of their bytes."""
    with psycopg.connect(store.url, autocommit=True) as connection:
        for table in ("receipts", "payloads", "deliveries"):
            connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)".encode())
        few = [(accepted.seq, 1) for accepted in accept(store, *(arrival() for _ in range(20)))]
        store.write(lambda db: receipts.mark_split(db, few))
        connection.execute("ANALYZE receipts")
    for _ in range(10):
        accept(store, *(arrival() for _ in range(200)))
    return store


def statements_run(store: Store, work: Callable[[Any], object]) -> list[tuple[str, Any]]:
    """The statements of some work in a transaction, with their values, in the order in which they were run."""
    ran: list[tuple[str, Any]] = []

    def job(db: Any) -> None:
        run = db._run
        db._run = lambda text, values: (ran.append((text, values)), run(text, values))[1]
        work(db)
        del db._run

    store.write(job)
    return ran


def seen_by(store: Store, text: str, values: Any) -> int:
    """The most rows that a step of a statement looks at when it is run once more."""
    with connect(store.url) as connection:
        connection.execute(_BY_KEY.encode())
        explain = f"EXPLAIN (ANALYZE, TIMING off, FORMAT JSON) {text}"
        (plans,) = connection.execute(explain.encode(), values).fetchone() or ([],)
        return rows_looked_at(plans[0]["Plan"])


@pytest.mark.parametrize("work", ["claim", "load", "mark_split"])
def test_rows_that_are_given_are_found_by_their_keys_however_many_wait(outgrown: Store, work: str) -> None:
    seqs = [seq for (seq,) in outgrown.reader().execute("SELECT seq FROM receipts ORDER BY seq DESC LIMIT 10")]
    works = {
        "claim": lambda db: receipts.claim(db, seqs, "w"),
        "load": lambda db: receipts.load(db, seqs, 1_000_000),
        "mark_split": lambda db: receipts.mark_split(db, [(seq, 1) for seq in seqs]),
    }
    for text, values in statements_run(outgrown, works[work]):
        assert seen_by(outgrown, text, values) <= len(seqs), text


def test_what_waits_longest_is_taken_without_reading_all_that_waits(outgrown: Store) -> None:
    waiting = [seq for (seq,) in outgrown.reader().execute("SELECT seq FROM receipts WHERE state = 'received'")]
    held = sorted(waiting)[:50]
    outgrown.write(lambda db: receipts.claim(db, held, "other"))
    for worker in ("w", "w2"):
        for text, values in statements_run(outgrown, lambda db, w=worker: receipts.take(db, waiting[-9:], [], w, 1.0)):
            assert seen_by(outgrown, text, values) <= len(held) + 3 * receipts.BATCH + 1, text


class Undone(Exception):
    """What a job has done is taken back."""


def test_whether_others_come_after_what_ends_is_known_without_reading_all_that_waits(outgrown: Store) -> None:
    ended = split(outgrown, 1, "m", *(f"lane-{number}" for number in range(10)))
    split(outgrown, 2, "n", *(f"other-{number}" for number in range(300)))
    outgrown.write(lambda db: db.execute("UPDATE deliveries SET waits_for = 'x', due_at = NULL WHERE message_id = 'n'"))
    outgrown.write(lambda db: deliveries.claim(db, dict.fromkeys(ended, 0), "w", 2.0))
    finishes = [Finish(one, "delivered", 2.0, 1.0, 1, 1, 1) for one in ended]
    ran: list[tuple[str, Any]] = []

    def job(db: Any) -> None:
        run = db._run
        db._run = lambda text, values: (ran.append((text, values)), run(text, values))[1]
        deliveries.finish(db, finishes, "w")
        del db._run
        raise Undone

    with pytest.raises(Undone):
        outgrown.write(job)
    text, values = next(one for one in ran if one[0].startswith("UPDATE deliveries"))
    assert "waits_for" in text
    with connect(outgrown.url) as connection:
        (plans,) = connection.execute(
            f"EXPLAIN (ANALYZE, TIMING off, FORMAT JSON) {text}".encode(), values
        ).fetchone() or ([],)
        assert plans[0]["Plan"]["Actual Rows"] == len(ended)
        assert "deliveries_waiting" in str(plans)
        assert rows_looked_at(plans[0]["Plan"]) <= len(ended), text


def test_what_is_due_is_taken_without_reading_all_of_it(outgrown: Store) -> None:
    split(outgrown, 1, "m", *(f"lane-{number}" for number in range(300)))
    text = translate(due._TAKE).text
    with psycopg.connect(outgrown.url, cursor_factory=psycopg.RawCursor) as connection:
        connection.execute("UPDATE deliveries SET due_at = 9 - (ctid::text::point)[1] / 1000")
        connection.execute("SET enable_seqscan = off")
        connection.execute(_BY_KEY.encode())
        connection.execute(due._AS_THEY_COME.encode())
        values = ["erp", "w", 9e9, '[["r", 5]]']
        (plans,) = connection.execute(
            f"EXPLAIN (ANALYZE, TIMING off, FORMAT JSON) {text}".encode(), values
        ).fetchone() or ([],)  # fmt: skip
        assert plans[0]["Plan"]["Actual Rows"] == 5
        assert rows_looked_at(plans[0]["Plan"]) < 100


def test_what_has_expired_is_found_without_reading_what_waits(outgrown: Store) -> None:
    ids = split(outgrown, 1, "m", *(f"lane-{number}" for number in range(300)))
    expires = "UPDATE deliveries SET expires_at = 1 WHERE delivery_id = ?"
    outgrown.write(lambda db: db.executemany(expires, [(one,) for one in ids[:5]]))
    for work in (lambda db: due.expired(db, 2.0, 10), due.next_expiry):
        [(text, values)] = statements_run(outgrown, work)
        assert seen_by(outgrown, text, values) <= 5, text
