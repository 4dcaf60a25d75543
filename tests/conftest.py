"""Fixtures that tests of several folders share."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from broker_servers import RabbitServer, RedisServer, running
from pgp_keys import People, people_with_keys
from servers import PostgresServer, postgres_server

gc.set_threshold(50_000, 20, 20)  # as the program does: what tests hold is large, and stays


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A Redis server of this test run's own."""
    with running(RedisServer) as server:
        yield server


@pytest.fixture(scope="session")
def rabbit_server() -> Iterator[RabbitServer]:
    """A RabbitMQ server of this test run's own."""
    with running(RabbitServer) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this test run's own."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def people() -> Iterator[People]:
    """People with PGP keys."""
    with people_with_keys() as made:
        yield made
