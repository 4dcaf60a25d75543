"""The short form of the chaos on real servers: a few faults of every sort. ``make chaos`` does all of them.

``SEED=…`` does another order, other moments and victims; what is printed tells what was done when, and how long it took
until deliveries flowed again.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from broker_servers import RedisServer
from faults import ALONE_CLOCKS, FAULTS, REDIS
from rounds import run_round
from servers import PostgresServer

SEED = os.environ.get("SEED", "1")
SHORT = {
    REDIS: (
        "killed: workers, three times", "broker: emptied", "PostgreSQL: dies and is started",
        "hub–store: broken in the middle of bytes", "hub–target: every packet lost",
    ),
    ALONE_CLOCKS: ("killed: every process", "clock: an hour forward and right again"),
}  # fmt: skip


@pytest.mark.parametrize("hub", SHORT)
def test_faults_under_load_lose_nothing_and_do_nothing_twice(
    hub: str, tmp_path: Path, postgres: PostgresServer, redis_server: RedisServer
) -> None:
    chosen = [fault for fault in FAULTS if fault.name in SHORT[hub]]
    assert len(chosen) == len(SHORT[hub])
    results = run_round(hub, chosen, tmp_path, postgres, redis_server if hub == REDIS else None, SEED)
    assert len(results) == len(chosen)
