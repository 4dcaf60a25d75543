"""``validate: sync``: the sender is told what is wrong, and no document harms the hub that looks at it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_process import ROUTE, HubProcess, order, signed
from poison import make_poisonable
from receiver import Receiver


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    receiver = Receiver()
    hub = HubProcess(tmp_path_factory.mktemp("hub"), receiver)
    hub.write("routes/orders.yaml", ROUTE + "validate: sync\n")
    make_poisonable(hub)
    hub.start()
    yield hub
    assert hub.stop() == 0
    receiver.close()


def post(hub: HubProcess, body: bytes, number: str) -> tuple[int, dict[str, Any]]:
    status, answer, _ = hub.request("POST", "/in/shop", body, signed(body, number))
    return status, json.loads(answer)


def delivered(hub: HubProcess, receipt_id: str) -> Callable[[], bool]:
    sql = "SELECT state FROM deliveries WHERE message_id = ?"
    return lambda: hub.rows(sql, receipt_id) == [("delivered",)]


def test_a_valid_document_is_taken_in_and_delivered(started: HubProcess) -> None:
    status, answer = post(started, order("v-1"), "v-1")
    assert status == 202
    started.wait_for(delivered(started, answer["message_id"]))


@pytest.mark.parametrize(
    ("body", "code", "pointer", "detail"),
    [
        (b'{"id": "i-1", "lines": []}', "schema", "/stock_lines", "stock_lines"),
        (b'{"id": "i-2", "lines": [{"name": "hose"}]}', "mapping", "/stock_lines/0/available_quantity/value", "qty"),
        (b'{"id": "i-3", ', "truncated", "", "ends too early"),
    ],
)
def test_an_invalid_one_is_answered_with_its_fault_and_not_kept(
    started: HubProcess, body: bytes, code: str, pointer: str, detail: str
) -> None:
    before = started.rows("SELECT count(*) FROM receipts")
    status, problem = post(started, body, f"invalid-{code}")
    assert (status, problem["code"]) == (422, code)
    assert detail in problem["detail"]
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert started.rows("SELECT count(*) FROM receipts") == before


def test_one_that_kills_its_process_is_taken_in_and_quarantined_and_the_hub_goes_on(started: HubProcess) -> None:
    [child] = started.children()
    status, answer = post(started, order("poison-1"), "poison-1")
    assert status == 202
    started.wait_for(lambda: dead(started, answer["message_id"]) == "quarantine")
    status, answer = post(started, order("v-2"), "v-2")
    assert status == 202
    started.wait_for(delivered(started, answer["message_id"]))
    assert started.children() == [child]
    assert Path(f"/proc/{child}").exists()


def dead(hub: HubProcess, receipt_id: str) -> str:
    [(failure,)] = hub.rows("SELECT failure FROM receipts WHERE receipt_id = ?", receipt_id)
    return str(json.loads(failure)["class"]) if failure else ""
