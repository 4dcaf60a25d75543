"""What went through each route, as the store counts it."""

from __future__ import annotations

from collections.abc import Callable

from world import World, order

from connectors.base import LATER, REFUSED, Verdict
from hub.store.traffic import Flow, traffic

TWO = b"""
- route: orders
  from: {system: shop, event: order}
  map: order-in
  key: src.report_id
  to:
    - {system: erp, map: order-out}
    - {system: wms, map: order-out, after: erp, when: "src.report_id != '3'"}
  retry: {attempts: 3, first: 10s, factor: 2, cap: 60s, jitter: none}
- route: few
  from: {system: shop, event: few}
  map: order-in
  key: src.report_id
  to: [{system: crm, map: order-out, when: "src.report_id == 'none'"}]
"""


def test_each_route_and_target_has_its_counts(make_world: Callable[..., World]) -> None:
    world = make_world(routes=TWO)
    since = world.clock.at - 1
    refused, later = (
        Verdict(REFUSED, code="http_422", status=422, detail="no"),
        Verdict(LATER, status=503, code="http_503"),
    )
    world.target("erp").answers.extend(
        [Verdict("delivered", status=200), refused, Verdict("delivered", status=200), later]
    )
    for number in (1, 2, 3, 4):
        world.send(order(number))
    world.send(order("a"), event="few")
    world.send({"id": "x", "lines": [{"name": "a", "qty": "b"}]})
    found = traffic(world.store.reader(), since)
    assert found.route("orders") == Flow(done=5, dead=1)
    assert found.route("few") == Flow(done=1, filtered=1)
    assert found.target("orders", "erp") == Flow(done=2, waiting=1, dead=1)
    assert found.target("orders", "wms") == Flow(done=1, waiting=1, dead=1)  # 2 is held: what it comes after is dead
    assert found.target("few", "crm") == Flow()


def test_only_what_came_since_counts_but_all_that_waits_or_is_dead(make_world: Callable[..., World]) -> None:
    world = make_world(routes=TWO)
    world.target("erp").answers.append(Verdict(REFUSED, code="http_422", status=422, detail="no"))
    world.send(order(1))
    world.clock.at += 3600
    found = traffic(world.store.reader(), world.clock.at - 60)
    assert found.route("orders") == Flow()
    assert found.target("orders", "erp").dead == 1
