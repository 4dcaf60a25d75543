"""Messages of partners by their grammars: named for mappings, checked, told in acknowledgements, and written."""

from __future__ import annotations

from pathlib import Path

import pytest
from acknowledging import ACKING
from trading import FILES, Trade, orders

from hub.message import CANONICAL
from hub.store import payloads
from tests.edi_project import ANSWER_OUT, ORDERS_IN

NAMED = {**FILES, "config/partners.yaml": ACKING, "mappings/orders-in.yaml": ORDERS_IN,
         "mappings/answer-out.yaml": ANSWER_OUT}  # fmt: skip


@pytest.fixture
def store_url() -> str:
    return "sqlite:///hub.db"


def test_a_message_is_named_answered_and_acknowledged(tmp_path: Path) -> None:
    trade = Trade(tmp_path, NAMED)
    trade.bring(orders("101", "A"))
    bodies = sorted(parcel.body.decode().partition("UNH+")[2] for parcel in trade.target("van").sent)
    assert [body.partition("+")[2] for body in bodies] == [
        "ORDRSP:D:96A:UN'BGM+231+R-A+29'DTM+137:20260305:102'UNS+S'UNT+5+1'UNZ+1+1'",
        "CONTRL:D:3:UN'UCI+101+5412345000013:14+4012345000009:14+7'UNT+3+2'UNZ+1+2'",
    ]
    trade.close()


AROUND = b"""
  interchange:
    sender: {id: {const: US}, qualifier: {const: "14"}}
    receiver: {id: {const: STORE}}
    control_number: src.report_id
    date: {const: "260305"}
    time: {const: "0930"}
"""


@pytest.mark.parametrize("around", [AROUND, AROUND.replace(b'    time: {const: "0930"}\n', b""), b""])
def test_a_system_that_is_no_partner_gets_an_interchange_or_a_reason_with_its_place(
    tmp_path: Path, around: bytes
) -> None:
    outward = ANSWER_OUT.replace(b"mapping: answer-out", b"mapping: answer-erp").replace(b"output:\n", b"output:" + (
        around or b"\n"))  # fmt: skip
    routes = FILES["routes/trade.yaml"].replace(b"{system: erp}", b"{system: erp, map: answer-erp}")
    trade = Trade(tmp_path, {**NAMED, "mappings/answer-erp.yaml": outward, "routes/trade.yaml": routes})
    trade.bring(orders("101", "77"))
    bodies = [parcel.body for parcel in trade.target("erp").sent]
    failures = trade.rows("SELECT failure ->> 'field_path', failure ->> 'detail' FROM deliveries WHERE state = 'dead'")
    if around == AROUND:
        assert failures == []
        assert bodies == [
            b"UNB+UNOC:3+US:14+STORE+260305:0930+77'UNH+1+ORDRSP:D:96A:UN'BGM+231+R-77+29'DTM+137:20260305:102'UNS+S'"
            b"UNT+5+1'UNZ+1+77'"
        ]
    else:
        missing = "interchange.time is" if around else (
            "interchange.sender.id, interchange.receiver.id, interchange.control_number, interchange.date and "
            "interchange.time are"
        )  # fmt: skip
        first = missing.replace(",", " ").partition(" ")[0]
        assert failures == [(first, f"an interchange cannot be written: {missing} missing")]
        assert bodies == []
    trade.close()


def test_what_the_grammar_finds_is_a_dead_letter_and_is_told_to_the_partner(tmp_path: Path) -> None:
    trade = Trade(tmp_path, NAMED)
    good = orders("101", "A", "B")
    trade.bring(good.replace(b"+B+9'DTM+137:20260305", b"+B+9'DTM+137:20269905"))
    assert [state for _, state, _ in trade.messages()] == ["routed", "dead", "routed"]
    [(place, code, _)] = trade.failures()
    assert place == "interchange 101, message 2"
    assert code.startswith("0085_")
    [contrl] = [parcel.body.decode() for parcel in trade.target("van").sent if b"CONTRL" in parcel.body]
    assert "UCM+2+ORDERS:D:96A:UN+4'UCS+3'UCD+" in contrl
    trade.close()


def test_a_time_without_a_zone_is_in_that_of_the_partner_both_ways(tmp_path: Path) -> None:
    local = b"edifact_instant('202603051030', '203', envelope.time_zone)"
    came = ORDERS_IN.replace(b"\"'2026-03-05T10:00:00Z'\"", local)
    goes = ANSWER_OUT.replace(
        b'value: {const: "20260305"}, format: {const: "102"}',
        b'value: "to_edifact(src.as_of, \'203\', envelope.time_zone)", format: {const: "203"}',
    )
    trade = Trade(tmp_path, {**NAMED, "mappings/orders-in.yaml": came, "mappings/answer-out.yaml": goes})
    trade.bring(orders("101", "A"))
    [(message,)] = trade.rows("SELECT message_id FROM messages WHERE route = 'acme-orders'")
    document = payloads.read(trade.store.reader(), message, CANONICAL)
    assert document is not None and b'"as_of":"2026-03-05T09:30:00Z"' in document
    assert any(b"DTM+137:202603051030:203'" in parcel.body for parcel in trade.target("van").sent)
    trade.close()
