"""Whether something can be replayed, and if not, why: asked when a plan is made and again when its turn comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.replay.request import AS_RUN, SEND, START, Request
from hub.states import DELIVERY_WAITING
from hub.store import replay_facts
from hub.store.database import Database
from hub.store.dead_letters import DeadLetter
from hub.store.replay_facts import DeliveryFacts, WholeFacts

if TYPE_CHECKING:
    from hub.pipeline.program import Program

MAX_DEPTH = 5
REASONS = {
    "in_flight": "it is on its way; wait for its end, or hold it first",
    "already_delivered": "it was delivered; to send it again say delivered: send, and why",
    "partly_delivered": "its first records were delivered; have the sender send the rest, or send all of it again: say "
    "delivered: send, and why",
    "already_replayed": "it was replayed before; look at that replay",
    "resolved": "somebody has dealt with it",
    "superseded": "a newer message with the same key was delivered; to send it all the same say superseded: send",
    "payload_pruned": "its bytes are no longer stored (retention or a quota)",
    "depth": f"it has been replayed {MAX_DEPTH} times in a row; something else is wrong",
    "in_doubt": "the last try may have had its effect; look in the target, then resolve or release it",
    "follows_predecessor": "it waits for another delivery and goes by itself when that one is replayed",
    "not_as_run": "no bytes were ever made of it; replay it with version: current",
    "no_target": "the active set has no such target any more; deploy one that has it",
    "destination": "it has no deliveries yet that a destination could be chosen from",
    "filtered": "no target wanted it; replay it from: start",
    "gone": "it is no longer stored",
}


def reason_against(db: Database, letter: DeadLetter, request: Request, program: Program) -> str:
    """A key of REASONS; '' when it can be replayed."""
    if letter.kind == "delivery":
        return _delivery(db, letter, request, program)
    if request.version == AS_RUN:
        return "not_as_run"
    if request.destinations:
        return "destination"
    return _whole(db, letter, request)


def _delivery(db: Database, letter: DeadLetter, request: Request, program: Program) -> str:
    facts = replay_facts.of_delivery(db, letter.id)
    if facts is None:
        return "gone"
    if against := _by_state(db, letter, request, facts):
        return against
    if facts.depth >= MAX_DEPTH:
        return "depth"
    if program.find(letter.route, letter.target) is None:
        return "no_target"
    if request.superseded != SEND and replay_facts.is_superseded(db, facts.lane, letter.system, letter.order):
        return "superseded"
    return _bytes(db, letter, request, facts)


def _by_state(db: Database, letter: DeadLetter, request: Request, facts: DeliveryFacts) -> str:
    if facts.state in ("resolved", "cancelled"):
        return "already_replayed" if replay_facts.is_replayed(db, letter.id) else "resolved"
    if facts.state == "held":
        return "follows_predecessor" if facts.hold_reason == "predecessor" else "in_doubt" if facts.doubt else ""
    if facts.state in DELIVERY_WAITING:
        return "in_flight"
    if facts.state != "dead" and replay_facts.is_replayed(db, letter.id):
        return "already_replayed"
    return "already_delivered" if facts.state == "delivered" and request.delivered != SEND else ""


def _bytes(db: Database, letter: DeadLetter, request: Request, facts: DeliveryFacts) -> str:
    if request.version == AS_RUN:
        if replay_facts.has_payload(db, letter.id, "sent", facts.revision):
            return ""
        return "payload_pruned" if facts.attempts else "not_as_run"
    return "" if replay_facts.has_payload(db, letter.message_id, "canonical") else "payload_pruned"


def _whole(db: Database, letter: DeadLetter, request: Request) -> str:
    """A message or receipt, which goes through the flow again from its raw bytes."""
    facts = replay_facts.of_whole(db, letter.kind, letter.id)
    if facts is None:
        return "gone"
    if against := _whole_by_state(db, letter, request, facts):
        return against
    if not replay_facts.has_payload(db, facts.raw_owner, "raw"):
        return "payload_pruned"
    if replay_facts.depth_of(db, letter.id, MAX_DEPTH) >= MAX_DEPTH:
        return "depth"
    # Its lanes are made of its document; as far as it got, its main key tells the usual one.
    superseded = request.superseded != SEND and replay_facts.is_superseded(db, letter.main_key, "", letter.order)
    return "superseded" if superseded else ""


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
    """A message that got through goes through again only when none of its deliveries is under way or arrived."""
    states = replay_facts.delivery_states(db, letter.kind, letter.id, facts.seq)
    if any(state in DELIVERY_WAITING and state != "held" for state in states):
        return "in_flight"
    if "delivered" in states and request.delivered != SEND:
        return "partly_delivered" if facts.state == "dead" else "already_delivered"
    return "in_flight" if facts.is_being_replayed else ""
