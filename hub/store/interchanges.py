"""Interchanges with partners: control numbers given in the transaction that stores the bytes, numbers of theirs that
were seen before, and what is known of those that were sent."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from hub.formats._acks_read import REJECTED
from hub.formats._edi_marks import KINDS, filled
from hub.message import Answered, Body, Came, Delivery, Taken
from hub.store.database import Database
from hub.store.deliveries import WAITING
from hub.store.interventions import resolve_letter
from hub.store.pruning import forget

_MOST = 999_999_999  # what nine digits hold; then numbers begin again
_NEXT = f"""INSERT INTO control_numbers (partner, kind, last) VALUES (?, ?, ?) ON CONFLICT (partner, kind)
  DO UPDATE SET last = control_numbers.last % {_MOST} + 1 RETURNING last"""
_SENT = """INSERT INTO interchanges_sent (delivery_id, revision, partner, interchange, group_number, message_number,
  type, content_hash, stamped_at, ack_within, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


def stamp(db: Database, wanted: Sequence[tuple[Delivery, Body]], at: float) -> dict[str, Body]:
    """The bytes of deliveries to partners with the next numbers of each, by delivery. Numbers belong to the
    transaction: one that is rolled back has used none, and every other waits for its end, so that there are no gaps."""
    done: dict[str, Body] = {}
    # By partner: two processes that take numbers of the same partners in one order cannot deadlock.
    for delivery, body in sorted(wanted, key=lambda pair: pair[1].stamp.partner if pair[1].stamp else ""):
        if body.stamp is not None:
            done[delivery.delivery_id] = stamp_together(db, [delivery], body, at)
    return done


def stamp_together(db: Database, deliveries: Sequence[Delivery], body: Body, at: float) -> Body:
    """The bytes of one interchange with a message for each of these deliveries, with their numbers: those of
    interchange and group for all of them, that of its message for each."""
    stamp = body.stamp
    assert stamp is not None, "only an interchange that still has none is given numbers"
    firsts = dict(zip(KINDS, stamp.first, strict=True))
    shared = {kind: _next(db, stamp.partner, kind, firsts[kind]) for kind in ("interchange", "group")}
    digest, numbers = content_hash(body), list[int]()
    for delivery, document in zip(deliveries, stamp.documents, strict=True):
        numbers.append(_next(db, stamp.partner, "message", firsts["message"]))
        row = (
            delivery.delivery_id, delivery.revision, stamp.partner, shared["interchange"], shared["group"], numbers[-1],
            stamp.type, digest, at, stamp.ack_within, document,
        )  # fmt: skip
        db.execute(_SENT, row)
    local = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(stamp.time_zone))
    return replace(body, content=filled(body.content, {**shared, "message": numbers}, local), stamp=None)


def _next(db: Database, partner: str, kind: str, first: int) -> int:
    """The next number of a kind; 0 where the interchange has none of it."""
    return int(db.execute(_NEXT, (partner, kind, first)).get) if first else 0


def content_hash(body: Body) -> str:
    """What tells whether bytes without numbers are the same."""
    return hashlib.sha256(body.content).hexdigest()


_GOES_ON = """UPDATE interchanges_sent SET delivery_id = ?3 WHERE delivery_id = ?1 AND revision = ?2
  AND NOT EXISTS (SELECT 1 FROM deliveries WHERE delivery_id = ?1 AND state = 'delivered')"""


def go_on(db: Database, replays: Sequence[tuple[str, int, str]]) -> None:
    """The numbers in the bytes of deliveries go with those that send the same bytes in their place; those of one that
    was delivered stay with it: (old id, revision, new id) each."""
    db.executemany(_GOES_ON, replays)


def hash_of(db: Database, delivery_id: str, revision: int) -> str:
    """That of the bytes a delivery was sent with; '' where they had no numbers."""
    sql = "SELECT content_hash FROM interchanges_sent WHERE delivery_id = ? AND revision = ?"
    return str(db.execute(sql, (delivery_id, revision)).get or "")


# -- received ------------------------------------------------------------------------------------------------------


