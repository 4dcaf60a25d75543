"""Connections that are lent: kept for the next use, and closed when there is none for a while."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from connectors._sftp_pool import Pool


class Kept:
    """A connection that is always good."""

    wire: Any = SimpleNamespace(is_usable=True)
    is_alive = True

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


def test_what_nobody_uses_is_closed_in_time_and_by_itself() -> None:
    made: list[Kept] = []

    def make() -> Kept:
        made.append(Kept())
        return made[-1]

    pool = Pool(make, 2, 1.0, idle_seconds=0.05)
    with pool.lent(), pool.lent():
        pass
    assert [session.closed.wait(20) for session in made] == [True, True]
    pool.close()
