"""``o2c run --reload``: edits of mappings and routes are followed under load, faulty ones reported and not taken."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from hub_process import ORDER_OUT, ROUTE, HubProcess
from load import Load, in_order
from receiver import Receiver

MAPPING = "mappings/order-out.yaml"
EDITED = ORDER_OUT.replace("reference:", "ref:")
FAULT = f"{MAPPING}:7:8: error: the source has no field 'report_idd'; did you mean 'report_id'?"


def active(hub: HubProcess) -> int:
    return int(hub.rows("SELECT set_id FROM activations ORDER BY activation_id DESC LIMIT 1")[0][0])


def sent_with(hub: HubProcess) -> set[int]:
    """The sets of files that anything was sent with."""
    return {int(set_id) for (set_id,) in hub.rows("SELECT DISTINCT set_id FROM attempts")}


def test_edits_are_followed_without_a_restart_and_nothing_in_flight_is_lost(
    make_hub: Callable[..., HubProcess], receiver: Receiver
) -> None:
    hub = make_hub()
    hub.start("--reload")
    children, first = hub.children(), active(hub)
    with Load(hub, lanes=4) as load:
        hub.wait_for(lambda: sent_with(hub) == {first})
        hub.write(MAPPING, EDITED)
        hub.wait_for(lambda: active(hub) == first + 1)
        hub.wait_for(lambda: sent_with(hub) == {first, first + 1})
        hub.write(MAPPING, EDITED.replace("src.report_id", "src.report_idd"))
        hub.wait_for(lambda: FAULT in hub.log)
        hub.write(MAPPING, "mapping: [\n")
        hub.wait_for(lambda: f"{MAPPING}:2:1: error: " in hub.log)
        time.sleep(0.5)
        assert active(hub) == first + 1
        hub.write(MAPPING, EDITED)
        hub.write("routes/orders.yaml", ROUTE.replace("attempts: 50", "attempts: 40"))
        hub.wait_for(lambda: active(hub) > first + 1)
        hub.wait_for(lambda: active(hub) in sent_with(hub))
    hub.wait_until_quiet()
    assert len(load.acknowledged) > 50
    assert dict(receiver.effects) == dict.fromkeys(load.acknowledged, 1)
    assert in_order(receiver)
    assert hub.children() == children
    assert hub.stop() == 0


def test_a_file_that_cannot_be_read_is_told_once_and_later_edits_are_followed(
    make_hub: Callable[..., HubProcess],
) -> None:
    hub = make_hub()
    hub.start("--reload")
    first = active(hub)
    loop = hub.root / "mappings/loop.yaml"
    loop.symlink_to(loop.name)
    fault = "mappings/loop.yaml:0:0: error: it cannot be read"
    hub.wait_for(lambda: fault in hub.log)
    hub.write(MAPPING, EDITED)
    loop.unlink()
    hub.wait_for(lambda: active(hub) == first + 1)
    assert hub.log.count(fault) == 1
    assert hub.stop() == 0


def test_an_edit_is_followed_whose_hub_dies_before_it_looks(make_hub: Callable[..., HubProcess]) -> None:
    hub = make_hub()
    hub.start("--reload")
    first = active(hub)
    hub.write(MAPPING, EDITED)
    os.kill(hub.children()[0], signal.SIGKILL)
    hub.wait_for(lambda: active(hub) == first + 1)
    hub.wait_until_ready()
    assert hub.stop() == 0
