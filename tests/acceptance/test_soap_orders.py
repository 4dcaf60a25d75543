"""Orders in by SOAP and out by SOAP through a running hub: the caller is zeep, the service called is spyne's."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import zeep
from hub_process import HubProcess
from lxml import etree
from receiver import Receiver
from soap_services import ORDER_IN, Spyne, spyne_service, wsdl_files
from zeep.wsa import WsAddressingPlugin
from zeep.wsse.username import UsernameToken

PASSWORD = "a-password-of-the-shop"
SYSTEMS = """
shop:
  connector: soap
  wsdl: schemas/orders.wsdl
  verify: {{user: shop, secrets: [secret://env/SHOP_PASSWORD]}}
  replies:
    CreateOrder: {{number: "{{message_id}}", received: "{{received_at}}"}}
erp:
  connector: soap
  wsdl: schemas/erp.wsdl
  operation: CreateOrder
  soap_headers: {{Session: {{token: secret://env/ERP_TOKEN}}}}
  addressing: true
  security: {{type: username-token, user: hub, password: secret://env/ERP_TOKEN}}
  idempotency: {{mode: native}}
  reference: body.CreateOrderResult.number
  timeouts: {{connect: 2s, read: 2s}}
ledger: {{connector: soap, wsdl: schemas/erp.wsdl, operation: CreateOrder}}
"""
ORDER_OUT = """
mapping: soap-out
version: 1
source: {schema: canonical/stock_level}
target: {format: json}
output:
  order:
    number: src.report_id
    lines:
      Line:
        each: src.stock_lines
        as: l
        item: {item: l.item.name, quantity: dec(l.available_quantity.value), price: "'9.90'"}
"""
ROUTE = """
route: orders
from: {system: shop, event: CreateOrder}
map: soap-in
to:
  - {system: erp, map: soap-out, when: "first(src.stock_lines).item.name != 'locked'"}
  - {system: ledger, map: soap-out, when: "first(src.stock_lines).item.name == 'locked'"}
retry: {attempts: 3, first: 100ms, factor: 1.5, cap: 1s}
"""


@pytest.fixture(scope="module")
def erp() -> Iterator[Spyne]:
    with spyne_service() as service:
        yield service


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, erp: Spyne) -> Iterator[HubProcess]:
    receiver = Receiver()
    hub = HubProcess(tmp_path_factory.mktemp("hub"), receiver)
    hub.environment |= {"SHOP_PASSWORD": PASSWORD, "ERP_TOKEN": "t-1"}
    hub.write("config/systems.yaml", SYSTEMS.format())
    hub.write("routes/orders.yaml", ROUTE)
    for name in ("order-in", "order-out"):
        (hub.root / f"mappings/{name}.yaml").unlink()
    hub.write("mappings/soap-in.yaml", ORDER_IN)
    hub.write("mappings/soap-out.yaml", ORDER_OUT)
    for path, content in {**wsdl_files(), "schemas/erp.wsdl": erp.wsdl}.items():
        hub.write(path, content.decode())
    hub.start()
    yield hub
    assert hub.stop() == 0
    receiver.close()


@pytest.fixture(scope="module")
def caller(hub: HubProcess) -> zeep.Client:
    token = UsernameToken("shop", PASSWORD, use_digest=True)
    return zeep.Client(f"http://127.0.0.1:{hub.port}/soap/shop?wsdl", wsse=token)


def order(number: str, item: str = "hose") -> dict[str, Any]:
    money = {"_value_1": Decimal("9.90"), "currency": "EUR"}
    return {"number": number, "date": "2026-03-05", "total": money,
            "line": [{"item": item, "quantity": 2, "price": money}]}  # fmt: skip


def last_try(hub: HubProcess, receipt_id: str) -> tuple[Any, ...]:
    """(target, state, code and detail of the last try) of the one delivery that a call led to, when it has ended."""
    of_it = "deliveries d JOIN messages m USING (message_id) JOIN receipts r ON r.seq = m.seq WHERE r.receipt_id = ?"
    hub.wait_for(lambda: bool(hub.rows(f"SELECT 1 FROM {of_it} AND d.state IN ('delivered', 'dead')", receipt_id)), 30)
    return hub.rows(
        f"SELECT d.target, d.state, a.code, a.detail FROM attempts a JOIN {of_it} AND a.delivery_id = d.delivery_id"
        " ORDER BY a.started_at DESC LIMIT 1",
        receipt_id,
    )[0]


def test_an_order_goes_in_by_soap_and_out_by_soap(hub: HubProcess, erp: Spyne, caller: zeep.Client) -> None:
    answer = caller.service.CreateOrder(**order("A-1"))
    [(receipt, door, kind)] = hub.rows("SELECT receipt_id, door, content_type FROM receipts")
    assert (answer.number, door, kind) == (receipt, "soap", "text/xml")
    target, state, _, _ = last_try(hub, receipt)
    assert (target, state) == ("erp", "delivered")
    [taken] = [each for each in erp.state["orders"].values() if each["number"] == "A-1"]
    assert taken == {"number": "A-1", "total": "19.80", "times": 1}
    [call] = [each for each in erp.state["calls"] if each["number"] == "A-1"]
    assert call["token"] == "t-1"


def test_a_caller_reads_the_fault_and_where_it_is_wrong(hub: HubProcess, caller: zeep.Client) -> None:
    with pytest.raises(zeep.exceptions.Fault) as error:
        caller.service.CreateOrder(**order("not an order number"))
    assert "not valid by the WSDL" in error.value.message
    found = {etree.QName(each).localname: each.text for each in error.value.detail[0]}
    assert (found["code"], found["path"].rpartition(":")[2]) == ("not_valid", "number")


def test_a_caller_who_is_not_known_is_told_so(hub: HubProcess) -> None:
    before = hub.rows("SELECT count(*) FROM receipts")
    stranger = zeep.Client(f"http://127.0.0.1:{hub.port}/soap/shop?wsdl", wsse=UsernameToken("shop", "guess"))
    with pytest.raises(zeep.exceptions.Fault, match="user or password is wrong"):
        stranger.service.CreateOrder(**order("A-9"))
    assert hub.rows("SELECT count(*) FROM receipts") == before
    assert "guess" not in hub.log
    assert PASSWORD not in hub.log


def test_what_the_service_refuses_is_a_dead_letter_with_its_words(hub: HubProcess, caller: zeep.Client) -> None:
    answer = caller.service.CreateOrder(**order("B-1", "unknown"))
    _, state, code, detail = last_try(hub, answer.number)
    assert (state, code) == ("dead", "fault_client")
    assert detail == "the system answered with the fault Client.UnknownItem: there is no item 'unknown'"


def test_what_leaves_doubt_is_sent_again_under_the_same_key(hub: HubProcess, erp: Spyne, caller: zeep.Client) -> None:
    answer = caller.service.CreateOrder(**order("C-1", "trouble"))
    _, state, code, _ = last_try(hub, answer.number)
    assert (state, code) == ("dead", "fault_server")
    keys = [each["key"] for each in erp.state["calls"] if each["number"] == "C-1"]
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_a_service_that_does_not_let_us_in_is_stopped_and_the_order_waits(hub: HubProcess, caller: zeep.Client) -> None:
    caller.service.CreateOrder(**order("D-1", "locked"))
    hub.wait_for(lambda: bool(hub.rows("SELECT 1 FROM switches WHERE name = 'ledger' AND state = 'stopped'")))
    [(state, attempts)] = hub.rows("SELECT state, attempts FROM deliveries WHERE target = 'ledger'")
    assert (state, attempts) == ("retrying", 0)


def test_a_call_that_comes_again_is_answered_the_same_and_goes_on_once(hub: HubProcess, erp: Spyne) -> None:
    token = UsernameToken("shop", PASSWORD, use_digest=True)
    caller = zeep.Client(f"http://127.0.0.1:{hub.port}/soap/shop?wsdl", wsse=token, plugins=[WsAddressingPlugin()])
    body = etree.tostring(caller.create_message(caller.service, "CreateOrder", **order("E-1")))
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    assert b"MessageID" in body
    answers = [hub.request("POST", "/soap/shop", body, headers) for _ in range(3)]
    assert [status for status, _, _ in answers] == [200, 200, 200]
    assert len({answer for _, answer, _ in answers}) == 1
    last_try(hub, etree.fromstring(answers[0][1]).findtext(".//{urn:example:orders}number"))
    assert [each["times"] for each in erp.state["orders"].values() if each["number"] == "E-1"] == [1]


def test_what_was_answered_is_not_lost_when_the_hub_dies(hub: HubProcess, erp: Spyne, caller: zeep.Client) -> None:
    taken = [caller.service.CreateOrder(**order(f"F-{number}")).number for number in range(10)]
    hub.kill_all()
    hub.start()
    assert {last_try(hub, receipt)[1] for receipt in taken} == {"delivered"}
    times = {each["number"]: each["times"] for each in erp.state["orders"].values() if each["number"][0] == "F"}
    assert set(times) == {f"F-{number}" for number in range(10)}
