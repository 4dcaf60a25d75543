"""Finding messages: filters, pages that stay stable while new messages arrive, and no list that walks the whole table.

A filter that an index answers (key, issue, trouble, text, replay_of) starts from that index. Any other list walks
back from the cursor over at most ``WALK`` receipts; a page may then hold fewer items than asked for and still have a
cursor to go on from.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from hub.errors import UsageError
from hub.states import DELIVERY_STATES, MESSAGE_STATES, RECEIPT_STATES
from hub.store import search_terms
from hub.store.database import Database
from hub.store.partial import is_troubled
from hub.store.search_terms import Filter

WALK = 20_000
MAX_LIMIT = 500
STATES = tuple(dict.fromkeys((*MESSAGE_STATES, *RECEIPT_STATES, *DELIVERY_STATES)))
Place = tuple[int, int]  # (seq, position): the order of arrival
_END: Place = (2**62, 0)

_MESSAGE = """m.seq, m.position, m.message_id, r.receipt_id, m.state, m.source, m.event, m.route, m.type, m.main_key,
  m.received_at, m.place, m.failure, m.fingerprint, m.resolved_by, r.replay_of"""
_RECEIPT = """r.seq, -1, r.receipt_id, r.receipt_id, r.state, r.source, r.event, r.route, '', '', r.received_at, '',
  r.failure, r.fingerprint, r.resolved_by, r.replay_of"""


class Found(msgspec.Struct, frozen=True):
    """One line of a list: a message, or a receipt that has not (or never) become messages. ``failure`` is JSON."""

    seq: int
    position: int
    message_id: str
    receipt_id: str
    state: str
    source: str
    event: str
    route: str
    type: str
    main_key: str
    received_at: float
    place: str
    failure: str | None
    fingerprint: str
    resolved_by: str | None
    replay_of: str


class Page(msgspec.Struct, frozen=True):
    """Newest first. ``next_cursor`` None means that there is no more."""

    items: Sequence[Found]
    next_cursor: str | None


def find(db: Database, wanted: Filter, limit: int = 50, cursor: str | None = None) -> Page:
    """One page of the messages that a filter selects. Raises UsageError for a limit or cursor that is none."""
    if not 1 <= limit <= MAX_LIMIT:
        raise UsageError(f"limit: expected 1 to {MAX_LIMIT}, got {limit}")
    return _page(db, wanted, limit, cursor)


def newest(db: Database, wanted: Filter, most: int) -> Iterator[Found]:
    """All messages that a filter selects, newest first, ``most`` of them: what an index finds is read in one go, since
    each page of it costs as much as all of them."""
    cursor = None
    while most > 0:
        page = _page(db, wanted, most, cursor)
        yield from page.items
        cursor, most = page.next_cursor, most - len(page.items)
        if cursor is None:
            return


def _page(db: Database, wanted: Filter, limit: int, cursor: str | None) -> Page:
    before = _place(cursor) if cursor else _END
    between = search_terms.received_between(db, wanted)
    before = min(before, (between[1] + 1, 0))
    driver = search_terms.driver(db, wanted)
    low = between[0] if driver else max(between[0], before[0] - WALK)
    rows = _messages(db, wanted, driver, before, (low, between[1]), limit + 1)
    rows += _receipts(db, wanted, before, (low, between[1]), limit + 1)
    rows.sort(key=lambda found: (found.seq, found.position), reverse=True)
    items = rows[:limit]
    if len(rows) > limit:
        return Page(items, _cursor((items[-1].seq, items[-1].position)))
    return Page(items, _cursor((low, -1)) if low > max(between[0], _first(db)) else None)


def _messages(
    db: Database, wanted: Filter, driver: search_terms.Sql | None, before: Place, between: Place, limit: int
) -> list[Found]:
    terms = search_terms.message_terms(wanted)
    start = f"{driver.text} c CROSS JOIN messages m ON m.message_id = c.message_id" if driver else "messages m"
    # First the places, which sort quickly, then the rows of one page.
    places = f"""SELECT m.seq, m.position FROM {start}
      WHERE (m.seq, m.position) < (?, ?) AND m.seq BETWEEN ? AND ? AND {terms.text}
      ORDER BY m.seq DESC, m.position DESC LIMIT ?"""
    sql = f"""SELECT {_MESSAGE} FROM ({places}) p CROSS JOIN messages m ON m.seq = p.seq AND m.position = p.position
      CROSS JOIN receipts r ON r.seq = m.seq ORDER BY m.seq DESC, m.position DESC"""
    given = (*(driver.values if driver else ()), *before, *between, *terms.values, limit)
    return [Found(*row) for row in db.execute(sql, given)]


def _receipts(db: Database, wanted: Filter, before: Place, between: Place, limit: int) -> list[Found]:
    """Receipts that are not, or not whole, messages: in progress, or dead. They come after their own messages."""
    found: list[Found] = []
    for state in search_terms.receipt_states(wanted):
        terms = search_terms.receipt_terms(wanted)
        sql = f"""SELECT {_RECEIPT} FROM receipts r WHERE r.state = '{state}' AND (r.seq, -1) < (?, ?)
          AND r.seq BETWEEN ? AND ? AND {terms.text} ORDER BY r.seq DESC LIMIT ?"""
        found += [Found(*row) for row in db.execute(sql, (*before, *between, *terms.values, limit))]
    return found


def _first(db: Database) -> int:
    return db.execute("SELECT min(seq) FROM receipts").get or 0


def deliveries_of(db: Database, message_ids: Sequence[str]) -> list[dict[str, Any]]:
    """The deliveries of some messages, one line each; ``failure`` is JSON text."""
    columns = (
        "delivery_id", "message_id", "route", "target", "system", "state", "attempts", "due_at", "updated_at",
        "hold_reason", "replay_of", "replay_depth", "revision", "failure", "fingerprint", "lane_seq", "lane", "set_id",
        "created_at", "batch_id", "expires_at",
    )  # fmt: skip
    if not message_ids:
        return []
    marks, chosen = ", ".join("?" * len(message_ids)), ", ".join(f"d.{column}" for column in columns)
    rows = db.execute(
        f"""SELECT {chosen}, b.collected_at, b.members
            FROM deliveries d LEFT JOIN batches b ON b.batch_id = d.batch_id
            WHERE d.message_id IN ({marks}) ORDER BY d.created_at, d.delivery_id""",
        tuple(message_ids),
    )
    return [dict(zip((*columns, "collected_at", "members"), row, strict=True)) for row in rows]


def _cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(f"{place[0]}.{place[1]}".encode()).decode().rstrip("=")


def _place(cursor: str) -> Place:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        seq, _, position = text.partition(".")
        return int(seq), int(position)
    except (ValueError, binascii.Error):
        raise UsageError("cursor: not one that a list has given; leave it out to start with the newest") from None


def waiting_by_system(db: Database) -> dict[str, int]:
    """How many deliveries of each system are due or in a lane, whatever they wait for."""
    rows = db.execute(
        f"""SELECT system, count(*) FROM (
             SELECT delivery_id, system FROM deliveries INDEXED BY deliveries_due WHERE due_at IS NOT NULL
             UNION SELECT delivery_id, system FROM deliveries INDEXED BY deliveries_lane
               WHERE holds_lane = 1 AND state <> 'dead'
             UNION SELECT delivery_id, system FROM deliveries INDEXED BY deliveries_claimed WHERE claimed_by IS NOT NULL
             UNION SELECT delivery_id, system FROM deliveries INDEXED BY deliveries_waiting
               WHERE waits_for <> '' AND due_at IS NULL AND state IN ('queued', 'held')
             UNION SELECT delivery_id, system FROM deliveries WHERE state = 'held'
               AND {is_troubled()}) AS waiting GROUP BY system"""
    )
    return dict(rows)


def retrying(db: Database, limit: int) -> list[dict[str, Any]]:
    """Deliveries that wait for their next try, the next one first, each with the name of its message's main key."""
    columns = (
        "delivery_id",
        "message_id",
        "route",
        "target",
        "system",
        "state",
        "attempts",
        "due_at",
        "failure",
        "main_key",
    )
    rows = db.execute(
        f"""SELECT d.delivery_id, d.message_id, d.route, d.target, d.system, d.state, d.attempts, d.due_at, d.failure,
             coalesce(m.main_key, '')
           FROM deliveries d LEFT JOIN messages m ON m.message_id = d.message_id
           WHERE d.state IN ('retrying', 'unknown') AND {is_troubled("d")}
           ORDER BY d.due_at LIMIT ?""",
        (limit,),
    )
    return [dict(zip(columns, row, strict=True)) for row in rows]