class Before(msgspec.Struct, frozen=True):
    """An interchange with the same number that came before: its receipt, and whether its content was the same.
    ``is_partial``: some of it was missing, and each message that was taken in is remembered. ``origin``: its receipt's
    number, of a replay that of the first one; 0 where it is not known any more."""

    receipt_id: str
    received_at: float
    is_same: bool
    is_partial: bool = False
    origin: int = 0


_CAME = """INSERT INTO interchanges_received (partner, number, seq, position, digest, received_at, partial)
  VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING seq"""
_BEFORE = """SELECT seq, position, digest, received_at, partial FROM interchanges_received
  WHERE partner = ? AND number = ?"""
_TAKE = """INSERT INTO messages_taken (partner, number, reference, digest, taken_at) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT DO NOTHING RETURNING digest"""


def remember(db: Database, came: Sequence[Came], at: float) -> dict[Came, Before]:
    """Note the numbers of interchanges; gives those that came before, in another receipt or in another place of the
    same one."""
    found: dict[Came, Before] = {}
    for each in sorted(came, key=lambda one: (one.partner, one.number)):
        row = (each.partner, each.number, each.seq, each.position, each.digest, at, int(each.is_partial))
        if db.execute(_CAME, row).fetchone() is not None:
            continue
        if (before := _before(db, each)) is not None:
            found[each] = before
    return found


def _before(db: Database, came: Came) -> Before | None:
    row = db.execute(_BEFORE, (came.partner, came.number)).fetchone()
    if row is None or (row[0], row[1]) == (came.seq, came.position):
        return None
    sql = "SELECT receipt_id, CASE origin_seq WHEN 0 THEN seq ELSE origin_seq END FROM receipts WHERE seq = ?"
    receipt_id, origin = db.execute(sql, (row[0],)).fetchone() or ("", 0)
    return Before(str(receipt_id), float(row[3]), row[2] == came.digest, bool(row[4]), int(origin))


def take(db: Database, came: Came, messages: Sequence[Taken], at: float) -> tuple[set[int], set[int]]:
    """Remember the messages of an interchange some of which may be missing; gives the positions of those that were
    taken in before: (with the same bytes, with others). Where a message is parted, each part is remembered, and beside
    them the message, by what it was parted; all of one that was whole then, or parted otherwise, was taken in."""
    repeated, other = set[int](), set[int]()
    for each in sorted(messages, key=lambda one: (one.reference, one.position)):
        key, by = (came.partner, came.number), each.part.rpartition(" ")[0]
        before = _take(db, (*key, each.reference, f"{each.digest} {by}".rstrip(), at))
        digest, _, parted_by = before.partition(" ")
        if by and (not before or (digest, parted_by) == (each.digest, by)):
            digest = _take(db, (*key, f"{each.reference}, {each.part}", each.digest, at))
        if digest:
            (repeated if digest == each.digest else other).add(each.position)
    return repeated, other


def _take(db: Database, row: tuple[str, str, str, str, float]) -> str:
    """What is remembered under a reference already; '' where the row is now."""
    if db.execute(_TAKE, row).fetchone() is not None:
        return ""
    sql = "SELECT digest FROM messages_taken WHERE partner = ? AND number = ? AND reference = ?"
    return str(db.execute(sql, row[:3]).get or "")


def told_apart(db: Database, seq: int) -> set[str]:
    """Of what an interchange that is replayed as a whole was before: the places of its messages, and of their parts,
    that have gone their own way, or are dead letters of their own."""
    found = set[str]()
    of = _replay_of(db, "seq", seq)
    while of:
        row = db.execute("SELECT seq, position, place FROM messages WHERE message_id = ?", (of,)).fetchone()
        if row is None:
            of = _replay_of(db, "receipt_id", of)
            continue
        sql = "SELECT place FROM messages WHERE seq = ? AND position > ? ORDER BY position"
        places = [str(place) for (place,) in db.execute(sql, row[:2])]
        found.update(takewhile(partial(_is_below, f"{row[2]}, "), places))
        of = _replay_of(db, "seq", row[0])
    return found


