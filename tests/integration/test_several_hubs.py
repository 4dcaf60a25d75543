"""Several processes on one PostgreSQL store: order per lane, nothing twice, nothing lost, whoever dies when."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import PostgresServer

from hub.message import Finish
from hub.store import Store, conservation, deliveries

WORKER = Path(__file__).parent / "hub_worker.py"
ENOUGH = 240  # documents taken in


@pytest.fixture
def store(postgres: PostgresServer) -> Iterator[Store]:
    with postgres.opened() as opened:
        yield opened


def start(store: Store, name: str, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(WORKER), store.url, name, str(folder)])


def recover(store: Store, dead: str) -> None:
    """What a process had in hand when it died is anybody's again; what was on its way is tried once more."""
    found = (
        store.reader()
        .execute("SELECT delivery_id, tries + 1 FROM deliveries WHERE claimed_by = ? AND state = 'delivering'", (dead,))
        .fetchall()
    )
    ends = [Finish(id, "retrying", 1.0, 1.0, number, 1, 1, due_at=1.0) for id, number in found]
    store.write(lambda db: deliveries.finish(db, ends, "recovery"))
    for table in ("receipts", "deliveries"):
        store.write(lambda db, of=table: db.execute(f"UPDATE {of} SET claimed_by = NULL WHERE claimed_by = ?", (dead,)))


def lines(folder: Path) -> list[list[str]]:
    """What all processes noted, in the order of time; half a line that a death left is none."""
    noted = [line.split() for log in folder.glob("*.log") for line in log.read_text().splitlines(keepends=True)
             if line.endswith("\n")]  # fmt: skip
    return sorted(noted, key=lambda words: int(words[0]))


def wait_for(folder: Path, taken_in: int) -> None:
    """Until the processes have taken in so many documents, however slow the machine is."""
    until = time.monotonic() + 120
    while sum(words[1] == "ack" for words in lines(folder)) < taken_in:
        assert time.monotonic() < until
        time.sleep(0.05)


def run_for_a_while(store: Store, folder: Path, kill: bool) -> set[str]:
    """Three processes take in enough; with ``kill`` two of them die in between. Gives their names."""
    running = {name: start(store, name, folder) for name in ("a", "b", "c")}
    dead: set[str] = set()
    for number, name in enumerate(("a", "b") if kill else (), 1):
        wait_for(folder, number * ENOUGH // 3)
        running[name].send_signal(signal.SIGKILL)
        running.pop(name).wait()
        dead.add(name)
        recover(store, name)
        running[name + "2"] = start(store, name + "2", folder)
    wait_for(folder, ENOUGH)
    (folder / "last").touch()
    for process in running.values():
        assert process.wait(120) == 0
    return dead


@pytest.mark.parametrize("kill", [False, True], ids=["all live", "two are killed"])
def test_order_holds_and_nothing_is_lost_or_done_twice(store: Store, tmp_path: Path, kill: bool) -> None:
    dead = run_for_a_while(store, tmp_path, kill)
    noted = lines(tmp_path)
    acknowledged = {words[2] for words in noted if words[1] == "ack"}
    stored = {id for (id,) in store.reader().execute("SELECT receipt_id FROM receipts")}
    assert acknowledged <= stored
    assert len(stored) > 100
    with store.snapshot() as db:
        assert conservation.check(db) == []
        assert set(conservation.counted(db).deliveries) == {"delivered"}
    assert_order(noted)
    assert_each_once(store, noted, dead)


def assert_order(noted: list[list[str]]) -> None:
    """In a lane nothing starts before what came before it has ended, and nothing starts while another is on its way."""
    on_its_way: dict[str, str] = {}
    furthest: dict[str, int] = defaultdict(int)
    for _, kind, *words in noted:
        if kind == "start":
            lane, place, delivery = words[0], int(words[1]), words[2]
            assert on_its_way.get(lane, delivery) == delivery, f"{lane}: {delivery} beside {on_its_way[lane]}"
            assert place >= furthest[lane], f"{lane}: {place} after {furthest[lane]}"
            on_its_way[lane], furthest[lane] = delivery, place
        elif kind == "end":
            on_its_way = {lane: delivery for lane, delivery in on_its_way.items() if delivery != words[0]}


def assert_each_once(store: Store, noted: list[list[str]], dead: set[str]) -> None:
    """As many starts as tries that were recorded; only what a death interrupted may have one that was not."""
    starts: dict[str, int] = defaultdict(int)
    for _, kind, *words in noted:
        if kind == "start":
            starts[words[2]] += 1
    tries = dict(store.reader().execute("SELECT delivery_id, count(*) FROM attempts GROUP BY delivery_id"))
    assert set(starts) == set(tries)
    different = {id: (starts[id], tries[id]) for id in tries if starts[id] != tries[id]}
    recovered = store.reader().execute("SELECT count(*) FROM attempts WHERE worker = 'recovery'").get
    assert len(different) <= (recovered if dead else 0)
