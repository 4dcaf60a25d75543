"""Messages: what a receipt was split into, with their business keys and canonical documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from hub.keys import Key, bounded
from hub.message import Message
from hub.store import payloads
from hub.store.database import Database

_INSERT = """INSERT INTO messages (seq, position, message_id, place, source, event, route, type, state, main_key,
  received_at, correlation_id, causation_id, traceparent, set_id, failure, fingerprint)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


def insert(db: Database, messages: Sequence[Message], rows: Sequence[tuple[Any, ...]] = ()) -> None:
    """Store messages, their keys, and ``rows``, their packed payloads, unless those are stored beside."""
    db.executemany(_INSERT, [_row(m) for m in messages])
    keys = [
        (scheme, value, issuer, m.seq, m.position, 1 if number == 0 else 0)
        for m in messages
        for number, (scheme, issuer, value) in enumerate(m.keys)
    ]
    # What one document says about others: an invoice of its order, a payment of its invoice.
    edges = dict.fromkeys((m.main_key, Key(*key).text, m.message_id) for m in messages for key in m.keys[1:])
    # A message has each of its keys once. With a NUL in it one may be stored as another one is.
    equal = " ON CONFLICT DO NOTHING" if "\0" in "".join(row[1] + row[2] for row in keys) else ""
    db.executemany(f"INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?){equal}", keys)
    db.executemany(f"INSERT INTO edges (from_key, to_key, message_id) VALUES (?, ?, ?){equal}", edges)
    payloads.insert_rows(db, rows)


def _row(m: Message) -> tuple[Any, ...]:
    failure = msgspec.json.encode(m.failure).decode() if m.failure else None
    return (
        m.seq, m.position, m.message_id, m.place, m.source, m.event, m.route, m.type, m.state, m.main_key,
        m.received_at, m.correlation_id, m.causation_id, m.traceparent, m.set_id, failure, m.fingerprint,
    )  # fmt: skip


def stored_to(db: Database, seq: int) -> tuple[int, str]:
    """The position behind the last record of a receipt that is stored, and the place of that."""
    sql = "SELECT position, place FROM messages WHERE seq = ? ORDER BY position DESC LIMIT 1"
    position, place = db.execute(sql, (seq,)).fetchone() or (-1, "")
    return int(position) + 1, str(place)


def contexts(db: Database, message_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """What sending takes of some messages: their main key, trace and transaction."""
    rows = db.executemany(
        "SELECT message_id, main_key, traceparent, correlation_id FROM messages WHERE message_id = ?",
        [(message_id,) for message_id in dict.fromkeys(message_ids)],
    )
    return {
        message_id: {"main_key": key, "traceparent": trace, "correlation_id": correlation}
        for message_id, key, trace, correlation in rows
    }


def envelopes(db: Database, message_ids: Sequence[str]) -> dict[str, tuple[str, str, float, str]]:
    """Source, event, time of arrival and file name of some messages."""
    rows = db.executemany(
        "SELECT message_id, source, event, received_at, seq FROM messages WHERE message_id = ?",
        [(message_id,) for message_id in dict.fromkeys(message_ids)],
    ).fetchall()
    seqs = [(seq,) for seq in dict.fromkeys(row[-1] for row in rows)]
    names = dict(db.executemany("SELECT seq, name FROM receipts WHERE seq = ?", seqs)) if seqs else {}
    return {id: (source, event, float(at), names.get(seq, "")) for id, source, event, at, seq in rows}


_XREF = """INSERT INTO xrefs VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (system, kind, id) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at,
    message_id = excluded.message_id"""


def put_xrefs(db: Database, rows: Sequence[tuple[str, str, str, str, float, str]]) -> None:
    """Cross-references: (system, kind, id, value, at, message_id) each; the newest value wins."""
    db.executemany(_XREF, [(system, kind, bounded(id), *rest) for system, kind, id, *rest in rows])


def get_xref(db: Database, system: str, kind: str, id: str) -> str | None:
    found = db.execute("SELECT value FROM xrefs WHERE system = ? AND kind = ? AND id = ?", (system, kind, bounded(id)))
    return found.get  # type: ignore[no-any-return]
