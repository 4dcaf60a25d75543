"""A webhook that only says that something has changed: answered at once, fetched like a delivery, then a document like
any other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from world import ORDER_IN, SYSTEMS, World, order

from connectors.base import DELIVERED, LATER, REFUSED, Verdict
from hub import replay
from hub.replay import Request
from hub.store.audit import Actor
from hub.sweeper import Sweeper

SHOP = b"""
mollie:
  connector: http
  base_url: http://127.0.0.1:1/
  verify: {method: none, unsigned: true}
  event: changed
  fetch_back: {request: "GET /orders/{data.id}"EVENT}
"""
ROUTE = b"""
route: orders
from: {system: mollie, event: changed}
map: order-in
key: src.report_id
to: [{system: erp, map: order-out}]
retry: {attempts: 3, first: 10s, factor: 2, cap: 60s, jitter: none}
"""
Open = Callable[..., World]


def listening(make_world: Open, event: bytes = b"", routes: bytes = ROUTE) -> World:
    return make_world(systems=SYSTEMS + SHOP.replace(b"EVENT", event), routes=routes, order_in=ORDER_IN)


def tell(world: World, body: bytes = b'{"data": {"id": 17}}', kind: str = "application/json", **more: Any) -> str:
    told = msgspec.structs.replace(world.arrival(body, "changed"), source="mollie", content_type=kind, **more)
    [accepted] = world.engine.accept([told])
    return str(accepted.receipt_id)


def answers(number: int = 17, lines: int = 1) -> Verdict:
    body = msgspec.json.encode(order(number, lines))
    return Verdict(DELIVERED, status=200, response=body, response_type="application/json")


def test_the_document_becomes_the_message_and_the_webhook_its_cause(make_world: Open) -> None:
    world = listening(make_world)
    shop = world.target("mollie")
    shop.answers.append(answers())
    receipt = tell(world, traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    assert shop.sent == [], "it is taken in before anything is fetched"
    world.run()
    [asked] = shop.sent
    assert (asked.fetches_back, asked.body) == (True, b'{"data":{"id":17}}')
    assert [body["ref"] for body in world.target("erp").bodies] == ["17"]
    told, document = world.rows(
        "SELECT message_id, route, state, correlation_id, causation_id, traceparent FROM messages ORDER BY seq"
    )
    assert (told[1], told[2]) == ("fetch back:mollie changed", "routed")
    assert document[1:3] == ("orders", "routed")
    assert (document[3], document[4]) == (told[3], receipt)
    assert document[5] == told[5] != ""


def test_a_form_tells_as_well(make_world: Open) -> None:
    world = listening(make_world)
    world.target("mollie").answers.append(answers())
    tell(world, b"data.id=17&x=%C3%A9", "application/x-www-form-urlencoded; charset=utf-8")
    world.run()
    assert world.target("mollie").sent[0].body == '{"data.id":"17","x":"é"}'.encode()


def test_an_id_keeps_all_its_digits(make_world: Open) -> None:
    world = listening(make_world)
    world.target("mollie").answers.append(answers())
    tell(world, b'{"data":{"id":123456789012345678901234567890,"part":1.50}}')
    world.run()
    assert world.target("mollie").sent[0].body == b'{"data":{"id":123456789012345678901234567890,"part":1.50}}'


def test_a_fetch_that_fails_is_tried_again_like_any_delivery(make_world: Open) -> None:
    world = listening(make_world)
    down = Verdict(LATER, code="http_503", status=503)
    world.target("mollie").answers.extend([down, down, answers()])
    tell(world)
    world.run()
    assert world.states() == [("document", "retrying")]
    for _ in range(3):
        world.wait(200)
    assert sorted(world.states()) == [("document", "delivered"), ("erp", "delivered")]
    assert len(world.target("mollie").sent) == 3


def test_what_is_not_there_is_a_dead_letter_with_its_reason_and_can_be_replayed(make_world: Open) -> None:
    world = listening(make_world)
    why = "what the webhook tells of could not be fetched: the system answered 404 Not Found"
    world.target("mollie").answers.append(Verdict(REFUSED, code="http_404", detail=why, status=404))
    tell(world)
    world.run()
    [(state, failure, delivery_id)] = world.rows("SELECT state, failure, delivery_id FROM deliveries")
    told = msgspec.json.decode(failure)
    assert (state, told["detail"]) == ("dead", why)
    assert told["hint"] == f"nothing was fetched; once it is there, and ours to see: o2c replay {delivery_id}"
    world.target("mollie").answers.append(answers())
    planned = replay.plan(world.engine, Request(ids=(delivery_id,)), Actor("test"))
    replay.start(world.engine, planned.replay_id, planned.plan_hash, Actor("test"))
    world.run()
    assert [body["ref"] for body in world.target("erp").bodies] == ["17"]


def test_a_webhook_that_comes_again_changes_nothing_and_a_changed_document_does(make_world: Open) -> None:
    world = listening(make_world)
    world.target("mollie").answers.extend([answers(), answers(), answers(lines=2)])
    for _ in range(3):
        tell(world)
        world.run()
    assert [body["lines"] for body in world.target("erp").bodies] == [1, 2]


def test_a_document_that_is_again_as_it_was_before_the_last_time_has_changed(make_world: Open) -> None:
    world = listening(make_world)
    world.target("mollie").answers.extend([answers(), answers(lines=2), answers(), answers()])
    for _ in range(4):
        tell(world)
        world.run()
    assert [body["lines"] for body in world.target("erp").bodies] == [1, 2, 1]


def test_one_state_of_a_document_is_taken_for_each_event_that_tells_of_it(make_world: Open) -> None:
    routes = ROUTE.replace(b"event: changed", b"event: [changed, paid]")
    world = listening(make_world, routes=routes)
    world.target("mollie").answers.extend([answers()] * 4)
    for event in ("changed", "paid", "changed", "paid"):
        tell(world, event=event)
        world.run()
    assert len(world.target("erp").bodies) == 2


def test_the_same_document_is_meant_where_the_system_says_so(make_world: Open) -> None:
    world = listening(make_world, b", same_content: process")
    world.target("mollie").answers.extend([answers(), answers()])
    for _ in range(2):
        tell(world)
        world.run()
    assert len(world.target("erp").bodies) == 2


def test_what_is_told_of_one_thing_is_fetched_in_its_order(make_world: Open) -> None:
    world = listening(make_world)
    shop = world.target("mollie")
    shop.answers.append(Verdict(LATER, code="http_503", status=503))
    tell(world)
    tell(world, b'{"data": {"id": 18}}')
    tell(world)
    world.run()
    assert [parcel.body for parcel in shop.sent] == [b'{"data":{"id":17}}', b'{"data":{"id":18}}']


def test_the_event_may_stand_in_what_was_fetched(make_world: Open) -> None:
    routes = ROUTE.replace(b"event: changed", b"event: paid")
    world = listening(make_world, b', event: "field:status"', routes)
    paid = msgspec.json.encode({**order(17), "status": "paid"})
    world.target("mollie").answers.append(Verdict(DELIVERED, status=200, response=paid))
    tell(world)
    world.run()
    assert [body["ref"] for body in world.target("erp").bodies] == ["17"]


def test_an_event_that_no_route_wants_is_not_fetched(make_world: Open) -> None:
    world = listening(make_world, routes=ROUTE.replace(b"event: changed", b"event: paid"))
    tell(world)
    world.run()
    assert world.target("mollie").sent == []
    assert world.rows("SELECT state FROM receipts") == [("dead",)]


def test_a_form_of_more_fields_than_anybody_sends_is_a_dead_letter(make_world: Open) -> None:
    world = listening(make_world)
    tell(world, b"&".join(b"a%d=1" % number for number in range(1001)), "application/x-www-form-urlencoded")
    world.run()
    [(state, failure)] = world.rows("SELECT state, failure FROM receipts")
    assert state == "dead" and "a form of more than 1,000 fields" in failure


@pytest.mark.parametrize(
    ("body", "why"),
    [(b"{", "neither JSON nor a form"), (b"[1]", "is no JSON object"), (b"\xff", "neither JSON"),
     (b'{"data": {"id": 1e9999999999999999999}}', "a number with an exponent that is out of range")],
)  # fmt: skip
def test_what_tells_of_nothing_is_a_dead_letter(make_world: Open, body: bytes, why: str) -> None:
    world = listening(make_world)
    tell(world, body)
    world.run()
    [(state, failure)] = world.rows("SELECT state, failure FROM receipts")
    assert state == "dead" and why in failure


def test_a_death_while_it_is_fetched_loses_nothing(make_world: Open) -> None:
    world = listening(make_world)
    world.target("mollie").silent = True
    tell(world)
    world.run()
    assert world.states() == [("document", "delivering")]
    world.crash("w2")
    world.target("mollie").answers.append(answers())
    Sweeper(world.engine, world.folder, None, {}).recover()
    for _ in range(4):
        world.wait(200)
    assert [body["ref"] for body in world.target("erp").bodies] == ["17"]
