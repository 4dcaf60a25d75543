"""Cases of routes that take from a trading partner and send to one."""

from __future__ import annotations

import pytest

from hub.golden import Bench
from tests.edi_project import ACME, ANSWER_OUT, ORDERS_IN, VAN
from tests.unit.golden.bench import FILES, bench, results

PARTNERS = ACME + b"  ack: {contrl: always}\n"
PLAIN_OUT = b"""
mapping: answer-out
version: 1
source: {schema: canonical/stock_level}
output:
  type: {const: ORDRSP}
  segments: [[{const: BGM}, {const: "231"}, "'R-' + src.report_id", {const: "29"}]]
"""
ROUTE = b"""
- route: acme-orders
  from: {partner: acme, event: ORDERS}
  map: orders-in
  to: [{partner: acme, map: answer-out}, {system: erp}]
"""
ORDERS = """|
      UNB+UNOC:3+5412345000013:14+4012345000009:14+260305:0930+101'
      UNH+1+ORDERS:D:96A:UN'
      BGM+220+A+9'
      DTM+137:20260305:102'
      UNS+S'
      UNT+5+1'
      UNZ+1+101'
"""


def project(answer_out: bytes) -> Bench:
    files = {**FILES, "config/systems.yaml": FILES["config/systems.yaml"] + VAN, "config/partners.yaml": PARTNERS}
    return bench(files=files, orders_in=ORDERS_IN, answer_out=answer_out, routes=ROUTE)


def told(found: Bench, answer: str) -> list[str]:
    text = f"""cases:
- name: x
  route: acme-orders
  receives:
    body_text: {ORDERS}
  expected:
    messages:
    - key: "stock::main"
      deliveries:
      - to: acme
        {answer}
      - {{to: erp}}
    - deliveries:
      - {{to: acknowledgement}}
"""
    [result] = results(found, "routes/r.test.yaml", text)
    return [f"{each.path}: {each.seen}" for each in result.differences] or [result.problem] * bool(result.problem)


@pytest.mark.parametrize("answer_out", [ANSWER_OUT, PLAIN_OUT])
def test_what_a_partner_would_be_sent_is_compared_as_a_document_and_as_bytes(answer_out: bytes) -> None:
    found = project(answer_out)
    number = "{BGM: {document: {number: R-B}}}" if answer_out == ANSWER_OUT else "{segments: []}"
    assert told(found, "system: van") == []
    assert told(found, f"body: {number}") != []
    raw = "UNB+UNOC:3+4012345000009:14+5412345000013:14+260305:0930+1'UNH+1+ORDRSP:D:96A:UN'BGM+231+R-B+29'"
    assert any("R-A" in each for each in told(found, f"body_text: \"{raw}UNT+3+1'UNZ+1+1'\""))
