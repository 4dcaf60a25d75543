"""Counts: receipts, messages and deliveries by state, and the proof that they add up."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from hub.api import bodies
from hub.api.auth import Viewer
from hub.api.desk import AtDesk
from hub.api.operations import described
from hub.clock import iso
from hub.store import conservation, counters, dead_letters
from hub.store.database import Database

router = APIRouter(tags=["counts"])
Proof = Annotated[bool, Query(description="Read every row and check each table against the next; takes a while.")]


@router.get("/counts", operation_id="get_counts", **described("viewer", 422))
def get_counts(desk: AtDesk, caller: Viewer, proof: Proof = False) -> bodies.Counts:
    """Counts since the store began; rows that retention removed still count."""
    with desk.engine.store.snapshot() as db:
        tally = conservation.counted(db) if proof else desk.tallier.count(db, desk.engine.clock.epoch())
        findings = conservation.check(db) if proof else None
        counts = bodies.Counts(
            receipts=tally.receipts, messages=tally.messages, deliveries=tally.deliveries,
            dead_letters=dead_letters.count(db), refused=_beside(db, counters.REFUSED),
            duplicates=_beside(db, counters.DUPLICATE),
        )  # fmt: skip
    if findings is None:
        return counts
    shown = [bodies.Finding(what=f.what, count=f.seen, example=f.example or None) for f in findings]
    return counts.model_copy(update={"adds_up": not findings, "findings": shown})


def _beside(db: Database, kind: str) -> list[bodies.Beside]:
    return [bodies.Beside(**{**row, "last_at": iso(row["last_at"])}) for row in counters.listed(db, kind)]
