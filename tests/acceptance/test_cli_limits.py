"""``o2c limits`` and ``o2c circuit``: on a hub that runs, and on its store while none does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import answer, new_project, o2c, started


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = new_project(tmp_path_factory.mktemp("limits"), "shop")
    hub = made / "config/hub.yaml"
    hub.write_text(hub.read_text() + "\nquota: {size: 1GB}\n")
    systems = made / "config/systems.yaml"
    systems.write_text(systems.read_text() + "\ninbox: {connector: file, root: ., fetch: {folder: in}}\n")
    (made / "in").mkdir()
    return made


@pytest.fixture(scope="module")
def running(project: Path) -> Iterator[Path]:
    with started(project):
        yield project


def works_where_only_is_fetched(project: Path) -> None:
    opened = answer(project, "circuit", "inbox", "open", "--reason", "their move")
    assert (opened["circuit"]["state"], opened.get("limits")) == ("open", None)
    assert "their move" in o2c(project, "limits").stdout
    probed = o2c(project, "circuit", "inbox", "probe")
    assert (probed.returncode, probed.stderr.splitlines()[-1]) == (0, "the next look at it is let through")
    o2c(project, "circuit", "inbox", "close")


def works(project: Path) -> str:
    """All that an operator does to a system's limits; gives the last that he is told."""
    works_where_only_is_fetched(project)
    before = answer(project, "limits", "erp")["systems"][0]["limits"]
    assert "adjusted" not in before
    changed = o2c(project, "limits", "erp", "--rate", "300/m", "--reason", "their sale")
    assert changed.returncode == 0, changed.stderr
    assert "5/s (configured: " in changed.stdout and "their sale" in changed.stdout
    more = answer(project, "limits", "erp", "--concurrency", "3", "--retry-budget", "5%", "--reason", "and slower")
    now = more["systems"][0]["limits"]
    assert (now["rate"], now["concurrency"], now["retry_budget"]) == (5.0, 3, 0.05)  # the rate stays changed
    assert answer(project, "limits", "erp", "--reset")["systems"][0]["limits"] == before
    assert answer(project, "circuit", "erp", "open", "--reason", "their night")["circuit"]["state"] == "open"
    listed = o2c(project, "limits").stdout
    assert "their night" in listed and "hub" in listed and "of 1GB" in listed
    assert o2c(project, "circuit", "erp", "probe").returncode == 0
    assert answer(project, "circuit", "erp", "close")["circuit"] == {"state": "closed"}
    assert answer(project, "circuit", "erp", "stop", "--reason", "their move")["off"]["state"] == "stopped"
    assert "stopped: their move; to start it: o2c circuit erp start" in o2c(project, "limits").stdout
    assert "off" not in answer(project, "circuit", "erp", "start")
    again = o2c(project, "circuit", "erp", "close")
    assert again.returncode == 1
    return again.stderr.splitlines()[-1]


def test_an_operator_changes_limits_and_circuits_of_a_store_at_rest(project: Path) -> None:
    assert works(project) == "o2c: the circuit of 'erp' is closed"


def test_an_operator_changes_limits_and_circuits_of_a_running_hub(running: Path) -> None:
    assert works(running) == "o2c: the circuit of 'erp' is closed"


def test_every_step_is_in_the_audit(running: Path) -> None:
    from hub.client import client_for

    trail = [line["action"] for line in client_for(running).get("/audit", limit=12)["items"]]
    steps = ["adjusted", "adjusted", "limits_reset", "circuit_opened", "probed", "circuit_closed", "stopped", "started"]
    done = [f"system.{step}" for step in steps]
    assert [action for action in reversed(trail) if action.startswith("system.")][-8:] == done


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ("limits", "epr"),
            1,
            "o2c: nothing is sent to a system 'epr', or fetched from one; those that are: erp, inbox",
        ),
        (("limits", "inbox", "--rate", "5/s", "--reason", "x"), 1, "o2c: nothing is sent to 'inbox'"),
        (("limits", "--rate", "5/s"), 2, "o2c: say which system: o2c limits SYSTEM --rate 20/s --reason TEXT"),
        (("limits", "erp", "--rate", "5/s"), 2, "o2c: say why: --reason TEXT; it stands in the audit"),
        (("limits", "erp", "--rate", "5"), 2, "o2c: --rate: expected a rate such as 20/s or 600/m, got '5'"),
        (
            ("limits", "erp", "--retry-budget", "0.2"),
            2,
            "o2c: --retry-budget: expected a share from 0% to 100%, such as 20%, got '0.2'",
        ),
        (
            ("limits", "erp", "--reset", "--concurrency", "2"),
            2,
            "o2c: --reset goes back to what is configured; leave it out to change limits",
        ),
        (("limits", "erp", "--reset"), 1, "o2c: the limits of 'erp' are the configured ones"),
        (
            ("circuit", "erp", "shut"),
            2,
            "o2c: 'shut' is no step; expected open, close, probe, stop or start, as in: o2c circuit erp open",
        ),
        (("circuit", "erp", "stop"), 2, "o2c: say why: --reason TEXT; it stands in the audit, and with the system"),
        (("circuit", "webshop", "start"), 1, "o2c: the system 'webshop' is not off"),
        (("circuit", "webshop", "probe"), 1, "o2c: nothing is sent to 'webshop' or fetched from it"),
    ],
)
def test_what_cannot_be_done_is_said(running: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    ended = o2c(running, *arguments)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert ended.stderr.splitlines()[-1].startswith(said)


def test_the_result_is_json_where_it_is_asked_for(running: Path) -> None:
    found = json.loads(o2c(running, "limits", "--json").stdout)
    assert [quota["kind"] for quota in found["quotas"]] == ["hub"]
    assert all(item["sends"] or item["fetches"] for item in found["systems"])
