"""Doubt that look-ups settle again and again: the tries are counted, waited between and given up as the route says."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from replaying import adds_up
from test_effects import ledger
from world import ROUTES, START, World, order

from connectors.base import ABSENT, DOUBT, FOUND, LATER, Verdict
from hub import notify
from hub.errors import StoreAway
from hub.pipeline import dispatch
from hub.replay import steps
from hub.store import conservation, search, switches
from hub.store.audit import Actor

ANNA = Actor("anna", "operator")
WMS = ROUTES.replace(b"system: erp", b"system: wms")
BROKEN = Verdict(DOUBT, code="http_500", detail="500: a document it cannot bear", status=500)
CANNOT_TELL = Verdict(LATER, code="http_503", status=503)
RULE = Verdict(DOUBT, code="rule_failed", detail="the rule found: does not fit")


def in_vain(world: World, tries: int) -> None:
    """So many tries that a look-up does not find, each after the waits of the policy."""
    world.target("wms").answers.extend([BROKEN] * tries)
    world.send(order(1), order(1))
    for _ in range(tries):
        world.wait(61)
        world.wait(61)


@pytest.mark.parametrize(
    ("on_error", "states"),
    [
        ("dead_letter", ["dead", "delivered"]),
        ("skip", ["skipped", "delivered"]),
        ("stop", ["held", "queued"]),
        ("block_key", ["dead", "queued"]),
    ],
)
def test_what_is_never_found_is_given_up_after_its_tries(
    make_world: Callable[..., World], on_error: str, states: list[str]
) -> None:
    world = make_world(routes=WMS + f"on_error: {on_error}\n".encode())
    in_vain(world, 3)
    assert [state for _, state in world.states()] == states
    assert [body["ref"] for body in world.target("wms").bodies] == ["1"] * (3 + states.count("delivered"))
    assert bool(switches.listed(world.store.reader())) == (on_error == "stop")
    [(text, doubt)] = world.rows("SELECT failure, doubt FROM deliveries WHERE state = ?", states[0])
    failure = msgspec.json.decode(text)
    assert (failure["class"], failure["code"], failure["status"], doubt) == ("remote_error", "http_500", 500, 0)
    assert failure["detail"] == "500: a document it cannot bear; a look-up has not found it"
    adds_up(world)


def test_the_ledger_says_that_it_was_not_found(make_world: Callable[..., World]) -> None:
    world = make_world(routes=WMS.replace(b"attempts: 3", b"attempts: 1"))
    world.target("wms").answers.append(BROKEN)
    world.send(order(1))
    world.wait(61)
    [effect] = ledger(world)
    assert (world.states(), effect.state, effect.found) == ([("wms", "dead")], "none", False)


def test_the_first_goes_again_at_once_and_later_ones_after_the_waits_of_the_policy(
    make_world: Callable[..., World],
) -> None:
    world = make_world(routes=WMS)
    wms = world.target("wms")
    wms.answers.extend([BROKEN] * 2)
    world.send(order(1))
    world.wait(60)
    assert len(wms.sent) == 2
    world.wait(60)
    assert (world.states(), len(wms.asked)) == ([("wms", "retrying")], 2)
    world.wait(19)
    assert len(wms.sent) == 2
    world.wait(1)
    assert (world.states(), len(wms.sent)) == ([("wms", "delivered")], 3)


def test_a_dead_letter_tells_of_the_last_try_though_a_look_up_has_failed_since(
    make_world: Callable[..., World],
) -> None:
    world = make_world(routes=WMS.replace(b"attempts: 3", b"attempts: 1"))
    wms = world.target("wms")
    wms.answers.append(BROKEN)
    wms.found.extend([CANNOT_TELL, Verdict(ABSENT)])
    world.send(order(1))
    world.wait(61)
    assert world.states() == [("wms", "unknown")]
    world.wait(61)
    assert world.states() == [("wms", "dead")]
    assert msgspec.json.decode(world.rows("SELECT failure FROM deliveries")[0][0])["code"] == "http_500"


def test_what_a_person_releases_is_sent_again_though_its_tries_were_used_up(make_world: Callable[..., World]) -> None:
    world = make_world(routes=WMS.replace(b"attempts: 3", b"attempts: 1"))
    wms = world.target("wms")
    wms.answers.append(BROKEN)
    wms.found.append(RULE)
    world.send(order(1))
    world.wait(61)
    [(delivery,)] = world.rows("SELECT delivery_id FROM deliveries WHERE state = 'held'")
    steps.release(world.engine, delivery, ANNA, "the rule is right now")
    world.wait(0)
    assert (world.states(), len(wms.asked), len(wms.sent)) == ([("wms", "delivered")], 2, 2)


@pytest.mark.parametrize(("found", "states"), [(CANNOT_TELL, {"unknown"}), (Verdict(ABSENT), {"unknown", "retrying"})])
def test_a_lane_whose_first_is_tried_in_vain_again_and_again_is_told_as_blocked(
    make_world: Callable[..., World], found: Verdict, states: set[str]
) -> None:
    world = make_world(routes=WMS.replace(b"attempts: 3", b"attempts: 99"))
    wms = world.target("wms")
    wms.answers.extend([BROKEN] * 99)
    wms.found.extend([found] * 999)
    world.send(order(1), order(1))

    def blocked() -> list[int]:
        before = world.clock.epoch() - notify.BLOCKED_SECONDS
        return [behind for _, _, behind in search.blocked_lanes(world.store.reader(), before)]

    while world.clock.at < START + notify.BLOCKED_SECONDS:
        assert blocked() == []
        world.wait(60)
    seen = set()
    for _ in range(4):
        world.wait(60)
        assert blocked() == [1]
        seen.add(world.states()[0][1])
    assert seen == states


# -- a look-up that breaks off -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["prepare", "run_apart"])
def test_a_look_up_that_breaks_off_before_anybody_is_asked_is_made_again(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    world = make_world(routes=WMS)
    wms = world.target("wms")
    wms.answers.append(BROKEN)
    wms.found.append(Verdict(FOUND))
    world.send(order(1), order(1))

    def lost(*_: object) -> None:
        raise StoreAway("the connection was lost")

    with monkeypatch.context() as broken:
        broken.setattr(dispatch if where == "prepare" else world.engine, where, lost)
        with pytest.raises(StoreAway):
            world.wait(61)
    world.calls.clear()
    world.engine.catch_up()
    assert world.rows("SELECT claimed_by FROM deliveries WHERE state = 'unknown'") == [(None,)]
    adds_up(world)
    world.wait(0)
    assert (world.states(), len(wms.asked)) == ([("wms", "delivered"), ("wms", "delivered")], 1)
    assert world.engine.dispatcher._lane("wms").in_hand == 0


def test_doubt_that_nobody_will_look_into_does_not_add_up(make_world: Callable[..., World]) -> None:
    world = make_world(routes=WMS)
    world.target("wms").answers.append(BROKEN)
    world.send(order(1))
    adds_up(world)
    world.store.write(lambda db: db.execute("UPDATE deliveries SET due_at = NULL"))
    [found] = conservation.check(world.store.reader())
    assert (found.what, found.seen) == ("deliveries that nothing will wake", 1)
