"""Far more comes than a target that is away can take: the door says so in time, memory stays flat, nothing is lost."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from hub_process import HubProcess, signed
from load import Senders
from receiver import Receiver

THREADS, BODY_BYTES, MOST = 6, 60_000, 1000


class Flood(Senders):
    """Senders that never wait for anything: large orders, each of a key of its own, also after a refusal."""

    def __init__(self, hub: HubProcess) -> None:
        self.taken: list[str] = []
        self.refused: list[tuple[int, str]] = []
        self._hub = hub
        super().__init__(f"s{number}" for number in range(THREADS))

    def run(self, sender: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._hub.port, timeout=30)
        number = 0
        while not self.stop.is_set():
            number += 1
            reference = f"{sender}n{number}-0"
            note = os.urandom(BODY_BYTES // 2).hex()
            body = json.dumps({"id": reference, "lines": [{"name": "hose", "qty": 1}], "note": note}).encode()
            connection.request("POST", "/in/shop", body, signed(body, reference))
            answer = connection.getresponse()
            answer.read()
            if answer.status == 202:
                self.taken.append(reference)
            else:
                self.refused.append((answer.status, answer.headers["Retry-After"]))
                time.sleep(0.02)
        connection.close()


def memory_kb(hub: HubProcess) -> int:
    [pid] = hub.children()
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def test_a_flood_while_the_target_is_away_is_refused_in_time_takes_no_memory_and_loses_nothing(
    make_hub: Callable[..., HubProcess], receiver: Receiver
) -> None:
    hub = make_hub()
    systems = (hub.root / "config/systems.yaml").read_text()
    hub.write("config/systems.yaml", systems.rstrip() + f"\n  backlog: {{deliveries: {MOST}}}\n")
    hub.start()
    receiver.away = True
    with Flood(hub) as flood:
        hub.wait_for(lambda: len(flood.taken) >= MOST // 4, 120)
        before = memory_kb(hub)
        hub.wait_for(lambda: len(flood.refused) >= 100, 120)
    grown = memory_kb(hub) - before
    assert set(flood.refused) == {(429, "30")}
    assert len(flood.taken) * BODY_BYTES > 50_000_000
    assert grown < 45_000, f"{grown} KB"
    assert hub.rows("SELECT state FROM circuits WHERE system = 'erp'") != []
    assert hub.rows("SELECT count(*) FROM deliveries WHERE attempts > 3") == [(0,)]
    receiver.away = False
    hub.wait_until_quiet(180)
    assert {reference for reference, count in receiver.effects.items() if count == 1} == set(flood.taken)
    assert hub.rows("SELECT * FROM circuits") == []
    hub.wait_for(lambda: hub.send("later-1")[0] == 202, 10)
