"""What a target calls what a delivery has made is known to the target that comes after it."""

from __future__ import annotations

from collections.abc import Callable

from world import ORDER_OUT, ROUTES, SYSTEMS, World, order

from connectors.base import DELIVERED, LATER, Verdict

TELLING = SYSTEMS.replace(b"idempotency: {mode: native}", b"idempotency: {mode: native}\n  reference: body.id")
ONE_BY_ONE = ROUTES.replace(
    b"map: order-out}",
    b"map: order-out}\n  - {system: wms, map: order-out, after: erp}\n  - {system: crm, map: order-out, after: wms}",
)
WITH_REFERENCE = ORDER_OUT + b"  made?: envelope.after\n"


def made(reference: str) -> Verdict:
    return Verdict(DELIVERED, status=201, reference=reference)


def test_the_next_target_has_it_in_its_mapping_and_for_its_address(make_world: Callable[..., World]) -> None:
    world = make_world(routes=ONE_BY_ONE, systems=TELLING, order_out=WITH_REFERENCE)
    world.target("erp").answers.extend([made("77"), made("78")])
    world.send(order(1))
    world.send(order(2))
    assert world.target("erp").bodies == [{"ref": "1", "lines": 1}, {"ref": "2", "lines": 1}]
    assert world.target("wms").bodies == [
        {"ref": "1", "lines": 1, "made": "77"},
        {"ref": "2", "lines": 1, "made": "78"},
    ]
    told = [[p.variables.get("after.reference") for p in world.target(name).sent] for name in ("erp", "wms", "crm")]
    assert told == [[None, None], ["77", "78"], [None, None]]  # wms tells none


def test_it_is_the_same_at_every_try_and_after_a_crash(make_world: Callable[..., World]) -> None:
    world = make_world(routes=ONE_BY_ONE, systems=TELLING, order_out=WITH_REFERENCE)
    world.target("erp").answers.extend([Verdict(LATER, code="http_503", status=503), made("77")])
    world.target("wms").answers.append(Verdict(LATER, code="http_503", status=503))
    world.send(order(1))
    world.wait(10)
    world.crash("w2")
    world.wait(100)
    assert world.states() == [("erp", "delivered"), ("wms", "delivered"), ("crm", "delivered")]
    assert [p.variables["after.reference"] for p in world.target("wms").sent] == ["77", "77"]
    assert [body["made"] for body in world.target("wms").bodies] == ["77", "77"]
