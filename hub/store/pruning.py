"""The statements of retention: what is old enough, what protects it, and its removal with a count of what went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hub.store import counters
from hub.store.database import Database, Shared, lock

OPEN_DELIVERY = "d.state IN ('queued', 'delivering', 'retrying', 'unknown', 'held', 'dead', 'expired')"
# The bytes of a batch are its first delivery's: the troubles of the others protect them.
OPEN_MESSAGE = f"""((m.state = 'dead' AND m.resolved_by IS NULL)
  OR EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = m.message_id AND {OPEN_DELIVERY})
  OR EXISTS (SELECT 1 FROM deliveries f CROSS JOIN deliveries d ON d.batch_id = f.delivery_id AND d.batch_id <> ''
    WHERE f.message_id = m.message_id AND f.batch_id = f.delivery_id AND {OPEN_DELIVERY}))"""
OPEN_RECEIPT = f"""(r.state = 'received' OR (r.state = 'dead' AND r.resolved_by IS NULL)
  OR EXISTS (SELECT 1 FROM messages m WHERE m.seq = r.seq AND {OPEN_MESSAGE}))"""
# A replay from the start reads the bytes of an earlier receipt: its troubles protect these bytes.
BORROWED = f"""EXISTS (SELECT 1 FROM receipts b WHERE b.raw_owner = {{0}}.receipt_id AND b.raw_owner <> ''
  AND {OPEN_RECEIPT.replace("r.", "b.")})"""
ROUTE = """coalesce((SELECT m.route FROM messages m WHERE m.seq = r.seq LIMIT 1), r.route)"""

NEEDED = f"({OPEN_RECEIPT} OR {BORROWED.format('r')})"
# {0} says which receipts, {1} of which routes.
RAW = f"""SELECT p.payload_id FROM receipts r CROSS JOIN payloads p ON p.owner_id = r.receipt_id AND p.stage = 'raw'
  WHERE r.seq {{0}} AND {ROUTE} {{1}} AND NOT {NEEDED} LIMIT ?"""
STAGES = f"""SELECT p.payload_id FROM messages m CROSS JOIN payloads p ON p.owner_id IN (
    SELECT m.message_id UNION ALL SELECT d.delivery_id FROM deliveries d WHERE d.message_id = m.message_id)
    AND p.stage <> 'raw'
  WHERE m.seq {{0}} AND m.route {{1}} AND NOT {OPEN_MESSAGE} LIMIT ?"""
# The route of what nobody has read yet is not known for sure.
_LEAVE = f"""INSERT INTO left_behind (mark, seq) SELECT ?, r.seq FROM receipts r
  WHERE r.seq > ? AND r.seq <= ? AND (r.state = 'received' OR {ROUTE} {{0}}) AND {NEEDED} ON CONFLICT DO NOTHING"""
_FREE = f"""SELECT l.seq FROM left_behind l WHERE l.mark = ? AND l.seq > ? AND l.seq <= ?
  AND NOT EXISTS (SELECT 1 FROM receipts r WHERE r.seq = l.seq AND {NEEDED})"""
_LEFT = "IN (SELECT l.seq FROM left_behind l WHERE l.mark = ? AND l.seq > ? AND l.seq <= ?)"


def in_turn(db: Database) -> None:
    """Who removes things and who replays them take turns, a transaction each: the one sees what the other has done."""
    lock(db, "removals and replays")


def last_before(db: Database, after: int, before: float, limit: int) -> int | None:
    """The last of the next receipts that were all received before a time; None when there is none."""
    last = None
    for seq, at in db.execute(
        "SELECT seq, received_at FROM receipts WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
    ):
        if at >= before:
            break
        last = seq
    return last


class Chunk(msgspec.Struct, frozen=True):
    """The payloads of receipts with numbers above ``after``, up to ``until``, of these routes or, by ``NOT IN``, of all
    but these. ``mark`` names the pass that comes past them."""

    statement: str
    after: int
    until: int
    belongs: str
    routes: tuple[str, ...]
    mark: str

    @property
    def of_routes(self) -> str:
        return f"{self.belongs} ({', '.join('?' * len(self.routes))})" if self.routes else "IS NOT NULL"


def remove_payloads(db: Database, chunk: Chunk, limit: int) -> int:
    """Note what is protected in a chunk as left behind and remove the other payloads; gives how many rows went."""
    in_turn(db)
    # In this order, so that what others settle meanwhile is one or the other.
    db.execute(_LEAVE.format(chunk.of_routes), (chunk.mark, chunk.after, chunk.until, *chunk.routes))
    return _remove_payloads(db, chunk, "BETWEEN ? AND ?", (chunk.after + 1, chunk.until), limit)


def left_behind(db: Database, mark: str, after: int, limit: int) -> list[int]:
    """The numbers of the next receipts that were left behind."""
    rows = db.execute(
        "SELECT seq FROM left_behind WHERE mark = ? AND seq > ? ORDER BY seq LIMIT ?", (mark, after, limit)
    )
    return [int(seq) for (seq,) in rows]


def is_any_free(db: Database, chunk: Chunk) -> bool:
    """Whether something of what was left behind in a chunk may go now."""
    statement = chunk.statement.format(_LEFT, chunk.of_routes)
    found = db.execute(statement, (chunk.mark, chunk.after, chunk.until, *chunk.routes, 1)).fetchone()
    return found is not None or bool(_free(db, chunk))


def remove_left_behind(db: Database, chunk: Chunk, limit: int) -> int:
    """Remove payloads of what was left behind and is protected no more; gives how many rows went."""
    in_turn(db)
    free = [(chunk.mark, seq) for seq in _free(db, chunk)]
    removed = _remove_payloads(db, chunk, _LEFT, (chunk.mark, chunk.after, chunk.until), limit)
    if removed < limit:
        db.executemany("DELETE FROM left_behind WHERE mark = ? AND seq = ?", free)
    return removed


def forget_passes(db: Database, kind: str, marks: Sequence[str]) -> None:
    """How far passes have come, of a kind of counter, and what they have left behind."""
    db.executemany("DELETE FROM counters WHERE kind = ? AND name = ?", [(kind, mark) for mark in marks])
    db.executemany("DELETE FROM left_behind WHERE mark = ?", [(mark,) for mark in marks])


def _free(db: Database, chunk: Chunk) -> list[int]:
    return [int(seq) for (seq,) in db.execute(_FREE, (chunk.mark, chunk.after, chunk.until))]


def _remove_payloads(db: Database, chunk: Chunk, which: str, values: tuple[Any, ...], limit: int) -> int:
    statement = chunk.statement.format(which, chunk.of_routes)
    db.execute(f"DELETE FROM payloads WHERE payload_id IN ({statement})", (*values, *chunk.routes, limit))
    return db.changes()


def last_older_than(db: Database, before: float) -> int:
    """The greatest number that a receipt from before a time can have, about; 0: there is none. Receipts are numbered as
    they come, so a few steps of the index find it among any number."""
    low, high = (int(db.execute(f"SELECT {end}(seq) FROM receipts").get or 0) for end in ("min", "max"))
    if not _is_older(db, low, before):
        return 0
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _is_older(db, middle, before) else (low, middle - 1)
    return low


def _is_older(db: Database, seq: int, before: float) -> bool:
    """Whether the first receipt from a number on is from before a time."""
    at = db.execute("SELECT received_at FROM receipts WHERE seq >= ? ORDER BY seq LIMIT 1", (seq,)).get
    return at is not None and float(at) < before


def old_receipts(db: Database, after: int, before: float, limit: int) -> list[tuple[int, str, float]]:
    """(seq, route, received at) of the next receipts that are older than a time and that nothing protects."""
    last = last_older_than(db, before)
    rows = db.execute(
        f"""SELECT r.seq, {ROUTE}, r.received_at FROM receipts r WHERE r.seq > ? AND r.seq <= ? AND r.received_at < ?
              AND NOT {NEEDED} ORDER BY r.seq LIMIT ?""",
        (after, last, before, limit),
    )
    return [(int(row[0]), str(row[1]), float(row[2])) for row in rows]


def remove_receipts(db: Database, seqs: Sequence[int], limit: int, at: float) -> tuple[int, bool]:
    """Remove receipts with all that came of them, ``limit`` rows or little more: (rows, whether all went).

    What protects a receipt is asked again here: something may have been replayed a moment ago.
    """
    in_turn(db)
    removed, left = remove_small(db, seqs, at) if isinstance(db, Shared) else (0, seqs)
    for seq in left:
        if removed >= limit:
            return removed, False
        free = db.execute(f"SELECT 1 FROM receipts r WHERE r.seq = ? AND NOT {NEEDED}", (seq,)).fetchone()
        if free is None:
            continue
        while removed < limit and (rows := _remove_messages(db, seq, at)):
            removed += rows
        if db.execute("SELECT 1 FROM messages WHERE seq = ? LIMIT 1", (seq,)).fetchone() is not None:
            return removed, False
        removed += _remove_receipt(db, seq, at)
    return removed, True


_MOST = 20  # messages of a receipt that goes together with others


def remove_small(db: Database, seqs: Sequence[int], at: float) -> tuple[int, list[int]]:
    """Remove all receipts of few messages at once, one statement a table, as suits a server: (rows, what is left)."""
    marks = ", ".join("?" * len(seqs)) or "NULL"
    free = db.execute(
        f"""SELECT r.seq, r.receipt_id, r.state FROM receipts r
            WHERE r.seq IN ({marks}) AND r.message_count <= {_MOST} AND NOT {NEEDED}""",
        tuple(seqs),
    ).fetchall()
    numbers = [(seq,) for seq, _, _ in free]
    messages = db.executemany("SELECT message_id, state FROM messages WHERE seq = ?", numbers).fetchall()
    owners = [(message_id,) for message_id, _ in messages]
    deliveries = db.executemany("SELECT delivery_id, state FROM deliveries WHERE message_id = ?", owners).fetchall()
    sent = [(delivery_id,) for delivery_id, _ in deliveries]
    removed = 0
    for statement, rows in (
        ("DELETE FROM attempts WHERE delivery_id = ?", sent), ("DELETE FROM deliveries WHERE delivery_id = ?", sent),
        ("DELETE FROM payloads WHERE owner_id = ?", [*sent, *owners, *((receipt_id,) for _, receipt_id, _ in free)]),
        ("DELETE FROM messages WHERE message_id = ?", owners), ("DELETE FROM receipts WHERE seq = ?", numbers),
    ):  # fmt: skip
        db.executemany(statement, rows)
        removed += db.changes()
    _count_removed(db, {"receipts": free, "messages": messages, "deliveries": deliveries}, at)
    return removed, sorted(set(seqs) - {seq for seq, _, _ in free})


def _count_removed(db: Database, gone: Mapping[str, Sequence[tuple[Any, ...]]], at: float) -> None:
    """Note what went, by table and state; the state is the last value of each row."""
    counts = Counter((table, str(row[-1])) for table, found in gone.items() for row in found)
    counters.add(
        db, [(counters.PRUNED, table, state, count, 0, at) for (table, state), count in sorted(counts.items())]
    )


def _remove_messages(db: Database, seq: int, at: float) -> int:
    """Some messages of a receipt with their deliveries, attempts and payloads; the receipt counts them no more."""
    rows = db.execute(
        "SELECT position, message_id, state FROM messages WHERE seq = ? ORDER BY position DESC LIMIT 50", (seq,)
    ).fetchall()
    removed = 0
    for position, message_id, state in rows:
        removed += _remove_deliveries(db, str(message_id), at)
        db.execute("DELETE FROM payloads WHERE owner_id = ? AND stage <> 'raw'", (message_id,))
        removed += db.changes() + 1
        db.execute("DELETE FROM messages WHERE seq = ? AND position = ?", (seq, position))
        counters.add(db, [(counters.PRUNED, "messages", str(state), 1, 0, at)])
    db.execute("UPDATE receipts SET message_count = message_count - ? WHERE seq = ?", (len(rows), seq))
    return removed


def _remove_deliveries(db: Database, message_id: str, at: float) -> int:
    removed = 0
    for delivery_id, state in db.execute(
        "SELECT delivery_id, state FROM deliveries WHERE message_id = ?", (message_id,)
    ).fetchall():
        db.execute("DELETE FROM attempts WHERE delivery_id = ?", (delivery_id,))
        removed += db.changes()
        db.execute("DELETE FROM payloads WHERE owner_id = ?", (delivery_id,))
        removed += db.changes() + 1
        db.execute("DELETE FROM deliveries WHERE delivery_id = ?", (delivery_id,))
        counters.add(db, [(counters.PRUNED, "deliveries", str(state), 1, 0, at)])
    return removed


def _remove_receipt(db: Database, seq: int, at: float) -> int:
    row = db.execute("DELETE FROM receipts WHERE seq = ? RETURNING receipt_id, state", (seq,)).fetchall()
    for receipt_id, state in row:
        db.execute("DELETE FROM payloads WHERE owner_id = ?", (receipt_id,))
        counters.add(db, [(counters.PRUNED, "receipts", str(state), 1, 0, at)])
    return len(row) + db.changes()


def old_dedupe(db: Database, after: tuple[str, str], before: float, limit: int) -> list[tuple[str, str, float | None]]:
    """(source, key, when it was received) of ids from before a time, in the order of the index. Of a receipt that is
    gone: when the next one came that is still there; None where there is none."""
    last = last_older_than(db, before)
    if not last:
        return []
    rows = db.execute(
        """SELECT u.source, u.dedupe_key, coalesce(r.received_at,
             (SELECT n.received_at FROM receipts n WHERE n.seq > u.seq ORDER BY n.seq LIMIT 1))
           FROM dedupe u LEFT JOIN receipts r ON r.seq = u.seq
           WHERE (u.source, u.dedupe_key) > (?, ?) AND u.seq <= ? ORDER BY u.source, u.dedupe_key LIMIT ?""",
        (*after, last, limit),
    )
    return [(str(row[0]), str(row[1]), row[2]) for row in rows]


def remove_dedupe(db: Database, rows: Sequence[tuple[str, str]]) -> int:
    db.executemany("DELETE FROM dedupe WHERE source = ? AND dedupe_key = ?", rows)
    return len(rows)


class Belongings(msgspec.Struct, frozen=True):
    """Rows of messages that are indexed by what they say, not by their message; ``owner`` ties them to it."""

    table: str
    columns: str
    owner: str
    start: tuple[Any, ...]

    @property
    def places(self) -> str:
        return ", ".join("?" * len(self.start))


KEYS = Belongings(
    "keys", "scheme, value, issuer, seq, position", "m.seq = b.seq AND m.position = b.position", ("", "", "", 0, 0)
)
EDGES = Belongings("edges", "from_key, to_key, message_id", "m.message_id = b.message_id", ("", "", ""))


def belongings_after(
    db: Database, of: Belongings, after: tuple[Any, ...], limit: int
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """The next rows in the order of their index, and those of them whose message is gone."""
    rows = db.execute(
        f"""SELECT {of.columns}, EXISTS (SELECT 1 FROM messages m WHERE {of.owner}) FROM {of.table} b
            WHERE ({of.columns}) > ({of.places}) ORDER BY {of.columns} LIMIT ?""",
        (*after, limit),
    ).fetchall()
    return [row[:-1] for row in rows], [row[:-1] for row in rows if not row[-1]]


def remove_belongings(db: Database, of: Belongings, rows: Sequence[tuple[Any, ...]]) -> int:
    db.executemany(f"DELETE FROM {of.table} WHERE ({of.columns}) = ({of.places})", rows)
    return len(rows)


def forget(db: Database, table: str, key: str, at: str, before: float, limit: int) -> int:
    """Forget rows of a table, told by the columns of their key, whose time lies before one, some at once; gives how
    many."""
    db.execute(
        f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {at} < ? LIMIT ?)", (before, limit)
    )
    return db.changes()
