"""How much waits, counted up to a limit: by indexes alone, so that asking costs little however much there is."""

from __future__ import annotations

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
