"""``o2c release``, ``resolve``, ``cancel`` and ``hold``: what no replay does, on a hub that runs and on its store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from program import SHOP, answer, new_project, o2c, order, sends_to, started, wait_for, wait_until, with_unit
from receiver import Receiver

WHY = ("--reason", "entered by hand")


@pytest.fixture
def project(tmp_path: Path, receiver: Receiver) -> Path:
    made = new_project(tmp_path, "shop")
    sends_to(made, receiver.port, "dead_letter", idempotency="none")
    return made


def test_what_is_held_in_doubt_is_released_or_resolved_by_the_commands_that_are_told(
    project: Path, receiver: Receiver
) -> None:
    receiver.away = True
    with started(project):
        for number in (4201, 4202, 4203):
            answer(project, "send", SHOP, order(project, number))
        first, second, third = (line["delivery_id"] for line in wait_until(project, "held", 3))
        [issue] = answer(project, "dead")["issues"]
        assert issue["command"] == f"o2c release --issue {issue['issue']} --reason 'it has not arrived'"
        assert f"if so: o2c resolve {issue['examples'][0]} --reason" in o2c(project, "dead").stdout
        replayed = o2c(project, "replay", "--issue", issue["issue"], "--yes")
        assert (replayed.returncode, "then `o2c resolve` or `o2c release` it" in replayed.stderr) == (1, True)

        receiver.away = False
        assert answer(project, "resolve", first, *WHY) == {"items": [{"id": first, "state": "resolved"}]}
        again = o2c(project, "resolve", first, *WHY)
        assert (again.returncode, again.stdout) == (1, "")
        assert again.stderr.startswith(f"{first}: the delivery is resolved; resolve works on ")
        some = o2c(project, "release", second, "no-such-id", *WHY, "--json")
        released, unknown = json.loads(some.stdout)["items"]
        assert (some.returncode, released) == (1, {"id": second, "state": "queued"})
        assert unknown["refused"].startswith("there is no delivery with the id 'no-such-id'")
        rest = o2c(project, "release", "--issue", issue["issue"], "--reason", "it has not arrived")
        assert (rest.returncode, rest.stdout) == (0, f"{third}  queued\n")
        assert {line["delivery_id"] for line in wait_until(project, "delivered", 2)} == {second, third}
        none = o2c(project, "release", "--issue", issue["issue"], *WHY)
        assert (none.returncode, none.stderr) == (1, "there is nothing to release of it\n")


def test_what_waits_is_held_and_cancelled_while_no_hub_runs(project: Path) -> None:
    with started(project):
        assert o2c(project, "circuit", "erp", "stop", "--reason", "their move").returncode == 0
        answer(project, "send", SHOP, order(project, 4211))
        [line] = wait_until(project, "queued")
    delivery = line["delivery_id"]
    for act, state in {"hold": "held", "release": "queued", "cancel": "cancelled"}.items():
        ended = o2c(project, act, delivery, *WHY)
        assert (ended.returncode, ended.stdout) == (0, f"{delivery}  {state}\n")


def test_a_dead_message_is_resolved_and_one_that_is_not_says_where_its_deliveries_are(project: Path) -> None:
    with started(project):
        dead = answer(project, "send", SHOP, with_unit(project, 4221, "pallet"))["message_id"]
        good = answer(project, "send", SHOP, order(project, 4222))["message_id"]
        wait_for(project, 1, "--state", "dead")
        wait_until(project, "delivered")
        both = o2c(project, "resolve", good, dead, *WHY)
        assert (both.returncode, both.stdout) == (1, f"{dead}  resolved\n")
        assert both.stderr.endswith(f"a delivery of it is resolved by its own id: o2c show {good}\n")
        cancelled = o2c(project, "cancel", good, *WHY)
        assert cancelled.stderr.endswith(f"'{good}'; those of a message: o2c show {good}\n")
        assert o2c(project, "dead").stderr == "no dead letters\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("release", *WHY), "say which: ids, or --issue; `o2c dead` and `o2c show` name them"),
        (("hold", *WHY), "say which: ids; `o2c dead` and `o2c show` name them, as in: o2c hold ID --reason TEXT"),
        (("resolve", "d", "--issue", "x", *WHY), "say which: ids, or --issue; "),
        (("cancel", "d"), "say why: --reason TEXT; it stands in the audit"),
    ],
)
def test_an_act_that_is_not_well_formed_is_refused(project: Path, arguments: tuple[str, ...], said: str) -> None:
    ended = o2c(project, *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"o2c: {said}")
