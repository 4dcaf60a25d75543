"""Orders that are collected for the ERP, and whether all adds up: what tests of collecting share."""

from __future__ import annotations

from world import World

from hub.store import conservation, dead_letters
from hub.store.search_terms import Filter
from hub.store.tally import Tallier

ROUTE = """
route: orders
from: {system: shop, event: order}
map: order-in
key: src.report_id
to:
  - {system: SYSTEM, map: order-out, collect: {every: 15m, max: 3}}
retry: {attempts: 3, first: 10s, factor: 2, cap: 60s, jitter: none}
"""
QUARTER = 100.0  # START is 14:13:20


def route(system: str = "erp", **changed: str) -> bytes:
    text = ROUTE.replace("SYSTEM", system)
    for before, after in changed.items():
        text = text.replace({"collect": "collect: {every: 15m, max: 3}"}.get(before, before), after)
    return text.encode()


CSV_OUT = b"""
mapping: order-out
version: 1
source: {schema: canonical/stock_level}
target: {format: csv}
output:
  ref: src.report_id
  lines: count(src.stock_lines)
"""


def adds_up(world: World) -> None:
    with world.store.snapshot() as db:
        assert conservation.check(db) == []
        told = Tallier().count(db, world.clock.epoch()).deliveries
        assert {state: count for state, count in told.items() if count} == conservation.counted(db).deliveries


def letters(world: World) -> list[str]:
    return [letter.id for letter in dead_letters.find(world.store.reader(), Filter())]
