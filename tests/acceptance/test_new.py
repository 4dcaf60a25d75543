"""`o2c new` and `o2c systems` as a user has them, in a project that `o2c init` has just made."""

from __future__ import annotations

import json
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from program import answer, new_project, o2c, started, wait_for

NEW = (
    "connector label_printer", "mapping returns", "route refunds", "system printer --connector label_printer",
    "route labels --from webshop --event orders/updated --to printer --map shopify-order",
)  # fmt: skip


class Printer(socketserver.TCPServer):
    """Takes labels."""

    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.came: list[bytes] = []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class Taking(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        printer: Any = self.server
        printer.came += [came] if (came := self.rfile.read()) else []
        self.wfile.write(b"OK\n")


@pytest.fixture(scope="module")
def printer() -> Iterator[Printer]:
    server = Printer()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, printer: Printer) -> Path:
    """A project to which one of each was added; its printer is where ours listens."""
    project = new_project(tmp_path_factory.mktemp("new"), "shop")
    before = (project / "config/systems.yaml").read_text()
    for words in NEW:
        ended = o2c(project, "new", *words.split())
        assert ended.returncode == 0, ended.stderr
    assert "no system of the project could be sent this" not in ended.stderr and "o2c explain labels" in ended.stderr
    systems = project / "config/systems.yaml"
    after = systems.read_text().replace(
        "host: printer.example", f"host: 127.0.0.1\n  port: {printer.server_address[1]}"
    )
    assert after.startswith(before.rstrip()) and "refunds-folder:\n" in after
    systems.write_text(after)
    return project


def test_each_start_passes_check_and_test(made: Path) -> None:
    checked = o2c(made, "check")
    assert checked.returncode == 0, checked.stdout
    assert [line.split(": ", 1)[1] for line in checked.stdout.splitlines() if ": warning: " in line] == [
        "warning: no route uses the mapping 'returns'"
    ]
    tested = o2c(made, "test")
    assert tested.returncode == 0, tested.stdout
    assert " 0 failed" in tested.stderr


def test_a_connector_comes_with_a_test_that_passes_and_can_fail(made: Path, tmp_path: Path) -> None:
    test = "tests/test_label_printer.py"
    ran = python(made, "-m", "unittest", test)
    assert ran.returncode == 0 and "OK" in ran.stderr, ran.stderr
    for path in ("connectors/label_printer.py", test):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text((made / path).read_text().replace("return Verdict(LATER", "return Verdict(DOUBT"))
    ran = python(tmp_path, "-m", "unittest", test)
    assert ran.returncode == 1 and "test_a_receiver_that_is_away_has_got_nothing" in ran.stderr


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=60)


def test_nothing_is_written_over(made: Path) -> None:
    before = {path: path.read_bytes() for path in made.glob("*/*.*") if "data" not in path.parts}
    ended = o2c(made, "new", *NEW[0].split())
    assert ended.returncode == 2
    assert "there is a connector 'label_printer' already, at connectors/label_printer.py; take another" in ended.stderr
    assert {path: path.read_bytes() for path in made.glob("*/*.*") if "data" not in path.parts} == before


def test_a_new_connector_carries_documents_and_the_doctor_tries_it(made: Path, printer: Printer) -> None:
    assert answer(made, "doctor", "printer") == [
        {"subject": "system printer", "state": "ok", "detail": "can be reached", "hint": "",
         "tried": f"a connection to 127.0.0.1:{printer.server_address[1]}"}
    ]  # fmt: skip
    send = ("send", "webshop", "sample-order.json", "--event", "orders/updated")
    assert o2c(made, *send).returncode == 0  # while no hub runs: it goes on its way when one does
    with started(made):
        [item] = wait_for(made, 1)
    assert {line["state"] for line in item["deliveries"]} == {"delivered"}
    [came] = printer.came
    key, _, document = came.partition(b"\n")
    assert key.decode().endswith(".1") and json.loads(document)["order_id"] == "1001"


def test_a_project_with_a_connector_of_its_own_is_put_in_force_and_taken_back_while_no_hub_runs(made: Path) -> None:
    before = answer(made, "deploy")
    assert before["running"] is False
    hub = made / "config/hub.yaml"
    kept = hub.read_text()
    hub.write_text(f"# changed\n{kept}")
    after = answer(made, "deploy")["set_id"]
    hub.write_text(kept)
    assert after > before["set_id"]
    assert answer(made, "deploy", "--rollback") == before


def test_what_is_declared_is_listed(made: Path) -> None:
    listed = answer(made, "systems")
    connectors = {each["connector"]: each for each in listed["connectors"]}
    assert (connectors["label_printer"]["from"], connectors["label_printer"]["does"]) == ("project", ["sends"])
    systems = {each["system"]: each for each in listed["systems"]}
    assert systems["webshop"]["routes_from"] == ["labels", "webshop-orders", "refunds"]
    assert (systems["webshop"]["preset"], systems["webshop"]["does"]) == ("shopify", ["receives"])
    assert (systems["erp"]["routes_to"], systems["printer"]["connector"]) == (["webshop-orders"], "label_printer")
    presets = {each["preset"]: each for each in listed["presets"]}
    assert presets["vendure"]["proved"] == "real" and "order" in presets["vendure"]["takes_in"]


def test_a_list_for_people_names_them_too(made: Path, tmp_path: Path) -> None:
    told = o2c(made, "systems").stdout
    assert "tryton" in told and "label_printer" in told and "config/systems.yaml:" in told
    one = o2c(made, "systems", "label_printer").stdout
    assert "port" in one and "9100" in one and "from: project" in one
    wrong = o2c(tmp_path, "systems", "shopyfi")  # outside of a project
    assert (wrong.returncode, "did you mean 'shopify'?" in wrong.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []
