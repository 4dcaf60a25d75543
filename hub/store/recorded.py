"""What was stored of messages as it was then: documents, outcomes, bytes and look-ups, for running them once more.

Everything is read in small steps, each of its own moment, so that a long run holds nothing back in the store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from hub.message import CANONICAL, LOOKUPS, SENT
from hub.store import payloads, search_terms
from hub.store.compression import CHUNK, unpack
from hub.store.database import Database
from hub.store.search_terms import Filter

PAGE = 2000
_END = 2**31 - 1


class Came(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A receipt that has become messages, or died. ``route`` is the one that took it, '' where none did."""

    seq: int
    receipt_id: str
    source: str
    event: str
    state: str
    route: str
    messages: int
    failure: Mapping[str, Any] | None
    is_replayed: bool


class Kept(msgspec.Struct, frozen=True):
    """Bytes of a stage with what was looked up to make them, and when they were stored; 0.0 where there are none."""

    content: bytes | None = None
    content_type: str = ""
    lookups: Sequence[Any] = ()
    at: float = 0.0


NOTHING = Kept()


class WasSent(msgspec.Struct, frozen=True):
    """The last delivery of a message to one target, as it was."""

    delivery_id: str
    message_id: str
    route: str
    target: str
    system: str
    state: str
    failure: Mapping[str, Any] | None
    set_id: int
    revision: int
    created_at: float
    body: Kept = NOTHING
    is_collected: bool = False  # it was sent with others as one, or is to be


class WasMade(msgspec.Struct, frozen=True):
    """A message as it was. ``is_replayed``: another receipt has gone through in its place."""

    message_id: str
    position: int
    source: str
    event: str
    route: str
    state: str
    failure: Mapping[str, Any] | None
    set_id: int
    received_at: float
    place: str = ""
    is_replayed: bool = False
    canonical: Kept = NOTHING
    deliveries: Sequence[WasSent] = msgspec.field(default_factory=list)


def newest_at(db: Database) -> float | None:
    """When the newest receipt came; None in an empty store."""
    return db.execute("SELECT received_at FROM receipts ORDER BY seq DESC LIMIT 1").get  # type: ignore[no-any-return]


_ROUTE = "coalesce((SELECT m.route FROM messages m WHERE m.seq = r.seq LIMIT 1), r.route)"


def came_between(db: Database, since: float, until: float, sources: Sequence[str]) -> Iterator[Came]:
    """Receipts of some sources that came in a span of time and are not on their way any more, the newest first."""
    low, high = search_terms.received_between(db, Filter(received_from=since, received_until=until))
    marks, before = ", ".join("?" * len(sources)), high + 1
    while True:
        rows = db.execute(
            f"""SELECT r.seq, r.receipt_id, r.source, r.event, r.state, {_ROUTE}, r.message_count, r.failure,
                  EXISTS (SELECT 1 FROM receipts x WHERE x.replay_of = r.receipt_id AND x.replay_of <> '')
                FROM receipts r WHERE r.seq < ? AND r.seq >= ? AND r.source IN ({marks})
                  AND r.received_at >= ? AND r.received_at < ? AND r.state <> 'received'
                ORDER BY r.seq DESC LIMIT {PAGE}""",
            (before, low, *sources, since, until),
        ).fetchall()
        for row in rows:
            yield Came(*row[:7], _decoded(row[7]), bool(row[8]))  # type: ignore[call-arg]
        if len(rows) < PAGE:
            return
        before = rows[-1][0]


def _decoded(text: str | None) -> Mapping[str, Any] | None:
    return msgspec.json.decode(text) if text else None


def messages_of(
    db: Database, seqs: Sequence[int], first: int = 0, end: int = _END, bodies: bool = True
) -> dict[tuple[int, int], WasMade]:
    """The messages of receipts by (seq, position), those of positions from ``first`` and before ``end``, each with its
    canonical document; with ``bodies`` also with what was sent."""
    rows = db.executemany(
        """SELECT seq, message_id, position, source, event, route, state, failure, set_id, received_at, place
           FROM messages WHERE seq = ? AND position >= ? AND position < ?""",
        [(seq, first, end) for seq in seqs],
    ).fetchall()
    ids = [row[1] for row in rows]
    documents = _kept(db, [(id, 1) for id in ids], CANONICAL)
    replayed = _replayed(db, ids)
    sent = _sent(db, ids) if bodies else {}
    return {
        (row[0], row[2]): WasMade(
            message_id=row[1], position=row[2], source=row[3], event=row[4], route=row[5], state=row[6],
            failure=_decoded(row[7]), set_id=row[8], received_at=float(row[9]), place=row[10],
            is_replayed=row[1] in replayed, canonical=documents.get(row[1], NOTHING), deliveries=sent.get(row[1], []),
        )
        for row in rows
    }  # fmt: skip


