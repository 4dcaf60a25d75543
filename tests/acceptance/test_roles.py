"""The hub in several processes, on PostgreSQL with Redis and with RabbitMQ: nothing is lost and nobody is refused."""

from __future__ import annotations

import http.client
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from admin import call
from broker_servers import BrokerServer
from cluster import Cluster
from hub_process import HubProcess, order, signed
from load import Load, Senders, in_order
from receiver import Receiver
from servers import PostgresServer

Make = Callable[..., Cluster]


@pytest.fixture(params=["redis", "rabbit"])
def broker(request: pytest.FixtureRequest) -> BrokerServer:
    server: BrokerServer = request.getfixturevalue(f"{request.param}_server")
    return server


@pytest.fixture
def make_cluster(tmp_path: Path, receiver: Receiver, postgres: PostgresServer) -> Iterator[Make]:
    made: list[Cluster] = []

    def make(broker: BrokerServer, empty: bool = False, **options: str) -> Cluster:
        made.append(Cluster(tmp_path, receiver, postgres.new_database(empty), broker.url, **options))
        return made[-1]

    yield make
    for cluster in made:
        cluster.close()
        postgres.drop(cluster.store)


def check_all_arrived(cluster: Cluster, receiver: Receiver, load: Load) -> None:
    cluster.wait_until_quiet()
    assert set(load.acknowledged) <= set(receiver.effects)
    assert {reference: count for reference, count in receiver.effects.items() if count != 1} == {}
    assert in_order(receiver)


def test_an_order_is_delivered_and_an_idle_hub_is_quick(
    make_cluster: Make, broker: BrokerServer, receiver: Receiver
) -> None:
    cluster, took = make_cluster(broker), []
    cluster.start()
    assert cluster.send("warm-1")[0] == 202
    cluster.wait_for(lambda: "warm-1" in receiver.effects)
    for number in range(20):
        started = time.monotonic()
        assert cluster.send(f"a-{number}")[0] == 202
        while f"a-{number}" not in receiver.effects:
            assert time.monotonic() < started + 5
            time.sleep(0.0005)
        took.append(time.monotonic() - started)
        time.sleep(0.1)
    print(f"idle, from request to effect: {1000 * statistics.median(took):.1f} ms in the median of 20")
    assert statistics.median(took) < 0.5  # the sweeper, which finds what nobody was told of, takes seconds
    assert [cluster.end(process) for process in cluster.processes] == [0, 0, 0]
    assert cluster.rows("SELECT count(*) FROM leases") == [(0,)]


def test_the_parts_may_start_in_any_order(make_cluster: Make, broker: BrokerServer, receiver: Receiver) -> None:
    broker.stop()
    cluster = make_cluster(broker, empty=True)
    try:
        cluster.start_role("work")
        cluster.start_role("sweep")
        cluster.serve()
        cluster.wait_for(lambda: cluster.log.count("make them with: o2c migrate") >= 3)
        assert subprocess.run(
            [sys.executable, "-m", "hub.cli", "migrate"], cwd=cluster.root, env=cluster.environment, capture_output=True
        ).returncode == 0  # fmt: skip
        cluster.wait_until_ready()
        assert cluster.send("a-1")[0] == 202
    finally:
        broker.start()
    cluster.wait_for(lambda: "a-1" in receiver.effects, 15)


def seconds_until_delivered(cluster: Cluster, receiver: Receiver, reference: str) -> float:
    started = time.monotonic()
    assert cluster.send(reference)[0] == 202
    cluster.wait_for(lambda: reference in receiver.effects)
    return time.monotonic() - started


def test_a_broker_that_is_emptied_restarted_and_away_loses_nothing_and_delays_little(
    make_cluster: Make, broker: BrokerServer, receiver: Receiver
) -> None:
    cluster = make_cluster(broker)
    cluster.start()
    with Load(cluster, lanes=3, pause=0.05) as load:
        time.sleep(1)
        usual = seconds_until_delivered(cluster, receiver, "usual-1")
        broker.flush()
        time.sleep(1)
        broker.stop()
        time.sleep(3)
        assert cluster.send("away-1")[0] == 202
        broker.start()
        back = time.monotonic()
        seconds_until_delivered(cluster, receiver, "away-2")
        cluster.wait_for(lambda: "away-1" in receiver.effects)
        took = time.monotonic() - back
        print(f"delivered {took:.1f} s after the broker was back, else after {usual:.1f} s")
        assert took < 5 + 2 * usual
    check_all_arrived(cluster, receiver, load)


def test_a_worker_that_is_killed_leaves_nothing_behind(
    make_cluster: Make, rabbit_server: BrokerServer, receiver: Receiver
) -> None:
    """With Redis, the short form of the chaos rounds does it."""
    cluster = make_cluster(rabbit_server)
    cluster.start()
    with Load(cluster, pause=0.05) as load:
        for _ in range(3):
            time.sleep(1)
            victim = cluster.workers()[0]
            os.kill(victim, signal.SIGKILL)
            cluster.wait_for(lambda gone=victim: gone not in cluster.workers() and len(cluster.workers()) == 2)
    started = time.monotonic()
    check_all_arrived(cluster, receiver, load)
    print(f"all of {len(load.acknowledged)} delivered {time.monotonic() - started:.1f} s after the load")


