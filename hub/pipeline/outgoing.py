"""Deliveries that were not sent in the same breath as they were made: their bytes, stored or built now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec

from hub.clock import iso
from hub.errors import MappingError, MessageError
from hub.formats import codec
from hub.message import CANONICAL, Body, Delivery
from hub.outcome import Failure, failure_of
from hub.pipeline.encode import encode
from hub.pipeline.program import CompiledTarget
from hub.routes import Target
from hub.store import deliveries, payloads
from hub.systems import System

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A delivery with its bytes, or with the failure that left it without. ``fresh``: the bytes are not stored yet."""

    delivery: Delivery
    target: CompiledTarget | None
    body: Body | None = None
    fresh: bool = False
    failure: Failure | None = None
    context: Mapping[str, str] = field(default_factory=dict)


def prepare(engine: Engine, found: Sequence[Delivery]) -> list[Outgoing]:
    """The bytes of due deliveries: those of an earlier try unchanged, else built with the active set.

    Building is recorded first, without waiting for the disk: a mapping that kills the process is found out.
    """
    db = engine.store.reader()
    stored = {d.delivery_id: None if d.rebuild else deliveries.body(db, d.delivery_id, d.revision) for d in found}
    unbuilt = [d.delivery_id for d in found if stored[d.delivery_id] is None]
    if unbuilt:
        engine.store.write(lambda db: deliveries.mark_building(db, unbuilt, engine.worker), durable=False)
    return [_outgoing(engine, delivery, stored[delivery.delivery_id]) for delivery in found]


def _outgoing(engine: Engine, delivery: Delivery, body: Body | None) -> Outgoing:
    target = engine.program.find(delivery.route, delivery.target)
    row = engine.store.reader().execute(
        "SELECT main_key, traceparent, source, event, received_at FROM messages WHERE message_id = ?",
        (delivery.message_id,),
    ).fetchone()  # fmt: skip
    if target is None or row is None:
        return Outgoing(delivery, None, failure=_no_target(delivery))
    context = {"main_key": str(row[0]), "traceparent": str(row[1])}
    if body is not None:
        return Outgoing(delivery, target, body, context=context)
    envelope = {
        "id": delivery.message_id, "source": row[2], "event": row[3], "received_at": iso(row[4]), "name": "",
    }  # fmt: skip
    return _built(engine, delivery, target, envelope, context)


def _built(
    engine: Engine, delivery: Delivery, target: CompiledTarget, envelope: Mapping[str, Any], context: Mapping[str, str]
) -> Outgoing:
    raw = payloads.read(engine.store.reader(), delivery.message_id, CANONICAL)
    if raw is None:
        return Outgoing(delivery, target, failure=_pruned(delivery), context=context)
    try:
        document = msgspec.json.decode(raw)
        body = encode(target, document, engine.program.settings.company, envelope, engine.world().xref)
    except MessageError as error:
        step = "map" if isinstance(error, MappingError) else "encode"
        failure = failure_of(error, step).printed(delivery.route)
        return Outgoing(delivery, target, failure=failure, context=context)
    return _revised(engine, Outgoing(delivery, target, body, fresh=True, context=context))


def _revised(engine: Engine, outgoing: Outgoing) -> Outgoing:
    """Bytes built again keep their key if they are the same; changed ones take the next revision, but not in doubt."""
    d, body = outgoing.delivery, outgoing.body
    if not d.replay_of or not d.rebuild or body is None:
        return outgoing
    before = deliveries.body(engine.store.reader(), d.replay_of, d.revision)
    if before is None or before.content == body.content:
        return outgoing
    if d.doubt:
        return replace(outgoing, body=None, failure=_in_doubt(d))
    return replace(outgoing, delivery=replace(d, revision=d.revision + 1))


def missing_target(delivery: Delivery) -> CompiledTarget:
    """Stands in for a target that the active set does not have any more: nothing is offered, nothing is sent."""
    return CompiledTarget(
        target=Target(id=delivery.target, system=delivery.system), system=System(delivery.system, ""), mapping=None,
        codec=codec("json"), codec_options={}, when=None, key=None, reply=None, has_children=True,
    )  # fmt: skip


def _no_target(delivery: Delivery) -> Failure:
    detail = f"the active set has no target '{delivery.target}' in the route '{delivery.route}'"
    hint = "deploy a set that has it and replay, or cancel this delivery"
    return Failure("no_route", "no_target", detail, step="route", hint=hint).printed(delivery.route)


def _pruned(delivery: Delivery) -> Failure:
    detail = "the canonical document was pruned by retention before this delivery was built"
    return Failure("expired", "payload_pruned", detail, step="encode").printed(delivery.route)


def _in_doubt(delivery: Delivery) -> Failure:
    detail = "the bytes have changed and it is not known whether the first ones had their effect"
    hint = "look in the target; then resolve this delivery, or replay it as_run"
    return Failure("duplicate", "doubt_unsettled", detail, step="encode", hint=hint).printed(delivery.route)