def _is_below(begins: str, place: str) -> bool:
    return place.startswith(begins)


def _replay_of(db: Database, column: str, value: int | str) -> str:
    return str(db.execute(f"SELECT replay_of FROM receipts WHERE {column} = ?", (value,)).get or "")


def prune(db: Database, before: float, limit: int = 1000) -> int:
    """Forget numbers that are older than metadata is kept, some at a time; gives how many. Those last given stay."""
    return sum(
        forget(db, table, key, at, before, limit)
        for table, key, at in (
            ("interchanges_received", "partner, number", "received_at"),
            ("messages_taken", "partner, number, reference", "taken_at"),
            ("interchanges_sent", "delivery_id, revision", "stamped_at"),
        )
    )


def carriers(db: Database, answer: Answered) -> list[tuple[str, str]]:
    """What a partner speaks of, type and delivery: all that went under a control number; of several messages those that
    it rejects, where it rejects some."""
    if answer.kind not in _COLUMN:
        return []
    sql = f"""SELECT type, delivery_id, message_number FROM interchanges_sent
      WHERE partner = ? AND {_COLUMN[answer.kind]} = ? ORDER BY message_number"""
    rows = db.execute(sql, (answer.partner, answer.number)).fetchall()
    said = dict(answer.messages)
    rejected = [row for row in rows if said.get(row[2], answer.rest or answer.verdict) == REJECTED]
    return [(str(type), str(delivery_id)) for type, delivery_id, _ in (rejected if len(rows) > 1 else rows)]


# -- acknowledged --------------------------------------------------------------------------------------------------

_COLUMN = {"interchange": "interchange", "group": "group_number"}


def note_answers(db: Database, answers: Sequence[Answered], at: float) -> list[Answered]:
    """What partners say of interchanges of ours, and of single messages in them; gives those of numbers that were never
    given. A TA1 or a CONTRL that only says it has come does not undo more. One that comes late settles the dead letter
    that said it was missing."""
    strange = []
    for answer in answers:
        if answer.kind == "document":
            strange += [] if _note_judgement(db, answer) else [answer]
            continue
        known = f"""SELECT delivery_id, revision, message_number, ack, ack_receipt FROM interchanges_sent
          WHERE partner = ? AND {_COLUMN[answer.kind]} = ?"""
        rows = db.execute(known, (answer.partner, answer.number)).fetchall()
        if not rows:
            strange.append(answer)
            continue
        for receipt_id in {str(row[4]) for row in rows if row[3] == "expired"} if answer.verdict != "received" else ():
            resolve_letter(db, "receipt", receipt_id, f"acknowledgement of {answer.partner}")
        verdicts = dict(answer.messages) if len(rows) > 1 else {}
        rest = answer.rest or answer.verdict if len(rows) > 1 else answer.verdict
        for delivery_id, revision, message, _, _ in rows:
            verdict = verdicts.get(message, rest)
            db.execute(_NOTE, (verdict, at, answer.receipt_id, delivery_id, revision, verdict))
    return strange


_NOTE = """UPDATE interchanges_sent SET ack = ?, ack_at = ?, ack_receipt = ? WHERE delivery_id = ? AND revision = ?
  AND (ack = '' OR ack = 'received' OR (ack = 'expired' AND ? <> 'received'))"""


_BY_DOCUMENT = "document = ?2 ORDER BY stamped_at DESC, interchange DESC LIMIT 1"
_BY_GROUP = """group_number = CAST(?2 AS int8)
  AND 1 = (SELECT count(*) FROM interchanges_sent WHERE partner = ?1 AND group_number = CAST(?2 AS int8))"""
_BY_MESSAGE = "message_number = CAST(?2 AS int8) AND document <> '' ORDER BY stamped_at DESC LIMIT 1"
_JUDGED = """UPDATE interchanges_sent SET answer = ?3, answer_receipt = ?4 WHERE (delivery_id, revision) IN (
    SELECT delivery_id, revision FROM interchanges_sent WHERE partner = ?1 AND {0})"""


