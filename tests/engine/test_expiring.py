"""``expires:`` of a target: what was not delivered in its time is sent no more, and everything else goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from batching import QUARTER, adds_up, letters
from caller import Caller
from replaying import ANNA, deploy, replay_one
from replaying import run as replay_all
from world import World, order

from connectors.base import ABSENT, DELIVERED, DOUBT, LATER, Verdict
from hub.cli.message_text import message_lines
from hub.errors import Conflict
from hub.pipeline.expired import expire_waiting
from hub.replay import Request, steps
from hub.store import dead_letters, switches
from hub.store.search import find
from hub.store.search_terms import Filter

HOUR = 3600.0
AWAY = Verdict(LATER, "connect_refused", "nobody listens")
BUSY = Verdict(LATER, "http_503", "busy", status=503, retry_after_seconds=20 * 3600.0)
UNHEARD = Verdict(DOUBT, "read_timeout", "no answer")
ROUTE = b"""
route: orders
from: {system: shop, event: order}
map: order-in
key: src.report_id
to: [{system: erp, map: order-out, expires: 4h}, {system: crm, map: order-out}]
retry: {attempts: 40, first: 10m, factor: 2, cap: 1h, jitter: none}
"""
AFTER = ROUTE.replace(b"{system: crm, map: order-out}", b"{system: crm, map: order-out, after: erp}")


def asks(mode: str) -> bytes:
    """The ERP alone, and what it offers against double effects."""
    offers = {"lookup": 'mode: lookup, request: "GET /x?ref={key}", found: "status == 200", settle: 60s'}
    return b"""
