"""Orders that die, and their replay: what the tests of replays share."""

from __future__ import annotations

from typing import Any

from world import World, order

from connectors.base import REFUSED, Verdict
from hub import replay
from hub.deploy import deploy as put_in_force
from hub.errors import Conflict
from hub.pipeline.engine import Engine
from hub.replay import REASONS, Request
from hub.replay.request import check
from hub.replay.selection import select
from hub.store import conservation, dead_letters
from hub.store.audit import Actor
from hub.store.replays import Replay
from hub.store.search_terms import Filter

ANNA = Actor("anna", "operator", "127.0.0.1")
NO = Verdict(REFUSED, code="http_422", status=422, detail="unknown item")
DEAD = Request(filter=Filter(state="dead"))

FAN_OUT = b"""
route: orders
from: {system: shop, event: order}
map: order-in
key: src.report_id
to:
  - {system: erp, map: order-out}
  - {system: wms, map: order-out, after: erp}
retry: {attempts: 2, first: 10s, factor: 2, cap: 60s, jitter: none}
"""
BLOCKING = FAN_OUT.replace(b", after: erp", b"").replace(b"retry:", b"on_error: block_key\nretry:")


CSV_IN = b"""
mapping: order-in
version: 1
source: {format: csv}
target: {schema: canonical/stock_level}
output:
  report_id: src.id
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item: {name: src.id}
      available_quantity: {value: src.qty, unit_code: {const: C62}}
      location_id: {const: main}
"""


def dead_orders(world: World, *numbers: int) -> list[str]:
    """Orders that the ERP refuses; gives their message ids."""
    world.target("erp").answers.extend([NO] * len(numbers))
    return [accepted.receipt_id for number in numbers for accepted in world.send(order(number))]


def replay_one(engine: Engine, id: str, actor: Actor, **asked: Any) -> Replay:
    """Replay one message, receipt or delivery now. Raises Conflict, with the reason, when it cannot be."""
    request = Request(ids=(id,), **asked)
    check(request)
    with engine.store.snapshot() as db:
        selection = select(db, request, engine.program)
    if not selection.replayable:
        why = [REASONS[reason] for reason in selection.refused] or ["it has nothing that needs a replay"]
        raise Conflict("not replayable: " + "; ".join(why))
    planned = replay.plan(engine, request, actor)
    return replay.start(engine, planned.replay_id, planned.plan_hash, actor)


def run(world: World, request: Request) -> dict[str, Any]:
    """Plan and start a replay, and let everything happen; gives the plan."""
    planned = replay.plan(world.engine, request, ANNA)
    replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)
    world.run()
    return planned.plan


def adds_up(world: World) -> None:
    with world.store.snapshot() as db:
        assert conservation.check(db) == []


def items(world: World, replay_id: str) -> tuple[int, int]:
    counts = replay.progress(world.engine, replay_id).items
    return counts["waiting"], counts["started"]


def dead_count(world: World) -> int:
    return dead_letters.count(world.store.reader())


def deploy(world: World, path: str, content: bytes) -> None:
    world.files[path] = content
    world.engine.activate(put_in_force(world.store, world.files, None, world.clock, Actor("test")))
