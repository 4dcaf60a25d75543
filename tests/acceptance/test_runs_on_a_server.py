"""``o2c run`` on a PostgreSQL store: one at a time, since each takes what it finds in hand for what a crash left."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from hub_process import HubProcess
from receiver import Receiver
from servers import PostgresServer

Make = Callable[[], HubProcess]


@pytest.fixture
def store(postgres: PostgresServer) -> Iterator[str]:
    url = postgres.new_database()
    yield url
    postgres.drop(url)


@pytest.fixture
def make_run(tmp_path: Path, receiver: Receiver, store: str) -> Iterator[Make]:
    """A project folder, like the others but for its port, on the one store."""
    made: list[HubProcess] = []

    def make() -> HubProcess:
        hub = HubProcess(tmp_path / str(len(made)), receiver, idempotency="{mode: none}")
        hub.environment |= {"DATABASE_URL": store}
        listen = f'http: {{listen: "127.0.0.1:{hub.port}"}}'
        hub.write("config/hub.yaml", f"{listen}\ntime_zone: UTC\nstore: secret://env/DATABASE_URL\n")
        made.append(hub)
        return hub

    yield make
    for hub in made:
        hub.kill_what_runs()


def count(store: str, condition: str) -> int:
    with psycopg.connect(store) as connection:
        [[found]] = connection.execute(f"SELECT count(*) FROM deliveries WHERE {condition}".encode()).fetchall()
        return int(found)


def test_a_second_run_is_refused_while_the_first_one_lives(make_run: Make, store: str, receiver: Receiver) -> None:
    first, second = make_run(), make_run()
    receiver.deduplicates, receiver.seconds = False, 0.5
    first.start()
    for number in range(30):
        assert first.send(f"k{number}-1")[0] == 202
    first.wait_for(lambda: count(store, "state = 'delivering'") > 0)
    second.process = second.spawn("run")
    assert second.process.wait(60) == 1
    assert "another o2c run, o2c work or o2c sweep is at work on it (o2c run " in second.log
    first.wait_for(lambda: count(store, "state = 'delivered'") == 30)
    assert set(receiver.effects.values()) == {1}
    assert first.stop() == 0
    receiver.seconds = 0
    second.start()
    assert second.send("late-1")[0] == 202
    second.wait_for(lambda: "late-1" in receiver.effects)
    assert second.stop() == 0


def test_another_run_takes_over_from_one_that_was_killed(make_run: Make, receiver: Receiver) -> None:
    first, second = make_run(), make_run()
    first.start()
    first.kill_all()
    second.start()
    assert second.send("a-1")[0] == 202
    second.wait_for(lambda: "a-1" in receiver.effects)
    assert second.stop() == 0


def test_a_run_that_its_parent_starts_again_does_not_wait_for_its_own_lease(
    make_run: Make, store: str, receiver: Receiver
) -> None:
    hub = make_run()
    hub.start()
    holder = "SELECT holder, until FROM leases WHERE name = 'sweep'"
    with psycopg.connect(store, autocommit=True) as connection:
        connection.execute("UPDATE leases SET until = until + 1000")  # it would have to wait for long
        [(name, _)] = connection.execute(holder).fetchall()
        os.kill(hub.children()[0], signal.SIGKILL)
        hub.wait_until_ready()
        hub.wait_for(lambda: connection.execute(holder).fetchall()[0][0] == name)
    hub.send("a-1")
    hub.wait_for(lambda: "a-1" in receiver.effects)
    assert "is at work on it" not in hub.log
    assert hub.stop() == 0


def test_a_run_that_starts_forgets_only_acting_requests_that_nobody_can_still_be_working_on(
    make_run: Make, store: str
) -> None:
    hub = make_run()
    hub.start()
    begun = "INSERT INTO answers SELECT 'k', %s, 'asked', 0, '', extract(epoch FROM clock_timestamp()) + %s"
    with psycopg.connect(store, autocommit=True) as connection:
        for key, seconds_ago in (("just begun", 0), ("begun long ago", 3600)):
            connection.execute(begun, (key, 72 * 3600 - seconds_ago))
        [child] = hub.children()
        os.kill(child, signal.SIGKILL)
        hub.wait_for(lambda: hub.children() not in ([child], []))
        hub.wait_until_ready()
        left = "SELECT key FROM answers WHERE scope = 'k'"
        hub.wait_for(lambda: ("begun long ago",) not in connection.execute(left).fetchall())
        assert connection.execute(left).fetchall() == [("just begun",)]
    assert hub.stop() == 0


def test_a_run_whose_place_was_taken_ends_and_stands_by(make_run: Make, store: str) -> None:
    hub = make_run()
    hub.start()
    take = (
        "UPDATE leases SET holder = 'another', until = extract(epoch FROM clock_timestamp()) + {0} WHERE name = 'sweep'"
    )
    with psycopg.connect(store, autocommit=True) as connection:
        connection.execute(take.format(1000).encode())
        hub.wait_for(lambda: "another has taken over; it ends" in hub.log)
        hub.wait_for(lambda: "is at work on it (another)" in hub.log)
        connection.execute(take.format(0).encode())
    hub.wait_until_ready()
    assert hub.stop() == 0
