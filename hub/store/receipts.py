"""Receipts: accepted once, claimed by a worker, split into messages or dead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.message import RAW, Accepted, Arrival, Receipt
from hub.outcome import Failure
from hub.store import items, payloads, same_content
from hub.store.database import Database, lock_sources, next_numbers
from hub.store.deliveries import READ_TO, WAITING

BATCH = 128  # receipts that one worker takes at a time
_LEFT_SECONDS = 0.25  # how long a receipt may be left to a worker that has earlier ones of its source
_COLUMNS = """seq, receipt_id, source, event, received_at, content_type, traceparent, causation_id, correlation_id,
  route, crashes, name, raw_owner, replay_of, origin_seq, origin_position, message_count"""
_INSERT = """INSERT INTO receipts (seq, receipt_id, source, event, door, state, received_at, size, content_type,
  dedupe_key, name, reference, traceparent, causation_id, correlation_id, route, enqueued_at, raw_owner, replay_of,
  origin_seq, origin_position, claimed_by, settled, is_part)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


def accept(
    db: Database, arrivals: Sequence[Arrival], rows: Sequence[tuple[Any, ...]], worker: str | None = None
) -> list[Accepted]:
    """Store arrivals, each once: a repeat of a dedupe key gives the first receipt. ``rows`` are their packed payloads.

    With ``worker`` they are claimed for it from the start. The result is in the order of ``arrivals``; nothing counts
    until the transaction is committed.
    """
    lock_sources(db, {arrival.source for arrival in arrivals})
    numbered = list(zip(next_numbers(db, len(arrivals)), arrivals, strict=True))
    repeats = same_content.repeats(db, numbered)
    repeats |= {seq: _first(db, first, numbered) for seq, first in items.repeats(db, numbered).items()}
    repeats |= _repeats(db, [(seq, a) for seq, a in numbered if seq not in repeats] if repeats else numbered)
    fresh = [(seq, a) for seq, a in numbered if seq not in repeats]
    db.executemany(_INSERT, [_row(seq, a, worker) for seq, a in fresh])
    kept = {a.receipt_id for _, a in fresh} if repeats else None
    payloads.insert_rows(db, rows if kept is None else [row for row in rows if row[0] in kept])
    for seq, arrival in numbered if repeats else ():
        if seq in repeats and arrival.content_key is not None:
            same_content.remember(db, arrival.source, arrival.content_key, repeats[seq].seq)
    aside = {seq for seq, a in fresh if a.content_key is not None and _set_aside(db, seq, a, a.content_key)}
    is_claimed = worker is not None
    return [repeats.get(seq) or Accepted(a.receipt_id, seq, False, is_claimed, seq in aside) for seq, a in numbered]


def _set_aside(db: Database, seq: int, arrival: Arrival, content_key: str) -> bool:
    """Remember the content; a receipt whose content came before is a dead letter at once."""
    first = same_content.first(db, arrival.source, content_key)
    same_content.remember(db, arrival.source, content_key, seq)
    if first is not None:
        mark_dead(db, seq, same_content.failure(first))
    return first is not None


def _row(seq: int, a: Arrival, worker: str | None) -> tuple[Any, ...]:
    return (
        seq, a.receipt_id, a.source, a.event, a.door, "received", a.received_at,
        len(a.raw) if a.size < 0 else a.size, a.content_type, a.dedupe_key, a.name, a.reference, a.traceparent,
        a.causation_id, a.correlation_id, a.route, a.received_at, a.raw_owner, a.replay_of, a.origin_seq,
        a.origin_position, worker, int(a.is_part), int(a.is_part),
    )  # fmt: skip


_FIRST = "SELECT seq FROM dedupe WHERE source = ? AND dedupe_key = ?"


def _repeats(db: Database, numbered: Sequence[tuple[int, Arrival]]) -> dict[int, Accepted]:
    """The arrivals whose dedupe key, or other key, was seen before, each with the first receipt of that key."""
    alone = [(seq, a) for seq, a in numbered if a.dedupe_key is not None and not a.item]
    others = ((seq, db.execute(_FIRST, (a.source, a.other_key)).get) for seq, a in alone if a.other_key)
    repeats = {seq: _first(db, first, numbered) for seq, first in others if first is not None}
    # Rows sorted by key: two processes that insert the same keys in one order cannot deadlock.
    wanted = sorted((a.source, a.dedupe_key, seq) for seq, a in alone if seq not in repeats)
    if not wanted:
        return repeats
    inserted = {
        seq
        for (seq,) in db.executemany("INSERT INTO dedupe VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING seq", wanted)
    }
    for source, key, seq in wanted:
        if seq not in inserted:
            first = db.execute(_FIRST, (source, key)).get
            repeats[seq] = _first(db, first, numbered)
    return repeats


