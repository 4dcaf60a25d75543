"""The proof that everything adds up finds what does not: each of its rules is broken once."""

from __future__ import annotations

import pytest
from replaying import adds_up
from world import World, order

from connectors.base import LATER, Verdict
from hub.store import conservation

BUSY = Verdict(LATER, code="http_503", status=503)
# What is done behind the hub's back to one order that was delivered and one that is to be tried again.
BREAKS = {
    "receipts whose messages are not all there": ["UPDATE receipts SET message_count = 7"],
    "receipts that are not read, without what came": [
        "UPDATE receipts SET state = 'received'", "DELETE FROM payloads WHERE stage = 'raw'",
    ],
    "messages without their receipt": ["DELETE FROM receipts"],
    "routed messages without a delivery": ["DELETE FROM deliveries WHERE state = 'delivered'"],
    "deliveries without their message": ["DELETE FROM messages"],
    "delivered deliveries without an attempt": ["DELETE FROM attempts"],
    "attempts without their delivery": ["DELETE FROM deliveries WHERE state = 'retrying'"],
    "deliveries that nothing will wake": ["UPDATE deliveries SET due_at = NULL WHERE state = 'retrying'"],
    "deliveries that wait for one that has ended": [
        "UPDATE deliveries SET state = 'queued', waits_for = 'gone', due_at = NULL WHERE state = 'retrying'"
    ],
    "deliveries that are not as the first one of their batch": [
        "UPDATE deliveries SET batch_id = 'gone' WHERE state = 'retrying'"
    ],
    "batches without the bytes that are sent": [
        "UPDATE deliveries SET batch_id = delivery_id WHERE state = 'retrying'",
        "DELETE FROM payloads WHERE stage = 'sent'",
    ],
    "replays of deliveries that are not there": ["UPDATE deliveries SET replay_of = 'gone' WHERE state = 'retrying'"],
}  # fmt: skip


@pytest.mark.parametrize("rule", BREAKS)
def test_what_is_not_so_is_found(world: World, rule: str) -> None:
    world.target("erp").answers.extend([Verdict("delivered", status=200), BUSY])
    world.send(order(1), order(2))
    assert sorted(state for _, state in world.states()) == ["delivered", "retrying"]
    adds_up(world)
    for statement in BREAKS[rule]:
        world.store.write(lambda db, sql=statement: db.execute(sql))
    found = {each.what: each for each in conservation.check(world.store.reader())}
    assert rule in found
    assert found[rule].seen > 0
    assert found[rule].example


def test_every_rule_is_broken_here() -> None:
    assert set(BREAKS) == set(conservation._RULES)
