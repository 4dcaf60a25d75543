"""``o2c copy-store`` as its user has it: beside a hub that runs, killed in the middle, and run once more."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from hub_process import HubProcess
from servers import PostgresServer

ORDERS, LATER = 30, 5
# Whoever copies attempts waits here, in the middle of the copy, for as long as the test holds the lock.
STALL = """CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN new; END $$;
  CREATE TRIGGER stall BEFORE INSERT ON attempts FOR EACH ROW EXECUTE FUNCTION stall()"""
WAITS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted"


@pytest.fixture
def hub(make_hub: Callable[..., HubProcess]) -> HubProcess:
    return make_hub()


def test_a_copy_that_was_killed_leaves_nothing_and_the_next_one_is_whole(
    hub: HubProcess, postgres: PostgresServer
) -> None:
    target = postgres.new_database()
    hub.environment["DATABASE_URL"] = target
    hub.start()
    for number in range(ORDERS):
        assert hub.send(f"A-{number}")[0] == 202
    hub.wait_until_quiet()
    counts = _kill_in_the_middle(hub, target)
    assert set(counts.values()) == {0}

    copying = hub.spawn("copy-store", "secret://env/DATABASE_URL")  # the hub runs on meanwhile
    for number in range(LATER):
        assert hub.send(f"B-{number}")[0] == 202
    assert copying.wait(60) == 0, hub.log
    hub.wait_until_quiet()
    assert hub.stop() == 0
    assert hub.spawn("copy-store", "secret://env/DATABASE_URL").wait(60) == 1  # rows are there: nothing is added
    assert "the target is not empty" in hub.log

    copied = _count(target, "receipts")
    assert ORDERS <= copied <= ORDERS + LATER
    hub.write(
        "config/hub.yaml",
        f'http: {{listen: "127.0.0.1:{hub.port}"}}\ntime_zone: UTC\nstore: secret://env/DATABASE_URL\n',
    )
    hub.start()
    again = [hub.send(f"{'A' if number < ORDERS else 'B'}-{number % ORDERS}")[0] for number in range(ORDERS + LATER)]
    assert (again.count(200), again.count(202)) == (copied, ORDERS + LATER - copied)  # repeats of what was copied
    hub.wait_for(lambda: _count(target, "deliveries WHERE state = 'delivered'") == ORDERS + LATER)
    assert _count(target, "receipts") == ORDERS + LATER
    assert hub.stop() == 0
    postgres.drop(target)


def _kill_in_the_middle(hub: HubProcess, target: str) -> dict[str, int]:
    """Rows of each table after a copy was killed that had copied some of them."""
    with psycopg.connect(target, autocommit=True) as connection:
        assert hub.spawn("migrate", "--project", str(_scaled(hub))).wait(60) == 0, hub.log
        connection.execute(STALL)
        connection.execute("SELECT pg_advisory_lock(4711)")
        copying = hub.spawn("copy-store", "secret://env/DATABASE_URL")
        hub.wait_for(lambda: connection.execute(WAITS).fetchone() == (1,))
        os.killpg(copying.pid, signal.SIGKILL)
        copying.wait()
        connection.execute("SELECT pg_advisory_unlock(4711)")
        connection.execute("DROP TRIGGER stall ON attempts")
    return {table: _count(target, table) for table in ("receipts", "messages", "deliveries", "attempts", "payloads")}


def _scaled(hub: HubProcess) -> Path:
    """The same project with the store that it is moved to."""
    folder = hub.root / "scaled"
    (folder / "config").mkdir(parents=True)
    (folder / "config/hub.yaml").write_text("time_zone: UTC\nstore: secret://env/DATABASE_URL\n")
    return folder


def _count(url: str, rows: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(f"SELECT count(*) FROM {rows}").fetchone()
        assert found is not None
        return int(found[0])
