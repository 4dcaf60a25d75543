"""The words of the hub as values: arrival, receipt, message, delivery, attempt. Frozen; only the store changes.

A receipt is what came through a door. It holds one or more messages; a message has one delivery per target; a
delivery has attempts. Times are seconds since 1970 (UTC), the form the store keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

LANE_SHIFT = 20  # up to a million messages in one receipt keep their order within it
RAW, CANONICAL, SENT, EDITED, LOOKUPS = "raw", "canonical", "sent", "edited", "lookups"  # stages of payloads


class Arrival(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a door hands over: bytes not looked into yet. ``dedupe_key`` None means no duplicate check.

    ``size`` is set, and ``raw`` empty, for a body whose chunks lie in the store already. ``content_key`` is what is the
    same where the content is, whatever its id; None where that does not matter. Where it came before, the arrival is
    a repeat, or with ``same_content`` ``alert`` a dead letter. ``traceparent`` is the W3C header, after a space the
    ``tracestate`` that came with it.
    """

    receipt_id: str
    source: str
    event: str
    raw: bytes
    received_at: float
    door: str = "webhook"
    content_type: str = ""
    dedupe_key: str | None = None
    name: str = ""
    reference: str = ""
    traceparent: str = ""
    causation_id: str = ""
    correlation_id: str = ""
    route: str = ""  # a fixed route, for replies and replays
    size: int = -1  # of a body that was streamed into the store before; -1: len(raw)
    raw_owner: str = ""  # the receipt whose raw bytes these are, for a replay from the start
    replay_of: str = ""
    origin_seq: int = 0
    origin_position: int = -1
    content_key: str | None = None
    same_content: str = "skip"


class Accepted(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A receipt that is safely stored. For a repeat ``receipt_id`` and ``seq`` are those of the first. ``claimed``:
    by the process that took it in, which splits it too; ``set_aside``: a dead letter from the start."""

    receipt_id: str
    seq: int
    duplicate: bool = False
    claimed: bool = False
    set_aside: bool = False


class Receipt(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A stored receipt on its way to be split. ``seq`` is the order of arrival."""

    seq: int
    receipt_id: str
    source: str
    event: str
    received_at: float
    raw: bytes
    content_type: str = ""
    traceparent: str = ""
    causation_id: str = ""
    correlation_id: str = ""
    route: str = ""
    crashes: int = 0
    name: str = ""
    raw_owner: str = ""
    replay_of: str = ""
    origin_seq: int = 0
    origin_position: int = -1


class Message(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One message of a receipt. Its documents are payloads of their own."""

    message_id: str
    seq: int
    position: int
    source: str
    event: str
    route: str
    type: str
    state: str
    received_at: float
    place: str = ""
    main_key: str = ""
    keys: Sequence[tuple[str, str, str]] = ()
    failure: Mapping[str, Any] | None = None
    fingerprint: str = ""
    set_id: int = 0
    correlation_id: str = ""
    causation_id: str = ""
    traceparent: str = ""


class Delivery(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One message to one target.

    ``lane`` is the key whose order is kept ('' for none), ``lane_seq`` the place in it. ``revision`` numbers the
    bytes: a retry sends the same revision, changed bytes after a definite refusal take the next.
    """

    delivery_id: str
    message_id: str
    lane_seq: int
    source: str
    route: str
    target: str
    system: str
    lane: str
    state: str
    created_at: float
    due_at: float | None = None
    attempts: int = 0
    revision: int = 1
    set_id: int = 0
    waits_for: str = ""
    replay_of: str = ""
    replay_depth: int = 0
    doubt: bool = False
    rebuild: bool = False
    failure: Mapping[str, Any] | None = None
    fingerprint: str = ""
    received_at: float = 0.0
    crashes: int = 0
    effect_id: str = ""

    @property
    def seq(self) -> int:
        return self.lane_seq >> LANE_SHIFT

    @property
    def key(self) -> str:
        """The idempotency key the receiver sees."""
        return f"{self.effect_id or self.delivery_id}.{self.revision}"


class Body(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The encoded bytes of a delivery, stored with its first attempt and sent unchanged by every retry."""

    content: bytes
    content_type: str


class Finish(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The end of one attempt: the delivery's next state and what the attempt's row says."""

    delivery_id: str
    state: str
    at: float
    started_at: float
    number: int
    revision: int
    set_id: int
    due_at: float | None = None
    outcome: str = ""
    status: int = 0
    code: str = ""
    detail: str = ""
    failure: Mapping[str, Any] | None = None
    fingerprint: str = ""
    response: bytes = b""
    blocks_lane: bool = False
    counts: bool = True
    doubt: bool = False
    hold_reason: str = ""
    has_children: bool = True  # whether other targets may come after this one
    reference: str = ""  # what the receiver calls what the try has made


def lane_seq(seq: int, position: int) -> int:
    """The place in a lane of a message: by arrival, then by position within its receipt."""
    return (seq << LANE_SHIFT) | position
