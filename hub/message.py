"""The words of the hub as values: arrival, receipt, message, delivery, attempt. Frozen; only the store changes.

A receipt is what came through a door. It holds one or more messages; a message has one delivery per target; a
delivery has attempts. Times are seconds since 1970 (UTC), the form the store keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

LANE_SHIFT = 20  # up to a million messages in one receipt keep their order within it
RAW, CANONICAL, SENT, LOOKUPS = "raw", "canonical", "sent", "lookups"  # stages of payloads


class Arrival(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a door hands over: bytes not looked into yet. ``dedupe_key`` None means no duplicate check.

    ``size`` is set, and ``raw`` empty, for a body whose chunks lie in the store already. ``content_key`` is what is the
    same where the content is, whatever its id; None where that does not matter. Where it came before, the arrival is
    a repeat, or with ``same_content`` ``alert`` a dead letter. ``item`` is what a source gives again and again: such an
    arrival is a repeat where its ``dedupe_key`` is one of the last ``round`` in which the item came (-1: each arrival
    is one). ``other_key`` is another ``dedupe_key`` that it may have come under. ``is_part``: there is more under its
    ``reference``, which is settled when ``receipts.have_all_come``.
    ``traceparent`` is the W3C header, after a space the ``tracestate`` that came with it.
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
    item: str = ""
    round: int = 0
    is_part: bool = False
    other_key: str = ""


class Accepted(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A receipt that is safely stored. For a repeat ``receipt_id`` and ``seq`` are those of the first. ``claimed``:
    by the process that took it in, which splits it too; ``set_aside``: a dead letter from the start."""

    receipt_id: str
    seq: int
    duplicate: bool = False
    claimed: bool = False
    set_aside: bool = False


