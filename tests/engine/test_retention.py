"""Retention: what is old goes, in small steps; what somebody still needs stays, however old."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from batching import CSV_OUT, route
from world import ROUTES, World, order

from connectors.base import LATER, REFUSED, Verdict
from hub import replay
from hub.replay import Request, steps
from hub.store import api_keys, audit, conservation, counters, retention
from hub.store.audit import Actor
from hub.store.retention import Keep, Policy, Pruner, policy_of
from hub.store.search_terms import Filter
from hub.store.tally import Tallier

DAY = 86400.0
NO = Verdict(REFUSED, code="http_422", status=422, detail="unknown item")
POLICY = Policy(Keep(90 * DAY, 30 * DAY, 400 * DAY), {}, {"shop": 30 * DAY})
ANNA = Actor("anna", "operator")


def prune(world: World, policy: Policy = POLICY) -> int:
    """Prune until nothing is left to do; gives how many rows went."""
    pruner, removed = Pruner(world.store, world.clock), 0
    while (count := pruner.prune(policy)) > 0:
        removed += count
    return removed


def stages(world: World) -> dict[str, int]:
    return dict(world.rows("SELECT stage, count(*) FROM payloads GROUP BY stage"))  # type: ignore[arg-type]


def adds_up(world: World) -> None:
    with world.store.snapshot() as db:
        assert conservation.check(db) == []


def test_stages_go_first_then_the_raw_bytes_then_everything(world: World) -> None:
    world.send(*[order(n) for n in range(3)])
    world.clock.at += 29 * DAY
    assert (prune(world), stages(world)) == (0, {"raw": 3, "canonical": 3, "sent": 3})
    world.clock.at += 2 * DAY
    assert (prune(world), stages(world)) == (6, {"raw": 3})
    world.clock.at += 60 * DAY
    assert (prune(world), stages(world)) == (3, {})
    assert len(world.rows("SELECT * FROM messages")) == len(world.rows("SELECT * FROM edges")) == 3
    world.clock.at += 310 * DAY
    prune(world)
    for table in ("receipts", "messages", "deliveries", "attempts", "keys", "edges", "payloads"):
        assert world.rows(f"SELECT * FROM {table}") == [], table
    adds_up(world)


def test_what_went_still_counts(world: World) -> None:
    tallier = Tallier()
    world.send(*[order(n) for n in range(3)], b"{")
    with world.store.snapshot() as db:
        before = tallier.count(db, world.clock.at)
    world.clock.at += 500 * DAY
    prune(world)
    world.send(order(9))
    with world.store.snapshot() as db:
        for tally in (tallier.count(db, world.clock.at), Tallier().count(db, world.clock.at), conservation.counted(db)):
            assert tally.deliveries["delivered"] == before.deliveries["delivered"] + 1 == 4
            assert (tally.receipts["split"], tally.receipts["dead"], tally.messages["routed"]) == (4, 1, 4)


def test_dead_letters_and_open_deliveries_are_never_pruned(world: World) -> None:
    world.target("erp").answers.extend([NO, Verdict(LATER, code="http_503", status=503)])
    world.send(order(1), order(2), b"{", {"id": "x", "lines": [{"name": "a", "qty": "b"}]})
    before = stages(world)
    world.clock.at += 5000 * DAY
    assert prune(world) == 0
    assert stages(world) == before
    assert len(world.rows("SELECT * FROM receipts")) == 4


def test_a_dead_letter_that_was_dealt_with_goes_with_the_rest(world: World) -> None:
    world.target("erp").answers.append(NO)
    world.send(order(1), {"id": "x", "lines": [{"name": "a", "qty": "b"}]})
    planned = replay.plan(world.engine, Request(filter=Filter(state="dead")), ANNA)
    replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)
    world.run()
    [(open_id,)] = world.rows("SELECT message_id FROM messages WHERE state = 'dead' AND resolved_by IS NULL")
    [(first_id,)] = world.rows("SELECT message_id FROM messages WHERE resolved_by IS NOT NULL")
    world.clock.at += 500 * DAY
    prune(world)
    # The new dead letter still has the bytes it came from: those of the receipt it was replayed from.
    assert world.rows("SELECT message_id FROM messages ORDER BY seq") == [(first_id,), (open_id,)]
    assert replay.plan(world.engine, Request(ids=(open_id,)), ANNA).plan["replayable"] == 1


def test_what_was_dead_when_its_time_came_goes_once_it_was_dealt_with(world: World) -> None:
    world.target("erp").answers.append(NO)
    world.send(order(1), order(2))
    [(dead,)] = world.rows("SELECT delivery_id FROM deliveries WHERE state = 'dead'")
    world.clock.at += 95 * DAY
    prune(world)
    assert stages(world) == {"raw": 1, "canonical": 1, "sent": 1}
    prune(world)
    assert stages(world) == {"raw": 1, "canonical": 1, "sent": 1}
    steps.resolve(world.engine, dead, ANNA, "seen to")
    prune(world)
    assert stages(world) == {}
    assert world.rows("SELECT * FROM left_behind") == []


def test_what_is_left_behind_goes_at_its_own_age_and_message_by_message(world: World) -> None:
    bad = {"id": "x", "lines": [{"name": "a", "qty": "b"}]}
    world.target("erp").answers.extend([NO, Verdict(LATER, code="http_503", status=503)])
    world.send(order(1), order(2), b"{", bad)
    [(dead,)] = world.rows("SELECT delivery_id FROM deliveries WHERE state = 'dead'")
    [(unread,)] = world.rows("SELECT receipt_id FROM receipts WHERE state = 'dead'")
    world.clock.at += 31 * DAY
    prune(world)
    assert stages(world) == {"raw": 4, "canonical": 3, "sent": 2}
    steps.resolve(world.engine, dead, ANNA, "seen to")
    steps.resolve_message(world.engine, unread, ANNA, "seen to")
    prune(world)
    assert stages(world) == {"raw": 4, "canonical": 2, "sent": 1}
    world.wait(1)  # what was retried is delivered
    prune(world)
    assert stages(world) == {"raw": 4, "canonical": 1}
    world.clock.at += 60 * DAY
    prune(world)
    assert stages(world) == {"raw": 1, "canonical": 1}


def test_what_was_left_behind_and_replayed_goes_with_what_was_made_of_it(world: World) -> None:
    world.target("erp").answers.append(NO)
    world.send(order(1))
    world.clock.at += 95 * DAY
    prune(world)
    planned = replay.plan(world.engine, Request(filter=Filter(state="dead")), ANNA)
    replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)
    world.run()
    assert [state for _, state in world.states()].count("delivered") == 1
    prune(world)
    assert stages(world) == {}


def test_little_of_what_is_left_behind_is_looked_at_each_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ROWS", 10)
    world.target("erp").answers.extend([NO] * 35)
    world.send(*[order(n) for n in range(35)])
    world.clock.at += 95 * DAY
    prune(world)
    noted = world.rows("SELECT mark, count(*) FROM left_behind GROUP BY mark ORDER BY mark")
    assert [(mark.split(":")[0], count) for mark, count in noted] == [("raw", 35), ("stages", 35)]
    commits, pruner = world.store.committer.commits, Pruner(world.store, world.clock)
    assert [pruner.prune(POLICY) for _ in range(9)] == [0] * 9
    assert world.store.committer.commits == commits  # only looked at, beside the writer
    for (dead,) in world.rows("SELECT delivery_id FROM deliveries WHERE state = 'dead' ORDER BY lane_seq LIMIT 20"):
        steps.resolve(world.engine, dead, ANNA, "seen to")
    counts = [pruner.prune(POLICY) for _ in range(30)]
    assert (max(counts) <= 20, sum(counts)) == (True, 60)
    assert world.rows("SELECT count(*) FROM left_behind") == [(30,)]


def test_the_audit_and_the_keys_stay(world: World) -> None:
    world.store.write(lambda db: audit.append(db, 1.0, ANNA, "x", "y"))
    world.store.write(lambda db: api_keys.add(db, "k", "n", "viewer", "o2c_x", 1.0))
    world.clock.at += 5000 * DAY
    prune(world)
    assert audit.verify(world.store.reader()) is None and len(audit.listed(world.store.reader(), 9)) == 2
    assert len(api_keys.listed(world.store.reader())) == 1


def test_a_route_keeps_its_own_things_longer_or_shorter(make_world: Callable[..., World]) -> None:
    second = ROUTES.replace(b"route: orders", b"route: returns").replace(b"event: order", b"event: return")
    listed = b"".join(b"- " + route.strip().replace(b"\n", b"\n  ") + b"\n" for route in (ROUTES, second))
    world = make_world(
        routes=listed.replace(b"route: returns", b"route: returns\n  retention: {stages: 5d, metadata: 700d}")
    )
    world.send(order(1))
    world.send(order(2), event="return")
    routes = {name: compiled.route for name, compiled in world.engine.program.routes.items()}
    policy = policy_of(world.engine.program.settings, routes)
    assert policy.of("returns") == Keep(90 * DAY, 5 * DAY, 700 * DAY)
    world.clock.at += 6 * DAY
    prune(world, policy)
    assert stages(world) == {"raw": 2, "canonical": 1, "sent": 1}
    world.clock.at += 400 * DAY
    prune(world, policy)
    assert world.rows("SELECT route FROM messages") == [("returns",)]
    assert stages(world) == {}
    world.clock.at += 300 * DAY
    prune(world, policy)
    assert world.rows("SELECT route FROM messages") == []


def test_a_route_that_comes_to_an_age_that_others_have_is_looked_through_by_it(world: World) -> None:
    alone = Policy(POLICY.general, {"orders": Keep(90 * DAY, 300 * DAY, 400 * DAY)}, POLICY.dedupe)
    world.send(order(1))
    world.clock.at += 200 * DAY  # past what all others keep
    prune(world, alone)
    assert stages(world) == {"canonical": 1, "sent": 1}
    prune(world)
    assert stages(world) == {}


def test_what_an_age_has_left_behind_is_not_forgotten_when_the_age_changes_and_changes_back(world: World) -> None:
    world.target("erp").answers.append(NO)
    world.send(order(1))
    world.clock.at += 31 * DAY
    prune(world)
    [(delivery_id,)] = world.rows("SELECT delivery_id FROM deliveries WHERE state = 'dead'")
    longer = Policy(Keep(90 * DAY, 60 * DAY, 400 * DAY), {}, POLICY.dedupe)
    prune(world, longer)
    assert stages(world) == {"raw": 1, "canonical": 1, "sent": 1}
    steps.resolve(world.engine, delivery_id, ANNA, "agreed by telephone")
    prune(world, longer)
    assert stages(world) == {"raw": 1, "canonical": 1, "sent": 1}
    prune(world)
    assert stages(world) == {"raw": 1}
    assert len(world.rows("SELECT * FROM counters WHERE kind = 'retention' AND name LIKE 'stages:%'")) == 1


def test_each_step_is_a_short_transaction_and_the_next_call_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROWS", 10)
    world.send(*[order(n) for n in range(60)])
    world.clock.at += 31 * DAY
    before = world.store.committer.commits
    pruner = Pruner(world.store, world.clock)
    counts = [pruner.prune(POLICY, budget_seconds=0.0) for _ in range(40)]
    assert max(counts) <= 10 and sum(counts) == 120
    assert world.store.committer.commits - before >= 12
    world.clock.at += 500 * DAY
    counts = [pruner.prune(POLICY, budget_seconds=0.0) for _ in range(400)]
    assert world.rows("SELECT count(*) FROM receipts") == [(0,)]
    assert max(counts) <= 10 + 5 * 50
    adds_up(world)


def test_a_receipt_of_many_messages_goes_bit_by_bit_and_always_adds_up(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROWS", 20)
    csv_in = b"""
