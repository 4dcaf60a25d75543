"""How much waits, counted up to a limit: by indexes alone, so that asking costs little however much there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hub.store.database import Database

_UNSPLIT = "SELECT count(*) FROM (SELECT 1 FROM receipts WHERE state = 'received' LIMIT ?) AS counted"
_UNSPLIT_OF = "SELECT count(*) FROM (SELECT 1 FROM receipts WHERE source = ? AND state = 'received' LIMIT ?) AS counted"
_IN_LANES = "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE system = ? AND holds_lane = 1 LIMIT ?) AS counted"
_DUE = "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE system = ? AND due_at IS NOT NULL LIMIT ?) AS counted"


def unsplit(db: Database, limit: int, source: str = "") -> int:
    """Receipts that are not split yet, of one source or of all; at most ``limit``."""
    if source:
        return int(db.execute(_UNSPLIT_OF, (source, limit)).get)
    return int(db.execute(_UNSPLIT, (limit,)).get)


def deliveries(db: Database, system: str, limit: int) -> int:
    """About how many deliveries wait for a system, in lanes or due; at most ``limit``. Never more than there are."""
    return max(int(db.execute(statement, (system, limit)).get) for statement in (_IN_LANES, _DUE))


_DUE_NOW = """SELECT count(*) FROM
  (SELECT 1 FROM deliveries WHERE system = ? AND route = ? AND due_at IS NOT NULL AND due_at <= ? LIMIT ?) AS counted"""


def due_now(db: Database, system: str, route: str, now: float, limit: int) -> int:
    """How many deliveries of a route to a system could go if there were room; at most ``limit``."""
    return int(db.execute(_DUE_NOW, (system, route, now, limit)).get)


_MOST_READ = 200_000
_LANES_BY_ROUTE = """SELECT route, count(*) FROM
  (SELECT route FROM deliveries WHERE system = ? AND holds_lane = 1 LIMIT ?) AS counted GROUP BY route"""
_ROUTE_DUE = """SELECT count(*) FROM
  (SELECT 1 FROM deliveries WHERE system = ? AND route = ? AND due_at IS NOT NULL LIMIT ?) AS counted"""


def by_route(db: Database, systems: Mapping[str, Collection[str]], limit: int) -> dict[str, int]:
    """About how many deliveries of each route wait, as ``limit`` at most for each of its systems; ``systems`` has those
    of each route. Of more than 200,000 in the lanes of a system some are looked at, and the rest taken for alike."""
    in_lanes = {
        system: _lanes_by_route(db, system) for system in sorted({s for each in systems.values() for s in each})
    }
    counts = dict.fromkeys(systems, 0)
    for route, targets in systems.items():
        for system in targets:
            ready = int(db.execute(_ROUTE_DUE, (system, route, limit)).get)
            counts[route] += max(ready, in_lanes[system].get(route, 0))
    return counts


def _lanes_by_route(db: Database, system: str) -> dict[str, int]:
    counts = {str(route): int(count) for route, count in db.execute(_LANES_BY_ROUTE, (system, _MOST_READ))}
    read = sum(counts.values())
    total = int(db.execute(_IN_LANES, (system, 10 * _MOST_READ)).get) if read == _MOST_READ else read
    return {route: count * total // read for route, count in counts.items()}
