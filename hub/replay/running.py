"""Doing what a plan says: page by page, each one short transaction that also records what came of its items.

An item is done in the very transaction that marks it done, so a crash repeats none and loses none. A page is only begun
where few deliveries wait for the systems it goes to, so that what comes in meanwhile has its turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

import hub
from hub.message import Accepted, Arrival, Delivery
from hub.pipeline.overtaken import REPLAY, REPLAY_OF_ALL
from hub.replay.judge import against_deliveries, reason_against_whole
from hub.replay.request import AS_RUN, SEND, Request, request_of
from hub.states import NEEDS_A_PERSON
from hub.store import (
    bodies,
    dead_letters,
    deliveries,
    interventions,
    message_view,
    pruning,
    receipts,
    replay_facts,
    replays,
    sets,
    switches,
    waiting,
)
from hub.store.database import Database
from hub.store.dead_letters import DeadLetter
from hub.store.replays import Item

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine

PAGE = 250
_AGAIN_SECONDS = 1.0  # until what is left of a page that had nothing else is looked at again
MOST_WAITING = 1000  # deliveries of one route to one system; more are not added to them


@dataclass(slots=True)
class Effects:
    """What a page set going: told to the engine after the commit."""

    systems: set[str] = field(default_factory=set)
    arrivals: list[tuple[Arrival, Accepted]] = field(default_factory=list)
    items: int = 0


class NoRoom(Exception):
    """Enough waits for a system that a page would go to; the page is left as it is."""


def run_page(engine: Engine, replay_id: str) -> int | None:
    """Do the next items of a running replay, as many as its rate lets go now and there is room for; gives how many
    were done. None when none is left, or when it runs no more."""
    now = engine.clock.epoch()

    def job(db: Database) -> Effects | None:
        pruning.in_turn(db)
        replay = replays.hold(db, replay_id)
        if replay is None:
            return None
        request, effects = request_of(replay.request), Effects()
        allowed, next_at = _pace(request.rate_per_second, replay.next_at, now)
        if not allowed:
            return effects
        found = replays.waiting(db, replay_id, replay.done_to, allowed)
        found = found or (replays.waiting(db, replay_id, 0, allowed) if replay.done_to else [])
        if not found:
            return None
        done = _done(engine, db, found, request, now, effects)
        replays.mark_items(db, replay_id, done)
        rate = request.rate_per_second
        go_on_at = now + _AGAIN_SECONDS if not done else next_at + len(done) / rate if rate else None
        replays.went_on(db, replay_id, found[-1].ordinal + 1, go_on_at)
        effects.items = len(done)
        return effects

    try:
        effects: Effects | None = engine.store.write(job)
    except NoRoom:
        return 0
    if effects is None:
        return None
    if effects.arrivals:
        engine.intake.received(effects.arrivals)
    for system in sorted(effects.systems):
        engine.wake.pump(system)
    return effects.items


def _pace(rate: float | None, next_at: float | None, now: float) -> tuple[int, float]:
    """(how many items may go now, the moment that the next are counted from). Time away makes no burst."""
    if rate is None:
        waits = next_at is not None and now < next_at <= now + _AGAIN_SECONDS  # else the clock was put back
        return (0 if waits else PAGE), now
    start = max(next_at if next_at is not None else now, now - 1.0)
    return (min(int((now - start) * rate) + 1, PAGE), start) if start <= now else (0, start)


def _done(
    engine: Engine, db: Database, found: Sequence[Item], request: Request, now: float, effects: Effects
) -> list[Item]:
    """Items with what came of them. One that somebody else has changed meanwhile, or before which something newer is on
    its way, is left, and has its turn again after all the others."""
    done: list[Item] = []
    for kind, items in groupby(found, key=lambda item: item.kind):
        some = _deliveries if kind == "delivery" else _wholes
        done += some(engine, db, list(items), request, now, effects)
    return done


# -- deliveries again ----------------------------------------------------------------------------------------------


def _deliveries(
    engine: Engine, db: Database, items: Sequence[Item], request: Request, now: float, effects: Effects
) -> list[Item]:
    """New deliveries in the old ones' places in their lanes, with the old ones' keys towards the receiver."""
    ids = [item.item_id for item in items]
    facts = replay_facts.of_deliveries(db, ids)
    against = against_deliveries(db, ids, facts, request, engine.program)
    olds = [facts[id].delivery for id in ids if not against[id]]
    early = _while_newer_are_on_their_way(db, olds, request)
    olds = [old for old in olds if old.delivery_id not in early]
    _require_room(engine, db, olds, now)
    made = _made(engine, db, olds, request.version == AS_RUN, now)
    ended = [(old.delivery_id, old.state, f"replayed by {made[old.delivery_id].delivery_id}")
             for old in olds if old.state in NEEDS_A_PERSON]  # fmt: skip
    left = early | {id for id, _, _ in ended} - deliveries.replaced(db, ended, now)
    olds = [old for old in olds if old.delivery_id not in left]
    deliveries.insert(db, [made[old.delivery_id] for old in olds])
    replay_facts.adopt_followers(db, [(old.delivery_id, made[old.delivery_id].delivery_id) for old in olds])
    same = [(old, made[old.delivery_id].delivery_id) for old in olds if not made[old.delivery_id].rebuild]
    replay_facts.copy_sent(db, same)
    effects.systems |= {old.system for old in olds}
    return [
        replace(item, state="skipped", note=against[item.item_id])
        if against[item.item_id]
        else replace(item, state="started", new_id=made[item.item_id].delivery_id)
        for item in items
        if item.item_id not in left
    ]


def _while_newer_are_on_their_way(db: Database, olds: Sequence[Delivery], request: Request) -> set[str]:
    """Those that something newer of their lane is just being sent before, by id: whether that supersedes them is known
    when it has ended."""
    if request.superseded == SEND:
        return set()
    newer = replay_facts.what_is_newer(db, {(d.lane, d.system, d.lane_seq) for d in olds if d.lane})
    return {d.delivery_id for d in olds if newer.get((d.lane, d.system, d.lane_seq)) == replay_facts.ON_ITS_WAY}


def _require_room(engine: Engine, db: Database, olds: Sequence[Delivery], now: float) -> None:
    """Raises NoRoom where enough waits already. What waits for a system that nothing goes to is in nobody's way."""
    for system, route in sorted({(old.system, old.route) for old in olds}):
        stands = switches.is_off(db, "system", system) or switches.is_off(db, "route", route)
        if stands or not engine.dispatcher.gates.of(system).lets_through(now):
            continue
        if waiting.due_now(db, system, route, now, MOST_WAITING) >= MOST_WAITING:
            raise NoRoom


