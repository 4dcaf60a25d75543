"""Back-tests over the admin API: asked for, run beside the flow, followed, cancelled, read by who may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from caller import Caller
from world import ORDER_IN, World, order

from hub.backtest import expiry
from hub.backtest.background import Background
from hub.store import backtests

Call = Callable[..., Caller]
PATH = "mappings/order-in.yaml"
EDITED = ORDER_IN.replace(b"name: l.name", b"name: l.name + '!'").decode()
ASKED = {"name": "order-in", "files": {PATH: EDITED}, "since": "1h", "reason": "before Friday"}


@pytest.fixture
def background(world: World) -> Iterator[Background]:
    made = Background(world.engine, None, None)
    yield made
    made.stop()


def finished(world: World, background: Background, operator: Caller, backtest_id: str) -> Any:
    """The back-test once its thread has ended."""
    background.round()
    assert background.thread is not None
    background.thread.join(60)
    return operator.get(f"/api/v1/backtests/{backtest_id}").json


def test_a_back_test_runs_beside_the_hub_and_tells_what_would_change(
    world: World, call: Call, background: Background
) -> None:
    [one] = world.send(order(1))
    operator = call("operator")

    made = operator.post("/api/v1/backtests", ASKED)
    assert (made.status, made.json["state"], made.json["request"]["edited"]) == (202, "waiting", [PATH])
    ended = finished(world, background, operator, made.json["backtest_id"])

    assert (ended["state"], ended["done"], ended["total"]) == ("done", 1, 1)
    found = operator.get(f"/api/v1/backtests/{ended['backtest_id']}/result?unmasked=true").json
    [change] = found["changes"]
    assert (change["path"], change["kind"], change["count"]) == ("stock_lines[].item.name", "changed", 1)
    assert change["samples"] == [{"message_id": one.receipt_id, "before": '"item 0"', "after": '"item 0!"'}]
    assert world.target("erp").bodies == [{"ref": "1", "lines": 1}]  # nothing was sent
    assert [item["backtest_id"] for item in operator.get("/api/v1/backtests").json["items"]] == [ended["backtest_id"]]
    actions = [row[0] for row in world.rows("SELECT action FROM audit WHERE action <> 'set.deploy' ORDER BY audit_id")]
    assert actions == ["backtest.create", "backtest.done", "backtest.read"]


def test_personal_data_is_for_operators_who_ask_for_it(world: World, call: Call, background: Background) -> None:
    world.send({"id": "1", "lines": [{"name": "erika@example.com", "qty": 1}]})
    operator, viewer = call("operator"), call("viewer")
    id = operator.post("/api/v1/backtests", ASKED).json["backtest_id"]
    finished(world, background, operator, id)

    for caller in (viewer, operator):
        answer = caller.get(f"/api/v1/backtests/{id}/result")
        assert (answer.status, b"erika" in answer.body, answer.json["masked"]) == (200, False, True)
    assert viewer.get(f"/api/v1/backtests/{id}/result?unmasked=true").code == "forbidden"
    assert b"erika" in operator.get(f"/api/v1/backtests/{id}/result?unmasked=true").body


def test_a_version_that_was_deployed_can_be_named(world: World, call: Call, background: Background) -> None:
    world.send(order(1))
    operator = call("operator")
    answer = operator.post("/api/v1/backtests", {"name": "order-in", "set_id": world.engine.program.set_id})
    ended = finished(world, background, operator, answer.json["backtest_id"])
    found = operator.get(f"/api/v1/backtests/{ended['backtest_id']}/result").json
    assert found["counts"]["equal"] == 1
    assert found["candidates"] == []


def test_a_span_is_a_time_or_reaches_back_from_the_newest_message(world: World, call: Call) -> None:
    world.send(order(1))
    for since, first in (("2026-09-21T14:00:00Z", "2026-09-21T14:00:00.000Z"), ("60s", "2026-09-21T14:12:20.001Z")):
        made = call("operator").post("/api/v1/backtests", {**ASKED, "since": since}).json
        assert (made["request"]["since"], made["request"]["until"]) == (first, "2026-09-21T14:13:20.001Z")


def test_only_operators_ask_for_back_tests(call: Call) -> None:
    assert call("viewer").post("/api/v1/backtests", ASKED).status == 403
    assert call("").post("/api/v1/backtests", ASKED).status == 401


@pytest.mark.parametrize(
    ("changed", "code", "told"),
    [
        ({"name": "order-im"}, "not_valid", "did you mean 'order-in'"),
        ({"files": {PATH: "mapping: order-in\noutput: {a: scr.x}\n"}}, "project_faults", ""),
        ({"files": {"config/systems.yaml": "{}"}}, "not_valid", "expected paths in mappings/, routes/, schemas/"),
        ({"files": {"mappings/../config/hub.yaml": "{}"}}, "not_valid", "expected paths in"),
        ({"files": {"schemas/profiles/own.yaml": "profile: own\n"}}, "not_valid", "deploy them first"),
        ({"files": {"schemas/published/OWN.xslt": "<a/>"}}, "not_valid", "deploy them first"),
        ({"edited": ["mappings/other.yaml"]}, "not_valid", "send that file too"),
        ({"since": "soon"}, "not_valid", "expected a time such as"),
        ({"since": "2026-09-21T14:00:00"}, "not_valid", "expected a time such as"),
        ({"limit": 0}, "not_valid", ""),
        ({"sine": "7d"}, "not_valid", ""),
        ({"set_id": 99}, "not_found", "there is no set 99"),
        ({"set_id": 2**63}, "not_valid", "/set_id: expected less than 9223372036854775808"),
        ({"files": {PATH: "x" * 4_000_001}}, "not_valid", "at most 500 with 4000000 characters"),
    ],
)
def test_what_cannot_be_run_is_refused_at_once(call: Call, changed: dict[str, Any], code: str, told: str) -> None:
    answer = call("operator").post("/api/v1/backtests", {**ASKED, **changed})
    assert (answer.code, answer.headers["content-type"]) == (code, "application/problem+json")
    assert told in answer.json["detail"] + answer.json.get("hint", "")


def test_a_repeat_of_a_request_is_the_same_back_test(call: Call) -> None:
    answers = [call("operator").post("/api/v1/backtests", ASKED, idempotency_key="k1") for _ in range(2)]
    assert answers[0].json["backtest_id"] == answers[1].json["backtest_id"]


def test_too_many_that_wait_are_refused(call: Call) -> None:
    operator = call("operator")
    answers = [operator.post("/api/v1/backtests", ASKED) for _ in range(backtests.MOST_WAITING + 1)]
    assert [answer.status for answer in answers] == [*[202] * backtests.MOST_WAITING, 409]


def test_a_back_test_that_waits_is_cancelled_and_has_no_result(
    world: World, call: Call, background: Background
) -> None:
    operator = call("operator")
    id = operator.post("/api/v1/backtests", ASKED).json["backtest_id"]
    assert operator.post(f"/api/v1/backtests/{id}/cancel", {"reason": "a mistake"}).json["state"] == "cancelled"
    assert operator.post(f"/api/v1/backtests/{id}/cancel").status == 409
    assert operator.get(f"/api/v1/backtests/{id}/result").status == 409
    background.round()
    assert background.thread is None


def test_a_back_test_that_is_cancelled_while_it_runs_stays_cancelled(
    world: World, call: Call, background: Background
) -> None:
    world.send(order(1))
    operator = call("operator")
    id = operator.post("/api/v1/backtests", ASKED).json["backtest_id"]
    taken = world.store.write(lambda db: backtests.take(db, world.engine.worker, 0.0))
    operator.post(f"/api/v1/backtests/{id}/cancel")
    background.work(*taken)
    assert operator.get(f"/api/v1/backtests/{id}").json["state"] == "cancelled"


def test_what_a_hub_was_at_when_it_died_is_begun_anew(world: World, call: Call, background: Background) -> None:
    world.send(order(1))
    operator = call("operator")
    id = operator.post("/api/v1/backtests", ASKED).json["backtest_id"]
    world.store.write(lambda db: backtests.take(db, "another", 0.0))
    assert finished(world, background, operator, id)["state"] == "done"


def test_a_back_test_whose_set_has_gone_fails_with_the_reason(world: World, call: Call, background: Background) -> None:
    operator = call("operator")
    id = operator.post("/api/v1/backtests", ASKED).json["backtest_id"]
    world.store.write(lambda db: db.execute("DELETE FROM sets"))
    ended = finished(world, background, operator, id)
    assert (ended["state"], ended["error"]) == ("failed", "there is no set 1 in this store")


def test_results_are_forgotten_after_a_week(world: World, call: Call, background: Background) -> None:
    world.send(order(1))
    operator = call("operator")
    id = operator.post("/api/v1/backtests", ASKED).json["backtest_id"]
    finished(world, background, operator, id)
    now = world.clock.epoch()
    assert world.store.write(lambda db: backtests.prune(db, now - backtests.KEEP_SECONDS)) == 0
    assert world.store.write(lambda db: backtests.prune(db, now + 1)) == 1
    assert operator.get(f"/api/v1/backtests/{id}").status == 404


def test_what_samples_show_of_a_document_goes_when_the_document_does(
    world: World, call: Call, background: Background
) -> None:
    lines = [{"name": "erika@example.com", "qty": 1}]
    first, second = world.send({"id": "1", "lines": lines}, {"id": "2", "lines": lines})
    operator = call("operator")
    id = operator.post("/api/v1/backtests", ASKED).json["backtest_id"]
    finished(world, background, operator, id)

    def seen(query: str) -> dict[str, str]:
        [change] = operator.get(f"/api/v1/backtests/{id}/result{query}").json["changes"]
        return {sample["message_id"]: sample["before"] for sample in change["samples"]}

    def stored() -> int:
        found = backtests.result(world.store.reader(), id)
        assert found is not None
        return found.count(b"erika@example.com")

    shown, masked, before = seen("?unmasked=true"), seen(""), stored()
    assert set(shown.values()) == {'"erika@example.com"'}
    assert not set(shown.values()) & set(masked.values())
    one, other = first.receipt_id, second.receipt_id
    world.store.write(lambda db: db.execute("DELETE FROM payloads WHERE stage = 'canonical' AND owner_id = ?", (one,)))
    assert seen("?unmasked=true") == {one: masked[one], other: shown[other]}  # at once, to whoever reads
    assert stored() == before
    world.store.write(expiry.forget)
    assert stored() == before / 2  # and for good
    assert seen("?unmasked=true") == {one: masked[one], other: shown[other]}


def test_the_error_of_a_message_that_died_is_shown_as_long_as_its_bytes_are_there(
    world: World, call: Call, background: Background
) -> None:
    world.send({"id": "1", "lines": [{"name": "erika@example.com", "qty": 1}]})
    operator = call("operator")
    failing = ORDER_IN.replace(b"name: l.name", b"name: text(dec(l.name))").decode()
    id = operator.post("/api/v1/backtests", {**ASKED, "files": {PATH: failing}}).json["backtest_id"]
    finished(world, background, operator, id)
    path = f"/api/v1/backtests/{id}/result?unmasked=true"
    assert b"erika@" in operator.get(path).body
    world.store.write(lambda db: db.execute("DELETE FROM payloads WHERE stage = 'canonical'"))
    assert b"erika@" not in operator.get(path).body
