"""Limits hold for all workers together, in processes of their own: counted by the target, not by the hub."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from admin import call
from broker_servers import BrokerServer
from cluster import Cluster
from receiver import Receiver
from servers import PostgresServer

from hub.broker import QUEUE, open_wire
from hub.broker.publisher import messages
from hub.broker.remote import RemoteBroker

Make = Callable[[str], Cluster]


@pytest.fixture
def make_cluster(
    tmp_path: Path, receiver: Receiver, postgres: PostgresServer, redis_server: BrokerServer
) -> Iterator[Make]:
    made: list[Cluster] = []

    def make(limits: str) -> Cluster:
        """A cluster whose target has these limits, with three workers below two parents."""
        cluster = Cluster(tmp_path, receiver, postgres.new_database(), redis_server.url)
        made.append(cluster)
        systems = (cluster.root / "config/systems.yaml").read_text()
        cluster.write("config/systems.yaml", systems.replace("limits: {concurrency: 16}", limits))
        cluster.serve()
        cluster.start_role("work", "--processes", "2")
        cluster.start_role("work")
        cluster.start_role("sweep")
        cluster.wait_until_ready()
        cluster.wait_for(lambda: cluster.ready() | {"workers": 3, "sweeper": True} == cluster.ready())
        return cluster

    yield make
    for cluster in made:
        cluster.close()
        postgres.drop(cluster.store)


def bring(cluster: Cluster, count: int, name: str = "k") -> set[str]:
    """Orders of as many keys; gives their references."""
    references = {f"{name}{number}-1" for number in range(count)}
    assert {cluster.send(reference)[0] for reference in references} == {202}
    return references


def who_sent(cluster: Cluster) -> set[str]:
    return {str(worker) for (worker,) in cluster.rows("SELECT DISTINCT worker FROM attempts")}


def wake_all_workers(cluster: Cluster, seconds: float) -> None:
    """Tell every worker all the time that something is due, as a busy hub does."""
    broker = RemoteBroker(partial(open_wire, cluster.environment["BROKER_URL"]))
    broker.declare_queue(QUEUE)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        broker.push(messages((), ["erp"] * 6))
        time.sleep(0.02)
    broker.close()


def test_a_rate_is_that_of_all_workers_also_when_one_is_killed(make_cluster: Make, receiver: Receiver) -> None:
    cluster = make_cluster("limits: {rate: 20/s}")
    began = time.monotonic()
    sent = bring(cluster, 240)
    cluster.wait_for(lambda: len(receiver.effects) >= 80)
    os.kill(cluster.workers()[0], signal.SIGKILL)  # its parent starts another one, which wants a share too
    cluster.wait_for(lambda: set(receiver.effects) == sent, 90)
    # One more for each worker: they do not know when the others send.
    assert receiver.most_within(1.0) <= 20 + 4
    assert receiver.most_within(5.0) <= 5 * 20 + 4
    assert time.monotonic() - began >= (240 - 4) / 20
    assert len(who_sent(cluster)) >= 3
    assert set(receiver.effects.values()) == {1}


def test_concurrency_is_that_of_all_workers_also_when_one_is_killed(make_cluster: Make, receiver: Receiver) -> None:
    receiver.seconds = 0.1
    cluster = make_cluster("limits: {concurrency: 3}")
    sent = bring(cluster, 200)
    cluster.wait_for(lambda: len(receiver.effects) >= 60)
    os.kill(cluster.workers()[0], signal.SIGKILL)
    cluster.wait_for(lambda: set(receiver.effects) == sent, 90)
    assert receiver.most_at_once() == 3
    assert len(who_sent(cluster)) >= 3
    assert set(receiver.effects.values()) == {1}


def test_an_operator_changes_a_limit_for_all_workers(make_cluster: Make, receiver: Receiver) -> None:
    receiver.seconds = 0.1
    cluster = make_cluster("limits: {concurrency: 12}")
    token = cluster.add_key()
    sent = bring(cluster, 60)
    cluster.wait_for(lambda: len(receiver.effects) >= 20)
    view = call(cluster, token, "POST", "/systems/erp/limits", {"concurrency": 3, "reason": "slow season"})
    assert view["limits"]["concurrency"] == 3
    cluster.wait_for(lambda: set(receiver.effects) == sent)
    time.sleep(1)  # every worker has looked at the rows by now
    changed = time.monotonic()
    sent |= bring(cluster, 60, "later")
    cluster.wait_for(lambda: set(receiver.effects) == sent)
    assert receiver.most_at_once(since=changed) <= 3
    assert receiver.most_at_once() > 3


def test_one_probe_at_a_time_finds_out_for_all_workers_whether_a_system_is_back(
    make_cluster: Make, receiver: Receiver
) -> None:
    cluster = make_cluster("limits: {concurrency: 12}\n  breaker: {failures: 5, open: 2s}")
    sent = bring(cluster, 30)
    cluster.wait_for(lambda: set(receiver.effects) == sent)
    receiver.away, receiver.seconds = True, 0.4  # long enough that two probes would be seen side by side
    sent |= bring(cluster, 60, "away")
    cluster.wait_for(lambda: cluster.rows("SELECT 1 FROM circuits") != [])
    time.sleep(2)  # what was on its way has ended, and every worker knows
    opened, before = time.monotonic(), receiver.requests
    wake_all_workers(cluster, 10)
    probes = receiver.requests - before
    assert 2 <= probes <= 7  # every 2.4 s; all workers for themselves would make three times as many
    assert receiver.most_at_once(since=opened) == 1
    receiver.away, receiver.seconds = False, 0.0
    cluster.wait_for(lambda: set(receiver.effects) == sent, 30)
    assert cluster.rows("SELECT * FROM circuits") == []
    assert set(receiver.effects.values()) == {1}