def _note_judgement(db: Database, answer: Answered) -> bool:
    """What a partner says of the content of something: by the number of its group, where that holds one message; of the
    document with this number, the newest that was sent; else by the number of its message. False: there is none."""
    tries = [(_BY_GROUP, str(answer.number))] if answer.number else []
    tries += [(_BY_DOCUMENT, number) for number in answer.documents]
    tries += [(_BY_MESSAGE, str(answer.message))] if answer.message else []
    for where, value in tries:
        db.execute(_JUDGED.format(where), (answer.partner, value, answer.verdict, answer.receipt_id))
        if db.changes():
            return True
    return False


_AGAIN = """(EXISTS (SELECT 1 FROM deliveries r WHERE r.replay_of = s.delivery_id AND r.replay_of <> '')
    OR EXISTS (SELECT 1 FROM messages m JOIN receipts o ON o.seq = m.seq JOIN receipts r ON r.replay_of <> ''
      AND (r.replay_of = m.message_id OR r.replay_of = o.receipt_id) WHERE m.message_id = d.message_id))"""
# What a person resolves in doubt has arrived; what a replay has replaced, or the partner's door refused, has not.
_STATE = f"""CASE
    WHEN d.state = 'delivered' OR (d.state = 'resolved' AND d.doubt = 1 AND NOT {_AGAIN}) THEN 'sent'
    WHEN d.state IN ({WAITING}) THEN 'waiting'
    WHEN s.ack <> '' AND s.ack <> 'expired' THEN 'sent'
    WHEN EXISTS (SELECT 1 FROM deliveries r WHERE r.replay_of = s.delivery_id AND r.replay_of <> ''
      AND r.state IN ({WAITING})
      AND NOT EXISTS (SELECT 1 FROM interchanges_sent n WHERE n.delivery_id = r.delivery_id)) THEN 'replayed'
    WHEN d.doubt = 1 THEN 'unknown'
    WHEN d.state IS NULL THEN 'gone' ELSE 'void' END"""
_UNANSWERED = "s.ack_within IS NOT NULL AND (s.ack = '' OR s.ack = 'received')"
_OVERDUE = f"""SELECT s.partner, s.interchange, s.type, s.delivery_id, s.revision, d.message_id, d.system, s.ack_within
  FROM interchanges_sent s JOIN deliveries d ON d.delivery_id = s.delivery_id
  WHERE {_UNANSWERED} AND d.updated_at + s.ack_within <= ? AND {_STATE} = 'sent' AND NOT EXISTS (
    SELECT 1 FROM interchanges_sent f WHERE f.partner = s.partner AND f.interchange = s.interchange
      AND f.message_number < s.message_number AND f.ack_within IS NOT NULL AND (f.ack = '' OR f.ack = 'received'))
  LIMIT ?"""
_AWAITED = f"""SELECT s.partner, count(DISTINCT s.interchange)
  FROM interchanges_sent s JOIN deliveries d ON d.delivery_id = s.delivery_id
  WHERE {_UNANSWERED} AND ({_STATE} IN ('sent', 'waiting', 'replayed') OR (d.state = 'dead' AND d.doubt = 1))
  GROUP BY s.partner"""


_EXPIRED = "SELECT partner, count(DISTINCT interchange) FROM interchanges_sent WHERE ack = 'expired' GROUP BY 1"


class Overdue(msgspec.Struct, frozen=True):
    """An interchange that was delivered and not acknowledged within its time, ``within`` in seconds; where it holds
    several messages, the first of them."""

    partner: str
    number: int
    type: str
    delivery_id: str
    revision: int
    message_id: str
    system: str
    within: float


def overdue(db: Database, at: float, limit: int) -> list[Overdue]:
    """Those whose time is over and of which nothing was told yet."""
    return [Overdue(*row) for row in db.execute(_OVERDUE, (at, limit))]


