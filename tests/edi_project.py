"""A partner in EDIFACT, and mappings by a grammar: what tests of the engine and of the bench share."""

from __future__ import annotations

ACME = b"""
acme:
  system: van
  syntax: edifact
  us: {id: "4012345000009", qualifier: "14"}
  them: {id: "5412345000013", qualifier: "14"}
  directory: D96A
"""
VAN = b"""
van:
  connector: http
  base_url: http://127.0.0.1:1/
  idempotency: {mode: native}
  verify: {method: none, unsigned: true}
"""
ORDERS_IN = b"""
mapping: orders-in
version: 1
source: {format: edifact, schema: edifact/D96A/ORDERS}
target: {schema: canonical/stock_level}
output:
  report_id: src.BGM.document.number
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item: {name: src.message.type}
      available_quantity: {value: {const: "1"}, unit_code: {const: C62}}
      location_id: {const: main}
"""
ANSWER_OUT = b"""
mapping: answer-out
version: 1
source: {schema: canonical/stock_level}
target: {format: edifact, schema: edifact/D96A/ORDRSP}
output:
  BGM:
    document: {code: {const: "231"}, number: "'R-' + src.report_id"}
    function: {const: "29"}
  DTM:
    - {qualifier: {const: "137"}, value: {const: "20260305"}, format: {const: "102"}}
  UNS: {section: {const: S}}
"""
