"""A batch of transformed receipts on its way into the store: one statement per table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hub.message import Body, Delivery
from hub.pipeline import Transformed
from hub.pipeline.outgoing import missing_target
from hub.pipeline.program import CompiledTarget, Program
from hub.store import bodies, deliveries, messages, receipts
from hub.store.database import Database


class Batch:
    """What a batch of receipts became. ``going`` are the deliveries that their systems have room for."""

    def __init__(self, parts: Sequence[Transformed], program: Program, now: float) -> None:
        self.parts, self.program, self.now = parts, program, now
        self.messages = [message for part in parts for message in part.messages]
        self.deliveries = [delivery for part in parts for delivery in part.deliveries]
        self.bodies: dict[str, Body] = {key: body for part in parts for key, body in part.bodies.items()}
        self.going: set[str] = set()

    def ready(self) -> list[Delivery]:
        """The deliveries whose bytes are there."""
        return [d for d in self.deliveries if d.delivery_id in self.bodies]

    def store(self, db: Database, worker: str) -> set[str]:
        """Messages, receipts, deliveries, bytes and cross-references; gives the deliveries that were claimed."""
        messages.insert(db, self.messages, [row for part in self.parts for row in part.message_rows])
        split = [part for part in self.parts if part.final and part.failure is None]
        receipts.mark_split(db, [(part.seq, len(part.messages)) for part in split])
        for part in self.parts if len(split) < len(self.parts) else ():
            if part.failure is not None or not part.final:
                receipts.count_messages(db, [(part.seq, len(part.messages))])
            if part.failure is not None:
                receipts.mark_dead(db, part.seq, part.failure)
        messages.put_xrefs(db, [row for part in self.parts for row in part.xrefs])
        claimed = deliveries.insert(db, [d for d in self.deliveries if d.delivery_id in self.going], worker)
        deliveries.insert(db, [d for d in self.deliveries if d.delivery_id not in self.going])
        rows = [row for part in self.parts for row in part.body_rows]
        bodies.keep(db, rows, claimed)
        return claimed

    def outgoing(self, claimed: set[str]) -> Iterator[tuple[Delivery, CompiledTarget, Body, Mapping[str, str]]]:
        """The claimed deliveries with what sending them takes."""
        context = {
            m.message_id: {"main_key": m.main_key, "traceparent": m.traceparent, "correlation_id": m.correlation_id}
            for m in self.messages
        }
        for d in self.deliveries:
            if d.delivery_id in claimed:
                target = self.program.find(d.route, d.target) or missing_target(d)
                yield d, target, self.bodies[d.delivery_id], context[d.message_id]

    def left(self, claimed: set[str]) -> dict[str, Body]:
        """The bytes of those that were not claimed and wait for nothing but room or their turn."""
        waiting = (d.delivery_id for d in self.deliveries if not d.waits_for and d.delivery_id not in claimed)
        return {delivery_id: self.bodies[delivery_id] for delivery_id in waiting if delivery_id in self.bodies}
