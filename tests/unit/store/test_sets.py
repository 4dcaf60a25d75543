"""Deployed sets of files: what was put in comes out again, by few statements."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub.store import open_store, sets


class Counting:
    """A database that counts what it is asked."""

    def __init__(self, db: Any) -> None:
        self._db, self.statements = db, 0

    def execute(self, *asked: Any) -> Any:
        self.statements += 1
        return self._db.execute(*asked)


def test_the_files_of_a_set_come_at_once(tmp_path: Path) -> None:
    """On a server each statement is a way there and back, and a busy one lets each of them wait."""
    store = open_store("sqlite:///hub.db", tmp_path)
    files = {f"mappings/m{number}.yaml": b"x" * (number // 2) for number in range(300)}
    set_id = store.write(lambda db: sets.put(db, files, "hash", 1.0, "test", "1"))
    db = Counting(store.reader())
    assert sets.files_of(db, set_id) == files  # type: ignore[arg-type]
    assert db.statements == 2
    store.close()
