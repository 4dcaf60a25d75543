"""Deliveries: inserted, claimed, finished, rescheduled. Every state transition of a delivery is in this file.

A delivery whose ``due_at`` is NULL waits for something else: an earlier one of its lane, or the target it comes
after. Only heads of lanes are due, so a claim never walks over a hot lane's queue.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from hub.message import Delivery, Finish
from hub.states import DELIVERY_FINAL, DELIVERY_STATES, DELIVERY_WAITING
from hub.store import batches
from hub.store.database import Database, lock_lanes

COLUMNS = """delivery_id, message_id, lane_seq, source, route, target, system, lane, state, created_at, due_at,
  attempts, revision, set_id, waits_for, replay_of, replay_depth, doubt, rebuild, failure, fingerprint, received_at,
  crashes, effect_id, batch_id, tries, expires_at"""

_INSERT = """INSERT INTO deliveries (delivery_id, message_id, lane_seq, source, route, target, system, lane, state,
    holds_lane, due_at, created_at, updated_at, received_at, set_id, waits_for, replay_of, replay_depth, rebuild,
    attempts, revision, failure, fingerprint, hold_reason, doubt, effect_id, claimed_by, claimed_at, batch_id,
    expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

WAITING = ", ".join(f"'{state}'" for state in DELIVERY_STATES if state in DELIVERY_WAITING)
# The number of a source before which nothing is unread: what a server keeps of rows that are done with is left out.
READ_TO = "(SELECT coalesce(max(k.seq), 0) FROM read_to k WHERE k.source = {0})"
# Where in the order of arrival the unread bytes of a replay stand: at their message, or at the end of their receipt.
_PLACE_AGAIN = """(r.origin_seq << 20) | CASE WHEN r.origin_position < 0 THEN 1048575 ELSE r.origin_position END"""
# A delivery may go when it is due, its route and system are not switched off, nothing earlier of its source is still
# unread (for the first time, or again for a replay), and it heads its lane; those of a batch did when it was made.
_MAY_GO = f"""state IN ('queued', 'retrying') AND due_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM switches w
    WHERE (w.kind = 'route' AND w.name = d.route) OR (w.kind = 'system' AND w.name = d.system))
  AND (d.lane = '' OR d.batch_id = d.delivery_id OR (
    NOT EXISTS (SELECT 1 FROM deliveries e
      WHERE e.system = d.system AND e.lane = d.lane AND e.holds_lane = 1 AND e.lane_seq < d.lane_seq)
    AND NOT EXISTS (SELECT 1 FROM receipts r
      WHERE r.source = d.source AND r.state = 'received' AND r.seq < (d.lane_seq >> 20)
        AND r.seq >= {READ_TO.format("d.source")})
    AND NOT EXISTS (SELECT 1 FROM receipts r INDEXED BY receipts_again
      WHERE r.source = d.source AND r.state = 'received' AND r.origin_seq > 0
        AND r.origin_seq <= (d.lane_seq >> 20) AND ({_PLACE_AGAIN}) < d.lane_seq)))"""

_CLAIM = f"""UPDATE deliveries AS d SET state = 'delivering', claimed_by = ?2, claimed_at = ?3, updated_at = ?3,
    due_at = NULL
  WHERE d.delivery_id = ?1 AND d.tries = ?4 AND {_MAY_GO} RETURNING delivery_id"""


_FIRST_UNREAD = f"""SELECT min(place) FROM (
    SELECT (min(seq) << 20) | 1048575 AS place FROM receipts
      WHERE source = ?1 AND state = 'received' AND seq >= {READ_TO.format("?1")}
    UNION ALL SELECT min({_PLACE_AGAIN}) FROM receipts r INDEXED BY receipts_again
      WHERE source = ?1 AND state = 'received' AND origin_seq > 0) AS places"""


def insert(db: Database, new: Sequence[Delivery], claim_for: str | None = None) -> set[str]:
    """Store new deliveries, due at once unless something else has to happen first, or when they are collected.

    With ``claim_for`` those that may go are claimed for that worker in the same statement; gives their ids.
    """
    if not new:
        return set()
    lock_lanes(db, {d.system for d in new if d.lane})
    # What is unread is asked before who holds the lanes: a receipt that is split in between has its deliveries there.
    unread, off = first_unread(db, new), _switched_off(db)
    lanes = _first_of_lanes(db, {(d.system, d.lane) for d in new if d.lane})
    claimed: set[str] = set()
    rows = []
    for d in sorted(new, key=lambda d: d.lane_seq):
        first = lanes.get((d.system, d.lane), d.lane_seq)
        busy = bool(d.lane) and first < d.lane_seq
        waits = (busy and not d.waits_to_be_collected) or bool(d.waits_for) or d.state != "queued"
        goes = claim_for is not None and not waits and not off & {("route", d.route), ("system", d.system)}
        goes = goes and (not d.lane or unread.get(d.source, d.lane_seq) >= d.lane_seq)
        if d.lane:
            lanes[(d.system, d.lane)] = min(first, d.lane_seq)
        if goes:
            claimed.add(d.delivery_id)
        rows.append(_row(d, None if waits or goes else d.due_at or d.created_at, claim_for if goes else None))
    db.executemany(_INSERT, rows)
    return claimed


def _first_of_lanes(db: Database, lanes: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The place of the first that holds each of these lanes."""
    found = db.execute(
        """SELECT system, lane, first FROM (SELECT j.value ->> 0 AS system, j.value ->> 1 AS lane,
             (SELECT min(e.lane_seq) FROM deliveries e
               WHERE e.system = j.value ->> 0 AND e.lane = j.value ->> 1 AND e.holds_lane = 1) AS first
           FROM json_each(?) j) AS holders WHERE first IS NOT NULL""",
        (msgspec.json.encode(sorted(lanes)).decode(),),
    )
    return {(system, lane): first for system, lane, first in found}


def first_unread(db: Database, new: Sequence[Delivery]) -> dict[str, int]:
    """For each source the last place in the order of arrival that nothing unread stands before."""
    found = {}
    for source in {d.source for d in new}:
        first = db.execute(_FIRST_UNREAD, (source,)).get
        if first is not None:
            found[source] = int(first)
    return found


def _switched_off(db: Database) -> set[tuple[str, str]]:
    return {(kind, name) for kind, name in db.execute("SELECT kind, name FROM switches")}


def _row(d: Delivery, due_at: float | None, claimed_by: str | None) -> tuple[Any, ...]:
    failure = msgspec.json.encode(d.failure).decode() if d.failure else None
    return (
        d.delivery_id, d.message_id, d.lane_seq, d.source, d.route, d.target, d.system, d.lane,
        "delivering" if claimed_by else d.state, 1 if d.lane else 0, due_at, d.created_at, d.created_at, d.received_at,
        d.set_id, d.waits_for, d.replay_of, d.replay_depth, int(d.rebuild), d.attempts, d.revision, failure,
        d.fingerprint, (d.failure or {}).get("code", "") if d.state == "held" else "", int(d.doubt), d.effect_id,
        claimed_by, d.created_at if claimed_by else None, d.batch_id, d.expires_at,
    )  # fmt: skip


def claim(db: Database, tries: Mapping[str, int], worker: str, at: float) -> set[str]:
    """Take those that may go now, by id with the tries there were when it was looked at: one that somebody has tried
    since is left. The claim is the crash record: whoever dies leaves it behind."""
    return {row[0] for row in db.executemany(_CLAIM, [(id, worker, at, tries[id]) for id in sorted(tries)])}


def load(db: Database, delivery_ids: Sequence[str]) -> list[Delivery]:
    wanted = [(delivery_id,) for delivery_id in delivery_ids]
    return [from_row(row) for row in db.executemany(f"SELECT {COLUMNS} FROM deliveries WHERE delivery_id = ?", wanted)]


def from_row(row: tuple[Any, ...]) -> Delivery:
    fields = list(row)
    fields[17], fields[18] = bool(row[17]), bool(row[18])
    fields[19] = msgspec.json.decode(row[19]) if row[19] else None
    return Delivery(*fields)


# Whether others come after a delivery that a statement gives back: the rows know, whatever set of files is in force.
_IS_FOLLOWED = """(SELECT 1 FROM deliveries c WHERE c.waits_for = deliveries.delivery_id AND c.waits_for <> ''
    AND c.due_at IS NULL AND c.state = 'queued' LIMIT 1)"""
# An end is of the try whose number it has. Of a try that has another end already, such as doubt after its worker was
# taken for dead, only what is certain counts (else ?12 is no revision); not while a later one is on its way.
_FINISH = f"""UPDATE deliveries SET state = ?2, holds_lane = CASE WHEN lane = '' THEN 0 ELSE ?3 END, due_at = ?4,
    updated_at = ?5, attempts = CASE WHEN tries = ?11 - 1 THEN attempts + ?6 ELSE attempts END, tries = tries + 1,
    failure = ?7, fingerprint = ?8, doubt = ?9, hold_reason = ?10, claimed_by = NULL, claimed_at = NULL, crashes = 0
  WHERE delivery_id = ?1 AND ((state IN ('delivering', 'unknown') AND tries = ?11 - 1)
    OR (state IN ('held', 'unknown') AND doubt = 1 AND tries = ?11 AND revision = ?12)
    OR (?2 = 'delivered' AND state IN ('queued', 'retrying', 'unknown', 'held') AND revision = ?12))
  RETURNING delivery_id, system, lane, state, {_IS_FOLLOWED}, tries"""
_REPLAYED = "replayed by ________-____-____-____-____________"  # the note of a replay; a person may write the like
# Dead and expired are final but for a person's word, and for that of a worker that had only been taken for dead. What
# was skipped, or settled by a person in doubt, stays so; that it had arrived is told once.
_ARRIVED = f"""UPDATE deliveries SET state = CASE WHEN state IN ('dead', 'expired') THEN 'resolved' ELSE state END,
    holds_lane = 0, updated_at = ?3, tries = tries + 1, doubt = 0, hold_reason = CASE
      WHEN state IN ('resolved', 'cancelled') THEN hold_reason ELSE 'it had arrived; its worker told so late' END
  WHERE delivery_id = ?1 AND revision = ?2 AND (state IN ('dead', 'expired') OR (state = 'skipped' AND hold_reason = '')
    OR (state IN ('resolved', 'cancelled') AND doubt = 1 AND hold_reason NOT LIKE '{_REPLAYED}'))
  RETURNING delivery_id, system, lane, 'delivered', 1, tries"""
_ATTEMPT = "INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
End = tuple[str, str]  # a delivery, and what it was said to be
_FINAL = ", ".join(f"'{state}'" for state in sorted(DELIVERY_FINAL))
# Held for the end of the one it comes after. ``hold_reason`` may be a person's words, which steer nothing.
HELD_BEHIND = "failure ->> '$.code' LIKE 'predecessor_%'"
# What a delivery has ended as for those that come after it: that it had arrived may have been told late.
_ENDED = """p.delivery_id, CASE WHEN EXISTS (SELECT 1 FROM attempts a WHERE a.delivery_id = p.delivery_id
  AND a.outcome IN ('delivered', 'looked_up: delivered')) THEN 'delivered' ELSE p.state END"""


def finish(db: Database, finishes: Sequence[Finish], worker: str) -> tuple[set[str], set[End]]:
    """End attempts: the next state of each delivery and its attempt row; those of a batch end with its first one. Gives
    the systems that have something due, and the ends that have changed something. One that comes late or twice changes
    nothing of a later attempt. What is certain of an attempt ends the doubt about it, for which a delivery is held or
    looked up: its worker had only been taken for dead. What was delivered ends as that wherever it waits by then,
    unless it is on its way again; what is dead by then is resolved, what was skipped or settled by a person stays so,
    and what comes after it goes."""
    finishes = [*finishes, *batches.ends(db, finishes)]
    ended = list(db.executemany(_FINISH, [_finish_row(f) for f in finishes]))
    by_id = {f.delivery_id: f for f in finishes}
    late = by_id.keys() - {row[0] for row in ended}
    arrived = [f for f in finishes if f.delivery_id in late and f.state == "delivered" and _is_certain(f)]
    ended += db.executemany(_ARRIVED, [(f.delivery_id, f.revision, f.at) for f in arrived])
    db.executemany(_ATTEMPT, [_attempt_row(by_id[str(row[0])], int(row[5]), worker) for row in ended])
    return _follow_up(db, ended, by_id), {(str(row[0]), str(row[3])) for row in ended}


def _follow_up(
    db: Database, ended: Sequence[tuple[Any, ...]], finishes: Mapping[str, Finish], at: float = 0.0
) -> set[str]:
    """What the end of deliveries sets free: the next of their lanes, and what comes after them."""
    free: set[str] = set()
    lanes: list[tuple[str, str]] = []
    for delivery_id, system, lane, state, is_followed, *_ in ended:
        f = finishes.get(delivery_id)
        at = f.at if f else at
        if state in DELIVERY_WAITING:
            continue
        if is_followed:
            free |= _release_children(db, delivery_id, state, at)
        if lane and not (f and f.blocks_lane):
            lanes.append((system, lane))
    return free | _next_of_lanes(db, lanes, at)


def _finish_row(f: Finish) -> tuple[Any, ...]:
    failure = msgspec.json.encode(f.failure).decode() if f.failure else None
    holds = 1 if f.state in DELIVERY_WAITING or f.blocks_lane else 0
    return (
        f.delivery_id, f.state, holds, f.due_at, f.at, 1 if f.counts else 0, failure, f.fingerprint, int(f.doubt),
        f.hold_reason, f.number, f.revision if _is_certain(f) else -1,
    )  # fmt: skip


def _is_certain(f: Finish) -> bool:
    """Whether this says of the attempt, and of nothing else, that it had its effect or never will."""
    return f.state in ("delivered", "dead") and not f.doubt and not f.is_batch


def _attempt_row(f: Finish, number: int, worker: str) -> tuple[Any, ...]:
    failure = msgspec.json.encode(f.failure).decode() if f.failure else None
    return (
        f.delivery_id, number, f.started_at, f.at, worker, f.set_id, f.revision, f.outcome or f.state, f.status,
        f.code, f.detail, failure, f.response or None, f.reference,
    )  # fmt: skip


def _next_of_lanes(db: Database, lanes: Sequence[tuple[str, str]], at: float) -> set[str]:
    """The new heads of lanes become due, unless they wait for another target or a person. Gives their systems."""
    if not lanes:
        return set()
    lock_lanes(db, {system for system, _ in lanes})
    # A message may have several targets at one system: they stand at one place.
    due = db.executemany(
        """UPDATE deliveries SET due_at = coalesce(due_at, ?) WHERE system = ? AND lane = ? AND lane_seq = ?
           AND holds_lane = 1 AND state = 'queued' AND waits_for = '' RETURNING system""",
        [(at, *lane, first) for lane, first in _first_of_lanes(db, set(lanes)).items()],
    )
    return {str(system) for (system,) in due}


def _release_children(db: Database, delivery_id: str, state: str, at: float) -> set[str]:
    """What comes after a delivery: due once it is delivered, also if that is learnt late; held if it ended any other
    way."""
    children = db.execute(
        f"""SELECT delivery_id, system, lane, state FROM deliveries WHERE waits_for = ? AND waits_for <> ''
           AND due_at IS NULL AND (state = 'queued' OR (state = 'held' AND {HELD_BEHIND}))""",
        (delivery_id,),
    ).fetchall()
    free: set[str] = set()
    for child, system, lane, is_now in ((str(row[0]), str(row[1]), str(row[2]), row[3]) for row in children):
        if state == "delivered":
            db.execute(
                """UPDATE deliveries SET waits_for = '', state = 'queued', failure = NULL, hold_reason = '',
                     expires_at = CASE WHEN state = 'held' THEN NULL ELSE expires_at END WHERE delivery_id = ?""",
                (child,),
            )
            free |= _make_due(db, child, system, lane, at)
        elif is_now == "queued":
            _hold_child(db, child, state, at)
    return free


def _make_due(db: Database, delivery_id: str, system: str, lane: str, at: float) -> set[str]:
    if lane:
        return _next_of_lanes(db, [(system, lane)], at)
    db.execute("UPDATE deliveries SET due_at = ? WHERE delivery_id = ?", (at, delivery_id))
    return {system}


def _hold_child(db: Database, delivery_id: str, state: str, at: float) -> None:
    failure = {
        "class": "remote_rejected",
        "code": "predecessor_" + state,
        "step": "deliver",
        "detail": f"the delivery this one comes after ended as {state}",
        "hint": "replay that delivery; this one follows when it is delivered, or release this one by itself",
    }
    db.execute(
        """UPDATE deliveries SET state = 'held', failure = ?, updated_at = ?, hold_reason = 'predecessor'
           WHERE delivery_id = ?""",
        (msgspec.json.encode(failure).decode(), at, delivery_id),
    )


def build_failed(db: Database, delivery_id: str, finish_as: Finish) -> tuple[set[str], bool]:
    """A delivery that could not be mapped or encoded, or whose time is over: nothing was sent, so it ends, or is held,
    without a claim. Gives the systems that have something due, and whether it still waited to be sent."""
    failure = msgspec.json.encode(finish_as.failure).decode()
    holds = 1 if finish_as.state in DELIVERY_WAITING or finish_as.blocks_lane else 0
    row = db.execute(
        f"""UPDATE deliveries SET state = ?2, failure = ?3, fingerprint = ?4, updated_at = ?5, due_at = NULL,
             claimed_by = NULL, holds_lane = CASE WHEN lane = '' THEN 0 ELSE ?6 END, hold_reason = ?7
           WHERE delivery_id = ?1 AND state IN ('queued', 'retrying') AND (?2 <> 'expired'
             OR (doubt = 0 AND expires_at <= ?5)) RETURNING delivery_id, system, lane, state, {_IS_FOLLOWED}""",
        (delivery_id, finish_as.state, failure, finish_as.fingerprint, finish_as.at, holds, finish_as.hold_reason),
    ).fetchall()
    return _follow_up(db, row, {delivery_id: finish_as}), bool(row)


def settle_unknown(db: Database, delivery_id: str, tries: int, worker: str, at: float) -> bool:
    """Take an unknown delivery, of which so many tries have ended, to look whether its effect happened."""
    db.execute(
        """UPDATE deliveries SET claimed_by = ?1, claimed_at = ?2, due_at = NULL WHERE delivery_id = ?3 AND tries = ?4
           AND state = 'unknown' AND (claimed_by IS NULL OR claimed_by = ?1)""",
        (worker, at, delivery_id, tries),
    )
    return db.changes() == 1


def move(db: Database, delivery_id: str, state: str, at: float, note: str = "") -> set[str]:
    """An operator's step: held → queued (release) or resolved, cancelled; of a batch on its way, all of it. What was
    released waits on for the one it comes after. Gives the systems with something due."""
    ids = batches.together(db, delivery_id)
    ended = db.executemany(
        f"""UPDATE deliveries SET state = ?2, updated_at = ?3, due_at = NULL, claimed_by = NULL, hold_reason = ?4,
             holds_lane = CASE WHEN lane <> '' AND ?2 = 'queued' THEN 1 ELSE 0 END
           WHERE delivery_id = ?1 AND state <> 'delivering'
           RETURNING delivery_id, system, lane, state, {_IS_FOLLOWED}, waits_for""",
        [(each, state, at, note) for each in ids],
    ).fetchall()
    if state != "queued":
        return _follow_up(db, ended, {}, at)
    if len(ids) > 1:  # its turn came when it was put together
        db.executemany("UPDATE deliveries SET due_at = ? WHERE delivery_id = ?", [(at, each) for each in ids])
        return {str(row[1]) for row in ended}
    if ended and ended[0][5]:
        return let_follow(db, _ended(db, str(ended[0][5])), at)
    return {free for row in ended for free in _make_due(db, delivery_id, str(row[1]), str(row[2]), at)}


def replaced(db: Database, ended: Sequence[tuple[str, str, str]], at: float) -> set[str]:
    """Dead, expired and held deliveries whose places others take in this transaction, (id, its state, by what) each;
    gives those that still were in that state. Nothing is set free: who waited for one waits for the other."""
    rows = db.executemany(
        """UPDATE deliveries SET state = 'resolved', updated_at = ?4, due_at = NULL, claimed_by = NULL,
             hold_reason = ?3, holds_lane = 0
           WHERE delivery_id = ?1 AND state = ?2 RETURNING delivery_id""",
        [(delivery_id, state, note, at) for delivery_id, state, note in ended],
    )
    return {str(delivery_id) for (delivery_id,) in rows}


_LEFT = """q.holds_lane = 1 AND q.state = 'queued' AND q.due_at IS NULL AND q.waits_for = '' AND q.claimed_by IS NULL
  AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.system = q.system AND e.lane = q.lane AND e.holds_lane = 1
    AND e.lane_seq < q.lane_seq)"""


def left_heads(db: Database, limit: int = 1000) -> list[str]:
    """Heads of lanes that nobody made due; there should be none. Looks at everything that waits: not for a writer."""
    return [row[0] for row in db.execute(f"SELECT q.delivery_id FROM deliveries q WHERE {_LEFT} LIMIT ?", (limit,))]


def repair_heads(db: Database, delivery_ids: Sequence[str], at: float) -> set[str]:
    """Make these due where they still are such heads, so that no lane can stand still; gives their systems."""
    sql = f"""UPDATE deliveries SET due_at = ?1 WHERE delivery_id IN (
        SELECT q.delivery_id FROM deliveries q WHERE q.delivery_id = ?2 AND {_LEFT}) RETURNING system"""
    return {row[0] for row in db.executemany(sql, [(at, delivery_id) for delivery_id in delivery_ids])}


def ended_before(db: Database, limit: int = 1000) -> list[tuple[str, str]]:
    """(id, state) of deliveries that have ended while others still wait for them; there should be none."""
    found = db.execute(
        f"""SELECT DISTINCT {_ENDED} FROM deliveries q JOIN deliveries p ON p.delivery_id = q.waits_for
            WHERE q.waits_for <> '' AND q.due_at IS NULL AND q.state = 'queued' AND p.state IN ({_FINAL}) LIMIT ?""",
        (limit,),
    )
    return [(str(delivery_id), str(state)) for delivery_id, state in found]


def _ended(db: Database, delivery_id: str) -> list[tuple[str, str]]:
    """(id, state) of a delivery, nothing while it has not ended."""
    sql = f"SELECT {_ENDED} FROM deliveries p WHERE p.delivery_id = ? AND p.state IN ({_FINAL})"
    found = db.execute(sql, (delivery_id,))
    return [(str(id), str(state)) for id, state in found]


def let_follow(db: Database, ended: Sequence[tuple[str, str]], at: float) -> set[str]:
    """What still waits for deliveries that ``ended_before`` gave waits no longer; gives the systems with something
    due."""
    return {system for delivery_id, state in ended for system in _release_children(db, delivery_id, state, at)}


def pin(db: Database, claimed: Sequence[Delivery]) -> None:
    """The revision whose bytes go out now."""
    db.executemany(
        "UPDATE deliveries SET revision = ?, rebuild = 0 WHERE delivery_id = ? AND (revision <> ?1 OR rebuild = 1)",
        [(d.revision, d.delivery_id) for d in claimed],
    )