def _first(db: Database, first_seq: int, numbered: Sequence[tuple[int, Arrival]]) -> Accepted:
    here = [a.receipt_id for seq, a in numbered if seq == first_seq]
    stored = here[0] if here else db.execute("SELECT receipt_id FROM receipts WHERE seq = ?", (first_seq,)).get
    return Accepted(stored or "", first_seq, duplicate=True)


_CLAIM = f"""UPDATE receipts SET claimed_by = ? WHERE seq = ? AND state = 'received' AND claimed_by IS NULL
  RETURNING size, {_COLUMNS}"""
Row = tuple[Any, ...]  # of a receipt without its bytes: its size, its number, and what else there is of it


def claim(db: Database, seqs: Sequence[int], worker: str) -> list[Row]:
    """Take receipts to be split: the record that says who had them in hand, should the process die. Gives those that
    were free."""
    return db.executemany(_CLAIM, [(worker, seq) for seq in seqs]).fetchall()


_TOLD_OF = "SELECT source, state, claimed_by FROM receipts WHERE seq = ?"
_OLDEST_FREE = f"""SELECT seq, received_at FROM receipts INDEXED BY receipts_open
  WHERE source = ?1 AND state = 'received' AND claimed_by IS NULL AND seq >= {READ_TO.format("?1")}
  ORDER BY source, seq LIMIT ?2"""
_HELD_BEFORE = f"""SELECT seq FROM receipts INDEXED BY receipts_open
  WHERE source = ?1 AND state = 'received' AND seq >= {READ_TO.format("?1")} AND seq < ?2 AND claimed_by <> ?3
  ORDER BY source, seq LIMIT 1"""


def take(
    db: Database, seqs: Sequence[int], sources: Collection[str], worker: str, now: float
) -> tuple[list[Row], list[str]]:
    """Take what waits longest of the sources that these receipts are of, and of ``sources``: as many as were told of,
    or a batch. So what one worker has follows each other, whoever was told of what.

    A source that another worker has in hand is left to it while less than a batch of it waits, and none for long: what
    comes after that may not be sent before it in any case. Such sources, and those of which there was more than could
    be taken, are told beside; whoever has something in hand looks once more when it is stored.
    """
    rows = db.executemany(_TOLD_OF, [(seq,) for seq in seqs])
    told = Counter(str(source) for source, state, holder in rows if state == "received" and holder is None)
    room, wanted, left = max(BATCH - told.total(), 0), dict[int, str](), dict[str, None]()
    for source in dict.fromkeys([*told, *sources]):
        free = db.execute(_OLDEST_FREE, (source, BATCH + 1)).fetchall()
        if not free:
            continue
        most = 0 if _is_left(db, source, free, worker, now) else told[source] + room
        room -= max(min(len(free), most) - told[source], 0)
        wanted |= {int(seq): source for seq, _ in free[:most]}
        if most < len(free):
            left[source] = None
    # In the order of their numbers, as everybody locks receipts: nobody waits for another in a circle.
    taken = claim(db, sorted(wanted), worker)
    missed = wanted.keys() - {row[1] for row in taken}
    return taken, [*(left | {wanted[seq]: None for seq in sorted(missed)})]


def oldest_free(db: Database, source: str) -> list[int]:
    """What waits longest of a source and is in nobody's hands, at most a batch of it."""
    return [int(seq) for seq, _ in db.execute(_OLDEST_FREE, (source, BATCH))]


def _is_left(db: Database, source: str, free: Sequence[tuple[int, float]], worker: str, now: float) -> bool:
    first, received_at = free[0]
    if len(free) > BATCH or now - received_at > _LEFT_SECONDS:
        return False
    return db.execute(_HELD_BEFORE, (source, first, worker)).fetchone() is not None


