"""Interchanges that a partner has not acknowledged in time: each a dead letter of its own, of class ``expired``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.message import RAW, Arrival
from hub.outcome import Failure
from hub.store import bodies, interchanges, payloads, receipts
from hub.store.database import Database
from hub.store.interchanges import Overdue
from hub.units import duration_text

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine

_BATCH = 100
EVENT = "unacknowledged"


def expire_interchanges(engine: Engine) -> int:
    """Put those whose time is over before a person; gives how many. Their deliveries stay what they are: delivered."""
    late = interchanges.overdue(engine.store.reader(), engine.clock.epoch(), _BATCH)
    for each in late:
        sent = bodies.read(engine.store.reader(), each.delivery_id, each.revision)
        _put_before_a_person(engine, each, sent.content if sent else b"", sent.content_type if sent else "")
    return len(late)


def _put_before_a_person(engine: Engine, late: Overdue, content: bytes, content_type: str) -> None:
    now = engine.clock.epoch()
    arrival = Arrival(
        receipt_id=engine.clock.new_id(), source=late.system, event=EVENT, raw=content, received_at=now, door="hub",
        content_type=content_type, name=f"interchange {late.number} to {late.partner}", causation_id=late.message_id,
    )  # fmt: skip
    rows = payloads.packed_rows([(arrival.receipt_id, RAW, 1, content_type, content)], now)
    failure = _failure(late, arrival.receipt_id)

    def job(db: Database) -> None:
        if interchanges.expire(db, late, arrival.receipt_id, now):
            [accepted] = receipts.accept(db, [arrival], rows, engine.worker)
            receipts.mark_dead(db, accepted.seq, failure)

    engine.store.write(job)


def _failure(late: Overdue, receipt_id: str) -> Failure:
    detail = (
        f"partner '{late.partner}' has not acknowledged our interchange {late.number} ({late.type}) within "
        f"{duration_text(late.within)}; its delivery is {late.delivery_id}"
    )
    hint = (
        "ask the partner whether it came; if it did not, replay its delivery; once it is settled: "
        f"o2c resolve {receipt_id} --reason TEXT"
    )
    return Failure(
        "expired", "unacknowledged", detail, step="deliver", value_excerpt=str(late.number), hint=hint,
        delivery_id=late.delivery_id,
    ).printed(late.partner)  # fmt: skip
