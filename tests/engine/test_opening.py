"""A connector that cannot be opened stops its system with the reason, one that fails leaves doubt; all others go on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from world import ROUTES, Target, World, order

from connectors.base import (
    ABSENT,
    DELIVERED,
    DOUBT,
    LATER,
    REFUSED,
    Destination,
    Parcel,
    PermanentError,
    TransientError,
    Verdict,
)
from hub.errors import UsageError
from hub.store import switches

UNSET = UsageError("secret://env/ERP_TOKEN is not set; set the variable ERP_TOKEN")
NO_VERDICT = "the connector's verdict is none, or says what cannot be stored; see the log"


def refuse_to_open(world: World, error: Exception) -> None:
    def fail(system: object) -> Destination:
        raise error

    world.engine.dispatcher.destinations._open = fail


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UNSET, f"the system cannot be opened: {UNSET}"),
        (PermanentError("base_url: no address"), "the system cannot be opened: base_url: no address"),
        (ZeroDivisionError("secret"), "the system cannot be opened: ZeroDivisionError, see the log"),
    ],
)
def test_a_system_that_cannot_be_opened_is_stopped_and_spares_its_messages(
    world: World, error: Exception, reason: str
) -> None:
    opened = world.engine.dispatcher.destinations._open
    refuse_to_open(world, error)
    world.send(order(1), order(2))
    assert {state for _, state in world.states()} <= {"queued", "retrying"}
    assert [(s["name"], s["reason"]) for s in switches.listed(world.store.reader())] == [("erp", reason)]
    world.engine.dispatcher.destinations._open = opened
    world.store.write(lambda db: switches.release(db, "system", "erp"))
    world.wait(1)
    assert [state for _, state in world.states()] == ["delivered", "delivered"]


def test_what_is_to_be_looked_up_in_a_system_that_cannot_be_opened_stays_in_doubt(
    make_world: Callable[..., World],
) -> None:
    world = make_world(routes=ROUTES.replace(b"system: erp", b"system: wms"))
    world.target("wms").answers.append(Verdict(DOUBT, code="read_timeout"))
    world.send(order(1))
    refuse_to_open(world, UNSET)
    world.engine.dispatcher.destinations.reopen("wms")
    world.wait(61)
    assert world.states() == [("wms", "unknown")]
    assert switches.is_off(world.store.reader(), "system", "wms")


class Failing(Target):
    """Tells of the first parcel, twice, and fails at the second."""

    def submit(self, parcels, finished) -> None:  # type: ignore[no-untyped-def]
        self.sent += parcels
        for _ in range(2):
            finished([(parcels[0], Verdict(DELIVERED, status=200))])
        raise ValueError("a document")

    def close(self) -> None:
        raise ValueError("it cannot be closed")


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_connector_that_fails_while_it_is_handed_something_leaves_no_delivery_behind(
    make_world: Callable[..., World],
) -> None:
    world = make_world(routes=ROUTES.replace(b"system: erp", b"system: crm"))
    world.targets["crm"] = Failing()
    world.send(order(1), order(2))
    assert sorted(state for _, state in world.states()) == ["delivered", "held"]
    [(code, detail)] = world.rows("SELECT code, detail FROM attempts WHERE outcome = 'held'")
    assert (code, detail) == ("connector_failed", "the connector failed: ValueError, see the log")
    assert world.engine.dispatcher._lane("crm").in_hand == 0


@pytest.mark.parametrize(
    ("said", "state", "told"),
    [
        (
            Verdict(DELIVERED, detail="caf\ud800", reference="r", seconds=1.0),
            "delivered",
            ("connector_failed", "caf?"),
        ),
        (Verdict(REFUSED, "no", "unknown item", status=10**12), "dead", ("no", "unknown item")),
        (Verdict(LATER, "busy", "wait", retry_after_seconds=math.nan), "retrying", ("busy", "wait")),
        (Verdict(DELIVERED, "ok", "done", status="200", response="x"), "delivered", ("ok", "done")),  # type: ignore
        (Verdict(LATER, "busy", "wait", retry_after_seconds=10**400), "retrying", ("busy", "wait")),
        (Verdict("done", "ok", "done"), "retrying", ("ok", "done")),
        (Verdict(ABSENT, "no_such", "not there"), "retrying", ("no_such", "not there")),
        ("200 OK", "retrying", ("connector_failed", NO_VERDICT)),
    ],
)
def test_a_verdict_that_is_none_keeps_nothing_beside_it_from_its_end(
    world: World, said: Any, state: str, told: tuple[str, str]
) -> None:
    world.target("erp").answers.extend([said, Verdict(DELIVERED, status=200)])
    world.send(order(1), order(2))
    assert sorted(state for _, state in world.states()) == sorted([state, "delivered"])
    assert told in world.rows("SELECT code, detail FROM attempts")
    assert world.engine.dispatcher._lane("erp").in_hand == 0


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (TransientError("busy"), "unknown"),
        (ValueError("a mistake"), "held"),
        (Verdict(REFUSED, "http_400", "a bad question", status=400), "held"),
    ],
)
def test_a_look_up_that_fails_keeps_the_doubt_and_stops_nothing(
    make_world: Callable[..., World], said: Exception | Verdict, state: str
) -> None:
    world = make_world(routes=ROUTES.replace(b"system: erp", b"system: wms"))

    def fail(parcel: Parcel) -> Verdict:
        if isinstance(said, Exception):
            raise said
        return said

    world.target("wms").answers.append(Verdict(DOUBT, code="read_timeout"))
    world.send(order(1))
    world.target("wms").look_up = fail  # type: ignore[method-assign]
    world.wait(61)
    assert ("wms", state) in world.states()
    assert not switches.is_off(world.store.reader(), "system", "wms")


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_system_that_cannot_be_closed_keeps_no_other_open(make_world: Callable[..., World]) -> None:
    both = ROUTES.replace(
        b"{system: erp, map: order-out}", b"{system: crm, map: order-out}\n  - {system: erp, map: order-out}"
    )
    world = make_world(routes=both)
    world.targets["crm"] = Failing()
    world.send(order(1))
    with pytest.raises(ValueError, match="it cannot be closed"):
        world.engine.close()
    assert world.target("erp").closed
