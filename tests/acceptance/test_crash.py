"""The hub is killed, its target goes away, its disk fills up: nothing acknowledged is lost, nothing happens twice."""

from __future__ import annotations

import http.client
import os
import random
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_process import HubProcess
from load import Load, in_order
from poison import make_poisonable
from receiver import Receiver

KILLS = 20


def test_twenty_kills_under_load_lose_nothing_and_do_nothing_twice(
    make_hub: Callable[..., HubProcess], receiver: Receiver
) -> None:
    hub = make_hub()
    hub.start()
    chance = random.Random(11)
    with Load(hub, pause=0.02) as load:  # so that there is time to start it again
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.05, 0.4))
            [child] = hub.children()
            os.kill(child, signal.SIGKILL)
            hub.wait_for(lambda gone=child: hub.children() not in ([gone], []))
            hub.wait_until_ready()
    hub.wait_until_quiet()
    assert len(load.acknowledged) > 100
    assert set(load.acknowledged) <= set(receiver.effects)
    assert {reference: count for reference, count in receiver.effects.items() if count != 1} == {}
    assert in_order(receiver)
    assert hub.stop() == 0


def test_a_hub_that_is_told_to_stop_while_it_is_down_stops_at_once(make_hub: Callable[..., HubProcess]) -> None:
    hub = make_hub()
    hub.start()
    [child] = hub.children()
    os.kill(child, signal.SIGKILL)
    hub.wait_for(lambda: "the hub died and is started again" in hub.log)
    assert hub.stop() == 0
    assert "Traceback" not in hub.log


def test_the_whole_tree_killed_with_a_look_up_target_takes_no_effect_twice(
    make_hub: Callable[..., HubProcess], receiver: Receiver
) -> None:
    lookup = '{mode: lookup, request: "GET /orders?key={key}", found: "count(body) > 0", settle: 1s}'
    hub = make_hub(idempotency=lookup)
    receiver.deduplicates = False
    for _ in range(3):
        hub.start()
        with Load(hub):
            time.sleep(0.7)
            hub.kill_all()
    hub.start()
    hub.wait_until_quiet()
    assert {reference: count for reference, count in receiver.effects.items() if count != 1} == {}
    assert len(receiver.effects) == hub.rows("SELECT count(*) FROM deliveries WHERE state = 'delivered'")[0][0]
    assert in_order(receiver)


def test_doubt_about_a_target_that_offers_nothing_is_held_for_a_person(
    make_hub: Callable[..., HubProcess], receiver: Receiver
) -> None:
    hub = make_hub(idempotency="{mode: none}")
    receiver.deduplicates = False
    hub.start()
    with Load(hub):
        time.sleep(0.7)
        receiver.seconds = 2.0
        hub.wait_for(lambda: receiver.requests > len(receiver.spans))  # one that it has not answered
        hub.kill_all()
    receiver.seconds = 0.0
    hub.start()
    hub.wait_until_quiet()
    states: dict[Any, Any] = dict(hub.rows("SELECT state, count(*) FROM deliveries GROUP BY state"))
    assert {"held"} <= set(states) <= {"delivered", "held", "queued"}
    assert {reference: count for reference, count in receiver.effects.items() if count != 1} == {}


def test_a_target_that_refuses_a_fifth_and_is_away_for_five_seconds_gets_everything_in_order(
    make_hub: Callable[..., HubProcess], receiver: Receiver
) -> None:
    hub = make_hub()
    hub.start()
    receiver.unwilling = 0.2
    with Load(hub, lanes=10, most=20) as load:
        time.sleep(1)
        receiver.away = True
        time.sleep(5)
        receiver.away = False
    hub.wait_until_quiet(120)
    assert set(load.acknowledged) == {reference for reference, count in receiver.effects.items() if count == 1}
    assert in_order(receiver)


def test_a_message_that_kills_its_process_ends_in_quarantine_and_its_neighbours_are_delivered(
    make_hub: Callable[..., HubProcess], receiver: Receiver
) -> None:
    hub = make_hub()
    # A codec that dies on one input stands for any library that crashes: the interpreter itself goes down.
    make_poisonable(hub)
    hub.start()
    for number in range(10):
        hub.send(f"a-{number}")
    hub.send("poison-1")
    for number in range(10):
        try:
            hub.send(f"b-{number}")
        except (OSError, http.client.HTTPException):
            time.sleep(0.3)
    hub.wait_until_quiet(90)
    hub.wait_for(lambda: hub.rows("SELECT count(*) FROM receipts WHERE state = 'dead'") == [(1,)])
    [(failure,)] = hub.rows("SELECT failure FROM receipts WHERE state = 'dead'")
    assert '"class":"quarantine"' in failure
    assert {f"a-{n}" for n in range(10)} <= set(receiver.effects)
    stored = hub.rows("SELECT count(*) FROM receipts WHERE state = 'split'")[0][0]
    assert sum(receiver.effects.values()) == stored == len(receiver.effects)


