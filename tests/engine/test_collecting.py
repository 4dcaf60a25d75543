"""What a target collects goes together: at its time or when enough waits, once, and in order."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import groupby

import msgspec
import pytest
from batching import CSV_OUT, QUARTER, adds_up, letters, route
from replaying import ANNA, deploy
from world import START, World, order

from connectors.base import LATER, REFUSED, Verdict
from hub.pipeline import gather
from hub.replay import steps
from hub.store import collecting, dead_letters, deliveries, due
from hub.store.search_terms import Filter

BY_TYPE = b"""
mapping: order-out
version: 1
source: {schema: canonical/stock_level}
target: {format: idoc}
output:
  type: "'ORDERS05' if count(src.stock_lines) == 1 else 'ORDERS04'"
  control: {DOCNUM: src.report_id}
  E1EDK01: [{BELNR: src.report_id}]
"""


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world(routes=route())


def test_what_waits_goes_together_when_it_is_time(world: World) -> None:
    world.send(order(1), order(2, lines=2))
    assert (world.target("erp").sent, world.states()) == ([], [("erp", "queued")] * 2)
    assert world.rows("SELECT DISTINCT due_at FROM deliveries") == [(START + QUARTER,)]
    adds_up(world)
    world.wait(QUARTER - 1)
    assert world.target("erp").sent == []
    world.wait(1)
    [parcel] = world.target("erp").sent
    assert msgspec.json.decode(parcel.body) == [{"ref": "1", "lines": 1}, {"ref": "2", "lines": 2}]
    [(batch_id, members)] = world.rows("SELECT batch_id, members FROM batches")
    assert (members, parcel.key, parcel.delivery_id) == (2, f"{batch_id}.1", batch_id)
    assert world.rows("SELECT DISTINCT batch_id, state, tries FROM deliveries") == [(batch_id, "delivered", 1)]
    assert parcel.variables == {
        "key": f"{batch_id}.1", "delivery_id": batch_id, "message_id": parcel.variables["message_id"],
        "batch_id": batch_id, "count": "2", "date": "2026-09-21", "time": "141500",
    }  # fmt: skip
    adds_up(world)


def test_a_batch_of_one_is_a_list_too(world: World) -> None:
    world.send(order(1))
    world.wait(QUARTER)
    assert world.target("erp").bodies == [[{"ref": "1", "lines": 1}]]


def test_as_many_as_are_wanted_go_at_once(world: World) -> None:
    world.send(*map(order, range(7)))
    assert [len(body) for body in world.target("erp").bodies] == [3, 3]
    assert [state for _, state in world.states()] == ["delivered"] * 6 + ["queued"]
    world.wait(QUARTER)
    assert [[each["ref"] for each in body] for body in world.target("erp").bodies] == [
        ["0", "1", "2"], ["3", "4", "5"], ["6"],
    ]  # fmt: skip
    adds_up(world)


def test_large_documents_go_in_several_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "_MOST_BYTES", 1)
    world.send(order(1), order(2))
    world.wait(QUARTER)
    assert world.target("erp").bodies == [[{"ref": "1", "lines": 1}], [{"ref": "2", "lines": 1}]]
    adds_up(world)


def test_all_of_one_key_go_in_one_batch_in_their_order(world: World) -> None:
    world.send(order("a", 1), order("b", 2), order("a", 3))
    assert world.target("erp").bodies == [
        [{"ref": "a", "lines": 1}, {"ref": "b", "lines": 2}, {"ref": "a", "lines": 3}]
    ]
    adds_up(world)


def test_a_key_that_is_blocked_keeps_its_later_ones_out_and_no_others(make_world: Callable[..., World]) -> None:
    world = make_world(routes=route() + b"on_error: block_key\n")
    world.target("erp").answers.append(Verdict(REFUSED, code="http_422", status=422))
    world.send(order("a"))
    world.wait(QUARTER)
    world.send(order("a", 2), order("b"), order("a", 3), order("c"))
    world.wait(900)
    assert world.target("erp").bodies[1:] == [[{"ref": "b", "lines": 1}, {"ref": "c", "lines": 1}]]
    assert [state for _, state in world.states()] == ["dead", "queued", "delivered", "queued", "delivered"]
    adds_up(world)
    steps.resolve(world.engine, letters(world)[0], ANNA, "seen to")
    world.wait(900)
    assert world.target("erp").bodies[2:] == [[{"ref": "a", "lines": 2}, {"ref": "a", "lines": 3}]]


def test_what_a_blocked_key_keeps_waiting_is_not_looked_at_again_and_again(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(routes=route() + b"on_error: block_key\n")
    world.target("erp").answers.append(Verdict(REFUSED, code="http_422", status=422))
    world.send(order("a"))
    world.wait(QUARTER)
    world.send(*(order("a") for _ in range(40)), order("b"))
    looked: list[object] = []
    monkeypatch.setattr(collecting, "from_row", lambda row: looked.append(row) or deliveries.from_row(row))
    world.engine.dispatcher.pump("erp")
    assert len(looked) <= 3 * 3, "three at a time, and of the forty a few"
    monkeypatch.undo()
    world.wait(900)
    assert world.target("erp").bodies[1:] == [[{"ref": "b", "lines": 1}]]


def test_one_that_cannot_be_mapped_is_a_dead_letter_at_once_and_the_others_go(make_world: Callable[..., World]) -> None:
    strict = b"""
