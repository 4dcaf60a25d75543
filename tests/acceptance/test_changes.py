"""A hub that is changed or stopped under load: nothing is lost, nothing happens twice, everything stays in order."""

from __future__ import annotations

import time
from collections.abc import Callable

from hub_process import ORDER_OUT, HubProcess
from load import Load, in_order
from receiver import Receiver


def test_edited_files_go_in_force_under_load_and_a_faulty_state_of_them_does_not(
    make_hub: Callable[..., HubProcess], receiver: Receiver
) -> None:
    hub = make_hub()
    hub.start("--reload")
    with Load(hub) as load:
        for version in (2, 3, 4):
            time.sleep(0.7)
            hub.write("mappings/order-out.yaml", ORDER_OUT.replace("version: 1", f"version: {version}"))
            hub.wait_for(lambda number=version: hub.rows("SELECT max(set_id) FROM activations") == [(number,)])
        hub.write("mappings/order-out.yaml", "mapping: [\n")
        hub.wait_for(lambda: "mappings/order-out.yaml:2:1: error: " in hub.log)
        time.sleep(0.5)
    hub.wait_until_quiet()
    assert set(load.acknowledged) == set(receiver.effects)
    assert set(receiver.effects.values()) == {1}
    assert in_order(receiver)
    assert hub.rows("SELECT outcome FROM attempts GROUP BY outcome") == [("delivered",)]
    assert hub.rows("SELECT set_id FROM attempts GROUP BY set_id") == [(1,), (2,), (3,), (4,)]
    assert hub.stop() == 0


def test_a_hub_that_is_told_to_stop_finishes_what_is_on_its_way_and_leaves_no_doubt(
    make_hub: Callable[..., HubProcess], receiver: Receiver
) -> None:
    hub = make_hub(idempotency="{mode: none}")
    receiver.seconds, receiver.deduplicates = 1.5, False
    hub.start()
    for number in range(12):
        hub.send(f"k{number}-1")
    hub.wait_for(lambda: hub.rows("SELECT count(*) FROM deliveries WHERE state = 'delivering'") == [(8,)])
    assert hub.stop() == 0
    assert hub.rows("SELECT state, count(*) FROM deliveries GROUP BY state") == [("delivered", 8), ("queued", 4)]
    hub.start()
    hub.wait_until_quiet()
    assert hub.rows("SELECT state, count(*) FROM deliveries GROUP BY state") == [("delivered", 12)]
    assert sorted(receiver.effects.values()) == [1] * 12
