"""IDocs of a system of SAP that others wrote: its own are read, ours are taken.

It goes its own way in places: its items have VGBEL and VGPOS, its deliveries are DELVRY07, its sums 010 and 011 are the
gross and the net value, where SAP's are the net and the billed one. Overlays tell the first two; its invoices are read,
not mapped.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from mocksap.server import Config, make_server

from hub.check import CheckResult, check_project
from hub.formats import Record
from hub.mapping import Context
from hub.pipeline.validate import validate
from hub.project import reference_files
from hub.schemas import SchemaSet

OVERLAYS = {
    "schemas/idoc/mock/INVOIC02.yaml": b"title: Its invoices\nextends: idoc/INVOIC02\nextra: report\n",
    "schemas/idoc/mock/DELVRY07.yaml": b"title: Its own\nextends: idoc/DELVRY03\ntype: DELVRY07\nextra: report\n",
}
USED = {f"mappings/idoc/{name}.yaml" for name in ("idoc-order", "idoc-despatch-advice", "order-to-idoc")}
COMPANY = {"party_id": "1710", "name": "Company 1710", "postal_address": {"country_code": "US"}}
ENVELOPE = {"id": "m-1", "source": "sap", "event": "", "received_at": "2026-03-05T09:00:00Z", "time_zone": "UTC"}
CONTEXT = Context(COMPANY, ENVELOPE, lambda system, kind, id: None)


@cache
def project() -> CheckResult:
    """The hub's own mappings that are used here, with what is said of its IDocs."""
    return check_project({**reference_files(), **OVERLAYS}, own=USED | OVERLAYS.keys()).require_sound()


def schemas() -> SchemaSet:
    found = project().schemas
    assert found is not None
    return found


@pytest.fixture(scope="module")
def sap() -> Iterator[str]:
    """Its address, with the data that it is delivered with."""
    server = make_server(Config(port=0, csrf=False, seed=True))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def ask(address: str, path: str, body: bytes | None = None, kind: str = "application/json") -> bytes:
    headers = {"Content-Type": kind, "Accept": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(address + path, body, headers), timeout=30) as answer:
        content: bytes = answer.read()
    return content


def generated(address: str, message: str) -> bytes:
    """An IDoc of the first of its orders that has something open for it."""
    path = "/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder?$top=50&$format=json"
    for order in json.loads(ask(address, path))["d"]["results"]:
        body = json.dumps({"mestyp": message, "SalesOrder": order["SalesOrder"]}).encode()
        try:
            return ask(address, "/sap/bc/idoc/generate?format=xml", body)
        except urllib.error.HTTPError as error:
            assert error.code == 400
    pytest.fail("every order is delivered")


def decoded(schema: str, raw: bytes) -> Record:
    [record] = schemas().codec("idoc", schema).decode([raw], {})
    assert isinstance(record, Record), record.error
    return record


def mapped(name: str, document: Any) -> Any:
    mapping = project().mappings[name]
    made = mapping.apply(document, CONTEXT)
    if (schema := mapping.target.schema or "").startswith("canonical/"):
        validate(schemas(), schema, made)
    return made


def test_its_order_is_read_and_is_a_valid_order(sap: str) -> None:
    record = decoded("idoc/ORDERS05", generated(sap, "ORDERS"))
    assert record.faults == []
    order = mapped("idoc-order", record.value)
    assert order["order_id"] == record.value["E1EDK01"]["BELNR"] and order["order_lines"]
    assert [line["item"]["sellers_item_id"] for line in order["order_lines"]] == [
        item["E1EDP19"][0]["IDTNR"] for item in record.value["E1EDP01"]
    ]


def test_its_invoice_is_read_with_what_it_has_beside(sap: str) -> None:
    record = decoded("idoc/mock/INVOIC02", generated(sap, "INVOIC"))
    assert {fault.message for fault in record.faults} == {
        "E1EDP01 has no field VGBEL in idoc/mock/INVOIC02", "E1EDP01 has no field VGPOS in idoc/mock/INVOIC02",
    }  # fmt: skip
    sums = {one["SUMID"]: one["SUMME"] for one in record.value["E1EDS01"]}
    assert sums["010"] == sums["011"] + sums["205"] and type(sums["010"]) is Decimal
    assert sum(item["NETWR"] for item in record.value["E1EDP01"]) == sums["011"]


def test_its_delivery_is_read_and_is_a_valid_despatch_advice(sap: str) -> None:
    record = decoded("idoc/mock/DELVRY07", generated(sap, "DELVRY"))
    assert record.faults and all(fault.severity == "warning" for fault in record.faults)
    advice = mapped("idoc-despatch-advice", record.value)
    assert advice["despatch_advice_id"] == record.value["E1EDL20"][0]["VBELN"]
    items = record.value["E1EDL20"][0]["E1EDL24"]
    assert [(line["order_id"], line["order_line_id"]) for line in advice["despatch_lines"]] == [
        (item["VGBEL"], item["VGPOS"]) for item in items
    ]


@pytest.mark.parametrize(("layout", "kind"), [("xml", "application/xml"), ("flat", "text/plain")])
def test_what_we_write_is_taken_and_filed(sap: str, layout: str, kind: str) -> None:
    order = mapped("idoc-order", decoded("idoc/ORDERS05", generated(sap, "ORDERS")).value)
    document = mapped("order-to-idoc", order)
    raw = schemas().codec("idoc", "idoc/ORDERS05").encode_one(document, {"layout": layout})
    receipt = json.loads(ask(sap, "/sap/bc/idoc", raw, kind))
    told = {name.lower(): value for name, value in receipt.items()}
    assert told["status"] == "53", receipt
    kept = json.loads(ask(sap, f"/sap/bc/idoc/{told['docnum']}"))
    assert "ORDERS05" in json.dumps(kept) and "53" in json.dumps(kept)