# With OFFSET each source is looked up for itself; a server would else read all that is open to join it.
_UNREAD_BETWEEN = f"""SELECT j.value ->> 0 FROM json_each(?1) j WHERE EXISTS (SELECT 1 FROM receipts r
    WHERE r.source = j.value ->> 0 AND r.state = 'received' AND r.seq > CAST(j.value ->> 1 AS int8)
      AND r.seq >= {READ_TO.format("j.value ->> 0")}
      AND r.seq < CAST(j.value ->> 2 AS int8) AND (r.claimed_by IS NULL OR r.claimed_by <> ?2) LIMIT 1 OFFSET 0)"""


def unread_between(db: Database, between: Mapping[str, tuple[int, int]], worker: str) -> list[str]:
    """Which sources have receipts that are not split and not in the hands of ``worker``, between two numbers of theirs
    that are both left out."""
    wanted = msgspec.json.encode([(source, *numbers) for source, numbers in between.items()]).decode()
    return [str(source) for (source,) in db.execute(_UNREAD_BETWEEN, (wanted, worker))]


def load(db: Database, seqs: Sequence[int], largest: int) -> list[Receipt]:
    """Receipts by number with their raw bytes, those over ``largest`` bytes without; what is gone is left out."""
    rows = db.executemany(f"SELECT size, {_COLUMNS} FROM receipts WHERE seq = ?", [(seq,) for seq in seqs]).fetchall()
    return with_bytes(db, rows, largest)


def with_bytes(db: Database, rows: Sequence[Row], largest: int) -> list[Receipt]:
    """Receipts of which all else is known already."""
    owners = {row[1]: str(row[13] or row[2]) for row in rows}
    contents = payloads.read_small(db, [owners[row[1]] for row in rows if row[0] <= largest], RAW)
    found = [Receipt(*row[1:6], contents.get(owners[row[1]], b""), *row[6:]) for row in rows]  # type: ignore[call-arg]
    return [msgspec.structs.replace(r, origin_place=_place_of(db, r)) if r.origin_position >= 0 else r for r in found]


def raw_of(db: Database, receipt_id: str, largest: int = 64_000_000) -> bytes | None:
    """The bytes that came in as a receipt; None where there is none of this id, it is larger, or they are pruned."""
    sql = "SELECT raw_owner FROM receipts WHERE receipt_id = ? AND size <= ?"
    found = db.execute(sql, (receipt_id, largest)).fetchone()
    return payloads.read(db, found[0] or receipt_id, RAW) if found is not None else None


def _place_of(db: Database, receipt: Receipt) -> str:
    """The place of the message that a receipt is a replay of, also over replays that were none in the end."""
    of = receipt.replay_of
    while of:
        place = db.execute("SELECT place FROM messages WHERE message_id = ?", (of,)).get
        if place is not None:
            return str(place)
        of = db.execute("SELECT replay_of FROM receipts WHERE receipt_id = ?", (of,)).get or ""
    return ""


def mark_split(db: Database, counts: Sequence[tuple[int, int]]) -> None:
    """Receipts all of whose records are messages now: (seq, number of messages in this last part) each."""
    db.executemany(
        """UPDATE receipts SET state = 'split', claimed_by = NULL, message_count = message_count + ?2
           WHERE seq = ?1 AND state = 'received'""",
        counts,
    )


def count_messages(db: Database, counts: Sequence[tuple[int, int]]) -> None:
    """Messages of receipts that are not split to the end: (seq, how many more) each."""
    db.executemany("UPDATE receipts SET message_count = message_count + ?2 WHERE seq = ?1", counts)


def mark_dead(db: Database, seq: int, failure: Failure) -> None:
    """The receipt cannot be routed, or not be read to its end: then its failure says how many records came before."""
    before = db.execute("SELECT message_count FROM receipts WHERE seq = ?", (seq,)).get or 0
    if before:
        records = "the record before it was" if before == 1 else f"the {before} records before it were"
        failure = replace(failure, detail=f"{failure.detail}; {records} taken in and went on")
    db.execute(
        """UPDATE receipts SET state = 'dead', claimed_by = NULL, failure = ?, fingerprint = ?
           WHERE seq = ? AND state = 'received'""",
        (msgspec.json.encode(failure.as_dict()).decode(), failure.fingerprint, seq),
    )


