"""A hub that is stopped while it delivers: nothing is lost, and nothing happens twice."""

from __future__ import annotations

from collections.abc import Callable

from hub_process import HubProcess
from receiver import Receiver


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
