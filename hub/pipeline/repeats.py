"""What only the store knows of an interchange: that its control number came before, the same content being a repeat and
other content a dead letter; where some of it was missing then, which of its messages were taken in; that a document in
it came before under another number; that it acknowledges a number which was never given."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from msgspec.structs import replace

from hub.clock import iso
from hub.formats._acks_read import REJECTED
from hub.message import Answered, Came, Message
from hub.outcome import Failure
from hub.pipeline.program import is_acknowledgement
from hub.pipeline.transformed import Transformed
from hub.store import interchanges, replay_facts
from hub.store.database import Database
from hub.store.interchanges import Before

_END = 1 << 62
_CAME_BEFORE = "document_came_before"


def without_repeats(db: Database, parts: Sequence[Transformed], now: float) -> list[Transformed]:
    """The parts as they are stored: what came before is taken out of them, one message telling so in its place."""
    before = interchanges.remember(db, list(dict.fromkeys(came for part in parts for came in part.came)), now)
    return [
        _without(db, part, before, now) if any(came in before or came.is_partial for came in part.came) else part
        for part in parts
    ]


def _without(db: Database, part: Transformed, before: dict[Came, Before], now: float) -> Transformed:
    for came in part.came:
        end = min((begin for begin in part.begins if begin > came.position), default=_END)
        found = before.get(came)
        here = [m for m in part.messages if came.position <= m.position < end]
        is_replayed = came.policy in ("again", "anew")
        policy = "again" if found and _repeats_another(came, found) else came.policy
        if came.policy == "again" and (told := _told_apart(db, part, came, here)):
            part, here = part.without(told), [m for m in here if m.message_id not in told]
        if found.is_partial and (is_replayed or not found.is_same) if found else came.is_partial:
            taken = [each for each in part.taken if came.position <= each.position < end]
            repeated, other = interchanges.take(db, came, taken, now)
            if found and policy in ("refuse", "again"):
                part = _used(part, came, [m for m in here if m.position in other], found)
            if found and policy != "anew":
                part = _taken_out(part, came, [m for m in here if m.position in repeated], found, is_repeat=True)
        elif found and policy != "anew" and (found.is_same or policy == "refuse"):
            # Who sends a repeat may be waiting for the acknowledgement: it goes once more.
            gone = [m for m in here if not (found.is_same and is_acknowledgement(m.route))]
            part = _taken_out(part, came, gone, found, found.is_same)
    return part


def _repeats_another(came: Came, found: Before) -> bool:
    """Whether a receipt that is replayed as a whole holds a repeat: the same was taken in of another."""
    return found.is_same and 0 < found.origin != came.origin > 0


def _told_apart(db: Database, part: Transformed, came: Came, here: Sequence[Message]) -> set[str]:
    """Messages of an interchange that is replayed as a whole which are not its matter: each has become something
    before, if only a dead letter of its own, under which it is replayed."""
    places = interchanges.told_apart(db, part.seq)
    known = {begin for place in places for begin in accumulate(place.split(", "), "{}, {}".format)}
    parts = {each.position: f", {each.part}" for each in part.taken}
    own = [m for m in here if m.position > came.position]
    return {m.message_id for m in own if m.place.removesuffix(parts.get(m.position, "")) in known}


def _used(part: Transformed, came: Came, used: Sequence[Message], before: Before) -> Transformed:
    """Messages whose references came before, with other bytes, are dead letters each in its place."""
    for message in used:
        refused = _refused(message, came, before)
        dead = replace(refused, position=message.position, place=message.place, event=message.event)
        part = _taken_out(part, came, [message], before, is_repeat=False, told=[dead])
    return part


def _taken_out(
    part: Transformed, came: Came, gone: Sequence[Message], before: Before, is_repeat: bool,
    told: Sequence[Message] | None = None,
) -> Transformed:  # fmt: skip
    """The part without some of an interchange's messages; one message tells of them."""
    if not gone:
        return part
    ids = {message.message_id for message in gone}
    if told is None:
        # A large interchange comes in several parts; that it came before is told once. Where something is told of its
        # envelope, that stands there.
        is_free = all(message.position != came.position or message.message_id in ids for message in part.messages)
        first = _repeat(gone[0], came) if is_repeat else _refused(gone[0], came, before)
        told = [first] if came.position in part.begins and is_free else []
        if told and came.refusal and not is_repeat:
            part = replace(part, refused=[*part.refused, (came, first.message_id, came.refusal)])
    left = part.without(ids)
    return replace(left, messages=sorted([*left.messages, *told], key=lambda m: m.position))