class SmallDisk:
    """The store's folder as a file system of its own, which only root can make."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=True)

    def limit(self, hub: HubProcess) -> None:
        """It is small already."""

    def lift(self, hub: HubProcess) -> None:
        subprocess.run(["mount", "-o", "remount,size=200m", str(self._folder)], check=True)

    def close(self) -> None:
        subprocess.run(["umount", "-l", str(self._folder)], check=True)


class SmallFiles:
    """No file of the hub may grow beyond 4 MB: what anybody can impose on a process of theirs."""

    def __init__(self, folder: Path) -> None:
        """Needs no folder."""

    def limit(self, hub: HubProcess) -> None:
        self._set(hub, 4_000_000)

    def lift(self, hub: HubProcess) -> None:
        self._set(hub, resource.RLIM_INFINITY)

    def _set(self, hub: HubProcess, size: int) -> None:
        assert hub.process is not None
        for pid in (hub.process.pid, *hub.children()):  # whoever is started later has it from its parent
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def close(self) -> None:
        """The limit goes with the process."""


@pytest.fixture(params=[SmallDisk, SmallFiles] if os.geteuid() == 0 else [SmallFiles])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallDisk | SmallFiles]:
    made = request.param(tmp_path / "data")
    yield made
    made.close()


def test_a_full_disk_is_answered_503_and_work_goes_on_by_itself(
    make_hub: Callable[..., HubProcess], receiver: Receiver, room: SmallDisk | SmallFiles
) -> None:
    hub = make_hub()
    hub.start()
    room.limit(hub)
    acknowledged, number, status = [], 0, 0
    while number < 5000:
        status, _ = hub.send(f"k-{number}")
        if status == 503:
            break
        assert status == 202
        acknowledged.append(f"k-{number}")
        number += 1
    assert len(acknowledged) > 20
    assert status == 503
    room.lift(hub)
    hub.wait_for(lambda: hub.send(f"k-{number}")[0] in (200, 202))
    hub.wait_until_quiet()
    assert {*acknowledged, f"k-{number}"} == set(receiver.effects)
    assert set(receiver.effects.values()) == {1}
    assert hub.rows("PRAGMA integrity_check") == [("ok",)]
    assert hub.stop() == 0


def test_a_hub_that_dies_while_the_disk_is_full_is_back_when_there_is_room(
    make_hub: Callable[..., HubProcess], receiver: Receiver, room: SmallDisk | SmallFiles
) -> None:
    hub = make_hub()
    hub.start()
    room.limit(hub)
    receiver.away = True
    sent = 0
    while (status := hub.send(f"k-{sent}")[0]) == 202:
        sent += 1
    assert status == 503
    os.kill(hub.children()[0], signal.SIGKILL)
    # A start empties the log of the store, which may be room enough for it.
    hub.wait_for(lambda: hub.log.count("started again") > 2 or hub.log.count("the hub listens") > 1)
    assert "Traceback" not in hub.log
    room.lift(hub)
    receiver.away = False
    hub.wait_until_ready()
    hub.wait_until_quiet()
    assert {f"k-{number}" for number in range(sent)} <= set(receiver.effects)
    assert set(receiver.effects.values()) == {1}
    assert hub.stop() == 0


def test_a_disk_that_fills_up_again_and_again_under_load_loses_nothing(
    make_hub: Callable[..., HubProcess], receiver: Receiver
) -> None:
    hub = make_hub()
    hub.start()
    [child] = hub.children()
    with Load(hub) as load:
        for _ in range(4):
            time.sleep(0.7)
            largest = max(path.stat().st_size for path in (hub.root / "data").glob("hub.db*"))
            resource.prlimit(child, resource.RLIMIT_FSIZE, (largest + 100_000, resource.RLIM_INFINITY))
            hub.wait_for(lambda: hub.request("GET", "/readyz")[0] == 503)
            time.sleep(0.5)
            resource.prlimit(child, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            hub.wait_for(lambda: hub.request("GET", "/readyz")[0] == 200)
    hub.wait_until_quiet()
    assert set(load.acknowledged) <= set(receiver.effects)
    assert set(receiver.effects.values()) == {1}
    assert in_order(receiver)
    assert hub.rows("SELECT state, count(*) FROM deliveries GROUP BY state") == [("delivered", len(receiver.effects))]
    assert hub.children() == [child]
    assert hub.rows("PRAGMA integrity_check") == [("ok",)]
