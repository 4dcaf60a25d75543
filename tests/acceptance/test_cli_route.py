"""``o2c route``, and what is said of that which waits for a route that is paused or a system that is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from program import SHOP, answer, new_project, o2c, order, sends_to, started, wait_until
from receiver import Receiver

from hub.client import client_for

ROUTE = "webshop-orders"
PAUSED = f"waits: route {ROUTE} is paused; to go on: o2c route {ROUTE} resume"
STOPPED = "waits: system erp is stopped; to go on: o2c circuit erp start"


@pytest.fixture
def project(tmp_path: Path, receiver: Receiver) -> Path:
    made = new_project(tmp_path, "shop")
    sends_to(made, receiver.port, "stop")
    return made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = new_project(tmp_path_factory.mktemp("route"), "shop")
    with started(made):
        yield made


def sent(project: Path, *numbers: int) -> list[str]:
    return [answer(project, "send", SHOP, order(project, number))["message_id"] for number in numbers]


def test_a_route_that_the_hub_paused_is_seen_resumed_and_nothing_of_it_is_left(
    project: Path, receiver: Receiver
) -> None:
    receiver.refuses = True
    with started(project):
        sent(project, 4101)
        [held] = wait_until(project, "held")
        [waiting] = sent(project, 4102)
        wait_until(project, "queued")
        said = o2c(project, "show", held["delivery_id"], "--payload", "response.erp")
        assert (said.returncode, said.stdout) == (0, '{"error":"customer unknown"}')
        unknown = o2c(project, "show", held["delivery_id"], "--payload", "response.wms")
        assert (unknown.returncode, "did you mean 'response.erp'?" in unknown.stderr) == (1, True)
        told = o2c(project, "dead").stdout
        assert f"correct the data or the mapping, then: o2c replay {held['delivery_id']}; the route is paused" in told
        assert f"until: o2c route {ROUTE} resume\n" in told
        examined = o2c(project, "doctor")
        assert (examined.returncode, f"fault   route {ROUTE}: paused since 20" in examined.stdout) == (1, True)
        assert (
            f"by hub: the system answered 400 Bad Request; what comes for it waits until: o2c route {ROUTE} resume"
            in (examined.stdout)
        )
        [shown] = answer(project, "route")["routes"]
        assert (shown["name"], shown["off"]["state"], shown["off"]["actor"]) == (ROUTE, "paused", "hub")
        assert f"400 Bad Request; to go on: o2c route {ROUTE} resume" in o2c(project, "route", ROUTE).stdout
        assert f"to erp: queued, {PAUSED}  (" in o2c(project, "show", waiting).stdout

        receiver.refuses = False
        replayed = o2c(project, "replay", held["delivery_id"], "--yes")
        assert (replayed.returncode, replayed.stderr.splitlines()[-1]) == (1, f"1 of them {PAUSED}")
        resumed = o2c(project, "route", ROUTE, "resume")
        assert (resumed.returncode, "paused" in resumed.stdout) == (0, False)
        wait_until(project, "delivered", 2)
        assert "waits" not in o2c(project, "show", waiting).stdout
        assert o2c(project, "dead").stderr.strip() == "no dead letters"


def test_what_goes_through_again_to_a_stopped_system_is_told_to_wait(project: Path) -> None:
    with started(project):
        [message] = sent(project, 4103)
        wait_until(project, "delivered")
        assert o2c(project, "circuit", "erp", "stop", "--reason", "their move").returncode == 0
        again = ("--from", "start", "--delivered", "send", "--reason", "lost over there")
        replayed = o2c(project, "replay", message, *again, "--yes")
        assert (replayed.returncode, replayed.stderr.splitlines()[-1]) == (1, f"1 of them {STOPPED}")
        [waiting] = wait_until(project, "queued")
        assert f"to erp: queued, {STOPPED}  (" in o2c(project, "show", waiting["delivery_id"]).stdout


def test_the_doctor_tells_of_a_system_that_the_hub_has_stopped(project: Path, receiver: Receiver) -> None:
    receiver.distrusts = True
    with started(project):
        sent(project, 4104)
        wait_until(project, "retrying")
    for arguments in ((), ("erp",)):
        told = o2c(project, "doctor", *arguments)
        [stopped] = [line for line in told.stdout.splitlines() if "stopped since" in line]
        assert stopped.startswith("fault   system erp: stopped since 20") and told.returncode == 1
        assert stopped.endswith("; what comes for it waits until: o2c circuit erp start") and "401" in stopped
    assert "stopped since" not in o2c(project, "doctor", "wms").stdout
    assert o2c(project, "circuit", "erp", "start").returncode == 0
    told = o2c(project, "doctor", "erp")
    assert ("stopped since" in told.stdout, told.returncode) == (False, 0)


def works(project: Path) -> str:
    """All that an operator does to a route; gives the last that he is told."""
    paused = answer(project, "route", ROUTE, "pause", "--reason", "stock-taking")["routes"]
    assert [(route["name"], route["off"]["reason"]) for route in paused] == [(ROUTE, "stock-taking")]
    assert f"stock-taking; to go on: o2c route {ROUTE} resume" in o2c(project, "route").stdout
    assert "off" not in answer(project, "route", ROUTE, "resume")["routes"][0]
    again = o2c(project, "route", ROUTE, "resume")
    assert again.returncode == 1
    return again.stderr.splitlines()[-1]


def test_an_operator_pauses_and_resumes_a_route_of_a_store_at_rest(project: Path) -> None:
    assert works(project) == f"o2c: the route '{ROUTE}' is not off"


def test_an_operator_pauses_and_resumes_a_route_of_a_running_hub(running: Path) -> None:
    assert works(running) == f"o2c: the route '{ROUTE}' is not off"
    trail = [line["action"] for line in client_for(running).get("/audit", limit=12)["items"]]
    assert [action for action in trail if action.startswith("route.")] == ["route.resumed", "route.paused"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("order",), 1, f"o2c: there is no route 'order'; those in force: {ROUTE}"),
        (("order", "pause", "--reason", "x"), 1, "o2c: there is no route 'order' in the active set"),
        ((ROUTE, "stop"), 2, f"o2c: 'stop' is no step; expected pause or resume, as in: o2c route {ROUTE} resume"),
        ((ROUTE, "pause"), 2, "o2c: say why: --reason TEXT; it stands in the audit, and with the route"),
    ],
)
def test_what_cannot_be_done_is_said(running: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    ended = o2c(running, "route", *arguments)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert ended.stderr.splitlines()[-1].startswith(said)