mapping: order-out
version: 1
source: {schema: canonical/stock_level}
target: {format: json}
output:
  ref: src.report_id
  lines: dec(src.stock_lines[0].item.name)
"""
    world = make_world(routes=route(), order_out=strict)
    good = {"id": "1", "lines": [{"name": "12", "qty": 1}]}
    world.send(order(2), good)
    assert world.states() == [("erp", "dead"), ("erp", "queued")]
    world.wait(QUARTER)
    assert world.target("erp").bodies == [[{"ref": "1", "lines": 12}]]
    adds_up(world)


def test_csv_has_one_header_for_all(make_world: Callable[..., World]) -> None:
    world = make_world(routes=route(), order_out=CSV_OUT)
    world.send(order(1), order(2), order(3))
    assert [parcel.body for parcel in world.target("erp").sent] == [b"ref,lines\r\n1,1\r\n2,1\r\n3,1\r\n"]


def test_what_cannot_stand_beside_the_others_goes_in_a_batch_of_its_own(make_world: Callable[..., World]) -> None:
    world = make_world(routes=route(), order_out=BY_TYPE)
    world.send(order(1), order(2), order(3, 2))
    world.wait(900)
    world.wait(900)
    bodies = [parcel.body.decode() for parcel in world.target("erp").sent]
    assert [(body.count("<BELNR>"), body.count("ORDERS04")) for body in bodies] == [(2, 0), (1, 3)]
    assert world.states() == [("erp", "delivered")] * 3


@pytest.mark.parametrize("kinds", ["1212121", "1122212", "111112", "2111111", "11"])
def test_a_batch_ends_where_the_next_cannot_stand_beside_it(make_world: Callable[..., World], kinds: str) -> None:
    world = make_world(routes=route(collect="collect: {every: 15m, max: 100}"), order_out=BY_TYPE)
    world.send(*(order(number, int(kind)) for number, kind in enumerate(kinds)))
    world.wait(900)
    bodies = [parcel.body.decode() for parcel in world.target("erp").sent]
    numbers = iter(range(len(kinds)))
    assert [re.findall("<BELNR>([0-9])", body) for body in bodies] == [
        [str(next(numbers)) for _ in run] for _, run in groupby(kinds)
    ]
    adds_up(world)


def test_what_waits_is_mapped_and_written_a_few_times_however_many_batches_it_is(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(routes=route(collect="collect: {every: 15m, max: 100}"), order_out=BY_TYPE)
    world.send(*(order(number, 1 + number % 2) for number in range(60)))
    target = world.engine.program.find("orders", "erp")
    assert target is not None
    mapped: list[object] = []
    written: list[object] = []
    map_one, write = gather.mapped, target.codec.encode
    monkeypatch.setattr(gather, "mapped", lambda *given: mapped.append(given) or map_one(*given))
    monkeypatch.setattr(
        target.codec, "encode", lambda documents, options: written.extend(documents) or write(documents, options)
    )
    world.wait(900)
    assert len(world.target("erp").sent) == 60
    assert (len(mapped), len(written) <= 8 * 60) == (60 + 1, True)


def test_what_waits_for_another_batch_of_its_key_keeps_no_other_waiting(make_world: Callable[..., World]) -> None:
    world = make_world(routes=route(collect="collect: {every: 15m, max: 100}"), order_out=BY_TYPE)
    world.send(order("a", 1), order("a", 2), order("b", 1), order("c", 2))
    world.wait(QUARTER)
    bodies = [parcel.body.decode() for parcel in world.target("erp").sent]
    assert [re.findall("<BELNR>([a-c])", body) for body in bodies] == [["a"], ["b"], ["c"]]
    world.wait(900)
    assert world.states() == [("erp", "delivered")] * 4
    adds_up(world)


def test_what_became_impossible_since_it_came_is_a_dead_letter_and_the_others_go(world: World) -> None:
    world.send(order(1), order(2))
    [(first,)] = world.rows("SELECT min(message_id) FROM messages")
    world.store.write(
        lambda db: db.execute("DELETE FROM payloads WHERE owner_id = ? AND stage = 'canonical'", (first,))
    )
    world.wait(QUARTER)
    assert sorted(state for _, state in world.states()) == ["dead", "delivered"]
    assert world.target("erp").bodies == [[{"ref": "2", "lines": 1}]]
    [letter] = dead_letters.find(world.store.reader(), Filter())
    assert letter.failure["code"] == "payload_pruned"
    adds_up(world)


def test_targets_of_a_system_where_nothing_is_due_are_not_looked_at_one_by_one(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    several = b"""
route: orders
from: {system: shop, event: order}
map: order-in
key: src.report_id
to:
  - {id: now, system: erp, map: order-out, collect: {every: 15m}}
  - {id: soon, system: erp, map: order-out, collect: {every: 15m, max: 2}}
  - {id: later, system: erp, map: order-out, collect: {at: "23:00"}}