def _made(engine: Engine, db: Database, olds: Sequence[Delivery], as_run: bool, now: float) -> Mapping[str, Delivery]:
    """The new delivery of each old one, by the old one's id. Bytes that would come out as they were need not be made
    again: those that the same files and the same hub made, without asking the store for anything that changes."""
    kept = bodies.stored(db, [(old.delivery_id, old.revision) for old in olds if old.tries])
    program = engine.program
    is_same_hub = sets.version_of(db, program.set_id) == hub.__version__
    made = {}
    for old in olds:
        target, is_kept = program.find(old.route, old.target), old.delivery_id in kept
        is_fixed = is_same_hub and old.set_id == program.set_id and target is not None and target.is_fixed
        made[old.delivery_id] = _new(engine, old, is_kept, as_run or (is_kept and is_fixed), now)
    return made


def _new(engine: Engine, old: Delivery, is_kept: bool, unchanged: bool, now: float) -> Delivery:
    """Built anew, the engine compares with the old bytes; where these are pruned they count as changed. What was sent
    in a batch, or is to be, is a delivery of its own: the bytes and the key were those of the batch."""
    target = engine.program.find(old.route, old.target)
    collects = target is not None and target.collect is not None
    expires_at = target.target.expires_at(now) if target is not None else None
    if collects or old.batch_id is not None:
        return Delivery(
            delivery_id=engine.clock.new_id(), message_id=old.message_id, lane_seq=old.lane_seq, source=old.source,
            route=old.route, target=old.target, system=old.system, lane=old.lane, state="queued", created_at=now,
            set_id=engine.program.set_id, replay_of=old.delivery_id, replay_depth=old.replay_depth + 1,
            received_at=old.received_at, rebuild=True, batch_id="" if collects else None, expires_at=expires_at,
        )  # fmt: skip
    same = unchanged or not old.tries or old.doubt or is_kept
    return Delivery(
        delivery_id=engine.clock.new_id(), message_id=old.message_id, lane_seq=old.lane_seq, source=old.source,
        route=old.route, target=old.target, system=old.system, lane=old.lane, state="queued", created_at=now,
        set_id=old.set_id if unchanged else engine.program.set_id, revision=old.revision if same else old.revision + 1,
        replay_of=old.delivery_id, replay_depth=old.replay_depth + 1, doubt=old.doubt, rebuild=not unchanged,
        received_at=old.received_at, effect_id=old.effect_id or old.delivery_id, expires_at=expires_at,
    )  # fmt: skip


