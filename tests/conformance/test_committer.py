"""Group commit, on both databases: jobs of several threads share a transaction, and each hears of its own."""

from __future__ import annotations

import queue
import threading
from typing import Any

from hub.errors import StoreRefused
from hub.store import Store
from hub.store.commit import Done, Part
from hub.store.database import Database


def test_a_group_whose_one_job_fails_commits_the_others(store: Store) -> None:
    done: dict[str, Any] = {}
    ready = threading.Event()

    def note(name: str) -> Any:
        def finished(result: Any, error: Exception | None) -> None:
            done[name] = error or result
            if len(done) == 3:
                ready.set()

        return finished

    def wrong(db: Database) -> None:
        db.execute("INSERT INTO switches VALUES ('nonsense', 'x', 'paused', '', 0, '')")

    with store.committer._lock:
        for name, job in (("a", lambda db: "stored"), ("b", wrong), ("c", lambda db: "stored")):
            store.committer.submit(job, note(name))
    assert ready.wait(10)
    assert (done["a"], done["c"]) == ("stored", "stored")
    assert isinstance(done["b"], StoreRefused)


def too_large(db: Database) -> None:
    db.execute("INSERT INTO read_to VALUES ('x', ?)", [1 << 64])


def mistaken(db: Database) -> None:
    raise ZeroDivisionError


def test_whatever_one_job_of_a_group_raises_the_others_are_done_and_the_writer_goes_on(store: Store) -> None:
    heard = queue.Queue[tuple[str, object, object]]()

    def note(name: str) -> Done:
        return lambda result, error: heard.put((name, result, error))

    for job in (too_large, mistaken):
        with store.committer._lock:
            for name, each in (("a", lambda db: "stored"), ("b", job), ("c", lambda db: "stored")):
                store.committer.submit(each, note(name))
        told = {name: (result, error) for name, result, error in (heard.get(timeout=10) for _ in range(3))}
        assert told["a"] == told["c"] == ("stored", None)
        assert isinstance(told["b"][1], Exception)
    store.committer.submit(lambda db: "later", note("d"))
    assert heard.get(timeout=10) == ("d", "later", None)


def test_parts_of_the_same_work_that_wait_are_done_together_and_each_hears_of_its_own(store: Store) -> None:
    heard = queue.Queue[tuple[str, object]]()
    together: list[list[str]] = []

    def add(db: Database, names: list[str]) -> list[str]:
        together.append(list(names))
        rows = [("wrong" if name == "wrong" else "route", name) for name in names]
        db.executemany("INSERT INTO switches VALUES (?, ?, 'paused', '', 0, '')", rows)
        return [name.upper() for name in names]

    def note(name: str) -> Done:
        return lambda result, error: heard.put((name, type(error) if error else result))

    with store.committer._lock:
        for name in ("a", "b", "c"):
            store.committer.submit(Part(add, name), note(name))
            store.committer.submit(lambda db: "beside", note(f"beside {name}"))
    beside = [(f"beside {name}", "beside") for name in "abc"]
    assert sorted(heard.get(timeout=10) for _ in range(6)) == [("a", "A"), ("b", "B"), *beside, ("c", "C")]
    assert together == [["a", "b", "c"]]

    with store.committer._lock:
        for name in ("d", "wrong", "e"):
            store.committer.submit(Part(add, name), note(name))
    told = dict(heard.get(timeout=10) for _ in range(3))
    assert told == {"d": "D", "wrong": StoreRefused, "e": "E"}
    assert {name for (name,) in store.reader().execute("SELECT name FROM switches")} == set("abcde")


def test_whoever_fails_on_hearing_of_a_commit_keeps_nobody_else_from_it(store: Store) -> None:
    heard = queue.Queue[object]()

    def fail(result: object, error: Exception | None) -> None:
        raise ZeroDivisionError

    for done in (fail, lambda result, error: heard.put(result)):
        store.committer.submit(lambda db: db.execute("SELECT 7").get, done)
    assert heard.get(timeout=10) == 7
