"""What a target answers becomes a message of its own that belongs to the same business transaction and trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from caller import Caller
from world import ROUTES, World, order

from connectors.base import DELIVERED, LATER, Verdict

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