class Receipt(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A stored receipt on its way to be split. ``seq`` is the order of arrival; ``begun`` is how many of its messages
    are stored, more than none only where the hub was interrupted in a large one. ``origin_place`` is the place of the
    message that is replayed."""

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
    begun: int = 0
    origin_place: str = ""


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
    bytes: a retry sends the same revision, changed bytes after a definite refusal take the next. ``attempts`` are the
    tries that the retry policy counts, ``tries`` all that have ended, look-ups too.

    ``batch_id`` is None where it goes alone; '' where it waits to be collected; else that of the first delivery of the
    batch it is sent in, which is the one that is tried: all the others follow it.

    ``expires_at`` is until when it may be sent, None: whenever.
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
    batch_id: str | None = None
    tries: int = 0
    expires_at: float | None = None

    @property
    def seq(self) -> int:
        return self.lane_seq >> LANE_SHIFT

    @property
    def key(self) -> str:
        """The idempotency key the receiver sees."""
        return f"{self.batch_id or self.effect_id or self.delivery_id}.{self.revision}"

    def has_expired(self, now: float) -> bool:
        """Whether its time to be sent is over. What is in doubt does not expire, since it may have arrived, nor what
        waits for the target it comes after."""
        is_over = self.expires_at is not None and self.expires_at <= now
        return is_over and not self.doubt and not self.waits_for and self.state in ("queued", "retrying")

    @property
    def waits_to_be_collected(self) -> bool:
        return self.batch_id == ""

    @property
    def is_batch(self) -> bool:
        """Whether the bytes of a whole batch are its."""
        return self.batch_id == self.delivery_id


class Stamp(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an interchange to a partner still needs when it is stored: control numbers, ``first`` of interchange, group
    and message where none was given yet (0: it has none of this kind), and the time. ``ack_within`` seconds after it
    was delivered the partner must have acknowledged it; None: it need not. ``documents`` are the numbers of what its
    messages carry, one each."""

    partner: str
    type: str
    first: tuple[int, int, int] = (1, 1, 1)
    time_zone: str = "UTC"
    ack_within: float | None = None
    documents: Sequence[str] = ("",)


class Body(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The encoded bytes of a delivery, stored with its first attempt and sent unchanged by every retry. ``lookups`` is
    what was read of the store's cross-references to make them, as JSON; b"" where nothing was. With a ``stamp`` they
    are not complete yet."""

    content: bytes
    content_type: str
    lookups: bytes = b""
    stamp: Stamp | None = None


class Answered(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a partner says of something of ours: ``kind`` is interchange or group, whose control ``number`` it is, or
    document, one of the numbers in ``documents`` by what it says of its content (``number`` is then its group's, 0: it
    does not say). ``verdict`` is accepted, received or rejected; where there are several messages in the interchange or
    group, ``messages`` has that of each it names by number, and ``rest`` is that of the others."""

    partner: str
    kind: str
    number: int
    verdict: str
    receipt_id: str
    seq: int
    position: int
    documents: Sequence[str] = ()
    message: int = 0
    messages: Sequence[tuple[int, str]] = ()
    rest: str = ""


class Subject(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a partner's message was, as an advice about it says: its type, release and what follows that, its reference
    and those of its interchange and group, number and date of the document, sender and receiver of the group."""

    type: str
    release: str
    association: str = ""
    reference: str = ""
    interchange: str = ""
    group: str = ""
    number: str = ""
    date: str = ""
    sender: str = ""
    receiver: str = ""


class Advised(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A message whose partner is told what becomes of it; ``place`` is its place in the order of arrival, which a
    replay of it keeps."""

    place: int
    partner: str
    message_id: str
    subject: Subject


class Came(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An interchange of a partner among what a receipt holds: its control number, where it begins (the receipt, and the
    position of its first message), a digest of its content, and what becomes of another one with the number: ``refuse``
    or ``accept``; ``again`` where it is replayed as a whole, which takes in what is not the same; ``anew`` where one
    message or all of a receipt is replayed, which takes in whatever came before. ``is_partial``: its envelope is at
    fault, so that some of it may be missing, and its messages are remembered one by one. ``refusal``: the document that
    tells its sender, where other content came before under its number; b"": nobody is told. ``shown``: what its header
    proves its sender with, (kind, value, qualifier) each; empty where that is not looked at. ``origin``: of a receipt
    that is replayed as a whole the first one it is of; what that repeated of others stays a repeat."""

    partner: str
    number: str
    seq: int
    position: int
    digest: str
    policy: str = "refuse"
    is_partial: bool = False
    refusal: bytes = b""
    shown: tuple[tuple[str, str, str], ...] = ()
    origin: int = 0


class Taken(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A good message of an interchange: where it stands, its reference in the interchange, a digest of its bytes; and
    which ``part`` of it this is (``LIN_group 2``), where it is parted."""

    position: int
    reference: str
    digest: str
    part: str = ""


class Stated(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A bank statement, or a part of a long one, among what a receipt holds, as it is known again: ``account`` with its
    bank and currency, the last ``day`` it tells of, its ``number`` (0: none), digests of all it says and of its amounts
    and days alone. ``made_at`` is of reports within the day, several of which may have one id. ``place`` is its place
    in the order of arrival, which a replay of it keeps. ``seen_at`` is when it was taken in."""

    account: str
    report_type: str
    statement_id: str
    day: str
    made_at: str
    page: int
    part: int
    number: int
    opening: str
    closing: str
    digest: str
    sums: str
    set_id: int
    source: str
    route: str
    message_id: str
    place: int
    seen_at: float = 0.0
    is_replayed: bool = False

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"statement {self.statement_id} of {self.day} (message {self.message_id})"


class Finish(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The end of one attempt: the delivery's next state and what the attempt's row says. ``number`` is that of the
    attempt among all of the delivery."""

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
    is_batch: bool = False  # it is the end of every delivery of its batch
    reference: str = ""  # what the receiver calls what the try has made

    @property
    def end(self) -> tuple[str, str]:
        """Which delivery this makes what."""
        return self.delivery_id, self.state


def lane_seq(seq: int, position: int) -> int:
    """The place in a lane of a message: by arrival, then by position within its receipt."""
    return (seq << LANE_SHIFT) | position
