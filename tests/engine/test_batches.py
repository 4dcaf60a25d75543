"""What was put together has one fate, whatever is answered, whoever dies or says something of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from backtesting import backtested, left_out
from batching import CSV_OUT, QUARTER, adds_up, letters, route
from caller import Caller
from replaying import ANNA, deploy, replay_one
from world import START, World, order

from connectors.base import ABSENT, DOUBT, FOUND, LATER, REFUSED, Verdict
from hub.cli.message_text import message_lines
from hub.errors import Conflict
from hub.message import LOOKUPS
from hub.metrics import render
from hub.replay import steps
from hub.store import batches, collecting, dead_letters, payloads
from hub.store.search_terms import Filter
from hub.store.tally import Tallier
from hub.sweeper import Sweeper


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world(routes=route())


def test_a_retry_sends_the_same_bytes_under_the_same_key_and_name_also_after_a_crash(world: World) -> None:
    world.target("erp").answers.append(Verdict(LATER, code="http_503", status=503))
    world.send(order(1), order(2))
    world.wait(QUARTER)
    assert world.states() == [("erp", "retrying")] * 2
    adds_up(world)
    world.send(order(3))
    world.crash("w2")
    world.wait(10)
    first, second = world.target("erp").sent
    assert (first.body, first.key, first.variables) == (second.body, second.key, second.variables)
    assert world.states() == [("erp", "delivered")] * 2 + [("erp", "queued")]
    assert world.rows("SELECT tries, attempts FROM deliveries WHERE state = 'delivered'") == [(2, 2)] * 2
    adds_up(world)


def test_what_was_on_its_way_in_a_crash_is_one_batch_still(world: World) -> None:
    world.target("erp").silent = True
    world.send(order(1), order(2), order(1, 2))
    assert [state for _, state in world.states()] == ["delivering"] * 3
    adds_up(world)
    world.crash("w2")
    Sweeper(world.engine, world.folder, None, {}).recover()
    assert [state for _, state in world.states()] == ["retrying"] * 3
    adds_up(world)
    world.wait(30)
    assert [parcel.body for parcel in world.target("erp").sent] == [world.target("erp").sent[0].body] * 2
    assert [state for _, state in world.states()] == ["delivered"] * 3
    adds_up(world)


def test_a_crash_before_it_was_sent_leaves_a_batch_that_goes_as_it_is(world: World) -> None:
    world.send(order(1), order(2))
    world.clock.at += QUARTER
    world.engine.dispatcher.collector.collect("erp")
    world.crash("w2")
    assert world.states() == [("erp", "queued")] * 2
    adds_up(world)
    world.send(order(0))  # it does not get into what is put together already
    world.wait(0)
    assert world.target("erp").bodies == [[{"ref": "1", "lines": 1}, {"ref": "2", "lines": 1}]]


def test_a_refusal_is_that_of_each_and_one_that_is_replayed_goes_in_the_next_batch(world: World) -> None:
    world.target("erp").answers.append(Verdict(REFUSED, code="http_422", status=422, detail="no such customer"))
    world.send(order(1), order(2), order(3))
    assert [state for _, state in world.states()] == ["dead"] * 3
    found = dead_letters.find(world.store.reader(), Filter())
    assert [letter.failure["detail"] for letter in found] == ["no such customer"] * 3
    adds_up(world)
    replay_one(world.engine, letters(world)[1], ANNA)
    world.run()
    assert [state for _, state in world.states()] == ["dead", "resolved", "queued", "dead"]
    assert world.target("erp").bodies[1:] == []
    world.wait(QUARTER)
    assert world.target("erp").bodies[1:] == [[{"ref": "2", "lines": 1}]]
    assert world.target("erp").sent[1].key != world.target("erp").sent[0].key
    assert [state for _, state in world.states()] == ["dead", "resolved", "delivered", "dead"]
    adds_up(world)


def test_a_refusal_blocks_the_keys_of_all_in_it_also_where_the_first_has_none(make_world: Callable[..., World]) -> None:
    keyed = route().replace(b"key: src.report_id", b"key: \"src.report_id if src.report_id != '1' else null\"")
    world = make_world(routes=keyed + b"on_error: block_key\n")
    world.target("erp").answers.append(Verdict(REFUSED, code="http_422", status=422))
    world.send(order(1), order(2), order(3))
    world.send(order(2, 2), order(1, 2))
    world.wait(QUARTER)
    assert world.target("erp").bodies[1:] == [[{"ref": "1", "lines": 2}]]
    assert [state for _, state in world.states()] == ["dead"] * 3 + ["queued", "delivered"]
    adds_up(world)


def test_a_batch_in_doubt_is_looked_up_once_and_its_answer_is_that_of_all(make_world: Callable[..., World]) -> None:
    world = make_world(routes=route("wms"))
    wms = world.target("wms")
    wms.answers.append(Verdict(DOUBT, code="read_timeout"))
    world.send(order(1), order(2), order(3))
    assert world.states() == [("wms", "unknown")] * 3
    adds_up(world)
    wms.found += [Verdict(ABSENT), Verdict(FOUND)]
    wms.answers.append(Verdict(DOUBT, code="read_timeout"))
    world.wait(60)
    world.wait(60)
    assert (len(wms.asked), len(wms.sent)) == (2, 2)
    assert world.states() == [("wms", "delivered")] * 3
    adds_up(world)


def test_a_batch_that_is_held_is_settled_as_a_whole(make_world: Callable[..., World]) -> None:
    world = make_world(routes=route("crm"))
    world.target("crm").answers.append(Verdict(DOUBT, code="read_timeout"))
    world.send(order(1), order(2), order(3))
    assert world.states() == [("crm", "held")] * 3
    adds_up(world)
    ids = [id for (id,) in world.rows("SELECT delivery_id FROM deliveries ORDER BY lane_seq")]
    [issue] = dead_letters.issues(world.store.reader(), Filter())
    assert issue.command == f"o2c release --issue {issue.issue} --reason 'it has not arrived'"
    with pytest.raises(Conflict, match="it is held in a batch with others; `o2c release`, `o2c resolve` or"):
        replay_one(world.engine, ids[1], ANNA)
    looked_up = payloads.packed_rows([(ids[2], LOOKUPS, 1, "application/json", b"[]")], 1.0)
    world.store.write(lambda db: payloads.insert_rows(db, looked_up))
    assert steps.release(world.engine, ids[2], ANNA, "it is not there", look_up=False) == "queued"
    adds_up(world)
    world.run()
    assert world.states() == [("crm", "delivered")] * 3
    assert world.rows("SELECT owner_id FROM payloads WHERE stage = ?", LOOKUPS) == [(ids[2],)]  # its bytes are of them
    first, second = world.target("crm").sent
    assert (first.body, first.key) == (second.body, second.key)
    adds_up(world)


@pytest.mark.parametrize(("act", "state"), [(steps.resolve, "resolved"), (steps.cancel, "cancelled")])
def test_what_a_person_says_of_one_on_its_way_holds_for_its_batch(
    world: World, act: Callable[..., str], state: str
) -> None:
    world.target("erp").answers.append(Verdict(LATER, code="http_503", status=503))
    world.send(order(1), order(2), order(3))
    ids = [id for (id,) in world.rows("SELECT delivery_id FROM deliveries ORDER BY lane_seq")]
    assert steps.hold(world.engine, ids[1], ANNA, "wait") == "held"
    assert world.states() == [("erp", "held")] * 3
    act(world.engine, ids[2], ANNA, "done by hand")
    assert world.states() == [("erp", state)] * 3
    world.wait(3600)
    assert len(world.target("erp").sent) == 1
    adds_up(world)


def test_one_that_still_waits_is_held_released_and_cancelled_alone(world: World) -> None:
    world.send(order(1), order(2))
    ids = [id for (id,) in world.rows("SELECT delivery_id FROM deliveries ORDER BY lane_seq")]
    steps.hold(world.engine, ids[0], ANNA, "wait")
    world.wait(QUARTER + 1)
    assert world.target("erp").bodies == [[{"ref": "2", "lines": 1}]]
    steps.release(world.engine, ids[0], ANNA, "go")
    world.run()
    assert len(world.target("erp").sent) == 1  # it goes when the target collects the next time
    world.wait(900)
    assert world.target("erp").bodies[1:] == [[{"ref": "1", "lines": 1}]]
    world.send(order(3), order(4))
    steps.cancel(world.engine, world.rows("SELECT max(delivery_id) FROM deliveries")[0][0], ANNA, "not that one")
    world.wait(900)
    assert world.target("erp").bodies[2:] == [[{"ref": "3", "lines": 1}]]
    adds_up(world)


def test_a_batch_whose_target_is_gone_is_a_dead_letter_for_each(world: World) -> None:
    world.target("erp").answers.append(Verdict(LATER, code="http_503", status=503))
    world.send(order(1), order(2), order(3))
    deploy(world, "routes/orders.yaml", route("crm"))
    world.wait(60)
    assert world.states() == [("erp", "dead")] * 3
    adds_up(world)


def test_metrics_and_one_message_tell_of_it(world: World) -> None:
    world.send(order(1))
    told = render(world.engine, Tallier().count(world.store.reader(), START))
    assert b'o2c_collecting_deliveries{route="orders",system="erp",target="erp"} 1.0' in told
    world.send(order(2), order(3))
    told = render(world.engine, Tallier().count(world.store.reader(), START))
    assert b"o2c_collecting_deliveries{" not in told
    assert b'o2c_deliveries_total{route="orders",state="delivered",system="erp"} 3.0' in told


def test_what_is_known_of_batches_is_forgotten_with_them(world: World) -> None:
    world.send(order(1), order(2), order(3))
    assert world.store.write(lambda db: batches.prune(db, START + 1e9)) == 0
    world.store.write(lambda db: db.execute("DELETE FROM deliveries"))
    assert world.store.write(lambda db: batches.prune(db, START - 1)) == 0
    assert world.store.write(lambda db: batches.prune(db, START + 1e9)) == 1


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_two_workers_put_nothing_together_twice(world: World, tmp_path: Path, store_url: str) -> None:
    world.engine.dispatcher.collector.collect("erp")
    steps.pause_route(world.engine, "orders", ANNA, "until all are there")
    world.send(*[order(f"k{n % 7}", n + 1) for n in range(60)])
    other = World(tmp_path, world.files, "w2", store_url)
    try:
        steps.switch_on(world.engine, "route", "orders", ANNA)
        world.calls.clear()
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(each.engine.pump, "erp") for each in (world, other) for _ in range(10)]:
                done.result()
        for each in (world, other) * 5:  # what is due and held by a lane is looked at again after a second
            for both in (world, other):
                both.settle_writes()
            world.clock.at = other.clock.at = world.clock.at + 1
            each.wait(0)
        bodies = [body for each in (world, other) for body in each.target("erp").bodies]
        assert sorted(document["lines"] for body in bodies for document in body) == list(range(1, 61))
        assert {len(body) for body in bodies} == {3}
        assert {state for _, state in world.states()} == {"delivered"}
        adds_up(world)
    finally:
        other.close()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_what_a_worker_died_over_is_put_together_by_another(world: World, tmp_path: Path, store_url: str) -> None:
    world.send(order(1), order(2))
    world.clock.at += QUARTER
    place = collecting.Place("erp", "orders", "erp")
    taken = world.store.write(lambda db: collecting.take(db, place, 3, "w1", world.clock.at))
    assert len(taken) == 2
    other = World(tmp_path, world.files, "w2", store_url)
    try:
        other.clock.at = world.clock.at
        other.wait(0)
        assert other.target("erp").sent == []
        Sweeper(other.engine, other.folder, None, {}).recover_from("w1")
        other.wait(1)
        assert other.target("erp").bodies == [[{"ref": "1", "lines": 1}, {"ref": "2", "lines": 1}]]
        adds_up(other)
    finally:
        other.close()


def test_a_backtest_leaves_out_what_was_sent_with_others(world: World) -> None:
    world.send(order(1), order(2), order(3))
    found = backtested(world, "order-out", {"mappings/order-out.yaml": CSV_OUT})
    assert left_out(found) == {"collected": 3}


def test_the_message_tells_when_it_is_collected_and_with_what_it_went(
    world: World, call: Callable[..., Caller]
) -> None:
    [first, *_] = world.send(order(1), order(2))
    operator = call("operator")
    found = operator.get(f"/api/v1/messages/{first.receipt_id}").json
    assert found["deliveries"][0]["batch"] == {"due_at": "2026-09-21T14:15:00.000Z"}
    assert "  to erp: queued, collected at 2026-09-21T14:15:00.000Z  (" in "\n".join(message_lines(found))
    world.wait(QUARTER)
    found = operator.get(f"/api/v1/messages/{first.receipt_id}").json
    batch = found["deliveries"][0]["batch"]
    assert (batch["members"], batch["collected_at"]) == (2, "2026-09-21T14:15:00.000Z")
    told = "\n".join(message_lines(found))
    assert f"    in a batch of 2, collected 2026-09-21T14:15:00.000Z  ({batch['batch_id']})" in told
    [(second,)] = world.rows("SELECT message_id FROM deliveries WHERE batch_id <> delivery_id")
    sent = operator.get(f"/api/v1/messages/{second}/payloads/sent.erp")
    assert sent.body == world.target("erp").sent[0].body
    assert [each["key"] for each in operator.get(f"/api/v1/messages/{second}/effects").json["items"]] == [
        f"{batch['batch_id']}.1"
    ]