def expire(db: Database, late: Overdue, receipt_id: str, at: float) -> bool:
    """Note that the time is over, and the dead letter that says so; False where an acknowledgement has come, or another
    process was quicker."""
    db.execute(
        """UPDATE interchanges_sent SET ack = 'expired', ack_at = ?, ack_receipt = ?
           WHERE partner = ? AND interchange = ? AND (ack = '' OR ack = 'received')""",
        (at, receipt_id, late.partner, late.number),
    )
    return db.changes() > 0


def unacknowledged(db: Database) -> dict[str, int]:
    """How many interchanges wait for their acknowledgement, or have waited too long, by partner. A void number waits
    for none."""
    found = Counter(_awaited(db))
    found.update(dict(db.execute(_EXPIRED)))
    return dict(sorted(found.items()))


def _awaited(db: Database) -> dict[str, int]:
    return {str(partner): int(count) for partner, count in db.execute(_AWAITED)}


def awaited(db: Database) -> dict[str, tuple[int, int, int]]:
    """By partner, how many interchanges wait for their acknowledgement, have waited too long, and were rejected by it,
    whether their syntax or their content."""
    waiting = _awaited(db)
    rows = db.execute(
        """SELECT partner, count(DISTINCT CASE WHEN ack = 'expired' THEN interchange END),
             count(DISTINCT CASE WHEN ack = 'rejected' OR answer = 'rejected' THEN interchange END)
           FROM interchanges_sent GROUP BY partner"""
    )
    return {str(name): (waiting.get(str(name), 0), int(expired), int(rejected)) for name, expired, rejected in rows}


_UNROUTED = """SELECT m.failure ->> '$.partner', m.event, count(*) FROM messages m
  WHERE m.state = 'dead' AND m.resolved_by IS NULL AND m.failure ->> '$.code' = 'no_route'
    AND m.failure ->> '$.partner' <> '' GROUP BY 1, 2 ORDER BY 1, 2"""


def unrouted(db: Database) -> dict[str, dict[str, int]]:
    """By partner, the types of messages that came and that no route takes, with how many of them nobody has seen to."""
    found: dict[str, dict[str, int]] = {}
    for partner, event, count in db.execute(_UNROUTED):
        found.setdefault(str(partner), {})[str(event)] = int(count)
    return found


# -- what is known of those sent -----------------------------------------------------------------------------------

_LISTED = f"""SELECT s.interchange, s.group_number, s.message_number, s.type, s.delivery_id, s.stamped_at, {_STATE},
    s.ack, s.ack_receipt, s.document, s.answer
  FROM interchanges_sent s LEFT JOIN deliveries d ON d.delivery_id = s.delivery_id
  WHERE s.partner = ? AND s.interchange < ? AND s.interchange >= coalesce((SELECT min(last.interchange) FROM (
    SELECT DISTINCT n.interchange FROM interchanges_sent n WHERE n.partner = ? AND n.interchange < ?
    ORDER BY n.interchange DESC LIMIT ?) AS last), 0)
  ORDER BY s.interchange DESC, s.message_number DESC"""
_NAMES = (
    "interchange",
    "group",
    "message",
    "type",
    "delivery_id",
    "stamped_at",
    "state",
    "ack",
    "ack_receipt",
    "document",
    "answer",
)


def listed(db: Database, partner: str, limit: int, below: int = _MOST + 1) -> list[dict[str, Any]]:
    """The messages of the interchanges written for a partner, of the newest ``limit`` of them, the newest first.
    ``state``: waiting, sent (delivered, resolved by a person after a doubt, or acknowledged), void (its delivery ended
    and was not sent), unknown (it may have arrived), replayed (another delivery is about to send the same, or what has
    changed of it)."""
    return [dict(zip(_NAMES, row, strict=True)) for row in db.execute(_LISTED, (partner, below, partner, below, limit))]


def last_numbers(db: Database) -> Mapping[str, dict[str, int]]:
    """The last number given of each kind, by partner."""
    found: dict[str, dict[str, int]] = {}
    for partner, kind, last in db.execute("SELECT partner, kind, last FROM control_numbers ORDER BY partner, kind"):
        found.setdefault(str(partner), {})[str(kind)] = int(last)
    return found
