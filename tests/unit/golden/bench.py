"""A small project on the bench: an order goes to an ERP over HTTP, to a folder after it, and to a CRM."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from hub.cases import read_cases
from hub.golden import Bench, Result, jobs_of, run
from hub.project import reference_files

HUB = b"""
time_zone: UTC
company: {party_id: self, name: Example GmbH}
"""
SYSTEMS = b"""
shop:
  connector: webhook
  format: json
  verify: {header: x-sig, secrets: [secret://env/SHOP]}
  event: header:x-event
  ignore: [ping]
drop: {connector: file, root: in, format: csv, fetch: {folder: inbox}}
erp:
  connector: http
  base_url: https://erp.example/api
  path: /orders/{stock}
  auth: {type: bearer, token: secret://env/ERP}
  idempotency: {mode: lookup, request: "GET /orders?ref={key}", settle: 60s}
  permanent: "status == 500 and body.final"
files: {connector: file, root: out, send: {folder: done, name: "{stock}.json"}}
crm: {connector: http, base_url: secret://env/CRM_URL, idempotency: {mode: native}}
"""
ORDER_IN = b"""
mapping: order-in
version: 1
source: {format: json}
target: {schema: canonical/stock_level}
output:
  report_id: text(src.id)
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    each: src.lines
    as: l
    item:
      item: {name: l.name}
      available_quantity: {value: text(l.qty), unit_code: "xref('shop', 'unit', l.unit) if l.unit else 'C62'"}
      location_id: {const: main}
"""
ROWS_IN = ORDER_IN.replace(b"order-in", b"rows-in").replace(b"format: json", b"format: csv, group_by: [id]").replace(
    b"src.lines", b"src.rows"
)  # fmt: skip
ORDER_OUT = b"""
mapping: order-out
version: 1
source: {schema: canonical/stock_level}
target: {format: json}
output:
  ref: src.report_id
  lines: count(src.stock_lines)
  total: sum(dec(l.available_quantity.value) for l in src.stock_lines)
"""
ROWS_OUT = b"""
mapping: rows-out
version: 1
source: {schema: canonical/stock_level}
target: {format: csv}
output: {ref: src.report_id, lines: count(src.stock_lines)}
"""
ANSWER = b"""
mapping: answer
version: 1
source: {format: json}
target: {schema: canonical/stock_level}
output:
  report_id: text(src.number)
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines: [{item: {name: {const: a}}, available_quantity: {value: {const: '1'}, unit_code: {const: C62}},
                 location_id: {const: main}}]
"""
ROUTES = b"""
- route: orders
  from: {system: shop, event: order}
  map: order-in
  key: src.report_id
  to:
    - {system: erp, map: order-out, reply: {map: answer}}
    - {system: files, map: order-out, after: erp, when: count(src.stock_lines) > 1}
    - {system: crm, map: rows-out, on_error: skip}
  retry: {attempts: 3, first: 10s, factor: 2, cap: 60s, jitter: none}
- route: rows
  from: {system: drop}
  map: rows-in
  to: [{system: files, map: order-out}]
"""
FILES = {
    "config/hub.yaml": HUB, "config/systems.yaml": SYSTEMS, "routes/r.yaml": ROUTES,
    "mappings/order-in.yaml": ORDER_IN, "mappings/rows-in.yaml": ROWS_IN, "mappings/order-out.yaml": ORDER_OUT,
    "mappings/rows-out.yaml": ROWS_OUT, "mappings/answer.yaml": ANSWER,
}  # fmt: skip


@cache
def schemas() -> dict[str, bytes]:
    return {path: raw for path, raw in reference_files().items() if path.startswith("schemas/")}


def bench(files: Mapping[str, bytes] = FILES, **changed: bytes) -> Bench:
    """The project on the bench; ``order_out=b'…'`` changes a mapping, ``routes=…`` the routes."""
    own = {**files, **{_path(name): content for name, content in changed.items()}}
    return Bench.of({**schemas(), **own}, Path("nowhere"), None, None, own)


def _path(name: str) -> str:
    return {"routes": "routes/r.yaml"}.get(name, f"mappings/{name.replace('_', '-')}.yaml")


def results(found: Bench, file: str, text: str, *, properties: bool = False) -> list[Result]:
    """What becomes of the cases of a test file."""
    read = read_cases({**found.files, file: text.encode()}, file, found.read_file)
    assert [str(fault) for fault in read.faults] == []
    return list(run(found, jobs_of([read], "", properties), 1, 1))
