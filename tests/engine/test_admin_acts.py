"""The admin API: dead letters, replays, switches, deployments; every action once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from caller import Caller, Folder, new_key
from prometheus_client.parser import text_string_to_metric_families
from world import World, order

from connectors.base import DELIVERED, LATER, REFUSED, Verdict
from hub.api.application import create_app
from hub.api.on_demand import application
from hub.errors import Fault, StoreAway
from hub.store import answers, counters, switches
from hub.store.audit import Actor

NO = Verdict(REFUSED, code="http_422", status=422, detail="unknown item")
V1 = "/api/v1"


def dead_order(world: World, number: int = 1) -> str:
    world.target("erp").answers.append(NO)
    return world.send(order(number))[0].receipt_id


# -- dead letters and replays --------------------------------------------------------------------------------------


def test_dead_letters_are_grouped_by_cause_with_what_to_do(call: Callable[..., Caller], world: World) -> None:
    for number in range(5):
        dead_order(world, number)
    world.send(b"{", {"id": "9", "lines": [{"name": "a", "qty": "nix"}]})
    found = call("viewer").get(V1 + "/dead-letters").json
    assert found["total"] == 7
    assert [issue["count"] for issue in found["issues"]] == [5, 1, 1]
    worst = found["issues"][0]
    assert (worst["kinds"], worst["states"], worst["route"], worst["system"]) == (
        {"delivery": 5},
        {"dead": 5},
        "orders",
        "erp",
    )
    assert worst["command"] == f"o2c replay --issue {worst['issue']}"
    assert "correct the data or the mapping" in worst["error"]["hint"]
    flat = call("viewer").get(V1 + f"/dead-letters?group_by=none&issue={worst['issue']}&limit=2").json
    assert (flat["total"], [item["kind"] for item in flat["items"]]) == (5, ["delivery", "delivery"])


def test_a_replay_is_planned_started_and_followed(call: Callable[..., Caller], world: World) -> None:
    message = dead_order(world)
    operator = call("operator")
    planned = operator.post(V1 + "/replays", {"select": {"ids": [message]}, "reason": "fixed", "ticket": "OPS-1"})
    assert (planned.status, planned.json["state"], planned.json["plan"]["replayable"]) == (201, "planned", 1)
    assert planned.json["reason"] == "fixed (OPS-1)"
    path = f"{V1}/replays/{planned.json['replay_id']}"
    stale = operator.post(path + "/start", {"plan_hash": "x"})
    assert (stale.status, stale.code) == (409, "plan_stale")
    started = operator.post(path + "/start", {"plan_hash": planned.json["plan_hash"]})
    assert (started.status, started.json["state"]) == (200, "done")
    world.run()
    assert call("viewer").get(path).json["outcomes"] == {"delivered": 1}
    [item] = call("viewer").get(path + "/items").json["items"]
    assert (item["kind"], item["state"]) == ("delivery", "started")
    assert [r["replay_id"] for r in call("viewer").get(V1 + "/replays").json["items"]] == [planned.json["replay_id"]]
    assert operator.post(path + "/cancel").status == 409


def test_a_replay_that_is_no_dry_run_starts_at_once_and_a_repeat_of_the_request_does_nothing(
    call: Callable[..., Caller], world: World
) -> None:
    message = dead_order(world)
    body = {"select": {"ids": [message]}, "dry_run": False}
    first = call("operator").post(V1 + "/replays", body, idempotency_key='"r1"')
    again = call("operator").post(V1 + "/replays", body, idempotency_key="r1")
    world.run()
    assert (first.status, first.json["state"], again.body) == (201, "done", first.body)
    assert len(world.target("erp").sent) == 2


def test_what_a_receiver_answered_is_listed_and_is_read_of_each_delivery(
    call: Callable[..., Caller], world: World
) -> None:
    refused = Verdict(REFUSED, code="http_400", status=400, response=b'{"error": "unknown customer"}')
    world.target("erp").answers.extend([refused, Verdict(DELIVERED, status=200, response=b'{"id": "SO-1"}')])
    operator, [sent] = call("operator"), world.send(order(1))
    operator.post(V1 + "/replays", {"select": {"ids": [sent.receipt_id]}, "dry_run": False})
    world.run()
    found = operator.get(f"{V1}/messages/{sent.receipt_id}").json
    sizes = [stage["size"] for stage in found["payloads"] if stage["stage"] == "response.erp"]
    assert sizes == [len(refused.response), len(b'{"id": "SO-1"}')]
    read = {id: operator.get(f"{V1}/messages/{id}/payloads/response.erp").json for id in [
        sent.receipt_id, *(line["delivery_id"] for line in found["deliveries"]),
    ]}  # fmt: skip
    assert list(read.values()) == [{"id": "SO-1"}, {"error": "unknown customer"}, {"id": "SO-1"}]
    assert call("viewer").get(f"{V1}/messages/{sent.receipt_id}/payloads/response.erp").status == 403


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "/select: is missing"),
        ({"select": {}}, "select: say which, by ids or by a filter with at least one field, not both"),
        ({"select": {"ids": ["a"], "filter": {"state": "dead"}}}, "select: say which"),
        ({"select": {"filter": {"stat": "dead"}}}, "/select/filter: unknown field 'stat'; did you mean 'state'?"),
        ({"select": {"filter": {"state": "deed"}}}, "state: unknown state 'deed'"),
        ({"select": {"ids": ["a"]}, "from": "begin"}, "/from: expected 'failed_step' or 'start'"),
        ({"select": {"ids": ["a"]}, "max_items": 1.5}, "/max_items: expected a whole number"),
        ({"select": {"ids": ["a"]}, "dryrun": False}, "unknown field 'dryrun'; did you mean 'dry_run'?"),
        ({"select": []}, "/select: expected an object"),
        ([], "expected an object"),
        ({"select": {"ids": ["a"]}, "reason": "\ud800"}, "a text holds half of a surrogate pair"),
        ({"select": {"ids": ["a"]}, "\udfff": 1}, "a text holds half of a surrogate pair"),
        ("\ud800", "a text holds half of a surrogate pair"),
    ],
)
def test_a_replay_that_cannot_be_meant_is_refused(call: Callable[..., Caller], body: Any, detail: str) -> None:
    answer = call("operator").post(V1 + "/replays", body)
    assert answer.status == 422
    assert answer.json["detail"].startswith(detail), answer.json["detail"]


def test_a_body_that_is_no_json_is_refused(call: Callable[..., Caller]) -> None:
    answer = call("operator").request("POST", V1 + "/replays", b"{", {"idempotency_key": "x"})
    assert (answer.status, answer.json["detail"]) == (422, "this is not JSON")


@pytest.mark.parametrize("body", [b'{"reason": "\xff"}', b"[" * 100_000])
def test_a_body_that_cannot_be_read_is_refused(call: Callable[..., Caller], body: bytes) -> None:
    answer = call("operator").request("POST", V1 + "/replays", body, {"idempotency_key": "x"})
    assert (answer.status, answer.json["detail"]) == (400, "the body cannot be read")
    assert answer.json["hint"] == "send JSON in UTF-8, not nested very deep"


def test_a_body_that_is_missing_is_asked_for(call: Callable[..., Caller]) -> None:
    answer = call("operator").request("POST", V1 + "/systems/erp/start", None, {"idempotency_key": "x"})
    assert (answer.status, answer.json["detail"][:20]) == (422, "the body is missing;")


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9" * 30])
def test_a_cursor_that_is_none_is_refused(call: Callable[..., Caller], cursor: str) -> None:
    answer = call("admin").get(V1 + f"/audit?cursor={cursor}")
    assert (answer.status, answer.code) == (422, "not_valid")
    assert answer.json["hint"] == "leave it out to start at the beginning"


def test_ids_that_are_none_are_not_found(call: Callable[..., Caller]) -> None:
    assert call("operator").post(V1 + "/replays", {"select": {"ids": ["nix"]}}).status == 404
    for path in (
        "/messages/nix",
        "/messages/nix/attempts",
        "/messages/nix/payloads/raw",
        "/replays/nix",
        "/replays/nix/items",
    ):
        answer = call("admin").get(V1 + path)
        assert (answer.status, answer.code) == (404, "not_found")
    for path in (
        "/deliveries/x/hold",
        "/deliveries/x/release",
        "/deliveries/x/resolve",
        "/deliveries/x/cancel",
        "/messages/x/resolve",
    ):
        assert call("operator").post(V1 + path, {"reason": "x"}).status == 404


# -- acting once ---------------------------------------------------------------------------------------------------


def test_an_acting_request_needs_an_idempotency_key(call: Callable[..., Caller]) -> None:
    for key in ("", '""', "  "):
        answer = call("operator").post(V1 + "/replays", {"select": {"ids": ["a"]}}, idempotency_key=key)
        assert (answer.status, answer.code) == (400, "idempotency_key_missing")
    answer = call("operator").post(V1 + "/replays", {"select": {"ids": ["a"]}}, idempotency_key="k" * 201)
    assert (answer.status, answer.code) == (400, "idempotency_key_too_long")


def test_a_key_used_before_with_another_body_is_refused(call: Callable[..., Caller], world: World) -> None:
    message = dead_order(world)
    call("operator").post(V1 + "/replays", {"select": {"ids": [message]}}, idempotency_key="k")
    answer = call("operator").post(V1 + "/replays", {"select": {"ids": [message]}, "reason": "x"}, idempotency_key="k")
    assert (answer.status, answer.code) == (422, "idempotency_key_reused")
    assert call("admin").post(V1 + "/replays", {"select": {"ids": [message]}}, idempotency_key="k").status == 201


def test_a_key_whose_request_is_under_way_is_answered_409_until_it_ends_or_the_hub_restarts(
    call: Callable[..., Caller], world: World
) -> None:
    message = dead_order(world)
    body = {"select": {"ids": [message]}}
    assert call("operator").post(V1 + "/replays", body, idempotency_key="k").status == 201
    world.store.write(lambda db: db.execute("UPDATE answers SET status = 0"))
    answer = call("operator").post(V1 + "/replays", body, idempotency_key="k")
    assert (answer.status, answer.code) == (409, "in_progress")
    restarted = replace(call("operator"), app=application(world.engine, is_alone=True))
    assert restarted.post(V1 + "/replays", body, idempotency_key="k").status == 201


def test_a_request_that_failed_may_be_repeated_with_its_key(call: Callable[..., Caller], world: World) -> None:
    assert call("operator").post(V1 + "/routes/orders/resume", {}, idempotency_key="k").status == 409
    call("operator").post(V1 + "/routes/orders/pause", {"reason": "stock-taking"})
    assert call("operator").post(V1 + "/routes/orders/resume", {}, idempotency_key="k").status == 200


def test_a_refusal_is_answered_though_its_key_cannot_be_freed_before_the_store_is_back(
    call: Callable[..., Caller], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    resume, forget, outages = V1 + "/routes/orders/resume", answers.forget, iter([refuse_to_write])
    monkeypatch.setattr(answers, "forget", lambda *args, **words: next(outages, forget)(*args, **words))
    assert call("operator").post(resume, {}, idempotency_key="k").code == "conflict"
    assert call("operator").post(resume, {}, idempotency_key="k").code == "in_progress"
    world.engine.catch_up()
    call("operator").post(V1 + "/routes/orders/pause", {"reason": "stock-taking"})
    assert call("operator").post(resume, {}, idempotency_key="k").status == 200


def refuse_to_write(*_: Any, **__: Any) -> None:
    raise StoreAway("the server cannot be reached")


class Lost(Folder):
    """A folder whose deploys the store does not answer."""

    def __init__(self) -> None:
        super().__init__()
        self.acts = 0

    def deploy(self, actor: Actor, reason: str = "") -> int:
        self.acts += 1
        raise StoreAway("the connection was lost")


@pytest.mark.parametrize("is_away", [False, True], ids=["back at once", "away for longer"])
def test_a_request_that_the_store_failed_at_is_not_done_again_with_its_key(
    world: World, monkeypatch: pytest.MonkeyPatch, is_away: bool
) -> None:
    lost, path = Lost(), V1 + "/deployments"
    key = new_key(world.store, "admin")
    admin = Caller(application(world.engine, deployer=lost), key)

    with monkeypatch.context() as outage:
        if is_away:
            outage.setattr(answers, "doubt", refuse_to_write)
        first = admin.post(path, {"reason": "x"}, idempotency_key="k")
    assert (first.status, first.code) == (503, "store")
    if is_away:
        world.engine.catch_up()
        world.store.write(lambda db: answers.forget_stuck(db, world.clock.at + 1))
        admin = Caller(application(world.engine, deployer=lost), key)  # as another process that shares the store
    for body, status, code in (
        ({"reason": "x"}, 409, "outcome_unknown"), ({"reason": "y"}, 422, "idempotency_key_reused"),
    ):  # fmt: skip
        again = admin.post(path, body, idempotency_key="k")
        assert (again.status, again.code, lost.acts) == (status, code, 1)
    assert (admin.post(path, {"reason": "x"}).status, lost.acts) == (503, 2)


def test_after_72_hours_a_key_is_free_again(call: Callable[..., Caller], world: World) -> None:
    body = {"reason": "stock-taking"}
    first = call("operator").post(V1 + "/routes/orders/pause", body, idempotency_key="k")
    world.clock.at += 72 * 3600 + 1
    again = call("operator").post(V1 + "/routes/orders/pause", {"reason": "other"}, idempotency_key="k")
    assert (first.status, again.status) == (200, 200)


# -- deliveries, switches, deployments, counts ---------------------------------------------------------------------


def test_a_delivery_is_held_released_and_resolved_with_reasons(call: Callable[..., Caller], world: World) -> None:
    world.target("erp").answers.append(Verdict(LATER, code="http_503", status=503))
    [accepted] = world.send(order(1))
    operator = call("operator")
    [delivery] = operator.get(V1 + f"/messages/{accepted.receipt_id}").json["deliveries"]
    path = f"{V1}/deliveries/{delivery['delivery_id']}"
    assert operator.post(path + "/hold", {"reason": "wait"}).json["state"] == "held"
    assert operator.post(path + "/hold", {"reason": "wait"}).status == 409
    assert operator.post(path + "/hold", {}).json["detail"] == "/reason: is missing"
    assert operator.post(path + "/release", {"reason": "go"}).json["state"] == "queued"
    assert operator.post(path + "/resolve", {"reason": "by hand"}).json["state"] == "resolved"
    assert operator.post(path + "/cancel", {"reason": "late"}).status == 409


def test_switches_are_shown_with_who_and_why(call: Callable[..., Caller]) -> None:
    operator = call("operator")
    assert operator.post(V1 + "/routes/orders/pause", {"reason": "stock-taking"}).json == {
        "name": "orders",
        "state": "paused",
    }
    assert operator.post(V1 + "/systems/erp/stop", {"reason": "month end"}).json == {"name": "erp", "state": "stopped"}
    [route] = operator.get(V1 + "/routes").json["items"]
    assert (route["off"]["reason"], route["off"]["actor"], route["targets"]) == ("stock-taking", "operator", ["erp"])
    systems = {system["name"]: system for system in operator.get(V1 + "/systems").json["items"]}
    assert (systems["erp"]["off"]["state"], "off" in systems["wms"]) == ("stopped", False)
    assert operator.post(V1 + "/systems/erp/start").json["state"] == "on"
    assert operator.post(V1 + "/systems/erp/start").status == 409
    assert operator.post(V1 + "/systems/nix/stop", {"reason": "x"}).status == 404


def test_a_faulty_project_is_refused_with_every_fault(call: Callable[..., Caller], folder: Folder) -> None:
    assert call("admin").post(V1 + "/deployments").json == {"set_id": 7}
    folder.faults = [Fault("routes/orders.yaml", 14, 3, "unknown system 'erpp'; did you mean 'erp'?")]
    answer = call("admin").post(V1 + "/deployments")
    assert (answer.status, answer.code) == (422, "project_faults")
    assert answer.json["errors"] == [
        {"pointer": "routes/orders.yaml:14:3", "detail": "unknown system 'erpp'; did you mean 'erp'?"}
    ]
    assert call("admin").post(V1 + "/deployments/rollback").status == 409


def test_a_process_without_a_folder_deploys_nothing(world: World) -> None:
    caller = Caller(create_app(world.engine), new_key(world.store, "admin"))
    assert caller.post(V1 + "/deployments").json["detail"].startswith("this process has no project folder")


def test_counts_add_up_and_are_those_of_the_proof(call: Callable[..., Caller], world: World) -> None:
    dead_order(world)
    world.send(order(2), b"{", {"id": "3", "lines": [{"name": "a", "qty": "nix"}]})
    world.store.write(lambda db: counters.add(db, [("refused", "shop", "bad_signature", 2, 100, 1.0)]))
    quick = call("viewer").get(V1 + "/counts").json
    proof = call("viewer").get(V1 + "/counts?proof=true").json
    for what in ("receipts", "messages", "deliveries"):
        assert {k: v for k, v in quick[what].items() if v} == proof[what]
    assert (proof["adds_up"], proof["findings"], quick["dead_letters"]) == (True, [], 3)
    assert sum(quick["receipts"].values()) == 4
    assert quick["refused"][0]["count"] == 2


def test_what_does_not_add_up_is_found(call: Callable[..., Caller], world: World) -> None:
    world.send(order(1))
    world.store.write(lambda db: db.execute("DELETE FROM attempts"))
    proof = call("viewer").get(V1 + "/counts?proof=true").json
    assert proof["adds_up"] is False
    assert [finding["what"] for finding in proof["findings"]] == ["delivered deliveries without an attempt"]


def test_metrics_are_what_prometheus_reads(call: Callable[..., Caller], world: World) -> None:
    dead_order(world)
    away = Verdict(LATER, code="http_503", status=503)
    for number in (2, 3):
        world.target("erp").answers.append(away)
        world.send(order(number))
        world.wait(10 if number == 2 else 0)
    world.engine.accept([world.arrival(order(4))])
    world.store.write(lambda db: switches.throw(db, "system", "crm", "stopped", "", world.clock.epoch(), "anna"))
    answer = call("viewer").get("/metrics")
    text = answer.body.decode()
    assert answer.headers["content-type"].startswith("text/plain")
    for line in (
        'o2c_receipts_total{result="accepted",source="shop"} 4.0',
        'o2c_stored{state="dead",what="deliveries"} 1.0',
        'o2c_attempts_total{code="http_422",system="erp"} 1.0',
        'o2c_delivery_seconds_total{system="erp"} 10.0',
    ):
        assert line in text
    told = {each.name: each.value for family in text_string_to_metric_families(text) for each in family.samples}
    assert {name: told[f"o2c_{name}"] for name in ("dead_letters", "waiting_deliveries", "backlog_receipts")} == {
        "dead_letters": 1, "waiting_deliveries": 1, "backlog_receipts": 1,
    }  # fmt: skip
    assert (told["o2c_switched_off"], told["o2c_store_failures_total"]) == (1, 0)
    assert told["o2c_active_set"] == world.rows("SELECT max(set_id) FROM activations")[0][0]
    assert told["o2c_store_bytes"] == pytest.approx(world.store.size(), rel=0.1)


def test_a_nul_in_a_reason_leaves_the_audit_whole(call: Callable[..., Caller], world: World) -> None:
    assert call("operator").post(V1 + "/routes/orders/pause", {"reason": "a\0b"}).status == 200
    admin = call("admin")
    line = admin.get(V1 + "/audit").json["items"][0]
    assert (line["action"], line["reason"]) == ("route.paused", "a\u2400b")
    assert admin.get(V1 + "/audit/check").json["holds"]
