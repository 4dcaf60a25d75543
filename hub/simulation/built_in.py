"""Small routes of the simulation's own: every way a route can be made, so that the hub itself is tried.

Three targets, one for each thing a system may offer against double effects: ``erp`` takes idempotency keys, ``wms``
can be asked, ``crm`` offers nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from hub.project import reference_files
from hub.simulation.scenario import Feed, Scenario, make_scenario

_HUB = "time_zone: UTC\ncompany: {party_id: self, name: Example GmbH}\n"
_SYSTEMS = """
shop: {connector: webhook, format: json, verify: {method: none, unsigned: true}, event: header:x-event}
partner: {connector: file, format: csv, root: data/files, fetch: {folder: in}}
erp: {connector: http, base_url: "http://127.0.0.1:1/", idempotency: {mode: native}, limits: {concurrency: 1}}
wms:
  connector: http
  base_url: http://127.0.0.1:1/
  idempotency: {mode: lookup, request: "GET /x?ref={key}", found: "status == 200", settle: 60s}
crm: {connector: http, base_url: "http://127.0.0.1:1/", idempotency: {mode: none}}
"""
_ORDER_IN = """
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
      available_quantity: {value: text(l.qty), unit_code: {const: C62}}
      location_id: {const: main}
"""
_CSV_IN = """
mapping: csv-in
version: 1
source: {format: csv, delimiter: ","}
target: {schema: canonical/stock_level}
output:
  report_id: src.id
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item: {name: "'thing'"}
      available_quantity: {value: src.qty, unit_code: {const: C62}}
      location_id: {const: main}
"""
_ORDER_OUT = """
mapping: order-out
version: 1
source: {schema: canonical/stock_level}
target: {format: json}
output:
  ref: src.report_id
  name: src.stock_lines[0].item.name
"""
_REPLY = """
mapping: reply
version: 1
source: {format: json}
target: {schema: canonical/stock_level}
output:
  report_id: src.ref
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item: {name: "'answered'"}
      available_quantity: {value: "'1'", unit_code: {const: C62}}
      location_id: {const: main}
"""
_RETRY = "retry: {attempts: 4, first: 10s, factor: 2, cap: 60s}\n"
_POSTED = "from: {system: shop, event: order}\nmap: order-in\nkey: src.report_id\n" + _RETRY
_FILES = "from: {system: partner}\nmap: csv-in\nkey: src.report_id\n" + _RETRY
_FAN_OUT = """
to:
  - {system: erp, map: order-out, reply: {map: reply}}
  - {system: wms, map: order-out, after: erp}
  - {system: crm, map: order-out, on_error: skip}
"""
_COLLECTED = """
to:
  - {system: erp, map: order-out, collect: {every: 30s, max: 3}}
  - {system: wms, map: order-out, collect: {every: 5m}, after: erp}
  - {system: crm, map: order-out, collect: {at: "12:00", max: 2}, on_error: skip}
"""
_COLLECTED_AND_NOT = """
to:
  - {system: erp, map: order-out, collect: {every: 20s, max: 4}, on_error: block_key}
  - {system: erp, id: too, map: order-out}
"""
_EXPIRING = """
to:
  - {system: erp, map: order-out, expires: 40s}
  - {system: wms, map: order-out, expires: 100s, on_error: block_key}
  - {system: crm, map: order-out, after: wms, expires: 20s, collect: {every: 15s, max: 3}}
"""
_BOTH = "to: [{system: wms, map: order-out}, {system: crm, map: order-out}]\n"
_ERP_AND_WMS = "to: [{system: erp, map: order-out}, {system: wms, map: order-out}]\n"
_ERP = "to: [{system: erp, map: order-out}]\n"

_ROUTES: Mapping[str, tuple[str, ...]] = {
    "one target with keys": (f"route: orders\n{_POSTED}{_ERP}",),
    "look-up and nothing": (f"route: orders\n{_POSTED}{_BOTH}",),
    "fan-out, after and reply": (f"route: orders\n{_POSTED}{_FAN_OUT}",),
    "order none": (f"route: orders\norder: none\n{_POSTED.replace('key: src.report_id', '')}{_FAN_OUT}",),
    "block_key": (f"route: orders\non_error: block_key\n{_POSTED}{_FAN_OUT}",),
    "stop": (f"route: orders\non_error: stop\n{_POSTED}{_BOTH}",),
    "collected": (f"route: orders\n{_POSTED}{_COLLECTED}",),
    "collected files": (f"route: files\n{_FILES}{_COLLECTED}",),
    "expiring": (f"route: orders\n{_POSTED}{_EXPIRING}",),
    "collected and not": (f"route: orders\n{_POSTED}{_COLLECTED_AND_NOT}",),
    "files": (f"route: files\n{_FILES}{_FAN_OUT}",),
    "two sources, one target": (
        f"route: orders\n{_POSTED}{_ERP}", f"route: files\n{_FILES}{_ERP_AND_WMS}",
    ),
}  # fmt: skip

_SCHEMAS = ("schemas/canonical/v1/stock_level.", "schemas/canonical/v1/structures.", "schemas/codes/")

NAMES = tuple(_ROUTES)


@cache
def built_in(name: str) -> Scenario:
    """One of the simulation's own projects, compiled once a process."""
    first = _files(_ROUTES[name])
    takes_more = _ORDER_IN.replace("text(l.qty)", "'text(coalesce(l.qty, 1))'")  # also what was refused before
    changed = {"order-out": _ORDER_OUT.replace("ref:", "number:"), "order-in": takes_more}
    second = {**first, **{f"mappings/{mapping}.yaml": text.encode() for mapping, text in changed.items()}}
    answers = {("orders", "erp"): b'{"ref": "r"}', ("files", "erp"): b'{"ref": "r"}'}
    return make_scenario(name, [first, second], lambda _: _feeds(name), answers)


def scenario_of(seed: int) -> Scenario:
    """The project that a seed is about."""
    return built_in(NAMES[seed % len(NAMES)])


def _files(routes: tuple[str, ...]) -> dict[str, bytes]:
    own = {
        "config/hub.yaml": _HUB, "config/systems.yaml": _SYSTEMS, "mappings/order-in.yaml": _ORDER_IN,
        "mappings/csv-in.yaml": _CSV_IN, "mappings/order-out.yaml": _ORDER_OUT, "mappings/reply.yaml": _REPLY,
    }  # fmt: skip
    own |= {f"routes/{number}.yaml": text for number, text in enumerate(routes)}
    schemas = {path: raw for path, raw in reference_files().items() if path.startswith(_SCHEMAS)}
    return {**schemas, **{path: text.encode() for path, text in own.items()}}


def _feeds(name: str) -> tuple[Feed, ...]:
    posted = Feed("shop", "shop", "order", _posted)
    files = Feed("partner", "partner", "", _file, is_folder=True)
    return {"files": (files,), "two sources, one target": (posted, files)}.get(name, (posted,))


def _posted(number: int, key: int) -> bytes:
    """Now and then one that cannot be read, or that the mapping refuses."""
    if number == 7:
        return b'{"id": "k7", "lines": ['
    if number == 8:
        return b'{"id": "k8", "lines": [{"name": "x"}]}'
    return b'{"id": "k%d", "lines": [{"name": "d%d", "qty": %d}]}' % (key, number, number)


def _file(number: int, key: int) -> bytes:
    """Several records of a few keys."""
    rows = [f"k{1 + (key + n) % 3},{number}" for n in range(number % 3 + 1)]
    return ("id,qty\n" + "\n".join(rows) + "\n").encode()
