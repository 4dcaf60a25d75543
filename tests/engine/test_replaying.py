"""Replay: exactly what the plan says, in order, never twice, and nothing overwritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from replaying import (
    ANNA,
    BLOCKING,
    CSV_IN,
    DEAD,
    FAN_OUT,
    NO,
    adds_up,
    dead_count,
    dead_orders,
    deploy,
    replay_one,
    run,
)
from world import ORDER_IN, ORDER_OUT, World, order

import hub
from connectors.base import DOUBT, LATER, Verdict
from hub import replay
from hub.errors import Conflict, NotFound, UsageError
from hub.replay import Request, steps
from hub.store import audit, deliveries, messages
from hub.store.search_terms import Filter


def test_a_dead_delivery_is_sent_again_by_a_new_one_with_the_old_key_and_the_old_one_is_resolved(world: World) -> None:
    [message] = dead_orders(world, 1)
    plan = run(world, Request(ids=(message,)))
    assert (plan["matched"], plan["replayable"], plan["destinations"]) == (1, 1, {"erp": 1})
    first, second = world.target("erp").sent
    assert (second.key, second.body) == (first.key, first.body)
    (old, before), (new, after) = world.rows("SELECT delivery_id, state FROM deliveries ORDER BY replay_depth")
    assert (before, after) == ("resolved", "delivered")
    assert world.rows("SELECT replay_of, replay_depth FROM deliveries WHERE delivery_id = ?", new) == [(old, 1)]
    assert world.rows("SELECT delivery_id, outcome FROM attempts ORDER BY started_at, outcome") == [
        (old, "dead"), (new, "delivered"),
    ]  # fmt: skip
    adds_up(world)


def test_after_a_mapping_is_corrected_the_changed_bytes_go_out_under_the_next_revision(world: World) -> None:
    [message] = dead_orders(world, 1)
    deploy(world, "mappings/order-out.yaml", ORDER_OUT.replace(b"ref: src", b"number: src"))
    run(world, Request(ids=(message,)))
    first, second = world.target("erp").sent
    assert (first.key.rpartition(".")[0], first.key[-2:]) == (second.key.rpartition(".")[0], ".1")
    assert second.key.endswith(".2")
    assert world.target("erp").bodies[1] == {"number": "1", "lines": 1}


def test_as_run_sends_the_very_bytes_of_before_whatever_was_deployed_since(world: World) -> None:
    [message] = dead_orders(world, 1)
    deploy(world, "mappings/order-out.yaml", ORDER_OUT.replace(b"ref: src", b"number: src"))
    run(world, Request(ids=(message,), version="as_run"))
    first, second = world.target("erp").sent
    assert (second.key, second.body) == (first.key, first.body)


@pytest.mark.parametrize("changed", ["nothing", "the set", "the hub"])
def test_bytes_are_made_again_only_where_they_might_come_out_otherwise(
    world: World, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    [message] = dead_orders(world, 1)
    built: list[str] = []
    build = world.engine.transformer.build

    def noted(found: Any, program: Any) -> Any:
        built.extend(delivery.message_id for delivery in found)
        return build(found, program)

    monkeypatch.setattr(world.engine.transformer.__class__, "build", lambda self, found, program: noted(found, program))
    if changed == "the set":
        deploy(world, "mappings/order-out.yaml", ORDER_OUT + b"  # deployed again\n")
    if changed == "the hub":
        monkeypatch.setattr(hub, "__version__", "999")
    run(world, Request(ids=(message,)))
    assert built == ([] if changed == "nothing" else [message])
    first, second = world.target("erp").sent
    assert (second.key, second.body) == (first.key, first.body)
    adds_up(world)


def know(world: World, value: str) -> None:
    """What the CRM calls the order 1."""
    world.store.write(lambda db: messages.put_xrefs(db, [("crm", "order", "1", value, world.clock.at, "m")]))


def test_bytes_that_read_cross_references_are_made_again(make_world: Callable[..., World]) -> None:
    mapping = ORDER_OUT + b"  known: xref('crm', 'order', text(src.report_id))\n"
    world = make_world(order_out=mapping)
    know(world, "CRM-1")
    dead_orders(world, 1)
    know(world, "CRM-2")
    run(world, DEAD)
    assert [body["known"] for body in world.target("erp").bodies] == ["CRM-1", "CRM-2"]
    assert [parcel.key[-2:] for parcel in world.target("erp").sent] == [".1", ".2"]


def test_a_retry_of_a_replay_sends_the_bytes_of_the_replay(world: World) -> None:
    [message] = dead_orders(world, 1)
    deploy(world, "mappings/order-out.yaml", ORDER_OUT.replace(b"ref: src", b"number: src"))
    world.target("erp").answers.append(Verdict(LATER, code="http_503", status=503))
    run(world, Request(ids=(message,)))
    world.wait(60)
    _, second, third = world.target("erp").sent
    assert (third.key, third.body) == (second.key, second.body)
    assert [state for _, state in world.states()] == ["resolved", "delivered"]


def test_a_message_that_could_not_be_mapped_goes_through_again_and_keeps_its_place(world: World) -> None:
    [bad] = world.send({"id": "1", "lines": [{"name": "a", "qty": "nix"}]})
    world.send(order(2))
    deploy(world, "mappings/order-in.yaml", ORDER_IN.replace(b"text(l.qty)", b"\"'7'\""))
    plan = run(world, DEAD)
    assert plan["kinds"] == {"message": 1}
    assert world.target("erp").bodies == [{"ref": "2", "lines": 1}, {"ref": "1", "lines": 1}]
    [(resolved_by,)] = world.rows("SELECT resolved_by FROM messages WHERE message_id = ?", bad.receipt_id)
    assert world.rows("SELECT replay_of, raw_owner, origin_seq, origin_position FROM receipts WHERE receipt_id = ?",
                      resolved_by) == [(bad.receipt_id, bad.receipt_id, 1, 0)]  # fmt: skip
    assert world.rows("SELECT lane_seq >> 20 FROM deliveries ORDER BY lane_seq") == [(1,), (2,)]
    assert dead_count(world) == 0
    adds_up(world)


def test_a_receipt_without_a_route_goes_through_again_once_there_is_one(world: World) -> None:
    world.send(order(1), event="sale")
    routes = world.files["routes/orders.yaml"].replace(b"event: order}", b"event: [order, sale]}")
    deploy(world, "routes/orders.yaml", routes)
    assert run(world, DEAD)["kinds"] == {"receipt": 1}
    assert world.states() == [("erp", "delivered")]
    assert dead_count(world) == 0
    adds_up(world)


def test_what_was_replayed_once_is_not_replayed_again(world: World) -> None:
    [message] = dead_orders(world, 1)
    [bad] = world.send({"id": "9", "lines": [{"name": "a", "qty": "nix"}]})
    [delivery] = [row[0] for row in world.rows("SELECT delivery_id FROM deliveries")]
    run(world, DEAD)
    for id, reason in ((delivery, "already_replayed"), (bad.receipt_id, "already_replayed")):
        planned = replay.plan(world.engine, Request(ids=(id,)), ANNA)
        assert planned.plan["not_replayable"] == {reason: 1}
    plan = replay.plan(world.engine, Request(ids=(message,)), ANNA).plan
    assert plan["not_replayable"] == {"already_replayed": 1, "already_delivered": 1}
    assert len(world.target("erp").sent) == 2


def test_what_a_newer_message_of_its_lane_has_overtaken_is_skipped_unless_asked_for(world: World) -> None:
    [message] = dead_orders(world, 1)
    world.send(order(1, lines=2))
    assert run(world, Request(ids=(message,)))["not_replayable"] == {"superseded": 1}
    assert len(world.target("erp").sent) == 2
    assert run(world, Request(ids=(message,), superseded="send"))["replayable"] == 1
    assert world.target("erp").bodies[-1] == {"ref": "1", "lines": 1}


def test_a_newer_message_of_another_lane_overtakes_nothing(world: World) -> None:
    [message] = dead_orders(world, 1)
    world.send(order(2))
    assert run(world, Request(ids=(message,)))["replayable"] == 1


def test_deliveries_that_are_replayed_together_are_stored_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead_orders(world, *range(60))
    stored: list[int] = []
    insert = deliveries.insert

    def noted(db: Any, new: Any, claim_for: str | None = None) -> set[str]:
        stored.append(len(new))
        return insert(db, new, claim_for)

    monkeypatch.setattr(deliveries, "insert", noted)
    run(world, DEAD)
    assert stored == [60]
    adds_up(world)


def test_many_are_replayed_in_the_order_they_came_in(world: World) -> None:
    dead_orders(world, *range(1, 121))
    plan = run(world, DEAD)
    assert (plan["matched"], plan["replayable"]) == (120, 120)
    assert [body["ref"] for body in world.target("erp").bodies[120:]] == [str(n) for n in range(1, 121)]
    assert dead_count(world) == 0
    adds_up(world)


def test_what_comes_after_a_delivery_follows_its_replay(make_world: Callable[..., World]) -> None:
    world = make_world(routes=FAN_OUT)
    [message] = dead_orders(world, 1)
    assert world.states() == [("erp", "dead"), ("wms", "held")]
    plan = run(world, Request(ids=(message,)))
    assert plan["not_replayable"] == {"follows_predecessor": 1}
    assert sorted(world.states()) == [("erp", "delivered"), ("erp", "resolved"), ("wms", "delivered")]
    adds_up(world)


def test_the_replay_of_a_blocking_delivery_goes_before_those_that_waited_for_it(
    make_world: Callable[..., World],
) -> None:
    world = make_world(routes=BLOCKING)
    dead_orders(world, 1)
    world.send(order(1, lines=2))
    assert [s for t, s in world.states() if t == "erp"] == ["dead", "queued"]
    run(world, Request(filter=Filter(state="dead"), destinations=("erp",)))
    assert world.target("erp").bodies == [{"ref": "1", "lines": n} for n in (1, 1, 2)]
    adds_up(world)


def test_only_the_destinations_asked_for_are_replayed(make_world: Callable[..., World]) -> None:
    world = make_world(routes=BLOCKING)
    world.target("wms").answers.append(NO)
    [message] = dead_orders(world, 1)
    assert run(world, Request(ids=(message,), destinations=("wms",)))["destinations"] == {"wms": 1}
    assert sorted(world.states()) == [("erp", "dead"), ("wms", "delivered"), ("wms", "resolved")]


def test_the_fifth_replay_in_a_row_is_the_last(world: World) -> None:
    [message] = dead_orders(world, 1)
    for _ in range(5):
        world.target("erp").answers.append(NO)
        assert run(world, DEAD)["replayable"] == 1
    assert run(world, DEAD)["not_replayable"] == {"depth": 1}
    assert len({parcel.key for parcel in world.target("erp").sent}) == 1
    assert message


def test_a_message_that_fails_again_and_again_stops_at_the_same_depth(world: World) -> None:
    world.send({"id": "1", "lines": [{"name": "a", "qty": "nix"}]})
    for _ in range(5):
        assert run(world, DEAD)["replayable"] == 1
    assert run(world, DEAD)["not_replayable"] == {"depth": 1}
    assert dead_count(world) == 1
    adds_up(world)


def test_doubt_is_settled_by_a_person_before_anything_is_sent_again(make_world: Callable[..., World]) -> None:
    world = make_world(routes=FAN_OUT.replace(b"wms", b"crm").replace(b", after: erp", b""))
    world.target("crm").answers.append(Verdict(DOUBT, code="read_timeout", detail="no answer"))
    [message] = [a.receipt_id for a in world.send(order(1))]
    assert ("crm", "held") in world.states()
    plan = run(world, Request(ids=(message,)))
    assert plan["not_replayable"] == {"in_doubt": 1}
    [(delivery,)] = world.rows("SELECT delivery_id FROM deliveries WHERE state = 'held'")
    assert steps.release(world.engine, delivery, ANNA, "the CRM has no such order") == "queued"
    world.run()
    assert ("crm", "delivered") in world.states()


def test_one_thing_is_replayed_at_once_or_refused_with_the_reason(world: World) -> None:
    [message] = dead_orders(world, 1)
    assert replay_one(world.engine, message, ANNA).state == "done"
    world.run()
    with pytest.raises(Conflict, match="not replayable: it was delivered"):
        replay_one(world.engine, world.send(order(3))[0].receipt_id, ANNA)
    with pytest.raises(NotFound, match="no message, receipt or delivery with the id 'nix'"):
        replay_one(world.engine, "nix", ANNA)


def test_what_was_delivered_is_sent_again_only_on_purpose_and_with_a_reason(world: World) -> None:
    [accepted] = world.send(order(1))
    with pytest.raises(UsageError, match="say why"):
        replay_one(world.engine, accepted.receipt_id, ANNA, delivered="send")
    replay_one(world.engine, accepted.receipt_id, ANNA, delivered="send", reason="the ERP lost its disk")
    world.run()
    assert len(sent := [(one.key, one.body) for one in world.target("erp").sent]) == 2 and len(set(sent)) == 1
    assert [state for _, state in world.states()] == ["delivered", "delivered"]
    adds_up(world)


def test_a_filtered_message_goes_through_again_from_the_start_after_its_rule_changed(
    make_world: Callable[..., World],
) -> None:
    route = b"route: orders\nfrom: {system: shop, event: order}\nmap: order-in\nto:\n"
    world = make_world(routes=route + b"  - {system: erp, map: order-out, when: count(src.stock_lines) > 1}\n")
    [accepted] = world.send(order(1))
    assert run(world, Request(ids=(accepted.receipt_id,)))["not_replayable"] == {"filtered": 1}
    deploy(world, "routes/orders.yaml", route + b"  - {system: erp, map: order-out}\n")
    assert run(world, Request(filter=Filter(state="filtered"), begin="start"))["kinds"] == {"message": 1}
    assert world.target("erp").bodies == [{"ref": "1", "lines": 1}]
    adds_up(world)


def test_from_the_start_settles_the_dead_deliveries_of_before(world: World) -> None:
    [message] = dead_orders(world, 1)
    run(world, Request(ids=(message,), begin="start"))
    assert [state for _, state in world.states()] == ["resolved", "delivered"]
    assert dead_count(world) == 0
    adds_up(world)


def test_nothing_that_arrived_goes_through_again_from_the_start(world: World) -> None:
    [accepted] = world.send(order(1))
    request = Request(ids=(accepted.receipt_id,), begin="start")
    assert run(world, request)["not_replayable"] == {"already_delivered": 1}
    assert len(world.target("erp").sent) == 1


def test_without_its_bytes_a_thing_is_not_replayable_and_the_plan_says_so(world: World) -> None:
    [message] = dead_orders(world, 1)
    [bad] = world.send({"id": "9", "lines": [{"name": "a", "qty": "nix"}]})
    world.store.write(lambda db: db.execute("DELETE FROM payloads"))
    planned = replay.plan(world.engine, DEAD, ANNA)
    assert planned.plan["not_replayable"] == {"payload_pruned": 2}
    assert planned.plan["warnings"] == ["2 cannot be replayed: its bytes are no longer stored (retention or a quota)"]
    as_run = replay.plan(world.engine, Request(ids=(message, bad.receipt_id), version="as_run"), ANNA)
    assert as_run.plan["not_replayable"] == {"payload_pruned": 1, "not_as_run": 1}


def test_a_target_that_is_gone_is_named(world: World) -> None:
    dead_orders(world, 1)
    deploy(world, "routes/orders.yaml", world.files["routes/orders.yaml"].replace(b"system: erp", b"system: wms"))
    assert replay.plan(world.engine, DEAD, ANNA).plan["not_replayable"] == {"no_target": 1}


def test_no_more_than_asked_for_is_done_and_the_rest_is_counted(world: World) -> None:
    dead_orders(world, 1, 2, 3)
    plan = run(world, Request(filter=Filter(state="dead"), max_items=2))
    assert (plan["matched"], plan["replayable"], plan["left_out"]) == (3, 2, 1)
    assert [body["ref"] for body in world.target("erp").bodies[3:]] == ["1", "2"]


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (Request(), "select: say which"),
        (Request(ids=("a",), filter=Filter(state="dead")), "not both"),
        (Request(ids=("a",), begin="middle"), "from: expected failed_step or start, got 'middle'"),
        (Request(ids=("a",), version="old"), "version: expected as_run or current, got 'old'"),
        (Request(ids=("a",), begin="start", version="as_run"), "from: start makes them anew"),
        (Request(ids=("a",), begin="start", destinations=("erp",)), "goes to every target"),
        (Request(ids=("a",), max_items=0), "max_items: expected 1 to 100000, got 0"),
        (Request(ids=("a",), rate_per_second=0.0), "rate_per_second: expected 0.01 to 10000, got 0"),
        (Request(ids=("a",), delivered="send"), "reason: say why"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused(world: World, request_: Request, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        replay.plan(world.engine, request_, ANNA)


def test_only_the_records_that_died_go_through_again(make_world: Callable[..., World]) -> None:
    world = make_world(order_in=CSV_IN)
    [file] = world.send(b"id,qty\n1,5\n2,nix\n3,6\n4,nein\n")
    assert [body["ref"] for body in world.target("erp").bodies] == ["1", "3"]
    deploy(world, "mappings/order-in.yaml", CSV_IN.replace(b"value: src.qty", b"value: \"'1'\""))
    assert run(world, Request(ids=(file.receipt_id,)))["kinds"] == {"message": 2}
    assert [body["ref"] for body in world.target("erp").bodies] == ["1", "3", "2", "4"]
    assert world.rows("SELECT lane_seq & 1048575 FROM deliveries ORDER BY lane_seq") == [(0,), (1,), (2,), (3,)]
    assert dead_count(world) == 0
    adds_up(world)


def test_a_record_that_is_read_as_another_by_now_is_not_replayed_in_its_place(make_world: Callable[..., World]) -> None:
    world = make_world(order_in=CSV_IN)
    world.send(b"id,qty\n1,5\n2,nix\n")
    deploy(world, "mappings/order-in.yaml", CSV_IN.replace(b"csv}", b"csv, header: false, columns: [id, qty]}"))
    run(world, DEAD)
    assert [body["ref"] for body in world.target("erp").bodies] == ["1"]
    assert world.rows("SELECT failure ->> 'code', failure ->> 'detail' FROM receipts WHERE state = 'dead'") == [
        ("no_such_message", "line 3 is nowhere in these bytes as they are read now")
    ]
    deploy(world, "mappings/order-in.yaml", CSV_IN.replace(b"value: src.qty", b"value: \"'1'\""))
    run(world, DEAD)
    assert [body["ref"] for body in world.target("erp").bodies] == ["1", "2"]
    adds_up(world)


def test_a_file_whose_first_records_went_through_does_not_go_through_again_unasked(
    make_world: Callable[..., World],
) -> None:
    world = make_world(order_in=CSV_IN)
    [file] = world.send("id,qty\n1,5\n2,6\n3,7\n".encode("utf-16")[:-3])
    assert world.rows("SELECT state, failure ->> 'detail' FROM receipts") == [
        ("dead", "not UTF-16 from byte 37 on; the 2 records before it were taken in and went on")
    ]
    assert run(world, DEAD)["not_replayable"] == {"partly_delivered": 1}
    request = Request(ids=(file.receipt_id,), begin="start", delivered="send", reason="the ERP lost them")
    assert run(world, request)["kinds"] == {"receipt": 1}
    assert [body["ref"] for body in world.target("erp").bodies] == ["1", "2", "1", "2"]
    adds_up(world)


def test_every_step_is_in_the_audit_with_who_and_why(world: World) -> None:
    [message] = dead_orders(world, 1)
    replay_one(world.engine, message, ANNA, reason="OPS-412")
    rows = audit.listed(world.store.reader(), 3)
    assert [(row["action"], row["actor"], row["reason"]) for row in rows] == [
        ("replay.done", "hub", ""), ("replay.start", "anna", "OPS-412"), ("replay.plan", "anna", "OPS-412"),
    ]  # fmt: skip
    assert audit.verify(world.store.reader()) is None
