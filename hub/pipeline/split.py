"""Receipts to rows, apart from any connection: what a transformer does, in this process or in a child of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
import structlog

from hub.clock import Clock, iso
from hub.errors import MappingError, MessageError, StoreError, StoreRefused
from hub.message import CANONICAL, RAW, SENT, Body, Delivery, Receipt
from hub.outcome import Failure, failure_of
from hub.pipeline import Transformed, World, transform
from hub.pipeline.encode import encode
from hub.pipeline.program import Program
from hub.store import Store, messages, payloads
from hub.store.compression import CHUNK

_log = structlog.get_logger("split")
_JSON = "application/json"


class Suspect(msgspec.Struct, frozen=True, array_like=True):
    """One piece of work: a receipt, with how many of its records are stored already."""

    receipt: Receipt
    skip: int = 0


class Built(msgspec.Struct, frozen=True, array_like=True):
    """The bytes of a delivery that was not built with its message, or why there are none."""

    delivery_id: str
    body: Body | None = None
    failure: Failure | None = None


class Transformer(Protocol):
    """Where the pure part of the flow runs."""

    def split(
        self, work: Sequence[Suspect], program: Program, handed_over: Callable[[], None] = ...
    ) -> Iterator[list[Transformed]]:
        """Every receipt's slices, in order; a receipt that kills its process comes as a failure of it. From when
        ``handed_over`` is called, the slices of work that is brought later come later. Raises StoreError while the
        store is away, as ``build`` and ``rehearse`` do."""
        ...

    def build(self, found: Sequence[Delivery], program: Program) -> list[Built]:
        """The bytes of deliveries, by their targets' mappings."""
        ...

    def rehearse(self, receipt: Receipt, program: Program) -> Mapping[str, Any] | None:
        """The first failure a receipt would meet, nothing being stored. None when there is none; also when it brings
        its process down, which is found out again, and recorded, once it is stored."""
        ...

    def close(self) -> None: ...


@dataclass(slots=True)
class LocalTransformer:
    """Runs in this thread. ``progress`` is called for every piece that is read of a large receipt."""

    store: Store
    clock: Clock
    progress: Callable[[], None] = field(default=lambda: None)

    def split(
        self, work: Sequence[Suspect], program: Program, handed_over: Callable[[], None] = lambda: None
    ) -> Iterator[list[Transformed]]:
        world = self._world()
        small: list[Transformed] = []
        for suspect in work:
            for part in self._parts(suspect, program, world):
                small.append(packed(part, world.now))
                if not part.final:
                    yield small
                    small = []
        if small:
            yield small

    def _parts(self, suspect: Suspect, program: Program, world: World) -> Iterator[Transformed]:
        receipt = suspect.receipt
        try:
            yield from transform(receipt, program, world, self._chunks(receipt), suspect.skip)
        except Exception as error:
            if isinstance(error, StoreError) and not isinstance(error, StoreRefused):
                raise  # the store is away: no fault of the receipt, which is split when it is back
            # A whole receipt is guarded here: a mistake of ours is recorded with it and stops nothing else.
            _log.exception("the hub failed on a receipt", seq=receipt.seq)
            detail = f"the hub itself failed on this document: {type(error).__name__}"
            failure = Failure("internal", "internal_error", detail, value_excerpt=str(error)[:200])
            yield Transformed(receipt.seq, receipt.route, failure=failure.printed(receipt.route))

    def rehearse(self, receipt: Receipt, program: Program) -> Mapping[str, Any] | None:
        return first_failure(part for parts in self.split([Suspect(receipt)], program) for part in parts)

    def build(self, found: Sequence[Delivery], program: Program) -> list[Built]:
        world, db = self._world(), self.store.reader()
        owners = list(dict.fromkeys(delivery.message_id for delivery in found))
        documents, envelopes = payloads.read_small(db, owners, CANONICAL), messages.envelopes(db, owners)
        return [self._built(d, program, world, documents, envelopes.get(d.message_id)) for d in found]

    def close(self) -> None:
        """Nothing is held."""

    def _world(self) -> World:
        reader = self.store.reader()
        return World(
            now=self.clock.epoch(), new_id=self.clock.new_id,
            xref=lambda system, kind, id: messages.get_xref(reader, system, kind, id),
        )  # fmt: skip

    def _chunks(self, receipt: Receipt) -> Iterable[bytes] | None:
        """The stored pieces of a receipt that came without its bytes."""
        if receipt.raw:
            return None
        return self._pieces(receipt.raw_owner or receipt.receipt_id)

    def _pieces(self, owner: str) -> Iterator[bytes]:
        for piece in payloads.read_chunks(self.store.reader(), owner, RAW, 1):
            self.progress()
            yield piece

    def _built(
        self, delivery: Delivery, program: Program, world: World, documents: Mapping[str, bytes],
        known: tuple[str, str, float] | None,
    ) -> Built:  # fmt: skip
        target = program.find(delivery.route, delivery.target)
        raw = documents.get(delivery.message_id)
        if raw is None or len(raw) >= CHUNK:  # there may be more of it
            raw = payloads.read(self.store.reader(), delivery.message_id, CANONICAL)
        if target is None or raw is None:
            return Built(delivery.delivery_id, failure=missing(delivery, target is None))
        source, event, received_at = known or (delivery.source, "", delivery.received_at)
        envelope = {
            "id": delivery.message_id, "source": source, "event": event, "received_at": iso(received_at), "name": "",
        }  # fmt: skip
        try:
            body = encode(target, msgspec.json.decode(raw), program.settings.company, envelope, world.xref)
        except MessageError as error:
            step = "map" if isinstance(error, MappingError) else "encode"
            return Built(delivery.delivery_id, failure=failure_of(error, step).printed(delivery.route))
        return Built(delivery.delivery_id, body)


def first_failure(parts: Iterable[Transformed]) -> Mapping[str, Any] | None:
    """The first failure of a receipt as a whole or of one of its messages; the parts are read to their end."""
    found: Mapping[str, Any] | None = None
    for part in parts:
        whole = [part.failure.as_dict()] if part.failure else []
        found = found or next(iter([*whole, *(m.failure for m in part.messages if m.failure)]), None)
    return found


def packed(part: Transformed, now: float) -> Transformed:
    """The same with its documents and bytes as rows, compressed here, outside of any transaction."""
    pack = payloads.Packer(now)
    part.message_rows = [
        row for owner, stage, content in part.documents for row in pack(owner, stage, 1, _JSON, content)
    ]
    part.body_rows = [
        row for d in part.deliveries if (b := part.bodies.get(d.delivery_id))
        for row in pack(d.delivery_id, SENT, d.revision, b.content_type, b.content)
    ]  # fmt: skip
    part.documents = []
    return part


def missing(delivery: Delivery, no_target: bool) -> Failure:
    """Why a delivery cannot be built: the active set has no such target, or its document is gone."""
    if no_target:
        detail = f"the active set has no target '{delivery.target}' in the route '{delivery.route}'"
        hint = "deploy a set that has it and replay, or cancel this delivery"
        return Failure("no_route", "no_target", detail, step="route", hint=hint).printed(delivery.route)
    detail = "the canonical document was pruned before this delivery was built"
    return Failure("expired", "payload_pruned", detail, step="encode").printed(delivery.route)
