"""A batch of transformed receipts on its way into the store: one statement per table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import apsw

from hub.message import Body, Delivery
from hub.pipeline import Transformed
from hub.pipeline.program import CompiledTarget
from hub.store import deliveries, messages, receipts


class Batch:
    """What a batch of receipts became. ``going`` are the deliveries that their systems have room for."""

    def __init__(self, results: Sequence[Transformed], now: float) -> None:
        self.results, self.now = results, now
        self.messages = [message for result in results for message in result.messages]
        self.wanted = [pair for result in results for pair in result.deliveries]
        self.bodies: dict[str, Body] = {key: body for result in results for key, body in result.bodies.items()}
        self.going: set[str] = set()
        # Compressing is done here, outside of the transaction.
        self._message_rows = messages.packed_rows(self.messages, now)
        self._body_rows = deliveries.body_rows([(d, self.bodies[d.delivery_id]) for d in self.ready()], now)

    def ready(self) -> list[Delivery]:
        """The deliveries whose bytes are there."""
        return [d for d, _ in self.wanted if d.delivery_id in self.bodies]

    def store(self, db: apsw.Connection, worker: str, set_id: int) -> set[str]:
        """Messages, receipts, deliveries, bytes and cross-references; gives the deliveries that were claimed."""
        messages.insert(db, self.messages, self._message_rows)
        receipts.mark_split(db, [(r.receipt.seq, len(r.messages)) for r in self.results if r.failure is None])
        for result in self.results:
            if result.failure is not None:
                receipts.mark_dead(db, result.receipt.seq, result.failure)
        messages.put_xrefs(db, [row for result in self.results for row in result.xrefs])
        claimed = deliveries.insert(db, [d for d, _ in self.wanted if d.delivery_id in self.going], worker)
        deliveries.insert(db, [d for d, _ in self.wanted if d.delivery_id not in self.going])
        deliveries.store_bodies(db, self._body_rows, claimed, set_id)
        return claimed

    def outgoing(self, claimed: set[str]) -> Iterator[tuple[Delivery, CompiledTarget, Body, Mapping[str, str]]]:
        """The claimed deliveries with what sending them takes."""
        context = {m.message_id: {"main_key": m.main_key, "traceparent": m.traceparent} for m in self.messages}
        for delivery, target in self.wanted:
            if delivery.delivery_id in claimed:
                yield delivery, target, self.bodies[delivery.delivery_id], context[delivery.message_id]
