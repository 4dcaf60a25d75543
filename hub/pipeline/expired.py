"""Deliveries whose time to be sent is over, as their targets say (``expires:``): each a dead letter of its own class,
``expired``, that frees its lane, whatever ``on_error:`` says. What is on its way, in doubt or held does not expire, nor
what waits for another target: should that one be delivered late, it expires when its turn comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hub.clock import iso
from hub.loggers import structlog
from hub.message import Delivery, Finish
from hub.outcome import Failure
from hub.store import batches, deliveries, due
from hub.store.database import Database
from hub.units import duration_text

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine

_BATCH = 256
_AT_MOST_SECONDS = 0.5  # in one round: the rest comes in the next one, and other chores have their turn
_log = structlog.get_logger("hub")


def expire_waiting(engine: Engine) -> None:
    """End all that waits and has expired, also of what is paused, stopped or away, where nothing else looks at it."""
    until = engine.clock.monotonic() + _AT_MOST_SECONDS
    while found := due.expired(engine.store.reader(), now := engine.clock.epoch(), _BATCH):
        if not expire(engine, found, now) or engine.clock.monotonic() > until:
            return


def expire(engine: Engine, late: Sequence[Delivery], now: float) -> int:
    """End deliveries that have expired, of a batch all, and hold what comes after them; gives how many. What was tried,
    or seen to by a person, meanwhile stays as it is."""
    ordered = sorted(late, key=lambda d: (d.lane_seq, d.delivery_id))
    ended = Counter[tuple[str, str]]()

    def job(db: Database) -> set[str]:
        free = set[str]()
        ended.clear()
        for d in ordered:
            for each in deliveries.load(db, batches.together(db, d.delivery_id)) if d.batch_id else [d]:
                more, still_waited = deliveries.build_failed(db, each.delivery_id, _end(each, now))
                free |= more
                ended[d.route, d.target] += still_waited
        return free

    for system in sorted(engine.store.write(job)):
        engine.wake.pump(system)
    for (route, target), count in sorted(ended.items()):
        _log.warning("deliveries have expired", route=route, target=target, count=count)
    return ended.total()


def _end(d: Delivery, now: float) -> Finish:
    failure = _failure(d)
    return Finish(
        delivery_id=d.delivery_id, state="expired", at=now, started_at=now, number=d.tries, revision=d.revision,
        set_id=d.set_id, failure=failure.as_dict(), fingerprint=failure.fingerprint,
    )  # fmt: skip


def _failure(d: Delivery) -> Failure:
    since = d.created_at if d.replay_of else d.received_at
    said: dict[str, Any] = dict(d.failure or {})
    detail = (
        f"{'replayed' if d.replay_of else 'received'} at {iso(since)}, it had "
        f"{duration_text((d.expires_at or since) - since)} to be delivered; {_why(d, said)}"
    )
    return Failure(
        "expired", "not_in_time", detail, step="deliver", value_excerpt=said.get("value_excerpt", ""),
        quoted=tuple(said.get("quoted", ())), cause=f"{d.target}: {said.get('code', '')}",
        hint=f"to send it all the same: o2c replay {d.delivery_id}; else: o2c resolve {d.delivery_id} --reason TEXT",
    ).printed(d.route)  # fmt: skip


def _why(d: Delivery, said: dict[str, Any]) -> str:
    """Why it was not delivered before."""
    if said:
        return f"its last try: {said.get('detail') or said.get('code', '')}"
    if d.waits_to_be_collected:
        return "it waited to be collected"
    if d.due_at is None and not d.batch_id:
        return "an earlier one of its key had not ended"
    return "it was never tried, since its turn came late or nothing went to its system"
