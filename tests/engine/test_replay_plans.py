"""What an item of a replay costs does not depend on how many dead letters, earlier items or waiting deliveries there
are: counted in rows that PostgreSQL looks at, and in steps of SQLite's machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import apsw
import pytest
from psycopg.pq import TransactionStatus
from replaying import ANNA, DEAD, NO, run
from world import SYSTEMS, World, order

from hub import replay
from hub.replay import running
from hub.store import is_shared, replays
from hub.store.database import Database
from hub.store.postgres.connection import PostgresDatabase

LETTERS, PAGE = 240, 8
WINDOW = 60  # deliveries that are in hand for the ERP
Work = list[tuple[int, str]]  # of each statement, with its text


@pytest.fixture
def paged(make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A store with many dead letters, and as many that were replayed before, of which its planner knows few."""
    world = make_world(systems=SYSTEMS.replace(b"erp:\n", b"erp:\n  limits: {concurrency: 15}\n"))
    monkeypatch.setattr(running, "PAGE", PAGE)
    die(world, 0, PAGE)
    run(world, DEAD)
    if is_shared(world.store.url):
        world.store.write(know_these)
    die(world, 1000, LETTERS)
    run(world, DEAD)
    die(world, 2000, LETTERS)
    yield world
    if is_shared(world.store.url):
        world.store.write(lambda db: autovacuum(db, "RESET (autovacuum_enabled)"))


def autovacuum(db: Database, change: str) -> None:
    for [table] in db.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"):
        db.execute(f"ALTER TABLE {table} {change}")


def know_these(db: Database) -> None:
    """The planner learns what is there, and nothing more: a plan that changes half-way says nothing of costs."""
    autovacuum(db, "SET (autovacuum_enabled = false)")
    for table in ("deliveries", "payloads", "messages"):
        db.execute(f"ANALYZE {table}")


def die(world: World, first: int, count: int) -> None:
    """So many orders that the ERP refuses."""
    world.target("erp").answers.extend([NO] * count)
    world.send(*[order(number) for number in range(first, first + count)])


@contextmanager
def work_of(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    """What each statement of the block looks at: the most rows that a step of its plan does, or steps of a machine."""
    with _rows(monkeypatch) if is_shared(world.store.url) else _steps(world.store._db) as found:  # type: ignore[attr-defined]
        yield found
        world.settle_writes()


@contextmanager
def _rows(monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    found: Work = []
    plain = PostgresDatabase._run

    def explained(db: PostgresDatabase, text: str, values: Any) -> Any:
        if text.lstrip().startswith(("SELECT", "WITH", "UPDATE", "INSERT", "DELETE")) and "advisory" not in text:
            is_alone = db.connection.info.transaction_status == TransactionStatus.IDLE
            plain(db, "BEGIN" if is_alone else "SAVEPOINT before", ())
            [[plans]] = plain(db, f"EXPLAIN (ANALYZE, TIMING off, FORMAT JSON) {text}", values)
            plain(db, "ROLLBACK" if is_alone else "ROLLBACK TO before", ())
            found.append((_looked_at(plans[0]["Plan"]), text))
        return plain(db, text, values)

    with monkeypatch.context() as patch:
        patch.setattr(PostgresDatabase, "_run", explained)
        yield found


def _looked_at(plan: dict[str, Any]) -> int:
    own = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Join Filter", 0)
    return max([int(own * plan["Actual Loops"]), *map(_looked_at, plan.get("Plans", ()))])


@contextmanager
def _steps(db: apsw.Connection) -> Iterator[Work]:
    found: Work = []

    def ended(event: dict[str, Any]) -> None:
        found.append((event["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"], event["sql"]))

    db.trace_v2(apsw.SQLITE_TRACE_PROFILE, ended)
    yield found
    db.trace_v2(0, None)


def total(work: Work) -> int:
    return sum(count for count, _ in work)


def started(world: World) -> str:
    """A replay that is begun and has done nothing yet."""
    planned = replay.plan(world.engine, DEAD, ANNA)
    world.store.write(lambda db: replays.set_state(db, planned.replay_id, "planned", "running", world.clock.at))
    return planned.replay_id


def go_on(world: World, replay_id: str, pages: int) -> None:
    for _ in range(pages):
        assert running.run_page(world.engine, replay_id) == PAGE
        world.clock.at += 1


def test_a_page_costs_the_same_from_the_first_to_the_last(paged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    replay_id, pages = started(paged), []
    for _ in range(LETTERS // PAGE):
        with work_of(paged, monkeypatch) as work:
            go_on(paged, replay_id, 1)
        pages.append(work)
        paged.run()
    assert max(map(total, pages)) < 1.25 * min(map(total, pages))  # a page more or less for another plan
    if is_shared(paged.store.url):
        assert [(count, text) for work in pages for count, text in work if count > PAGE] == []


def test_deliveries_are_sent_at_the_same_cost_however_many_wait(paged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on(paged, started(paged), LETTERS // PAGE)
    sent = len(paged.target("erp").sent)
    groups = []
    while len(paged.target("erp").sent) < sent + LETTERS - WINDOW:
        with work_of(paged, monkeypatch) as work:
            paged.engine.pump("erp")
        groups.append(work)
    assert len(groups) == LETTERS // WINDOW - 1  # full ones
    assert max(map(total, groups)) < 1.25 * min(map(total, groups))
    if is_shared(paged.store.url):
        first, last = {text: count for count, text in groups[0]}, groups[-1]
        assert [(count, text) for count, text in last if abs(count - first[text]) > PAGE] == []
