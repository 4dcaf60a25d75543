"""What a target answers becomes a message of its own that belongs to the same business transaction and trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from caller import Caller, new_key
from replaying import replay_one
from world import ROUTES, World, order

from connectors.base import DELIVERED, DOUBT, FOUND, LATER, Verdict
from hub.api.application import create_app
from hub.store import findings
from hub.store.audit import Actor

ANSWER = b"""
mapping: erp-answer
version: 1
source: {format: json}
target: {schema: canonical/stock_level}
output:
  report_id: text(src.number)
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item: {name: {const: answer}}
      available_quantity: {value: {const: '1'}, unit_code: {const: C62}}
      location_id: {const: main}
"""
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CREATED = Verdict(DELIVERED, status=201, response=b'{"number": 7}', response_type="application/json")


def test_an_answer_carries_on_the_transaction_and_the_trace(make_world: Callable[..., World]) -> None:
    routes = ROUTES.replace(b"map: order-out}", b"map: order-out, reply: {map: erp-answer}}")
    world = make_world(routes=routes, erp_answer=ANSWER)
    world.target("erp").answers.extend([Verdict(LATER, code="http_503", status=503), CREATED])
    world.engine.accept([msgspec.structs.replace(world.arrival(order(1)), traceparent=TRACE)])
    world.run()
    world.wait(100)
    first, answer = world.rows(
        "SELECT message_id, main_key, correlation_id, causation_id, traceparent FROM messages ORDER BY seq"
    )
    assert (first[2], first[4]) == (first[1], TRACE)
    assert answer[2:] == (first[2], first[0], TRACE)


def test_the_trace_of_a_message_is_shown_with_it(world: World, call: Callable[..., Caller]) -> None:
    [accepted] = world.engine.accept([msgspec.structs.replace(world.arrival(order(1)), traceparent=TRACE)])
    world.run()
    assert call("viewer").get(f"/api/v1/messages/{accepted.receipt_id}").json["trace_id"] == TRACE[3:35]


def test_an_answer_that_no_route_wants_makes_no_message(world: World) -> None:
    world.target("erp").answers.append(CREATED)
    world.send(order(1))
    found: list[Any] = world.rows("SELECT count(*) FROM receipts")
    assert found == [(1,)]


REPLYING = ROUTES.replace(b"map: order-out}", b"map: order-out, reply: {map: erp-answer}}")


def replies(world: World) -> list[tuple[str, str]]:
    """(source, route) of every answer that was taken in."""
    return world.rows("SELECT source, route FROM receipts WHERE door = 'reply'")


def open_findings(world: World) -> list[tuple[str, str]]:
    return [(one.code, one.detail) for one in findings.open_now(world.store.reader(), 10)]


def doubtful(make_world: Callable[..., World], found: Verdict) -> World:
    """A world in which an order's answer was lost, and the look-up has told what it tells."""
    world = make_world(routes=REPLYING.replace(b"system: erp", b"system: wms"), erp_answer=ANSWER)
    wms = world.target("wms")
    wms.answers.append(Verdict(DOUBT, "read_timeout", "no answer"))
    wms.found.append(found)
    world.send(order(1))
    world.wait(61)
    assert world.states() == [("wms", "delivered")]
    return world


def test_where_a_look_up_settles_doubt_its_answer_is_the_reply(make_world: Callable[..., World]) -> None:
    world = doubtful(
        make_world, Verdict(FOUND, status=200, response=b'{"number": 7}', response_type="application/json")
    )
    assert replies(world) == [("wms", "orders#wms")]
    assert world.rows("SELECT count(*) FROM messages WHERE causation_id <> ''") == [(1,)]
    assert open_findings(world) == []


def test_a_reply_that_a_look_up_cannot_give_is_told_of(make_world: Callable[..., World]) -> None:
    world = doubtful(make_world, Verdict(FOUND, status=200))
    assert replies(world) == []
    [(code, detail)] = open_findings(world)
    assert code == "no_reply"
    assert detail == (
        "'wms' has it (target 'wms'), and gave no answer for the reply: of the route 'orders'; see there what it would "
        "have said"
    )


def test_an_answer_without_a_body_is_told_of_until_a_reply_comes(make_world: Callable[..., World]) -> None:
    world = make_world(routes=REPLYING, erp_answer=ANSWER)
    viewer = Caller(create_app(world.engine), new_key(world.store, "viewer"))
    world.target("erp").answers.append(Verdict(DELIVERED, status=202))
    [accepted] = world.send(order(1))
    [(code, _)] = open_findings(world)
    assert (code, world.states()) == ("no_reply", [("erp", "delivered")])
    assert [one["code"] for one in viewer.get("/api/v1/findings").json["items"]] == ["no_reply"]
    world.target("erp").answers.append(CREATED)
    [(delivery_id,)] = world.rows("SELECT delivery_id FROM deliveries")
    replay_one(world.engine, delivery_id, Actor("test"), delivered="send", reason="the answer is wanted")
    world.run()
    assert (open_findings(world), replies(world)) == ([], [("erp", "orders#erp")])
    [settled] = viewer.get(f"/api/v1/messages/{accepted.receipt_id}").json["findings"]
    assert settled["code"] == "no_reply" and settled["settled_at"]


def test_the_answer_of_another_target_settles_nothing(make_world: Callable[..., World]) -> None:
    target = b"  - {system: erp, map: order-out, reply: {map: erp-answer}}\n"
    both = REPLYING.replace(target, target + target.replace(b"erp,", b"wms,"))
    world = make_world(routes=both, erp_answer=ANSWER)
    world.target("erp").answers.append(Verdict(DELIVERED, status=202))
    world.target("wms").answers.append(CREATED)
    world.send(order(1))
    assert replies(world) == [("wms", "orders#wms")]
    assert [code for code, _ in open_findings(world)] == ["no_reply"]


def test_each_target_without_an_answer_is_told_of_and_settled_by_its_own(make_world: Callable[..., World]) -> None:
    target = b"  - {system: erp, map: order-out, reply: {map: erp-answer}}\n"
    both = REPLYING.replace(target, target + target.replace(b"erp,", b"wms,"))
    world = make_world(routes=both, erp_answer=ANSWER)
    for system in ("erp", "wms"):
        world.target(system).answers.extend([Verdict(DELIVERED, status=202), CREATED])
    world.send(order(1))
    [(_, detail)] = open_findings(world)
    assert [line.split()[0] for line in sorted(detail.splitlines())] == ["'erp'", "'wms'"]
    for system, left in (("erp", ["'wms'"]), ("wms", [])):
        [(delivery_id,)] = world.rows("SELECT delivery_id FROM deliveries WHERE system = ? AND replay_of = ''", system)
        replay_one(world.engine, delivery_id, Actor("test"), delivered="send", reason="the answer is wanted")
        world.run()
        assert [line.split()[0] for _, told in open_findings(world) for line in told.splitlines()] == left


def test_an_answer_without_a_body_that_no_route_wants_is_in_order(world: World) -> None:
    world.target("erp").answers.append(Verdict(DELIVERED, status=204))
    world.send(order(1))
    assert open_findings(world) == []
