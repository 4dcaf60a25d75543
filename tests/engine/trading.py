"""What tests of trading share: a partner in EDIFACT and one in X12 at one system, and their interchanges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from world import HUB, SYSTEMS, World

from hub.message import Accepted, Arrival
from hub.project import reference_files
from tests.edi_project import ACME, VAN

PARTNERS = (
    ACME
    + b"""  time_zone: Europe/Brussels
northwind:
  system: van
  syntax: x12
  us: {id: "4012345000", qualifier: ZZ, group: EXAMPLE}
  them: {id: NORTHWIND, qualifier: ZZ, group: NWSTORES}
  directory: "004010"
"""
)
ORDERS_IN = b"""
mapping: orders-in
version: 1
target: {schema: canonical/stock_level}
output:
  report_id: src.segments[1][2]
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item: {name: src.partner}
      available_quantity: {value: text(count(src.segments)), unit_code: {const: C62}}
      location_id: {const: main}
"""
ANSWER_OUT = b"""
mapping: answer-out
version: 1
source: {schema: canonical/stock_level}
output:
  type: {const: ORDRSP}
  segments:
    - [{const: BGM}, {const: "231"}, "'R-' + src.report_id", {const: "29"}]
    - [{const: DTM}, [{const: "137"}, {const: "20260305"}, {const: "102"}]]
"""
ANSWER_X12 = b"""
mapping: answer-x12
version: 1
source: {schema: canonical/stock_level}
output:
  type: {const: "855"}
  segments:
    - [{const: BAK}, {const: "00"}, {const: AC}, src.report_id, {const: "20260305"}]
    - [{const: CTT}, {const: "0"}]
"""
ROUTES = b"""
- route: acme-orders
  from: {partner: acme, event: ORDERS}
  map: orders-in
  key: src.report_id
  to:
    - {partner: acme, map: answer-out}
    - {system: erp}
  retry: {attempts: 3, first: 10s, factor: 2, cap: 60s, jitter: none}
- route: northwind-orders
  from: {partner: northwind, event: "850"}
  map: orders-in
  key: src.report_id
  to:
    - {partner: northwind, map: answer-x12}
  retry: {attempts: 3, first: 10s, factor: 2, cap: 60s, jitter: none}
"""
FILES = {
    "config/hub.yaml": HUB, "config/systems.yaml": SYSTEMS + VAN, "config/partners.yaml": PARTNERS,
    "mappings/orders-in.yaml": ORDERS_IN, "mappings/answer-out.yaml": ANSWER_OUT,
    "mappings/answer-x12.yaml": ANSWER_X12, "routes/trade.yaml": ROUTES,
}  # fmt: skip


def orders(
    number: str = "101", *names: str, sender: str = "5412345000013:14", receiver: str = "4012345000009:14",
    type: str = "ORDERS", count: int | None = None, bad: str = "", test: bool = False,
) -> bytes:  # fmt: skip
    """An interchange of acme with an order for each name; ``bad`` is one whose UNT counts wrong."""
    messages = "".join(
        f"UNH+{n}+{type}:D:96A:UN'BGM+220+{name}+9'DTM+137:20260305:102'UNS+S'UNT+{9 if name == bad else 5}+{n}'"
        for n, name in enumerate(names, 1)
    )
    told = len(names) if count is None else count
    head = f"UNB+UNOC:3+{sender}+{receiver}+260305:0930+{number}{'++++++1' if test else ''}'"
    return f"{head}{messages}UNZ+{told}+{number}'".encode()


def purchase(number: int = 7, *names: str, usage: str = "P") -> bytes:
    """An interchange of northwind with an 850 for each name."""
    sets = "".join(f"ST*850*{n:04}~BEG*00*{name}*PO{n}**20260305~CTT*0~SE*4*{n:04}~" for n, name in enumerate(names, 1))
    sides = f"ZZ*{'NORTHWIND':15}*ZZ*{'4012345000':15}"
    isa = f"ISA*00*{'':10}*00*{'':10}*{sides}*260305*0930*U*00401*{number:09}*0*{usage}*>~"
    group = f"GS*PO*NWSTORES*EXAMPLE*20260305*0930*{number}*X*004010~{sets}GE*{len(names)}*{number}~"
    return f"{isa}{group}IEA*1*{number:09}~".encode()


class Trade(World):
    """A world whose arrivals come from the system ``van``."""

    def __init__(self, folder: Path, files: dict[str, bytes] | None = None, **more: Any) -> None:
        schemas = {path: raw for path, raw in reference_files().items() if path.startswith("schemas/")}
        super().__init__(folder, {**schemas, **(files or FILES)}, **more)

    def bring(self, *bodies: bytes) -> list[Accepted]:
        arrivals = [Arrival(self.clock.new_id(), "van", "", body, self.clock.epoch()) for body in bodies]
        accepted = self.engine.accept(arrivals)
        self.run()
        return accepted

    def failures(self) -> list[tuple[str, str, str]]:
        """(place, code, detail) of every dead message."""
        return self.rows(
            "SELECT place, failure ->> 'code', failure ->> 'detail' FROM messages WHERE state = 'dead' "
            "ORDER BY seq, position"
        )

    def messages(self) -> list[tuple[str, str, str]]:
        """(event, state, route) of every message, in order."""
        return self.rows("SELECT event, state, route FROM messages ORDER BY seq, position")
