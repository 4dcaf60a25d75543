"""The effect ledger: what is known of what a delivery has caused, and what is held since nobody can be asked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from caller import Caller, new_key
from world import ROUTES, World, order

from connectors.base import ABSENT, DELIVERED, DOUBT, FOUND, LATER, REFUSED, Verdict
from hub.api.application import create_app
from hub.cli.message_text import message_lines
from hub.store import effects

TIMEOUT = Verdict(DOUBT, "read_timeout", "no answer within 30 s")
AWAY = Verdict(LATER, "connect_refused", "connection refused")
CREATED = Verdict(DELIVERED, status=201, reference="SO-77")
WMS = ROUTES.replace(b"system: erp", b"system: wms")


def ledger(world: World) -> list[effects.Effect]:
    with world.store.snapshot() as db:
        return effects.of_message(db, world.rows("SELECT message_id FROM messages")[0][0])


@pytest.mark.parametrize(
    ("system", "answers", "found", "expected"),
    [
        ("erp", [CREATED], [], ("happened", "SO-77", 1, 0, None)),
        ("erp", [AWAY] * 3, [], ("none", "", 0, 0, None)),
        ("erp", [TIMEOUT] * 3, [], ("unknown", "", 3, 0, None)),
        ("erp", [TIMEOUT, CREATED], [], ("happened", "SO-77", 2, 0, None)),
        ("erp", [Verdict(REFUSED, "http_422", status=422)], [], ("none", "", 1, 0, None)),
        ("wms", [TIMEOUT], [], ("unknown", "", 1, 0, None)),
        ("wms", [TIMEOUT], [Verdict(FOUND, reference="W-1")], ("happened", "W-1", 1, 1, True)),
        ("wms", [TIMEOUT, CREATED], [Verdict(ABSENT)], ("happened", "SO-77", 2, 1, False)),
        ("wms", [TIMEOUT], [Verdict(LATER, "http_503", status=503)], ("unknown", "", 1, 1, None)),
        ("crm", [TIMEOUT], [], ("unknown", "", 1, 0, None)),
    ],
)
def test_the_ledger_says_what_is_known(
    make_world: Callable[..., World], system: str, answers: list[Verdict], found: list[Verdict],
    expected: tuple[str, str, int, int, bool | None],
) -> None:  # fmt: skip
    world = make_world(routes=ROUTES.replace(b"system: erp", b"system: " + system.encode()))
    target = world.target(system)
    target.answers.extend(answers)
    target.found.extend(found)
    world.send(order(1))
    for _ in range(3) if found or system == "erp" else ():
        world.wait(61 if not target.asked else 1)
    [effect] = ledger(world)
    assert (effect.state, effect.reference, effect.times_sent, effect.look_ups, effect.found) == expected
    assert effect.key == target.sent[0].key


@pytest.mark.parametrize("on_error", ["dead_letter", "skip", "block_key", "stop"])
def test_the_ledger_says_that_a_look_up_has_not_found_what_is_given_up(
    make_world: Callable[..., World], on_error: str
) -> None:
    world = make_world(routes=WMS.replace(b"attempts: 3", b"attempts: 1") + f"on_error: {on_error}\n".encode())
    world.target("wms").answers.append(TIMEOUT)
    world.target("wms").found.append(Verdict(ABSENT))
    world.send(order(1))
    world.wait(61)
    [effect] = ledger(world)
    assert (effect.state, effect.look_ups, effect.found) == ("none", 1, False)


@pytest.mark.parametrize("code", ["no_look_up", "rule_failed", "http_400", "missing_variable"])
def test_a_look_up_that_can_never_tell_leaves_it_to_a_person(make_world: Callable[..., World], code: str) -> None:
    world = make_world(routes=WMS)
    wms = world.target("wms")
    wms.answers.append(TIMEOUT)
    wms.found.append(Verdict(DOUBT, code, "the look-up cannot tell"))
    world.send(order(1), order(1))
    world.wait(61)
    world.wait(10_000)
    assert world.states() == [("wms", "held"), ("wms", "queued")]
    assert (len(wms.sent), len(wms.asked)) == (1, 1)
    assert world.rows("SELECT doubt, hold_reason FROM deliveries WHERE state = 'held'") == [(1, "unknown")]
    assert "look in the target" in world.rows("SELECT failure FROM deliveries WHERE state = 'held'")[0][0]
    assert ledger(world)[0].state == "unknown"


def test_the_name_that_the_receiver_gave_is_there_when_it_is_asked(make_world: Callable[..., World]) -> None:
    world = make_world(routes=WMS)
    wms = world.target("wms")
    wms.answers.append(Verdict(DOUBT, "http_500", status=500, reference="W-9"))
    world.send(order(1))
    world.wait(61)
    assert [parcel.variables["reference"] for parcel in wms.asked] == ["W-9"]
    assert "reference" not in wms.sent[0].variables


def test_the_api_and_the_terminal_show_the_ledger(make_world: Callable[..., World]) -> None:
    world = make_world(routes=WMS)
    wms = world.target("wms")
    wms.answers.append(TIMEOUT)
    wms.found.append(Verdict(FOUND, reference="W-1"))
    [accepted] = world.send(order(1))
    viewer = Caller(create_app(world.engine), new_key(world.store, "viewer"))
    path = f"/api/v1/messages/{accepted.receipt_id}"
    [doubtful] = viewer.get(path + "/effects").json["items"]
    assert (doubtful["state"], doubtful["times_sent"], doubtful["answered"]) == (
        "unknown", 1, "read_timeout no answer within 30 s",
    )  # fmt: skip
    assert doubtful["next_look_up_at"] == "2026-09-21T14:14:20.000Z"
    world.wait(61)
    [settled] = viewer.get(path).json["effects"]
    assert (settled["state"], settled["reference"], settled["found"], settled["look_ups"]) == (
        "happened",
        "W-1",
        True,
        1,
    )
    [line] = [line for line in message_lines(viewer.get(path).json) if "effect" in line]
    assert line.startswith(
        f"    effect happened: key {wms.sent[0].key}, reference W-1, last sent 2026-09-21T14:13:20.000Z"
    )
    assert line.endswith("looked up 2026-09-21T14:14:21.000Z: found")
