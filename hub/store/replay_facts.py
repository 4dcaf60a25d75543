"""What the store knows that decides whether something can be replayed; and what a replay takes over from the old."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from hub.message import CANONICAL, LOOKUPS, SENT, Delivery
from hub.store import interchanges
from hub.store.database import Database
from hub.store.deliveries import COLUMNS, HELD_BEHIND, from_row

Place = tuple[str, str, int]  # lane, system, and where in it


class DeliveryFacts(msgspec.Struct, frozen=True):
    """A delivery as far as a replay must know it. ``follows``: one that it comes after has not arrived."""

    delivery: Delivery
    hold_reason: str
    follows: bool


class WholeFacts(msgspec.Struct, frozen=True):
    """A message or receipt as far as a replay must know it."""

    seq: int
    raw_owner: str
    state: str
    resolved_by: str
    is_replayed: bool  # it, a message of it, or the receipt that it is of
    is_being_replayed: bool
    went_out: bool  # its bytes are what the hub sent, kept for a person who asks after them


def of_deliveries(db: Database, delivery_ids: Sequence[str]) -> dict[str, DeliveryFacts]:
    """Deliveries by id; one that is no longer stored is left out."""
    rows = db.executemany(
        f"""SELECT hold_reason, EXISTS (SELECT 1 FROM deliveries p WHERE p.delivery_id = deliveries.waits_for
              AND p.state <> 'delivered' AND (deliveries.state = 'held'
                OR p.state NOT IN ('skipped', 'resolved', 'cancelled'))) OR coalesce({HELD_BEHIND}, FALSE), {COLUMNS}
            FROM deliveries WHERE delivery_id = ?""",
        [(id,) for id in delivery_ids],
    )
    return {row[2]: DeliveryFacts(from_row(row[2:]), str(row[0]), bool(row[1])) for row in rows}


# The state of each receipt that goes through in its place: in that of the whole it is of, or of a part of it, too.
_REPLAYS = {
    "message": """SELECT state FROM receipts WHERE replay_of = ?1 AND replay_of <> ''
      UNION ALL SELECT x.state FROM messages m CROSS JOIN receipts r ON r.seq = m.seq
        CROSS JOIN receipts x ON x.replay_of = r.receipt_id AND x.replay_of <> ''
        WHERE m.message_id = ?1 AND r.receipt_id <> ?1""",
    "receipt": """SELECT state FROM receipts WHERE replay_of = ?1 AND replay_of <> ''
      UNION ALL SELECT x.state FROM receipts r CROSS JOIN messages m ON m.seq = r.seq
        CROSS JOIN receipts x ON x.replay_of = m.message_id AND x.replay_of <> ''
        WHERE r.receipt_id = ?1 AND m.message_id <> ?1""",
}


def of_whole(db: Database, kind: str, id: str) -> WholeFacts | None:
    """A message or a receipt; None when there is none."""
    table = {"message": "m", "receipt": "r"}[kind]
    row = db.execute(
        f"""SELECT r.seq, CASE WHEN r.raw_owner <> '' THEN r.raw_owner ELSE r.receipt_id END, {table}.state,
              coalesce({table}.resolved_by, ''), r.door = 'hub' AND r.route = ''
            FROM receipts r LEFT JOIN messages m ON m.seq = r.seq WHERE {table}.{kind}_id = ? LIMIT 1""",
        (id,),
    ).fetchone()
    if row is None:
        return None
    replays = [state for (state,) in db.execute(_REPLAYS[kind], (id,))]
    seq, raw_owner, state, resolved_by, went_out = row
    is_being_replayed = "received" in replays
    return WholeFacts(
        int(seq), str(raw_owner), str(state), str(resolved_by), bool(replays), is_being_replayed, bool(went_out)
    )


def replayed(db: Database, delivery_ids: Sequence[str]) -> set[str]:
    """Which deliveries have a replay, whatever became of it."""
    sql = "SELECT replay_of FROM deliveries WHERE replay_of = ? AND replay_of <> ''"
    return {str(id) for (id,) in db.executemany(sql, [(id,) for id in delivery_ids])}


def with_document(db: Database, message_ids: Sequence[str]) -> set[str]:
    """The messages whose canonical document is stored."""
    sql = "SELECT owner_id FROM payloads WHERE owner_id = ? AND stage = ? AND chunk = 0"
    return {str(id) for (id,) in db.executemany(sql, [(id, CANONICAL) for id in dict.fromkeys(message_ids)])}


_NEWEST = """SELECT j.value ->> 0, j.value ->> 1, (SELECT max(d.lane_seq) FROM deliveries d
    WHERE d.lane = j.value ->> 0 AND d.lane <> '' AND d.system = j.value ->> 1 AND d.state = 'delivered') AS newest
  FROM json_each(?) j"""


def newest_delivered(db: Database, lanes: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """By (lane, system) the place of the newest that was delivered; a lane that has none is left out."""
    rows = db.execute(_NEWEST, (msgspec.json.encode(sorted(lanes)).decode(),))
    return {(lane, system): int(newest) for lane, system, newest in rows if newest is not None}


def overtaken(db: Database, places: Collection[Place]) -> dict[Place, str]:
    """Of places in lanes those that something newer was delivered from: ``superseded``."""
    newest = newest_delivered(db, {(lane, system) for lane, system, _ in places})
    return {place: "superseded" for place in places if newest.get(place[:2], -1) > place[2]}


# What holds a lane next behind a place is what goes, or went, before anything behind that.
_NEXT = """SELECT j.value ->> 0, j.value ->> 1, CAST(j.value ->> 2 AS BIGINT), (SELECT CASE
      WHEN e.state IN ('delivering', 'unknown') OR e.claimed_by IS NOT NULL THEN 'on_its_way'
      WHEN e.doubt = 1 AND e.state = 'held' THEN 'in_doubt' WHEN e.doubt = 1 THEN 'on_its_way' ELSE '' END
    FROM deliveries e WHERE e.lane = j.value ->> 0 AND e.system = j.value ->> 1 AND e.holds_lane = 1
      AND e.lane_seq > CAST(j.value ->> 2 AS BIGINT) ORDER BY e.lane_seq LIMIT 1) AS next
  FROM json_each(?) j"""
ON_ITS_WAY, IN_DOUBT = "on_its_way", "in_doubt"


def what_is_newer(db: Database, places: Collection[Place]) -> dict[Place, str]:
    """For places in lanes that something newer may arrive from, or may have: it is ON_ITS_WAY, or a person has to say
    what became of it, who is IN_DOUBT."""
    if not places:
        return {}
    rows = db.execute(_NEXT, (msgspec.json.encode(sorted(places)).decode(),))
    return {(str(lane), str(system), int(seq)): str(found) for lane, system, seq, found in rows if found}


def places_of(db: Database, message_id: str) -> list[Place]:
    """The places of the deliveries of a message in their lanes."""
    sql = "SELECT DISTINCT lane, system, lane_seq FROM deliveries WHERE message_id = ? AND lane <> ''"
    return [(str(lane), str(system), int(place)) for lane, system, place in db.execute(sql, (message_id,))]


def has_payload(db: Database, owner_id: str, stage: str) -> bool:
    sql = "SELECT 1 FROM payloads WHERE owner_id = ? AND stage = ? LIMIT 1"
    return db.execute(sql, (owner_id, stage)).fetchone() is not None


# A few steps of the index for each system, however much was delivered in the lane.
_OVERTAKEN = """WITH RECURSIVE found(system) AS (
    SELECT min(system) FROM deliveries WHERE lane = ?1 AND lane <> '' AND state = 'delivered'
    UNION ALL
    SELECT (SELECT min(d.system) FROM deliveries d WHERE d.lane = ?1 AND d.lane <> '' AND d.state = 'delivered'
      AND d.system > found.system) FROM found WHERE found.system IS NOT NULL)
  SELECT 1 FROM found WHERE EXISTS (SELECT 1 FROM deliveries e WHERE e.lane = ?1 AND e.lane <> ''
    AND e.state = 'delivered' AND e.system = found.system AND e.lane_seq > ?2) LIMIT 1"""


def is_overtaken(db: Database, lane: str, order: int) -> bool:
    """Whether something newer of the same lane was delivered, whatever the system."""
    return bool(lane) and db.execute(_OVERTAKEN, (lane, order)).fetchone() is not None


def delivery_states(db: Database, kind: str, id: str, seq: int) -> set[tuple[str, bool]]:
    """The states of the deliveries of a message, or of all messages of a receipt, each with whether it may have had its
    effect all the same. Of one that did not arrive and was replayed, that of its replay stands for it."""
    column, value = ("m.message_id", id) if kind == "message" else ("m.seq", seq)
    rows = db.execute(
        f"""SELECT DISTINCT d.state, d.doubt FROM messages m CROSS JOIN deliveries d ON d.message_id = m.message_id
            WHERE {column} = ? AND (d.state = 'delivered' OR NOT EXISTS (
              SELECT 1 FROM deliveries x WHERE x.replay_of = d.delivery_id AND x.replay_of <> ''))""",
        (value,),
    )
    return {(str(state), bool(doubt)) for state, doubt in rows}


def unfinished(db: Database, kind: str, id: str, seq: int) -> list[str]:
    """The dead, held and expired deliveries of a message, or of all messages of a receipt."""
    column, value = ("m.message_id", id) if kind == "message" else ("m.seq", seq)
    rows = db.execute(
        f"""SELECT d.delivery_id FROM messages m CROSS JOIN deliveries d ON d.message_id = m.message_id
            WHERE {column} = ? AND d.state IN ('dead', 'held', 'expired')""",
        (value,),
    )
    return [str(row[0]) for row in rows]


# What a message, or a receipt, is a replay of; '' where it is none.
_REPLAY_OF = """SELECT replay_of FROM receipts WHERE receipt_id = ?1
  UNION ALL SELECT r.replay_of FROM messages m CROSS JOIN receipts r ON r.seq = m.seq
    WHERE m.message_id = ?1 AND r.receipt_id <> ?1 LIMIT 1"""


def was_told(db: Database, seq: int, code: str) -> bool:
    """Whether what a receipt is a replay of, or what that is one of, was a dead letter of this code."""
    at = str(db.execute("SELECT replay_of FROM receipts WHERE seq = ?", (seq,)).get or "")
    while at:
        if db.execute("SELECT failure ->> '$.code' FROM messages WHERE message_id = ?", (at,)).get == code:
            return True
        at = str(db.execute(_REPLAY_OF, (at,)).get or "")
    return False


def depth_of(db: Database, id: str, most: int) -> int:
    """How many replays in a row have led to this message or receipt; no further than ``most``."""
    depth, at = 0, id
    while depth < most:
        row = db.execute(_REPLAY_OF, (at,)).fetchone()
        if row is None or not row[0]:
            return depth
        depth, at = depth + 1, str(row[0])
    return depth


def copy_sent(db: Database, copied: Sequence[tuple[Delivery, str]]) -> None:
    """The bytes of deliveries become those of other ones too, unchanged, with what was looked up to make them: (old, id
    of the new one) each."""
    db.executemany(
        """INSERT INTO payloads (owner_id, stage, revision, chunk, content_type, compressed, size, stored_at, content)
           SELECT ?, stage, revision, chunk, content_type, compressed, size, stored_at, content FROM payloads
           WHERE owner_id = ? AND (stage = ? OR stage = ?) AND revision = ?""",
        [(new_id, old.delivery_id, SENT, LOOKUPS, old.revision) for old, new_id in copied],
    )
    interchanges.go_on(db, [(old.delivery_id, old.revision, new_id) for old, new_id in copied])


def adopt_followers(db: Database, replaced: Sequence[tuple[str, str]]) -> None:
    """What comes after old deliveries comes after the new ones, also what was held because the old one died, which
    waits again; what an operator holds, or is dead, stays so: (old id, new id) each."""
    new_ids = dict(replaced)
    found = db.executemany(
        "SELECT delivery_id, waits_for FROM deliveries WHERE waits_for = ? AND waits_for <> '' AND due_at IS NULL",
        [(old_id,) for old_id in new_ids],
    ).fetchall()
    given = [(follower, new_ids[old_id], old_id) for follower, old_id in found]
    db.executemany(
        f"""UPDATE deliveries SET waits_for = ?2, state = 'queued', failure = NULL, fingerprint = '', hold_reason = '',
             expires_at = CASE WHEN state = 'held' THEN NULL ELSE expires_at END
           WHERE delivery_id = ?1 AND waits_for = ?3
             AND (state = 'queued' OR (state = 'held' AND {HELD_BEHIND}))""",
        given,
    )
    db.executemany(
        """UPDATE deliveries SET waits_for = ?2
           WHERE delivery_id = ?1 AND waits_for = ?3 AND (state = 'held' OR state = 'dead')""",
        given,
    )
