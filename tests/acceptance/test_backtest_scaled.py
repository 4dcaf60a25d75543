"""A back-test on a hub in several processes: asked for over the API, worked by the sweeper, begun anew when it dies."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from admin import call
from broker_servers import BrokerServer
from cluster import Cluster
from receiver import Receiver
from servers import PostgresServer

MAPPING = "mappings/order-in.yaml"
ORDERS = 300


@pytest.fixture
def cluster(
    tmp_path: Path, receiver: Receiver, postgres: PostgresServer, redis_server: BrokerServer
) -> Iterator[Cluster]:
    made = Cluster(tmp_path, receiver, postgres.new_database(), redis_server.url)
    yield made
    made.close()
    postgres.drop(made.store)


def test_a_back_test_survives_the_death_of_the_sweeper_that_runs_it(cluster: Cluster) -> None:
    cluster.serve()
    cluster.start_role("work")
    first = cluster.start_role("sweep")
    cluster.wait_until_ready()
    key = cluster.add_key()
    for number in range(ORDERS):
        assert cluster.send(f"o{number}")[0] == 202
    cluster.wait_until_quiet()
    text = (cluster.root / MAPPING).read_text()
    edited = text.replace("{const: C62}", "{const: XPX}")
    assert edited != text
    asked = {"name": "order-in", "files": {MAPPING: edited}, "since": "1h", "samples": 5}

    def state(backtest_id: str) -> Any:
        return call(cluster, key, "GET", f"/backtests/{backtest_id}")["state"]

    def result(backtest_id: str) -> Any:
        cluster.wait_for(lambda: state(backtest_id) == "done", 60)
        return cluster.rows("SELECT result FROM backtests WHERE backtest_id = %s", backtest_id)

    killed = call(cluster, key, "POST", "/backtests", asked)["backtest_id"]
    cluster.wait_for(lambda: state(killed) == "running", 30)
    assert cluster.end(first, signal.SIGKILL) == -signal.SIGKILL
    assert state(killed) == "running"  # nobody has ended it
    cluster.start_role("sweep")
    begun_anew = result(killed)

    undisturbed = call(cluster, key, "POST", "/backtests", asked)["backtest_id"]
    assert result(undisturbed) == begun_anew
    found = call(cluster, key, "GET", f"/backtests/{killed}/result")
    assert found["counts"]["changed"] == found["messages"] == ORDERS