def test_a_worker_that_waits_for_the_lock_of_another_stays_alive(
    make_cluster: Make, redis_server: BrokerServer, receiver: Receiver
) -> None:
    cluster = make_cluster(redis_server)
    cluster.start()
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with psycopg.connect(cluster.store) as other:
        other.execute("LOCK TABLE messages IN EXCLUSIVE MODE")
        ends = cluster.rows("SELECT max(until) + 5 FROM leases WHERE name LIKE 'work %%'")[0][0]
        assert cluster.send("a-1")[0] == 202
        cluster.wait_for(lambda: cluster.rows(waiting)[0][0] > 0)
        cluster.wait_for(lambda: cluster.rows("SELECT min(until) FROM leases WHERE name LIKE 'work %%'")[0][0] > ends)
        assert cluster.rows(waiting)[0][0] > 0
    cluster.wait_for(lambda: "a-1" in receiver.effects)
    assert "a worker died" not in cluster.log


def test_a_store_that_dies_and_comes_back_loses_nothing(
    make_cluster: Make, redis_server: BrokerServer, postgres: PostgresServer, receiver: Receiver
) -> None:
    cluster = make_cluster(redis_server)
    cluster.start()
    with Load(cluster, lanes=3, pause=0.05) as load:
        time.sleep(1.5)
        postgres.stop("immediate")
        time.sleep(7)  # longer than any lease
        postgres.start()
        cluster.wait_until_ready()
        time.sleep(1.5)
    check_all_arrived(cluster, receiver, load)
    assert len(cluster.workers()) == 2
    assert "a worker died" not in cluster.log  # they were only cut off


def test_another_sweeper_takes_over_within_seconds(
    make_cluster: Make, redis_server: BrokerServer, receiver: Receiver
) -> None:
    cluster = make_cluster(redis_server)
    cluster.start()
    first = cluster.processes[-1]
    second = cluster.start_role("sweep")
    [(holder,)] = cluster.rows("SELECT holder FROM leases WHERE name = 'sweep'")
    assert f"-{first.pid}-" in holder
    time.sleep(2)  # the second one stands by
    cluster.end(first, signal.SIGKILL)
    killed = time.monotonic()
    cluster.wait_for(
        lambda: f"-{second.pid}-" in cluster.rows("SELECT holder FROM leases WHERE name = 'sweep'")[0][0], 10
    )
    print(f"taken over after {time.monotonic() - killed:.1f} s")
    receiver.away = True
    assert cluster.send("a-1")[0] == 202
    cluster.wait_for(lambda: receiver.requests > 2)  # retries come from the one that leads now
    receiver.away = False
    cluster.wait_for(lambda: "a-1" in receiver.effects)
    assert cluster.end(second) == 0


def test_serving_processes_are_replaced_without_a_failed_request(
    make_cluster: Make, redis_server: BrokerServer, receiver: Receiver
) -> None:
    cluster = make_cluster(redis_server)
    cluster.start()
    serving = [cluster.processes[0], cluster.serve()]
    cluster.wait_for(lambda: cluster.log.count("the hub listens") == 2)
    with Patient(cluster) as load:
        for turn in range(4):
            assert cluster.end(serving[turn % 2]) == 0
            serving[turn % 2] = cluster.serve()
            cluster.wait_for(lambda seen=turn: cluster.log.count("the hub listens") == 3 + seen)
            time.sleep(0.5)
    assert load.failures == []
    assert len(load.acknowledged) > 200
    cluster.wait_until_quiet()
    assert set(load.acknowledged) == set(receiver.effects)


def test_a_worker_told_to_end_finishes_what_is_in_hand(
    make_cluster: Make, redis_server: BrokerServer, receiver: Receiver
) -> None:
    cluster = make_cluster(redis_server, idempotency="{mode: none}")
    receiver.deduplicates, receiver.seconds = False, 0.5
    cluster.serve()
    work = cluster.start_role("work")
    cluster.start_role("sweep")
    cluster.wait_until_ready()
    for number in range(30):
        assert cluster.send(f"k{number}-1")[0] == 202
    cluster.wait_for(lambda: receiver.requests > 3)
    assert cluster.end(work) == 0
    assert cluster.rows("SELECT count(*) FROM deliveries WHERE claimed_by IS NOT NULL") == [(0,)]
    assert cluster.rows("SELECT count(*) FROM deliveries WHERE state IN ('unknown', 'held')") == [(0,)]
    cluster.start_role("work")
    cluster.wait_until_quiet()
    assert len(receiver.effects) == 30
    assert set(receiver.effects.values()) == {1}


