"""A batch of transformed receipts on its way into the store: one statement per table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from hub.message import LOOKUPS, Body, Delivery
from hub.pipeline.outgoing import missing_target
from hub.pipeline.overtaken import overtaken
from hub.pipeline.program import CompiledTarget, Program
from hub.pipeline.repeats import of_no_number, with_what_it_is_of, without_known_documents, without_repeats
from hub.pipeline.statements import without_known_statements
from hub.pipeline.transformed import Transformed
from hub.store import advices, bodies, deliveries, interchanges, messages, payloads, receipts
from hub.store.database import Database


class Batch:
    """What a batch of receipts became. ``going`` are the deliveries that their systems have room for. They are made
    ``now``, when they are stored: a clock that was put while they were on their way here must not put them off."""

    def __init__(self, parts: Sequence[Transformed], program: Program, now: float) -> None:
        self.program, self.now = program, now
        self._brought = parts
        self._take(parts)
        self.brought = self.deliveries  # also those of what turns out to be a repeat
        self.bodies: dict[str, Body] = {key: body for part in parts for key, body in part.bodies.items()}
        self.going: set[str] = set()
        self.overtaken: list[Delivery] = []
        self.claimed_at = 0.0  # on the monotonic clock
        self._stamped: dict[str, Body] = {}

    def _take(self, parts: Sequence[Transformed]) -> None:
        self.parts = parts
        self.messages = [message for part in parts for message in part.messages]
        self.deliveries = [replace(delivery, created_at=self.now) for part in parts for delivery in part.deliveries]
        asked = {row[0] for part in parts if part.unbuilt for row in part.message_rows if row[1] == LOOKUPS}
        # They could not be built and had looked something up: what goes before them in their lanes may bring it.
        waits = (d for d in self.deliveries if d.lane and not d.waits_to_be_collected) if asked else ()
        self.built_later = {d.delivery_id for d in waits if d.delivery_id in asked}

    def ready(self) -> list[Delivery]:
        """The deliveries whose bytes are there."""
        return [d for d in self.deliveries if d.delivery_id in self.bodies]

    def store(self, db: Database, worker: str) -> set[str]:
        """Messages, receipts, deliveries, bytes and cross-references; gives the deliveries that were claimed."""
        if any(part.came for part in self._brought):
            self._take(without_repeats(db, self._brought, self.now))
        if any(part.documents_came for part in self.parts):
            self._take(without_known_documents(db, self.parts, self.now))
        if any(part.stated for part in self.parts):
            self._take(without_known_statements(db, self.parts, self.now))
        if answered := [each for part in self.parts for each in part.answered]:
            strange = interchanges.note_answers(db, answered, self.now)
            named = [with_what_it_is_of(db, message, answered) for message in self.messages]
            self.messages = [of_no_number(message, strange) for message in named]
        if advised := [each for part in self.parts for each in part.advised]:
            advices.put(db, advised, self.now)
        messages.insert(db, self.messages)
        split = [part for part in self.parts if part.final and part.failure is None]
        receipts.mark_split(db, [(part.seq, len(part.messages)) for part in split])
        for part in self.parts if len(split) < len(self.parts) else ():
            if part.failure is not None or not part.final:
                receipts.count_messages(db, [(part.seq, len(part.messages))])
            if part.failure is not None:
                receipts.mark_dead(db, part.seq, part.failure)
        messages.put_xrefs(db, [row for part in self.parts for row in part.xrefs])
        self.overtaken = overtaken(db, self.parts)
        going = self.going - {d.delivery_id for d in self.overtaken}
        claimed = deliveries.insert(db, [d for d in self.deliveries if d.delivery_id in going], worker)
        deliveries.insert(db, [d for d in self.deliveries if d.delivery_id not in going])
        rows = [row for part in self.parts for row in part.message_rows if row[0] not in self.built_later]
        rows += [row for part in self.parts for row in part.body_rows if row[0] in claimed]
        rows += self._stamp(db, claimed)
        payloads.insert_rows(db, rows)
        return claimed

    def _stamp(self, db: Database, claimed: set[str]) -> list[tuple[Any, ...]]:
        """Control numbers for the interchanges that go now; gives the rows of their bytes."""
        wanted = [
            (d, body)
            for d in self.deliveries
            if d.delivery_id in claimed and (body := self.bodies[d.delivery_id]).stamp is not None
        ]
        self._stamped = interchanges.stamp(db, wanted, self.now) if wanted else {}
        return bodies.rows_of([(d, self._stamped[d.delivery_id]) for d, _ in wanted], self.now)

    def outgoing(self, claimed: set[str]) -> Iterator[tuple[Delivery, CompiledTarget, Body, Mapping[str, str]]]:
        """The claimed deliveries with what sending them takes."""
        context = {
            m.message_id: {"main_key": m.main_key, "traceparent": m.traceparent, "correlation_id": m.correlation_id}
            for m in self.messages
        }
        for d in self.deliveries:
            if d.delivery_id in claimed:
                target = self.program.find(d.route, d.target) or missing_target(d)
                body = self._stamped.get(d.delivery_id) or self.bodies[d.delivery_id]
                yield d, target, body, context[d.message_id]

    def left(self, claimed: set[str]) -> dict[str, Body]:
        """The bytes of those that were not claimed and wait for nothing but room or their turn."""
        waiting = (d.delivery_id for d in self.deliveries if not d.waits_for and d.delivery_id not in claimed)
        return {delivery_id: self.bodies[delivery_id] for delivery_id in waiting if delivery_id in self.bodies}
