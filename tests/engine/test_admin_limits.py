"""The admin API: circuits and limits of systems, seen and changed, in the audit, over restarts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from caller import Caller
from test_circuits import fail, later
from world import SYSTEMS, World, order

from connectors.base import LATER, STOPPED, Verdict
from hub import metrics
from hub.api.admin_limits import system_views
from hub.api.application import create_app
from hub.api.desk import Desk
from hub.api.status import render
from hub.notify import _open_now
from hub.store import circuits, sources

V1 = "/api/v1"
PLAIN = {"concurrency": 16, "retry_budget": 0.2}


def erp(caller: Caller) -> Any:
    return next(item for item in caller.get(V1 + "/systems").json["items"] if item["name"] == "erp")


def test_a_circuit_says_since_when_why_and_when_the_next_probe_goes(call: Callable[..., Caller], world: World) -> None:
    assert erp(call("viewer"))["circuit"] == {"state": "closed"}
    fail(world)
    circuit = erp(call("viewer"))["circuit"]
    assert (circuit["state"], circuit["actor"], circuit["failed_probes"]) == ("open", "hub", 0)
    assert circuit["reason"] == "5 tries in a row failed; the last: connection refused"
    assert circuit["next_probe_at"] > circuit["since"]
    page = render(Desk(world.engine))
    assert "circuit open" in page and "5 tries in a row failed" in page
    shown = metrics.render(world.engine, Desk(world.engine).tally()).decode()
    assert 'o2c_circuit{system="erp"} 2.0' in shown and 'o2c_circuit{system="wms"} 0.0' in shown


def test_an_operator_opens_a_circuit_and_closes_it(call: Callable[..., Caller], world: World) -> None:
    operator = call("operator")
    answer = operator.post(V1 + "/systems/erp/circuit/open", {"reason": "their release night"})
    assert (answer.status, answer.json["circuit"]["state"], answer.json["circuit"]["actor"]) == (
        200,
        "open",
        "operator",
    )
    assert "next_probe_at" not in answer.json["circuit"]
    world.send(order(1))
    later(world, 1000)
    assert world.target("erp").sent == []
    assert operator.post(V1 + "/systems/erp/circuit/close", {}).json["circuit"] == {"state": "closed"}
    world.run()
    assert world.states() == [("erp", "delivered")]
    again = operator.post(V1 + "/systems/erp/circuit/close", {})
    assert (again.status, again.json["detail"]) == (409, "the circuit of 'erp' is closed")
    trail = [line["action"] for line in call("admin").get(V1 + "/audit").json["items"]]
    assert trail[:2] == ["system.circuit_closed", "system.circuit_opened"]


def test_an_operator_does_not_wait_for_the_next_probe(call: Callable[..., Caller], world: World) -> None:
    assert call("operator").post(V1 + "/systems/erp/circuit/probe", {}).status == 409
    fail(world)
    world.send(order(10))
    assert call("operator").post(V1 + "/systems/erp/circuit/probe", {}).status == 200
    world.run()
    assert erp(call("viewer"))["circuit"] == {"state": "closed"}


def test_limits_are_adjusted_beside_the_configured_ones_until_they_are_reset(
    call: Callable[..., Caller], world: World
) -> None:
    operator = call("operator")
    assert erp(operator)["limits"] == {**PLAIN, "configured": PLAIN}
    body = {"rate": 5, "concurrency": 2, "reason": "their sale, OPS-9"}
    answer = operator.post(V1 + "/systems/erp/limits", body, idempotency_key="a1")
    limits = answer.json["limits"]
    assert (limits["rate"], limits["concurrency"], limits["configured"]) == (5.0, 2, PLAIN)
    assert (limits["adjusted"]["reason"], limits["adjusted"]["actor"]) == ("their sale, OPS-9", "operator")
    assert operator.post(V1 + "/systems/erp/limits", body, idempotency_key="a1").body == answer.body
    assert "adjusted to 5/s, 2 at a time" in render(Desk(world.engine))
    world.crash("w2")
    assert world.engine.dispatcher.gates.bounds("erp").concurrency == 2
    operator = Caller(create_app(world.engine), operator.key)
    assert operator.post(V1 + "/systems/erp/limits/reset", {}).json["limits"]["concurrency"] == 16
    assert operator.post(V1 + "/systems/erp/limits/reset", {}).status == 409
    assert world.engine.dispatcher.gates.bounds("erp").concurrency == 16


def test_a_retry_budget_is_adjusted_for_all_workers(call: Callable[..., Caller], world: World) -> None:
    body = {"retry_budget": 0.0, "reason": "their night"}
    limits = call("operator").post(V1 + "/systems/erp/limits", body).json["limits"]
    assert (limits["retry_budget"], limits["concurrency"], limits["configured"]) == (0.0, 16, PLAIN)
    assert world.engine.dispatcher.gates.of("erp").budget.share == 0.0
    world.crash("w2")
    assert world.engine.dispatcher.gates.of("erp").budget.share == 0.0
    operator = Caller(create_app(world.engine), call("operator").key)
    operator.post(V1 + "/systems/erp/limits/reset", {})
    assert world.engine.dispatcher.gates.of("erp").budget.share == 0.2


ERIKA = "erika@example.com may not order"


@pytest.mark.parametrize(
    "verdict", [Verdict(LATER, "http_503", ERIKA, status=503), Verdict(STOPPED, "http_403", ERIKA, status=403)]
)
def test_of_what_a_system_answers_viewers_and_channels_are_told_nothing_personal(
    call: Callable[..., Caller], world: World, verdict: Verdict
) -> None:
    fail(world, verdict=verdict)
    [(message_id,)] = world.rows("SELECT message_id FROM messages ORDER BY seq LIMIT 1")
    with world.store.snapshot() as db:
        told = str(_open_now(db, world.clock.at + 301))
    paths = (f"/messages/{message_id}", f"/messages/{message_id}/attempts", f"/messages/{message_id}/effects")
    seen = [call("viewer").get(V1 + path).body.decode() for path in (*paths, "/systems")]
    for text in (*seen, render(Desk(world.engine)), told):
        assert "[redacted] may not order" in text
        assert "erika" not in text
    assert all(ERIKA in call("operator").get(V1 + path).body.decode() for path in paths)


def test_why_a_source_cannot_be_read_is_told_without_personal_data(make_world: Callable[..., World]) -> None:
    bank = b"\nbank: {connector: file, format: csv, root: nowhere, fetch: {folder: in}}\n"
    world = make_world(systems=SYSTEMS + bank)
    world.store.write(lambda db: sources.note(db, "bank", 0, ERIKA, world.clock.at))
    with world.store.snapshot() as db:
        told = str(_open_now(db, world.clock.at + 301, {"bank"}))
    for text in (str(system_views(Desk(world.engine))), render(Desk(world.engine)), told):
        assert "[redacted] may not order" in text and "erika" not in text


@pytest.mark.parametrize(
    ("path", "body", "status", "detail"),
    [
        ("erp/limits", {"reason": "x"}, 422, "say rate, concurrency or retry_budget"),
        ("erp/limits", {"rate": 5}, 422, "/reason: is missing"),
        ("erp/limits", {"rte": 5, "reason": "x"}, 422, "unknown field 'rte'; did you mean 'rate'?"),
        ("erp/limits", {"concurrency": 0, "reason": "x"}, 422, "/concurrency"),
        ("epr/limits", {"rate": 5, "reason": "x"}, 404, "there is no system 'epr'"),
        ("shop/circuit/open", {"reason": "x"}, 409, "nothing is sent to 'shop' or fetched from it"),
        ("erp/circuit/open", {}, 422, "/reason: is missing"),
    ],
)
def test_what_cannot_be_done_is_said(
    call: Callable[..., Caller], path: str, body: dict[str, Any], status: int, detail: str
) -> None:
    answer = call("operator").post(f"{V1}/systems/{path}", body)
    assert answer.status == status
    assert detail in answer.body.decode()


@pytest.mark.parametrize("path", ["circuit/open", "circuit/close", "circuit/probe", "limits", "limits/reset"])
def test_a_viewer_changes_nothing(call: Callable[..., Caller], path: str) -> None:
    assert call("viewer").post(f"{V1}/systems/erp/{path}", {"reason": "x", "rate": 1}).status == 403


def test_people_are_told_of_a_system_that_has_failed_for_five_minutes(world: World) -> None:
    fail(world)
    with world.store.snapshot() as db:
        assert "circuit:erp" not in _open_now(db, world.clock.at + 299)
        kind, detail = _open_now(db, world.clock.at + 301)["circuit:erp"]
    assert (kind, detail.split(":")[0]) == ("system_away", "system erp has failed for a while")


def test_a_pause_is_shown_until_it_is_over(call: Callable[..., Caller], world: World) -> None:
    pause = circuits.Pause(world.clock.at + 60, 60.0, "the system answered 429")
    world.store.write(lambda db: circuits.pause(db, "erp", pause))
    assert erp(call("viewer"))["paused_until"] == "2026-09-21T14:14:20.000Z"
    assert "asked to be left alone until" in render(Desk(world.engine))
    world.clock.at += 61
    assert "paused_until" not in erp(call("viewer"))