def waits_for_outcome(db: Database, seq: int, references: Collection[str]) -> bool:
    """Whether a fetched thing, by one of its references, is that receipt's own, and its outcome is still to be told to
    its source."""
    row = db.execute("SELECT reference FROM receipts WHERE seq = ? AND settled = 0", (seq,)).fetchone()
    return row is not None and row[0] in references


def free_orphans(db: Database, worker: str) -> None:
    """Receipts that another run had in hand are anybody's again, at once."""
    db.execute(
        """UPDATE receipts INDEXED BY receipts_open SET claimed_by = NULL, enqueued_at = NULL
           WHERE state = 'received' AND (claimed_by IS NULL OR claimed_by <> ?)""",
        (worker,),
    )


_SOURCES_OPEN = """WITH RECURSIVE found(source) AS (
    SELECT min(source) FROM receipts INDEXED BY receipts_open WHERE state = 'received'
    UNION ALL
    SELECT (SELECT min(r.source) FROM receipts r INDEXED BY receipts_open
      WHERE r.state = 'received' AND r.source > found.source) FROM found WHERE found.source IS NOT NULL)
  SELECT source FROM found WHERE source IS NOT NULL"""
_FIRST_UNTAKEN = f"""SELECT seq, enqueued_at FROM receipts INDEXED BY receipts_open
  WHERE source = ?1 AND state = 'received' AND claimed_by IS NULL AND seq >= {READ_TO.format("?1")}
  ORDER BY source, seq LIMIT ?2"""


def waiting(db: Database, before: float, limit: int) -> list[int]:
    """Receipts nobody has taken, told to the broker before ``before`` or never, among the first ``limit`` of each
    source: those that come later have to wait for them in any case."""
    found: list[int] = []
    for (source,) in db.execute(_SOURCES_OPEN).fetchall():
        for seq, enqueued_at in db.execute(_FIRST_UNTAKEN, (source, limit)):
            if enqueued_at is None or enqueued_at < before:
                found.append(int(seq))
    return sorted(found)


_FIRST_OPEN = f"""SELECT seq FROM receipts INDEXED BY receipts_open
  WHERE source = ?1 AND state = 'received' AND seq >= {READ_TO.format("?1")} ORDER BY source, seq LIMIT 1"""


def read_to(db: Database) -> list[tuple[str, int]]:
    """(source, number) of the first receipt of each source that is not split yet. Numbers of a source are given in the
    order in which they are stored, so that nothing that comes later has a lower one."""
    sources = [str(source) for (source,) in db.execute(_SOURCES_OPEN).fetchall()]
    found = [(source, db.execute(_FIRST_OPEN, (source,)).get) for source in sources]
    return [(source, int(seq)) for source, seq in found if seq is not None]


def note_read(db: Database, firsts: Sequence[tuple[str, int]]) -> None:
    """Keep what ``read_to`` gave, for all that look for what is open."""
    db.executemany("INSERT INTO read_to VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET seq = excluded.seq", firsts)


def mark_enqueued(db: Database, seqs: Sequence[int], at: float) -> None:
    db.executemany("UPDATE receipts SET enqueued_at = ? WHERE seq = ?", [(at, seq) for seq in seqs])


_OPEN_COUNT = """SELECT coalesce(
  (SELECT sum((SELECT count(*) FROM receipts r WHERE r.source = k.source AND r.state = 'received' AND r.seq >= k.seq))
   FROM read_to k),
  (SELECT count(*) FROM receipts WHERE state = 'received'))"""


def open_count(db: Database) -> int:
    """How many receipts wait to be split; the first of a source that is new may be counted a second later."""
    return db.execute(_OPEN_COUNT).get or 0


def came(db: Database, receipt_id: str) -> tuple[float, str | None] | None:
    """When a receipt was taken in, in seconds since 1970, and what its repeats are told by; None where it is not stored
    any more."""
    row = db.execute("SELECT received_at, dedupe_key FROM receipts WHERE receipt_id = ?", (receipt_id,)).fetchone()
    return None if row is None else (float(row[0]), row[1])


def let_go(db: Database, seqs: Sequence[int], worker: str) -> None:
    """Receipts that this worker could not store split are anybody's again; those that another has by now stay his."""
    db.executemany(
        "UPDATE receipts SET claimed_by = NULL WHERE seq = ? AND state = 'received' AND claimed_by = ?",
        [(seq, worker) for seq in seqs],
    )


