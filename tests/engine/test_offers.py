"""What the API offers with each cause of dead letters can be posted as it is, and is not refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from batching import route
from caller import Caller, new_key
from replaying import ANNA, NO, adds_up
from world import ROUTES, World, order

from connectors.base import DOUBT, LATER, Verdict
from hub.api.application import create_app
from hub.replay import steps
from hub.store import dead_letters
from hub.store.database import Database
from hub.store.search_terms import Filter

BUSY = Verdict(LATER, code="http_503", status=503)
TIMEOUT = Verdict(DOUBT, code="read_timeout")
FOLLOWED = ROUTES.replace(b"map: order-out}", b"map: order-out}\n  - {system: wms, map: order-out, after: erp}")
FOLLOWED_BATCH = route().replace(b"max: 3}}", b"max: 3}}\n  - {system: wms, map: order-out, after: erp}")
STOPPING = ROUTES + b"on_error: stop\n"


def to_crm(routes: bytes) -> bytes:
    return routes.replace(b"system: erp", b"system: crm")


def the(world: World, state: str) -> str:
    return str(world.rows("SELECT min(delivery_id) FROM deliveries WHERE state = ?", state)[0][0])


def unreadable(world: World) -> None:
    world.send(b"{broken")


def unmappable(world: World) -> None:
    world.send({"id": "4", "lines": "none"})


def refused(world: World) -> None:
    world.target("erp").answers.append(NO)
    world.send(order(1))


def not_answered(world: World) -> None:
    """By one that cannot be asked."""
    world.target("crm").answers.append(TIMEOUT)
    world.send(order(1))


def refused_and_not_answered(world: World) -> None:
    world.target("crm").answers.extend([TIMEOUT, NO])
    world.send(order(1), order(2))


def never_answered(world: World) -> None:
    """By one that knows our keys."""
    world.target("erp").answers.extend([TIMEOUT] * 3)
    world.send(order(1))
    world.wait(100)
    world.wait(100)


def batch_not_answered(world: World) -> None:
    world.target("crm").answers.append(TIMEOUT)
    world.send(order(1), order(2), order(3))


def batch_never_answered(world: World) -> None:
    world.target("erp").answers.extend([TIMEOUT] * 3)
    world.send(order(1), order(2), order(3))
    world.wait(100)
    world.wait(100)


def batch_held_by_a_person(world: World) -> None:
    world.target("erp").answers.append(BUSY)
    world.send(order(1), order(2), order(3))
    steps.hold(world.engine, the(world, "retrying"), ANNA, "ask first")


def held_by_a_person(world: World) -> None:
    world.target("erp").answers.append(BUSY)
    world.send(order(1))
    steps.hold(world.engine, the(world, "retrying"), ANNA, "ask first")


def held_by_a_person_in_doubt(world: World) -> None:
    world.target("erp").answers.append(TIMEOUT)
    world.send(order(1))
    steps.hold(world.engine, the(world, "retrying"), ANNA, "ask first")


def held_by_a_person_behind_another(world: World) -> None:
    world.target("erp").answers.append(BUSY)
    world.send(order(1))
    steps.hold(world.engine, the(world, "queued"), ANNA, "ask first")
    world.wait(0)


def held_behind_one_that_a_person_has_dealt_with(world: World) -> None:
    world.target("erp").answers.append(NO)
    world.send(order(1))
    steps.resolve(world.engine, the(world, "dead"), ANNA, "entered by hand")


ALL = ["delivered"]
CASES: Mapping[str, tuple[Callable[[World], None], bytes, Mapping[str, str], list[str]]] = {
    # what happened, by which route -> what is offered for each code, and the states once it was posted
    "a receipt": (unreadable, ROUTES, {"decode": "replay"}, []),
    "a message": (unmappable, ROUTES, {"mapping": "replay"}, []),
    "a delivery": (refused, ROUTES, {"http_422": "replay"}, ["resolved", *ALL]),
    "in doubt": (not_answered, to_crm(ROUTES), {"read_timeout": "release"}, ALL),
    "dead in doubt": (never_answered, ROUTES, {"read_timeout": "replay"}, ["resolved", *ALL]),
    "two causes": (
        refused_and_not_answered, to_crm(ROUTES), {"read_timeout": "release", "http_422": "replay"},
        ["delivered", "resolved", "delivered"],
    ),
    "stopped": (refused, STOPPING, {"http_422": "replay"}, ["resolved", "queued"]),
    "by a person": (held_by_a_person, ROUTES, {"http_503": "replay"}, ["resolved", *ALL]),
    "by a person in doubt": (held_by_a_person_in_doubt, ROUTES, {"read_timeout": "release"}, ALL),
    "by a person behind another": (
        held_by_a_person_behind_another, FOLLOWED, {"held_by_operator": "release"}, ["retrying", "queued"],
    ),
    "behind a dead one": (
        refused, FOLLOWED, {"http_422": "replay", "predecessor_dead": "replay"}, ["resolved", *ALL, *ALL],
    ),
    "behind one dealt with": (
        held_behind_one_that_a_person_has_dealt_with, FOLLOWED, {"predecessor_dead": "release"},
        ["resolved", *ALL],
    ),
    "behind one skipped": (
        refused, FOLLOWED + b"on_error: skip\n", {"predecessor_skipped": "release"}, ["skipped", *ALL],
    ),
    "a batch in doubt": (batch_not_answered, route("crm"), {"read_timeout": "release"}, ALL * 3),
    "a batch dead in doubt": (batch_never_answered, route(), {"read_timeout": "replay"}, ["resolved", *ALL] * 3),
    "behind a batch dead in doubt": (
        batch_never_answered, FOLLOWED_BATCH, {"read_timeout": "replay", "predecessor_dead": "replay"},
        ["resolved", *ALL, *ALL] * 3,
    ),
    "a batch by a person": (batch_held_by_a_person, route(), {"http_503": "release"}, ALL * 3),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_offered_is_posted_as_it_is_and_sends_again(make_world: Callable[..., World], case: str) -> None:
    happen, routes, offered, ended = CASES[case]
    world = make_world(routes=routes)
    happen(world)
    operator = Caller(create_app(world.engine), new_key(world.store, "operator"))
    which = [
        (issue["error"]["code"], name) for issue in listed(operator) for name in ("replay", "release") if name in issue
    ]
    assert dict(which) == offered
    for code in reversed(offered):
        for issue in listed(operator, code):
            told = "release" if "release" in issue else "dead" if code == "predecessor_dead" else "replay"
            assert issue["command"].startswith(f"o2c {told} ")
            post(operator, issue)
        world.run()
    assert [state for _, state in world.states()] == ended
    adds_up(world)


class Counted:
    """A database that is asked through it."""

    def __init__(self, db: Database) -> None:
        self.db, self.asked = db, list[str]()

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        self.asked.append(statement)
        return self.db.execute(statement, values)


def test_what_is_held_behind_dead_ones_is_looked_up_once_for_all_causes(make_world: Callable[..., World]) -> None:
    world = make_world(routes=FOLLOWED)
    world.target("erp").answers.extend([NO, BUSY])
    world.send(order(1), order(2))
    steps.cancel(world.engine, the(world, "retrying"), ANNA, "not wanted")
    with world.store.snapshot() as db:
        found = dead_letters.issues(counted := Counted(db), Filter())
    assert {issue.failure["code"]: (issue.instead, issue.release) for issue in found} == {
        "http_422": ((), ""), "predecessor_dead": ((the(world, "dead"),), ""),
        "predecessor_cancelled": ((), "it is to go now"),
    }  # fmt: skip
    assert len(counted.asked) == 3 + 1 + len(found), "the letters of each kind, what is ahead, an example of each"


def listed(operator: Caller, code: str = "") -> list[dict[str, Any]]:
    return list(operator.get(f"/api/v1/dead-letters?code={code}").json["issues"])


def post(operator: Caller, issue: Mapping[str, Any]) -> None:
    """What an issue offers; nothing of it is refused, but what goes with another of its batch."""
    if "replay" in issue:
        made = operator.post("/api/v1/replays", {**issue["replay"], "dry_run": False})
        assert (made.status, made.json["plan"]["not_replayable"]) == (201, {})
        assert made.json["plan"]["replayable"] == issue["count"]
        return
    letters = operator.get(f"/api/v1/dead-letters?group_by=none&issue={issue['issue']}").json["items"]
    assert len(letters) == issue["count"]
    for letter in letters:
        left = operator.get(f"/api/v1/dead-letters?group_by=none&issue={issue['issue']}").json["items"]
        if letter in left:
            assert operator.post(f"/api/v1/deliveries/{letter['id']}/release", issue["release"]).status == 200
