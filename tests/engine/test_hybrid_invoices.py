"""An invoice goes out as a PDF with its XML in it; the PDF came with the invoice, or was stored before."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pdfs import pdf
from world import World

from hub.formats import cii
from hub.project import reference_files

INVOICE = json.loads((Path(__file__).parents[1] / "golden/canonical/invoice.json").read_text())
IN = b"""
mapping: order-in
version: 1
source: {format: json}
target: {schema: canonical/invoice}
output: src
"""
SHIPPED = reference_files()
OUT = (
    SHIPPED["mappings/cii/invoice-to-cii.yaml"]
    .replace(b"mapping: invoice-to-cii", b"mapping: order-out")
    .replace(b"indent: 2}", b"hybrid: facturx-en16931}")
)
ROUTE = b"""
route: orders
from: {system: shop, event: order}
map: order-in
to: [{system: erp, map: order-out}]
"""


@pytest.fixture
def files(files: dict[str, bytes]) -> dict[str, bytes]:
    return files | {path: raw for path, raw in SHIPPED.items() if path.startswith("mappings/tables/")}


def invoice(visible: bytes, where: str) -> dict[str, Any]:
    told = {"id": "v", "mime_code": "application/pdf", "storage_ref": where, "sha256": sha256(visible).hexdigest()}
    return {**INVOICE, "attachments": [told]}


def held(visible: bytes) -> str:
    return f"data:application/pdf;base64,{b64encode(visible).decode()}"


def test_the_pdf_that_came_before_or_with_the_invoice_goes_out_with_it(make_world: Callable[..., World]) -> None:
    world, visible, plain = make_world(routes=ROUTE, order_in=IN, order_out=OUT), pdf(), pdf(part="")
    [stored] = world.send(visible, event="ping")
    world.send(invoice(visible, f"store:{stored.receipt_id}"), invoice(visible, held(visible)))
    one, other = world.target("erp").sent
    assert one.body == other.body and one.content_type == "application/pdf"
    assert cii.decode_one(one.body, {})["ExchangedDocument"]["ID"] == {"value": INVOICE["invoice_id"]}

    world.send({**INVOICE, "attachments": []}, invoice(visible, "store:7"), invoice(plain, held(plain)))
    assert [state for _, state in world.states()] == ["delivered"] * 2 + ["dead"] * 3
    assert len(world.target("erp").sent) == 2
    failures = world.rows("SELECT failure FROM deliveries WHERE state = 'dead' ORDER BY lane_seq")
    found = [json.loads(row) if isinstance(row, str) else row for (row,) in failures]
    assert [(each["code"], each["field_path"]) for each in found] == [
        ("attachment", "attachments"), ("attachment", "attachments[0].storage_ref"), ("encode", "pdf"),
    ]  # fmt: skip
