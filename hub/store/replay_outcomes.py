"""What became of dead messages and receipts that went through the flow again, followed to the last replay of each."""

from __future__ import annotations

from collections.abc import Sequence

from hub.states import by_urgency
from hub.store.database import Database

_MOST = 200  # messages of one replayed receipt that are looked at; of a larger one only its own state is told
_LONGEST_CHAIN = 10  # replays of replays


def outcomes(db: Database, ids: Sequence[str]) -> dict[str, str]:
    """By id, for those that were replayed: the state of what most needs a person, among all that the replay became."""
    states: dict[str, list[str]] = {}
    origins = {id: id for id in ids}  # what may have been replayed -> which of the ids it came of
    for _ in range(_LONGEST_CHAIN):
        followed: dict[str, str] = {}
        for replay_of, receipt_id, state, is_settled, seq in _replays_of(db, tuple(origins)):
            origin = origins[replay_of]
            became = _messages(db, seq) if seq is not None else [(receipt_id, state, is_settled)]
            states.setdefault(origin, []).extend(state for _, state, is_settled in became if not is_settled)
            followed |= dict.fromkeys([receipt_id, *(id for id, _, is_settled in became if is_settled)], origin)
        origins = followed
    return {id: min(found, key=by_urgency, default="resolved") for id, found in states.items()}


def _replays_of(db: Database, ids: Sequence[str]) -> list[tuple[str, str, str, bool, int | None]]:
    """(replay of what, receipt, state, whether a dead one was seen to, its number where its messages are to be read)"""
    if not ids:
        return []
    marks = ", ".join("?" * len(ids))
    return db.execute(
        f"""SELECT replay_of, receipt_id, state, resolved_by IS NOT NULL,
              CASE WHEN state = 'split' AND message_count <= {_MOST} THEN seq END
            FROM receipts WHERE replay_of IN ({marks}) AND replay_of <> ''""",
        ids,
    ).fetchall()


def _messages(db: Database, seq: int) -> list[tuple[str, str, bool]]:
    """(message, state, whether a dead one was seen to): a line for each delivery, one for a message without any."""
    return db.execute(
        """SELECT m.message_id, coalesce(d.state, m.state), m.resolved_by IS NOT NULL
           FROM messages m LEFT JOIN deliveries d ON d.message_id = m.message_id WHERE m.seq = ?""",
        (seq,),
    ).fetchall()
