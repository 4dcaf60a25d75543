"""The proof that nothing was lost: every row of every table counted, and each table checked against the next."""

from __future__ import annotations

import msgspec

from hub.store import counters
from hub.store.database import Database
from hub.store.deliveries import WAITING
from hub.store.tally import Tally


class Finding(msgspec.Struct, frozen=True):
    """Something that does not add up: what was counted, what was expected, an example."""

    what: str
    seen: int
    expected: int
    example: str = ""


def counted(db: Database) -> Tally:
    """Counts by state from the rows themselves, all of them read, with those that retention removed."""
    removed = {(row["name"], row["label"]): row["count"] for row in counters.listed(db, counters.PRUNED)}
    tables: dict[str, dict[str, int]] = {}
    for table in ("receipts", "messages", "deliveries"):
        found = dict(db.execute(f"SELECT state, count(*) FROM {table} GROUP BY state"))
        for (name, state), count in removed.items():
            if name == table:
                found[state] = found.get(state, 0) + count
        tables[table] = found
    return Tally(**tables)


# Each gives (how many break the rule, one of them); each reads its tables once.
_RULES = {
    "receipts whose messages are not all there": """
        SELECT count(*), max(receipt_id) FROM receipts r
          WHERE r.message_count <> (SELECT count(*) FROM messages m WHERE m.seq = r.seq)""",
    "receipts that are not read, without what came": """
        SELECT count(*), max(receipt_id) FROM receipts r WHERE r.state = 'received' AND NOT EXISTS (
          SELECT 1 FROM payloads p WHERE p.stage = 'raw'
            AND p.owner_id = CASE r.raw_owner WHEN '' THEN r.receipt_id ELSE r.raw_owner END)""",
    "messages without their receipt": """
        SELECT count(*), max(message_id) FROM messages m
          WHERE NOT EXISTS (SELECT 1 FROM receipts r WHERE r.seq = m.seq)""",
    "routed messages without a delivery": """
        SELECT count(*), max(message_id) FROM messages m WHERE m.state = 'routed' AND m.route NOT LIKE '%#%'
          AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = m.message_id)""",
    "deliveries without their message": """
        SELECT count(*), max(delivery_id) FROM deliveries d
          WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.message_id = d.message_id)""",
    "delivered deliveries without an attempt": """
        SELECT count(*), max(delivery_id) FROM deliveries d WHERE d.state = 'delivered'
          AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.delivery_id = d.delivery_id)""",
    "attempts without their delivery": """
        SELECT count(*), max(delivery_id) FROM attempts a
          WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.delivery_id = a.delivery_id)""",
    "deliveries that nothing will wake": """
        SELECT count(*), max(delivery_id) FROM deliveries d WHERE d.state IN ('queued', 'retrying', 'unknown')
          AND d.due_at IS NULL AND d.claimed_by IS NULL AND d.waits_for = ''
          AND coalesce(d.batch_id, '') IN ('', d.delivery_id) AND (d.state = 'unknown' OR NOT EXISTS (
            SELECT 1 FROM deliveries e WHERE e.system = d.system AND e.lane = d.lane AND e.holds_lane = 1
              AND e.lane_seq < d.lane_seq))""",
    "deliveries that wait for one that has ended": f"""
        SELECT count(*), max(delivery_id) FROM deliveries d WHERE d.waits_for <> '' AND d.due_at IS NULL
          AND d.state = 'queued' AND NOT EXISTS (SELECT 1 FROM deliveries p WHERE p.delivery_id = d.waits_for
            AND p.state IN ({WAITING}))""",
    "deliveries that are not as the first one of their batch": f"""
        SELECT count(*), max(delivery_id) FROM deliveries d WHERE d.batch_id <> '' AND d.batch_id <> d.delivery_id
          AND d.state IN ({WAITING}) AND NOT EXISTS (
            SELECT 1 FROM deliveries f WHERE f.delivery_id = d.batch_id AND f.state = d.state)""",
    "batches without the bytes that are sent": f"""
        SELECT count(*), max(delivery_id) FROM deliveries d WHERE d.batch_id = d.delivery_id
          AND d.state IN ({WAITING}) AND NOT EXISTS (
            SELECT 1 FROM payloads p WHERE p.owner_id = d.delivery_id AND p.stage = 'sent')""",
    "replays of deliveries that are not there": """
        SELECT count(*), max(delivery_id) FROM deliveries d WHERE d.replay_of <> ''
          AND NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.delivery_id = d.replay_of)""",
}


def check(db: Database) -> list[Finding]:
    """Everything that breaks a rule; empty when all adds up. ``db`` is a snapshot."""
    found = []
    for what, statement in _RULES.items():
        count, example = db.execute(statement).fetchone() or (0, "")
        if count:
            found.append(Finding(what, count, 0, example or ""))
    return found
