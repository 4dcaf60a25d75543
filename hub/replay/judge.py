"""Whether something can be replayed, and if not, why: asked when a plan is made and again when its turn comes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from hub.message import Delivery
from hub.replay.request import AS_RUN, SEND, START, Request
from hub.states import DELIVERY_WAITING, NEEDS_A_PERSON
from hub.store import bodies, replay_facts
from hub.store.database import Database
from hub.store.dead_letters import DeadLetter
from hub.store.replay_facts import IN_DOUBT, DeliveryFacts, Place, WholeFacts

if TYPE_CHECKING:
    from hub.pipeline.program import Program

MAX_DEPTH = 5
PAGE = 500  # deliveries that are judged by one statement for each fact
REASONS = {
    "in_flight": "it is on its way; wait for its end, or hold it first",
    "already_delivered": "it was delivered; to send it again say delivered: send, and why",
    "partly_delivered": "its first records were delivered; have the sender send the rest, or send all of it again: say "
    "delivered: send, and why",
    "already_replayed": "it, or a part of it, was replayed before; look at that replay",
    "resolved": "somebody has dealt with it, or with a delivery of it",
    "superseded": "a newer message with the same key was delivered; to send it all the same say superseded: send",
    "newer_in_doubt": "a newer message with the same key may have arrived; settle that first, or say superseded: send",
    "payload_pruned": "its bytes are no longer stored (retention or a quota)",
    "depth": f"it has been replayed {MAX_DEPTH} times in a row; something else is wrong",
    "in_doubt": "the last try may have had its effect; look in the target, then `o2c resolve` or `o2c release` it",
    "follows_predecessor": "it comes after another delivery, which is to be replayed first; what is held behind that "
    "goes by itself then, what an operator holds once it is released",
    "not_as_run": "no bytes were ever made of it; replay it with version: current",
    "no_target": "the active set has no such target any more; deploy one that has it",
    "destination": "it has no deliveries yet that a destination could be chosen from",
    "filtered": "no target wanted it; replay it from: start",
    "in_batch": "it is held in a batch with others; `o2c release`, `o2c resolve` or `o2c cancel` that",
    "collected": "it was sent with others as one; replay it with version: current, and it goes in the next batch",
    "batch_in_doubt": "the batch it was sent in may have arrived; look in the target, then `o2c resolve` it, or say "
    "delivered: send, and why",
    "went_out": "it holds what went to a partner; replay the delivery that it names, or `o2c resolve` it",
    "gone": "it is no longer stored",
}


def reasons_against(db: Database, letters: Sequence[DeadLetter], request: Request, program: Program) -> list[str]:
    """For each a key of REASONS; '' when it can be replayed. Deliveries are judged a page at a time."""
    against: dict[str, str] = {}
    ids = [letter.id for letter in letters if letter.kind == "delivery"]
    for at in range(0, len(ids), PAGE):
        page = ids[at : at + PAGE]
        against |= against_deliveries(db, page, replay_facts.of_deliveries(db, page), request, program)
    return [
        against[letter.id] if letter.kind == "delivery" else reason_against_whole(db, letter, request)
        for letter in letters
    ]


def against_deliveries(
    db: Database, ids: Sequence[str], facts: Mapping[str, DeliveryFacts], request: Request, program: Program
) -> dict[str, str]:
    """By id a key of REASONS, '' for those that can be replayed; one statement for each thing that is asked."""
    against = {id: _by_itself(facts[id], request, program) if id in facts else "gone" for id in ids}
    ended = [id for id in ids if id in facts and facts[id].delivery.state not in DELIVERY_WAITING | NEEDS_A_PERSON]
    for id in replay_facts.replayed(db, ended) if ended else ():
        against[id] = "already_replayed"
    left = [facts[id].delivery for id in ids if not against[id]]
    if request.superseded != SEND:
        found = _overtaken(db, {(d.lane, d.system, d.lane_seq) for d in left if d.lane})
        against |= {d.delivery_id: found.get((d.lane, d.system, d.lane_seq), "") for d in left}
        left = [d for d in left if not against[d.delivery_id]]
    return against | _by_bytes(db, left, request)


def _overtaken(db: Database, places: Collection[Place]) -> dict[Place, str]:
    """Of places in lanes those that something newer was delivered from, or may have been."""
    found = replay_facts.overtaken(db, places)
    newer = replay_facts.what_is_newer(db, [place for place in places if place not in found])
    return found | {place: "newer_in_doubt" for place, how in newer.items() if how == IN_DOUBT}


def _by_itself(facts: DeliveryFacts, request: Request, program: Program) -> str:
    """What its own row and the active set say against it."""
    d = facts.delivery
    if against := _by_state(facts, request):
        return against
    if d.replay_depth >= MAX_DEPTH:
        return "depth"
    if d.batch_id is not None and request.version == AS_RUN:
        return "collected"
    if d.batch_id and d.doubt and request.delivered != SEND:
        return "batch_in_doubt"
    return "no_target" if program.find(d.route, d.target) is None else ""


def _by_state(facts: DeliveryFacts, request: Request) -> str:
    d = facts.delivery
    if d.state in ("resolved", "cancelled"):
        return "resolved"
    if d.state == "held" and d.batch_id:
        return "in_batch"
    if d.state in ("held", "dead") and facts.follows:
        return "follows_predecessor"
    if d.state == "held":
        return "in_doubt" if d.doubt else ""
    if d.state in DELIVERY_WAITING:
        return "in_flight"
    has_arrived = d.state == "delivered" or (d.state == "skipped" and facts.hold_reason)  # which was told late
    return "already_delivered" if has_arrived and request.delivered != SEND else ""


def _by_bytes(db: Database, left: Sequence[Delivery], request: Request) -> dict[str, str]:
    """Those among deliveries that have nothing stored to send or to make it of."""
    if request.version == AS_RUN:
        there = bodies.stored(db, [(d.delivery_id, d.revision) for d in left])
        lost = [d for d in left if d.delivery_id not in there]
        return {d.delivery_id: "payload_pruned" if d.tries else "not_as_run" for d in lost}
    there = replay_facts.with_document(db, [d.message_id for d in left])
    return {d.delivery_id: "payload_pruned" for d in left if d.message_id not in there}


def reason_against_whole(db: Database, letter: DeadLetter, request: Request) -> str:
    """Of a message or receipt, which goes through the flow again from its raw bytes."""
    if request.version == AS_RUN:
        return "not_as_run"
    if request.destinations:
        return "destination"
    return _whole(db, letter, request)


def _whole(db: Database, letter: DeadLetter, request: Request) -> str:
    facts = replay_facts.of_whole(db, letter.kind, letter.id)
    if facts is None:
        return "gone"
    if against := _whole_by_state(db, letter, request, facts):
        return against
    if facts.went_out:
        return "went_out"
    if not replay_facts.has_payload(db, facts.raw_owner, "raw"):
        return "payload_pruned"
    if replay_facts.depth_of(db, letter.id, MAX_DEPTH) >= MAX_DEPTH:
        return "depth"
    return "" if request.superseded == SEND else _whole_overtaken(db, letter)


def _whole_overtaken(db: Database, letter: DeadLetter) -> str:
    """By the lanes that it had deliveries in. What never came so far has lanes that its document is going to tell;
    its main key tells the usual one. Of a receipt each message is judged by itself, when it is there again."""
    if letter.kind == "receipt":
        return ""
    if places := replay_facts.places_of(db, letter.id):
        return next(iter(sorted(_overtaken(db, places).values(), reverse=True)), "")
    return "superseded" if replay_facts.is_overtaken(db, letter.main_key, letter.order) else ""


def _whole_by_state(db: Database, letter: DeadLetter, request: Request, facts: WholeFacts) -> str:
    if facts.state == "received":
        return "in_flight"
    if facts.resolved_by:
        return "already_replayed" if facts.is_replayed else "resolved"
    if facts.state == "dead":
        # The first records of a large receipt may have gone through before it died.
        return _by_deliveries(db, letter, request, facts) if letter.kind == "receipt" else ""
    if request.begin != START:
        return "filtered" if facts.state == "filtered" else "already_delivered"
    return _by_deliveries(db, letter, request, facts)


def _by_deliveries(db: Database, letter: DeadLetter, request: Request, facts: WholeFacts) -> str:
    """What goes through again is sent under new keys. So it goes when none of its deliveries is under way, and unasked
    only when none arrived or may have arrived, nobody has dealt with one, and it has not gone through again before."""
    found = replay_facts.delivery_states(db, letter.kind, letter.id, facts.seq)
    states = {state for state, _ in found}
    if facts.is_being_replayed or states & (DELIVERY_WAITING - {"held"}):
        return "in_flight"
    if request.delivered == SEND:
        return ""
    if "delivered" in states:
        return "partly_delivered" if facts.state == "dead" else "already_delivered"
    if facts.is_replayed:
        return "already_replayed"
    settled = {"resolved", "cancelled"}
    if any(is_doubtful and state not in settled for state, is_doubtful in found):
        return "in_doubt"
    return "resolved" if states & settled else ""