# -- a message or a receipt through the flow again -----------------------------------------------------------------


def _wholes(
    engine: Engine, db: Database, items: Sequence[Item], request: Request, now: float, effects: Effects
) -> list[Item]:
    """Messages and receipts one by one: what one of them settles may be the next one's."""
    done = []
    for item in items:
        letter = dead_letters.one(db, item.kind, item.item_id)
        against = "gone" if letter is None else reason_against_whole(db, letter, request)
        if letter is None or against:
            done.append(replace(item, state="skipped", note=against))
            continue
        if request.superseded != SEND and _is_early(engine, db, letter):
            continue
        new_id = engine.clock.new_id()
        _anew(db, letter, request, new_id, now, effects)
        done.append(replace(item, state="started", new_id=new_id))
    return done


def _is_early(engine: Engine, db: Database, letter: DeadLetter) -> bool:
    """Whether something newer of the lanes of a message is just being sent."""
    places = replay_facts.places_of(db, letter.id) if letter.kind == "message" else []
    if not places and letter.main_key:
        systems = engine.program.settings.systems.values()
        places = [(letter.main_key, system.name, letter.order) for system in systems if system.sends]
    return replay_facts.ON_ITS_WAY in replay_facts.what_is_newer(db, places).values()


def _anew(db: Database, letter: DeadLetter, request: Request, new_id: str, now: float, effects: Effects) -> None:
    """A new receipt that reads the old one's bytes and keeps its place in every lane."""
    own = message_view.message(db, letter.id) if letter.kind == "message" else None
    came = message_view.receipt_of(db, own["seq"]) if own else message_view.receipt(db, letter.id)
    assert came is not None, "judged a moment ago, in this very transaction"
    door = REPLAY_OF_ALL if request.superseded == SEND else REPLAY
    arrival = _arrival(came, door, new_id, letter.id, own["position"] if own else came["origin_position"], now)
    effects.arrivals += zip([arrival], receipts.accept(db, [arrival], []), strict=True)
    interventions.resolve_letter(db, letter.kind, letter.id, new_id)
    if letter.kind == "receipt":
        interventions.resolve_messages(db, came["seq"], new_id)
    effects.systems |= _settle_deliveries(db, letter, came["seq"], new_id, now)


def _arrival(came: dict[str, Any], door: str, new_id: str, replay_of: str, position: int, now: float) -> Arrival:
    return Arrival(
        receipt_id=new_id, source=came["source"], event=came["event"], raw=b"", received_at=now, door=door,
        content_type=came["content_type"], name=came["name"], traceparent=came["traceparent"],
        causation_id=came["causation_id"], correlation_id=came["correlation_id"], route=came["route"],
        size=came["size"], raw_owner=came["raw_owner"] or came["receipt_id"], replay_of=replay_of,
        origin_seq=came["origin_seq"] or came["seq"], origin_position=position,
    )  # fmt: skip


def _settle_deliveries(db: Database, letter: DeadLetter, seq: int, new_id: str, now: float) -> set[str]:
    """Dead and held deliveries of what goes through again from the start are dealt with by that."""
    free: set[str] = set()
    for delivery_id in replay_facts.unfinished(db, letter.kind, letter.id, seq):
        free |= deliveries.move(db, delivery_id, "resolved", now, f"replayed by {new_id}")
    return free