def _repeat(first: Message, came: Came) -> Message:
    return replace(
        first, position=came.position, place=f"interchange {came.number}", event="repeat", main_key="", keys=(),
        state="filtered", failure=None, fingerprint="",
    )  # fmt: skip


def _refused(first: Message, came: Came, before: Before) -> Message:
    detail = (
        f"partner '{came.partner}' has used the control number {came.number} before, with other content: receipt "
        f"{before.receipt_id or '(pruned)'}, received {iso(before.received_at)}"
    )
    hint = "ask the partner which of them holds; to take this one in as well, replay it from the start"
    failure = Failure("duplicate", "control_number_used", detail, step="decode", hint=hint).printed(first.route)
    return replace(
        first, position=came.position, place=f"interchange {came.number}", event="", main_key="", keys=(),
        state="dead", failure=failure.as_dict(), fingerprint=failure.fingerprint,
    )  # fmt: skip


def without_known_documents(db: Database, parts: Sequence[Transformed], now: float) -> list[Transformed]:
    """The parts with a dead letter for each document that came before, the same in every field."""
    here = {(m.seq, m.position) for part in parts for m in part.messages if m.state == "routed"}
    came = [each for part in parts for each in part.documents_came if (each.seq, each.position) in here]
    found = interchanges.remember(db, came, now)
    before = {(each.seq, each.position): first for each, first in found.items() if not _is_meant(db, each, first)}
    return [_with_refused_documents(part, before) for part in parts] if before else list(parts)


def _is_meant(db: Database, came: Came, before: Before) -> bool:
    """Whether a person knew that a document came before, and replays it all the same, or what came is of the same
    bytes, mostly itself. One that was a dead letter for something else may have come in others since."""
    is_of_these = before.origin == came.origin
    return came.policy == "anew" and (is_of_these or replay_facts.was_told(db, came.seq, _CAME_BEFORE))


def _with_refused_documents(part: Transformed, before: dict[tuple[int, int], Before]) -> Transformed:
    ids = {message.message_id for message in part.messages if (message.seq, message.position) in before}
    partners = {(each.seq, each.position): each.partner for each in part.documents_came}
    return replace(
        part.ended(ids),
        messages=[
            _came_before(m, partners[place], before[place]) if (place := (m.seq, m.position)) in before else m
            for m in part.messages
        ],
    )


def _came_before(message: Message, partner: str, before: Before) -> Message:
    detail = (
        f"partner '{partner}' has sent this {message.event} ({message.main_key}) before, the same in every field, "
        f"under another control number: receipt {before.receipt_id or '(pruned)'}, received {iso(before.received_at)}"
    )
    hint = (
        f"ask the partner whether it is meant twice; if so: o2c replay {message.message_id} --superseded send; else "
        "`o2c resolve` it"
    )
    failure = Failure("duplicate", _CAME_BEFORE, detail, step="receive", hint=hint).printed(message.route)
    return replace(message, state="dead", failure=failure.as_dict(), fingerprint=failure.fingerprint)


def with_what_it_is_of(db: Database, message: Message, answered: Sequence[Answered]) -> Message:
    """The message; a rejection names the delivery that was rejected, which is what a person replays."""
    if message.failure is None or message.failure["code"] != "rejected_by_partner":
        return message
    here = [a for a in answered if (a.seq, a.position, a.verdict) == (message.seq, message.position, REJECTED)]
    found = [each for a in here for each in interchanges.carriers(db, a)]
    if not found:
        return message
    detail = f"{message.failure['detail']}; it went as {' and '.join(f'{type}, delivery {id}' for type, id in found)}"
    again = {"delivery_id": found[0][1]} if len(found) == 1 else {}
    return replace(message, failure={**message.failure, "detail": detail, **again})


def of_no_number(message: Message, strange: Sequence[Answered]) -> Message:
    """The message, a dead letter where it acknowledges what was never sent."""
    found = next((a for a in strange if (a.seq, a.position) == (message.seq, message.position)), None)
    if found is None:
        return message
    named = found.documents[0] if found.kind == "document" and found.documents else str(found.number)
    detail = f"partner '{found.partner}' acknowledges our {found.kind} {named}, which was never sent to it"
    if message.failure is not None:
        detail = f"{message.failure['detail']}; our {found.kind} {named} was never sent to it"
    hint = "ask the partner what it has got; where another system sends to it as well, give each its own numbers"
    failure = Failure("lookup_missing", "acknowledges_nothing", detail, step="receive", hint=hint).printed(
        found.partner
    )
    return replace(message, state="dead", failure=failure.as_dict(), fingerprint=failure.fingerprint)
