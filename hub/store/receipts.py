"""Receipts: accepted once, claimed by a worker, split into messages or dead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from hub.message import RAW, Accepted, Arrival, Receipt
from hub.outcome import Failure
from hub.store import payloads, same_content
from hub.store.database import Database, lock_sources, next_numbers

_COLUMNS = """seq, receipt_id, source, event, received_at, content_type, traceparent, causation_id, correlation_id,
  route, crashes, name, raw_owner, replay_of, origin_seq, origin_position"""
_INSERT = """INSERT INTO receipts (seq, receipt_id, source, event, door, state, received_at, size, content_type,
  dedupe_key, name, reference, traceparent, causation_id, correlation_id, route, enqueued_at, raw_owner, replay_of,
  origin_seq, origin_position, claimed_by)
  VALUES (?, ?, ?, ?, ?, 'received', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


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
    repeats |= _repeats(db, [(seq, a) for seq, a in numbered if seq not in repeats] if repeats else numbered)
    fresh = [(seq, a) for seq, a in numbered if seq not in repeats]
    db.executemany(_INSERT, [_row(seq, a, worker) for seq, a in fresh])
    kept = {a.receipt_id for _, a in fresh} if repeats else None
    payloads.insert_rows(db, rows if kept is None else [row for row in rows if row[0] in kept])
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
        seq, a.receipt_id, a.source, a.event, a.door, a.received_at, len(a.raw) if a.size < 0 else a.size,
        a.content_type, a.dedupe_key, a.name, a.reference, a.traceparent, a.causation_id, a.correlation_id, a.route,
        a.received_at, a.raw_owner, a.replay_of, a.origin_seq, a.origin_position, worker,
    )  # fmt: skip


def _repeats(db: Database, numbered: Sequence[tuple[int, Arrival]]) -> dict[int, Accepted]:
    """The arrivals whose dedupe key was seen before, each with the first receipt of that key."""
    # Rows sorted by key: two processes that insert the same keys in one order cannot deadlock.
    wanted = sorted((a.source, a.dedupe_key, seq) for seq, a in numbered if a.dedupe_key is not None)
    if not wanted:
        return {}
    inserted = {
        seq
        for (seq,) in db.executemany("INSERT INTO dedupe VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING seq", wanted)
    }
    repeats = {}
    for source, key, seq in wanted:
        if seq not in inserted:
            repeats[seq] = _first(db, source, key, numbered)
    return repeats


def _first(db: Database, source: str, key: str, numbered: Sequence[tuple[int, Arrival]]) -> Accepted:
    first_seq = db.execute("SELECT seq FROM dedupe WHERE source = ? AND dedupe_key = ?", (source, key)).get
    here = [a.receipt_id for seq, a in numbered if seq == first_seq]
    stored = here[0] if here else db.execute("SELECT receipt_id FROM receipts WHERE seq = ?", (first_seq,)).get
    return Accepted(stored or "", first_seq, duplicate=True)


def claim(db: Database, seqs: Sequence[int], worker: str) -> list[int]:
    """Take receipts to be split: the record that says who had them in hand, should the process die."""
    claimed = db.executemany(
        "UPDATE receipts SET claimed_by = ? WHERE seq = ? AND state = 'received' AND claimed_by IS NULL RETURNING seq",
        [(worker, seq) for seq in seqs],
    )
    return [seq for (seq,) in claimed]


def load(db: Database, seqs: Sequence[int], largest: int) -> list[Receipt]:
    """Receipts by number with their raw bytes, those over ``largest`` bytes without; what is gone is left out."""
    rows = db.executemany(f"SELECT size, {_COLUMNS} FROM receipts WHERE seq = ?", [(seq,) for seq in seqs]).fetchall()
    owners = {row[1]: str(row[13] or row[2]) for row in rows}
    contents = payloads.read_small(db, [owners[row[1]] for row in rows if row[0] <= largest], RAW)
    return [Receipt(*row[1:6], contents.get(owners[row[1]], b""), *row[6:]) for row in rows]  # type: ignore[call-arg]


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


def waits_for_outcome(db: Database, seq: int, reference: str) -> bool:
    """Whether a fetched thing is that receipt's own, and its outcome is still to be told to its source."""
    sql = "SELECT 1 FROM receipts WHERE seq = ? AND reference = ? AND settled = 0"
    return db.execute(sql, (seq, reference)).fetchone() is not None


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
_FIRST_UNTAKEN = """SELECT seq, enqueued_at FROM receipts INDEXED BY receipts_open
  WHERE source = ? AND state = 'received' AND claimed_by IS NULL ORDER BY source, seq LIMIT ?"""


def waiting(db: Database, before: float, limit: int) -> list[int]:
    """Receipts nobody has taken, told to the broker before ``before`` or never, among the first ``limit`` of each
    source: those that come later have to wait for them in any case."""
    found: list[int] = []
    for (source,) in db.execute(_SOURCES_OPEN).fetchall():
        for seq, enqueued_at in db.execute(_FIRST_UNTAKEN, (source, limit)):
            if enqueued_at is None or enqueued_at < before:
                found.append(int(seq))
    return sorted(found)


def mark_enqueued(db: Database, seqs: Sequence[int], at: float | None) -> None:
    db.executemany("UPDATE receipts SET enqueued_at = ? WHERE seq = ?", [(at, seq) for seq in seqs])


def open_count(db: Database) -> int:
    """How many receipts wait to be split."""
    return db.execute("SELECT count(*) FROM receipts WHERE state = 'received'").get or 0


def let_go(db: Database, seqs: Sequence[int], worker: str) -> None:
    """Receipts that this worker could not store split are anybody's again; those that another has by now stay his."""
    db.executemany(
        "UPDATE receipts SET claimed_by = NULL WHERE seq = ? AND state = 'received' AND claimed_by = ?",
        [(seq, worker) for seq in seqs],
    )


_ENDED = """SELECT r.seq, r.source, r.reference, r.state = 'dead'
    OR EXISTS (SELECT 1 FROM messages m WHERE m.seq = r.seq AND m.state = 'dead')
    OR EXISTS (SELECT 1 FROM messages m JOIN deliveries d ON d.message_id = m.message_id
               WHERE m.seq = r.seq AND d.state IN ('dead', 'expired'))
  FROM receipts r INDEXED BY receipts_unsettled
  WHERE r.reference <> '' AND r.settled = 0 AND r.state <> 'received'
    AND NOT EXISTS (SELECT 1 FROM messages m JOIN deliveries d ON d.message_id = m.message_id
      WHERE m.seq = r.seq AND d.state IN ('queued', 'delivering', 'retrying', 'unknown', 'held'))
  LIMIT ?"""


def ended(db: Database, limit: int) -> list[tuple[int, str, str, bool]]:
    """(seq, source, reference, failed) of fetched things all of whose deliveries have ended."""
    return [(seq, source, reference, bool(failed)) for seq, source, reference, failed in db.execute(_ENDED, (limit,))]


def mark_settled(db: Database, seq: int) -> None:
    db.execute("UPDATE receipts SET settled = 1 WHERE seq = ?", (seq,))
