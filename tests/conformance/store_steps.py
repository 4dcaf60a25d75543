"""What tests of any store do with it."""

from __future__ import annotations

from typing import Any

import uuid_utils

from hub.message import RAW, Arrival
from hub.store import Store, payloads, receipts

EMBEDDED = "sqlite:///hub.db"


def new_id() -> str:
    return str(uuid_utils.uuid7())


def arrival(raw: bytes = b"{}", **fields: Any) -> Arrival:
    at = fields.pop("received_at", 1.0)
    return Arrival(new_id(), fields.pop("source", "shop"), "order", raw, at, **fields)


def accept(store: Store, *arrivals: Arrival) -> list[Any]:
    rows = payloads.packed_rows([(a.receipt_id, RAW, 1, "", a.raw) for a in arrivals], 1.0)
    return store.write(lambda db: receipts.accept(db, arrivals, rows))  # type: ignore[no-any-return]
