"""Deliveries whose bytes could not be made: they end, or are held, as their targets say; nothing was sent."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base import Verdict
from hub.message import Delivery
from hub.outcome import Failure
from hub.pipeline.deliver import Sent, give_up
from hub.pipeline.outgoing import missing_target
from hub.pipeline.program import CompiledTarget
from hub.pipeline.records import paused, throw
from hub.store import batches, deliveries
from hub.store.database import Database

Unbuilt = tuple[Delivery, CompiledTarget | None, Failure]


def bury(db: Database, unbuilt: Sequence[Unbuilt], now: float) -> set[str]:
    """End or hold deliveries by their targets' ``on_error``, of a batch all; gives the systems with something due."""
    ends = []
    for delivery, target, failure in unbuilt:
        sent = Sent(delivery, target or missing_target(delivery), now, delivery.set_id)
        ends.append(give_up(sent, Verdict("", code=failure.code, detail=failure.detail), now, failure))
    free = set[str]()
    ended = []
    for (delivery, _, _), end in zip(unbuilt, ends, strict=True):
        ids = batches.together(db, delivery.delivery_id) if delivery.is_batch else [delivery.delivery_id]
        for id in ids:
            more, still_waited = deliveries.build_failed(db, id, end)
            free |= more
            ended += [(delivery.route, end)] * still_waited
    throw(db, paused(ended), now)
    return free