"""
    world = make_world(routes=several)
    looked: list[str] = []
    times = collecting.times
    monkeypatch.setattr(
        collecting, "times", lambda db, place, until: looked.append(place.target) or times(db, place, until)
    )
    world.send(order(1))
    assert looked == []
    world.send(order(2))
    assert set(looked) == {"soon"}
    world.wait(QUARTER)
    assert set(looked) == {"soon", "now"}
    assert [len(body) for body in world.target("erp").bodies] == [2, 2]
    adds_up(world)


def test_a_deploy_brings_what_waits_under_the_schedule_in_force(world: World) -> None:
    world.send(order(1))
    for collect, seconds in (("{every: 1m}", 40), ("{at: '15:00'}", 0)):
        deploy(world, "routes/orders.yaml", route(collect=f"collect: {collect}"))
        world.engine.dispatcher.refresh()
        if seconds:
            world.wait(seconds)
            assert len(world.target("erp").sent) == 1
            world.send(order(2))
    world.wait(60)
    assert len(world.target("erp").sent) == 1  # 14:15 is no time of that any more
    world.wait(45 * 60)
    assert len(world.target("erp").sent) == 2
    adds_up(world)


def test_what_nothing_collects_any_more_goes_alone(world: World) -> None:
    world.send(order(1), order(1, 2))
    deploy(world, "routes/orders.yaml", route(collect="on_error: dead_letter"))
    world.engine.dispatcher.refresh()
    world.run()
    assert world.target("erp").bodies == [{"ref": "1", "lines": 1}, {"ref": "1", "lines": 2}]
    adds_up(world)


def test_what_was_on_its_way_into_the_store_at_a_deploy_goes_alone_a_little_later(world: World) -> None:
    world.send(order(1))
    deploy(world, "routes/orders.yaml", route(collect="on_error: dead_letter"))
    world.engine.dispatcher.refresh()
    world.store.write(lambda db: db.execute("UPDATE deliveries SET batch_id = '' WHERE state = 'queued'"))
    world.engine.dispatcher.refresh()
    world.run()
    assert world.target("erp").sent == []
    world.wait(60)
    world.engine.dispatcher.refresh()
    world.run()
    assert world.target("erp").bodies == [{"ref": "1", "lines": 1}]
    adds_up(world)


def test_a_route_that_is_paused_collects_when_it_goes_on(world: World) -> None:
    steps.pause_route(world.engine, "orders", ANNA, "maintenance")
    world.send(*map(order, range(4)))
    world.wait(QUARTER)
    assert world.target("erp").sent == []
    steps.switch_on(world.engine, "route", "orders", ANNA)
    world.wait(1)
    assert [len(body) for body in world.target("erp").bodies] == [3, 1]
    adds_up(world)


def test_after_time_away_what_waited_goes_once(world: World) -> None:
    world.send(order(1))
    world.crash("w2")
    world.clock.at += 5 * 3600
    world.send(order(2))
    world.wait(0)
    assert [len(body) for body in world.target("erp").bodies] == [2]


def test_a_clock_that_is_put_does_not_move_a_time_of_day(world: World) -> None:
    world.send(order(1))
    [(before,)] = world.rows("SELECT due_at FROM deliveries")
    world.store.write(lambda db: due.clock_was_put(db, 3600.0, START + 3600, START))
    assert world.rows("SELECT due_at FROM deliveries") == [(before,)]


def test_what_comes_after_a_collected_target_waits_for_its_batch(make_world: Callable[..., World]) -> None:
    world = make_world(routes=route().replace(b"retry:", b"  - {system: crm, map: order-out, after: erp}\nretry:"))
    world.send(order(1), order(2))
    assert world.target("crm").sent == []
    world.wait(QUARTER)
    assert len(world.target("crm").sent) == 2
    adds_up(world)


def test_a_collected_target_waits_for_the_one_before_it_then_for_its_time(
    make_world: Callable[..., World],
) -> None:
    text = route().replace(b"  - {system: erp,", b"  - {system: crm, map: order-out}\n  - {system: erp, after: crm,")
    world = make_world(routes=text)
    world.target("crm").answers.append(Verdict(LATER, code="http_503", status=503, retry_after_seconds=200))
    world.send(order(1), order(2))
    world.wait(QUARTER)
    assert world.target("erp").bodies == [[{"ref": "2", "lines": 1}]]
    world.wait(200)
    assert len(world.target("erp").sent) == 1
    world.wait(900)
    assert world.target("erp").bodies[1:] == [[{"ref": "1", "lines": 1}]]
    adds_up(world)
