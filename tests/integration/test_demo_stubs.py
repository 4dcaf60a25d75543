"""The stub systems of the demo: they count effects, not requests, so that a double sale would show."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from hub.demo.orders import DELISTED
from hub.demo.systems import Erp


@pytest.fixture
def erp() -> Iterator[Erp]:
    made = Erp()
    yield made
    made.stub.close()


def post(erp: Erp, key: str, number: str, *items: str) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", erp.stub.port, timeout=5)
    lines = [{"item_number": item} for item in items]
    body = json.dumps({"external_reference": number, "lines": lines})
    try:
        connection.request("POST", "/sales-orders", body, {"Idempotency-Key": key})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_repeat_with_the_same_key_gets_the_first_answer_and_no_second_effect(erp: Erp) -> None:
    assert post(erp, "k1", "D1") == post(erp, "k1", "D1")
    assert (erp.stub.ledger.effects, erp.stub.ledger.repeats, erp.stub.ledger.doubles) == ({"D1": 1}, 1, 0)


def test_the_same_order_under_another_key_is_counted_as_a_double_sale(erp: Erp) -> None:
    post(erp, "k1", "D1")
    post(erp, "k2", "D1")
    assert erp.stub.ledger.doubles == 1


def test_a_refusal_is_not_remembered_so_that_it_can_be_sent_again(erp: Erp) -> None:
    assert post(erp, "k1", "D1", DELISTED)[0] == 422
    erp.learn_item(DELISTED)
    assert post(erp, "k1", "D1", DELISTED)[0] == 201
    assert (erp.stub.ledger.refusals, erp.stub.ledger.effects) == (1, {"D1": 1})


def test_a_cut_line_leaves_the_effect_behind(erp: Erp) -> None:
    erp.stub.drop_next_answer()
    with pytest.raises(http.client.HTTPException):
        post(erp, "k1", "D1")
    assert erp.stub.ledger.effects == {"D1": 1}
    assert post(erp, "k1", "D1")[0] == 201
    assert erp.stub.ledger.doubles == 0


def test_while_it_is_away_its_port_refuses_and_then_serves_again(erp: Erp) -> None:
    port = erp.stub.port
    erp.stub.close()
    with pytest.raises(ConnectionError):
        post(erp, "k1", "D1")
    erp.stub.open()
    assert erp.stub.port == port
    assert post(erp, "k1", "D1")[0] == 201


def test_it_can_be_asked_what_it_has(erp: Erp) -> None:
    post(erp, "k1", "D1")
    connection = http.client.HTTPConnection("127.0.0.1", erp.stub.port, timeout=5)
    connection.request("GET", "/")
    assert json.loads(connection.getresponse().read()) == {"system": "erp", "documents": 1, "doubles": 0}
    connection.close()
