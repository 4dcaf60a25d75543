"""A replay undoes nothing newer: neither what was delivered nor what is just being sent, however late that shows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from replaying import ANNA, CSV_IN, DEAD, FAN_OUT, NO, adds_up, dead_orders, deploy, run
from world import ORDER_IN, World, order

from connectors.base import DELIVERED, LATER, Verdict
from hub import replay
from hub.replay import Request, running, steps
from hub.replay.request import SEND, START
from hub.store import dead_letters
from hub.store.search_terms import Filter

BAD = {"id": "1", "lines": [{"name": "old", "qty": "nix"}]}
MENDED = ORDER_IN.replace(b"text(l.qty)", b"\"'7'\"")


def notes(world: World) -> list[tuple[str, str]]:
    return world.rows("SELECT state, note FROM replay_items ORDER BY replay_id, ordinal")


def failure(world: World) -> str:
    [(code,)] = world.rows("SELECT failure ->> '$.code' FROM deliveries WHERE state = 'dead'")
    return str(code)


def answer(world: World, verdict: Verdict) -> None:
    """The ERP answers what it was sent last."""
    target = world.target("erp")
    target.silent = False
    world.engine.dispatcher._finished([(target.sent[-1], verdict)])
    world.run()


def test_what_its_mapping_refused_is_not_sent_over_a_newer_one_of_its_key(world: World) -> None:
    world.send(BAD)
    deploy(world, "mappings/order-in.yaml", MENDED)
    world.send(order(1))
    run(world, DEAD)
    assert world.target("erp").bodies == [{"ref": "1", "lines": 1}]
    assert (sorted(world.states()), failure(world)) == ([("erp", "dead"), ("erp", "delivered")], "superseded")
    world.send(order(1, lines=2))  # it does not stand in the way of what comes
    assert world.target("erp").bodies[-1] == {"ref": "1", "lines": 2}
    [(dead,)] = world.rows("SELECT delivery_id FROM deliveries WHERE state = 'dead'")
    [issue] = dead_letters.issues(world.store.reader(), Filter())
    assert issue.command == f"o2c replay --issue {issue.issue} --superseded send"
    assert run(world, Request(ids=(dead,)))["not_replayable"] == {"superseded": 1}
    assert run(world, Request(ids=(dead,), superseded=SEND))["replayable"] == 1
    assert len(world.target("erp").sent) == 3
    adds_up(world)


def test_it_is_sent_at_once_where_the_replay_was_told_to(world: World) -> None:
    world.send(BAD)
    deploy(world, "mappings/order-in.yaml", MENDED)
    world.send(order(1, lines=2))
    run(world, Request(filter=Filter(state="dead"), superseded=SEND))
    assert world.target("erp").bodies == [{"ref": "1", "lines": 2}, {"ref": "1", "lines": 1}]


def test_it_is_sent_where_what_is_newer_is_of_another_key(world: World) -> None:
    world.send(BAD)
    deploy(world, "mappings/order-in.yaml", MENDED)
    world.send(order(2))
    run(world, DEAD)
    assert [body["ref"] for body in world.target("erp").bodies] == ["2", "1"]


def test_from_the_start_it_is_the_key_of_the_route_that_tells_what_is_newer(world: World) -> None:
    [message] = dead_orders(world, 1)
    world.send(order(1, lines=2))
    assert run(world, Request(ids=(message,), begin=START))["not_replayable"] == {"superseded": 1}
    assert len(world.target("erp").sent) == 2


def test_while_a_newer_one_is_being_sent_a_replay_waits_and_leaves_it_be_when_it_has_arrived(world: World) -> None:
    dead_orders(world, 1)
    world.target("erp").silent = True
    world.send(order(1, lines=2))
    run(world, DEAD)
    assert (len(world.target("erp").sent), notes(world)) == (2, [("waiting", "")])
    answer(world, Verdict(DELIVERED, status=200))
    world.clock.at += 1.0
    replay.advance(world.engine)
    world.run()
    assert (len(world.target("erp").sent), notes(world)) == (2, [("skipped", "superseded")])
    adds_up(world)


def test_while_a_newer_one_is_being_sent_a_replay_waits_and_goes_when_it_is_refused(world: World) -> None:
    [message] = dead_orders(world, 1)
    world.target("erp").silent = True
    world.send(order(1, lines=2))
    planned = replay.plan(world.engine, Request(ids=(message,), begin=START), ANNA)
    replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)
    assert notes(world) == [("waiting", "")]
    answer(world, NO)
    world.clock.at += 1.0
    replay.advance(world.engine)
    world.run()
    assert (world.target("erp").bodies[-1], notes(world)) == ({"ref": "1", "lines": 1}, [("started", "")])
    adds_up(world)


@pytest.mark.parametrize("rate", [1.0, None])
def test_what_waits_for_the_end_of_a_newer_one_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch, rate: float | None
) -> None:
    monkeypatch.setattr(running, "PAGE", 1)
    dead_orders(world, 1, 2, 3)
    world.target("erp").silent = True
    world.send(order(1, lines=2))
    run(world, Request(filter=Filter(state="dead"), rate_per_second=rate))
    for _ in range(6):
        world.clock.at += 1
        replay.advance(world.engine)
    assert notes(world) == [("waiting", ""), ("started", ""), ("started", "")]
    world.engine.dispatcher._finished([(world.target("erp").sent[3], Verdict(DELIVERED, status=200))])
    world.run()
    for _ in range(3):
        world.clock.at += 1
        replay.advance(world.engine)
    assert notes(world)[0] == ("skipped", "superseded")
    assert world.rows("SELECT state FROM replays") == [("done",)]


def test_a_file_goes_through_again_but_for_what_is_newer_than_it(make_world: Callable[..., World]) -> None:
    world = make_world(order_in=CSV_IN)
    [accepted] = world.send(b"id,qty\n1,1\n1,2\n2,1\n3,1")
    world.send(b"id,qty\n2,5")
    again = Request(ids=(accepted.receipt_id,), begin=START, delivered=SEND, reason="they were lost there")
    assert run(world, again)["replayable"] == 1
    assert sorted(body["ref"] for body in world.target("erp").bodies[5:]) == ["1", "1", "3"]
    assert failure(world) == "superseded"
    adds_up(world)


@pytest.mark.parametrize("busy", [False, True], ids=["which is delivered", "which waits there"])
def test_what_comes_after_it_is_left_with_it_and_stands_in_no_way(make_world: Callable[..., World], busy: bool) -> None:
    after_last = b"- {system: wms, map: order-out, after: erp}\n  - {system: erp, map: order-out}\n"
    head, _, tail = FAN_OUT.partition(b"- {")
    world = make_world(routes=head + after_last + tail[tail.index(b"retry:") :])
    world.send(BAD)
    deploy(world, "mappings/order-in.yaml", MENDED)
    world.target("wms").answers.extend([Verdict(LATER, code="http_503", status=503)] * busy)
    world.send(order(1, lines=2))
    run(world, DEAD)
    assert sorted(state for state in world.states() if state[1] == "dead") == [("erp", "dead"), ("wms", "dead")]
    world.wait(60)
    world.send(order(1, lines=3))
    assert [body["lines"] for body in world.target("wms").bodies][-2:] == [2, 3]
    adds_up(world)
    all_the_same = Request(filter=Filter(state="dead"), superseded=SEND)
    assert run(world, all_the_same)["not_replayable"] == {"follows_predecessor": 1}
    assert world.target("wms").bodies[-1]["lines"] == 3
    run(world, all_the_same)
    assert [world.target(name).bodies[-1]["lines"] for name in ("erp", "wms")] == [1, 1]
    assert [state for _, state in world.states() if state not in ("delivered", "resolved")] == []
    adds_up(world)


def test_what_came_after_it_can_be_sent_alone_once_somebody_has_seen_to_it(make_world: Callable[..., World]) -> None:
    world = make_world(routes=FAN_OUT)
    world.send(BAD)
    deploy(world, "mappings/order-in.yaml", MENDED)
    world.send(order(1, lines=2))
    run(world, DEAD)
    [(erp,)] = world.rows("SELECT delivery_id FROM deliveries WHERE state = 'dead' AND target = 'erp'")
    steps.resolve(world.engine, erp, ANNA, "it is there")
    assert run(world, Request(filter=Filter(state="dead"), superseded=SEND))["replayable"] == 1
    assert [body["lines"] for body in world.target("wms").bodies] == [2, 1]
