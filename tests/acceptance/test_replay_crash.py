"""A bulk replay survives the hub being killed: every dead letter goes once, in order, whatever happens between."""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Callable
from itertools import pairwise

from admin import add_key, call
from hub_process import ORDER_IN, HubProcess, signed
from receiver import Receiver

from hub.store import conservation, open_store

LANES, EACH, KILLS = 10, 60, 4


def send_dead(hub: HubProcess) -> None:
    """Orders whose quantity is none, the lanes mixed."""
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=15)
    for number in range(EACH):
        for lane in range(LANES):
            reference = f"k{lane}-{number}"
            body = json.dumps({"id": reference, "lines": [{"name": "hose", "qty": "none"}]}).encode()
            connection.request("POST", "/in/shop", body, signed(body, reference))
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 202
    connection.close()


def test_a_bulk_replay_goes_on_after_each_kill_and_does_nothing_twice(
    make_hub: Callable[..., HubProcess], receiver: Receiver
) -> None:
    hub = make_hub()
    key = add_key(hub)
    hub.start()
    send_dead(hub)
    hub.wait_until_quiet()
    [issue] = call(hub, key, "GET", "/dead-letters")["issues"]
    assert issue["count"] == LANES * EACH
    hub.write("mappings/order-in.yaml", ORDER_IN.replace("value: text(l.qty)", "value: \"'1'\""))
    call(hub, key, "POST", "/deployments", {})
    body = {**issue["replay"], "rate_per_second": 150, "reason": "the mapping reads it now", "dry_run": False}
    planned = call(hub, key, "POST", "/replays", body)
    chance = random.Random(3)
    for _ in range(KILLS):
        time.sleep(0.2 + chance.random() * 0.5)
        hub.kill_all()
        hub.start()
    hub.wait_for(lambda: bool(call(hub, key, "GET", f"/replays/{planned['replay_id']}")["state"] == "done"))
    hub.wait_until_quiet()
    assert hub.rows("SELECT state, count(*) FROM replay_items GROUP BY state") == [("started", LANES * EACH)]
    assert len(receiver.effects) == LANES * EACH
    assert set(receiver.effects.values()) == {1}
    for lane in range(LANES):
        numbers = [number for name, number in receiver.order if name == f"k{lane}"]
        assert all(a < b for a, b in pairwise(numbers)), numbers
    assert call(hub, key, "GET", "/dead-letters")["total"] == 0
    assert call(hub, key, "GET", "/audit/check")["holds"] is True
    assert hub.stop() == 0
    store = open_store("sqlite:///data/hub.db", hub.root, read_only=True)
    with store.snapshot() as db:
        assert conservation.check(db) == []
    store.close()