# Each try and look-up updates a row. One that was looked up and not found is tried in vain until it arrives.
_IS_IN_VAIN = """(d.state = 'unknown' OR (d.state = 'retrying' AND EXISTS (SELECT 1 FROM attempts l
  WHERE l.delivery_id = d.delivery_id AND l.number = d.tries AND l.outcome = 'looked_up: retrying')))"""
_SINCE = """CASE WHEN d.state IN ('held', 'dead') THEN d.updated_at ELSE coalesce((SELECT a.ended_at FROM attempts a
  WHERE a.delivery_id = d.delivery_id AND a.number = 1), d.updated_at) END"""


def blocked_lanes(db: Database, before: float) -> list[tuple[str, str, int]]:
    """(lane, system, how many wait): lanes whose head has needed a person, or been tried in vain, since before a time,
    and others behind it."""
    rows = db.execute(
        f"""SELECT lane, system, behind FROM (SELECT d.lane, d.system, {_SINCE} AS since,
             (SELECT count(*) FROM deliveries e INDEXED BY deliveries_lane WHERE e.system = d.system
                AND e.lane = d.lane AND e.holds_lane = 1 AND e.lane_seq > d.lane_seq) AS behind
             FROM deliveries d WHERE {is_troubled("d")} AND (d.state IN ('held', 'dead') OR {_IS_IN_VAIN})
               AND d.holds_lane = 1 AND {_SINCE} < ?) AS heads WHERE behind > 0 ORDER BY since""",
        (before,),
    )
    return [(str(lane), str(system), int(behind)) for lane, system, behind in rows]