mapping: order-in
version: 1
source: {format: csv}
target: {schema: canonical/stock_level}
output:
  report_id: src.id
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item: {name: src.id}
      available_quantity: {value: "'1'", unit_code: {const: C62}}
      location_id: {const: main}
"""
    world = make_world(order_in=csv_in)
    world.send(b"id\n" + b"\n".join(b"%d" % n for n in range(150)))
    if world.rows("SELECT count(*) FROM messages") != [(150,)]:
        pytest.fail(str(world.rows("SELECT failure FROM receipts UNION ALL SELECT failure FROM messages LIMIT 2")))
    world.clock.at += 500 * DAY
    pruner = Pruner(world.store, world.clock)
    for _ in range(500):
        pruner.prune(POLICY, budget_seconds=0.0)
        adds_up(world)
    assert world.rows("SELECT count(*) FROM receipts") == [(0,)]
    assert counters.total(world.store.reader(), counters.PRUNED, "messages") == 150


def test_ids_of_senders_are_forgotten_after_their_time(world: World) -> None:
    [first] = world.send(order(1), dedupe="k1")
    world.clock.at += 29 * DAY
    prune(world)
    assert world.send(order(1), dedupe="k1")[0].duplicate
    world.clock.at += 2 * DAY
    prune(world)
    [again] = world.send(order(1), dedupe="k1")
    assert not again.duplicate and again.receipt_id != first.receipt_id


def test_the_bytes_of_a_batch_stay_as_long_as_one_of_it_is_a_dead_letter(make_world: Callable[..., World]) -> None:
    world = make_world(routes=route(), order_out=CSV_OUT)
    world.target("erp").answers.append(NO)
    world.send(order(1), order(2), order(3))
    first, *others = (str(id) for (id,) in world.rows("SELECT delivery_id FROM deliveries ORDER BY lane_seq"))
    assert {state for _, state in world.states()} == {"dead"}
    steps.resolve(world.engine, first, ANNA, "entered by hand")
    world.clock.at += 100 * DAY
    prune(world)
    assert stages(world)["sent"] == 1
    for other in others:
        steps.resolve(world.engine, other, ANNA, "entered by hand")
    prune(world)
    assert stages(world) == {}
    adds_up(world)
