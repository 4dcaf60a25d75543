"""What a replay brings too late: where its lanes were not known when it was planned, as of a message that its mapping
refused, something newer may have been delivered in them. Then it is not sent over that, unless the replay was told to:
it is a dead letter, ``superseded``, that frees its lane, whatever ``on_error:`` says."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from hub.message import LANE_SHIFT, Delivery, Finish
from hub.outcome import Failure
from hub.pipeline.transformed import Transformed
from hub.store import deliveries, receipts, replay_facts
from hub.store.database import Database

REPLAY, REPLAY_OF_ALL = "replay", "replay_of_all"  # doors: of what is superseded that is left, or sent all the same
_ALL = (1 << LANE_SHIFT) - 1  # with it a place is that of the last one of its receipt


def overtaken(db: Database, parts: Sequence[Transformed]) -> list[Delivery]:
    """Of what became of replays, the deliveries that something newer of their lanes has left behind, or may have, with
    those that come after them. Of a receipt that goes through as a whole nothing is newer than its own first time."""
    again = [
        (part.seq, d) for part in parts for d in part.deliveries if d.lane and d.lane_seq >> LANE_SHIFT != part.seq
    ]
    ways = {seq: receipts.way_of(db, seq) for seq in {seq for seq, _ in again}}
    places = {
        d.delivery_id: (d.lane, d.system, d.lane_seq | _ALL if position < 0 else d.lane_seq)
        for seq, d in again for door, position in [ways[seq]] if door == REPLAY
    }  # fmt: skip
    if not places:
        return []
    wanted = set(places.values())
    newer = replay_facts.overtaken(db, wanted) | replay_facts.what_is_newer(db, wanted)
    late = {d.delivery_id for _, d in again if places.get(d.delivery_id) in newer}
    brought = [d for part in parts if late for d in part.deliveries]
    while followers := {d.delivery_id for d in brought if d.waits_for in late} - late:
        late |= followers
    return [d for d in brought if d.delivery_id in late]


def bury(db: Database, found: Collection[Delivery], now: float) -> set[str]:
    """End deliveries that are stored and were never sent; gives the systems with something due."""
    free, left = set[str](), list(found)
    while left:
        followed = {d.waits_for for d in left}  # what comes after another ends before it, and is not held behind it
        for d in left:
            if d.delivery_id not in followed:
                free |= deliveries.build_failed(db, d.delivery_id, _end(d, now))[0]
        left = [d for d in left if d.delivery_id in followed]
    return free


def _end(d: Delivery, now: float) -> Finish:
    where = f"{d.system}, or is on its way there" + (", or to what this one comes after" if d.waits_for else "")
    failure = Failure(
        "business_rule", "superseded",
        f"a newer message with the same key was delivered to {where}: this would undo it",
        step="deliver", cause=f"{d.target}: superseded",
        hint=f"to send it all the same: o2c replay {d.delivery_id} --superseded send; "
        f"else: o2c resolve {d.delivery_id} --reason TEXT",
    ).printed(d.route)  # fmt: skip
    return Finish(
        delivery_id=d.delivery_id, state="dead", at=now, started_at=now, number=d.tries, revision=d.revision,
        set_id=d.set_id, failure=failure.as_dict(), fingerprint=failure.fingerprint,
    )  # fmt: skip
