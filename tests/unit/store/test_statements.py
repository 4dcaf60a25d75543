"""What the embedded store writes all the time is compiled once, not at every transaction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub.store.sqlite import SqliteStore


def test_statements_stay_compiled_while_groups_of_a_dozen_orders_are_written(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "hub.db")

    def group(db: Any) -> int:
        for number in range(14):  # about as many as an order takes on its way
            db.executemany(f"SELECT {number} WHERE ? = 0", [(1,)] * 12)
        return int(db.cache_stats()["misses"])

    store.write(group)
    compiled = store.write(group)
    assert store.write(group) == compiled
    store.close()
