"""What went through each route and to each of its targets, for a picture of them."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from hub.store.database import Database
from hub.store.partial import is_troubled
from hub.store.pruning import last_older_than
from hub.store.tally import uuid_floor

# What waits by itself and what needs a person is counted by small indexes, whatever its age.
_QUEUED = "SELECT route, target FROM deliveries"
_WAITING = f"""SELECT route, target, count(*) FROM (
    {_QUEUED} WHERE {is_troubled()} AND state IN ('retrying', 'unknown')
    UNION ALL {_QUEUED} WHERE claimed_by IS NOT NULL AND state = 'delivering'
    UNION ALL {_QUEUED} WHERE due_at IS NOT NULL AND state = 'queued'
    UNION ALL {_QUEUED} WHERE holds_lane = 1 AND due_at IS NULL AND state = 'queued'
    UNION ALL {_QUEUED} WHERE waits_for <> '' AND due_at IS NULL AND holds_lane = 0 AND state = 'queued'
  ) AS waiting GROUP BY route, target"""
_DEAD = f"""SELECT route, target, count(*) FROM deliveries d
  WHERE d.state IN ('dead', 'held', 'expired') AND {is_troubled("d")} GROUP BY route, target"""
_DELIVERED = """SELECT route, target, count(*) FROM deliveries
  WHERE delivery_id >= ? AND state = 'delivered' GROUP BY route, target"""
_DEAD_MESSAGES = "SELECT route, count(*) FROM messages WHERE state = 'dead' AND resolved_by IS NULL GROUP BY route"
_MESSAGES = "SELECT route, state, count(*) FROM messages WHERE seq > ? GROUP BY route, state"


@dataclass(slots=True)
class Flow:
    """Messages of a route, or deliveries to one of its targets. ``done`` (taken in, or delivered) and ``filtered``
    since a time; ``waiting`` and ``dead`` (those that need a person) whatever their age."""

    done: int = 0
    filtered: int = 0
    waiting: int = 0
    dead: int = 0


class Traffic(msgspec.Struct, frozen=True):
    """The flows of routes, and of (route, target). What there is nothing of has a flow of zeros."""

    routes: dict[str, Flow] = msgspec.field(default_factory=dict)
    targets: dict[tuple[str, str], Flow] = msgspec.field(default_factory=dict)

    def route(self, name: str) -> Flow:
        return self.routes.get(name, Flow())

    def target(self, route: str, target: str) -> Flow:
        return self.targets.get((route, target), Flow())


def traffic(db: Database, since: float) -> Traffic:
    """What the store knows, since a time (seconds of the epoch); ``db`` is a snapshot. Reads the rows since then."""
    found = Traffic()
    for route, state, count in db.execute(_MESSAGES, (last_older_than(db, since),)):
        flow = found.routes.setdefault(str(route), Flow())
        flow.done += int(count)
        flow.filtered += int(count) if state == "filtered" else 0
    for route, count in db.execute(_DEAD_MESSAGES):
        found.routes.setdefault(str(route), Flow()).dead = int(count)
    for statement, values, name in (
        (_DELIVERED, (uuid_floor(since),), "done"), (_WAITING, (), "waiting"), (_DEAD, (), "dead"),
    ):  # fmt: skip
        for route, target, count in db.execute(statement, values):
            setattr(found.targets.setdefault((str(route), str(target)), Flow()), name, int(count))
    return found