def way_of(db: Database, seq: int) -> tuple[str, int]:
    """Which way a receipt came: (door, of a replay the position of the message that it is of; -1: of all)."""
    [(door, position)] = db.execute("SELECT door, origin_position FROM receipts WHERE seq = ?", (seq,)).fetchall()
    return str(door), int(position)


def is_in_hand(db: Database, seq: int, worker: str) -> bool:
    """Whether a receipt is this worker's to split, and not split yet."""
    sql = "SELECT 1 FROM receipts WHERE seq = ? AND state = 'received' AND claimed_by = ?"
    return db.execute(sql, (seq, worker)).fetchone() is not None


def have_all_come(db: Database, source: str, reference: str) -> bool:
    """Of a thing of several parts, the last has come: its outcome is told to its source once all of them have ended.
    False where none of them is a receipt of its own, since all of it came before."""
    sql = "UPDATE receipts SET settled = 0 WHERE source = ? AND reference = ? AND is_part = 1"
    db.execute(sql, (source, reference))
    return db.changes() > 0


_ENDED = f"""SELECT r.seq, r.source, r.reference, r.state = 'dead'
    OR EXISTS (SELECT 1 FROM messages m WHERE m.seq = r.seq AND m.state = 'dead')
    OR EXISTS (SELECT 1 FROM messages m JOIN deliveries d ON d.message_id = m.message_id
               WHERE m.seq = r.seq AND d.state IN ('dead', 'expired'))
  FROM receipts r INDEXED BY receipts_unsettled
  WHERE r.reference <> '' AND r.settled = 0 AND r.state <> 'received' AND r.is_part = 0 {{without}}
    AND NOT EXISTS (SELECT 1 FROM messages m JOIN deliveries d ON d.message_id = m.message_id
      WHERE m.seq = r.seq AND d.state IN ({WAITING}))
  LIMIT ?"""
# With OFFSET the messages of each part are looked up; a server would else read all that there are.
_ENDED_PARTS = f"""SELECT min(r.seq), r.source, r.reference, max(CASE WHEN r.state = 'dead'
      OR EXISTS (SELECT 1 FROM messages m WHERE m.seq = r.seq AND m.state = 'dead' LIMIT 1 OFFSET 0)
      OR EXISTS (SELECT 1 FROM messages m JOIN deliveries d ON d.message_id = m.message_id
                 WHERE m.seq = r.seq AND d.state IN ('dead', 'expired') LIMIT 1 OFFSET 0) THEN 1 ELSE 0 END)
  FROM receipts r INDEXED BY receipts_parts_open WHERE r.is_part = 1 AND r.settled = 0 {{without}}
  GROUP BY r.source, r.reference HAVING max(CASE WHEN r.state = 'received'
      OR EXISTS (SELECT 1 FROM messages m JOIN deliveries d ON d.message_id = m.message_id WHERE m.seq = r.seq
        AND d.state IN ({WAITING}) LIMIT 1 OFFSET 0) THEN 1 ELSE 0 END) = 0
  LIMIT ?"""


def ended(db: Database, limit: int, without: Sequence[str] = ()) -> list[tuple[int, str, str, bool]]:
    """(seq, source, reference, failed) of fetched things all of whose deliveries have ended, not of some sources; of
    one of several parts the first."""
    marks = f"AND r.source NOT IN ({', '.join('?' * len(without))})" if without else ""
    rows = [
        row for sql in (_ENDED, _ENDED_PARTS) for row in db.execute(sql.format(without=marks), (*without, limit))
    ]  # fmt: skip
    return [(seq, source, reference, bool(failed)) for seq, source, reference, failed in rows]


def mark_settled(db: Database, seq: int) -> None:
    """Its source has filed a thing away by its outcome, with all parts of it."""
    db.execute("UPDATE receipts SET settled = 1 WHERE seq = ?", (seq,))
    parts = "SELECT source, reference FROM receipts WHERE seq = ? AND is_part = 1"
    for source, reference in db.execute(parts, (seq,)).fetchall():
        whole = "UPDATE receipts SET settled = 1 WHERE source = ? AND reference = ? AND is_part = 1"
        db.execute(whole, (source, reference))
