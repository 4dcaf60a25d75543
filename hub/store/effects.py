"""The effect ledger: what is known of what each delivery has caused at its receiver, worked out from its tries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hub.store.database import Database

HAPPENED, NONE, UNKNOWN, SETTLED = "happened", "none", "unknown", "settled_by_hand"
_LOOKED = "looked_up: "
# Of a look-up, by what came of it. What is held with its route stopped was not there; what is held in doubt, who knows.
_SAYS = {"delivered": True, "retrying": False, "dead": False, "skipped": False, "stopped": False}
_UNSENT = frozenset({"paused", "queue_full", "closing", "circuit_open", "cannot_open"})
_COLUMNS = ("number", "started_at", "ended_at", "outcome", "status", "code", "detail", "failure", "reference")


class Effect(msgspec.Struct, frozen=True, gc=False):
    """One delivery's effect. ``key`` is what the receiver was given, ``reference`` what it calls the thing itself.

    ``state``: happened (an answer or a look-up says so), none (never sent, refused, or looked up and not there),
    unknown (it may have arrived), settled_by_hand. ``found`` is what the last look-up said; None: it could not tell.
    """

    delivery_id: str
    target: str
    system: str
    key: str
    state: str
    reference: str = ""
    first_sent_at: float | None = None
    last_sent_at: float | None = None
    times_sent: int = 0
    answered: str = ""
    looked_up_at: float | None = None
    look_ups: int = 0
    found: bool | None = None
    next_look_up_at: float | None = None


def of_message(db: Database, message_id: str) -> list[Effect]:
    """The effects of a message's deliveries, those of replays among them, in the order they were made."""
    rows = db.execute(
        """SELECT delivery_id, target, system, state, doubt, due_at, revision, effect_id, batch_id FROM deliveries
           WHERE message_id = ? ORDER BY created_at, delivery_id""",
        (message_id,),
    ).fetchall()
    return [_effect(db, row) for row in rows]


def reference(db: Database, delivery_ids: Sequence[str]) -> str:
    """What the receiver called what these deliveries have made, as its last answer that said so; '' if none did."""
    for delivery_id in delivery_ids:
        found = db.execute(
            "SELECT reference FROM attempts WHERE delivery_id = ? AND reference <> '' ORDER BY number DESC LIMIT 1",
            (delivery_id,),
        ).get
        if found:
            return str(found)
    return ""


def last_failure(db: Database, delivery_id: str) -> dict[str, Any] | None:
    """Why the last try failed; what look-ups since then have met is left out."""
    text = db.execute(
        "SELECT failure FROM attempts WHERE delivery_id = ? AND outcome NOT LIKE ? ORDER BY number DESC LIMIT 1",
        (delivery_id, f"{_LOOKED}%"),
    ).get
    found: dict[str, Any] | None = msgspec.json.decode(text) if text else None
    return found


def reference_of_target(db: Database, message_id: str, target: str) -> str:
    """What the receiver of a message's delivery to this target calls what that has made; '' if it never said."""
    found = db.execute(
        """SELECT a.reference FROM deliveries d JOIN attempts a ON a.delivery_id = d.delivery_id
           WHERE d.message_id = ? AND d.target = ? AND a.reference <> '' ORDER BY a.ended_at DESC LIMIT 1""",
        (message_id, target),
    ).get
    return str(found or "")


def _effect(db: Database, row: tuple[Any, ...]) -> Effect:
    delivery_id, target, system, state, doubt, due_at, revision, effect_id, batch_id = row
    tries = [
        dict(zip(_COLUMNS, values, strict=True))
        for values in db.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM attempts WHERE delivery_id = ? ORDER BY number", (delivery_id,)
        )
    ]
    sent = [each for each in tries if _went_out(each)]
    looks = [each for each in tries if each["outcome"].startswith(_LOOKED)]
    return Effect(
        delivery_id=delivery_id, target=target, system=system, key=f"{batch_id or effect_id or delivery_id}.{revision}",
        state=_state(state, bool(doubt), tries), reference=reference(db, [delivery_id, effect_id]),
        times_sent=len(sent), first_sent_at=sent[0]["started_at"] if sent else None,
        last_sent_at=sent[-1]["started_at"] if sent else None,
        answered=_answer(sent[-1]) if sent else "", looked_up_at=looks[-1]["ended_at"] if looks else None,
        look_ups=len(looks), found=_found(looks[-1]) if looks else None,
        next_look_up_at=due_at if state == "unknown" else None,
    )  # fmt: skip


def _went_out(attempt: Mapping[str, Any]) -> bool:
    """Whether any byte of it may have reached the receiver."""
    if attempt["outcome"].startswith(_LOOKED) or attempt["code"] in _UNSENT:
        return False
    failure = msgspec.json.decode(attempt["failure"]) if attempt["failure"] else {}
    return bool(attempt["status"]) or failure.get("class") != "connection"


def _answer(attempt: Mapping[str, Any]) -> str:
    said = (str(attempt["status"] or ""), attempt["code"], attempt["detail"])
    return " ".join(part for part in said if part)


def _found(look: Mapping[str, Any]) -> bool | None:
    return _SAYS.get(look["outcome"].removeprefix(_LOOKED))


def _state(state: str, doubt: bool, tries: Sequence[Mapping[str, Any]]) -> str:
    # Also where it was dead or skipped by the time that this was told.
    if state == "delivered" or any(each["outcome"].removeprefix(_LOOKED) == "delivered" for each in tries):
        return HAPPENED
    if state in ("resolved", "cancelled") and doubt:
        return SETTLED
    return UNKNOWN if doubt else NONE
