"""A running hub that sends only valid invoices: the others are never sent, and nothing that judges can harm it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_process import ROUTE, SYSTEMS, HubProcess, signed
from receiver import Receiver
from xml_documents import FAULTY, INVOICE

INVOICE_OUT = """
mapping: order-out
version: 1
source: {schema: canonical/stock_level}
target: {format: csv, header: false, columns: [xml], quote: "", delimiter: "|"}
output:
  xml: first(src.stock_lines).item.name
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    receiver = Receiver()  # of the usual project; here invoices go to a folder
    hub = HubProcess(tmp_path_factory.mktemp("hub"), receiver)
    shop = SYSTEMS.format(port=receiver.port, idempotency="{mode: native}").partition("erp:")[0]
    hub.write(
        "config/systems.yaml",
        shop + 'erp: {connector: file, root: ., send: {folder: out, name: "{delivery_id}.xml"}}\n',
    )
    hub.write("routes/orders.yaml", ROUTE.replace("map: order-out}", "map: order-out, profile: en16931}"))
    hub.write("mappings/order-out.yaml", INVOICE_OUT)
    (hub.root / "out").mkdir()
    hub.start()
    yield hub
    assert hub.stop() == 0
    receiver.close()


def post(hub: HubProcess, invoice: bytes, number: str) -> str:
    name = " ".join(invoice.decode().split())
    body = json.dumps({"id": number, "lines": [{"name": name, "qty": 1}]}).encode()
    status, answer, _ = hub.request("POST", "/in/shop", body, signed(body, number))
    assert status == 202, answer
    return str(json.loads(answer)["message_id"])


def ended(hub: HubProcess, message_id: str) -> str:
    sql = "SELECT state FROM deliveries WHERE message_id = ?"
    hub.wait_for(lambda: hub.rows(sql, message_id) in ([("delivered",)], [("dead",)]))
    return str(hub.rows(sql, message_id)[0][0])


def with_saxon() -> list[int]:
    """The processes of this session of tests that have Saxon loaded, and are alive."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if "saxonche" in (path / "maps").read_text():
                found.append(int(path.name))
        except OSError:
            continue
    return found


def family(pid: int) -> set[int]:
    """A process and all that come from it."""
    found = {pid}
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found |= {each for child in path.read_text().split() for each in family(int(child))}
        except OSError:
            continue
    return found


def judges(hub: HubProcess) -> set[int]:
    assert hub.process is not None
    return family(hub.process.pid) & set(with_saxon())


def test_only_what_is_valid_is_sent(started: HubProcess) -> None:
    good, bad = post(started, INVOICE, "good-1"), post(started, FAULTY["BR-CO-15"], "bad-1")
    assert (ended(started, good), ended(started, bad)) == ("delivered", "dead")
    [(failure,)] = started.rows("SELECT failure FROM deliveries WHERE message_id = ?", bad)
    told = json.loads(failure)
    assert (told["class"], told["code"], told["step"]) == ("schema", "BR-CO-15", "validate")
    assert "BR-CO-16: " in told["detail"]
    [sent] = (started.root / "out").iterdir()
    assert sent.read_bytes().split() == INVOICE.split()


def test_rules_run_in_one_process_that_is_neither_hub_nor_transformer(started: HubProcess) -> None:
    assert ended(started, post(started, INVOICE, "good-2")) == "delivered"
    for pid in judges(started):
        assert b"hub.profiles.saxon" in Path(f"/proc/{pid}/cmdline").read_bytes()
    assert judges(started)


def test_what_judges_may_be_killed(started: HubProcess) -> None:
    assert ended(started, post(started, INVOICE, "good-3")) == "delivered"
    killed = judges(started)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert ended(started, post(started, INVOICE, "good-4")) == "delivered"
    assert ended(started, post(started, FAULTY["BR-CO-10"], "bad-4")) == "dead"
    assert judges(started) and not judges(started) & killed


def test_nothing_is_left_when_the_hub_is_killed(started: HubProcess) -> None:
    assert ended(started, post(started, INVOICE, "good-5")) == "delivered"
    left = judges(started)
    assert left
    started.kill_all()
    started.wait_for(lambda: not left & set(with_saxon()))
    started.start()
    assert ended(started, post(started, INVOICE, "good-6")) == "delivered"