shop: {connector: webhook, format: json, verify: {method: none, unsigned: true}, event: header:x-event}
crm: {connector: http, base_url: "http://127.0.0.1:1/"}
erp: {connector: http, base_url: "http://127.0.0.1:1/", idempotency: {%s}}
""" % offers.get(mode, f"mode: {mode}").encode()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world(routes=ROUTE)


def stop(world: World, system: str = "erp") -> None:
    world.store.write(lambda db: switches.throw(db, "system", system, "stopped", "away", world.clock.at, "t"))


def start(world: World, system: str = "erp") -> None:
    steps.switch_on(world.engine, "system", system, ANNA)
    world.run()


def pass_by(world: World, seconds: float) -> None:
    """Let time pass, with the round that looks for what has expired."""
    world.wait(seconds)
    expire_waiting(world.engine)
    world.run()


def erp(world: World) -> list[str]:
    return [state for target, state in world.states() if target == "erp"]


def letter(world: World) -> dead_letters.DeadLetter:
    [found] = dead_letters.find(world.store.reader(), Filter(state="expired"))
    return found


def sent(world: World) -> list[str]:
    return [str(body["ref"]) for body in world.target("erp").bodies]


def test_after_an_outage_what_is_too_old_is_not_sent_and_the_rest_is_in_order(world: World) -> None:
    stop(world)
    world.send(order("a"), order("a", 2), order("b"))
    pass_by(world, 2 * HOUR)
    world.send(order("a", 3))
    assert erp(world) == ["queued"] * 4
    pass_by(world, 2 * HOUR)
    assert erp(world) == ["expired"] * 3 + ["queued"]
    assert [state for target, state in world.states() if target == "crm"] == ["delivered"] * 4
    start(world)
    assert (erp(world)[-1], [body["lines"] for body in world.target("erp").bodies]) == ("delivered", [3])
    adds_up(world)


def test_nothing_that_is_too_old_is_sent_though_no_round_has_looked(world: World) -> None:
    stop(world)
    world.send(*(order(number) for number in range(30)), order(1, 2))
    world.clock.at += 4 * HOUR
    start(world)
    assert (erp(world), sent(world)) == (["expired"] * 31, [])
    adds_up(world)


def test_a_round_ends_some_and_leaves_the_rest_to_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stop(world)
    world.send(*(order(number) for number in range(300)))
    world.wait(4 * HOUR)
    monkeypatch.setattr(world.clock, "monotonic", count(step=2).__next__)  # 2 s pass between one look and the next
    expire_waiting(world.engine)
    assert Counter(erp(world)) == {"expired": 256, "queued": 44}
    expire_waiting(world.engine)
    assert Counter(erp(world)) == {"expired": 300}


def test_what_waited_too_long_to_be_read_is_not_sent_either(world: World) -> None:
    world.engine.accept([world.arrival(order(1))])
    world.clock.at += 4 * HOUR
    world.wait(0)
    assert (world.states(), sent(world)) == ([("erp", "expired"), ("crm", "delivered")], [])


def test_it_says_when_it_came_how_long_it_had_and_what_kept_it(world: World) -> None:
    world.target("erp").answers.extend([AWAY] * 9)
    world.send(order(1))
    for _ in range(8):
        pass_by(world, HOUR)
    found = letter(world)
    assert found.failure["class"] == "expired"
    assert found.failure["detail"] == (
        "received at 2026-09-21T14:13:20.000Z, it had 4h to be delivered; its last try: nobody listens"
    )
    assert found.failure["hint"] == (
        f"to send it all the same: o2c replay {found.id}; else: o2c resolve {found.id} --reason TEXT"
    )
    assert [row[0] for row in world.rows("SELECT outcome FROM attempts WHERE delivery_id = ?", found.id)][-1] == (
        "retrying"
    )
    page = find(world.store.reader(), Filter(state="expired"))
    assert [message.message_id for message in page.items] == [found.message_id]


def test_it_says_how_long_it_had_though_later_ones_have_longer(world: World) -> None:
    stop(world)
    world.send(order(1))
    deploy(world, "routes/orders.yaml", ROUTE.replace(b"4h", b"9h"))
    pass_by(world, 4 * HOUR)
    assert "it had 4h to be delivered; it was never tried" in letter(world).failure["detail"]


def test_one_cause_is_one_issue(world: World) -> None:
    stop(world)
    world.send(*(order(number) for number in range(3)))
    pass_by(world, 4 * HOUR)
    [issue] = dead_letters.issues(world.store.reader(), Filter())
    assert (issue.count, issue.states, issue.command) == (3, {"expired": 3}, f"o2c replay --issue {issue.issue}")
    assert "never tried" in issue.failure["detail"]


def test_a_retry_that_comes_after_its_time_is_not_waited_for(world: World) -> None:
    world.target("erp").answers.append(BUSY)
    world.send(order(1))
    pass_by(world, 4 * HOUR - 1)
    assert erp(world) == ["retrying"]
    pass_by(world, 1)
    assert erp(world) == ["expired"]


def test_its_time_goes_on_over_a_restart(world: World) -> None:
    stop(world)
    world.send(order("a"), order("a", 2))
    pass_by(world, HOUR)
    world.crash("w2")
    pass_by(world, 3 * HOUR)
    assert erp(world) == ["expired"] * 2
    world.crash("w3")
    start(world)
    assert (erp(world), sent(world)) == (["expired"] * 2, [])
    adds_up(world)


def test_what_is_replayed_has_its_time_anew(world: World) -> None:
    stop(world)
    world.send(order(1), order(2))
    pass_by(world, 4 * HOUR)
    replay_all(world, Request(filter=Filter(state="expired")))
    pass_by(world, 3 * HOUR)
    assert sorted(erp(world)) == ["queued"] * 2 + ["resolved"] * 2
    assert dead_letters.count(world.store.reader()) == 0
    assert find(world.store.reader(), Filter(state="expired")).items == []
    start(world)
    assert (sorted(erp(world)), sent(world)) == (["delivered"] * 2 + ["resolved"] * 2, ["1", "2"])
    with pytest.raises(Conflict, match="replayed before"):
        replay_one(world.engine, world.rows("SELECT delivery_id FROM deliveries WHERE state = 'resolved'")[0][0], ANNA)
    adds_up(world)


def test_a_replay_expires_too_and_says_that_it_is_one(world: World) -> None:
    stop(world)
    world.send(order(1))
    pass_by(world, 4 * HOUR)
    replay_all(world, Request(filter=Filter(state="expired")))
    pass_by(world, 4 * HOUR)
    assert erp(world) == ["resolved", "expired"]
    assert letter(world).failure["detail"].startswith("replayed at 2026-09-21T18:13:20.000Z, it had 4h")


@pytest.mark.parametrize(("step", "state"), [(steps.resolve, "resolved"), (steps.cancel, "cancelled")])
def test_a_person_settles_it(world: World, step: Callable[..., str], state: str) -> None:
    stop(world)
    world.send(order(1))
    pass_by(world, 4 * HOUR)
    assert step(world.engine, letter(world).id, ANNA, "nobody wants it") == state
    assert (erp(world), letters(world)) == ([state], [])
    adds_up(world)


def test_what_is_in_doubt_does_not_expire_until_a_look_up_has_settled_it(make_world: Callable[..., World]) -> None:
    world = make_world(routes=ROUTE, systems=asks("lookup"))
    world.target("erp").answers.extend([UNHEARD, UNHEARD])
    world.target("erp").found.extend([Verdict(DELIVERED, status=200), Verdict(ABSENT, code="absent")])
    world.send(order(1), order(2))
    world.clock.at += 4 * HOUR
    expire_waiting(world.engine)
    assert erp(world) == ["unknown"] * 2
    pass_by(world, 0)
    assert (erp(world), len(world.target("erp").sent)) == (["delivered", "expired"], 2)


def test_what_may_have_arrived_is_sent_again_under_its_key_whatever_its_age(world: World) -> None:
    world.target("erp").answers.extend([UNHEARD, AWAY])
    world.send(order(1))
    stop(world)
    pass_by(world, 5 * HOUR)
    assert erp(world) == ["retrying"]
    start(world)
    pass_by(world, HOUR)
    assert erp(world) == ["delivered"]
    assert len({parcel.key for parcel in world.target("erp").sent}) == 1


def test_what_is_on_its_way_does_not_expire(world: World) -> None:
    world.target("erp").silent = True
    world.send(order(1))
    pass_by(world, 5 * HOUR)
    assert erp(world) == ["delivering"]


def test_what_is_held_does_not_expire_and_goes_when_it_is_released(world: World) -> None:
    stop(world)
    world.send(order("a"), order("a", 2))
    first = world.rows("SELECT delivery_id FROM deliveries WHERE target = 'erp' ORDER BY lane_seq")[0][0]
    steps.hold(world.engine, first, ANNA, "look at it")
    pass_by(world, 5 * HOUR)
    assert erp(world) == ["held", "expired"]
    start(world)
    steps.release(world.engine, first, ANNA, "it is fine")
    pass_by(world, 0)
    assert (erp(world), [body["lines"] for body in world.target("erp").bodies]) == (["delivered", "expired"], [1])


@pytest.mark.parametrize("says", [b"after: erp", b"after: erp, expires: 4h"])
def test_what_comes_after_it_is_held_and_goes_once_it_is_replayed(
    make_world: Callable[..., World], says: bytes
) -> None:
    world = make_world(routes=AFTER.replace(b"after: erp", says))
    stop(world)
    world.send(order(1))
    pass_by(world, 4 * HOUR)
    assert world.states() == [("erp", "expired"), ("crm", "held")]
    [followed] = dead_letters.find(world.store.reader(), Filter(state="held"))
    assert followed.failure["code"] == "predecessor_expired"
    pass_by(world, 4 * HOUR)
    start(world)
    replay_one(world.engine, letter(world).id, ANNA)
    world.run()
    assert sorted(world.states()) == [("crm", "delivered"), ("erp", "delivered"), ("erp", "resolved")]


def test_what_waits_for_another_target_expires_when_its_turn_comes_too_late(make_world: Callable[..., World]) -> None:
    world = make_world(routes=AFTER.replace(b", expires: 4h", b"").replace(b"after: erp", b"after: erp, expires: 4h"))
    stop(world)
    world.send(order(1))
    pass_by(world, 4 * HOUR)
    assert world.states() == [("erp", "queued"), ("crm", "queued")]
    start(world)
    assert world.states() == [("erp", "delivered"), ("crm", "expired")]
    detail = letter(world).failure["detail"]
    assert detail.endswith("; it was never tried, since its turn came late or nothing went to its system")


@pytest.mark.parametrize("on_error", ["dead_letter", "block_key", "skip", "stop"])
def test_it_frees_its_lane_whatever_on_error_says(make_world: Callable[..., World], on_error: str) -> None:
    world = make_world(routes=ROUTE + f"on_error: {on_error}\n".encode())
    world.target("erp").answers.append(BUSY)
    world.send(order("a"))
    world.clock.at += 4 * HOUR - 1
    world.send(order("a", 2))
    pass_by(world, 1)
    assert (erp(world), world.rows("SELECT kind FROM switches")) == (["expired", "delivered"], [])


def test_a_replay_from_the_start_deals_with_it(world: World) -> None:
    stop(world)
    [accepted] = world.send(order(1))
    pass_by(world, 4 * HOUR)
    start(world)
    replay_all(world, Request(ids=(accepted.receipt_id,), begin="start", delivered="send", reason="all of it again"))
    assert (erp(world), letters(world)) == (["resolved", "delivered"], [])


COLLECTED = ROUTE.replace(b"expires: 4h", b"expires: 4h, collect: {every: 15m, max: 3}")


def test_what_waits_to_be_collected_expires_by_itself(make_world: Callable[..., World]) -> None:
    world = make_world(routes=COLLECTED)
    stop(world)
    world.send(order(1))
    pass_by(world, 3 * HOUR)
    world.send(order(2))
    world.clock.at += HOUR
    start(world)
    pass_by(world, 900.0)
    assert (erp(world), [len(body) for body in world.target("erp").bodies]) == (["expired", "delivered"], [1])


def test_a_batch_expires_as_a_whole_when_the_last_of_it_does(make_world: Callable[..., World]) -> None:
    world = make_world(routes=COLLECTED)
    world.target("erp").answers.extend([AWAY] * 20)
    world.send(order(1))
    world.clock.at += QUARTER / 2
    world.send(order(2))
    pass_by(world, QUARTER / 2)
    assert erp(world) == ["retrying"] * 2
    stop(world)
    pass_by(world, 4 * HOUR - QUARTER / 2 - 1)
    assert erp(world) == ["retrying"] * 2
    pass_by(world, 1)
    assert erp(world) == ["expired"] * 2
    adds_up(world)


def test_each_of_a_batch_says_of_itself_why_it_was_not_sent(make_world: Callable[..., World]) -> None:
    world = make_world(routes=COLLECTED)
    world.target("erp").answers.append(BUSY)
    world.send(order(1))
    world.clock.at += QUARTER / 2
    world.send(order(2))
    pass_by(world, QUARTER / 2)
    world.clock.at += 4 * HOUR
    [(batch,)] = world.rows("SELECT delivery_id FROM deliveries WHERE batch_id = delivery_id")
    steps.release(world.engine, batch, ANNA, "try it now")
    world.run()
    found = dead_letters.find(world.store.reader(), Filter(state="expired"))
    assert sorted(one.failure["detail"][23:31] for one in found) == ["14:13:20", "14:14:10"]
    assert all(f"o2c replay {one.id};" in one.failure["hint"] for one in found)


def test_what_a_route_that_says_nothing_sends_never_expires(make_world: Callable[..., World]) -> None:
    world = make_world(routes=ROUTE.replace(b", expires: 4h", b""))
    stop(world)
    world.send(order(1))
    pass_by(world, 1000 * HOUR)
    start(world)
    assert erp(world) == ["delivered"]


def test_a_worker_that_had_only_been_taken_for_dead_is_believed(world: World) -> None:
    world.target("erp").silent = True
    world.send(order(1))
    assert erp(world) == ["delivering"]
    world.store.write(
        lambda db: db.execute("UPDATE deliveries SET state = 'retrying', claimed_by = NULL WHERE target = 'erp'")
    )
    pass_by(world, 5 * HOUR)
    assert erp(world) == ["expired"]
    verdicts: list[Any] = [(parcel, Verdict(DELIVERED, status=200)) for parcel in world.target("erp").sent]
    world.engine.dispatcher._finished(verdicts)
    world.run()
    assert (erp(world), letters(world)) == (["resolved"], [])


def test_what_is_held_behind_it_says_to_replay_it(make_world: Callable[..., World]) -> None:
    world = make_world(routes=AFTER)
    stop(world)
    world.send(order(1))
    pass_by(world, 4 * HOUR)
    held, _ = sorted(dead_letters.issues(world.store.reader(), Filter()), key=lambda one: "expired" in one.states)
    assert (held.states, held.instead) == ({"held": 1}, (letter(world).id,))


def test_the_message_tells_until_when_it_may_be_sent(world: World, call: Callable[..., Caller]) -> None:
    stop(world)
    found = call("viewer").get(f"/api/v1/messages/{world.send(order('a'))[0].receipt_id}").json
    [told] = [line for line in message_lines(found) if "expires" in line]
    assert "to erp: queued" in told and ", expires 2026-09-21T18:13:20.000Z  (" in told
