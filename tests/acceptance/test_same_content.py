"""A file with the content of an earlier one: left out, taken in again, or a dead letter, as its source says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_process import HubProcess
from program import o2c
from receiver import Receiver
from test_files import ORDER_IN, drop, filed
from test_replay_crash import add_key

SOURCE = """
{name}:
  connector: file
  format: csv
  root: {root}/{name}
  fetch: {{folder: in, pattern: "*.csv", every: 1s, ready: rename, archive_by: outcome{policy}}}
"""
ERP = """
erp: {{connector: http, base_url: "http://127.0.0.1:{port}", path: /orders, idempotency: {{mode: native}}}}
"""
ROUTE = """
- {{route: {name}, from: {{system: {name}}}, map: order-in, order: none, to: [{{system: erp, map: order-out}}]}}
"""
POLICIES = {"skipping": "", "processing": ", same_content: process", "alerting": ", same_content: alert"}
HEAD = b"id,name,qty\n"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HubProcess, Receiver, Path]]:
    receiver = Receiver()
    hub = HubProcess(tmp_path_factory.mktemp("hub"), receiver)
    files = hub.root / "files"
    for name in POLICIES:
        (files / name / "in").mkdir(parents=True)
    sources = [SOURCE.format(name=name, root=files, policy=policy) for name, policy in POLICIES.items()]
    hub.write("config/systems.yaml", "".join([*sources, ERP.format(port=receiver.port)]))
    hub.write("routes/orders.yaml", "".join(ROUTE.format(name=name) for name in POLICIES))
    hub.write("mappings/order-in.yaml", ORDER_IN)
    hub.environment |= {"O2C_URL": f"http://127.0.0.1:{hub.port}", "O2C_API_KEY": add_key(hub)}
    hub.start()
    yield hub, receiver, files
    assert hub.stop() == 0
    receiver.close()


def twice(hub: HubProcess, folder: Path, reference: str) -> None:
    """The same content under two names, the second once the first has ended."""
    content = HEAD + f"{reference},hose,1\n".encode()
    drop(folder, "first.csv", content)
    hub.wait_for(filed(folder, "archive", "first.csv"), 30)
    time.sleep(0.01)
    drop(folder, "second.csv", content)


def test_by_default_it_is_left_out_and_filed_away(started: tuple[HubProcess, Receiver, Path]) -> None:
    hub, receiver, files = started
    twice(hub, files / "skipping", "s-1")
    hub.wait_for(filed(files / "skipping", "archive", "second.csv"), 30)
    assert hub.rows("SELECT name, state FROM receipts WHERE source = 'skipping'") == [("first.csv", "split")]
    assert receiver.effects["s-1"] == 1
    drop(files / "skipping", "third.csv", HEAD + b"s-2,valve,1\n")
    hub.wait_for(lambda: receiver.effects["s-2"] == 1, 30)


def test_where_equal_files_are_both_meant_both_are_taken_in(started: tuple[HubProcess, Receiver, Path]) -> None:
    hub, receiver, files = started
    twice(hub, files / "processing", "p-1")
    hub.wait_for(lambda: receiver.effects["p-1"] == 2, 30)
    receipts = hub.rows("SELECT name, state FROM receipts WHERE source = 'processing' ORDER BY seq")
    assert receipts == [("first.csv", "split"), ("second.csv", "split")]


def test_where_a_person_decides_it_is_a_dead_letter_that_a_replay_takes_in(
    started: tuple[HubProcess, Receiver, Path],
) -> None:
    hub, receiver, files = started
    twice(hub, files / "alerting", "a-1")
    hub.wait_for(filed(files / "alerting", "error", "second.csv"), 30)
    [(receipt_id, failure)] = hub.rows("SELECT receipt_id, failure FROM receipts WHERE state = 'dead'")
    told = json.loads(failure)
    assert (told["class"], told["code"]) == ("duplicate", "same_content")
    assert "'first.csv'" in told["detail"]
    assert receiver.effects["a-1"] == 1
    access = {name: hub.environment[name] for name in ("O2C_URL", "O2C_API_KEY")}
    assert o2c(hub.root, "replay", receipt_id, "--yes", **access).returncode == 0
    hub.wait_for(lambda: receiver.effects["a-1"] == 2, 30)
    assert o2c(hub.root, "doctor", "--conservation", **access).returncode == 0
