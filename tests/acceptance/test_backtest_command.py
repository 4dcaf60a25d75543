"""An engineer edits a mapping, and is told before the deploy what it would have done to the orders there were."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir, suppress
from pathlib import Path
from typing import Any

import pytest
from hub_process import HubProcess
from program import SHOP, new_project, o2c, order, started, wait_for

from hub.cli.app import main

Make = Callable[..., HubProcess]
MAPPING = "mappings/order-in.yaml"
WANTED = "report_id: text(src.id)"
STRICT = "report_id: require(text(src.id), src.id not in ['o7', 'o13', 'o21'], 'this number is taken')"


def edit(folder: Path, file: str, before: str, after: str) -> None:
    text = (folder / file).read_text()
    assert text.count(before) == 1
    (folder / file).write_text(text.replace(before, after))


def all_of(reading: int) -> str:
    """What was written to a terminal whose other side is closed: one read gives no more than 4 KB of it."""
    pieces = []
    with suppress(OSError), open(reading, "rb", buffering=0) as terminal:
        while piece := terminal.read(1 << 16):
            pieces.append(piece)
    return b"".join(pieces).decode()


def orders(make_hub: Make, count: int) -> HubProcess:
    """A running hub that has delivered so many orders."""
    hub = make_hub()
    hub.start()
    for number in range(count):
        assert hub.send(f"o{number}")[0] == 202
    hub.wait_for(lambda: hub.rows("SELECT count(*) FROM deliveries WHERE state = 'delivered'") == [(count,)])
    return hub


def test_an_edit_of_one_field_is_told_as_just_that_and_gates_until_it_is_approved(make_hub: Make) -> None:
    hub = orders(make_hub, 5)
    assert o2c(hub.root, "backtest", "order-in").returncode == 0
    edit(hub.root, MAPPING, "{const: C62}", "{const: XPX}")

    told = o2c(hub.root, "backtest", "order-in", "--unmasked", "--samples", "1")

    assert told.returncode == 1
    lines = told.stdout.splitlines()
    assert lines[1:3] == ["  0 equal, 5 changed", "changed  canonical  stock_lines[].available_quantity.unit_code: 5"]
    assert lines[3].endswith('"C62" -> "XPX"')
    assert len(lines) == 4
    assert "1 difference not approved; if all are meant: --approve mappings/order-in.approved" in told.stderr

    approvals = "mappings/order-in.approved"
    written = o2c(hub.root, "backtest", "order-in", "--approve", approvals)
    assert (written.returncode, written.stderr.splitlines()[0]) == (
        0,
        f"{approvals}: approves every difference of this back-test; review and commit it",
    )
    again = o2c(hub.root, "backtest", "order-in")
    assert (again.returncode, "(approved)" in again.stdout) == (0, True)
    # What was approved and is found no more is told, so that nobody lives on an old permission.
    edit(hub.root, MAPPING, "{const: XPX}", "{const: C62}")
    stale = o2c(hub.root, "backtest", "order-in")
    assert stale.returncode == 0
    assert "nothing of this is found any more, take it out: part: canonical" in stale.stderr
    # The hub has gone on all the while, with the files it has.
    assert hub.send("after")[0] == 202


def test_an_edit_that_fails_for_three_of_fifty_is_told_before_the_deploy(make_hub: Make) -> None:
    hub = orders(make_hub, 50)
    (hub.root / "draft.yaml").write_text((hub.root / MAPPING).read_text().replace(WANTED, STRICT))

    told = o2c(hub.root, "backtest", "order-in", "--candidate", "draft.yaml")

    assert told.returncode == 1
    assert "  47 equal, 3 newly failing" in told.stdout
    assert f"{MAPPING}:7:" in told.stdout
    assert "this number is taken" in told.stdout
    failing = {row[0] for row in hub.rows("SELECT receipt_id FROM receipts WHERE dedupe_key IN ('o7', 'o13', 'o21')")}
    assert len(failing) == 3
    assert all(message_id in told.stdout for message_id in failing)
    # Nothing was sent, and nothing was written.
    assert hub.rows("SELECT count(*) FROM deliveries") == [(50,)]


def test_the_same_store_files_and_arguments_give_the_same_bytes(make_hub: Make) -> None:
    hub = orders(make_hub, 6)
    edit(hub.root, MAPPING, "{const: C62}", "{const: XPX}")
    runs = [
        o2c(hub.root, "backtest", name, "--json", "--processes", count).stdout
        for name in ("order-in",) for count in ("1", "2")
    ]  # fmt: skip
    assert len(set(runs)) == 1
    assert json.loads(runs[0])["counts"]["changed"] == 6


def test_a_terminal_shows_how_far_it_has_come_and_a_file_does_not(make_hub: Make) -> None:
    hub = orders(make_hub, 3)
    reading, writing = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "hub.cli", "backtest", "order-in"], cwd=hub.root,
        stdout=subprocess.DEVNULL, stderr=writing,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"},
    )  # fmt: skip
    os.close(writing)
    shown = all_of(reading)
    assert process.wait(60) == 0 and "3/3" in shown
    assert "3/3" not in o2c(hub.root, "backtest", "order-in").stderr


def test_what_is_not_well_formed_or_cannot_be_read_ends_with_two(
    make_hub: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = orders(make_hub, 1)
    (hub.root / "broken.yaml").write_text("mapping: order-in\nversion: 1\noutput: {a: scr.id}\n")
    cases: list[tuple[list[str], str]] = [
        (["order-im"], "did you mean 'order-in'?"),
        (["order-in", "--since", "soon"], "--since: expected 7d, 12h or a time"),
        (["order-in", "--candidate", "none.yaml"], "--candidate: there is no file none.yaml"),
        (["order-in", "--candidate", "broken.yaml"], f"{MAPPING}:"),
        (["order-in", "--approvals", "none.approved"], "--approvals: there is no file none.approved"),
        (["order-in", "--lookups", "old"], "--lookups: expected recorded or current, got 'old'"),
    ]
    with chdir(hub.root):  # in this process: none of them gets as far as to start another
        for arguments, told in cases:
            with pytest.raises(SystemExit) as ended:
                main(["backtest", *arguments])
            said = capsys.readouterr().err
            assert (ended.value.code, told in said) == (2, True), said


def test_a_gate_that_has_seen_nothing_does_not_open(tmp_path: Path) -> None:
    empty = new_project(tmp_path, "empty")
    told = o2c(empty, "backtest", "shopify-order")
    assert told.returncode == 1
    assert "nothing was compared: no message of that time" in told.stderr
    assert o2c(empty, "backtest", "shopify-order", "--allow-empty").returncode == 0


def test_a_hub_elsewhere_finds_what_the_store_at_hand_has(tmp_path: Path) -> None:
    project = new_project(tmp_path, "shop")
    with started(project):
        for number in (1, 2):
            assert o2c(project, "send", SHOP, order(project, number)).returncode == 0
        wait_for(project, 2)
        edit(project, "mappings/orders/shopify-order.yaml", "{const: ecommerce}", "{const: web}")
        here = o2c(project, "backtest", "shopify-order", "--json", "--since", "30d")
        known: dict[str, Any] = json.loads((project / ".o2c/local.json").read_text())
        (project / "schemas/profiles").mkdir()
        (project / "schemas/profiles/own.yaml").write_text("profile: own\ndocuments: {ubl-invoice: [OWN]}\n")
        named = {"O2C_URL": known["url"], "O2C_API_KEY": known["api_key"]}
        (project / "mappings/orders/sample.edi").write_bytes(b"Stra\xdfe")  # an input of a test, as its sender writes
        there = o2c(project, "backtest", "shopify-order", "--json", "--since", "30d", **named)
        (project / "mappings/tables").mkdir(exist_ok=True)
        (project / "mappings/tables/streets.csv").write_bytes(b"from,to\nStra\xdfe,street\n")
        refused = o2c(project, "backtest", "shopify-order", **named)
    assert (here.returncode, there.returncode) == (1, 1), there.stderr
    assert (refused.returncode, refused.stderr) == (
        2, "mappings/tables/streets.csv:2:5: error: byte 0xdf is not UTF-8; save the file as UTF-8\n"
    )  # fmt: skip
    assert there.stdout == here.stdout
    assert [change["path"] for change in json.loads(here.stdout)["changes"]] == ["channel"]
