"""Receipts to rows, apart from any connection: what a transformer does, in this process or in a child of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from hub.clock import Clock, iso
from hub.errors import MessageError, StoreError, StoreRefused
from hub.loggers import structlog
from hub.message import CANONICAL, RAW, Delivery, Receipt
from hub.outcome import Failure, failure_of
from hub.pipeline import World, transform
from hub.pipeline.encode import encode, read_canonical, step_of
from hub.pipeline.gather import Built, Gathered, gathered, missing
from hub.pipeline.map import written_down
from hub.pipeline.program import Program
from hub.pipeline.transformed import Transformed
from hub.store import Store, bodies, effects, messages, payloads, receipts
from hub.store.compression import CHUNK
from hub.store.database import Database

_log = structlog.get_logger("split")
_JSON = "application/json"


class Suspect(msgspec.Struct, frozen=True, array_like=True):
    """One piece of work: a receipt, with the position from which on its records are not stored, and the place of the
    one before that."""

    receipt: Receipt
    skip: int = 0
    after: str = ""


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

    def gather(self, found: Sequence[Delivery], program: Program) -> Gathered:
        """These deliveries of one target, as many in each body as go together."""
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
            yield from transform(receipt, program, world, self._chunks(receipt), suspect.skip, suspect.after)
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
        world, sources = self._world(), _Sources(self.store.reader(), program, found)
        return [self._built(d, program, world, sources) for d in found]

    def gather(self, found: Sequence[Delivery], program: Program) -> Gathered:
        world, sources = self._world(), _Sources(self.store.reader(), program, found)
        return gathered(found, program, world, sources.of, self.progress)

    def close(self) -> None:
        """Nothing is held."""

    def _world(self) -> World:
        reader = self.store.reader()
        return World(
            now=self.clock.epoch(), new_id=self.clock.new_id,
            xref=lambda system, kind, id: messages.get_xref(reader, system, kind, id),
            stored=lambda receipt_id: receipts.raw_of(reader, receipt_id),
        )  # fmt: skip

    def _chunks(self, receipt: Receipt) -> Iterable[bytes] | None:
        """The stored pieces of a receipt that came without its bytes."""
        if receipt.raw:
            return None
        return _Pieces(self, receipt.raw_owner or receipt.receipt_id)

    def _built(self, delivery: Delivery, program: Program, world: World, sources: _Sources) -> Built:
        target, (raw, envelope) = program.find(delivery.route, delivery.target), sources.of(delivery)
        if target is None or raw is None:
            return Built(delivery.delivery_id, failure=missing(delivery, target is None))
        seen: list[Any] = []
        try:
            document, company = read_canonical(raw), program.settings.company
            body = encode(target, document, company, envelope, world.xref, seen, world.stored)
        except MessageError as error:
            failure = failure_of(error, step_of(error)).printed(delivery.route)
            return Built(delivery.delivery_id, failure=failure, lookups=written_down(seen))
        return Built(delivery.delivery_id, body)


class _Sources:
    """The canonical documents that deliveries are made of, and the envelopes of their messages."""

    def __init__(self, db: Database, program: Program, found: Sequence[Delivery]) -> None:
        owners = list(dict.fromkeys(delivery.message_id for delivery in found))
        self._db, self._program, self._envelopes = db, program, messages.envelopes(db, owners)
        self._documents = payloads.read_small(db, owners, CANONICAL)

    def of(self, delivery: Delivery) -> tuple[bytes | None, Mapping[str, Any]]:
        """The document, None where it is gone, and the envelope of a delivery."""
        raw = self._documents.get(delivery.message_id)
        if raw is None or len(raw) >= CHUNK:  # there may be more of it
            raw = payloads.read(self._db, delivery.message_id, CANONICAL)
        known = self._envelopes.get(delivery.message_id)
        source, event, received_at, name = known or (delivery.source, "", delivery.received_at, "")
        envelope = {
            "id": delivery.message_id, "source": source, "event": event, "received_at": iso(received_at), "name": name,
        }  # fmt: skip
        target = self._program.find(delivery.route, delivery.target)
        if target is not None and (before := self._program.telling(delivery.route, target)):
            envelope["after"] = effects.reference_of_target(self._db, delivery.message_id, before)
        return raw, envelope


class _Pieces(msgspec.Struct, frozen=True):
    """The stored pieces of a receipt, read anew each time they are gone through."""

    transformer: LocalTransformer
    owner: str

    def __iter__(self) -> Iterator[bytes]:
        for piece in payloads.read_chunks(self.transformer.store.reader(), self.owner, RAW, 1):
            self.transformer.progress()
            yield piece


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
        row
        for d in part.deliveries
        if (body := part.bodies.get(d.delivery_id)) and body.stamp is None
        for row in bodies.rows(pack, d, body)
    ]  # fmt: skip
    part.documents = []
    return part