def test_readiness_tells_how_the_parts_are(make_cluster: Make, redis_server: BrokerServer) -> None:
    cluster = make_cluster(redis_server)
    cluster.serve()
    cluster.wait_until_ready()
    assert cluster.ready() == {
        "status": "ready", "checks": {"store": "ok", "backlog": "ok"}, "workers": 0, "sweeper": False, "broker": "ok",
    }  # fmt: skip
    cluster.start_role("work", "--processes", "2")
    cluster.start_role("sweep")
    cluster.wait_for(lambda: (cluster.ready()["workers"], cluster.ready()["sweeper"]) == (2, True))
    redis_server.stop()
    cluster.wait_for(lambda: cluster.ready()["broker"] == "away")
    redis_server.start()
    cluster.wait_for(lambda: cluster.ready()["broker"] == "ok")


def test_a_deploy_is_followed_by_every_process(
    make_cluster: Make, redis_server: BrokerServer, receiver: Receiver
) -> None:
    cluster = make_cluster(redis_server)
    key = cluster.add_key()
    cluster.start()
    cluster.send("a-1")
    cluster.wait_for(lambda: "a-1" in receiver.effects)
    mapping = (cluster.root / "mappings/order-out.yaml").read_text()
    cluster.write(
        "mappings/order-out.yaml", mapping.replace("reference: src.report_id", "ref: \"'new-' + src.report_id\"")
    )
    set_id = call(cluster, key, "POST", "/deployments", {})["set_id"]
    workers = {str(name) for (name,) in cluster.rows("SELECT holder FROM leases WHERE name <> 'sweep'")}
    cluster.wait_for(lambda: workers <= set(re.findall(f'"set_id": {set_id}, "worker": "([^"]+)"', cluster.log)))
    assert len(workers) == 2
    cluster.send("a-2")
    cluster.wait_for(lambda: "new-a-2" in receiver.effects)
    assert dict(receiver.effects) == {"a-1": 1, "new-a-2": 1}


@pytest.mark.parametrize("role", ["serve", "work", "sweep"])
def test_an_embedded_store_is_refused(make_hub: Callable[..., HubProcess], role: str) -> None:
    hub = make_hub()
    ended = subprocess.run(
        [sys.executable, "-m", "hub.cli", role], cwd=hub.root, env=hub.environment, capture_output=True, timeout=60
    )
    assert ended.returncode == 1
    assert "an embedded store is one process's" in ended.stderr.decode()
    assert "o2c run" in ended.stderr.decode()
    assert "Traceback" not in ended.stderr.decode()


def test_everything_in_one_process_does_not_start_beside_others(
    make_cluster: Make, redis_server: BrokerServer, receiver: Receiver
) -> None:
    cluster = make_cluster(redis_server)
    cluster.start()
    alone = cluster.start_role("run")
    assert alone.wait(30) == 1
    assert "o2c work or o2c sweep is at work on it" in cluster.log
    assert cluster.send("a-1")[0] == 202
    cluster.wait_for(lambda: "a-1" in receiver.effects)


def test_a_worker_waits_for_the_end_of_everything_in_one_process(
    make_cluster: Make, redis_server: BrokerServer, receiver: Receiver
) -> None:
    cluster = make_cluster(redis_server)
    cluster.listener.close()  # its address is that of the one process
    alone = cluster.spawn("run")
    cluster.processes.append(alone)
    cluster.wait_for(lambda: bool(cluster.rows("SELECT holder FROM leases WHERE starts_with(holder, 'o2c run ')")))
    cluster.processes.append(cluster.spawn("work"))
    cluster.wait_for(lambda: "another hub is at work on it" in cluster.log)
    cluster.wait_for(lambda: cluster.rows("SELECT holder FROM leases WHERE starts_with(name, 'work ')") == [])
    cluster.wait_until_ready()
    assert cluster.send("a-1")[0] == 202
    cluster.wait_for(lambda: "a-1" in receiver.effects)
    assert cluster.end(alone) == 0
    cluster.wait_for(lambda: bool(cluster.rows("SELECT holder FROM leases WHERE starts_with(name, 'work ')")))


class Patient(Senders):
    """Senders that keep their connections, and send nothing again: every failed request counts. They leave the
    machine time to start processes in."""

    def __init__(self, cluster: Cluster, senders: int = 6) -> None:
        self.acknowledged: list[str] = []
        self.failures: list[str] = []
        self._cluster = cluster
        super().__init__(f"p{n}" for n in range(senders))

    def run(self, lane: str) -> None:
        connection, number = http.client.HTTPConnection("127.0.0.1", self._cluster.port, timeout=15), 0
        while not self.stop.is_set():
            reference, number = f"{lane}-{number}", number + 1
            body = order(reference)
            try:
                connection.request("POST", "/in/shop", body, signed(body, reference))
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(f"{reference}: {error!r}")
                connection.close()
                continue
            if answer.status == 202:
                self.acknowledged.append(reference)
            else:
                self.failures.append(f"{reference}: {answer.status}")
            self.stop.wait(0.05)
        connection.close()
