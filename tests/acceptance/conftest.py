"""A hub and its target for each test; what they are is in ``hub_process`` and ``receiver``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_process import HubProcess
from receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.close()


@pytest.fixture
def make_hub(tmp_path: Path, receiver: Receiver) -> Iterator[Callable[..., HubProcess]]:
    made: list[HubProcess] = []

    def make(**options: Any) -> HubProcess:
        hub = HubProcess(tmp_path, receiver, **options)
        made.append(hub)
        return hub

    yield make
    for hub in made:
        hub.kill_what_runs()
