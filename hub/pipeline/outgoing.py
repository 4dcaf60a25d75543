"""Deliveries that were not sent in the same breath as they were made: their bytes, stored or built now."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from hub.formats import codec
from hub.message import Body, Delivery
from hub.outcome import Failure
from hub.pipeline.gather import Built, missing
from hub.pipeline.program import CompiledTarget
from hub.routes import Target
from hub.store import batches, bodies, effects, interchanges, messages
from hub.systems import System

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine


class Outgoing(msgspec.Struct, frozen=True):
    """A delivery with its bytes, or with the failure that left it without. ``fresh``: the bytes are not stored yet."""

    delivery: Delivery
    target: CompiledTarget | None
    body: Body | None = None
    fresh: bool = False
    failure: Failure | None = None
    context: Mapping[str, str] = msgspec.field(default_factory=dict)
    lookups: bytes = b""  # what was looked up before the failure


_SHELF_BYTES = 32_000_000
_UNKNOWN = {"main_key": "", "traceparent": "", "correlation_id": ""}  # of a message that is gone


class Shelf:
    """Bytes that were made with their message and had no room, or no turn, to go in the same breath: kept for a moment,
    so that they need not be made twice. Any thread may ask; the oldest make room for new ones."""

    def __init__(self) -> None:
        self._bytes = 0
        self._bodies: dict[str, tuple[int, Body]] = {}
        self._lock = threading.Lock()

    def put(self, bodies: Mapping[str, Body], set_id: int) -> None:
        """Keep bytes by delivery, with the number of the set that they were made with."""
        with self._lock:
            for delivery_id, body in bodies.items():
                if delivery_id in self._bodies:
                    self._drop(delivery_id)
                self._bodies[delivery_id] = (set_id, body)
                self._bytes += len(body.content)
            while self._bytes > _SHELF_BYTES:
                self._drop(next(iter(self._bodies)))

    def take(self, found: Sequence[Delivery], set_id: int) -> dict[str, Built]:
        """What is here of deliveries that were due when they were made. Who became due later, after an earlier one of
        its lane or another target, may by now be made of other look-ups."""
        with self._lock:
            here = {d.delivery_id: self._drop(d.delivery_id) for d in found if d.delivery_id in self._bodies}
        return {
            d.delivery_id: Built(d.delivery_id, here[d.delivery_id][1])
            for d in found
            if d.delivery_id in here and here[d.delivery_id][0] == set_id and d.due_at == d.created_at
        }

    def _drop(self, delivery_id: str) -> tuple[int, Body]:
        kept = self._bodies.pop(delivery_id)
        self._bytes -= len(kept[1].content)
        return kept


def prepare(engine: Engine, found: Sequence[Delivery]) -> list[Outgoing]:
    """The bytes of due deliveries: those of an earlier try unchanged, else built with the active set."""
    db = engine.store.reader()
    stored = bodies.read_many(db, [(d.delivery_id, d.revision) for d in found if not d.rebuild])
    contexts = messages.contexts(db, [d.message_id for d in found])
    unbuilt = [d for d in found if d.delivery_id not in stored]
    built = engine.shelf.take(unbuilt, engine.program.set_id)
    left = [d for d in unbuilt if d.delivery_id not in built]
    built |= {b.delivery_id: b for b in engine.transformer.build(left, engine.program)}
    return [
        _outgoing(engine, d, stored.get(d.delivery_id), built.get(d.delivery_id), contexts.get(d.message_id, _UNKNOWN))
        for d in found
    ]


def _outgoing(
    engine: Engine, delivery: Delivery, stored: Body | None, built: Built | None, context: Mapping[str, str]
) -> Outgoing:
    target = engine.program.find(delivery.route, delivery.target)
    db, before = engine.store.reader(), engine.program.telling(delivery.route, target) if target else ""
    if delivery.is_batch:  # it has names of its own, none of one document
        context, before = {**_UNKNOWN, **batches.names(db, delivery.delivery_id)}, ""
    if delivery.tries or delivery.doubt:
        reference = effects.reference(db, [delivery.delivery_id, delivery.effect_id])
        context = {**context, "reference": reference}
    if delivery.state == "unknown":  # it is looked up: should it not be found, this is what it met
        delivery = replace(delivery, failure=effects.last_failure(db, delivery.delivery_id) or delivery.failure)
    if before:
        context = {**context, "after": effects.reference_of_target(db, delivery.message_id, before)}
    if built is not None and built.failure is not None:
        return Outgoing(delivery, target, failure=built.failure, context=context, lookups=built.lookups)
    if target is None:
        return Outgoing(delivery, None, failure=missing(delivery, no_target=True), context=context)
    if built is not None:
        return _revised(engine, Outgoing(delivery, target, built.body, fresh=True, context=context))
    return Outgoing(delivery, target, stored, context=context)


def _revised(engine: Engine, outgoing: Outgoing) -> Outgoing:
    """Bytes built again keep their key if they are the same; changed ones take the next revision, but not in doubt."""
    d, body = outgoing.delivery, outgoing.body
    if not d.replay_of or not d.rebuild or body is None:
        return outgoing
    db = engine.store.reader()
    before = bodies.read(db, d.replay_of, d.revision)
    if before is None or before.content == body.content:
        return outgoing
    if body.stamp and interchanges.hash_of(db, d.replay_of, d.revision) == interchanges.content_hash(body):
        return replace(outgoing, body=before)  # the same but for the numbers: then with the same numbers
    if d.doubt:
        return replace(outgoing, body=None, failure=_in_doubt(d))
    return replace(outgoing, delivery=msgspec.structs.replace(d, revision=d.revision + 1))


def missing_target(delivery: Delivery) -> CompiledTarget:
    """Stands in for a target that the active set does not have any more: nothing is offered, nothing is sent."""
    return CompiledTarget(
        target=Target(id=delivery.target, system=delivery.system), system=System(delivery.system, ""), mapping=None,
        codec=codec("json"), codec_options={}, when=None, key=None, reply=None,
    )  # fmt: skip


def _in_doubt(delivery: Delivery) -> Failure:
    detail = "the bytes have changed and it is not known whether the first ones had their effect"
    hint = "look in the target; then `o2c resolve` this delivery, or replay it as_run"
    return Failure("duplicate", "doubt_unsettled", detail, step="encode", hint=hint).printed(delivery.route)
