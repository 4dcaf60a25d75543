"""What became of what was replayed: lists and pages tell it, so that nobody looks after what has arrived."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from caller import Caller
from replaying import CSV_IN, DEAD, NO, deploy, run
from world import ORDER_IN, World, order

from connectors.base import LATER, Verdict
from hub import replay
from hub.cli.messages import _row
from hub.replay import Request, steps
from hub.states import DELIVERY_STATES, MESSAGE_STATES, RECEIPT_STATES, by_urgency
from hub.store.audit import Actor
from hub.store.search_terms import Filter

V1 = "/api/v1"
BAD = {"id": "1", "lines": [{"name": "a", "qty": "nix"}]}


@pytest.fixture
def shown(call: Callable[..., Caller]) -> Callable[[str], tuple[str | None, str, str]]:
    """(replay_state of the list, state of the command's list, deliveries of the command's list) of a message."""

    def show(message: str) -> tuple[str | None, str, str]:
        page = call("viewer").get(f"{V1}/messages").json["items"]
        [line] = [item for item in page if item["message_id"] == message]
        detail = call("viewer").get(f"{V1}/messages/{message}").json
        assert detail.get("replay_state") == line.get("replay_state")
        row = _row(line)
        return line.get("replay_state"), row[2], row[-1]

    return show


def repaired(world: World) -> None:
    deploy(world, "mappings/order-in.yaml", ORDER_IN.replace(b"text(l.qty)", b"\"'7'\""))


def test_a_dead_message_is_dead_until_its_replay_has_been_delivered(
    world: World, shown: Callable[[str], tuple[str | None, str, str]], call: Callable[..., Caller]
) -> None:
    [bad] = world.send(BAD)
    assert shown(bad.receipt_id)[:2] == (None, "dead (schema)")
    repaired(world)
    world.target("erp").answers.append(Verdict(LATER, code="http_503", status=503))
    run(world, DEAD)
    assert shown(bad.receipt_id)[:2] == ("retrying", "dead, replayed: retrying (schema)")
    world.wait(60)
    assert shown(bad.receipt_id)[:2] == ("delivered", "dead, replayed: delivered (schema)")
    assert '<span class="good">dead, replayed: delivered</span>' in call("viewer").get("/").body.decode()


def test_a_replay_that_fails_too_is_followed_to_the_replay_of_that(
    world: World, shown: Callable[[str], tuple[str | None, str, str]]
) -> None:
    [bad] = world.send(BAD)
    run(world, DEAD)
    assert shown(bad.receipt_id)[0] == "dead"
    repaired(world)
    run(world, DEAD)
    assert shown(bad.receipt_id)[0] == "delivered"


def test_of_many_records_the_one_that_needs_a_person_counts(world: World, call: Callable[..., Caller]) -> None:
    [bad] = world.send(b"id,qty\n1,1\n2,2\n")
    deploy(world, "mappings/order-in.yaml", CSV_IN)
    world.target("erp").answers.extend([Verdict("delivered", status=200), NO])
    run(world, DEAD)
    [line] = [
        item for item in call("viewer").get(f"{V1}/messages").json["items"] if item["message_id"] == bad.receipt_id
    ]
    assert line["replay_state"] == "dead"


def test_what_a_person_has_seen_to_is_called_resolved(
    world: World, shown: Callable[[str], tuple[str | None, str, str]]
) -> None:
    [bad] = world.send(BAD)
    steps.resolve_message(world.engine, bad.receipt_id, Actor("anna"), "entered by hand")
    assert shown(bad.receipt_id)[:2] == (None, "dead, resolved (schema)")


def test_a_replayed_delivery_stands_for_the_one_before_it(
    world: World, shown: Callable[[str], tuple[str | None, str, str]], call: Callable[..., Caller]
) -> None:
    world.target("erp").answers.append(NO)
    [message] = [accepted.receipt_id for accepted in world.send(order(1))]
    run(world, Request(ids=(message,)))
    assert shown(message) == (None, "routed", "erp delivered (replayed)")
    assert "erp resolved" not in call("viewer").get("/").body.decode()


def test_a_replay_tells_what_became_of_the_deliveries_of_what_went_through_again(world: World) -> None:
    world.send(BAD, {**BAD, "id": "2"}, b"id,qty\n1,1\n2,2\n")
    repaired(world)
    world.target("erp").answers.append(NO)
    planned = replay.plan(world.engine, Request(filter=Filter(state="dead")), Actor("anna"))
    replay.start(world.engine, planned.replay_id, planned.plan_hash, Actor("anna"))
    world.run()
    assert replay.progress(world.engine, planned.replay_id).outcomes == {"dead": 2, "delivered": 1}


def test_every_state_has_its_place_in_the_order_of_urgency() -> None:
    states = sorted({*DELIVERY_STATES, *MESSAGE_STATES, *RECEIPT_STATES}, key=by_urgency)
    assert states[0] == "dead"
