"""Doing what a plan says: chunks of items, each chunk one short transaction that also records what came of it.

An item is done in the very transaction that marks it done, so a crash repeats none and loses none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from hub.message import Accepted, Arrival, Delivery
from hub.replay.judge import reason_against
from hub.replay.request import AS_RUN, Request, request_of
from hub.store import bodies, dead_letters, deliveries, interventions, message_view, receipts, replay_facts, replays
from hub.store.database import Database
from hub.store.dead_letters import DeadLetter
from hub.store.replays import Item

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine

CHUNK = 50


@dataclass(slots=True)
class Effects:
    """What a chunk set going: told to the engine after the commit."""

    systems: set[str] = field(default_factory=set)
    arrivals: list[tuple[Arrival, Accepted]] = field(default_factory=list)
    items: int = 0


def run_chunk(engine: Engine, replay_id: str) -> int | None:
    """Do the next items of a running replay, as many as its rate lets go now; gives how many were done.

    None when none is left, or when it runs no more.
    """
    now = engine.clock.epoch()

    def job(db: Database) -> Effects | None:
        replay = replays.get(db, replay_id)
        if replay is None or replay.state != "running":
            return None
        request, effects = request_of(replay.request), Effects()
        allowed, next_at = _pace(request.rate_per_second, replay.next_at, now)
        found = replays.waiting(db, replay_id, allowed) if allowed else []
        done: list[Item] = []
        for kind, items in groupby(found, key=lambda item: item.kind):
            some = _deliveries if kind == "delivery" else _wholes
            done += some(engine, db, list(items), request, now, effects)
        replays.mark_items(db, replay_id, done)
        if found and request.rate_per_second:
            replays.set_next(db, replay_id, next_at + len(found) / request.rate_per_second)
        effects.items = len(found)
        return None if allowed and not found else effects

    effects: Effects | None = engine.store.write(job)
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
        return CHUNK, now
    start = max(next_at if next_at is not None else now, now - 1.0)
    return (min(int((now - start) * rate) + 1, CHUNK), start) if start <= now else (0, start)


def _judged(engine: Engine, db: Database, item: Item, request: Request) -> tuple[DeadLetter | None, str]:
    """What an item means now, and why it cannot be replayed any more, or ''."""
    letter = dead_letters.one(db, item.kind, item.item_id)
    return letter, "gone" if letter is None else reason_against(db, letter, request, engine.program)


# -- deliveries again ----------------------------------------------------------------------------------------------


def _deliveries(
    engine: Engine, db: Database, items: Sequence[Item], request: Request, now: float, effects: Effects
) -> list[Item]:
    """New deliveries in the old ones' places in their lanes, with the old ones' keys towards the receiver."""
    against = {item.item_id: _judged(engine, db, item, request)[1] for item in items}
    olds = deliveries.load(db, [id for id, reason in against.items() if not reason])
    as_run = request.version == AS_RUN
    kept = bodies.stored(db, [(old.delivery_id, old.revision) for old in olds if old.attempts and not old.doubt])
    made = {old.delivery_id: _new(engine, old, old.delivery_id in kept, as_run, now) for old in olds}
    for old in olds if as_run else ():
        replay_facts.copy_sent(db, old, made[old.delivery_id].delivery_id)
    replay_facts.adopt_followers(db, [(old, new.delivery_id) for old, new in made.items()])
    # The new ones hold the lanes before the old ones let go of them.
    deliveries.insert(db, list(made.values()))
    ended = [old.delivery_id for old in olds if old.state in ("dead", "held")]
    effects.systems |= deliveries.resolve(db, [(id, f"replayed by {made[id].delivery_id}") for id in ended], now)
    effects.systems |= {old.system for old in olds}
    return [
        replace(item, state="skipped", note=against[item.item_id])
        if against[item.item_id]
        else replace(item, state="started", new_id=made[item.item_id].delivery_id)
        for item in items
    ]


def _new(engine: Engine, old: Delivery, is_kept: bool, as_run: bool, now: float) -> Delivery:
    """Built anew, the engine compares with the old bytes; where these are pruned they count as changed."""
    same = as_run or not old.attempts or old.doubt or is_kept
    return Delivery(
        delivery_id=engine.clock.new_id(), message_id=old.message_id, lane_seq=old.lane_seq, source=old.source,
        route=old.route, target=old.target, system=old.system, lane=old.lane, state="queued", created_at=now,
        set_id=old.set_id if as_run else engine.program.set_id, revision=old.revision if same else old.revision + 1,
        replay_of=old.delivery_id, replay_depth=old.replay_depth + 1, doubt=old.doubt, rebuild=not as_run,
        received_at=old.received_at, effect_id=old.effect_id or old.delivery_id,
    )  # fmt: skip


# -- a message or a receipt through the flow again -----------------------------------------------------------------


def _wholes(
    engine: Engine, db: Database, items: Sequence[Item], request: Request, now: float, effects: Effects
) -> list[Item]:
    """Messages and receipts one by one: what one of them settles may be the next one's."""
    done = []
    for item in items:
        letter, against = _judged(engine, db, item, request)
        if letter is None or against:
            done.append(replace(item, state="skipped", note=against))
            continue
        new_id = engine.clock.new_id()
        _anew(db, letter, new_id, now, effects)
        done.append(replace(item, state="started", new_id=new_id))
    return done


def _anew(db: Database, letter: DeadLetter, new_id: str, now: float, effects: Effects) -> None:
    """A new receipt that reads the old one's bytes and keeps its place in every lane."""
    own = message_view.message(db, letter.id) if letter.kind == "message" else None
    came = message_view.receipt_of(db, own["seq"]) if own else message_view.receipt(db, letter.id)
    assert came is not None, "judged a moment ago, in this very transaction"
    arrival = _arrival(came, new_id, letter.id, own["position"] if own else came["origin_position"], now)
    effects.arrivals += zip([arrival], receipts.accept(db, [arrival], []), strict=True)
    interventions.resolve_letter(db, letter.kind, letter.id, new_id)
    if letter.kind == "receipt":
        interventions.resolve_messages(db, came["seq"], new_id)
    effects.systems |= _settle_deliveries(db, letter, came["seq"], new_id, now)


def _arrival(came: dict[str, Any], new_id: str, replay_of: str, position: int, now: float) -> Arrival:
    return Arrival(
        receipt_id=new_id, source=came["source"], event=came["event"], raw=b"", received_at=now, door="replay",
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
