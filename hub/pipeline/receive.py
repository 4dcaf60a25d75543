"""Bytes from a door become a stored receipt, once, before anything is acknowledged: group commit.

Concurrent arrivals share a transaction and its one fsync. A group ends at 256 rows or 1 MB. At low load the group is
one and is committed in the thread that brought it, which saves two thread switches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.keys import bounded
from hub.message import RAW, Accepted, Arrival, Receipt
from hub.pipeline.refused import is_refusal
from hub.store import Store, payloads, receipts
from hub.store.commit import Part
from hub.store.database import Database

GROUP_ROWS, GROUP_BYTES = 256, 1_000_000
_INLINE = 12  # groups up to this size are committed where they are when the writer is idle

Answered = Callable[[Sequence[Arrival], list[Accepted] | None, Exception | None], None]
Received = Callable[[Sequence[tuple[Arrival, Accepted]]], None]


class Intake(msgspec.Struct, frozen=True):
    """Accepts arrivals into the store, for ``worker`` to split, or with None for whoever is told of them first.
    ``received`` is told of every committed group."""

    store: Store
    worker: str | None
    received: Received

    def accept(self, arrivals: Sequence[Arrival]) -> list[Accepted]:
        """Store arrivals now; durable on return."""
        job = self._job(arrivals)
        accepted: list[Accepted] = self.store.write(job)
        self.received(list(zip(arrivals, accepted, strict=True)))
        return accepted

    def accept_soon(self, arrivals: Sequence[Arrival], answered: Answered) -> None:
        """Store arrivals; ``answered`` is called after the commit, from this thread or the writer's."""
        for group in groups(arrivals):
            self._submit(group, answered)

    def _submit(self, group: Sequence[Arrival], answered: Answered) -> None:
        def done(accepted: list[Accepted] | None, error: Exception | None) -> None:
            if error is not None and len(group) > 1 and is_refusal(error):
                # One row that the database refuses must not fail its neighbours.
                for arrival in group:
                    self._submit([arrival], answered)
                return
            try:
                answered(group, accepted, error)
            finally:
                # Whatever became of the answer: they are stored, and claimed for this process to split.
                if accepted is not None:
                    self.received(list(zip(group, accepted, strict=True)))

        job = self._job(group)
        if len(group) > _INLINE or not self.store.committer.try_now(job, done):
            self.store.committer.submit(job, done)

    def _job(self, group: Sequence[Arrival]) -> Part:
        group = [_fitting(arrival) for arrival in group]
        own = [(a.receipt_id, RAW, 1, a.content_type, a.raw) for a in group if a.size < 0 and not a.raw_owner]
        return Part(self._accept, (group, payloads.packed_rows(own, group[0].received_at)))

    def _accept(self, db: Database, parts: list[tuple[Sequence[Arrival], list[Any]]]) -> list[list[Accepted]]:
        """Groups that came while the writer was busy, with the statements of one."""
        arrivals, rows = [a for group, _ in parts for a in group], [row for _, own in parts for row in own]
        accepted = iter(receipts.accept(db, arrivals, rows, self.worker))
        return [list(islice(accepted, len(group))) for group, _ in parts]


def _fitting(arrival: Arrival) -> Arrival:
    """The arrival with what tells its repeats as every store can look it up, however long its sender makes it."""
    told = (arrival.dedupe_key, arrival.content_key, arrival.item, arrival.other_key)
    key, content, item, other = (text and bounded(text) for text in told)
    if (key, content, item, other) == told:
        return arrival
    return replace(arrival, dedupe_key=key, content_key=content, item=item or "", other_key=other or "")


def groups(arrivals: Sequence[Arrival]) -> list[Sequence[Arrival]]:
    """Arrivals in groups of at most GROUP_ROWS rows and about GROUP_BYTES bytes."""
    if len(arrivals) <= GROUP_ROWS and sum(len(a.raw) for a in arrivals) <= GROUP_BYTES:
        return [arrivals]
    result: list[list[Arrival]] = [[]]
    size = 0
    for arrival in arrivals:
        if result[-1] and (len(result[-1]) >= GROUP_ROWS or size + len(arrival.raw) > GROUP_BYTES):
            result.append([])
            size = 0
        result[-1].append(arrival)
        size += len(arrival.raw)
    return list(result)


def as_receipt(arrival: Arrival, accepted: Accepted) -> Receipt:
    """The receipt of an arrival that was just stored, without reading it back."""
    return Receipt(
        seq=accepted.seq, receipt_id=arrival.receipt_id, source=arrival.source, event=arrival.event,
        received_at=arrival.received_at, raw=arrival.raw, content_type=arrival.content_type,
        traceparent=arrival.traceparent, causation_id=arrival.causation_id, correlation_id=arrival.correlation_id,
        route=arrival.route, name=arrival.name, raw_owner=arrival.raw_owner, replay_of=arrival.replay_of,
        origin_seq=arrival.origin_seq, origin_position=arrival.origin_position,
    )  # fmt: skip