def places_of(db: Database, seq: int) -> Iterator[tuple[int, str]]:
    """(position, place) of every message of a receipt, in their order."""
    yield from db.execute("SELECT position, place FROM messages WHERE seq = ? ORDER BY position", (seq,))


def first_from(db: Database, seq: int, position: int) -> int | None:
    """The position of the first message of a receipt from a position on; None where there is none."""
    sql = "SELECT min(position) FROM messages WHERE seq = ? AND position >= ?"
    return db.execute(sql, (seq, position)).get  # type: ignore[no-any-return]


def _replayed(db: Database, ids: Sequence[str]) -> set[str]:
    if not ids:
        return set()
    sql = "SELECT replay_of FROM receipts WHERE replay_of = ? AND replay_of <> ''"
    return {id for (id,) in db.executemany(sql, [(id,) for id in ids])}


def _sent(db: Database, message_ids: Sequence[str]) -> dict[str, list[WasSent]]:
    """The last delivery to each target, by message, in the order of their names."""
    if not message_ids:
        return {}
    rows = db.executemany(
        """SELECT delivery_id, message_id, route, target, system, state, failure, set_id, revision, created_at,
             batch_id
           FROM deliveries WHERE message_id = ?""",
        [(id,) for id in message_ids],
    ).fetchall()
    last: dict[tuple[str, str, str], Any] = {}
    for row in sorted(rows, key=lambda row: (row[9], row[0])):
        last[row[1], row[2], row[3]] = row
    bodies = _kept(db, [(row[0], row[8]) for row in last.values()], SENT)
    found: dict[str, list[WasSent]] = {}
    for key in sorted(last):
        row = last[key]
        was = WasSent(
            delivery_id=row[0], message_id=row[1], route=row[2], target=row[3], system=row[4], state=row[5],
            failure=_decoded(row[6]), set_id=row[7], revision=row[8], created_at=float(row[9]),
            body=bodies.get(row[0], NOTHING), is_collected=row[10] is not None,
        )  # fmt: skip
        found.setdefault(was.message_id, []).append(was)
    return found


_FIRST = """SELECT owner_id, stage, content_type, compressed, content, stored_at, revision FROM payloads
  WHERE owner_id = ? AND revision = ? AND chunk = 0 AND stage <> 'raw'"""


def kept(db: Database, owner_id: str, stage: str, revision: int = 1) -> Kept:
    """A stage of one owner and the look-ups beside it."""
    return _kept(db, [(owner_id, revision)], stage).get(owner_id, NOTHING)


def _kept(db: Database, wanted: Sequence[tuple[str, int]], stage: str) -> dict[str, Kept]:
    """A stage and the look-ups beside it, wanted by (owner, revision) and given by owner."""
    if not wanted:
        return {}
    found: dict[str, dict[str, tuple[str, bytes, float]]] = {}
    for owner, kind, content_type, flag, packed, at, revision in db.executemany(_FIRST, wanted).fetchall():
        content = unpack(flag, packed)
        if len(content) >= CHUNK:  # there may be more of it
            content = payloads.read(db, owner, kind, revision) or content
        found.setdefault(owner, {})[kind] = (content_type, content, float(at))
    return {owner: _joined(stages, stage) for owner, stages in found.items()}


def _joined(stages: Mapping[str, tuple[str, bytes, float]], stage: str) -> Kept:
    lookups = msgspec.json.decode(stages[LOOKUPS][1]) if LOOKUPS in stages else ()
    if stage not in stages:
        return Kept(lookups=lookups)
    content_type, content, at = stages[stage]
    return Kept(content, content_type, lookups, at)


def xref_at(db: Database, system: str, kind: str, id: str) -> tuple[str, float] | None:
    """A cross-reference as it is now, and since when it is so."""
    row = db.execute(
        "SELECT value, updated_at FROM xrefs WHERE system = ? AND kind = ? AND id = ?", (system, kind, id)
    ).fetchone()
    return (str(row[0]), float(row[1])) if row else None


def hub_version(db: Database, set_id: int) -> str | None:
    """The version of the hub that a set was deployed with; None where the set is not known here."""
    return db.execute("SELECT hub_version FROM sets WHERE set_id = ?", (set_id,)).get  # type: ignore[no-any-return]
