"""Deployed sets of files: what was put in comes out again, by few statements."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

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


@pytest.mark.parametrize(
    ("acts", "before", "taken_back"),
    [
        ("", "", ""),
        ("A", "", ""),
        ("A A", "", ""),  # the same once more, for its secrets
        ("A B C", "B", ""),
        ("A B C <B", "A", "C"),
        ("A B C <B <A", "", "BC"),
        ("A B C B", "C", ""),
        ("A B C B <C", "B", "B"),
        ("A B C B <C <B", "A", "C"),
        ("A B A", "B", ""),
        ("A B A <B", "A", "A"),
        ("A B <A A", "", ""),
        ("A B <A C", "A", ""),
        ("A B <A C <A", "", "C"),
        ("A B <A B", "A", ""),
        # As versions before this one went back: to the next lower number, and with the oldest acts no longer there.
        ("A B C B <A", "", "BC"),
        ("A B <A C <B", "A", "C"),
        ("<A C", "A", ""),
        ("<A", "", ""),
    ],
)
def test_one_goes_back_to_what_was_in_force_before(tmp_path: Path, acts: str, before: str, taken_back: str) -> None:
    store = open_store("sqlite:///hub.db", tmp_path)
    ids = {name: store.write(lambda db, n=name: sets.put(db, {}, n, 1.0, "test", "1")) for name in "ABC"}
    for act in acts.split():
        step = sets.go_back if act.startswith("<") else sets.activate
        store.write(lambda db, step=step, act=act: step(db, ids[act[-1]], 1.0, "test"))
    db = store.reader()
    assert sets.before(db) == ids.get(before)
    assert [name for name in ids if sets.is_taken_back(db, name)] == list(taken_back)
    assert not sets.is_taken_back(db, "never deployed")
    store.close()
